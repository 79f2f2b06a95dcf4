r"""Detectors of abnormal mechanisms, behind one interface.

A :class:`Detector` is fitted on trusted inputs of a model and then scores other inputs; larger
scores mean more abnormal. It never sees a label. What it sees is a *view* of the inputs
(:data:`VIEWS`): the inputs themselves, the last state, the states after all inputs, the
contributions of the neurons to the answer, or which neurons are active. A *method* turns trusted
rows of a view into a function that scores other rows. The detector of an explanation is in
:mod:`.statements`.

Methods that need a covariance whiten with that of the trusted rows. It may be singular: a neuron
may be zero on all trusted inputs. Published code drops such directions, so that it cannot see a
neuron that fires for the first time. ``floored=True`` gives them a small variance instead, so that
any move along them counts much.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from scipy.linalg import expm

from ..structure import Weights, weights_in_range
from ..zoo import Model, OneLayerRNN
from .facts import Floats, states_of_inputs

Sees = Literal["inputs", "last state", "all states", "contributions", "patterns", "explanation"]
Score = Callable[[Floats], Floats]  # from rows to scores
Method = Callable[[Floats], Score]  # from trusted rows to their score
View = Callable[[Model, Floats], Floats]  # from inputs to rows

_SMALL = 1e-6  # variance, over the largest, below which a direction counts as constant
_ALPHA = 4.0


@dataclass(frozen=True)
class Detector:
    """Method of detection applied to a view of the inputs.

    Attributes
    ----------
    name
        Name of the method.
    sees
        The view.
    fit
        Function from a model and trusted inputs, shape (n, seq_len), to a function that scores
        other inputs. Some methods compare all inputs that they score together.
    """

    name: str
    sees: Sees
    fit: Callable[[OneLayerRNN, Floats], Score]


def mahalanobis(trusted: Floats, *, floored: bool = False) -> Score:
    """Squared Mahalanobis distance from the mean of the trusted rows."""
    whiten = _whitening(trusted, floored)
    return lambda rows: np.asarray(np.square(whiten(rows)).sum(axis=1))


def relative_mahalanobis(trusted: Floats) -> Score:
    """Mahalanobis distance among rows with the same answer, less the distance among all.

    The answer is the first column. A row with an answer that no trusted row has takes the largest
    distance to any answer.

    References
    ----------
    J. Ren et al., "A simple fix to Mahalanobis distance for improving near-OOD detection", 2021,
    arXiv:2106.09022. There the nearest answer counts; here it is the model's own.
    """
    of_all = mahalanobis(trusted[:, 1:])
    of_answer = {
        answer: mahalanobis(trusted[trusted[:, 0] == answer, 1:])
        for answer in np.unique(trusted[:, 0])
    }

    def score(rows: Floats) -> Floats:
        distances = {answer: one(rows[:, 1:]) for answer, one in of_answer.items()}
        found = np.max([*distances.values()], axis=0)
        for answer, distance in distances.items():
            found = np.where(rows[:, 0] == answer, distance, found)
        relative: Floats = found - of_all(rows[:, 1:])
        return relative

    return score


def quantum_entropy(trusted: Floats) -> Score:
    """Squared length of whitened rows, weighted by directions in which they spread too much.

    With S the covariance of the rows that are scored, after whitening, the score is ``x^T Q x`` and
    ``Q = exp(4 S / abs(S))``: it lies between the Mahalanobis distance and the projection on the
    largest principal component.

    References
    ----------
    Y. Dong, S. Hopkins and J. Li, "Quantum entropy scoring for fast robust mean estimation and
    improved outlier detection", NeurIPS 2019.
    """
    whiten = _whitening(trusted, floored=False)

    def score(rows: Floats) -> Floats:
        white = whiten(rows)
        centred = white - white.mean(axis=0)
        spread = centred.T @ centred / len(white)
        largest = max(np.linalg.eigvalsh(spread), default=0.0)
        weights = expm(_ALPHA * spread / largest) if largest > 0 else np.eye(len(spread))
        found: Floats = np.einsum("ni,ij,nj->n", white, weights, white)
        return found

    return score


def spectral_signature(trusted: Floats) -> Score:
    """Squared projection on the largest principal component of the rows that are scored.

    The trusted rows are not used.

    References
    ----------
    B. Tran, J. Li and A. Madry, "Spectral signatures in backdoor attacks", NeurIPS 2018.
    """
    del trusted

    def score(rows: Floats) -> Floats:
        centred = rows - rows.mean(axis=0)
        _, _, components = np.linalg.svd(centred, full_matrices=False)
        return np.asarray(np.square(centred @ components[0]))

    return score


def local_outlier_factor(trusted: Floats) -> Score:
    """Local density of the trusted rows around a row's neighbours, over that around the row.

    References
    ----------
    M. Breunig et al., "LOF: identifying density-based local outliers", SIGMOD 2000; scikit-learn's
    implementation with 20 neighbours.
    """
    # It takes a second to import, and only two methods need it.
    from sklearn.neighbors import LocalOutlierFactor

    fitted = LocalOutlierFactor(n_neighbors=20, novelty=True).fit(_jittered(trusted))
    return lambda rows: -np.asarray(fitted.score_samples(rows))


def isolation_forest(trusted: Floats) -> Score:
    """How few random cuts separate a row from the trusted ones.

    References
    ----------
    F. T. Liu, K. M. Ting and Z.-H. Zhou, "Isolation forest", ICDM 2008; scikit-learn's
    implementation with 100 trees.
    """
    from sklearn.ensemble import IsolationForest

    fitted = IsolationForest(n_estimators=100, random_state=0).fit(trusted)
    return lambda rows: -np.asarray(fitted.score_samples(rows))


def rare_pattern(trusted: Floats) -> Score:
    """Bits of the pattern's frequency among trusted rows, with one added to each count."""
    kinds, counts = np.unique(trusted, axis=0, return_counts=True)
    known = {kind.tobytes(): int(count) for kind, count in zip(kinds, counts, strict=True)}
    total = len(trusted) + len(kinds) + 1

    def score(rows: Floats) -> Floats:
        counted = [known.get(row.tobytes(), 0) + 1 for row in np.ascontiguousarray(rows)]
        return -np.log2(np.array(counted) / total)

    return score


