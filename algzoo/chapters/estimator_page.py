"""Page *How to choose an estimator*, made from the catalogue."""

from __future__ import annotations

from collections.abc import Iterable

from ..estimates import CatalogEntry, Scope
from ..zoo import Model

_PAGE = """# How to choose an estimator

This page lists all estimators of the package, as do `algzoo.estimates.catalog()` and the command
`algzoo estimators`. (`algzoo estimators --page > book/choose-an-estimator.md` writes the page.)
Three questions distinguish the estimators; [mechanistic estimates](mechanistic-estimates.md) says
why.

* **Does it run the network?** An estimator never runs the network, or runs it on chosen inputs or
  on random inputs. Only an estimator that never runs it can be a deduction from the weights.
* **Is the result exact?** The result is exact, or it converges to the exact value as the budget
  grows, or it is approximate whatever the budget.
* **Does it have fitted constants?** An estimator has none, or they are fitted on other networks, or
  on noisy copies of this one. If an estimator has to be fitted, the models of the fit decide.

## Begin with your model

{guide}

If you need a precise score rather than a cheap one, `algzoo accuracy MODEL --tolerance 1e-4` picks
the method that is fastest on your machine. The [challenge](../analyses/challenge.ipynb) measures
how good the estimators are for their operations, and a chapter compares
[all estimates for M16,10](../analyses/second_argmax_h16_n10_estimates.ipynb). Your own estimator
joins the list when its package is installed; see [error against compute](error-versus-compute.md).

## All of them

{table}

## One by one

In the costs, $d$ is the number of neurons and $n$ the number of inputs.

{paragraphs}
"""


# Rows of the catalogue to begin with, by name.
_GUIDE: tuple[tuple[Scope, tuple[str, ...]], ...] = (
    (Scope("2nd_argmax", (2, 3)) | Scope("median", (2, 3)) | Scope("argmedian", 3), ("exact",)),
    (Scope("2nd_argmax", 4), ("8 angles from either tie", "leaves of pairs, 128 points")),
    (Scope("2nd_argmax", at_least=5), ("planes, 64 directions", "leaves of pairs, 128 points")),
    (Scope("argmedian", at_least=5), ("folded classes, 1024 points, clustering 1.0",)),
    (Scope("median", at_least=4), ("iid, 1024 inputs",)),
    (Scope("longest_cycle"), ("all functions",)),
)


def begin_with(model: Model) -> list[str]:
    """Return the names of the estimators that the page recommends for a model."""
    return [name for scope, names in _GUIDE if scope.takes(model) for name in names]


def estimator_page(entries: Iterable[CatalogEntry]) -> str:
    """Write the page in Markdown: what to begin with, a table of all estimators, and their facts.

    Raises
    ------
    ValueError
        If the page recommends an estimator that is not in the catalogue.
    """
    alike: dict[tuple[str, ...], list[CatalogEntry]] = {}
    for entry in entries:
        facts = (entry.summary, str(entry.scope), entry.source, entry.cost, entry.fails_when)
        alike.setdefault(facts, []).append(entry)
    named = {entry.name: entry for of_one in alike.values() for entry in of_one}
    if unknown := {name for _, names in _GUIDE for name in names} - named.keys():
        raise ValueError(
            f"the page recommends estimators that are not in the catalogue: {sorted(unknown)}"
        )
    guide = _table(
        ("your models", "begin with", "runs the network", "result"),
        (
            (str(scope), name, named[name].runs_network, named[name].exact)
            for scope, names in _GUIDE
            for name in names
        ),
    )
    table = _table(
        ("estimator", "for", "runs the network", "result", "fitted constants"),
        (
            (
                "; ".join(entry.name for entry in of_one),
                str(of_one[0].scope),
                *(of_one[0].runs_network, of_one[0].exact, of_one[0].constants),
            )
            for of_one in alike.values()
        ),
    )
    paragraphs = [
        f"**{'; '.join(e.name for e in of_one)}.** {summary} *Source*: {of_one[0].source}. "
        f"{_advice(of_one)}"
        f"*Cost*: {of_one[0].cost}. *Fails when*: {of_one[0].fails_when}. "
        f"Since version {of_one[0].since}."
        for (summary, *_), of_one in alike.items()
    ]
    return _PAGE.format(guide=guide, table=table, paragraphs="\n\n".join(paragraphs))


def _advice(entries: list[CatalogEntry]) -> str:
    """Say what was tuned and on which models, and how many bits the constants have."""
    said = ""
    if entries[0].tuned_on != "nothing":
        said = f"*Tuned on*: {entries[0].tuned_on}. "
    bits = [
        f"{entry.fit_advice_bits or entry.advice_bits:,.0f}"
        for entry in entries
        if entry.fit_advice_bits or entry.advice_bits
    ]
    return f"{said}*Bits of advice*: {'; '.join(bits)}. " if bits else said


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [headings, ("---",) * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
