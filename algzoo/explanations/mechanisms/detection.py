"""All detectors on all tasks of the chapter, each task beside its controls.

There are two kinds of controls. On *hard inputs* nothing is abnormal, but two inputs are nearly
equal. An *idle twin* of a planted task has the same inputs, labels and added neurons, but nothing
reads these neurons, so that all answers are those of the untampered model.

A detector *tells the mechanisms of a task apart* if its AUROC is above 1/2 and above that on each
of the controls, with intervals that do not overlap. Where it is as high on a control, it reports
what is rare, difficult or new, but not another mechanism.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ...mechanisms import (
    Detector,
    Performance,
    Statement,
    Task,
    against_decoy,
    dead_state,
    detectors,
    forgotten_input,
    hard_inputs,
    ledger_detector,
    performance,
    plant_swap,
    planted,
    planted_cone,
)
from ...mechanisms.facts import Floats
from ...zoo import OneLayerRNN
from .statements import m22_statements, m43_statements

HARD_43, HARD_22 = "hard inputs, M4,3", "hard inputs, M2,2"
_SHARE = 0.1  # of hard inputs
_DECOY = 1e-3  # mass of the swap that is tried against a decoy
_DIGITS = 9  # scores that agree to so many count as equal


@dataclass(frozen=True, eq=False)
class Case:
    """Task with the explanation that judges it, and its place in the table.

    Attributes
    ----------
    name
        Short name.
    task
        The task.
    explained
        The model that is explained.
    statements
        Statements of its explanation.
    controls
        Names of the controls that it is compared with; none for the controls themselves.
    """

    name: str
    task: Task
    explained: OneLayerRNN
    statements: Sequence[Statement]
    controls: tuple[str, ...] = ()


def cases(m43: OneLayerRNN, m22: OneLayerRNN, poor: OneLayerRNN) -> list[Case]:
    """Make the tasks of the chapter: natural ones, planted ones from loud to quiet, and controls.

    Parameters
    ----------
    m43
        The M4,3 that is explained and tampered with.
    m22
        The M2,2 that is explained.
    poor
        A seed of M2,2 that forgets some first inputs.

    Raises
    ------
    TypeError, ValueError
        If a model has no such inputs, or is of another size.
    """
    of_m43, of_m22 = (m43, m43_statements(m43)), (m22, m22_statements(m22))
    tasks = [
        Case("forgotten input", forgotten_input(poor), *of_m22, (HARD_22,)),
        Case("dead cell", dead_state(m43, right_only=True), *of_m43, (HARD_43,)),
    ]
    twins = []
    for name, task, idle in _planted(m43):
        twins.append(Case(f"{name}, idle", replace(task, model=idle), *of_m43))
        tasks.append(Case(name, task, *of_m43, (HARD_43, twins[-1].name)))
    return [
        *tasks,
        *twins,
        Case(HARD_43, hard_inputs(m43, _SHARE), *of_m43),
        Case(HARD_22, hard_inputs(poor, _SHARE), *of_m22),
    ]


def _planted(model: OneLayerRNN) -> Iterator[tuple[str, Task, OneLayerRNN]]:
    """Planted tasks by name, each with the model in which nothing reads the added neurons."""
    for mass, kept in ((1e-1, False), (1e-3, False), (1e-3, True)):
        task = planted_cone(model, mass, kept=kept)
        idle = copy.deepcopy(task.model)
        with torch.no_grad():
            idle.linear.weight[:, model.hidden_size :] = 0
        yield f"cone {mass:g}, answer {'kept' if kept else 'changed'}", task, idle
    for mass in (1e-1, 1e-2, 1e-3, 1e-4):
        made = plant_swap(model, mass)
        task = planted(made.model, made.acts, name="swap", description="Inputs are exchanged.")
        yield f"swap {mass:g}", task, made.idle
        if mass == _DECOY:
            yield f"swap {mass:g}, decoy", against_decoy(task, made.acts), made.idle


def judges(case: Case) -> list[Detector]:
    """Return the detectors of the literature, then those that use the explanation of a case.

    The last statement of each explanation says which neurons the logits are those of. It is most
    of what a ledger knows about tampering, so that the ledger is also tried without it.
    """
    explained, statements = case.explained, case.statements
    found = [*detectors(), ledger_detector([], explained, "piece")]
    for some, ending in ((statements, ""), (statements[:-1], ", last statement left out")):
        for counted in ("checks", "both"):
            one = ledger_detector(some, explained, counted)
            found.append(replace(one, name=one.name + ending))
    return found


@dataclass(frozen=True)
class Scored:
    """A detector's performance on every task, by the name of the case."""

    name: str
    sees: str
    on: Mapping[str, Performance]

    @property
    def label(self) -> str:
        """Name and view."""
        return self.name if self.sees == "explanation" else f"{self.name}, {self.sees}"

    def lead(self, case: Case) -> float:
        """By how much the interval on a task is above 1/2 and those on its controls."""
        others = [self.on[name].auroc.high for name in case.controls]
        return self.on[case.name].auroc.low - max(0.5, *others)

    def told_apart(self, made: Iterable[Case]) -> list[str]:
        """Names of the tasks whose mechanisms the detector tells apart, beyond their controls."""
        return [case.name for case in made if case.controls and self.lead(case) > 0]

    def worst(self, made: Iterable[Case]) -> str:
        """Name of the task with the lowest AUROC, controls apart."""
        names = [case.name for case in made if case.controls]
        return min(names, key=lambda name: self.on[name].auroc.value)


def scored(made: Sequence[Case], judges: Callable[[Case], list[Detector]] = judges) -> list[Scored]:
    """Measure detectors on cases, by default all of them; 20 seconds on one core.

    Cases of one explained model are judged by the same detectors.
    """
    found: dict[tuple[str, str], dict[str, Performance]] = {}
    known: dict[OneLayerRNN, list[Detector]] = {}
    for case in made:
        task = case.task
        if case.explained not in known:
            known[case.explained] = judges(case)
        for one in known[case.explained]:
            scores = without_noise(one.fit(task.model, task.trusted)(task.inputs))
            measured = performance(scores, task.labels)
            found.setdefault((one.name, one.sees), {})[case.name] = measured
    return [Scored(name, sees, on) for (name, sees), on in found.items()]


def without_noise(scores: Floats) -> Floats:
    """Round each score to nine digits, so that what is equal in theory is equal.

    Otherwise rows that are equal, such as the states of all inputs in the dead cell, differ by
    rounding, and their order, another one on every machine, changes the average precision.
    """
    sizes = np.abs(scores)
    unit = 10.0 ** (np.floor(np.log10(np.where(sizes > 0, sizes, 1.0))) + 1 - _DIGITS)
    rounded: Floats = np.round(scores / unit) * unit
    return rounded
