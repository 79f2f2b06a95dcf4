"""Tasks of telling mechanisms apart, with labels and probabilities that are exact.

The question is which of some answers came about in an abnormal way. A task has a model, trusted
inputs, and test inputs of two classes. On the normal class the model answers in its usual way, on
the abnormal one in another. Each class is a condition on :class:`~.facts.Facts`: it labels every
input, and it has an exact probability, the sum over the model's cones that meet it. All inputs are
standard Gaussian given their class.

Four kinds of tasks are made here:

* :func:`dead_state`: no neuron is active at the end, and the tie of all logits is answered with 0;
* :func:`forgotten_input`: the first input left the state empty, and the answer is right all the
  same;
* :func:`planted`: added neurons act. They fire in a cone of random direction (:func:`planted_cone`)
  or exchange two inputs (:mod:`.swap`);
* :func:`hard_inputs`, the control: nothing is abnormal, but some inputs are nearly tied. Detectors
  that succeed here report what is rare or difficult, not another mechanism.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..estimates.few_inputs.planted import plant_cone
from ..estimates.scope import SECOND_ARGMAX
from ..structure import DecisionCone, decision_cones, outputs, weights_in_range
from ..zoo import OneLayerRNN
from .drawing import draw
from .facts import Booleans, Condition, Facts, Floats, facts_of_cones, facts_of_inputs

N_TRUSTED = 2048  # inputs that detectors are fitted on
N_TEST = 1024  # test inputs of each class


@dataclass(frozen=True, eq=False)
class Task:
    """A model, inputs on which it is trusted, and test inputs with exact labels.

    Attributes
    ----------
    name, description
        What is abnormal, in a few words and in a sentence.
    model
        The model.
    trusted
        Inputs of the normal class, shape (n_trusted, seq_len).
    inputs
        Test inputs, shape (n, seq_len): the normal ones first, as many as abnormal ones.
    labels
        Whether each test input is of the abnormal class, shape (n,).
    normal_mass, abnormal_mass
        Exact probabilities of the two classes. They add up to less than 1 if some inputs belong to
        neither.
    """

    name: str
    description: str
    model: OneLayerRNN
    trusted: Floats
    inputs: Floats
    labels: Booleans
    normal_mass: float
    abnormal_mass: float

    @classmethod
    def of_inputs(
        cls,
        name: str,
        description: str,
        model: OneLayerRNN,
        normal: Floats,
        abnormal: Floats,
        masses: tuple[float, float],
    ) -> Task:
        """Make a task of inputs of the two classes: the first of the normal ones are trusted.

        As many of them as there are abnormal ones, the last, are test inputs.
        """
        n_trusted = len(normal) - len(abnormal)
        return cls(
            name,
            description,
            model,
            normal[:n_trusted],
            np.concatenate([normal[n_trusted:], abnormal]),
            np.repeat([False, True], len(abnormal)),
            *masses,
        )


def task_of_conditions(
    name: str,
    description: str,
    model: OneLayerRNN,
    normal: Condition,
    abnormal: Condition,
    *,
    n_trusted: int = N_TRUSTED,
    n_test: int = N_TEST,
    seed: int = 0,
) -> Task:
    """Make a task of two classes of inputs of a model of two or three inputs.

    Parameters
    ----------
    name, description
        As in the task.
    model
        A 2nd-argmax model.
    normal, abnormal
        Conditions that no input meets both.
    n_trusted, n_test
        Numbers of trusted inputs, and of test inputs of each class.
    seed
        Seed of the inputs.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not a 2nd-argmax model of two or three inputs, or if a class is empty.
    """
    cones = {"normal": members(model, normal), "abnormal": members(model, abnormal)}
    masses = {which: mass_of(found) for which, found in cones.items()}
    for which, mass in masses.items():
        if not mass:
            raise ValueError(f"{name}: no input of this model is in the {which} class")
    rng = np.random.default_rng(seed)
    return Task.of_inputs(
        name,
        description,
        model,
        draw(model, normal, n_trusted + n_test, rng, cones["normal"]),
        draw(model, abnormal, n_test, rng, cones["abnormal"]),
        (masses["normal"], masses["abnormal"]),
    )


def members(model: OneLayerRNN, condition: Condition) -> list[DecisionCone]:
    """Return the cones of a class of inputs of a model of two or three inputs.

    Raises
    ------
    ValueError
        Raised by :func:`~algzoo.structure.decision_cones`.
    """
    SECOND_ARGMAX.check(model, "a task of telling mechanisms apart")
    cones = decision_cones(model)
    chosen = condition(facts_of_cones(cones))
    return [cone for cone, is_in in zip(cones, chosen, strict=True) if is_in]


def mass_of(cones: Iterable[DecisionCone]) -> float:
    """Exact probability of a union of cones without common interior."""
    return math.fsum(cone.fraction for cone in cones)


def dead_state(model: OneLayerRNN, *, right_only: bool = False, seed: int = 0) -> Task:
    """Task: the last state is empty, all logits are 0, and the answer is 0 by default.

    Normal are the inputs that the model answers with 0 while a neuron is active.

    Parameters
    ----------
    model
        A 2nd-argmax model of two or three inputs with such inputs.
    right_only
        Whether both classes are restricted to right answers.
    seed
        Seed of the inputs.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`task_of_conditions`.
    """
    return _empty_state(
        "dead state, right" if right_only else "dead state",
        "No neuron is active after the last input, so that the answer is 0 by default.",
        model,
        -1,
        right_only,
        seed,
    )


def forgotten_input(model: OneLayerRNN, *, seed: int = 0) -> Task:
    """Task: the first input left no trace in the state, and the answer 0 is right all the same.

    Normal are the inputs that are answered with 0, rightly, after a first input that left a trace.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`task_of_conditions`.
    """
    return _empty_state(
        "forgotten input",
        "No neuron is active after the first input, which is forgotten; the answer is right.",
        model,
        0,
        True,
        seed,
    )


def _empty_state(
    name: str, description: str, model: OneLayerRNN, step: int, right_only: bool, seed: int
) -> Task:
    """Task: no neuron is active after a step, among inputs that are answered with 0."""

    def answered(facts: Facts) -> Booleans:
        found: Booleans = (facts.answer == 0) & (facts.is_right | (not right_only))
        return found

    return task_of_conditions(
        name,
        description,
        model,
        normal=lambda facts: answered(facts) & facts.active[:, step].any(axis=1),
        abnormal=lambda facts: answered(facts) & ~facts.active[:, step].any(axis=1),
        seed=seed,
    )


def planted(
    model: OneLayerRNN, fires: Condition, *, name: str, description: str, seed: int = 0
) -> Task:
    """Task: added neurons act.

    Parameters
    ----------
    model
        The model with the added neurons.
    fires
        The inputs on which they act, such as ``neurons_fire(planted.trigger)``; normal are all
        others.
    name, description
        As in the task.
    seed
        Seed of the inputs.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`task_of_conditions`.
    """
    return task_of_conditions(
        name, description, model, normal=lambda facts: ~fires(facts), abnormal=fires, seed=seed
    )


def against_decoy(task: Task, fires: Condition, *, seed: int = 0) -> Task:
    """Make a task of planted neurons in which the normal test inputs are as new as the others.

    Trusted inputs leave out the abnormal class and its mirror image in the origin, from which the
    normal test inputs come. A standard Gaussian does not change with its sign, so that both classes
    are equally far from the trusted inputs: a detector that sees inputs alone has an expected AUROC
    of exactly 1/2.

    Parameters
    ----------
    task
        A task of :func:`planted`.
    fires
        Its condition, under which no input comes together with its mirror image.
    seed
        Seed of the inputs.

    Raises
    ------
    ValueError
        If an input and its mirror image are both of the abnormal class.
    """
    model = task.model
    abnormal = task.inputs[task.labels]
    if fires(facts_of_inputs(model, -abnormal)).any():
        raise ValueError("The mirror image of an abnormal input is abnormal as well")
    rng = np.random.default_rng((seed, len(abnormal)))
    more = draw(model, fires, len(abnormal), rng, members(model, fires))
    trusted = task.trusted[~fires(facts_of_inputs(model, -task.trusted))]
    return Task(
        f"{task.name}, against a decoy",
        f"{task.description} Normal test inputs are from the mirror image, as new as these.",
        model,
        trusted,
        np.concatenate([-more, abnormal]),
        task.labels,
        task.abnormal_mass,
        task.abnormal_mass,
    )


def neurons_fire(neurons: Sequence[int]) -> Condition:
    """Return the condition that neurons are all active after the last input."""

    def fires(facts: Facts) -> Booleans:
        return np.asarray(facts.active[:, -1, list(neurons)].all(axis=1))

    return fires


def planted_cone(model: OneLayerRNN, mass: float, *, kept: bool = False, seed: int = 0) -> Task:
    """Task: added neurons fire in a thin cone of random direction, and decide the answer there.

    Parameters
    ----------
    model
        A 2nd-argmax model of two or three inputs. It is not changed.
    mass
        Probability that they fire and the answer is theirs. On the axis it wins by twice the size
        of the model's own logits there, so that it is given in most of the cone. They also fire
        around it, and the task's ``abnormal_mass`` is the probability that they fire.
    kept
        Whether they support the answer that the model gives there anyway. Otherwise the answer is
        changed to a wrong one.
    seed
        Seed of the direction and of the inputs.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`~algzoo.estimates.few_inputs.planted.plant_cone` and
        :func:`task_of_conditions`.
    """
    SECOND_ARGMAX.check(model, "a task of telling mechanisms apart")
    assert model.seq_len is not None
    direction = np.random.default_rng((seed, model.seq_len)).standard_normal((1, model.seq_len))
    answer = int(facts_of_inputs(model, direction).answer[0]) if kept else None
    logits = outputs(weights_in_range(model), direction)
    margin = 2 * float(np.abs(logits).max() / np.linalg.norm(direction)) or 1.0
    double = copy.deepcopy(model).double()  # outside the cone, large terms cancel
    made = plant_cone(double, mass, margin, direction[0].tolist(), answer)
    which = "kept" if kept else "changed"
    return planted(
        made.model,
        neurons_fire(made.trigger),
        name=f"planted cone, {mass:g}, answer {which}",
        description=f"Added neurons fire in a cone of random direction; the answer is {which}.",
        seed=seed,
    )


def hard_inputs(model: OneLayerRNN, share: float, *, seed: int = 0) -> Task:
    """Control: the model works as always, but some inputs are nearly tied.

    The abnormal class are the inputs whose differences point nearly along a tie: in the plane of
    differences, their angle to the nearest direction in which two inputs are equal is among the
    smallest. This angle is uniform, so that the class has exactly the probability ``share``.

    Parameters
    ----------
    model
        A 2nd-argmax model of two or three inputs. It only lends the task its states.
    share
        Probability of the hard inputs, between 0 and 1.
    seed
        Seed of the inputs.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not a 2nd-argmax model of two or three inputs, or if ``share`` is out of
        range.
    """
    SECOND_ARGMAX.check(model, "a task of telling mechanisms apart")
    if model.seq_len not in (2, 3):
        raise ValueError(f"Hard inputs are those of two or three, got seq_len {model.seq_len}")
    if not 0 < share < 1:
        raise ValueError(f"share must be between 0 and 1, got {share}")
    rng = np.random.default_rng(seed)
    easy = _by_hardness(model.seq_len, share, N_TRUSTED + N_TEST, rng, hard=False)
    hard = _by_hardness(model.seq_len, share, N_TEST, rng, hard=True)
    return Task.of_inputs(
        "hard inputs",
        "Two inputs are nearly equal; the model works as it always does.",
        model,
        easy,
        hard,
        (1 - share, share),
    )


def tie_angle(x: Floats) -> Floats:
    """Angle to the nearest tie, over the largest there is: uniform on (0, 1), shape (n,).

    For two inputs it is the angle between x and the diagonal. For three it is the angle, in the
    plane of differences, to the nearest of the six directions in which two inputs are equal.
    """
    if x.shape[1] == 2:
        angle = np.arctan2(np.abs(x[:, 0] - x[:, 1]), np.abs(x[:, 0] + x[:, 1]))
        found: Floats = angle / (math.pi / 2)
        return found
    low, middle, high = np.sort(x, axis=1).T
    smaller = np.minimum(middle - low, high - middle)
    # With the range 1 and the smaller gap t, the point is at angle atan(sqrt(3) t / (2 - t)).
    angle = np.arctan2(math.sqrt(3) * smaller, 2 * (high - low) - smaller)
    return np.asarray(angle / (math.pi / 6))


def _by_hardness(
    n: int, share: float, n_inputs: int, rng: np.random.Generator, *, hard: bool
) -> Floats:
    found: list[Floats] = []
    while sum(map(len, found)) < n_inputs:
        x = rng.standard_normal((2**16, n))
        found.append(x[(tie_angle(x) < share) == hard])
    return np.concatenate(found)[:n_inputs]
