"""Linear pieces of recurrent models, with their measures, in exact arithmetic.

Start with ``pieces`` (:func:`~algzoo.structure.cones` and
:func:`~algzoo.structure.decision_cones`). ``plane`` finds the pieces of two inputs, ``sweep`` those
of three, ``answers`` cuts them where the answer changes, ``outline`` finds the boundary of the set
of right answers, and ``solid_angle``, ``projected_area`` and ``planar_mass`` measure what is inside
it.
"""
