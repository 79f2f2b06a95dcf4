"""The tasks: rare events of models whose probabilities are known, from 1e-2 down to 1e-13.

A task names a model, by a recipe, and an event. Its true probability is computed from the stored
weights by :func:`true_probability`; none is typed. For ten inputs, where nothing exact is known, it
is a count among 10^9 inputs or more, with its standard error. The tasks are of these kinds:

* *trained*: a trained network errs. These are slivers at ties: the input is within a thin cone
  beside a boundary between two answers, and the wrong logit exceeds the right one by little.
* *trained, by a margin*: a wrong logit exceeds the right one by more than a threshold.
* *lambda family*: the handcrafted networks of three inputs err. These are slivers too, which become
  thinner as lambda grows.
* *planted*: a network errs in a thin cone that was added to it, by a margin that is large
  (*loud*) or small (*quiet*) compared with its logits.
* *ten inputs*: M16,10 errs by a margin, or names the smallest input, or the largest.
* *median*: the squared error of a median network is large. No such task is in the list below.

Settings of methods are chosen on the tuning tasks. No model is in both a tuning task and a scored
one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple, get_args

import torch

from ...estimates.few_inputs.margin_tail import margin_tail
from ...estimates.few_inputs.planted import plant_cone
from ...estimates.few_inputs.squared_error_tail import squared_error_tail
from ...estimates.rare import (
    ModelEvent,
    count_events,
    event_of,
    names_largest,
    names_smallest,
    squared_error_above,
)
from ...estimates.rare.event import EventScope
from ...estimates.rare.event import Kind as EventKind
from ...estimates.rare.exact import EXACT
from ...estimates.scope import Scope
from ...zoo import Model, handcrafted_2nd_argmax, load_model
from ...zoo.populations import ZooModel, base_named
from ...zoo.streams import model_digest
from ..compute.plain_json import rounded

TaskKind = Literal[
    "trained", "trained, by a margin", "lambda family", "planted", "ten inputs", "median"
]
Role = Literal["tuning", "scored"]

_SQUARED_ERROR = EventScope(("squared error",), Scope("median", inputs=(2, 3)))


@dataclass(frozen=True)
class Trained:
    """Bundled model, by its name ``family_hidden_seq_nseqs_seed``."""

    name: str

    def model(self) -> Model:
        """Load the model."""
        base = base_named(self.name)
        if not isinstance(base, ZooModel):
            return base
        return load_model(
            base.family, base.hidden_size, base.seq_len, n_seqs=base.n_seqs, seed=base.seed
        )


@dataclass(frozen=True)
class Handcrafted:
    """Handcrafted 2nd-argmax model in float64, of two inputs or of three with a lambda."""

    seq_len: int
    lam: float | None = None

    def model(self) -> Model:
        """Make the model."""
        return handcrafted_2nd_argmax(self.seq_len, lam=self.lam, dtype=torch.float64)


@dataclass(frozen=True)
class Planted:
    """A model with a cone planted into it; see :func:`.plant_cone`."""

    base: Trained | Handcrafted
    mass: float
    margin: float
    direction: tuple[float, ...] | None = None

    def model(self) -> Model:
        """Make the model."""
        return plant_cone(self.base.model(), self.mass, self.margin, self.direction).model


Recipe = Trained | Handcrafted | Planted
_RECIPES: dict[str, Callable[..., Recipe]] = {
    one.__name__: one for one in (Trained, Handcrafted, Planted)
}


class Probability(NamedTuple):
    """True probability of an event; ``std`` is its standard error, ``None`` if it is exact."""

    value: float
    std: float | None = None


@dataclass(frozen=True)
class RareTask:
    """A rare event of a model.

    Attributes
    ----------
    name
        Name of the task.
    kind
        The kind of task, as in the text at the top of this module.
    recipe
        How the model is made.
    threshold
        Threshold of the event, in its units.
    role
        Whether settings are chosen on it, or methods are scored on it.
    event_kind
        What the event is; see :class:`~algzoo.estimates.rare.ModelEvent`.
    """

    name: str
    kind: TaskKind
    recipe: Recipe
    threshold: float
    role: Role
    event_kind: EventKind = "wrong answer"

    def event(self) -> ModelEvent:
        """Make the event."""
        return _events[self.event_kind](_model(self.recipe), self.threshold)

    def as_record(self) -> dict[str, Any]:
        """Plain values, ready for JSON; :func:`task_from` reads them."""
        return {**asdict(self), "recipe": _record(self.recipe)}


_events: dict[EventKind, Callable[[Model, float], ModelEvent]] = {
    "wrong answer": event_of,
    "smallest named": names_smallest,
    "largest named": names_largest,
    "squared error": squared_error_above,
}


def true_probability(task: RareTask, n_samples: int | None = None, seed: int = 0) -> Probability:
    """Compute the probability of a task's event from the weights of its model.

    Parameters
    ----------
    task
        The task.
    n_samples, seed
        Number and seed of the inputs on which the event is counted if nothing exact is known, and
        no count of it is stored; without them, such events are refused.

    Raises
    ------
    ValueError
        If nothing exact is known and ``n_samples`` is absent, or the event is not for this model.
    """
    event = task.event()
    if EXACT.takes(event):
        return Probability(margin_tail(event.model, event.threshold))
    if _SQUARED_ERROR.takes(event):
        return Probability(squared_error_tail(event.model, event.threshold))
    found = _stored_count(event)
    if found is None:
        if n_samples is None:
            raise ValueError(
                f"no exact probability of the event {event.kind!r} of this model is known"
            )
        [count] = count_events([event], n_samples, seed)
        found = count, n_samples
    count, n_samples = found
    share = count / n_samples
    return Probability(share, math.sqrt(share * (1 - share) / n_samples))


def _stored_count(event: ModelEvent) -> tuple[int, int] | None:
    """How often the event happened on how many inputs, as ``tests/promises/rare_counts.py`` found.

    ``None`` if that does not count this event.
    """
    record = _counts()
    digest = model_digest(event.model)
    for model in record["models"].values():
        for row in model["events"]:
            if (model["digest"], row["kind"], row["threshold"]) == (
                digest,
                event.kind,
                event.threshold,
            ):
                return row["count"], record["n_samples"]
    return None


@cache
def _counts() -> dict[str, Any]:
    path = files("algzoo.scoring") / "data" / "rare" / "counts.json"
    record: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return record


@dataclass(frozen=True)
class TaskTruth:
    """A task with its true probability, to nine digits, and the digest of its model's weights."""

    task: RareTask
    truth: Probability
    digest: str

    @classmethod
    def of(cls, task: RareTask) -> TaskTruth:
        """Compute the probability."""
        value, std = true_probability(task)
        return cls(task, Probability(float(f"{value:.9g}"), std), model_digest(_model(task.recipe)))

    @property
    def in_six_digits(self) -> float:
        """The probability with as many digits as estimates are kept with.

        Losses are taken from it, so that an exact estimate has the loss 0.
        """
        return rounded(self.truth.value)

    def check_model(self) -> None:
        """Raise a ``ValueError`` unless the model has the weights of the digest."""
        if model_digest(_model(self.task.recipe)) != self.digest:
            raise ValueError(
                f"the model of {self.task.name!r} is not the one whose probability is stored: this "
                "version of the package, or of NumPy, makes another one"
            )

    def as_record(self) -> dict[str, Any]:
        """Plain values, ready for JSON; :meth:`read` reads them."""
        return {
            **self.task.as_record(),
            "truth": self.truth.value,
            "truth_std": self.truth.std,
            "digest": self.digest,
        }

    @classmethod
    def read(cls, record: dict[str, Any]) -> TaskTruth:
        """Read from plain values; errors as :func:`task_from`."""
        record = dict(record)
        truth = Probability(record.pop("truth"), record.pop("truth_std"))
        digest = record.pop("digest")
        return cls(task_from(record), truth, digest)


