"""Operations of scoring one input with a detector, in closed form.

The convention is that of :mod:`algzoo.estimates.counting`: a multiply-add, an addition, a
multiplication, a division and a comparison cost 1. What is done once, on the trusted inputs or on
the linear pieces, is not counted, nor is the run of the network, which is counted by
:func:`run_of_network`. Methods that compare all scored inputs are charged their covariance, input
by input. The local outlier factor is charged its distances to all trusted inputs, of which a search
tree saves most.
"""

from __future__ import annotations

from collections.abc import Callable

from ..zoo import OneLayerRNN
from .detectors import Detector, Sees
from .tasks import N_TRUSTED

_NEIGHBOURS = 20
_TREES, _DEPTH = 100, 8  # of an isolation forest: each tree has 256 inputs
_OF_METHOD: dict[str, Callable[[int], int]] = {
    "Mahalanobis": lambda d: d * d + 2 * d,
    "Mahalanobis, floored": lambda d: d * d + 2 * d,
    # Two distances and their difference.
    "relative Mahalanobis": lambda d: 2 * (d * d + 2 * d) + 1,
    # Whitening, the share of the covariance, and a quadratic form.
    "quantum entropy": lambda d: (d * d + d) + (d * d + d) + (d * d + d),
    # Centring, the share of the covariance, and the square of a projection.
    "spectral signature": lambda d: d + d * d + d + 1,
    "local outlier factor": lambda d: N_TRUSTED * 2 * d + 2 * _NEIGHBOURS,
    "isolation forest": lambda d: _TREES * _DEPTH,
    "rare pattern": lambda d: d,
    "rare activity": lambda d: d,
}


def operations(detector: Detector, model: OneLayerRNN) -> int:
    """Operations of scoring one input, without the run of the network.

    The numbers of operations of isolation forests and local outlier factors are upper limits.

    Raises
    ------
    KeyError
        If the method is not one of this package.
    """
    columns = _columns(detector.sees, model)
    if detector.sees == "explanation":
        return columns  # the pattern is looked up; the rest was done once for every piece
    return _OF_METHOD[detector.name](columns)


def run_of_network(detector: Detector, model: OneLayerRNN) -> int:
    """Multiply-adds of the run that a detector needs: 0 if it sees the inputs alone."""
    if detector.sees == "inputs":
        return 0
    d, n, o = model.hidden_size, _length(model), model.output_size
    return n * d * (d + 1) + o * d


def _columns(sees: Sees, model: OneLayerRNN) -> int:
    d, n = model.hidden_size, _length(model)
    return {"inputs": n, "last state": d, "contributions": d}.get(sees, n * d)


def _length(model: OneLayerRNN) -> int:
    assert model.seq_len is not None  # recurrent models have one
    return model.seq_len
