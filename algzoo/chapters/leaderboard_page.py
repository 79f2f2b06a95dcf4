"""Page *The leaderboard*, made from the files of its entries."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..scoring import Ratio
from ..scoring.compute.entries import Entry, Facts, Result, rank
from ..scoring.compute.rounds import Round, round_named, round_names
from ..scoring.rare.entries import RareEntry, RareResult, rare_rank
from ..scoring.rare.rounds import RareRound, rare_round_named, rare_round_names

_PAGE = """# The leaderboard

This page lists all entered estimators: the book's own and those of others. Each entry is a file in
`analyses/leaderboard/` that holds all its estimates. `algzoo leaderboard --page >
book/leaderboard.md` writes this page, and `algzoo leaderboard --check` computes all scores and some
of the estimates again. [The challenge](../analyses/challenge.ipynb) explains the rule and the best
entries, and [error against compute](error-versus-compute.md) explains the baselines.

*Inputs* is the number of random inputs that can be run with the operations of one estimate. $R$ is
the mean squared error of the estimates divided by that of random sampling with as many operations,
with its 95% confidence interval. If $R$ is below 1, the estimator beats sampling. A click on a
heading sorts its table. A dash stands for a number that does not exist or was not scored.

{rounds}

## How to enter

In a file of its own, write a function from a model to an `Estimate`, and describe it by an
`Entrant`: whether the result is exact, converges to the exact value as the budget grows, or is
approximate; where fitted constants come from, and how many bits they have (`advice_bits`); and on
which models the function was tuned. This file is a complete entry:

```{{literalinclude}} ../analyses/leaderboard/example/my_entry.py
:language: python
```

Score the entry from the folder that holds the file: first on a small round, which takes seconds,
then on the real one. [Error against compute](error-versus-compute.md) says which operations count,
and an `OperationCounter` counts them.

```bash
algzoo challenge --round trial --estimator my_entry:entry
algzoo challenge --round {newest} --estimator my_entry:entry \\
  --author "Your Name" --submit my_entry.json
algzoo leaderboard --check my_entry.json
```

The populations of ARC's example need ARC's file, which `algzoo fetch example_2nd_argmax` downloads.
An entry that was scored without it says which populations are missing. Put `my_entry.json` into
`analyses/leaderboard/` and open a pull request with this one file. If the code is a single file,
the entry holds it; otherwise it names the package to install and its version. The tests compute
some of its estimates again, for models that a hash of the entry picks, and reject the entry if an
estimate differs.

A method for rare outputs is a function `(event, budget, seed) -> Estimate`, named in a
`RareEntrant`. It may ask the event about as many inputs as its budget has forward passes; an
evaluation with the gradient counts as three. `event.model` is the model.

```{{literalinclude}} ../analyses/leaderboard/example/my_rare_method.py
:language: python
```

```bash
algzoo rare --round rare-trial --estimator my_rare_method:entry
algzoo rare --round {rare} --estimator my_rare_method:entry \\
  --author "Your Name" --submit my_rare_entry.json
```

Its file goes into `analyses/leaderboard/rare/`.

A round never changes: its models, its noise, the true scores and the samplers to beat are in the
package, and every entry names the digest of its round. New populations are a new round, with a new
name.
"""

_ROUND = """## Round {name}

{about} The populations, with their numbers of models: {sizes}. The seed of the noise is {seed}. No
estimator of the book was tuned on these copies.

### {headline}

This is the main population. $R$ compares the estimator with plain sampling, with sampling that is
shrunk to the mean of the population (*prior-shrunk*), and with the best sampler that was measured
at that budget. The rows are in the order of *R, prior-shrunk*, because any guess that costs less
than one input beats plain sampling.

{main}

### Other populations

The table gives $R$ against plain sampling. Intervals for the five training seeds resample the
seeds.

{others}

### Operations and errors

Operations, bias and root mean square (RMS) error are for the main population. The last column is
the root mean square error on the five training seeds themselves, without noise.

{errors}

### What the estimators are

The table has the authors' answers to [the three questions](mechanistic-estimates.md). *Tuned on*
names the models on which the form of an estimator was chosen. In *seed-agnostic* entries, constants
were fitted for each network on noisy copies of the other training seeds; in *model-specific*
entries, on other noisy copies of the network itself. *Fitted constants* also counts the bits of
advice. The name of an entry leads to its file. An entry without an author's name is the book's own.

{facts}
"""

_RARE_ROUND = """## Round {name}

