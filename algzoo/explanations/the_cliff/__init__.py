"""Scores of estimators on models of all sizes (d, n), for the chapter on the cliff.

:mod:`.cells` has the models and how their noise is chosen, :mod:`.rules` the estimators with their
budgets, and :mod:`.table` measures and reads the scores. Start with :func:`.table.bundled`.
"""
