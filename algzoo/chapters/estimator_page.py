"""The page *How to choose an estimator*, made from the catalogue."""

from __future__ import annotations

from collections.abc import Iterable

from ..estimates import CatalogEntry, Scope

_PAGE = """# How to choose an estimator

The catalogue of the package, `algzoo.estimates.catalog()` or `algzoo estimators`. This page is made
from it: `algzoo estimators --page > book/choose-an-estimator.md`. Three questions tell the
estimators apart; [mechanistic estimates](mechanistic-estimates.md) says why these.

* **Does it run the network?** Never, on chosen inputs, or on random inputs. Only what never runs it
  can be a deduction from the weights.
* **Is the result exact?** It is exact; it converges to the exact value as the budget grows; or it
  is approximate, and stays so.
* **Has it fitted constants?** None; from other networks; or from noisy copies of this one. Where a
  fit is possible, the models that it was given decide.

## Begin with your model

{guide}

To know a score well rather than cheaply, `algzoo accuracy MODEL --tolerance 1e-4` picks the method
that gets there soonest on your machine. What each estimator is worth for its operations, the
[challenge](../analyses/challenge.ipynb) measures. In the laws of cost $d$ is the number of neurons
and $n$ the number of inputs. An estimator of yours joins the list when its package is installed:
[error against compute](error-versus-compute.md) says how.

## All of them

{table}

## One by one

{paragraphs}
"""


# What to begin with: names of rows of the catalogue.
_GUIDE: tuple[tuple[Scope, tuple[str, ...]], ...] = (
    (Scope("2nd_argmax", (2, 3)) | Scope("median", (2, 3)) | Scope("argmedian", 3), ("exact",)),
    (Scope("2nd_argmax", 4), ("8 angles from either tie", "leaves of pairs, 128 points")),
    (Scope("2nd_argmax", at_least=5), ("planes, 64 directions", "leaves of pairs, 128 points")),
    (Scope("argmedian", at_least=5), ("folded classes, 1024 points, clustering 1.0",)),
    (Scope("median", at_least=4), ("iid, 1024 inputs",)),
    (Scope("longest_cycle"), ("all functions",)),
)


def estimator_page(entries: Iterable[CatalogEntry]) -> str:
    """Write the page in Markdown: what to begin with, a table of all estimators, and their facts.

    Raises
    ------
    ValueError
        Where the page recommends an estimator that is not in the catalogue.
    """
    alike: dict[tuple[str, ...], list[CatalogEntry]] = {}
    for entry in entries:
        facts = (entry.summary, str(entry.scope), entry.source, entry.cost, entry.fails_when)
        alike.setdefault(facts, []).append(entry)
    named = {entry.name: entry for of_one in alike.values() for entry in of_one}
    if unknown := {name for _, names in _GUIDE for name in names} - named.keys():
        raise ValueError(f"the page recommends what is not in the catalogue: {sorted(unknown)}")
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
        f"*Cost*: {of_one[0].cost}. *Fails when*: {of_one[0].fails_when}. "
        f"Since version {of_one[0].since}."
        for (summary, *_), of_one in alike.items()
    ]
    return _PAGE.format(guide=guide, table=table, paragraphs="\n\n".join(paragraphs))


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [headings, ("---",) * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
