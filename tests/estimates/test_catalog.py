from algzoo.estimates import catalog


def test_every_estimator_works_at_the_tier_it_states(official_2_2):
    for entry in catalog():
        estimate = entry.estimator(official_2_2)
        assert estimate.tier == entry.tier
        assert abs(estimate.value - 0.99992) < 1e-5
        assert estimate.operations > 0


def test_names_are_unique():
    names = [entry.name for entry in catalog()]
    assert len(set(names)) == len(names) > 0
