"""Estimators for recurrent models of two, three and four inputs, most of them exact."""
