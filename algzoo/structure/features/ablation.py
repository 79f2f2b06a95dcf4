"""Ablations: what remains of a 2nd-argmax model when neurons are replaced, and where it errs.

Everything here is measured on Gaussian inputs drawn from a stated seed. These measurements show how
much an explanation explains; they are not estimates of the accuracy, and cost as much as sampling.

A neuron's activation is replaced either at every step, so that the network continues with the
replacement, or only at the last step, where just the readout sees it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from ...zoo import DistRNN, check_model
from ..weights import Weights, weights_in_range
from .search import Feature

When = Literal["every step", "last step"]


@dataclass(frozen=True, eq=False)
class Sample:
    """Run of a 2nd-argmax model on Gaussian inputs.

    Attributes
    ----------
    weights
        Weights of the model.
    x
        Inputs, shape (n_inputs, seq_len).
    order
        Shape (n_inputs, seq_len): positions from the largest input to the smallest.
    last
        Activations after the last step, shape (n_inputs, hidden_size).
    """

    task_name: ClassVar[str] = "2nd_argmax"
    _needed: ClassVar[str] = "A 2nd-argmax model"

    weights: Weights
    x: NDArray[np.float64]
    order: NDArray[np.intp]
    last: NDArray[np.float64]

    @classmethod
    def of(cls, model: DistRNN, n_inputs: int, seed: int) -> Self:
        """Run the model on ``n_inputs`` independent standard Gaussian inputs.

        Raises
        ------
        ValueError
            If ``n_inputs`` is not positive or the model has another task, or raised by
            :func:`~algzoo.structure.weights.weights_in_range`.
        """
        if n_inputs < 1:
            raise ValueError(f"n_inputs must be at least 1, got {n_inputs}")
        check_model(model)
        if model.task_name != cls.task_name:
            raise ValueError(f"{cls._needed} is needed, got one of {model.task_name}")
        weights = weights_in_range(model)
        x = np.random.default_rng(seed).standard_normal((n_inputs, model.seq_len))
        order = np.argsort(-x, axis=1)
        return cls(weights, x, order, _last_activations(weights, x, {}))

    @property
    def answer(self) -> NDArray[np.intp]:
        """Right answers, shape (n_inputs,)."""
        answers: NDArray[np.intp] = self.order[:, 1]
        return answers

    @property
    def group(self) -> NDArray[np.intp]:
        """Number of the pair (position of the largest, of the second largest) of each input."""
        numbers: NDArray[np.intp] = self.order[:, 0] * self.x.shape[1] + self.order[:, 1]
        return numbers

    def given(self, last: NDArray[np.float64]) -> NDArray[np.intp]:
        """Answers of the model if its last activations are ``last``, shape (n_inputs,)."""
        found: NDArray[np.intp] = (last @ self.weights.w_oh.T).argmax(axis=1)
        return found

    def accuracy(self, last: NDArray[np.float64]) -> float:
        """Share of right answers if the last activations are ``last``."""
        return float((self.given(last) == self.answer).mean())

    def group_means(self) -> NDArray[np.float64]:
        """Last activations averaged over inputs with the same two largest positions.

        Shape (n_inputs, hidden_size). These means contain the answer: see :class:`Survival`.
        """
        n_groups = self.x.shape[1] ** 2
        counts = np.bincount(self.group, minlength=n_groups)
        sums = np.stack([np.bincount(self.group, h, n_groups) for h in self.last.T], axis=1)
        means: NDArray[np.float64] = (sums / np.maximum(counts, 1)[:, None])[self.group]
        return means


def _last_activations(
    weights: Weights, x: NDArray[np.float64], put_in: Mapping[int, NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Last activations where neuron i holds ``put_in[i][t]`` after every step t."""
    state = np.zeros((len(x), len(weights.w_hi)))
    for t in range(x.shape[1]):
        state = np.maximum(state @ weights.w_hh.T + x[:, t, None] * weights.w_hi, 0.0)
        for neuron, values in put_in.items():
            state[:, neuron] = values[t]
    return state


def with_formulas(sample: Sample, features: Iterable[Feature], when: When) -> NDArray[np.float64]:
    """Return the last activations, (n_inputs, hidden_size), if these neurons hold their formulas.

    The formulas are in the unit that the weights determine; nothing is fitted.
    """
    return _with(sample, {f.neuron: _held(sample, f) for f in features}, when)


