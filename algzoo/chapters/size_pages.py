"""A page for each of the sizes of the zoo, and the tables that lead to them.

Everything on a page is read or computed from the bundled weights and scores when the book is built.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ..estimates import ensemble_sampling, exact, exhaustive_accuracy
from ..estimates.functions.by_class import folded_exhaustive
from ..structure import canonical_order, reorder_neurons, standard_form
from ..structure.attention.standard_form import attention_standard_form
from ..zoo import (
    FAMILIES,
    SEEDS,
    DistTransformer,
    Family,
    Model,
    OneLayerRNN,
    best_seed,
    load_model,
    measured_scores,
    published_score,
    sizes,
)
from ..zoo.scores import n_score_inputs
from .estimator_page import begin_with
from .figures.curves import learning_curves
from .figures.weights import are_small, explained, matrices_of, matrices_text

N_CURVE = 2**12  # random inputs for each point of a learning curve, as in the chapter on the zoo
_ENUMERATED = 5  # longest cycle is scored on all inputs up to this length, for the curves

_PAGE = """---
orphan: true
nosearch: true
---
# {title}

{what} It has {width} and {n_weights:,} weights. [All sizes](../sizes.md); beside this one:
{neighbours}.

| best seed | {best} |
| --- | ---: |
{facts}

## What the book knows

{known}

## Weights

{form} {explained}

{weights}

## Five seeds

The {measure} of each seed, measured on {measure_on}.

{seeds}

## Learning curve

<figure>{curves}<figcaption>The {measure} during training. Blue: seed {best}, the best in the end;
grey: the other four; dashed: ARC's model, fully trained. Each point is measured on
{curve_on}.</figcaption></figure>

## Load it

```python
from algzoo import zoo_{family}

model = zoo_{family}({d}, {n})  # seed {best}, the best
early = zoo_{family}({d}, {n}, n_seqs=2**20, seed=0)
```

{{download}}`{file} <../../algzoo/zoo/data/weights/{file}>` has the weights of all seeds and
checkpoints. A tensor is named after the number of training sequences and the seed:
`{last}_{best}/{key}`.
"""

_SQUARES = (
    "Each weight is a square of its size in a field of its own, hollow if the weight is below 0; "
    "the caption says from which size on squares are full."
)

_WHAT = {
    "2nd_argmax": "This network reads {n} numbers one by one and says at which position the second "
    "largest stands.",
    "argmedian": "This network reads {n} numbers one by one and says at which position the middle "
    "one stands.",
    "median": "This network reads {n} numbers one by one and gives their median.",
    "longest_cycle": "This transformer reads a function from {n} points to themselves, as the list "
    "of its values, and says how long its longest cycle is.",
}


@dataclass(frozen=True)
class Size:
    """A size of a family, with what its page and the tables say about it."""

    family: Family
    hidden_size: int
    seq_len: int

    @property
    def name(self) -> str:
        """Name of the size, of its weight file and of its page, for example ``2nd_argmax_2_2``."""
        return f"{self.family.name}_{self.hidden_size}_{self.seq_len}"

    @property
    def title(self) -> str:
        """Title of the page, for example ``2nd argmax (2, 2)``."""
        return f"{_in_words(self.family)} ({self.hidden_size}, {self.seq_len})"

    @property
    def measure(self) -> str:
        """What the scores are."""
        return "root mean squared error" if self.family.measures_error else "accuracy"

    @property
    def best(self) -> int:
        """The best seed."""
        return best_seed(self.family.name, self.hidden_size, self.seq_len)

    @property
    def scores(self) -> list[float]:
        """Scores of the seeds as they were measured."""
        return measured_scores()[self.name]["scores"]

    @property
    def published(self) -> float:
        """Score of ARC's best model."""
        return published_score(self.family.name, self.hidden_size, self.seq_len)

    def load(self, seed: int, n_seqs: int | None = None) -> Model:
        """Load a model of this size."""
        return load_model(self.family.name, self.hidden_size, self.seq_len, n_seqs, seed)


