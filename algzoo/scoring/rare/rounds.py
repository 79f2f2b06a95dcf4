"""Rounds of rare outputs: tasks with their true probabilities, budgets and seeds that never change.

A round is a file of this package, as those of :mod:`algzoo.scoring.compute.rounds` are. The digests
of the models in it tell when a model is made otherwise, and every entry names the digest of the
round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from ..compute.plain_json import plain_json
from ..compute.round_files import RARE, content_of, names_in, text_of
from .tasks import RareTask, TaskTruth


@dataclass(frozen=True)
class RareRound:
    """A round of rare outputs.

    Attributes
    ----------
    name
        Its name.
    about
        What it is for, in a sentence.
    ranked
        Whether entries are shown in the book; those of a round for trying are not.
    budgets
        Forward passes of an estimate; methods are scored at each of these.
    n_seeds
        Seeds of each task, from 0.
    tasks
        The tasks with their true probabilities.
    digest
        SHA-256 of its content.
    """

    name: str
    about: str
    ranked: bool
    budgets: tuple[int, ...]
    n_seeds: int
    tasks: tuple[TaskTruth, ...]
    digest: str


def rare_round_names() -> list[str]:
    """Names of the rounds of rare outputs in this package."""
    return names_in(RARE)


@cache
def rare_round_named(name: str) -> RareRound:
    """The round of that name.

    Raises
    ------
    ValueError
        If there is none; says which there are.
    """
    return rare_round_from(text_of(RARE, name))


def rare_round_from(text: str) -> RareRound:
    """Read the text of a round."""
    content, digest = content_of(text)
    tasks = tuple(TaskTruth.read(one) for one in content.pop("tasks"))
    budgets = tuple(content.pop("budgets"))
    return RareRound(**content, budgets=budgets, tasks=tasks, digest=digest)


def frozen_rare(
    name: str,
    about: str,
    tasks: Sequence[RareTask],
    *,
    ranked: bool,
    budgets: Sequence[int],
    n_seeds: int,
) -> str:
    """Text of a new round, with the true probabilities of the tasks; see :class:`RareRound`."""
    return plain_json(
        {
            "name": name,
            "about": about,
            "ranked": ranked,
            "budgets": list(budgets),
            "n_seeds": n_seeds,
            "tasks": [TaskTruth.of(task).as_record() for task in tasks],
        }
    )
