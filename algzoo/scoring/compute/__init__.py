"""The challenge: the error of estimators against the operations that they cost."""
