"""Number of linear pieces of a recurrent model, as far as random inputs meet them.

After each step every neuron is active or not. Inputs that share this *activation pattern*, n d bits
for n inputs and d neurons, lie in one convex cone on which the logits are linear. Brute force over
the pieces would have to visit all of them; random inputs meet some, and the number of patterns that
were met only once says how probable those are that were not met.

References
----------
ARC, "AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026: "the number of regions
would grow exponentially with depth". I. J. Good, "The population frequencies of species and the
estimation of population parameters", Biometrika 40, 1953, for the unseen probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..structure import weights_in_range
from ..structure.features.wiring import states
from ..zoo import Model

_AT_A_TIME = 2**14  # inputs whose activations are held in memory


@dataclass(frozen=True)
class PatternsMet:
    """Activation patterns that the first ``n_inputs`` of some random inputs have.

    Attributes
    ----------
    n_inputs
        Number of inputs.
    n_patterns
        Number of different patterns among them.
    n_once
        Number of patterns that one input alone has.
    """

    n_inputs: int
    n_patterns: int
    n_once: int

    @property
    def unseen(self) -> float:
        """Estimated probability that a further input has a pattern that was not met.

        This is Good and Turing's estimate, ``n_once / n_inputs``.
        """
        return self.n_once / self.n_inputs


def patterns_met(model: Model, sample_sizes: Sequence[int], seed: int = 0) -> list[PatternsMet]:
    """Count activation patterns among standard Gaussian inputs of a recurrent model.

    Parameters
    ----------
    model
        A recurrent model.
    sample_sizes
        Numbers of inputs; those of a smaller number are the first of those of a larger one.
    seed
        Seed of the inputs.

    Returns
    -------
    list of PatternsMet
        One for each of ``sample_sizes``.

    Raises
    ------
    TypeError, ValueError
        If the model is not recurrent, or a number of inputs is not positive.

    Examples
    --------
    >>> from algzoo import zoo_2nd_argmax
    >>> [met] = patterns_met(zoo_2nd_argmax(2, 2), [1000])
    >>> met.n_patterns, met.unseen
    (6, 0.0)
    """
    weights = weights_in_range(model)
    if not sample_sizes or min(sample_sizes) < 1:
        raise ValueError(f"Numbers of inputs are at least 1, got {list(sample_sizes)}")
    rng = np.random.default_rng(seed)
    parts = []
    for start in range(0, max(sample_sizes), _AT_A_TIME):
        size = min(_AT_A_TIME, max(sample_sizes) - start)
        activations = states(weights, rng.standard_normal((size, model.seq_len)))
        active = np.moveaxis(activations > 0, 0, 1).reshape(size, -1)
        parts.append(np.packbits(active, axis=1))
    return [_counted(np.concatenate(parts)[:n]) for n in sample_sizes]


def _counted(packed: NDArray[np.uint8]) -> PatternsMet:
    """Count the different rows."""
    rows = np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1])))[:, 0]
    _, counts = np.unique(rows, return_counts=True)
    return PatternsMet(len(packed), len(counts), int((counts == 1).sum()))
