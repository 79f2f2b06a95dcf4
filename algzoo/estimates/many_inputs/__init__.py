"""Estimators for recurrent models of five inputs and more, by classes, lines, formulas and fits."""