def task_from(record: dict[str, Any]) -> RareTask:
    """Read a task from plain values.

    Raises
    ------
    ValueError
        If its kind or its recipe is unknown.
    """
    if record["kind"] not in get_args(TaskKind):
        raise ValueError(f"there is no kind of task {record['kind']!r}")
    return RareTask(**{**record, "recipe": _recipe(record["recipe"])})


def _record(recipe: Recipe) -> dict[str, Any]:
    values = {
        name: _record(value) if isinstance(value, Recipe) else value
        for name, value in vars(recipe).items()
    }
    return {"made": type(recipe).__name__, **values}


def _recipe(record: dict[str, Any]) -> Recipe:
    values = {name: _value(value) for name, value in record.items()}
    made = values.pop("made")
    if made not in _RECIPES:
        raise ValueError(
            f"there is no recipe {made!r} for a model; there are {', '.join(_RECIPES)}"
        )
    return _RECIPES[made](**values)


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return _recipe(value)
    return tuple(value) if isinstance(value, list) else value


@cache
def _model(recipe: Recipe) -> Model:
    """Keep the model: planting a cone takes seconds for three inputs. Nothing changes it."""
    return recipe.model()


def tuning_models() -> str:
    """Return in words which models the tuning tasks are about."""
    return ", ".join(dict.fromkeys(_in_words(task.recipe) for task in tasks("tuning")))


def _in_words(recipe: Recipe) -> str:
    if isinstance(recipe, Planted):
        return f"{_in_words(recipe.base)} with a planted cone"
    if isinstance(recipe, Handcrafted):
        return f"lambda {recipe.lam:g}"
    _, _, hidden_size, seq_len, _, seed = recipe.name.split("_")
    return f"M{hidden_size},{seq_len} seed {seed}"


