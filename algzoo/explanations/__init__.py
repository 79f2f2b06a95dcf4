"""Explanations of single models: a module or folder for each chapter, named as its notebook.

Start with ``second_argmax_h2_n2``, the smallest model, and then ``second_argmax_h4_n3``.
``measures`` holds the measurements on weights that the ledgers of several chapters use.
"""
