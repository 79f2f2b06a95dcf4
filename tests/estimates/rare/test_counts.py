"""Counts of the compiled sampler against a forward pass by torch on the same inputs."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import poisson

import algzoo
from algzoo.estimates import sampling
from algzoo.estimates.rare import (
    count_events,
    event_of,
    names_largest,
    names_smallest,
    squared_error_above,
)
from algzoo.estimates.samplers.random_inputs import gaussian_inputs
from algzoo.zoo import zoo_2nd_argmax, zoo_median
from algzoo.zoo.streams import model_digest

N = 2**18 - 1000  # sixteen blocks, the last of them not whole


def inputs(n_inputs, seed):
    streams = [np.random.SeedSequence(seed, spawn_key=(block,)) for block in range(16)]
    blocks = [gaussian_inputs((n_inputs, 2**14), stream, np.float32) for stream in streams]
    return torch.as_tensor(np.concatenate(blocks, axis=1).T[:N]).double()


def lead(logits, of):
    """The logit of a position minus the largest other one."""
    own = logits.gather(1, of)[:, 0]
    return own - logits.scatter(1, of, -torch.inf).max(dim=1).values


@pytest.mark.parametrize(("d", "n"), [(2, 2), (4, 3), (16, 10)])
def test_counts_of_a_2nd_argmax_model(d, n):
    model = zoo_2nd_argmax(d, n)
    x = inputs(n, 3)
    with torch.no_grad():
        logits = zoo_2nd_argmax(d, n).double()(x)
    order = x.argsort(dim=1)
    margin = -lead(logits, order[:, -2:-1])
    largest = lead(logits, order[:, -1:])
    gap = x.gather(1, order[:, -1:])[:, 0] - x.gather(1, order[:, -2:-1])[:, 0]
    events = [
        *((event_of(model, t), margin > t) for t in (0.0, -2.0, 1e-9, 0.1, 8.0)),
        *((names_largest(model, g), (largest > 0) & (gap > g)) for g in (0.0, 0.01, 0.7)),
    ]
    if n > 2:
        smallest = lead(logits, order[:, :1])
        events += [(names_smallest(model, t), smallest > t) for t in (0.0, 0.1, 1.0)]
    expected = [int(happened.sum()) for _, happened in events]
    assert sum(count > 0 for count in expected) >= 5
    assert count_events([event for event, _ in events], N, 3) == expected


@pytest.mark.parametrize(("d", "n"), [(2, 2), (4, 5)])
def test_counts_of_a_median_model(d, n):
    model = zoo_median(d, n)
    x = inputs(n, 1)
    middle = x.sort(dim=1).values[:, (n - 1) // 2 : n // 2 + 1].mean(dim=1)
    with torch.no_grad():
        error = (zoo_median(d, n).double()(x)[:, 0] - middle) ** 2
    thresholds = [float(error.quantile(q)) for q in (0.5, 0.99, 0.9999)]
    expected = [int((error > threshold).sum()) for threshold in (0.0, *thresholds)]
    events = [squared_error_above(model, threshold) for threshold in (0.0, *thresholds)]
    assert count_events(events, N, 1) == expected


def test_models_are_counted_on_the_same_inputs_whatever_the_number_of_threads():
    models = [zoo_2nd_argmax(16, 10, seed=seed) for seed in (0, 2)]
    events = [
        event for model in models for event in (names_smallest(model, 0.0), names_largest(model, 1))
    ]
    together = count_events(events, 2**21 + 5, 0, workers=3)
    assert together == count_events(events, 2**21 + 5, 0)
    assert together[2:] == count_events(events[2:], 2**21 + 5, 0)
    assert len(set(together)) == 4


def test_inputs_are_those_of_sampling():
    model = zoo_2nd_argmax(16, 10).double()  # in which no input switches all neurons off
    errors = 1 - sampling(model, 100_000, seed=5).value
    assert count_events([event_of(model, 0.0)], 100_000, 5) == [round(errors * 100_000)]


def test_what_cannot_be_counted_is_refused():
    event = event_of(zoo_2nd_argmax(4, 3), 0.0)
    with pytest.raises(ValueError, match="the same number of inputs and the same number type"):
        count_events([event, event_of(zoo_2nd_argmax(2, 2), 0.0)], 100, 0)
    with pytest.raises(ValueError, match="the same number of inputs and the same number type"):
        count_events([event, event_of(zoo_2nd_argmax(4, 3).double(), 0.0)], 100, 0)
    with pytest.raises(ValueError, match="there is at least one"):
        count_events([], 100, 0)
    with pytest.raises(ValueError, match=r"in float32 or float64, not in torch\.float16"):
        count_events([event_of(zoo_2nd_argmax(4, 3).half(), 0.0)], 100, 0)
    with pytest.raises(ValueError, match="workers must be at least 1, got 0"):
        count_events([event], 100, 0, workers=0)
    with pytest.raises(ValueError, match="n_samples"):
        count_events([event], 0, 0)
    with pytest.raises(ValueError, match="seed"):
        count_events([event], 100, -1)


RECORD = json.loads((Path(algzoo.__file__).parent / "scoring/data/rare/counts.json").read_text())
MAKE = {"smallest named": names_smallest, "largest named": names_largest, "wrong answer": event_of}


def test_the_stored_counts_are_of_as_many_inputs_as_they_say():
    assert RECORD["n_samples"] == RECORD["seeds"] * 2**27 >= 10**9
    for of_model in RECORD["models"].values():
        for kind in MAKE:
            counts = [row["count"] for row in of_model["events"] if row["kind"] == kind]
            assert counts == sorted(counts, reverse=True)  # by increasing threshold
            assert counts[0] / RECORD["n_samples"] > 1e-4
            assert counts[-1] < counts[0] / 100


def test_the_stored_counts_agree_with_a_new_count():
    model, stored = zoo_2nd_argmax(16, 10), RECORD["models"]["zoo_2nd_argmax(16, 10)"]
    assert stored["digest"] == model_digest(model)
    rows = stored["events"]
    n = 2**21
    events = [MAKE[row["kind"]](model, row["threshold"]) for row in rows]
    for row, count in zip(rows, count_events(events, n, 10**6), strict=True):
        expected = row["count"] / RECORD["n_samples"] * n
        assert poisson.sf(count - 1, expected) > 1e-5
        assert poisson.cdf(count, expected) > 1e-5
