"""Estimators for recurrent models of many inputs, most of them for 2nd argmax.

Most divide inputs into classes by which input is largest and which second (``order_classes``).
``folded_classes`` and ``pair_leaves`` are the most accurate: cubature rules in which the last input
is integrated exactly (``last_input_walk``); start with them. ``cubature`` and ``argmedian`` are
plainer rules, ``lines``, ``lines_between_ties`` and ``planes`` integrate along lines and planes,
``skeleton``, ``offsets``, ``soft_count``, ``anchors`` and ``surrogate`` need few runs of the
network, and ``gaussian``, ``response_surface`` and ``boundary_oracle`` are methods that the chapter
on M16,10 shows to fail.
"""
