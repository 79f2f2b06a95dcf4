"""Networks whose weights were written by hand, for each of the four tasks.

There is one module for each task. ``second_argmax`` holds ARC's models of 2, 3 and 10 inputs, and
``lengths`` 2nd-argmax models of any length. Start with ``second_argmax``: its matrices are small,
with a comment for every neuron.
"""