def _held(sample: Sample, feature: Feature) -> NDArray[np.float64]:
    """Values of a neuron after each step if its formula were exact, shape (seq_len, n_inputs)."""
    return feature.unit * np.array([formula(sample.x) for formula in feature.formulas])


def _with(
    sample: Sample, held: Mapping[int, NDArray[np.float64]], when: When
) -> NDArray[np.float64]:
    if when == "every step":
        return _last_activations(sample.weights, sample.x, held)
    last = sample.last.copy()
    for neuron, values in held.items():
        last[:, neuron] = values[-1]
    return last


@dataclass(frozen=True, eq=False)
class Survival:
    """Accuracies on one sample when neurons are replaced in various ways.

    The means over inputs with the same two largest positions determine the answer by themselves. If
    they replace all neurons (``all_group_means``), the accuracy only shows that the average margins
    are right, not that anything was explained. ``features_alone`` is the test without that help.

    Attributes
    ----------
    intact
        Accuracy of the model.
    std
        Standard error of ``intact``; differences on the same sample are known more precisely.
    one_at_every_step, one_at_last_step
        By neuron: this neuron holds its formula.
    one_with_noise
        By neuron: Gaussian noise with the standard deviation of its formula's error is added to its
        last activation. A formula whose error does no less harm than noise misses what matters.
    together_at_every_step, together_at_last_step
        All explained neurons hold their formulas.
    rest_group_means
        All explained neurons hold their formulas after the last step, and every other neuron its
        mean over inputs with the same two largest positions.
    rest_means
        The same, with every other neuron at its mean over all inputs.
    features_alone
        The same, with every other neuron at zero.
    rest_alone
        The explained neurons hold their means over all inputs; the others are unchanged.
    all_group_means
        Every neuron holds its mean over inputs with the same two largest positions.
    """

    intact: float
    std: float
    one_at_every_step: dict[int, float]
    one_at_last_step: dict[int, float]
    one_with_noise: dict[int, float]
    together_at_every_step: float
    together_at_last_step: float
    rest_group_means: float
    rest_means: float
    features_alone: float
    rest_alone: float
    all_group_means: float


def survival(sample: Sample, features: Mapping[int, Feature], seed: int) -> Survival:
    """Measure the accuracies that remain when neurons hold what their formulas say.

    ``seed`` is the seed of the noise with which formulas are compared.
    """
    held = {i: _held(sample, f) for i, f in features.items()}
    formulas = _with(sample, held, "last step")
    explained = list(held)
    rest = np.setdiff1d(np.arange(sample.last.shape[1]), explained)
    mean, group_means = sample.last.mean(axis=0), sample.group_means()

    def one_by_one(when: When) -> dict[int, float]:
        return {i: sample.accuracy(_with(sample, {i: h}, when)) for i, h in held.items()}

    def rest_at(values: NDArray[np.float64]) -> float:
        last = formulas.copy()
        last[:, rest] = np.broadcast_to(values, last.shape)[:, rest]
        return sample.accuracy(last)

    rng = np.random.default_rng(seed)
    one_with_noise = {}
    for i in held:
        last = sample.last.copy()
        size = np.std(formulas[:, i] - last[:, i])
        last[:, i] += size * rng.standard_normal(len(last))
        one_with_noise[i] = sample.accuracy(last)

    rest_alone = sample.last.copy()
    rest_alone[:, explained] = mean[explained]
    intact = sample.accuracy(sample.last)
    return Survival(
        intact=intact,
        std=float(np.sqrt(intact * (1 - intact) / len(sample.x))),
        one_at_every_step=one_by_one("every step"),
        one_at_last_step=one_by_one("last step"),
        one_with_noise=one_with_noise,
        together_at_every_step=sample.accuracy(_with(sample, held, "every step")),
        together_at_last_step=sample.accuracy(formulas),
        rest_group_means=rest_at(group_means),
        rest_means=rest_at(mean),
        features_alone=rest_at(np.zeros_like(mean)),
        rest_alone=sample.accuracy(rest_alone),
        all_group_means=sample.accuracy(group_means),
    )


