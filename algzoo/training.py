"""Training of a single model, under the name of ARC's module; see :mod:`algzoo.zoo.training`."""

from .zoo import train

__all__ = ["train"]
