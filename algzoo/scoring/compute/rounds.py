"""Rounds of the leaderboard: populations, true scores and opponents that never change.

A round is a file of this package. It says how its models are made, and holds their true scores and
the errors of the best samplers on them, so that an entry is scored without computing either again.
Two digests tell when that is no longer right: that of the weights of the models of a population,
should another release make other noise, and that of the round itself, which every entry names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from ...estimates.baselines import samplers_for
from ...zoo import FAMILIES
from ...zoo.populations import NoisyCopies, Population, TrainingSeeds, ZooModel, base_named
from ...zoo.streams import model_digest
from .challenge import (
    SAMPLER_BUDGETS,
    MeasuredSampler,
    Workers,
    best_sampler,
    measured_samplers,
    sampler_budget,
    true_scores,
    truths_as_arrays,
)
from .leaderboard import Split
from .plain_json import plain_json, rounded
from .ratios import Errors, Truths, ratios, scrambles_of
from .round_files import ACCURACY, content_of, names_in, text_of
from .truth import TruthCache

_DIGITS = 8  # decimals of a true score in the file


@dataclass(frozen=True)
class RoundPopulation:
    """Models that are scored together in a round.

    Attributes
    ----------
    name
        Name in the round.
    model, seeds, sd, copies, seed
        The model as it is named on the command line, or all training seeds of its size; the
        standard deviation of the noise on raw weights, ``None`` for the models as they are; the
        number of noisy copies of each base, and the seed of the noise.
    models_digest
        SHA-256 of the weights of all models.
    truths
        True scores, sampled with ``truth_samples`` inputs each, or exact where that is 0.
    opponents
        The best sampler at each budget, in random inputs, where one beats plain sampling.
    """

    name: str
    model: str
    seeds: bool
    sd: float | None
    copies: int
    seed: int
    models_digest: str
    truth_samples: int
    truths: Truths
    opponents: Mapping[int, MeasuredSampler]

    @property
    def n_models(self) -> int:
        """Number of models."""
        return len(self.truths.value)

    def models(self) -> Population:
        """The models.

        Raises
        ------
        OfficialFileMissing
            If they are made from ARC's example, whose file cannot be had.
        """
        return _models(self.model, self.seeds, self.sd, self.copies, self.seed)

    def opponent(self, samples: float) -> MeasuredSampler | None:
        """The sampler of least error at about that budget, ``None`` for plain random sampling."""
        return self.opponents.get(sampler_budget(samples))


@dataclass(frozen=True)
class Round:
    """A round of the leaderboard.

    Attributes
    ----------
    name
        Its name.
    about
        What it is for, in a sentence.
    ranked
        Whether entries are shown in the book; those of a round for trying are not.
    main
        Name of the population by which they are ordered.
    seed
        Of the generators in an estimator's calls and of the resampling.
    fit_copies, own_fit_copies, fit_sd, fit_truth_samples
        Noisy copies of each of the other training seeds that constants are fitted on, and of the
        same base; their noise where the population has none, and the random inputs for their true
        scores.
    populations
        By name.
    digest
        SHA-256 of its content.
    """

    name: str
    about: str
    ranked: bool
    main: str
    seed: int
    fit_copies: int
    own_fit_copies: int
    fit_sd: float
    fit_truth_samples: int
    populations: Mapping[str, RoundPopulation]
    digest: str

    def models_of_fit(self, population: Population, base: int, split: Split) -> Population | None:
        """Other noisy copies of base number ``base``, or copies of the other training seeds."""
        if not isinstance(population, NoisyCopies):
            population = NoisyCopies(population.bases, self.fit_sd, 1, self.seed)
        if split == "model-specific":
            return population.tuning(base, self.own_fit_copies)
        return population.tuning_of_others(base, self.fit_copies)


def round_names() -> list[str]:
    """Names of the rounds of this package."""
    return names_in(ACCURACY)


@cache
def round_named(name: str) -> Round:
    """The round of that name.

    Raises
    ------
    ValueError
        If there is none; says which there are.
    """
    return round_from(text_of(ACCURACY, name))


def round_from(text: str) -> Round:
    """Read the text of a round."""
    content, digest = content_of(text)
    populations = {one["name"]: _population(one) for one in content.pop("populations")}
    return Round(**content, populations=populations, digest=digest)


def _population(content: dict[str, Any]) -> RoundPopulation:
    value = np.array(content.pop("truths"))
    n_samples, variance = content["truth_samples"], value * (1 - value)
    operations_of_a_sample = content.pop("operations_of_a_sample")
    truths = Truths(
        value,
        variance / n_samples if n_samples else np.zeros_like(value),
        variance,
        np.arange(len(value)) // content["copies"],
        operations_of_a_sample,
        scrambles_of(len(value)),
    )
    opponents = {}
    for one in content.pop("opponents"):
        squared = np.array(one["squared_errors"])
        errors = Errors(squared, np.full(len(squared), one["operations"]), False)
        opponents[one["budget"]] = MeasuredSampler(
            one["budget"], one["sampler"], one["n_samples"], errors
        )
    return RoundPopulation(**content, truths=truths, opponents=opponents)


def _models(model: str, seeds: bool, sd: float | None, copies: int, seed: int) -> Population:
    base = base_named(model)
    if not seeds:
        if sd is None:
            raise ValueError(f"the population of {model} has neither noise nor training seeds")
        return NoisyCopies(base, sd, copies, seed)
    if not isinstance(base, ZooModel):
        raise ValueError(f"{model} was trained with one seed")
    trained = TrainingSeeds(base.family, base.hidden_size, base.seq_len, base.n_seqs)
    return trained if sd is None else NoisyCopies(trained, sd, copies, seed)


def digest_of_models(population: Population) -> str:
    """SHA-256 of the weights of all models of a population, in their order."""
    digest = hashlib.sha256()
    for index in range(len(population)):
        digest.update(model_digest(population.model(index)).encode())
    return digest.hexdigest()


def frozen(definition: Mapping[str, Any], pool: Workers, cache: TruthCache) -> str:
    """Text of a new round, with true scores and opponents.

    Parameters
    ----------
    definition
        The attributes of :class:`Round` but the digest. Each population has those of
        :class:`RoundPopulation` up to ``seed``, and ``opponents``: whether samplers are measured,
        which needs many models.
    pool, cache
        Who does the work, and where true scores are kept.

    Raises
    ------
    ValueError
        If the score of a model is not an accuracy, or a population makes no sense.
    OfficialFileMissing
        As :meth:`RoundPopulation.models`.
    """
    content = {key: value for key, value in definition.items() if key != "truth_samples"}
    populations = [
        _frozen_population(dict(one), definition["truth_samples"], pool, cache)
        for one in definition["populations"]
    ]
    return plain_json({**content, "populations": populations})


def _frozen_population(
    content: dict[str, Any], n_samples: int, pool: Workers, cache: TruthCache
) -> dict[str, Any]:
    wants_opponents = content.pop("opponents")
    facts = {key: value for key, value in content.items() if key != "name"}
    population = _models(**facts)
    if FAMILIES[population.model(0).task_name].measures_error:
        raise ValueError(f"{content['name']}: a round needs models whose score is an accuracy")
    [found] = true_scores(pool, {"": population}, n_samples, cache).values()
    is_exact = all(truth.std == 0 for truth in found)
    content |= {
        "copies": population.copies,
        "models_digest": digest_of_models(population),
        "operations_of_a_sample": truths_as_arrays(found, population).operations_of_a_sample,
        "truth_samples": 0 if is_exact else n_samples,
        "truths": [round(truth.value, _DIGITS) for truth in found],
    }
    # Opponents are measured against the true scores as they stand in the file.
    truths = _population({**content, "opponents": []}).truths
    opponents = _opponents(population, truths, pool) if wants_opponents else []
    return {**content, "opponents": opponents}


def _opponents(population: Population, truths: Truths, pool: Workers) -> list[dict[str, Any]]:
    least, greatest = SAMPLER_BUDGETS
    budgets = [least]
    while budgets[-1] < greatest:
        budgets.append(2 * budgets[-1])
    samplers = samplers_for(population.model(0))
    measured, _ = measured_samplers(pool, samplers, budgets, population, truths)
    found = ratios([(one.errors, None) for one in measured], truths, pool.seed)
    measured = [replace(one, ratio=own.iid) for one, own in zip(measured, found, strict=True)]
    best = [one for budget in budgets if (one := best_sampler(measured, budget))]
    return [
        {
            "budget": one.budget,
            "sampler": one.name,
            "n_samples": one.n_samples,
            "operations": rounded(float(one.errors.operations.mean())),
            "squared_errors": [rounded(float(error)) for error in one.errors.squared],
        }
        for one in best
    ]
