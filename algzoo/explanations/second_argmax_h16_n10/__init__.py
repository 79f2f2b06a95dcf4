"""Explanations of M16,10, and the study of all estimators on it.

``ledgers`` prices two partial explanations: formulas of neurons, and one decision for each class of
inputs. ``study`` scores every estimator on noisy copies of six networks; both chapters on M16,10
read its table.
"""
