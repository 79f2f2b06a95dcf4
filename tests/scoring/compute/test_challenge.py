"""The challenge: known estimators come out as what they are, whoever does the work."""

import math
import os
import signal
import sys
import threading
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cloudpickle
import numpy as np
import pytest
from scipy import stats

from algzoo.estimates import Estimate, catalog, class_cubature, exact, sampling
from algzoo.estimates.baselines import SAMPLERS
from algzoo.estimates.samplers.second_argmax import prior_shrunk
from algzoo.scoring import Entrant, Ratio, challenge
from algzoo.scoring.compute.challenge import (
    MeasuredSampler,
    _check_same,
    _chunks,
    _correlation,
    _slope,
    best_sampler,
    sampler_budget,
)
from algzoo.scoring.compute.ratios import Errors, Truths, errors_of, ratios
from algzoo.scoring.compute.sandbox import EstimatorFailure, Outcome
from algzoo.scoring.compute.truth import Truth, TruthCache
from algzoo.scoring.compute.work import work_off
from algzoo.zoo.populations import NoisyCopies, TrainingSeeds
from algzoo.zoo.streams import model_digest

# The workers cannot import the tests.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

SMALL = NoisyCopies(("2nd_argmax", 2, 2), 0.05, 100, seed=1)


class InThisThread(Executor):
    """Does what it is told at once."""

    def submit(self, function, /, *args, **kwargs):
        future = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


@pytest.fixture
def score(tmp_path):
    """A challenge in this thread, so that all tests share one sandbox."""
    settings = {"executor": InThisThread(), "samplers": {}, "truth_cache": tmp_path / "truth"}

    def call(estimators, population=SMALL, **changes):
        return challenge(estimators, population, **settings | changes)

    return call


def iid(model, n_samples):
    """Random sampling on inputs of the model's own."""
    return sampling(model, n_samples, int(model_digest(model)[:15], 16))


def constant(model, value=0.9, operations=160):
    return Estimate(value, operations, "never")


def shifted(model, bias, spread):
    """Exact but for an error that is known: bias plus or minus spread."""
    found = exact(model)
    sign = 1 if int(model_digest(model)[0], 16) % 2 else -1
    return replace(found, value=found.value + bias + sign * spread)


@pytest.mark.parametrize(
    ("population", "operations"),
    [
        (SMALL, 16),
        (NoisyCopies(("2nd_argmax", 4, 3), 0.05, 100, seed=1), 72),
        (NoisyCopies(TrainingSeeds("2nd_argmax", 16, 10), 0.005, 20, seed=1), 2880),
    ],
)
def test_random_sampling_comes_out_at_one(score, population, operations):
    estimators = {"iid": [partial(iid, n_samples=n) for n in (50, 500)]}
    board = score(estimators, population, truth_samples=2**16)
    assert board.population.operations_of_a_sample == operations
    for row, n_samples in zip(board, (50, 500), strict=True):
        assert row.runs_network == "random inputs"
        assert (row.operations, row.samples) == (operations * n_samples, n_samples)
        # Six intervals of 95% each: half as wide again, they all hold but once in fifty times.
        value, ends = row.ratio.value, (row.ratio.low, row.ratio.high)
        low, high = (value + 1.5 * (end - value) for end in ends)
        assert low < 1 < high
        assert row.ratio.high < 2
        expected = (1 + board.population.constant_samples / n_samples) ** -0.5
        assert row.correlation == pytest.approx(expected, abs=0.25)


def test_a_known_error_is_reported_as_it_is(score):
    board = score({"shifted": partial(shifted, bias=-0.02, spread=0.01)})
    signs = [int(model_digest(SMALL.model(i))[0], 16) % 2 * 2 - 1 for i in range(100)]
    errors = -0.02 + 0.01 * np.array(signs)
    [row] = board
    assert row.bias == pytest.approx(errors.mean(), abs=1e-12)
    assert row.sd == pytest.approx(errors.std(), abs=1e-12)
    assert row.rms == pytest.approx(math.sqrt((errors**2).mean()), abs=1e-12)
    accuracy = np.array([exact(SMALL.model(i)).value for i in range(100)])
    operations = np.mean([exact(SMALL.model(i)).operations for i in range(100)])
    assert row.samples == pytest.approx(operations / 16)
    expected = (errors**2).sum() / (accuracy * (1 - accuracy) * 16 / operations).sum()
    assert row.ratio.value == pytest.approx(expected, rel=1e-9)
    estimates = accuracy + errors
    assert row.correlation == pytest.approx(np.corrcoef(estimates, accuracy)[0, 1], abs=1e-9)
    assert row.slope == pytest.approx(np.polyfit(estimates, -errors, 1)[0], abs=1e-9)
    assert not row.truth_subtracted
    assert board.population.mean == pytest.approx(accuracy.mean())
    assert board.population.variance == pytest.approx(accuracy.var(ddof=1))


