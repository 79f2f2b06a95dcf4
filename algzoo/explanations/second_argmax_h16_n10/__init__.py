"""The explanations of M16,10, and the study of all estimators on it."""