{about} It has {tasks} events, with probabilities from ${greatest}$ down to ${least}$; each is
estimated {seeds} times at every budget. The loss of an estimate $q$ of a probability $p$ is $p / q
- \\ln(p / q) - 1$, which is infinite for $q = 0$. The fit multiplies, raises to a power and adds a
constant; it is made on the other events, and replaces estimates of 0. Smaller is better.

### Losses of rare outputs

At {budget} forward passes, with 95% intervals. *Zeros* is the share of estimates that are 0. The
entries for most events are first, in the order of the last column.

{losses}

### Budgets of rare outputs

Loss after the fit at each budget, in forward passes, and the operations at the largest.

{budgets}

### What the methods for rare outputs are

*Tuned on* names the tasks on which settings were chosen. The worst task is the one with the largest
loss.

{facts}
"""

_FOLDER = "../analyses/leaderboard"
_NOISE = 1e-6  # a loss below this is 0, or what a search for a minimum has left of it
_BOOK = "the AlgZoo book"  # the author of the book's own entries


def leaderboard_page(
    entries: Mapping[str, Entry], rare_entries: Mapping[str, RareEntry] | None = None
) -> str:
    """Write the page in Markdown from entries by the names of their files.

    Rounds of rare outputs are shown if there are entries of them.
    """
    names = [name for name in reversed(round_names()) if round_named(name).ranked]
    rounds = [
        _round(round_named(name), {file: one for file, one in entries.items() if one.round == name})
        for name in names
    ]
    for name in reversed(rare_round_names()):
        own = {file: one for file, one in (rare_entries or {}).items() if one.round == name}
        if own and rare_round_named(name).ranked:
            rounds.append(_rare_round(rare_round_named(name), own))
    return _PAGE.format(rounds="\n".join(rounds).strip(), newest=names[0], rare=_newest_rare())


def _round(its_round: Round, entries: Mapping[str, Entry]) -> str:
    populations = list(its_round.populations.values())
    main = its_round.main
    noisy = [one.name for one in populations if one.opponents and one.name != main]
    clean = [one.name for one in populations if one.sd is None]
    ordered = dict(sorted(entries.items(), key=lambda item: (rank(item[1], main), item[1].name)))
    rows = list(ordered.values())

    def column(population: str, cell: Callable[[Result], str]) -> list[str]:
        results = [entry.result(population) for entry in rows]
        return ["–" if result is None else cell(result) for result in results]

    estimators = [plain(entry.name) for entry in rows]
    return _ROUND.format(
        name=its_round.name,
        about=its_round.about,
        sizes=_sizes(its_round),
        seed=its_round.seed,
        headline=main,
        main=_table(
            {
                "estimator": estimators,
                "inputs": column(main, _inputs),
                "R": column(main, lambda result: _ratio(result.ratio)),
                "R, prior-shrunk": column(main, lambda result: _ratio(result.shrunk_ratio)),
                "R, best sampler": column(main, lambda result: _ratio(result.sampler_ratio)),
            }
        ),
        others=_table(
            {
                "estimator": estimators,
                **{name: column(name, lambda result: _ratio(result.ratio)) for name in noisy},
            }
        ),
        errors=_table(
            {
                "estimator": estimators,
                "operations": column(main, lambda result: f"{result.operations:,.0f}"),
                "bias": column(main, lambda result: _digits(result.bias)),
                "RMS error": column(main, lambda result: _digits(result.rms)),
                **{
                    f"RMS error, {name}": column(name, lambda result: _digits(result.rms))
                    for name in clean
                },
            }
        ),
        facts=_table(
            {
                "estimator": [_name(file, one) for file, one in ordered.items()],
                "runs the network": [entry.facts.runs_network for entry in rows],
                "result": [entry.facts.exact for entry in rows],
                "fitted constants": [_constants(entry.facts) for entry in rows],
                "tuned on": [plain(entry.facts.tuned_on) for entry in rows],
            },
            numbers=False,
        ),
    )


def _newest_rare() -> str:
    return next(name for name in reversed(rare_round_names()) if rare_round_named(name).ranked)


def _rare_round(its_round: RareRound, entries: Mapping[str, RareEntry]) -> str:
    ordered = dict(sorted(entries.items(), key=lambda item: (rare_rank(item[1]), item[1].name)))
    rows = list(ordered.values())
    greatest = max(its_round.budgets)
    last = [entry.result(greatest) for entry in rows]

    def column(cell: Callable[[RareResult], str]) -> list[str]:
        return ["–" if result is None else cell(result) for result in last]

    names = [plain(entry.name) for entry in rows]
    truths = [one.truth.value for one in its_round.tasks]
    return _RARE_ROUND.format(
        name=its_round.name,
        about=its_round.about,
        tasks=len(its_round.tasks),
        least=_power(min(truths)),
        greatest=_power(max(truths)),
        seeds=its_round.n_seeds,
        budget=f"{greatest:,}",
        losses=_table(
            {
                "method": names,
                "tasks": column(lambda one: str(one.tasks)),
                "zeros": column(lambda one: f"{one.zeros / (one.tasks * one.seeds):.0%}"),
                "loss": column(lambda one: _loss(one.loss)),
                "loss without zeros": column(lambda one: _mean(one.loss_of_finite)),
                "loss after the fit": column(lambda one: _loss(one.loss_after_fit)),
            }
        ),
        budgets=_table(
            {
                "method": names,
                **{
                    f"{budget:,}": [
                        "–" if result is None else _loss(result.loss_after_fit)
                        for result in (entry.result(budget) for entry in rows)
                    ]
                    for budget in its_round.budgets
                },
                "operations": column(lambda one: f"{one.operations:,.0f}"),
            }
        ),
        facts=_table(
            {
                "method": [
                    f"[{plain(one.name)}](<{_FOLDER}/rare/{file}>)" for file, one in ordered.items()
                ],
                "by": [_author(entry) for entry in rows],
                "runs the network": [entry.runs_network for entry in rows],
                "tuned on": [plain(entry.tuned_on) for entry in rows],
                "worst task": column(lambda one: plain(one.worst)),
            },
            numbers=False,
        ),
    )


def _power(number: float) -> str:
    exponent = math.floor(math.log10(number))
    return rf"{number / 10**exponent:.1f} \times 10^{{{exponent}}}"


def _mean(number: float | None) -> str:
    if number is None:
        return "–"
    if number < _NOISE:
        return "0"
    return f"{number:.1e}" if number >= 1e5 else _digits(number)


def _loss(values: tuple[float | None, ...] | None) -> str:
    """A mean loss with its interval; ``None`` in it is infinity."""
    if values is None:
        return "–"
    value, low, high = ("∞" if one is None else _mean(one) for one in values)
    return value if value == low == high else f"{value} [{low}, {high}]"


def _sizes(its_round: Round) -> str:
    populations = its_round.populations.values()
    return "; ".join(f"{plain(one.name)} ({one.n_models})" for one in populations)


def _inputs(result: Result) -> str:
    return f"{result.samples:,.0f}"


def _ratio(ratio: Ratio | None) -> str:
    """A ratio with its interval, to two digits."""
    if ratio is None:
        return "–"
    if ratio.low is None or ratio.high is None:
        return _digits(ratio.value)
    return f"{_digits(ratio.value)} [{_digits(ratio.low)}, {_digits(ratio.high)}]"


def _digits(number: float) -> str:
    """A number to two digits, with up to six decimals."""
    rounded = float(f"{number:.2g}")
    if abs(rounded) >= 10:
        return f"{rounded:,.0f}"
    size = 1 - math.floor(math.log10(abs(rounded))) if rounded else 1
    return f"{rounded:.{min(size, 6)}f}"


def _author(entry: Entry | RareEntry) -> str:
    link = entry.source.link
    if link is None:
        return plain(entry.author)
    return f"[{plain(entry.author)}](<{link.replace('|', '%7C')}>)"  # a bar would end the cell


def _name(file: str, entry: Entry) -> str:
    """The name of an entry with a link to its file, and its author if that is not the book."""
    link = f"[{plain(entry.name)}](<{_FOLDER}/{file}>)"
    return link if entry.author == _BOOK else f"{link}, by {_author(entry)}"


def _constants(facts: Facts) -> str:
    """Where fitted constants come from, and the bits of advice if there are any."""
    bits = facts.advice_bits
    return f"{facts.constants}; {bits:,.0f} bits" if bits else facts.constants


def plain(text: str) -> str:
    """Return a text of an author as Markdown that shows it as it is, on one line."""
    return re.sub(r"([^\w\s.,;:'()–-])", r"\\\1", " ".join(text.split()))


def _table(columns: Mapping[str, Sequence[str]], numbers: bool = True) -> str:
    """A table that can be sorted, with a column for each heading; numbers are on the right."""
    lines: Iterable[Sequence[str]] = [
        tuple(columns),
        ["---", *["---:" if numbers else "---"] * (len(columns) - 1)],
        *zip(*columns.values(), strict=True),
    ]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"```{{table}}\n:class: sortable\n\n{body}\n```"