def test_prior_shrunk_sampling_beats_random_sampling_by_the_closed_form(score):
    known = score({"constant": constant}).population
    k, v = 20, known.mean_sample_variance
    shrunk = partial(
        lambda model, **advice: prior_shrunk(model, k, int(model_digest(model)[:15], 16), **advice),
        mean=known.mean,
        variance=known.variance,
    )
    [row] = score({"shrunk": shrunk})
    assert row.samples == k
    closed_form = k / v / (1 / known.variance + k / v)
    assert closed_form < 0.9
    assert row.ratio.low < closed_form < row.ratio.high
    assert row.ratio.value / row.shrunk_ratio.value == pytest.approx(closed_form, rel=1e-9)
    assert known.constant_samples == pytest.approx(v / known.variance)


def test_the_constant_estimate_is_worth_k0(score):
    known = score({"constant": constant}).population
    [row] = score({"mean": partial(constant, value=known.mean, operations=1600)})
    # The variance is estimated with N - 1.
    assert row.ratio.value == pytest.approx(100 / known.constant_samples * 99 / 100)
    assert (row.correlation, row.slope) == (None, None)


def test_budgets_and_their_crossover(score):
    operations = [160, 64000, 320]
    board = score({"near": [partial(constant, value=0.99, operations=n) for n in operations]})
    assert [row.budget for row in board] == [0, 1, 2]
    winning = [n for n, row in zip(operations, board, strict=True) if row.ratio.high <= 1]
    assert winning
    assert len(winning) < 3
    [crossover] = board.crossovers
    assert (crossover.operations, crossover.samples) == (max(winning), max(winning) / 16)
    [never] = score({"wrong": partial(constant, value=0.0, operations=10**6)}).crossovers
    assert (never.operations, never.samples) == (None, None)


def test_samplers_are_measured_at_the_budget_of_a_row(score):
    chosen = {name: SAMPLERS[name] for name in ("iid", "stratified Sobol", "tree")}
    board = score({"constant": partial(constant, operations=16 * 100)}, samplers=chosen)
    assert {sampler.name for sampler in board.samplers} == {"stratified Sobol", "tree"}
    for sampler in board.samplers:
        assert 16 * 64 < sampler.operations < 16 * 256
        assert sampler.ratio.value == pytest.approx(
            sampler.rms**2 / (board.population.mean_sample_variance * 16 / sampler.operations)
        )
    [row] = board
    best = min(board.samplers, key=lambda sampler: sampler.ratio.value)
    assert best.ratio.value < 0.7
    assert row.best_sampler == best.name
    assert row.sampler_ratio.value == pytest.approx(row.ratio.value / best.ratio.value)
    assert row.sampler_ratio.low < row.sampler_ratio.value < row.sampler_ratio.high


def test_without_a_better_sampler_the_best_is_random_sampling(score):
    def wasteful(model, n_samples, seed):
        found = sampling(model, n_samples, seed)
        return replace(found, operations=3 * found.operations)

    board = score(
        {"constant": partial(constant, operations=16000)}, samplers={"wasteful": wasteful}
    )
    assert board[0].best_sampler == "iid"
    assert board[0].sampler_ratio == board[0].ratio
    [sampler] = board.samplers
    assert sampler.ratio.low < 3 < sampler.ratio.high
    assert sampler.ratio.low > 1


