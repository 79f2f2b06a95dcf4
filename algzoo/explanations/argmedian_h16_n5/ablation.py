"""Error rates of an argmedian model, and what remains of it when neurons are replaced.

This is for argmedian what :mod:`algzoo.structure.features.ablation` is for 2nd argmax; its
:func:`~algzoo.structure.features.ablation.answers_carried` accepts the sample of this module.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ...structure.features.ablation import BinnedRate, Sample, error_rates
from .comparisons import Comparison


class ArgmedianSample(Sample):
    """Run of an argmedian model on Gaussian inputs."""

    task_name: ClassVar[str] = "argmedian"
    _needed: ClassVar[str] = "An argmedian model"

    @property
    def rank(self) -> int:
        """Number of inputs that are larger than the right answer."""
        n = int(self.x.shape[1])
        return n - 1 - n // 2

    @property
    def answer(self) -> NDArray[np.intp]:
        """Right answers, shape (n_inputs,)."""
        answers: NDArray[np.intp] = self.order[:, self.rank]
        return answers

    @property
    def group(self) -> NDArray[np.intp]:
        """Number of the pair (position of the median, of the next larger) of each input."""
        n = self.x.shape[1]
        numbers: NDArray[np.intp] = self.order[:, self.rank] * n + self.order[:, self.rank - 1]
        return numbers


@dataclass(frozen=True, eq=False)
class MedianErrors:
    """Error rates of an argmedian model by position and by gap.

    Attributes
    ----------
    rate
        Error rate over all inputs.
    by_position
        Shape (seq_len,): error rate by the position of the median.
    above, below
        Shape (seq_len, seq_len): error rate by the position of the median (row) and of the next
        larger or next smaller input (column); nan on the diagonal.
    answered_rank
        Shape (seq_len,): share of all inputs answered with the position of the largest,
        second-largest input, and so on.
    by_gap_above, by_gap_below
        Error rate by the distance of the median to the next larger, and to the next smaller input.
    by_nearest
        The same for the smaller of the two distances.
    """

    rate: float
    by_position: NDArray[np.float64]
    above: NDArray[np.float64]
    below: NDArray[np.float64]
    answered_rank: NDArray[np.float64]
    by_gap_above: BinnedRate
    by_gap_below: BinnedRate
    by_nearest: BinnedRate


def median_errors(sample: ArgmedianSample, n_bins: int = 20) -> MedianErrors:
    """Measure error rates by position of the median and by the gaps around it.

    Raises
    ------
    ValueError
        If inputs have fewer than three numbers, or if there is no bin.
    """
    n_inputs, n = sample.x.shape
    if n < 3:
        raise ValueError(f"A median between two others needs seq_len of at least 3, got {n}")
    if n_bins < 1:
        raise ValueError(f"n_bins must be at least 1, got {n_bins}")
    given, order, rank = sample.given(sample.last), sample.order, sample.rank
    wrong = given != sample.answer
    neighbours = order[:, rank - 1 : rank + 2]
    upper, middle, lower = np.take_along_axis(sample.x, neighbours, axis=1).T
    answered = (order == given[:, None]).argmax(axis=1)
    return MedianErrors(
        rate=float(wrong.mean()),
        by_position=error_rates(neighbours[:, 1], wrong, n),
        above=error_rates(neighbours[:, 1] * n + neighbours[:, 0], wrong, n**2).reshape(n, n),
        below=error_rates(neighbours[:, 1] * n + neighbours[:, 2], wrong, n**2).reshape(n, n),
        answered_rank=np.bincount(answered, minlength=n) / n_inputs,
        by_gap_above=_binned(upper - middle, wrong, n_bins),
        by_gap_below=_binned(middle - lower, wrong, n_bins),
        by_nearest=_binned(np.minimum(upper - middle, middle - lower), wrong, n_bins),
    )


@dataclass(frozen=True, eq=False)
class ComparisonSurvival:
    """Accuracies that remain when neurons hold plain comparisons after the last step.

    Attributes
    ----------
    intact
        Accuracy of the model.
    one
        By neuron: this neuron holds its comparison.
    one_with_noise
        By neuron: Gaussian noise with the standard deviation of that replacement's error is added
        to its activation. A comparison that does no less harm than noise misses what matters.
    together
        All neurons hold their comparisons.
    without
        All neurons hold their means instead.
    """

    intact: float
    one: dict[int, float]
    one_with_noise: dict[int, float]
    together: float
    without: float


def comparison_survival(
    sample: ArgmedianSample, comparisons: Iterable[Comparison], seed: int
) -> ComparisonSurvival:
    """Measure accuracies when neurons hold plain comparisons; ``seed`` is that of the noise."""
    rng = np.random.default_rng(seed)
    together, without = sample.last.copy(), sample.last.copy()
    one: dict[int, float] = {}
    one_with_noise: dict[int, float] = {}
    for comparison in comparisons:
        i, values = comparison.neuron, comparison.values(sample.x)
        actual = sample.last[:, i]
        noise = np.std(values - actual) * rng.standard_normal(len(actual))
        for found, put_in in ((one, values), (one_with_noise, actual + noise)):
            last = sample.last.copy()
            last[:, i] = put_in
            found[i] = sample.accuracy(last)
        together[:, i], without[:, i] = values, actual.mean()
    return ComparisonSurvival(
        intact=sample.accuracy(sample.last),
        one=one,
        one_with_noise=one_with_noise,
        together=sample.accuracy(together),
        without=sample.accuracy(without),
    )


def _binned(value: NDArray[np.float64], wrong: NDArray[np.bool_], n_bins: int) -> BinnedRate:
    """Error rate in bins that hold equally many inputs."""
    edges = np.quantile(value, np.linspace(0, 1, n_bins + 1))
    place = np.searchsorted(edges[1:-1], value, side="right")
    return BinnedRate(edges, error_rates(place, wrong, n_bins))
