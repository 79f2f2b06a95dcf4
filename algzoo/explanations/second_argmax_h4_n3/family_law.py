"""What networks do for which the checks of M4,3's symmetry ledger hold.

The ledger claims that the model is close to a member of the handcrafted models' family, and says
how close in each of its near-equalities. Networks are drawn here that are as close: the member with
the model's lambda, with every claimed gap uniform between its limits. Their accuracies are the law
that the explanation predicts; neither the model's accuracy nor that of another trained network
enters.

In standard form and with the neurons in pairs, let U and V be the matrices of differences and sums
of partners. Then

    W_hh = (U^T W U + V^T K V) / 4,

with W from the rows of F, which lambda determines, and K small against W. Partners then differ in
size by their own gaps.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special

from ...scoring.surprise.ledger import Ledger
from ...structure import Weights, outputs
from ...zoo import task_2nd_argmax

Array = NDArray[np.float64]

_U = np.array([[1.0, 0, 0, -1], [0, 1, -1, 0]])  # differences of partners
_V = np.abs(_U)

_ROUNDS = 1000  # of as many draws as networks are wanted
_N_INPUTS = 2**12  # on which a network's accuracy is measured
_TOGETHER = 64  # networks that are run at a time


def family_law(
    ledger: Ledger,
    lam: float,
    *,
    exactly: Collection[str] = (),
    n_networks: int = 1024,
    seed: int = 0,
) -> tuple[float, float]:
    """Accuracy that the ledger's statements predict: its centre, and the sd of its logit.

    They are the mean and the standard deviation of the logits of the accuracies of networks drawn
    by :func:`members_within`; the centre is an accuracy again. Each network is run on the same 4096
    Gaussian inputs. Of k right answers among n, the logit is that of (k + 1/2) / (n + 1).

    Parameters
    ----------
    ledger
        Ledger of :func:`~algzoo.explanations.second_argmax_h4_n3.ledgers.symmetry_ledger`.
    lam
        Lambda of the model.
    exactly
        Ids of near-equalities whose gap is to be 0, which shows what the others do.
    n_networks
        Number of networks.
    seed
        Seed of the gaps and of the inputs.

    Raises
    ------
    ValueError
        Raised by :func:`members_within`.
    """
    rng = np.random.default_rng(seed)
    drawn = members_within(ledger, lam, n_networks, rng, exactly=exactly)
    x = rng.standard_normal((_N_INPUTS, 3))
    right = task_2nd_argmax(torch.as_tensor(x)).numpy()
    counts = []
    for place in range(0, n_networks, _TOGETHER):
        some = Weights(*(matrix[place : place + _TOGETHER] for matrix in drawn))
        answers = outputs(some, np.broadcast_to(x, (len(some.w_hi), *x.shape))).argmax(axis=-1)
        counts.append((answers == right).sum(axis=-1))
    logits = special.logit((np.concatenate(counts) + 0.5) / (_N_INPUTS + 1))
    return float(special.expit(logits.mean())), float(logits.std(ddof=1))


def members_within(
    ledger: Ledger,
    lam: float,
    n_networks: int,
    rng: np.random.Generator,
    *,
    exactly: Collection[str] = (),
) -> Weights:
    """Draw networks near the family's member with ``lam`` for which the ledger's checks hold.

    Each gap that the ledger claims is uniform between its limits, with either sign. A gap changes
    others to second order, so that a draw may violate a check; such draws are rejected. The logits
    of a network have the sum zero for every neuron, because their mean has no effect. The gaps of
    the statements in ``exactly`` are 0.

    Returns
    -------
    Weights
        In standard form, with the neurons in pairs; leading axis ``n_networks``.

    Raises
    ------
    ValueError
        If ``lam`` is not positive, if a check of the ledger fails on its own model, or if hardly
        any draw satisfies all of them.
    """
    if not lam > 0:
        raise ValueError(f"lam must be positive, got {lam}")
    failed = [entry.check.id for entry in ledger.entries if not entry.holds]
    if failed:
        raise ValueError(f"These checks fail on the ledger's own model: {', '.join(failed)}")
    kept: list[Weights] = []
    for _ in range(_ROUNDS):
        drawn = _draw(ledger, lam, n_networks, rng, exactly)
        holds = np.all([check.holds(drawn) for check in ledger.checks], axis=0)
        kept.append(Weights(*(matrix[holds] for matrix in drawn)))
        if sum(len(weights.w_hi) for weights in kept) >= n_networks:
            return Weights(*(np.concatenate(of)[:n_networks] for of in zip(*kept, strict=True)))
    raise ValueError(f"Fewer than one draw in {_ROUNDS} satisfies all checks of the ledger")


def _draw(
    ledger: Ledger, lam: float, n: int, rng: np.random.Generator, exactly: Collection[str]
) -> Weights:
    def gap(check_id: str) -> Array:
        limit = ledger.entry(check_id).check.threshold
        assert limit is not None, "the ledger fixes thresholds"
        return rng.uniform(-limit, limit, n) * (check_id not in exactly)

    # F: what the two differences of partners hold at the end, as functions of the three inputs.
    apart = np.exp(gap("lambda") / 2)
    first = np.stack([1 / (lam * apart), -1 / (lam / apart + 1)], axis=-1)
    last = np.ones((n, 2))
    middle = np.stack([gap(f"row {row} of F") for row in range(2)], axis=-1) - last - first
    into, out = np.stack([last, middle], axis=-1), np.stack([middle, first], axis=-1)
    w = 4 * out @ np.linalg.inv(into)
    k = w * np.stack(
        [np.stack([gap(f"K[{i}, {j}]") for j in range(2)], axis=-1) for i in range(2)], axis=-2
    )
    w_hh = (_U.T @ w @ _U + _V.T @ k @ _V) / 4
    w_oh = _readout(lam, gap)[..., [0, 1, 1, 0]]
    for i in range(2):
        for j in range(4):
            _move_apart(w_hh, (i, j), (3 - i, 3 - j), gap(f"size of W_hh[{i}, {j}]"))
    for logit in range(3):
        for j in range(2):
            _move_apart(w_oh, (logit, j), (logit, 3 - j), gap(f"size of W_oh[{logit}, {j}]"))
    return Weights(np.broadcast_to([1.0, 1, -1, -1], (n, 4)).copy(), w_hh, w_oh)


def _readout(lam: float, gap: Callable[[str], Array]) -> Array:
    """Logits as functions of the sizes of the two differences, shape (n, 3, 2), mean zero."""
    left = -np.exp(gap("readout, first"))
    first = np.stack([left, np.ones_like(left)], axis=-1)
    second = np.stack(
        [
            lam / (lam + 1) * np.exp(gap("readout, second, y0")),
            (lam + 1) / lam * left * np.exp(gap("readout, second, y1")),
        ],
        axis=-1,
    )
    logits = np.stack([np.zeros_like(first), first, second], axis=-2)
    centred: Array = logits - logits.mean(axis=-2, keepdims=True)
    return centred


def _move_apart(matrix: Array, one: tuple[int, int], other: tuple[int, int], gap: Array) -> None:
    matrix[(..., *one)] *= np.exp(gap / 2)
    matrix[(..., *other)] *= np.exp(-gap / 2)
