import pytest

from algzoo.estimates import catalog, exact, sampling
from algzoo.zoo import zoo_2nd_argmax

TOLERANCE = {"A": 1e-5, "C": 0.02}


@pytest.mark.parametrize("entry", catalog(), ids=lambda entry: entry.name)
def test_every_estimator_works_at_the_tier_it_states(official_2_2, entry):
    applicable = {"two": official_2_2, "three": zoo_2nd_argmax(4, 3), "four": zoo_2nd_argmax(2, 4)}
    models = [model for word, model in applicable.items() if word in entry.applies_to]
    assert models
    for model in models:
        estimate = entry.estimator(model)
        assert estimate.tier == entry.tier
        truth = exact(model) if model.seq_len < 4 else sampling(model, 2**20, 0)
        assert abs(estimate.value - truth.value) < TOLERANCE[entry.tier]
        assert estimate.operations > 0


def test_names_are_unique():
    names = [entry.name for entry in catalog()]
    assert len(set(names)) == len(names) > 0