def test_a_sampler_that_fails_on_a_model_is_left_out_and_the_others_are_not(score):
    fatal = model_digest(SMALL.model(70))

    def fails_late(model, n_samples, seed):
        if model_digest(model) == fatal:
            raise ZeroDivisionError("by chance")
        return sampling(model, n_samples, seed)

    chosen = {"fails": fails_late, "tree": SAMPLERS["tree"]}
    board = score({"constant": partial(constant, operations=1600)}, samplers=chosen)
    assert {sampler.name for sampler in board.samplers} == {"tree"}
    [note] = board.notes
    assert note == "sampler fails is left out: on model 70: ZeroDivisionError: by chance"


def test_a_sampler_that_does_not_apply_is_left_out(score):
    population = NoisyCopies(("longest_cycle", 2, 3), 0.01, 3)
    board = score({"constant": constant}, population, samplers=SAMPLERS)
    assert board.samplers == ()
    assert any("sampler antithetic is left out" in note for note in board.notes)


def test_median_models_are_scored_by_their_squared_error(score):
    population = NoisyCopies(("median", 2, 3), 0.02, 60)
    board = score({"iid": partial(iid, n_samples=200)}, population, truth_samples=2**15)
    assert board[0].ratio.low < 1 < board[0].ratio.high


def test_declared_operations_and_advice(score):
    closed_form = Entrant("right", constant, 12.5, operations=lambda model: 80 * model.seq_len)
    wrong = Entrant("wrong", constant, operations=lambda model: 161)
    right_row, wrong_row = score([closed_form, wrong])
    assert right_row.advice_bits == 12.5
    assert "declares 161 operations in closed form, but its estimate says 160" in wrong_row.failure


def fit_mean(models, truths):
    mean = sum(truths) / len(truths)
    return partial(constant, value=mean, operations=1000 + len(models))


def test_the_price_of_transcendental_functions_can_be_changed(score):
    def estimator(model):
        return Estimate(0.9, 100, "never", transcendental=3)

    rows = [score({"e": estimator}, transcendental_price=price)[0] for price in (5, 10, 50)]
    assert [row.operations for row in rows] == [85, 100, 220]
    assert rows[2].ratio.value == pytest.approx(rows[0].ratio.value * 220 / 85)
    # The exact accuracy takes an arc tangent for each boundary.
    cheap, dear = (score({"e": exact}, transcendental_price=price)[0] for price in (5, 50))
    assert dear.operations - cheap.operations >= 45


def test_fitted_constants_are_scored_in_three_rows(score):
    population = NoisyCopies(TrainingSeeds("2nd_argmax", 2, 2), 0.01, 10)
    mean = Entrant("mean", constant, fit=fit_mean)
    board = score([mean], population, n_tuning=7, truth_samples=1000)
    zero_shot, agnostic, specific = board
    assert [row.split for row in board] == ["zero-shot", "seed-agnostic", "model-specific"]
    assert [row.operations for row in board] == [160, 1000 + 4 * 7, 1000 + 7]
    assert zero_shot.fitted_on is None
    assert agnostic.fitted_on.startswith("7 models of each of 4 base models")
    assert specific.fitted_on.startswith("7 models of 1 base model")
    # Their truths are exact; where they are not, they are sampled less than those scored.
    assert specific.fitted_on.endswith("truth from 250 inputs where sampled")
    assert specific.rms < 0.05 < agnostic.rms
    # The seed-agnostic constant of a base is the mean over the tuning models of the others.
    for number, of_base in enumerate(agnostic.by_base):
        tuning = population.tuning_of_others(number, 7)
        mean = np.mean([exact(tuning.model(i)).value for i in range(len(tuning))])
        assert of_base.bias == pytest.approx(mean - of_base.mean_truth, abs=1e-9)
    assert len(board.crossovers) == 3


def test_rows_say_what_an_estimator_declares(score):
    [entry] = [one for one in catalog() if one.name == "skeleton"]
    population = NoisyCopies(TrainingSeeds("2nd_argmax", 2, 4), 0.1, 2)
    rows = score([Entrant.of(entry)], population, samplers={}, n_tuning=3)
    assert {row.exact for row in rows} == {"approximate"}
    assert [row.constants for row in rows] == ["none", "from other networks", "from this one"]
    assert [row.advice_bits for row in rows] == [0, 192, 192]
    assert {row.tuned_on for row in rows} == {"nothing"}
    half = {"half": lambda model: Estimate(0.5, 1, "never")}
    [plain] = score(half, population, samplers={})
    assert plain.exact is plain.constants is plain.tuned_on is None


