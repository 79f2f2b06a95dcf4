"""Rounds stay what they are: their models, their true scores and their opponents."""

import json
from importlib.resources import files

import numpy as np
import pytest

from algzoo.estimates import sampling
from algzoo.estimates.baselines import SAMPLERS
from algzoo.estimates.samplers.second_argmax import Drawn
from algzoo.scoring.compute.challenge import Workers
from algzoo.scoring.compute.rounds import (
    digest_of_models,
    frozen,
    round_from,
    round_named,
    round_names,
)
from algzoo.scoring.compute.truth import TruthCache, truth
from algzoo.zoo.official import OfficialFileMissing
from algzoo.zoo.streams import model_digest

DIGESTS = {  # a round never changes: what is new gets a new name
    "2026-12": "09d016ad7343b43d943d7ae1874fc37805d174dda4c89b44a483f4a041686bca",
    "trial": "f89758f582b0662111c90362b0079828965eb5c665a96ce6e63f4126f9aac988",
}
POPULATIONS = [
    (name, population.name)
    for name in round_names()
    for population in round_named(name).populations.values()
]
ADDED = ("models_digest", "operations_of_a_sample", "truth_samples", "truths")


def content_of(name):
    path = files("algzoo.scoring") / "data" / "rounds" / f"{name}.json"
    return json.loads(path.read_text("utf-8"))


@pytest.fixture(params=POPULATIONS, ids=lambda pair: ", ".join(pair))
def population(request):
    name, population = request.param
    if round_named(name).populations[population].model.startswith("example"):
        request.getfixturevalue("official")
    return round_named(name).populations[population]


def test_no_round_has_changed():
    assert {name: round_named(name).digest for name in round_names()} == DIGESTS


def test_the_digest_is_that_of_the_content():
    text = (files("algzoo.scoring") / "data" / "rounds" / "trial.json").read_text("utf-8")
    assert round_from(text.replace("\n", " ")).digest == DIGESTS["trial"]
    assert round_from(text.replace("0.866", "0.867", 1)).digest != DIGESTS["trial"]


def test_models_are_those_of_the_round(population):
    models = population.models()
    assert len(models) == population.n_models
    assert digest_of_models(models) == population.models_digest


def test_true_scores_are_computed_again_and_by_other_inputs(population):
    models, truths = population.models(), population.truths
    n_samples = population.truth_samples
    for index in (0, len(models) // 2, len(models) - 1):
        again = truth(models.model(index), n_samples)
        assert again.value == pytest.approx(truths.value[index], abs=3 / n_samples + 1e-8)
        assert again.std**2 == pytest.approx(truths.variance[index], rel=1e-4)
        other = sampling(models.model(index), 2**20, seed=7)
        allowed = 5 * (other.std**2 + truths.variance[index]) ** 0.5
        assert other.value == pytest.approx(truths.value[index], abs=allowed)


def test_opponents_have_the_errors_that_the_file_says(population):
    models, truths = population.models(), population.truths
    for opponent in population.opponents.values():
        sampler = Drawn(opponent.name, SAMPLERS[opponent.name], opponent.n_samples, population.seed)
        for index in (0, len(models) - 1):
            error = (sampler(models.model(index)).value - truths.value[index]) ** 2
            squared = opponent.errors.squared[index]
            # The variance of the truth was taken off, where that matters.
            slack = truths.variance[index]
            assert error == pytest.approx(squared, rel=1e-4, abs=1.0001 * slack)


def test_the_trial_round_is_made_again(tmp_path):
    content = content_of("trial")
    definition = {**content, "truth_samples": content["populations"][0]["truth_samples"]}
    definition["populations"] = [
        {key: value for key, value in one.items() if key not in ADDED}
        | {"opponents": bool(one["opponents"])}
        for one in content["populations"]
    ]
    pool = Workers(workers=1, seed=content["seed"])
    made = json.loads(frozen(definition, pool, TruthCache(tmp_path)))
    for new, old in zip(made["populations"], content["populations"], strict=True):
        assert new["models_digest"] == old["models_digest"]
        np.testing.assert_allclose(new["truths"], old["truths"], atol=3 / 2**18)
        for mine, its in zip(new["opponents"], old["opponents"], strict=True):
            assert (mine["budget"], mine["sampler"]) == (its["budget"], its["sampler"])
            np.testing.assert_allclose(mine["squared_errors"], its["squared_errors"], atol=1e-6)


@pytest.mark.parametrize("split", ["seed-agnostic", "model-specific"])
def test_constants_are_never_fitted_on_the_scored_models(split):
    its_round = round_named("trial")
    for population in its_round.populations.values():
        models = population.models()
        scored = {model_digest(models.model(i)) for i in range(len(models))}
        for base in range(len(models.bases)):
            others = its_round.models_of_fit(models, base, split)
            assert (others.stream, others.sd) == ("tuning", 0.005)
            names = {other.name for other in others.bases}
            if split == "seed-agnostic":
                assert len(others) == 4 * its_round.fit_copies
                assert models.bases[base].name not in names
            else:
                assert len(others) == its_round.own_fit_copies
                assert names == {models.bases[base].name}
            assert not scored & {model_digest(others.model(i)) for i in range(16)}


def test_a_round_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"no round '2025'; there are: 2026-12, trial"):
        round_named("2025")


def test_without_arcs_file_the_others_can_be_scored():
    its_round = round_named("2026-12")
    needs = [
        population.name for population in its_round.populations.values() if _is_missing(population)
    ]
    assert needs == [f"ARC's example, sd {sd:g}" for sd in (0.002, 0.005, 0.01)]


def _is_missing(population):
    try:
        population.models()
    except OfficialFileMissing:
        return True
    return False
