"""Explanations of M16,10.

``ledgers`` prices two partial explanations: formulas of neurons, and one decision for each class of
inputs.
"""