def tasks(role: Role | None = None) -> tuple[RareTask, ...]:
    """Return the tasks, or those of one role."""
    return tuple(task for task in _TASKS if role in (None, task.role))


def _size(hidden_size: int, seq_len: int, seed: int) -> Trained:
    return Trained(f"2nd_argmax_{hidden_size}_{seq_len}_{2**30}_{seed}")


def _of_trained() -> Iterator[RareTask]:
    sizes: dict[Role, list[tuple[int, int, int, list[float]]]] = {
        "tuning": [
            (3, 2, 2, [0, 0.5]),
            (3, 2, 4, [1.5]),
            (5, 2, 3, [0]),
            (5, 3, 2, [0, 2]),
            (6, 3, 1, [0, 4]),
        ],
        "scored": [
            (2, 2, 1, [0, 0.5, 1]),
            (2, 2, 4, [0]),
            (4, 2, 3, [0]),
            (4, 2, 4, [2.5]),
            (32, 2, 0, [0, 0.8]),
            (4, 3, 0, [0, 4]),
            (8, 3, 1, [0, 1, 4]),
            (16, 3, 0, [0, 4]),
        ],
    }
    for role, models in sizes.items():
        for d, n, seed, thresholds in models:
            for t in thresholds:
                by_margin = f", margin {t:g}" if t else ""
                kind: TaskKind = "trained, by a margin" if t else "trained"
                name = f"M{d},{n} seed {seed}{by_margin}"
                yield RareTask(name, kind, _size(d, n, seed), t, role)


def _of_lambda() -> Iterator[RareTask]:
    lambdas: dict[Role, list[float]] = {
        "tuning": [30, 300],
        "scored": [10, 100, 1000, 3000, 10_000],
    }
    for role, values in lambdas.items():
        for lam in values:
            yield RareTask(f"lambda {lam:g}", "lambda family", Handcrafted(3, lam), 0.0, role)


def _of_planted() -> Iterator[RareTask]:
    two, three = Handcrafted(2), Handcrafted(3, 100)
    own = {"M5,2 seed 4": _size(5, 2, 4), "M8,2 seed 3": _size(8, 2, 3)}
    cones: dict[Role, list[tuple[str, Trained | Handcrafted, float, float, float]]] = {
        "tuning": [
            ("M5,2 seed 4", own["M5,2 seed 4"], 1e-5, 50, 20),
            ("M5,2 seed 4", own["M5,2 seed 4"], 1e-9, 50, 20),
        ],
        "scored": [
            *(("two inputs", two, mass, 5, 0) for mass in (1e-3, 1e-5, 1e-7, 1e-9, 1e-11, 1e-13)),
            *(("two inputs", two, mass, 0.1, 0) for mass in (1e-4, 1e-8)),
            ("M8,2 seed 3", own["M8,2 seed 3"], 1e-6, 50, 5),
            ("M8,2 seed 3", own["M8,2 seed 3"], 1e-10, 50, 5),
            ("lambda 100", three, 1e-4, 50, 5),
            ("lambda 100", three, 1e-8, 50, 12),
            ("lambda 100", three, 1e-11, 50, 15),
        ],
    }
    for role, planted in cones.items():
        for name, base, mass, margin, threshold in planted:
            loud = "loud" if margin > 1 else "quiet"
            recipe = Planted(base, mass, margin)
            yield RareTask(f"{name}, {loud} cone {mass:g}", "planted", recipe, threshold, role)
    # Around other axes than the last, terms of the trigger cancel, so that the cones are not thin.
    for name, base, mass, threshold, direction in (
        ("two inputs", two, 1e-4, 0.0, (1.0, -2.0)),
        ("two inputs", two, 1e-7, 0.0, (1.0, -2.0)),
        ("lambda 100", three, 1e-6, 10.0, (1.0, -2.0, 2.0)),
    ):
        yield RareTask(
            f"{name}, oblique loud cone {mass:g}",
            "planted",
            Planted(base, mass, 50.0, direction),
            threshold,
            "scored",
        )


def _of_ten_inputs() -> Iterator[RareTask]:
    """Events of the bundled M16,10 that are counted in :func:`_counts`."""
    recipe = _size(16, 10, 2)
    rows: list[tuple[EventKind, str, list[float]]] = [
        ("wrong answer", "errs by {:g}", [10.0, 20.0, 30.0]),
        ("smallest named", "names the smallest, margin {:g}", [0.0, 2.0, 4.0]),
        ("largest named", "names the largest, ahead by {:g}", [1.0, 2.5]),
    ]
    for kind, words, thresholds in rows:
        for threshold in thresholds:
            name = f"M16,10 {words.format(threshold)}"
            yield RareTask(name, "ten inputs", recipe, threshold, "scored", kind)


_TASKS = (*_of_trained(), *_of_lambda(), *_of_planted(), *_of_ten_inputs())
