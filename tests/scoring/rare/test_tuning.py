"""Temperatures are chosen by the loss on the tasks that are given, and by nothing else."""

import pytest

from algzoo.estimates.rare import METHODS, Method, RareEstimate
from algzoo.scoring.rare.tasks import tasks
from algzoo.scoring.rare.tuning import TEMPERATURES, tuned_temperature

TWO = tasks("tuning")[:2]


def good_at(best):
    """A method that tells the two tasks apart at one temperature, and cannot tell at others."""

    def estimate(event, budget, seed, *, temperature):
        likely = event.threshold == 0 if temperature == best else seed % 2 == 0
        return RareEstimate(1e-4 if likely else 1e-7, budget, "random inputs")

    return Method("made up", estimate, needs_temperature=True)


@pytest.mark.parametrize("best", [0.05, 1.0, 20.0])
def test_the_best_temperature_is_found(best):
    tuned = tuned_temperature(good_at(best), 256, TWO)
    assert (tuned.temperature, tuned.budget, tuned.method) == (best, 256, "made up")
    assert tuned.losses[best] == min(tuned.losses.values())
    assert tuple(tuned.losses) == TEMPERATURES
    assert tuned.tuned_on == tuple(task.name for task in TWO)


def test_a_tie_goes_to_the_highest_temperature():
    zero = Method(
        "zero", lambda *_, temperature: RareEstimate(0.0, 1, "never"), needs_temperature=True
    )
    assert tuned_temperature(zero, 256, TWO).temperature == max(TEMPERATURES)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="naive has no temperature"):
        tuned_temperature(METHODS["naive"], 256, TWO)
    with pytest.raises(ValueError, match="on at least one task"):
        tuned_temperature(METHODS["ITGIS"], 256, [])