def all_sizes() -> list[Size]:
    """Return the sizes in the order of the families."""
    return [Size(*size) for size in sizes()]


def size_page(size: Size, chapters: Mapping[str, str]) -> str:
    """Write the page of a size in Markdown.

    Parameters
    ----------
    size
        The size.
    chapters
        Titles of the book's chapters by the names of their notebooks.
    """
    model = size.load(size.best)
    shown, form = _in_standard_form(model)
    matrices = matrices_of(shown)
    on_all = size.family.name == "longest_cycle"
    enumerated = on_all and size.seq_len <= _ENUMERATED
    everything = f"all {size.seq_len**size.seq_len:,} functions"
    return _PAGE.format(
        title=size.title,
        what=_WHAT[size.family.name].format(n=size.seq_len),
        width=f"width {size.hidden_size}" if on_all else f"{size.hidden_size} neurons",
        n_weights=sum(weight.numel() for weight in model.parameters()),
        neighbours=", ".join(
            f"[({other.hidden_size}, {other.seq_len})]({other.name}.md)"
            for other in _neighbours(size)
        ),
        facts="\n".join(f"| {fact} | {value} |" for fact, value in _facts(size, model).items()),
        known="\n".join(f"* {line}" for line in _known(size, model, chapters)),
        form=form,
        explained=explained(model) if are_small(matrices) else f"{explained(model)} {_SQUARES}",
        weights=matrices_text(matrices),
        measure_on=everything if on_all else f"{n_score_inputs():,} random inputs",
        seeds=_table(
            ["seed", size.measure],
            [
                [f"**{seed}**" if seed == size.best else f"{seed}", f"{score:.5f}"]
                for seed, score in enumerate(size.scores)
            ],
        ),
        curves=learning_curves(
            size.family.checkpoints,
            curves(size),
            size.best,
            size.published,
            measures_error=size.family.measures_error,
        ),
        measure=size.measure,
        best=size.best,
        curve_on=everything if enumerated else f"{N_CURVE:,} random inputs",
        family=size.family.name,
        d=size.hidden_size,
        n=size.seq_len,
        file=f"{size.name}.safetensors",
        last=size.family.checkpoints[-1],
        key=next(iter(model.state_dict())),
    )


def size_tables() -> str:
    """Write a table for each family in Markdown: the score of the best seed, which is a link."""
    parts = []
    for family in FAMILIES.values():
        digits = 4 if family.measures_error else 3
        rows = [
            [
                f"**{d}**",
                *(
                    f"[{size.scores[size.best]:.{digits}f}](sizes/{size.name}.md)"
                    for size in (Size(family, d, n) for n in family.seq_lens)
                ),
            ]
            for d in family.hidden_sizes
        ]
        measure = "root mean squared error" if family.measures_error else "accuracy"
        parts += [
            f"## {_in_words(family)}",
            f"The {measure} of the best seed.",
            _table(["*d*", *(f"*n* = {n}" for n in family.seq_lens)], rows),
        ]
    return "\n\n".join(parts) + "\n"


def curves(size: Size) -> NDArray[np.float64]:
    """Return the scores of all checkpoints, shape (n_seeds, n_checkpoints).

    Recurrent models are scored on ``N_CURVE`` random inputs, the same for all; transformers of up
    to five points on all functions.
    """
    models = [size.load(seed, n) for seed in SEEDS for n in size.family.checkpoints]
    if size.family.name == "longest_cycle" and size.seq_len <= _ENUMERATED:
        values = [_on_all_functions(model) for model in models]
    else:
        values = [estimate.value for estimate in ensemble_sampling(models, N_CURVE, seed=0)]
    scores = np.array(values).reshape(len(SEEDS), -1)
    return np.sqrt(scores) if size.family.measures_error else scores


