"""Explanation of ARC's example of M16,10: five of its neurons, and what others published about it.

``subcircuit`` holds the whole weights of the five neurons that ARC describe, the formulas that
follow from them, and the network with these weights put in. ``published`` computes what two public
repositories and a comment say about the model, so that it can be compared with the accuracy on
Gaussian inputs. Start with ``subcircuit``.

The module says nothing about models with the same architecture that were trained for the book; for
these there is :mod:`algzoo.explanations.second_argmax_h16_n10`.
"""
