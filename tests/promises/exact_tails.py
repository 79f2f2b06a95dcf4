"""Compare exact probabilities of rare errors with 10^9 samples in double precision.

    .venv/bin/python tests/promises/exact_tails.py      # five minutes of one core
    .venv/bin/python tests/promises/exact_tails.py 1e7  # fewer samples; the suite takes 10^6
    .venv/bin/python tests/promises/exact_tails.py --record  # and put the scores into runs.jsonl

An event is an error by more than a threshold, or one while a planted trigger fires. A line an
event: its exact probability, the share of the samples, and their difference in standard errors.
Exit status 1 if one is beyond 4 standard errors. All events have probabilities above 1e-6.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from typing import NamedTuple

import numba
import numpy as np

from algzoo.estimates import Planted, margin_tail, plant_cone
from algzoo.structure import weights_of
from algzoo.zoo import DistRNN, zoo_2nd_argmax

BLOCK = 1000  # inputs; all states of a block fit into the processor's cache


class Event(NamedTuple):
    """An error by more than a threshold, with what is to be active and answered besides."""

    model: DistRNN
    name: str
    thresholds: list[float]
    neurons: tuple[int, ...] = ()
    answer: int | None = None

    def exact(self) -> list[float]:
        """Exact probabilities, one a threshold."""
        return [
            margin_tail(self.model, threshold, neurons=self.neurons, answer=self.answer)
            for threshold in self.thresholds
        ]

    def counts(self, n_samples: int, seed: int) -> list[int]:
        """How many samples are in the event, one number a threshold."""
        weights = [np.ascontiguousarray(matrix) for matrix in weights_of(self.model)]
        generator = np.random.default_rng(seed)
        levels, neurons = np.array(self.thresholds), np.array(self.neurons, np.int64)
        answer = -1 if self.answer is None else self.answer
        total = np.zeros(len(levels), np.int64)
        for start in range(0, n_samples, BLOCK):
            shape = (self.model.seq_len, min(BLOCK, n_samples - start))
            x = generator.standard_normal(shape)
            total += _count(*weights, x, levels, neurons, answer)
        return total.tolist()


@numba.njit
def _count(w_hi, w_hh, w_oh, x, levels, neurons, answer):  # type: ignore[no-untyped-def]
    """Count the inputs of a block, shape (n, block), that are in the event."""
    counts = np.zeros(len(levels), np.int64)
    d, (n, size) = len(w_hi), x.shape
    state, drive, logits = np.zeros((d, size)), np.empty((d, size)), np.zeros((n, size))
    for t in range(n):
        for j in range(d):
            for i in range(size):
                drive[j, i] = w_hi[j] * x[t, i]
            for k in range(d):
                if w_hh[j, k] != 0:
                    for i in range(size):
                        drive[j, i] += w_hh[j, k] * state[k, i]
        for j in range(d):
            for i in range(size):
                state[j, i] = max(drive[j, i], 0.0)
    for k in range(n):
        for j in range(d):
            if w_oh[k, j] != 0:
                for i in range(size):
                    logits[k, i] += w_oh[k, j] * state[j, i]
    for i in range(size):
        given, right = 0, 0
        for k in range(n):
            n_above = 0
            for m in range(n):
                n_above += x[m, i] > x[k, i]
            if n_above == 1:
                right = k
            if logits[k, i] > logits[given, i]:
                given = k
        if given == right or (answer >= 0 and given != answer):
            continue
        fires = True
        for neuron in neurons:
            fires = fires and state[neuron, i] > 0
        if fires:
            for level in range(len(levels)):
                counts[level] += logits[given, i] - logits[right, i] > levels[level]
    return counts


def events() -> Iterator[Event]:
    """Yield trained models of two and three inputs, and what is planted in them."""
    two, three = zoo_2nd_argmax(2, 2), zoo_2nd_argmax(4, 3)
    yield Event(two, "trained (2, 2)", [0.0, 0.1, 0.3])
    yield Event(three, "trained (4, 3)", [0.0, 0.5, 5.0])
    yield _of_cone(plant_cone(two, 1e-4, 5.0, (0, -1)), "cone in (2, 2) around the last axis")
    yield _of_cone(plant_cone(two, 1e-5, 5.0, (1, -0.8)), "cone in (2, 2) around (1, -0.8)")
    yield _of_cone(plant_cone(three, 1e-4, 5.0), "cone in (4, 3) around the last axis")
    yield _of_cone(plant_cone(three, 1e-5, 5.0, (0, 1, 0.5)), "cone in (4, 3) around (0, 1, 0.5)")
    yield _of_cone(plant_cone(three, 1e-3, 5.0, (1, -2, 2)), "cone in (4, 3) around (1, -2, 2)")


def _of_cone(planted: Planted, name: str) -> Event:
    return Event(planted.model, name, [0.0, 1.0], planted.trigger, planted.answer)


def differences(n_samples: int) -> Iterator[tuple[str, float, float, float, float]]:
    """Yield name, threshold, exact probability, share of samples and standard errors between."""
    for seed, event in enumerate(events()):
        counts = event.counts(n_samples, seed)
        for threshold, exact, count in zip(event.thresholds, event.exact(), counts, strict=True):
            share = count / n_samples
            z = (share - exact) / math.sqrt(exact * (1 - exact) / n_samples)
            yield event.name, threshold, exact, share, z


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("samples", nargs="?", type=float, default=1e9)
    parser.add_argument("--record", action="store_true", help="append the scores to runs.jsonl")
    asked = parser.parse_args()
    scores = []
    for name, threshold, exact, share, z in differences(int(asked.samples)):
        print(f"{name:36} > {threshold:<4} {exact:.6e} {share:.6e} z = {z:+.2f}", flush=True)
        scores.append(z)
    if asked.record:
        import runs  # a module of this folder

        counts = {
            "samples": int(asked.samples),
            "events": len(scores),
            "z-scores from": float(min(scores)),
            "to": float(max(scores)),
        }
        runs.add("tests/promises/exact_tails.py", "", counts, arguments=sys.argv[1:])
    sys.exit(max(map(abs, scores)) > 4)


if __name__ == "__main__":
    main()
