"""Scopes: which models an estimator takes, and one wording to refuse the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..zoo import DistTransformer, Model, OneLayerRNN, check_model, load_model, sizes
from ..zoo.model_check import check_can_be_run

_TASKS = {
    "2nd_argmax": "2nd-argmax",
    "argmedian": "argmedian",
    "median": "median",
    "longest_cycle": "longest-cycle",
}
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# The models of the book's chapters are the first choice for an example.
_CHAPTERS = (
    ("2nd_argmax", 4, 3),
    ("2nd_argmax", 2, 2),
    ("2nd_argmax", 16, 10),
    ("argmedian", 16, 5),
    ("median", 2, 2),
    ("longest_cycle", 4, 4),
)


@dataclass(frozen=True)
class Scope:
    """Set of models that an estimator accepts; ``a | b`` is the union of two scopes.

    Attributes
    ----------
    family
        Name of the task; ``None`` for all tasks.
    inputs, neurons
        Allowed values of seq_len and hidden_size; ``None`` for any.
    at_least
        Least seq_len.
    odd
        Whether seq_len must be odd.
    layers
        Number of layers of a transformer, which then must have a single head and no biases.
    as_it_is
        Whether a module may compute something else than its weights say, because the estimator only
        looks at its outputs.
    others
        Further scopes of a union: a model is in the union if it is in one of them.

    Examples
    --------
    >>> print(Scope("2nd_argmax", inputs=(2, 3)) | Scope("argmedian", inputs=3))
    2nd-argmax models of two or three inputs; argmedian models of three inputs
    """

    family: str | None = None
    inputs: int | tuple[int, ...] | None = None
    at_least: int = 1
    odd: bool = False
    neurons: int | None = None
    layers: int | None = None
    as_it_is: bool = False
    others: tuple[Scope, ...] = ()

    def __or__(self, other: Scope) -> Scope:
        return replace(self, others=(*self.others, other))

    def __str__(self) -> str:
        alike: dict[str, list[str]] = {}
        for part in self._parts():
            alike.setdefault(part._size(), []).append(_TASKS.get(part.family or "", "all"))
        return "; ".join(f"{_listed(tasks)} models{size}".strip() for size, tasks in alike.items())

    def takes(self, model: Model) -> bool:
        """Tell whether a valid model is in this scope."""
        return any(part._has(model) for part in self._parts())

    def check(self, model: Model, name: str) -> None:
        """Raise an error unless the estimator with that name takes the model.

        Raises
        ------
        TypeError, ValueError
            Raised by :func:`~algzoo.zoo.check_model`, or if the model is not in the scope.
        """
        (check_can_be_run if self.as_it_is else check_model)(model)
        if not self.takes(model):
            found = f"{type(model).__name__} of {model.task_name} with seq_len {model.seq_len}"
            if isinstance(model, DistTransformer) and model.input_range != model.seq_len:
                found += f" and input_range {model.input_range}"
            if any(part.neurons for part in self._parts()):
                found += f" and hidden_size {model.hidden_size}"
            if isinstance(model, DistTransformer) and any(part.layers for part in self._parts()):
                found += f", {model.n_layers} layers, {model.n_heads} heads, bias {model.bias}"
            raise ValueError(f"{name} is for {self}, not for {found}")

    def one_size(self, model: Model) -> Scope:
        """Return the scope of models with the same task and size as this model."""
        inputs, neurons = model.seq_len, model.hidden_size
        return Scope(model.task_name, inputs, neurons=neurons, as_it_is=self.as_it_is)

    def examples(self) -> list[Model]:
        """Return a bundled model of each part of the scope, that of a chapter if possible."""
        bundled = [*_CHAPTERS, *((family.name, d, n) for family, d, n in sizes())]
        found: dict[tuple[str, int, int], Model] = {}
        for part in self._parts():
            for size in bundled:
                if part.family in (None, size[0]) and part._has(model := load_model(*size)):
                    found[size] = model
                    break
        return list(found.values())

    def example(self) -> Model:
        """Return a bundled model that is in the scope."""
        return self.examples()[0]

    def _parts(self) -> Iterator[Scope]:
        yield self
        for other in self.others:
            yield from other._parts()

    def _has(self, model: Model) -> bool:
        n = model.seq_len
        if self.family not in (None, model.task_name) or n < self.at_least:
            return False
        if self.inputs is not None and n not in _several(self.inputs):
            return False
        if (self.odd and n % 2 == 0) or (
            self.neurons is not None and model.hidden_size != self.neurons
        ):
            return False
        if isinstance(model, OneLayerRNN):
            return self.layers is None
        is_task = isinstance(model, DistTransformer) and model.input_range == n
        built = (model.n_layers, model.n_heads, model.bias)
        return is_task and (self.layers is None or built == (self.layers, 1, False))

    def _size(self) -> str:
        """Describe the size, with a space before the description."""
        said = []
        if self.inputs is not None:
            said.append(f"{' or '.join(map(_word, _several(self.inputs)))} inputs")
        elif self.odd:
            said.append("an odd number of inputs")
        if self.at_least > 1:
            least = f"at least {_word(self.at_least)}"
            said.append(least if said else f"{least} inputs")
        if self.neurons is not None:
            said.append(f"{_word(self.neurons)} neurons")
        if self.layers is not None:
            said.append(f"{_word(self.layers)} layers, one head and no biases")
        joint = ", " if self.odd else " and "
        return f" of {joint.join(said)}" if said else ""


def _several(numbers: int | tuple[int, ...]) -> tuple[int, ...]:
    return (numbers,) if isinstance(numbers, int) else numbers


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def _word(number: int) -> str:
    return _WORDS[number] if number < len(_WORDS) else str(number)


ANY = Scope(as_it_is=True)
SECOND_ARGMAX = Scope("2nd_argmax", at_least=2)
ARGMEDIAN = Scope("argmedian", at_least=3, odd=True)
