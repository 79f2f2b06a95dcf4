"""What the weights of longest-cycle transformers say: circuits, and classes of functions.

``folded`` turns a two-layer transformer into tables in which inputs are looked up; start there.
``standard_form`` fixes one set of weights for each function, and ``functional_graphs`` lists the
inputs (functions on n points) up to renaming.
"""