def answers_carried(sample: Sample, by: Literal["zero", "mean"]) -> NDArray[np.float64]:
    """Loss of accuracy, by neuron and right answer, if the readout loses that neuron.

    Entry (i, a) is the accuracy on inputs whose right answer is position a, minus the accuracy with
    the last activation of neuron i at zero, or at its mean over all inputs; it is 0 if there is no
    such input. Shape (hidden_size, seq_len).
    """
    w_oh, seq_len = sample.weights.w_oh, sample.x.shape[1]
    counts = np.bincount(sample.answer, minlength=seq_len)

    def right(logits: NDArray[np.float64]) -> NDArray[np.float64]:
        hits = sample.answer[logits.argmax(axis=1) == sample.answer]
        return np.bincount(hits, minlength=seq_len) / np.maximum(counts, 1)

    logits = sample.last @ w_oh.T
    intact = right(logits)
    falls = []
    for h, column in zip(sample.last.T, w_oh.T, strict=True):
        lost = h if by == "zero" else h - h.mean()
        falls.append(intact - right(logits - lost[:, None] * column))
    return np.array(falls)


@dataclass(frozen=True, eq=False)
class BinnedRate:
    """Error rate as a function of a quantity, in bins that hold equally many inputs.

    Attributes
    ----------
    edges
        Shape (n_bins + 1,).
    rate
        Shape (n_bins,).
    """

    edges: NDArray[np.float64]
    rate: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Errors:
    """Error rates of a model by position and by gap.

    Attributes
    ----------
    rate
        Error rate over all inputs.
    first_second
        Shape (seq_len, seq_len): error rate by positions of the largest and second-largest input;
        nan if there was none, as on the diagonal.
    second_third
        The same by positions of the second- and third-largest.
    answered_rank
        Shape (seq_len,): share of all inputs answered with the position of the largest,
        second-largest, third-largest input, and so on. The second entry is the accuracy.
    by_gap_to_first, by_gap_to_third
        Error rate by how far the second-largest input is below the largest, and above the
        third-largest.
    by_second
        Error rate by the value of the second-largest input.
    """

    rate: float
    first_second: NDArray[np.float64]
    second_third: NDArray[np.float64]
    answered_rank: NDArray[np.float64]
    by_gap_to_first: BinnedRate
    by_gap_to_third: BinnedRate
    by_second: BinnedRate


def errors(sample: Sample, n_bins: int = 20) -> Errors:
    """Measure error rates by position and by gap.

    Raises
    ------
    ValueError
        If inputs have fewer than three numbers, and hence no third-largest, or if there is no bin.
    """
    n_inputs, seq_len = sample.x.shape
    if seq_len < 3:
        raise ValueError(f"Errors are sorted by the third-largest input, got seq_len {seq_len}")
    if n_bins < 1:
        raise ValueError(f"n_bins must be at least 1, got {n_bins}")
    given, order = sample.given(sample.last), sample.order
    wrong = given != sample.answer
    first, second, third = np.take_along_axis(sample.x, order[:, :3], axis=1).T
    rank = (order == given[:, None]).argmax(axis=1)
    return Errors(
        rate=float(wrong.mean()),
        first_second=_by_pair(order[:, 0], order[:, 1], wrong, seq_len),
        second_third=_by_pair(order[:, 1], order[:, 2], wrong, seq_len),
        answered_rank=np.bincount(rank, minlength=seq_len) / n_inputs,
        by_gap_to_first=_by_quantile(first - second, wrong, n_bins),
        by_gap_to_third=_by_quantile(second - third, wrong, n_bins),
        by_second=_by_quantile(second, wrong, n_bins),
    )


def _by_pair(
    row: NDArray[np.intp], column: NDArray[np.intp], wrong: NDArray[np.bool_], seq_len: int
) -> NDArray[np.float64]:
    return error_rates(row * seq_len + column, wrong, seq_len**2).reshape(seq_len, seq_len)


def error_rates(
    place: NDArray[np.intp], wrong: NDArray[np.bool_], n_places: int
) -> NDArray[np.float64]:
    """Error rate at each place, shape (n_places,), nan where there was no input.

    ``place`` and ``wrong`` have shape (n_inputs,).
    """
    counts = np.bincount(place, minlength=n_places)
    errors_there = np.bincount(place[wrong], minlength=n_places)
    return np.where(counts > 0, errors_there / np.maximum(counts, 1), np.nan)


def _by_quantile(value: NDArray[np.float64], wrong: NDArray[np.bool_], n_bins: int) -> BinnedRate:
    edges = np.quantile(value, np.linspace(0, 1, n_bins + 1))
    place = np.searchsorted(edges[1:-1], value, side="right")
    counts = np.bincount(place, minlength=n_bins)
    errors_there = np.bincount(place[wrong], minlength=n_bins)
    return BinnedRate(edges, errors_there / np.maximum(counts, 1))