def test_what_cannot_be_fitted_says_why(score):
    only_fit = Entrant("mean", fit=fit_mean)
    agnostic, specific = score([only_fit], TrainingSeeds("2nd_argmax", 2, 2))
    assert agnostic.failure is None
    assert specific.failure == "there are no other noisy copies of the same base model to fit on"
    broken = Entrant("broken", constant, fit=lambda models, truths: [][0])
    rows = score([broken])
    assert [bool(row.failure) for row in rows] == [False, True, True]
    assert "raised IndexError" in rows[1].failure


def test_bases_are_the_units_where_there_are_several(score):
    population = NoisyCopies(TrainingSeeds("2nd_argmax", 2, 2), 0.01, 10)
    [row] = score({"constant": partial(constant, operations=1600)}, population)
    assert [base.n_models for base in row.by_base] == [10] * 5
    assert row.rms**2 == pytest.approx(np.mean([base.rms**2 for base in row.by_base]))
    assert row.bias == pytest.approx(np.mean([base.bias for base in row.by_base]))
    # Five very different seeds: resampling them is much wider than resampling 50 models.
    [of_models] = ratios_of_models(population, row)
    assert row.ratio.value == pytest.approx(of_models.iid.value)
    assert row.ratio.high - row.ratio.low > 1.5 * (of_models.iid.high - of_models.iid.low)


def ratios_of_models(population, row):
    accuracy = np.array([exact(population.model(i)).value for i in range(len(population))])
    n = len(accuracy)
    truths = Truths(accuracy, np.zeros(n), accuracy * (1 - accuracy), np.zeros(n, int), 16)
    errors = errors_of(np.full(n, 0.9), np.full(n, row.operations), truths)
    return ratios([(errors, None)], truths, 0)


def sampled(model):
    import os as secret

    return Estimate(int.from_bytes(secret.urandom(4)) / 2**32, 16, "never")


def late(model, fatal=model_digest(SMALL.model(70))):  # noqa: B008
    """Fails on one model only, far from the first."""
    if model_digest(model) == fatal:
        raise ArithmeticError("just this one")
    return constant(model)


def hang(model):
    while True:
        pass


def test_the_hostile_are_reported_and_the_others_not_disturbed(score):
    alone = score({"good": constant})
    board = score(
        {
            "exits": lambda model: os._exit(1),
            "hangs": hang,
            "samples": sampled,
            "good": constant,
            "late": late,
            "unsendable": partial(constant, value=threading.Lock()),
        },
        time_limit=1,
    )
    failures = {row.name: row.failure for row in board}
    assert failures["exits"] == "on model 0: ended its process with exit status 1"
    assert failures["hangs"] == "on model 0: took longer than 1 s"
    assert "for the same model, although its runs_network is 'never'" in failures["samples"]
    assert failures["late"].startswith("on model 70: raised ArithmeticError: just this one")
    assert failures["unsendable"].startswith("cannot be sent to another process")
    assert not board.all_scored
    assert alone.all_scored
    assert board[3] == alone[0]
    broken = board[0]
    assert (broken.ratio, broken.rms, broken.runs_network, broken.by_base) == (None, None, None, ())


def test_truths_are_kept_and_repaired(score, tmp_path):
    population = NoisyCopies(("2nd_argmax", 2, 4), 0.02, 70)
    board = score([constant], population, truth_samples=500)
    files = sorted((tmp_path / "truth").iterdir())
    assert len(files) == 2  # 64 models and 6
    before = [file.stat().st_mtime_ns for file in files]
    assert score([constant], population, truth_samples=500) == board
    assert [file.stat().st_mtime_ns for file in files] == before
    files[0].write_bytes(b"{")
    assert score([constant], population, truth_samples=500) == board
    assert files[0].stat().st_size > 100
    assert score([constant], population, truth_samples=600) != board


def test_wrong_truths_of_the_code_before_are_not_read(score, tmp_path, monkeypatch):
    """Planted as this code would keep them they are read, which shows that they can be."""
    population = replace(SMALL, n_models=3)
    wrong = [Truth(0.5, 0.0, 0.25)] * 3
    cache = TruthCache(tmp_path / "truth")
    monkeypatch.setattr(
        sys.modules[TruthCache.__module__], "source_digest", lambda: 2
    )  # a number until lately
    cache.put(population, 0, 3, 500, wrong)
    monkeypatch.undo()
    true = np.mean([exact(population.model(index)).value for index in range(3)])
    board = score([constant], population, truth_samples=500)
    assert board.population.mean == pytest.approx(true, abs=1e-15)
    cache.put(population, 0, 3, 500, wrong)
    assert score([constant], population, truth_samples=500).population.mean == 0.5