def _on_all_functions(model: Model) -> float:
    try:
        return folded_exhaustive(model).value
    except ValueError:  # of a model with very large scores
        return float(exhaustive_accuracy(model))


def _facts(size: Size, model: Model) -> dict[str, str]:
    """What the first table of a page says, by name."""
    facts = {size.measure: f"{size.scores[size.best]:.5f}"}
    if size.family.name == "longest_cycle":
        n_functions = size.seq_len**size.seq_len
        right = round(size.scores[size.best] * n_functions)
        facts["functions answered right"] = f"{right:,} of {n_functions:,}"
    elif size.seq_len <= 3:
        value = exact(model).value
        root = math.sqrt(value) if size.family.measures_error else value
        facts[f"{size.measure}, exact"] = f"{root:.8f}"
    else:
        score = size.scores[size.best]
        if not size.family.measures_error:
            error = math.sqrt(score * (1 - score) / n_score_inputs())
            facts["its standard error"] = f"{error:.1e}"
    facts[f"{size.measure} of ARC's best, as published"] = f"{size.published:.3f}"
    facts["training sequences"] = f"$2^{{{math.log2(size.family.checkpoints[-1]):.0f}}}$"
    return facts


def _known(size: Size, model: Model, chapters: Mapping[str, str]) -> list[str]:
    """What the book says about a size, as lines of a list in Markdown."""
    family = size.family.name.replace("2nd", "second")
    start = f"{family}_h{size.hidden_size}_n{size.seq_len}"
    lines = [
        f"Chapter [{title}](../../analyses/{name}.ipynb)."
        for name, title in chapters.items()
        if name == start or name.startswith(f"{start}_")
    ]
    if size.family.name == "longest_cycle":
        lines.append("Its inputs can all be listed, so that its accuracy is known exactly.")
    elif size.seq_len <= 3:
        lines.append(
            "Its linear pieces can be listed, so that its score is computed exactly "
            "([how](../standard-form.md))."
        )
    else:
        lines.append(f"Its {size.measure} is not known exactly. It is estimated.")
    names = " or ".join(f"*{name}*" for name in begin_with(model))
    lines.append(f"To estimate its score, [begin with](../choose-an-estimator.md) {names}.")
    if not any(line.startswith("Chapter") for line in lines):
        lines.append(
            "No chapter explains it. [The zoo](../../analyses/the_zoo.ipynb) compares all sizes."
        )
    return lines


def _in_standard_form(model: Model) -> tuple[Model, str]:
    """Return a model with its neurons in order and its weights in standard form, and say so."""
    if isinstance(model, DistTransformer):
        try:
            shown = attention_standard_form(model)
        except ValueError:
            return model, (
                "These are the weights of the best seed as they were trained: its embeddings do "
                "not span all directions, so that they fix no standard form."
            )
        return shown, (
            "These are the weights of the best seed in the [standard "
            "form](../../analyses/longest_cycle_h4_n4.ipynb) of a transformer."
        )
    recurrent = cast(OneLayerRNN, model)
    return reorder_neurons(standard_form(recurrent), canonical_order(recurrent)), (
        "These are the weights of the best seed in [standard form](../standard-form.md)."
    )


def _neighbours(size: Size) -> list[Size]:
    """Sizes of the family that differ in one step of d or n."""
    family = size.family
    d = family.hidden_sizes.index(size.hidden_size)
    n = family.seq_lens.index(size.seq_len)
    return [
        Size(family, family.hidden_sizes[i], family.seq_lens[j])
        for i, j in ((d - 1, n), (d + 1, n), (d, n - 1), (d, n + 1))
        if 0 <= i < len(family.hidden_sizes) and 0 <= j < len(family.seq_lens)
    ]


def _in_words(family: Family) -> str:
    words = family.name.replace("_", " ")
    return words[0].upper() + words[1:]


def _table(headings: list[str], rows: list[list[str]]) -> str:
    lines = [headings, ["---:"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
