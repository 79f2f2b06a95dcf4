"""Loading from files, under the name of ARC's module; see :mod:`algzoo.zoo.loading`."""

from .zoo.loading import (
    example_2nd_argmax,
    load_dist_rnn,
    load_dist_transformer,
    load_scalar_rnn,
    load_scalar_transformer,
    load_state_dict,
    load_transformer,
)

__all__ = [
    "example_2nd_argmax",
    "load_dist_rnn",
    "load_dist_transformer",
    "load_scalar_rnn",
    "load_scalar_transformer",
    "load_state_dict",
    "load_transformer",
]
