r"""Tasks on 2nd-argmax models of any number of inputs, whose linear pieces are too many to list.

A planted wedge is the largest trigger whose probability is known all the same. It looks at the last
two inputs only: two neurons hold ReLU(x) and ReLU(-x) of the input before, and a third one is
ReLU(x' - k abs(x)), with x' the input that is read. After the last input it is active in a wedge of
the plane of the last two inputs, of angle 2 atan(1 / k), and so with probability atan(1 / k) / pi.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from ..estimates.few_inputs.planted_neurons import Trigger, with_trigger
from ..estimates.scope import SECOND_ARGMAX
from ..structure import outputs, weights_in_range
from ..zoo import Model
from .drawing import draw
from .facts import Floats, facts_of_inputs
from .tasks import N_TEST, N_TRUSTED, Task, neurons_fire

_LARGEST = 0.1
_N_MEASURED = 2**16  # inputs, at least, on which the threshold of nearly tied ones is found
_SPARE = 16  # inputs drawn in addition, because rounding may put some beside the wedge


def planted_wedge(
    model: Model, mass: float, *, answer: int | None = 0, seed: int = 0
) -> tuple[Task, int]:
    """Task: an added neuron fires in a wedge of the last two inputs, and decides the answer there.

    Parameters
    ----------
    model
        A 2nd-argmax model of at least two inputs. It is not changed.
    mass
        Probability that the neuron fires, at most 0.1.
    answer
        The logit that the neuron adds to, with twice the size of the model's own logits where all
        inputs but the last are 0. With None nothing reads the neuron: no answer changes, and
        detectors that find the wedge all the same report new activity, not another mechanism.
    seed
        Seed of the inputs.

    Returns
    -------
    Task
        The task. Its masses are exact, up to rounding.
    int
        The number of the neuron.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not a 2nd-argmax model, or if ``mass`` or ``answer`` is out of range.

    Examples
    --------
    >>> from algzoo.zoo import zoo_2nd_argmax
    >>> task, neuron = planted_wedge(zoo_2nd_argmax(16, 10), 0.01)
    >>> neuron, round(task.abnormal_mass, 12)
    (18, 0.01)
    """
    SECOND_ARGMAX.check(model, "a planted wedge")
    if not 0 < mass <= _LARGEST:
        raise ValueError(f"mass must be positive and at most {_LARGEST}, got {mass}")
    weights = weights_in_range(model)
    n = len(weights.w_oh)
    if answer is not None and answer not in range(n):
        raise ValueError(f"answer must be from 0 to {n - 1}, or None, got {answer}")
    slope = 1 / math.tan(math.pi * mass)
    trigger = Trigger()
    up, down = trigger.add(1.0), trigger.add(-1.0)
    added = trigger.add(1.0, {up: -slope, down: -slope})
    fires = len(weights.w_hi) + added
    gain = 0.0
    if answer is not None:
        trigger.value = {added: 1.0}
        last = np.zeros((1, n))
        last[0, -1] = 1.0
        gain = 2 * float(np.abs(outputs(weights, last)).max()) or 1.0
    made = with_trigger(weights, trigger, answer or 0, gain, torch.float64)
    acts = neurons_fire([fires])
    rng = np.random.default_rng(seed)
    normal = draw(made, lambda facts: ~acts(facts), N_TRUSTED + N_TEST, rng)
    abnormal = _in_wedge(n, mass, rng)
    abnormal = abnormal[acts(facts_of_inputs(made, abnormal))][:N_TEST]
    exact = math.atan(1 / slope) / math.pi
    task = Task.of_inputs(
        "planted wedge" if answer is not None else "planted wedge, idle",
        "An added neuron fires in a wedge of the last two inputs.",
        made,
        normal,
        abnormal,
        (1 - exact, exact),
    )
    return task, fires


def nearly_tied(model: Model, share: float, *, seed: int = 0) -> Task:
    """Control: the model works as always, but the second-largest input has a close neighbour.

    The abnormal class are the inputs in which the smaller gap next to the second-largest number, in
    units of the spread of the input, is among the smallest.

    Parameters
    ----------
    model
        A 2nd-argmax model of three inputs or more. It only lends the task its states.
    share
        Share of the hard inputs, from 0.001 to 0.5, among the random inputs on which the threshold
        is found. The probability of the class differs from it as shares of 2^16 inputs do.
    seed
        Seed of the inputs.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not a 2nd-argmax model of three inputs or more, or if ``share`` is out of
        range.
    """
    SECOND_ARGMAX.check(model, "a task of telling mechanisms apart")
    n = model.seq_len
    assert n is not None
    if n < 3:
        raise ValueError(f"Nearly tied inputs are of three numbers or more, got seq_len {n}")
    if not 0.001 <= share <= 0.5:
        raise ValueError(f"share must be between 0.001 and 0.5, got {share}")
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((max(_N_MEASURED, math.ceil(2 * N_TEST / share)), n))
    gap = smaller_gap(x)
    hard = gap < np.quantile(gap, share)
    easy = x[~hard][: N_TRUSTED + N_TEST]
    return Task.of_inputs(
        "nearly tied",
        "The second-largest number has a close neighbour; the model works as it always does.",
        model,  # type: ignore[arg-type]  # checked above
        easy,
        x[hard][:N_TEST],
        (1 - share, share),
    )


def smaller_gap(x: Floats) -> Floats:
    """Smaller gap next to the second-largest number, over the standard deviation, shape (n,)."""
    third, second, first = np.sort(x, axis=1)[:, -3:].T
    found: Floats = np.minimum(first - second, second - third) / x.std(axis=1)
    return found


def _in_wedge(n: int, mass: float, rng: np.random.Generator) -> Floats:
    """Draw inputs whose last two are in the wedge, shape (n_inputs, n)."""
    n_inputs = N_TEST + _SPARE
    angle = rng.uniform(-math.pi * mass, math.pi * mass, n_inputs)
    length = rng.rayleigh(size=n_inputs)
    x = rng.standard_normal((n_inputs, n))
    x[:, -2], x[:, -1] = length * np.sin(angle), length * np.cos(angle)
    return x


def share_changed(task: Task, other: Model) -> float:
    """Share of a task's abnormal test inputs whose answer differs from that of another model."""
    x = task.inputs[task.labels]
    changed = facts_of_inputs(task.model, x).answer != facts_of_inputs(other, x).answer
    return float(changed.mean())
