"""Search for formulas that neurons follow, and tests of the formulas found.

Start with ``search`` (:func:`find_features`), which takes a network apart. ``wiring`` measures what
each neuron receives, ``formula`` is the grammar of formulas, ``check`` compares a formula with an
activation, ``ablation`` replaces neurons by their formulas, and ``fitted`` fits formulas to
activations when none can be derived.
"""
