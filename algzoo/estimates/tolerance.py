"""Score of any model to a stated standard error, by the fastest method on this machine.

The result is exact where an exact method is known. Otherwise each method that applies is tried on a
few inputs, and the one that is expected to need the fewest seconds is continued. The methods are

* :func:`.iid.sampling`, for every model;
* the cubature rules :mod:`.pair_leaves` and :mod:`.folded_classes` for recurrent 2nd-argmax models
  of at least four inputs, and the second for argmedian models; their standard error is that of a
  mean over independent scrambles.

For tolerances of at least 1e-6, most of the leaves of pairs are computed in single precision, which
changes their mean by less than 1e-7 (:mod:`.many_inputs.last_input_float32`).

The result depends on the machine only because another method may be the fastest there. For one
method and one seed it does not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Protocol

import numpy as np
import torch

from ..structure import weights_in_range
from ..zoo import DistTransformer, Model, check_model
from ..zoo.model_check import check_can_be_run, is_plain
from ..zoo.streams import named_stream
from ._exact import exact
from .estimate import check_draws
from .many_inputs.exact_last_input import Batch, operations_of_walks, total_of
from .many_inputs.folded_classes import FOLDED, clustering_for, folded_classes_stream
from .many_inputs.pair_leaves import PAIRS, pair_leaves_stream
from .samplers.iid import sampling

_SCRAMBLES = 16  # least number of independent scrambles of one rule
_GAIN = 1.2  # the mean squared error of a rule falls at least like points ** -_GAIN
_MORE_SCRAMBLES = 1.8  # up to this factor in cost scrambles are added, beyond it points
_PILOT_BATCHES = 2
_PILOT_SAMPLES = 2**14
_SAMPLES_AT_A_TIME = 2**22
_LEAST_SAMPLED = 1e-12  # standard error; below it the rounding of doubles is larger
_MOST_FUNCTIONS = 2**20  # up to this number, the inputs of a longest-cycle model are enumerated

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Accuracy:
    """Score with its standard error and its cost.

    Attributes
    ----------
    value
        Accuracy; for median models the mean squared error.
    std
        Standard error; 0 if the score is exact.
    method
        ``"exact"``, ``"random inputs"``, ``"leaves of pairs"`` or ``"folded classes"``.
    operations
        Operations of the estimate, without the trials; their prices are
        :data:`~algzoo.estimates.PRICES`. For the leaves of pairs they are those of the walk that
        counts, which every scramble takes for its first batch; the other batches are taken to cost
        the same.
    seconds
        Wall time of everything, including the trials.
    """

    value: float
    std: float
    method: str
    operations: int
    seconds: float


def _silent(share: float) -> None:
    """Ignore the progress."""


def accuracy(
    model: Model, tolerance: float = 1e-4, *, seed: int = 0, progress: Progress = _silent
) -> Accuracy:
    """Score a model (accuracy, or mean squared error) to a standard error of at most ``tolerance``.

    Parameters
    ----------
    model
        Any model of this package.
    tolerance
        Largest standard error; for median models, of the mean squared error.
    seed
        Seed of the random inputs and scrambles.
    progress
        Function that is called now and then with the share of the work that is done.

    Returns
    -------
    Accuracy
        The score, its standard error, the method and the cost.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`~algzoo.estimates.samplers.iid.sampling`, or if ``tolerance`` is not
        positive, or below 1e-12 where no exact method is known.

    Examples
    --------
    >>> from algzoo import zoo_2nd_argmax
    >>> result = accuracy(zoo_2nd_argmax(2, 3))
    >>> print(f"{result.value:.4f}, {result.method}")
    0.4102, exact
    >>> accuracy(zoo_2nd_argmax(2, 4), tolerance=0.01).std <= 0.01
    True
    """
    _check_arguments(tolerance, seed)
    begin = time.perf_counter()
    found = _exact(model, tolerance)
    if found is None:
        found = _soonest(_methods(model, tolerance, seed), tolerance).run(tolerance, progress)
    progress(1.0)
    value, std, method, operations = found
    return Accuracy(value, std, method, operations, time.perf_counter() - begin)


def side_by_side(model: Model, tolerance: float = 1e-4, *, seed: int = 0) -> list[Accuracy]:
    """Run every method of :func:`accuracy` except the exact one on a model, one after the other.

    Random inputs come first. Every method runs with one thread, the most that the rules can use.
    The seconds of a method include its trial, but not the time to compile it. The parameters are
    those of :func:`accuracy`.

    Raises
    ------
    TypeError, ValueError
        Under the same conditions as :func:`accuracy`.
    """
    _check_arguments(tolerance, seed)
    check_can_be_run(model)
    found = []
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for method in _methods(model, tolerance, seed):
            method.seconds_for(tolerance)  # compiles it
        for method in _methods(model, tolerance, seed):
            begin = time.perf_counter()
            method.seconds_for(tolerance)  # ``run`` goes on from this trial, so that it is timed
            value, std, name, operations = method.run(tolerance, _silent)
            found.append(Accuracy(value, std, name, operations, time.perf_counter() - begin))
    finally:
        torch.set_num_threads(n_threads)
    return found


def _check_arguments(tolerance: float, seed: int) -> None:
    if not tolerance > 0:
        raise ValueError(f"tolerance must be positive, got {tolerance}")
    check_draws(1, seed)


_Found = tuple[float, float, str, int]


def _exact(model: Model, tolerance: float) -> _Found | None:
    """Return the exact score if there is one; enumerate many functions only to save samples."""
    if not is_plain(model):
        return None
    check_model(model)
    if isinstance(model, DistTransformer) and model.input_range == model.seq_len:
        functions = model.input_range**model.seq_len
        if functions > _MOST_FUNCTIONS and functions * tolerance**2 > 1 / 4:
            return None
    try:
        estimate = exact(model)
    except ValueError:
        return None
    return estimate.value, estimate.std or 0.0, "exact", estimate.operations


class _Method(Protocol):
    def seconds_for(self, tolerance: float) -> float:
        """Predict how long the method will take, from a short trial."""

    def run(self, tolerance: float, progress: Progress) -> _Found:
        """Compute the score."""


def _methods(model: Model, tolerance: float, seed: int) -> list[_Method]:
    if tolerance < _LEAST_SAMPLED:
        raise ValueError(
            f"no exact method is known for this model, so that tolerance must be at least "
            f"{_LEAST_SAMPLED:g}, got {tolerance:g}"
        )
    methods: list[_Method] = [_Sampling(model, seed)]
    if not is_plain(model):
        return methods
    if PAIRS.takes(model):
        leaves = partial(pair_leaves_stream, weights_in_range(model), tolerance=tolerance)
        methods.append(_Rule("leaves of pairs", model, leaves, seed))
    if FOLDED.takes(model):
        folded = partial(folded_classes_stream, model, clustering=clustering_for(model))
        methods.append(_Rule("folded classes", model, folded, seed))
    return methods


def _soonest(methods: list[_Method], tolerance: float) -> _Method:
    if len(methods) == 1:
        return methods[0]
    return min(methods, key=lambda method: method.seconds_for(tolerance))


class _Sampling:
    """Random inputs."""

    def __init__(self, model: Model, seed: int) -> None:
        self.model = model
        self.seeds = (
            int(child.generate_state(1)[0])
            for child in _endless(named_stream("accuracy, random inputs", seed))
        )

    def seconds_for(self, tolerance: float) -> float:
        sampling(self.model, 1, 0)  # the code is compiled before it is timed
        start = time.perf_counter()
        pilot = sampling(self.model, _PILOT_SAMPLES, next(self.seeds))
        assert pilot.std is not None
        return (time.perf_counter() - start) * (pilot.std / tolerance) ** 2

    def run(self, tolerance: float, progress: Progress) -> _Found:
        total, squares, n_done, operations = 0.0, 0.0, 0, 0
        size = _PILOT_SAMPLES
        while True:
            part = sampling(self.model, size, next(self.seeds))
            assert part.std is not None
            total += size * part.value
            squares += (size * part.std) ** 2
            n_done += size
            operations += part.operations
            std = math.sqrt(squares) / n_done
            if std <= tolerance:
                return total / n_done, std, "random inputs", operations
            missing = n_done * ((std / tolerance) ** 2 - 1)
            progress(n_done / (n_done + missing))
            size = min(math.ceil(1.01 * missing) + 1, _SAMPLES_AT_A_TIME, 8 * n_done)


class _Replicate:
    """One scramble of a rule, as far as it has been computed."""

    def __init__(self, stream: Iterator[Batch]) -> None:
        self.stream = stream
        self.so_far = next(stream)
        self.n_batches = 1

    def go_on_to(self, n_batches: int) -> None:
        """Process further batches, up to ``n_batches`` in all."""
        more = list(islice(self.stream, n_batches - self.n_batches))
        totals, passes, events = zip(self.so_far, *more, strict=True)
        self.so_far = Batch(math.fsum(totals), sum(passes), total_of(*events))
        self.n_batches = n_batches

    @property
    def value(self) -> float:
        """Estimate of this scramble."""
        return float(self.so_far.total) / self.so_far.events.walks


class _Rule:
    """Cubature rule, averaged over scrambles."""

    def __init__(
        self, name: str, model: Model, stream: Callable[[int], Iterator[Batch]], seed: int
    ) -> None:
        self.name = name
        self.weights = weights_in_range(model)
        self.stream = stream
        self.seeds = (
            int(child.generate_state(1)[0])
            for child in _endless(named_stream(f"accuracy, {name}", seed))
        )
        self.replicates: list[_Replicate] = []
        self.n_batches = 0

    def _go_on_to(self, n_batches: int, n_scrambles: int, progress: Progress) -> None:
        self.n_batches = n_batches
        while len(self.replicates) < n_scrambles:
            self.replicates.append(_Replicate(self.stream(next(self.seeds))))
        for number, replicate in enumerate(self.replicates):
            replicate.go_on_to(n_batches)
            progress(number / n_scrambles)

    def _mean(self) -> tuple[float, float]:
        values = np.array([replicate.value for replicate in self.replicates])
        return float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values))

    def seconds_for(self, tolerance: float) -> float:
        next(self.stream(0))  # the code is compiled before it is timed
        start = time.perf_counter()
        self._go_on_to(_PILOT_BATCHES, _SCRAMBLES, _silent)
        _, std = self._mean()
        factor: float = max((std / tolerance) ** 2, 1.0) ** (1 / _GAIN)
        return (time.perf_counter() - start) * factor

    def run(self, tolerance: float, progress: Progress) -> _Found:
        self._go_on_to(max(self.n_batches, 1), _SCRAMBLES, _silent)
        while True:
            value, std = self._mean()
            if std <= tolerance:
                break
            excess = (std / tolerance) ** 2
            done = excess ** (-1 / _GAIN)
            within = partial(_part_of, progress, done)
            n_scrambles = len(self.replicates)
            if excess <= _MORE_SCRAMBLES:
                # Half of what seems to be missing, as the error of few scrambles is uncertain.
                more = math.ceil(n_scrambles * (excess - 1) / 2)
                self._go_on_to(self.n_batches, n_scrambles + more, within)
            else:
                self._go_on_to(2 * self.n_batches, n_scrambles, within)
        batches = [replicate.so_far for replicate in self.replicates]
        events = total_of(*(batch.events for batch in batches))
        passes = sum(batch.passes for batch in batches)
        operations = passes + operations_of_walks(self.weights, events)
        return min(max(value, 0.0), 1.0), std, self.name, operations


def _part_of(progress: Progress, done: float, share: float) -> None:
    """Report the progress of a stage that may at most double what is done."""
    progress(min(done * (1 + share), 0.99))


def _endless(stream: np.random.SeedSequence) -> Iterator[np.random.SeedSequence]:
    while True:
        yield from stream.spawn(1)
