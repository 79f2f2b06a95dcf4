"""Arithmetic that counts its operations.

``counter`` states the convention and holds the counter; start there. ``array`` provides numpy
arrays that count, for estimators that are written with numpy.
"""
