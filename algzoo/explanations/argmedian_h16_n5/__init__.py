"""Explanation of M16,5 (argmedian): it compares the newest input with each earlier one.

``comparisons`` measures which difference of inputs each neuron holds, ``ablation`` replaces neurons
by such comparisons and shows where the model errs, and ``ledger`` prices the explanation. Start
with ``ledger``, whose docstring states the claim.
"""
