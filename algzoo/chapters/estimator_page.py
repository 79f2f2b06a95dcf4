"""The page *How to choose an estimator*, made from the catalogue."""

from __future__ import annotations

from collections.abc import Iterable

from ..estimates import CatalogEntry

_OPENING = """# How to choose an estimator

The catalogue of the package, `algzoo.estimates.catalog()` or `algzoo estimators`. This page is made
from it: `algzoo estimators --page > book/choose-an-estimator.md`. Three questions tell the
estimators apart; [mechanistic estimates](mechanistic-estimates.md) says why these.

* **Does it run the network?** Never, on chosen inputs, or on random inputs. Only what never runs it
  can be a deduction from the weights.
* **Is the result exact?** It is exact; it converges to the exact value as the budget grows; or it
  is approximate, and stays so.
* **Has it fitted constants?** None; from other networks; or from noisy copies of this one. Where a
  fit is possible, the models that it was given decide.

Where an exact one takes your model, take that. Else the [challenge](../analyses/challenge.ipynb)
says which is worth its operations. In the laws of cost $d$ is the number of neurons and $n$ that of
inputs. An estimator of yours joins the list when its package is installed:
[error against compute](error-versus-compute.md) says how.

## All of them

| estimator | for | runs the network | result | fitted constants |
|---|---|---|---|---|
"""


def estimator_page(entries: Iterable[CatalogEntry]) -> str:
    """The page in Markdown: a table with a row for each entry, and what is to be known of each."""
    entries = list(entries)
    lines = [
        f"| {e.name} | {e.scope} | {e.runs_network} | {e.exact} | {e.constants} |" for e in entries
    ]
    alike: dict[str, list[CatalogEntry]] = {}
    for entry in entries:
        alike.setdefault(entry.summary, []).append(entry)
    paragraphs = [
        f"**{'; '.join(e.name for e in of_one)}.** {summary} *Source*: {of_one[0].source}. "
        f"*Cost*: {of_one[0].cost}. *Fails when*: {of_one[0].fails_when}. "
        f"Since version {of_one[0].since}."
        for summary, of_one in alike.items()
    ]
    table = "\n".join(lines)
    return f"{_OPENING}{table}\n\n## One by one\n\n" + "\n\n".join(paragraphs) + "\n"
