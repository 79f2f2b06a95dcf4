"""Estimators for longest-cycle models: on all functions, or on one function of each class.

``exhaustive`` runs the model on every function from n points to themselves. ``by_class`` uses fewer
inputs, one or a few for each class of functions that differ only by the names of points.
"""
