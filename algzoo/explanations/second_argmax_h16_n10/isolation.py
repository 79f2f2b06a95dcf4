"""How nearly isolated each neuron of a network is."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ...structure import Thresholds, weights_in_range
from ...structure.features.wiring import Wiring
from ...zoo import OneLayerRNN

Array = NDArray[np.float64]


def least_outside_shares(model: OneLayerRNN, thresholds: Thresholds | None = None) -> Array:
    """For each neuron the share from outside of the most isolated group that it belongs to.

    What a neuron receives from the input and from each neuron is measured as a root mean square
    over random inputs. The share from outside is the root of the share of the squares that comes
    from neurons outside the group; that of a group is the largest of its neurons'. A neuron with a
    share of at most ``max_outside_share`` is what :func:`~algzoo.structure.find_features` calls
    nearly isolated in its first round.

    Parameters
    ----------
    model
        A recurrent model without biases.
    thresholds
        Of the feature search: the size of the largest group, and how sizes are measured.

    Returns
    -------
    ndarray
        Shape (hidden_size,), between 0 and 1; 1 for a neuron that receives nothing.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`~algzoo.structure.weights_in_range`.
    """
    weights = weights_in_range(model)
    thresholds = thresholds or Thresholds()
    rng = np.random.default_rng(thresholds.seed)
    x = rng.standard_normal((thresholds.n_inputs, model.seq_len))
    wiring = Wiring.measured(weights, x)
    least = np.ones(model.hidden_size)
    for size in range(1, thresholds.max_new_neurons + 1):
        for group in combinations(range(model.hidden_size), size):
            members = list(group)
            share = wiring.outside_share(members).max()
            least[members] = np.minimum(least[members], share)
    return least
