"""Anybody's method is called in a process of its own, and what it may not do is found out."""

import sys

import numpy as np
import pytest

from algzoo.estimates.rare import METHODS
from algzoo.scoring.compute.named import UnknownEstimator
from algzoo.scoring.rare import RareEntrant
from algzoo.scoring.rare.calls import Request, answers, job_of, rare_entrant_named
from algzoo.scoring.rare.tasks import tasks

MODULE = """
import os

from algzoo.estimates import Estimate
from algzoo.scoring.rare import RareEntrant

def constant(event, budget, seed):
    return Estimate(1e-5 * (1 + seed), budget, "never")

def greedy(event, budget, seed):
    import numpy as np
    event.score(np.zeros((budget, event.dimension)))
    event.score_and_gradient(np.zeros((1, event.dimension)))
    return Estimate(0.1, 10**9, "random inputs")

def stubborn(event, budget, seed):
    import numpy as np
    try:
        event.score(np.zeros((budget + 1, event.dimension)))
    except Exception:
        pass
    return Estimate(0.1, 10**9, "random inputs")

def secretive(event, budget, seed):
    import numpy as np
    event.readout.activations(np.zeros((7, event.dimension)))
    return Estimate(0.1, 10**9, "never")

def cheap(event, budget, seed):
    import numpy as np
    event.score(np.zeros((7, event.dimension)))
    return Estimate(0.1, 3, "chosen inputs")

def number(event, budget, seed):
    return 0.5

def certain(event, budget, seed):
    return Estimate(1.5, 1, "never")

def fails(event, budget, seed):
    raise RuntimeError("not today")

def ends(event, budget, seed):
    os._exit(3)

entry = RareEntrant("constant", constant, tuned_on="a guess")
what = 3
"""
TASK = tasks("scored")[0]
TUNED_ON = (
    "M3,2 seed 2, M3,2 seed 4, M5,2 seed 3, M5,3 seed 2, M6,3 seed 1, lambda 30, lambda 300, "
    "M5,2 seed 4 with a planted cone"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "theirs.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    sys.modules.pop("theirs", None)


def called(name, *requests, folder):
    entrant = rare_entrant_named(name)
    return answers(job_of(entrant), requests, path=[str(folder)], time_limit=30)


def test_a_book_method_gives_what_it_gives_here(tmp_path):
    requests = [Request(TASK, 512, seed) for seed in (0, 3)]
    found = called("naive", *requests, folder=tmp_path)
    for request, answer in zip(requests, found, strict=True):
        here = METHODS["naive"](TASK.event(), 512, request.seed)
        assert (answer.value, answer.operations, answer.hits) == (
            here.value,
            here.operations,
            here.hits,
        )


def test_methods_of_a_module(folder):
    found = called("theirs:entry", Request(TASK, 64, 0), Request(TASK, 64, 1), folder=folder)
    assert [answer.value for answer in found] == [1e-5, 2e-5]
    assert rare_entrant_named("theirs:entry").tuned_on == "a guess"
    assert rare_entrant_named("theirs:constant").tuned_on is None


def test_a_method_that_is_not_for_an_event_gives_nothing(folder):
    assert called("leaves of pairs", Request(TASK, 1024, 0), folder=folder) == [None]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("greedy", "asked for more than its budget of 64 forward passes"),
        ("stubborn", "asked for more than its budget of 64 forward passes"),
        ("secretive", "says that it never runs the network, and did so 7 times"),
        ("cheap", "its operations are 3, and its 7 forward passes alone take 112"),
        ("number", "returned 0.5, which is not an algzoo.estimates.Estimate"),
        ("certain", "its value 1.5 is no probability"),
        ("fails", "raised RuntimeError: not today (theirs.py, line"),
        ("ends", "ended its process with exit status 3"),
    ],
)
def test_what_is_no_estimate_is_said_with_the_task(folder, name, why):
    said = called(f"theirs:{name}", Request(TASK, 64, 2), folder=folder)
    assert said.startswith(f"on {TASK.name}, budget 64, seed 2: ")
    assert why in said


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nobody", "No estimator 'nobody': name a function as package.module:function, or one of"),
        ("theirs:what", "theirs:what is 3: it must be a function"),
        ("theirs:nothing", "theirs:nothing is not there"),
        ("nowhere:x", "Cannot import nowhere"),
        ("theirs.py:entry", "names a file: give a module, theirs:entry"),
    ],
)
def test_a_name_that_stands_for_nothing_is_refused(folder, name, why):
    with pytest.raises(UnknownEstimator) as caught:
        rare_entrant_named(name)
    assert why in str(caught.value)


def test_the_books_methods_say_what_they_were_tuned_on():
    for name, method in METHODS.items():
        entrant = RareEntrant.of(method)
        assert entrant.name == name
        assert entrant.tuned_on == (TUNED_ON if method.needs_temperature else "nothing")


def test_the_worked_method_is_right_for_a_known_event():
    # Phi(-4) of a half-space; the proposal is far from it, and yet has hits.
    import importlib.util
    from pathlib import Path

    from scipy.special import ndtr

    from algzoo.estimates.rare import half_space

    path = Path(__file__).resolve().parents[3] / "analyses/leaderboard/example/my_rare_method.py"
    spec = importlib.util.spec_from_file_location("my_rare_method", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = [module.wide(half_space([0.6, 0.8], 4.0), 2**14, seed).value for seed in range(20)]
    error = np.std(found, ddof=1) / np.sqrt(20)
    assert abs(np.mean(found) - ndtr(-4)) < 4 * error
    assert error < 0.05 * ndtr(-4)
