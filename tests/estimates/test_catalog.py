import pytest

from algzoo.estimates import catalog, exact, sampling
from algzoo.zoo import zoo_2nd_argmax

# Of the samplers 5 standard deviations: 1,024 inputs, accuracies of at least .9.
TOLERANCE = {"A": 1e-5, "B": 0.02, "C": 0.02, "D": 0.05}


@pytest.mark.parametrize("entry", catalog(), ids=lambda entry: entry.name)
def test_every_estimator_works_at_the_tier_it_states(official_2_2, entry):
    applicable = {
        "two": official_2_2,
        "three": zoo_2nd_argmax(4, 3),
        "four inputs": zoo_2nd_argmax(2, 4),
        "ten": zoo_2nd_argmax(16, 10),
    }
    models = [model for words, model in applicable.items() if words in entry.applies_to]
    if entry.applies_to == "2nd-argmax models":
        models = [applicable["three"]]
    assert models
    for model in models:
        truth = exact(model) if model.seq_len < 4 else sampling(model, 2**18, 0)
        estimator = entry.fit([model], [truth.value]) if entry.fit else entry.estimator
        estimate = estimator(model)
        assert estimate.tier == entry.tier
        assert abs(estimate.value - truth.value) < TOLERANCE[entry.tier]
        assert estimate.operations > 0


def test_names_are_unique():
    names = [entry.name for entry in catalog()]
    assert len(set(names)) == len(names) > 0
