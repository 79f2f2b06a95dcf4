"""Figures of the chapters.

``style`` sets the look that they share. ``planar`` draws models of two inputs, ``spherical`` models
of three, ``recurrent`` neurons and errors of any recurrent model, and ``error_vs_compute`` and
``ratio_curves`` the results of the challenge. ``sphere_page`` and ``play_page`` write the data of
the two interactive pages.
"""
