"""Handcrafted models, under the name of ARC's module; see :mod:`algzoo.zoo.handcrafted`."""

from .zoo.handcrafted.second_argmax import handcrafted_2nd_argmax

__all__ = ["handcrafted_2nd_argmax"]
