"""Tasks: probabilities from the weights, over the whole ladder; tuning apart from scoring."""

import json
import math

import numpy as np
import pytest

from algzoo.estimates.rare import naive
from algzoo.scoring.rare.tasks import (
    Handcrafted,
    Planted,
    RareTask,
    Trained,
    task_from,
    tasks,
    true_probability,
)
from algzoo.zoo.streams import model_digest


def named(name):
    [task] = [task for task in tasks() if task.name == name]
    return task


def bases(task):
    recipe = task.recipe
    return {recipe, recipe.base} if isinstance(recipe, Planted) else {recipe}


def test_tuning_and_scoring_share_no_model():
    tuning = {model_digest(one.event().model) for one in tasks("tuning")}
    scored = {model_digest(one.event().model) for one in tasks("scored")}
    assert not tuning & scored
    # Nor does a planted model of one side come from a model of the other.
    both = [set().union(*(bases(one) for one in tasks(role))) for role in ("tuning", "scored")]
    assert not both[0] & both[1]


def test_there_are_enough_tasks_and_their_names_differ():
    assert len({task.name for task in tasks()}) == len(tasks())
    assert 30 <= len(tasks("scored")) <= 60
    assert len(tasks("tuning")) >= 8
    assert {task.kind for task in tasks("scored")} == {task.kind for task in tasks()}


def test_probabilities_of_scored_tasks_are_a_ladder_down_to_1e_13():
    found = sorted(true_probability(task).value for task in tasks("scored"))
    exponents = {math.floor(math.log10(p)) for p in found}
    assert exponents >= set(range(-13, -2))
    assert found[-1] < 0.1


@pytest.mark.parametrize("name", ["M4,3 seed 0", "M8,3 seed 1", "lambda 10", "M6,3 seed 1"])
def test_a_truth_agrees_with_sampling(name):
    task = named(name)
    truth = true_probability(task)
    estimate = naive(task.event(), 400_000, seed=5)
    assert truth.std is None
    assert abs(estimate.value - truth.value) < 4.5 * math.sqrt(truth.value / 400_000)


def test_the_truth_of_a_large_squared_error_is_exact_and_agrees_with_sampling():
    recipe = Trained("median_4_3")
    task = RareTask("x", "median", recipe, 0.1, "scored", "squared error")
    truth = true_probability(task)
    estimate = naive(task.event(), 400_000, seed=5)
    assert truth.std is None
    assert abs(estimate.value - truth.value) < 4.5 * math.sqrt(truth.value / 400_000)


@pytest.mark.parametrize("name", ["lambda 100", "lambda 3000", "lambda 10000"])
def test_the_errors_of_the_lambda_family_are_those_of_the_running_network(name):
    """Their weights cancel. Inputs are drawn next to ties, with gaps of all sizes alike."""
    task = named(name)
    event, rng, n = task.event(), np.random.default_rng(1), 100_000
    least, greatest = -12, 0.5  # powers of ten
    total, variance = 0.0, 0.0
    for i, j in ((1, 0), (2, 0), (2, 1)):
        x = rng.standard_normal((n, 3))
        gap = 10 ** rng.uniform(least, greatest, n)
        x[:, i] = x[:, j] + gap * rng.choice([-1, 1], n)
        gap = np.abs(x[:, i] - x[:, j])  # as rounded
        is_least = np.abs(x - np.roll(x, 1, axis=1)).min(axis=1) >= gap
        density = 1 / (2 * gap * math.log(10) * (greatest - least))  # of x[i], given x[j]
        weight = np.exp(-(x[:, i] ** 2) / 2) / math.sqrt(2 * math.pi) / density
        weight = np.where((event.score(x) > 0) & is_least, weight, 0.0)
        total, variance = total + weight.mean(), variance + weight.var() / n
    assert math.sqrt(variance) < 0.02 * total
    assert abs(total - true_probability(task).value) < 4 * math.sqrt(variance)


def test_a_planted_task_has_the_mass_that_was_asked_for():
    for mass in (1e-3, 1e-9, 1e-13):
        task = named(f"two inputs, loud cone {mass:g}")
        assert true_probability(task).value == pytest.approx(mass, rel=1e-6)


@pytest.mark.parametrize("task", tasks(), ids=lambda task: task.name)
def test_a_task_goes_through_json(task):
    assert task_from(json.loads(json.dumps(task.as_record()))) == task


def test_an_unknown_recipe_or_kind_is_refused():
    record = named("lambda 10").as_record()
    with pytest.raises(ValueError, match="there is no recipe 'Guessed' for a model; there are Tr"):
        task_from({**record, "recipe": {"made": "Guessed"}})
    with pytest.raises(ValueError, match="there is no kind of task 'dream'"):
        task_from({**record, "kind": "dream"})


def test_an_event_is_that_of_the_task():
    task = RareTask("x", "planted", Planted(Handcrafted(2), 1e-4, 5.0), 1.0, "scored")
    event = task.event()
    assert (event.threshold, event.dimension, event.model.hidden_size) == (1.0, 2, 5)
    # On the axis of the cone the margin is 5.
    assert event.score(np.array([[0.0, 1.0]])) == pytest.approx(4.0, abs=1e-9)
    trained = RareTask("y", "trained", Trained("2nd_argmax_2_2"), 0.0, "scored")
    assert trained.event().model.hidden_size == 2
