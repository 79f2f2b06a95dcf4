"""Training of one model, under the name of ARC's module; see :mod:`algzoo.zoo.training`."""

from .zoo import train

__all__ = ["train"]