def test_the_truths_own_variance_is_taken_off_where_it_matters(score):
    n = 400
    population = NoisyCopies(("2nd_argmax", 2, 4), 0.02, n)
    precise = [sampling(population.model(i), 2**14, i).value for i in range(n)]
    table = {model_digest(population.model(i))[:16]: precise[i] for i in range(n)}

    def off_by_a_hundredth(model):
        return Estimate(table[model_digest(model)[:16]] + 0.01, 160, "never")

    [row] = score([off_by_a_hundredth], population, truth_samples=1000)
    assert row.truth_subtracted  # its standard error is about 0.015, larger than the error
    assert row.rms == pytest.approx(0.01, abs=0.003)
    [row] = score([partial(constant, value=0.1)], population, truth_samples=1000)
    assert not row.truth_subtracted


def random_truths(n, rng, bases=1):
    a = rng.uniform(0.7, 0.95, n)
    return Truths(a, np.full(n, 1e-6), a * (1 - a), np.arange(n) * bases // n, 72)


def test_intervals_agree_with_scipys_paired_bootstrap():
    rng = np.random.default_rng(0)
    truths = random_truths(80, rng)
    errors = errors_of(truths.value + 0.05 * rng.standard_normal(80), np.full(80, 7200.0), truths)
    [found] = ratios([(errors, None)], truths, 0)

    def ratio(squared, v, axis):
        return squared.mean(axis) / v.mean(axis) * 100

    interval = stats.bootstrap(
        (errors.squared, truths.sample_variance),
        ratio,
        paired=True,
        method="percentile",
        n_resamples=20_000,
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert found.iid.low == pytest.approx(interval.low, rel=0.03)
    assert found.iid.high == pytest.approx(interval.high, rel=0.03)
    assert found.iid.value == pytest.approx(ratio(errors.squared, truths.sample_variance, 0))


def test_the_sampling_band_holds_95_percent_of_measurements():
    rng = np.random.default_rng(0)
    truths = random_truths(60, rng)
    z = rng.standard_normal((20_000, 60))
    measured = np.sqrt((z**2 * truths.sample_variance).mean(1) / truths.mean_sample_variance)
    low, high = truths.sampling_band
    for tail in (measured < low).mean(), (measured > high).mean():
        assert abs(tail - 0.025) < 0.005


def test_one_model_has_ratios_without_intervals(score):
    [row] = score([constant], NoisyCopies(("2nd_argmax", 2, 2), 0.05, 1))
    assert (row.ratio.low, row.ratio.high) == (None, None)
    assert row.shrunk_ratio is None
    assert row.ratio == Ratio(row.ratio.value, None, None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"truth_samples": 0}, "truth_samples must be at least 1, got 0"),
        ({"n_tuning": 0}, "n_tuning must be at least 1"),
        ({"time_limit": 0}, "time_limit must be positive, got 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(score, settings, message):
    with pytest.raises(ValueError, match=message):
        score([constant], **settings)


@pytest.mark.parametrize(
    ("n_bases", "copies", "sizes"),
    [
        (1, 1, [1]),
        (1, 64, [64]),
        (1, 65, [64, 1]),
        (1, 200, [64, 64, 64, 8]),
        (5, 3, [3] * 5),
        (5, 70, [64, 6] * 5),
    ],
)
def test_a_task_is_of_one_base_and_of_64_models_at_most(n_bases, copies, sizes):
    base = ("2nd_argmax", 2, 2) if n_bases == 1 else TrainingSeeds("2nd_argmax", 2, 2)
    found = list(_chunks(NoisyCopies(base, 0.1, copies)))
    assert [stop - start for start, stop in found] == sizes
    assert [start for start, _ in found] == [sum(sizes[:i]) for i in range(len(sizes))]


@pytest.mark.parametrize(
    ("samples", "budget"),
    [(0.01, 16), (16, 16), (22, 16), (23, 32), (100, 128), (5792, 4096), (5793, 8192), (1e9, 8192)],
)
def test_samplers_are_measured_at_the_nearest_power_of_two_within_limits(samples, budget):
    assert sampler_budget(samples) == budget


def test_slopes_and_correlations_are_numpys():
    rng = np.random.default_rng(0)
    for sign in (-1, 1):
        x = rng.standard_normal(30) + 3
        y = sign * x + rng.standard_normal(30) - 5
        assert _slope(x, y) == pytest.approx(np.polyfit(x, y, 1)[0])
        assert _correlation(x, y) == pytest.approx(np.corrcoef(x, y)[0, 1])
    flat = np.full(30, 0.1)  # its mean is not 0.1 to the last bit
    assert (_slope(flat, x), _slope(x, flat)) == (None, pytest.approx(0, abs=1e-15))
    assert (_correlation(flat, x), _correlation(x, flat)) == (None, None)
    tiny = 1e-300 * np.arange(3)  # its squares vanish
    assert _slope(tiny, tiny) is None


def test_two_answers_may_differ_by_rounding():
    one = Outcome(0.5, 10, "never", 0)
    _check_same(one, replace(one, value=0.5 + 0.9e-9))
    for other in (0.5 + 1.1e-9, 0.5 - 1.1e-9):
        with pytest.raises(EstimatorFailure, match=r"gave 0\.5 and then"):
            _check_same(one, replace(one, value=other))


def test_the_best_sampler_is_that_of_the_least_ratio_below_one():
    errors = Errors(np.zeros(3), np.ones(3), False)

    def measured(budget, name, value):
        return MeasuredSampler(
            budget, name, 1, errors, None if value is None else Ratio(value, 0, 2)
        )

    all_of_them = [
        measured(16, "a", 0.9),
        measured(16, "b", 0.4),
        measured(16, "c", 0.6),
        measured(16, "d", None),
        measured(32, "e", 0.1),
        measured(64, "f", 1.0),
        measured(128, "g", None),
    ]
    found = [best_sampler(all_of_them, samples) for samples in (None, 2, 16, 32, 64, 128, 256)]
    assert [one and one.name for one in found] == [None, "b", "b", "e", None, None, None]


def scrambled(model, scramble=7):
    """Off by something that all models of a scramble share."""
    found = exact(model)
    return replace(found, value=found.value - 0.01 * abs(scramble - 7.5))


def test_model_number_i_meets_scramble_i_modulo_16(score):
    board = score([Entrant("met", scrambled, scrambles=True), Entrant("one", scrambled)])
    met, one = board
    n = len(SMALL)
    assert met.bias == pytest.approx(-0.01 * np.mean([abs(i % 16 - 7.5) for i in range(n)]))
    assert one.bias == pytest.approx(-0.01 * 0.5)
    # The errors go by scramble: resampling models alone would not see how much.
    truths = Truths(*(np.array(column) for column in _truths_of_small()), np.zeros(n, int), 16)
    values = truths.value - 0.01 * np.abs(np.arange(n) % 16 - 7.5)
    operations = np.array([exact(SMALL.model(i)).operations for i in range(n)], dtype=float)
    [of_models] = ratios([(errors_of(values, operations, truths), None)], truths, 0)
    assert met.ratio.value == pytest.approx(of_models.iid.value)
    assert met.ratio.high - met.ratio.low > 1.5 * (of_models.iid.high - of_models.iid.low)


def _truths_of_small():
    accuracy = np.array([exact(SMALL.model(i)).value for i in range(len(SMALL))])
    return accuracy, 0 * accuracy, accuracy * (1 - accuracy)


def test_a_row_of_the_catalogue_meets_the_scrambles_of_the_models(score):
    [row] = [row for row in catalog() if row.name == "order classes, 8 points each"]
    [found] = score([Entrant.of(row)], NoisyCopies(("2nd_argmax", 4, 3), 0.05, 18))
    population = NoisyCopies(("2nd_argmax", 4, 3), 0.05, 18)
    models = [population.model(i) for i in range(18)]
    errors = [
        class_cubature(model, 8, scramble=i % 16).value - exact(model).value
        for i, model in enumerate(models)
    ]
    assert (found.name, found.split) == (row.name, "zero-shot")
    assert found.bias == pytest.approx(np.mean(errors))


def test_an_entrant_needs_something_to_call():
    with pytest.raises(ValueError, match="'empty' has neither an estimator nor a fit"):
        Entrant("empty")


# Who does the work.

WORK = NoisyCopies(("2nd_argmax", 2, 4), 0.02, 150, seed=5)
ENTRANTS = [
    Entrant("iid", partial(iid, n_samples=50)),
    Entrant("late", partial(late, fatal=model_digest(WORK.model(140)))),
    Entrant("global", lambda model: Estimate(np.random.rand(), 160, "random inputs")),  # noqa: NPY002
    Entrant("mean", constant, fit=fit_mean),
]
SETTINGS = {"truth_samples": 2000, "n_tuning": 5, "samplers": {"tree": SAMPLERS["tree"]}}


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("truth")
    return challenge(ENTRANTS, WORK, executor=InThisThread(), truth_cache=folder, **SETTINGS)


@dataclass(frozen=True)
class Deadly(NoisyCopies):
    """Kills the first process that asks for model 30, once."""

    marker: Path | None = None

    def model(self, index):
        if index == 30 and not self.marker.exists():
            self.marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().model(index)


def test_processes_do_the_same_even_if_one_is_lost(expected, tmp_path):
    done = []
    population = Deadly(("2nd_argmax", 2, 4), 0.02, 150, 5, marker=tmp_path / "killed")
    board = challenge(
        ENTRANTS,
        population,
        workers=1,
        truth_cache=tmp_path / "truth",
        progress=lambda n, known: done.append((n, known)),
        **SETTINGS,
    )
    assert population.marker.exists()
    assert board == expected
    assert done == sorted(done)
    assert done[-1][0] == done[-1][1]


def test_a_single_core_does_the_same_in_this_process(expected, tmp_path, monkeypatch):
    monkeypatch.setattr("algzoo.scoring.compute.work.cpu_count", lambda: 1)
    monkeypatch.setattr(
        "algzoo.scoring.compute.work._own_pool", lambda workers: pytest.fail("a pool")
    )
    done = []
    board = challenge(
        ENTRANTS,
        WORK,
        truth_cache=tmp_path / "truth",
        progress=lambda n, known: done.append((n, known)),
        **SETTINGS,
    )
    assert board == expected
    assert done == sorted(done)
    assert done[-1][0] == done[-1][1]


def test_a_broken_executor_of_the_caller_is_told(tmp_path):
    with ProcessPoolExecutor(1) as pool, pytest.raises(BrokenExecutor):
        work_off({0: partial(os._exit, 1)}, lambda key, result: (), executor=pool)


def dies(folder, deaths):
    """Leave a file and die, where there are not so many files yet."""
    if len(list(folder.iterdir())) < deaths:
        (folder / f"{os.getpid()}").touch()
        os._exit(1)
    return "survived"


def test_a_worker_that_dies_every_time_is_given_up(monkeypatch, tmp_path):
    monkeypatch.setattr("algzoo.scoring.compute.work._LOSSES", 1)
    with pytest.raises(BrokenExecutor):
        work_off({0: partial(dies, tmp_path, 9)}, lambda key, result: (), workers=1)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_worker_that_dies_as_often_as_may_be_is_not(monkeypatch, tmp_path):
    monkeypatch.setattr("algzoo.scoring.compute.work._LOSSES", 1)
    results = []
    work_off(
        {0: partial(dies, tmp_path, 1)}, lambda _, result: results.append(result) or (), workers=1
    )
    assert results == ["survived"]


def test_a_cluster_does_the_same_even_if_a_worker_is_killed(expected, tmp_path):
    from distributed import Client, LocalCluster

    killed = []

    def kill_one(done, known):
        if done == 3 and not killed:
            killed.append(processes[0])
            os.kill(processes[0], signal.SIGKILL)

    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            local_directory=tmp_path,
        ) as cluster,
        Client(cluster) as client,
    ):
        processes = list(client.run(os.getpid).values())
        board = challenge(
            ENTRANTS,
            WORK,
            executor=client.get_executor(),
            truth_cache=tmp_path / "truth",
            progress=kill_one,
            **SETTINGS,
        )
    assert killed
    assert board == expected
