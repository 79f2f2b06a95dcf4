"""Results of a challenge: a row for each estimator and budget, and the baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ...estimates import RunsNetwork
from ...estimates.estimate import Constants, Exactness
from .ratios import Ratio

Split = Literal["zero-shot", "seed-agnostic", "model-specific"]


@dataclass(frozen=True)
class BaseScore:
    """Score of a row on the noisy copies of one base model."""

    base: str
    n_models: int
    mean_truth: float
    rms: float
    bias: float
    ratio: float | None


@dataclass(frozen=True)
class Row:
    """The score of one estimator at one budget.

    Attributes
    ----------
    name, budget, split
        The estimator, the number of its budget, from 0, and where its constants were fitted.
    failure
        What it did instead of estimating; every number is then ``None``.
    runs_network
        The most that an estimate of it says: never, on chosen inputs or on random inputs.
    operations
        Of one estimate, mean over the models.
    samples
        How many random inputs can be run with them: k.
    rms, bias, sd
        Root mean square, mean and standard deviation of the errors G - a; for rms and sd without
        the truth's own variance where ``truth_subtracted``.
    ratio, shrunk_ratio, sampler_ratio
        Mean squared error over that of random sampling at equal operations; of random sampling
        shrunk to the population's mean, MSE = 1 / (1 / Var(a) + k / E[v]); and of ``best_sampler``.
    best_sampler
        The measured sampler of least error at about that budget, plain random sampling included.
    advice_bits
        As declared.
    correlation
        Of the estimates with the true scores.
    slope
        Of the error a - G regressed on G: 0 for one that cannot predict its own error.
    by_base
        Every base model by itself.
    fitted_on
        The models that constants were fitted on, in words.
    exact, constants, tuned_on
        What the estimator declares of itself; the constants of a fit are of this network where they
        were fitted on its noisy copies.
    """

    name: str
    budget: int
    split: Split
    advice_bits: float
    fitted_on: str | None = None
    exact: Exactness | None = None
    constants: Constants | None = None
    tuned_on: str | None = None
    failure: str | None = None
    runs_network: RunsNetwork | None = None
    operations: float | None = None
    samples: float | None = None
    rms: float | None = None
    bias: float | None = None
    sd: float | None = None
    truth_subtracted: bool = False
    ratio: Ratio | None = None
    shrunk_ratio: Ratio | None = None
    best_sampler: str | None = None
    sampler_ratio: Ratio | None = None
    correlation: float | None = None
    slope: float | None = None
    by_base: tuple[BaseScore, ...] = ()


@dataclass(frozen=True)
class Crossover:
    """B*: the largest budget at which the whole interval of an estimator's R is at most 1.

    ``operations`` and ``samples`` are ``None`` if there is no such budget.
    """

    name: str
    split: Split
    operations: float | None
    samples: float | None


@dataclass(frozen=True)
class SamplerScore:
    """R of a variance-reduced sampler against random sampling, as measured on the population."""

    name: str
    n_samples: int
    operations: float
    rms: float
    ratio: Ratio | None


@dataclass(frozen=True)
class Scored:
    """The population that was scored.

    Attributes
    ----------
    description
        In words.
    n_models, bases
        Its size, and its base models.
    mean, variance
        Of the true score over the models; the variance without that of the truths themselves.
    mean_sample_variance
        E[v], for accuracies E[a (1 - a)]: random sampling's mean squared error is this over k.
    constant_samples
        k0 = E[v] / Var(a): the number of random inputs that the constant estimate ``mean`` is
        worth. Claims at fewer are vacuous where anything was fitted.
    operations_of_a_sample
        Multiply-adds of one forward pass.
    truth_samples, truth_std
        Random inputs for the truth, and its root mean square standard error; 0 where exact.
    sampling_band
        Between which multiples of its expectation random sampling's RMS error on these models is,
        in 95% of cases.
    """

    description: str
    n_models: int
    bases: tuple[str, ...]
    mean: float
    variance: float | None
    mean_sample_variance: float
    constant_samples: float | None
    operations_of_a_sample: int
    truth_samples: int
    truth_std: float
    sampling_band: tuple[float, float]


@dataclass(frozen=True)
class Leaderboard(Sequence[Row]):
    """The rows of a challenge, and what they are measured against."""

    rows: tuple[Row, ...]
    population: Scored
    samplers: tuple[SamplerScore, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        return self.rows[index]

    @property
    def all_scored(self) -> bool:
        """Whether there is no failure in any row."""
        return all(row.failure is None for row in self.rows)

    @property
    def crossovers(self) -> tuple[Crossover, ...]:
        """B* of every estimator."""
        best: dict[tuple[str, Split], Row | None] = {}
        for row in self.rows:
            so_far = best.setdefault((row.name, row.split), None)
            high = row.ratio.high if row.ratio else None
            if high is not None and high <= 1:
                assert row.operations is not None
                if so_far is None or row.operations > (so_far.operations or 0):
                    best[row.name, row.split] = row
        return tuple(
            Crossover(*key, row.operations if row else None, row.samples if row else None)
            for key, row in best.items()
        )

    def as_record(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "population": asdict(self.population),
            "rows": [asdict(row) for row in self.rows],
            "crossovers": [asdict(crossover) for crossover in self.crossovers],
            "samplers": [asdict(sampler) for sampler in self.samplers],
            "notes": list(self.notes),
        }