def rare_activity(trusted: Floats) -> Score:
    """Bits of all neurons' states, as if they were independent."""
    share = (trusted.sum(axis=0) + 1) / (len(trusted) + 2)
    return lambda rows: -(rows @ np.log2(share) + (1 - rows) @ np.log2(1 - share))


def inputs(model: Model, x: Floats) -> Floats:
    """View: the inputs alone."""
    del model
    return x


def last_state(model: Model, x: Floats) -> Floats:
    """View: activations after the last input."""
    state: Floats = states_of_inputs(model, x)[-1]
    return state


def all_states(model: Model, x: Floats) -> Floats:
    """View: activations after every input, side by side."""
    return np.concatenate([*states_of_inputs(model, x)], axis=1)


def answer_and_state(model: Model, x: Floats) -> Floats:
    """View: the answer, and the activations after the last input."""
    weights = weights_in_range(model)
    state = states_of_inputs(model, x)[-1]
    return np.column_stack([(state @ weights.w_oh.T).argmax(axis=1), state])


def contributions(model: Model, x: Floats) -> Floats:
    """View: what each neuron contributes to the lead of the answer over the next logit."""
    weights = weights_in_range(model)
    state = states_of_inputs(model, x)[-1]
    return np.asarray(state * _lead(weights, state))


def patterns(model: Model, x: Floats) -> Floats:
    """View: whether each neuron is active after each input, as 0 and 1."""
    return _zeros_and_ones(states_of_inputs(model, x))


def patterns_of_last(steps: int) -> View:
    """Make a view: whether each neuron is active after each of the last inputs, as 0 and 1."""
    return lambda model, x: _zeros_and_ones(states_of_inputs(model, x)[-steps:])


def _zeros_and_ones(states: Floats) -> Floats:
    """Whether each neuron is active, shape (n, steps * hidden_size)."""
    active = states.transpose(1, 0, 2) > 0
    return active.reshape(len(active), -1).astype(np.float64)


VIEWS: dict[Sees, View] = {
    "inputs": inputs,
    "last state": last_state,
    "all states": all_states,
    "contributions": contributions,
    "patterns": patterns,
}
"""The views by name."""


def detector(name: str, sees: Sees, method: Method, view: View | None = None) -> Detector:
    """Make a detector of a method and a view, by default the one that it is named to see."""
    look = VIEWS[sees] if view is None else view

    def fit(model: OneLayerRNN, trusted: Floats) -> Score:
        score = method(look(model, trusted))
        return lambda x: score(look(model, x))

    return Detector(name, sees, fit)


def detectors() -> list[Detector]:
    """Return the detectors that need no explanation, those of inputs alone first."""
    floored = partial(mahalanobis, floored=True)
    return [
        detector("Mahalanobis", "inputs", mahalanobis),
        detector("local outlier factor", "inputs", local_outlier_factor),
        detector("isolation forest", "inputs", isolation_forest),
        detector("Mahalanobis", "last state", mahalanobis),
        detector("Mahalanobis, floored", "last state", floored),
        detector("relative Mahalanobis", "last state", relative_mahalanobis, answer_and_state),
        detector("quantum entropy", "last state", quantum_entropy),
        detector("spectral signature", "last state", spectral_signature),
        detector("local outlier factor", "last state", local_outlier_factor),
        detector("isolation forest", "last state", isolation_forest),
        detector("Mahalanobis, floored", "all states", floored),
        detector("Mahalanobis", "contributions", mahalanobis),
        detector("rare pattern", "patterns", rare_pattern),
        detector("rare activity", "patterns", rare_activity),
    ]


def _whitening(trusted: Floats, floored: bool) -> Callable[[Floats], Floats]:
    """Return the map that gives trusted rows the mean 0 and the covariance 1.

    Directions of no variance are dropped, or taken to have a small one.
    """
    mean = trusted.mean(axis=0)
    centred = trusted - mean
    variances, directions = np.linalg.eigh(centred.T @ centred / len(trusted))
    least = _SMALL * variances[-1]
    if not floored:
        directions = directions[:, variances > least]
        variances = variances[variances > least]
    scaled = directions / np.sqrt(np.maximum(variances, least or 1.0))
    return lambda rows: np.asarray((rows - mean) @ scaled)


def _jittered(rows: Floats) -> Floats:
    """Rows with noise far below their spread, so that no two are equal."""
    rng = np.random.default_rng(0)
    return np.asarray(rows + 1e-9 * rows.std() * rng.standard_normal(rows.shape))


def _lead(weights: Weights, state: Floats) -> Floats:
    """W_oh of the answer minus W_oh of the next logit, shape (n_inputs, hidden_size)."""
    order = np.argsort(-(state @ weights.w_oh.T), axis=1, kind="stable")
    lead: Floats = weights.w_oh[order[:, 0]] - weights.w_oh[order[:, 1]]
    return lead
