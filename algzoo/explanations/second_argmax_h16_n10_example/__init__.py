"""Explanation of ARC's example of M16,10: what is known of its neurons, and what others published.

Start with ``subcircuit``: the whole weights of the five neurons that ARC describe, the formulas
that follow from them, and the network with these weights put in. ``ages`` has formulas of six
neurons that know how long ago the largest number was read, and ``forgetting`` the sum rule by which
small inputs leave no trace. ``published`` computes what two public repositories and the comments
under ARC's post say about the model, so that it can be compared with its accuracy on Gaussian
inputs.

The modules are about this one network. For others with the same architecture, which were trained
for the book, there is :mod:`algzoo.explanations.second_argmax_h16_n10`.
"""
