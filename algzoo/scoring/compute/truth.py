"""True scores of the models of a population: exact where a method is known, else sampled."""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path

from ...estimates import exact, sampling
from ...zoo import FAMILIES, Model, check_model
from ...zoo.files import write_whole
from ...zoo.populations import Population
from ...zoo.streams import model_digest
from .source import source_digest

# Sampling sets the number of torch's threads for the whole process while it runs.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Truth:
    """The true score of a model.

    Attributes
    ----------
    value
        Accuracy, or for median models the mean squared error.
    std
        Its standard error; 0 where it is exact.
    sample_variance
        Variance of the score of one random input: a (1 - a) for an accuracy a.
    """

    value: float
    std: float
    sample_variance: float


def truth(model: Model, n_samples: int) -> Truth:
    """Return the true score of a model, from ``n_samples`` inputs if no exact method is known.

    The random stream of the inputs depends on the weights of the model, so two different models see
    independent inputs. No estimator uses these streams.

    Raises
    ------
    TypeError, ValueError
        As :func:`~algzoo.zoo.check_model`.
    """
    check_model(model)
    if not FAMILIES[model.task_name].measures_error:
        try:
            found = exact(model)
        except ValueError:
            pass  # no exact method is known for this model
        else:
            return Truth(found.value, found.std or 0.0, found.value * (1 - found.value))
    seed = int.from_bytes(hashlib.sha256(f"truth\0{model_digest(model)}".encode()).digest())
    with _one_at_a_time:
        sampled = sampling(model, n_samples, seed)
    assert sampled.std is not None, "sampling states its standard error"
    return Truth(sampled.value, sampled.std, sampled.std**2 * n_samples)


def truths_of(population: Population, start: int, stop: int, n_samples: int) -> list[Truth]:
    """True scores of the models from number ``start`` up to ``stop``."""
    return [truth(population.model(index), n_samples) for index in range(start, stop)]


@dataclass(frozen=True)
class TruthCache:
    """Truths on disk, one file for the models of a range.

    They are found by what they are truths of and by the code that computes them: after any change
    of the package or of the libraries it computes with, they are not found.

    Files are written whole, so that any number of runs may share the folder and any of them be
    killed. A file that cannot be read, or is not as it was written, counts as not there; a folder
    that cannot be written is not used.
    """

    folder: Path

    def get(
        self, population: Population, start: int, stop: int, n_samples: int
    ) -> list[Truth] | None:
        """Return the stored truths of those models at that budget, or ``None``."""
        path = self._path(population, start, stop, n_samples)
        try:
            stored = json.loads(path.read_bytes())
            rows = stored["truths"]
            if stored["digest"] != _digest(rows) or len(rows) != stop - start:
                return None
            return [Truth(*row) for row in rows]
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(
        self, population: Population, start: int, stop: int, n_samples: int, truths: list[Truth]
    ) -> None:
        """Store the truths of those models at that budget."""
        rows = [list(astuple(truth)) for truth in truths]
        content = json.dumps({"digest": _digest(rows), "truths": rows})
        with suppress(OSError):
            write_whole(self._path(population, start, stop, n_samples), content.encode())

    def _path(self, population: Population, start: int, stop: int, n_samples: int) -> Path:
        base = population.base_of(start)
        first = start - base * population.copies
        what = [
            source_digest(),
            n_samples,
            population.fingerprint(base),
            (first, stop - start),
            # The weights themselves, should another release make the same noise otherwise.
            [model_digest(population.model(index)) for index in (start, stop - 1)],
        ]
        return self.folder / f"{_digest(what)}.json"


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
