"""The study of M16,10: what is fitted on what, scores by an independent sum, and its table."""

import numpy as np
import pytest
from click.testing import CliRunner

from algzoo.chapters.commands.main import main
from algzoo.estimates import Estimate
from algzoo.explanations.second_argmax_h16_n10 import study as study
from algzoo.explanations.second_argmax_h16_n10.study import (
    OTHER_SEEDS,
    Cell,
    Study,
    bundled_study,
    entries,
    moved,
    populations,
    read_study,
    scores,
    study_of_cell,
    written,
)
from algzoo.scoring import Truth
from algzoo.zoo.streams import model_digest, named_stream


def test_sixteen_models_of_the_table_are_recomputed() -> None:
    cell, indices = Cell("seed 2", 0.005), [16 * i for i in range(16)]
    now = study_of_cell(cell, 256, indices)
    committed = bundled_study()
    assert list(now.values[cell.name]) == [entry.name for entry in entries()]
    assert dict(now.operations) == dict(committed.operations)
    assert moved(committed, now, indices) == []


def test_the_table_has_every_model_of_every_population() -> None:
    table = bundled_study()
    for name, group in populations().items():
        n_models = sum(len(table.truth[cell.name]) for cell in group)
        assert n_models == (6 * 16 if name == "six clean models" else 256), name
        for cell in group:
            rows = table.values[cell.name]
            assert list(rows) == [entry.name for entry in entries()]
            for entry in entries():
                row = rows[entry.name]
                assert np.isfinite(row).all()
                assert len(row) == entry.of(len(table.truth[cell.name]))


@pytest.mark.parametrize("base", ["seed 2", "seed 0"])
def test_no_constant_is_fitted_on_what_it_is_scored_on(
    base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "_OTHER_COPIES", 3)
    monkeypatch.setattr(study, "_OWN_COPIES", 5)
    study._labelled.cache_clear()
    cell = Cell(base, 0.005)
    scored = study.models_of(cell, 16)
    digests = {model_digest(scored.model(i)) for i in range(len(scored))}
    others, _ = study._labelled_others(cell)
    own, _ = study._labelled_copies(cell)
    assert not digests & {model_digest(model) for model in [*others, *own]}
    n_seeds = sum(base != f"seed {seed}" for seed in OTHER_SEEDS)
    assert (len(others), len(own)) == (n_seeds * 4 * 3, 5)
    # Noise of sd .01 is small beside the distance of two trained models.
    nearest = _distance(scored.model(0), others[0])
    assert nearest > 20 * _distance(scored.model(0), own[0])
    study._labelled.cache_clear()


def _distance(one, other) -> float:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return float(sum(((a - b) ** 2).sum().detach() for a, b in pairs)) ** 0.5


def test_scores_are_those_of_a_plain_sum() -> None:
    rng = np.random.default_rng(0)
    cell = Cell("seed 2", 0.005)
    true = rng.uniform(0.6, 0.9, 200)
    guess = true + 0.02 * rng.standard_normal(200)
    made = Study({"guess": 28_800}, {cell.name: true}, {cell.name: {"guess": guess}})
    score = scores(made, [cell], ["guess"])["guess"]
    assert score.samples == 10
    assert score.bias == pytest.approx((guess - true).mean())
    plain = ((guess - true) ** 2).mean() / (true * (1 - true) / 10).mean()
    assert score.ratios.iid is not None
    assert score.ratios.iid.value == pytest.approx(plain)
    assert score.ratios.iid.low < plain < score.ratios.iid.high
    again = read_study(written(made))
    np.testing.assert_allclose(again.values[cell.name]["guess"], guess, atol=5e-7)
    made.values[cell.name]["guess"][7] += 1e-3
    assert [row.index for row in moved(again, made, range(200))] == [7]


def test_what_the_chapters_claim_of_the_study() -> None:
    table = bundled_study()
    names = [entry.name for entry in entries()]
    found = {name: scores(table, group, names) for name, group in populations().items()}
    clean = found.pop("six clean models")
    for name, population in found.items():
        upper = {entry: score.ratios.iid.high for entry, score in population.items()}
        # Cubature over the order classes, asked: below .7 on every noisy population.
        assert upper["order classes, 8 points"] < 0.7
        assert upper["order classes, 16 points"] < 0.7
        # The self-consistent oracle, asked: a mean error of at most .02.
        assert abs(population["oracle, self-consistent"].bias) < 0.02
        if name.startswith(("example", "seed 2")) and "0.002" not in name:
            # Constants from other seeds, asked: below 1.
            assert upper["anchors, one; other seeds"] < 1
            assert upper["anchors, two; other seeds"] < 1
        if "0.005" in name:
            assert upper["lines, 128 points"] < 1  # nothing fitted
        # Sampling itself.
        assert population["random, 360 inputs"].ratios.iid.low < 1 < upper["random, 360 inputs"]
        assert population["Gaussian closure by class"].bias < -0.15
    assert clean["order classes, 8 points"].ratios.iid.value < 1


def test_a_base_without_a_check_is_refused() -> None:
    result = CliRunner().invoke(main, ["study", "--base", "seed 2"])
    assert result.exit_code == 2
    assert "--base goes with --check" in result.output


def test_the_study_of_a_base_is_that_of_its_own_cells(monkeypatch) -> None:
    def empty(cell, n_models, indices, rows):
        assert (n_models, indices, rows) == (5, [3], ["a row"])
        return Study({}, {cell.name: np.zeros(1)}, {cell.name: {}})

    monkeypatch.setattr(study, "study_of_cell", empty)
    found = study.study_of("seed 2", 5, [3], ["a row"])
    assert set(found.truth) == {cell.name for cell in study.cells() if cell.base == "seed 2"}
    assert len(found.truth) == 4


def test_cells_and_populations_are_those_of_the_pages() -> None:
    noisy = [
        f"{base}, sd {sd}" for base in ("example", "seed 2") for sd in ("0.002", "0.005", "0.01")
    ]
    others = [f"seed {seed}, sd {sd}" for seed in (0, 1, 3, 4) for sd in ("0.005", "0.01")]
    clean = [f"{base}, sd 0" for base in ("example", *(f"seed {seed}" for seed in range(5)))]
    assert [cell.name for cell in study.cells()] == noisy + others + clean
    found = {name: [cell.name for cell in group] for name, group in populations().items()}
    expected = {name: [name] for name in noisy}
    for sd in ("0.005", "0.01"):
        expected[f"seeds 0, 1, 3, 4, sd {sd}"] = [name for name in others if name.endswith(sd)]
    assert found == expected | {"six clean models": clean}


@pytest.mark.parametrize(
    ("cell", "n_models", "found"),
    [
        (Cell("seed 2", 0.005), 256, 256),
        (Cell("seed 2", 0.005), 1, 1),
        (Cell("seed 0", 0.005), 256, 64),
        (Cell("seed 0", 0.005), 7, 1),
        (Cell("seed 0", 0.005), 3, 1),
        (Cell("seed 0", 0.0), 256, 16),
        (Cell("seed 2", 0.0), 3, 16),
    ],
)
def test_four_bases_share_a_population_and_clean_models_are_there_for_every_scramble(
    cell: Cell, n_models: int, found: int
) -> None:
    population = study.models_of(cell, n_models)
    assert (len(population), population.sd, len(population.bases)) == (found, cell.sd, 1)
    assert (
        population.bases[0].name == f"2nd_argmax_16_10_{population.bases[0].n_seqs}_{cell.base[-1]}"
    )


@pytest.mark.parametrize(("n_models", "oracle"), [(1, 1), (16, 1), (17, 2), (256, 16), (257, 17)])
def test_oracles_are_run_on_one_in_sixteen(n_models: int, oracle: int) -> None:
    assert study.Entry("x", "random inputs").of(n_models) == n_models
    assert study.Entry("x", "random inputs", oracle=True).of(n_models) == oracle


def test_the_rows_are_those_of_the_pages() -> None:
    found = {entry.name: (entry.runs_network, entry.fitted_on, entry.oracle) for entry in entries()}
    assert len(found) == len(entries())
    names = list(found)
    assert [n for n in names if n.startswith("lines,")] == ["lines, 64 points", "lines, 128 points"]
    for sort, numbers in [
        ("lines between ties, {} nodes", (2, 3, 4)),
        ("order classes, {} points", (8, 16, 64, 256)),
        ("surrogate, {} inputs; same base", (10, 30, 90, 300, 800)),
    ]:
        for number in numbers:
            assert found[sort.format(number)][0] == "chosen inputs"
    for number in (90, 360, 1440, 5760, 23040):
        assert found[f"stratified Sobol, {number} inputs"] == ("random inputs", "nothing", False)
    oracles = [name for name, (_, _, oracle) in found.items() if oracle]
    assert oracles == [
        f"oracle, {sort}" for sort in ("linear", "ordinary", "boundary", "self-consistent")
    ]
    for name, (_, fitted_on, _) in found.items():
        assert name.endswith(f"; {fitted_on}") == (fitted_on != "nothing")


class Recorded:
    """An estimator that says what it was called with."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, dict[str, object]]] = []

    def __call__(self, model: object, **options: object) -> object:
        self.calls.append((model, options))
        return "an estimate"


def test_model_number_i_sees_scramble_i_modulo_16() -> None:
    estimator = Recorded()
    scored = study._scrambled(estimator)(Cell("seed 2", 0.005))
    assert [scored("model", i) for i in (0, 15, 16, 35)] == ["an estimate"] * 4
    assert [options["scramble"] for _, options in estimator.calls] == [0, 15, 0, 3]


def test_constants_are_fitted_at_the_noise_of_the_cell_and_of_clean_models_at_the_least(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    monkeypatch.setattr(study, "_labelled", lambda *what: asked.append(what))
    study._labelled_copies(Cell("seed 2", 0.01))
    study._labelled_copies(Cell("seed 2", 0.0))
    study._labelled_others(Cell("seed 2", 0.01))
    study._labelled_others(Cell("seed 1", 0.01))
    sds = (0.002, 0.004, 0.007, 0.01)
    assert asked == [
        (("seed 2",), (0.01,), 2000),
        (("seed 2",), (0.002,), 2000),
        (("seed 0", "seed 1", "seed 3", "seed 4"), sds, 100),
        (("seed 0", "seed 3", "seed 4"), sds, 100),
    ]


def made_study(n: int = 12, seed: int = 0) -> tuple[list[Cell], Study]:
    """Two cells with 12 models each, and an entry that is run on the first four of each."""
    rng = np.random.default_rng(seed)
    cells = [Cell("seed 0", 0.005), Cell("seed 1", 0.005)]
    truth = {cell.name: rng.uniform(0.6, 0.9, n) for cell in cells}
    values = {
        name: {"all": true + 0.03 * rng.standard_normal(n), "few": true[:4] + 0.01}
        for name, true in truth.items()
    }
    return cells, Study({"all": 28_800, "few": 2880}, truth, values)


def test_scores_of_several_cells_are_those_of_all_their_models() -> None:
    group, made = made_study()
    found = scores(made, group, ["all", "few"])
    for name, n in (("all", 12), ("few", 4)):
        true = np.concatenate([made.truth[cell.name][:n] for cell in group])
        error = np.concatenate([made.values[cell.name][name] for cell in group]) - true
        score, samples = found[name], made.operations[name] / 2880
        assert score.samples == samples
        assert score.bias == pytest.approx(error.mean())
        assert score.rms == pytest.approx(np.sqrt((error**2).mean()))
        assert score.ratios.iid is not None
        plain = (error**2).sum() / (true * (1 - true) / samples).sum()
        assert score.ratios.iid.value == pytest.approx(plain)
        # Models of several cells are resampled one by one: there are more than two units.
        assert score.ratios.iid.low is not None
        assert score.ratios.iid.low < plain < score.ratios.iid.high


def test_clean_models_are_resampled_as_wholes() -> None:
    """Of two clean models every resampling takes one twice, or both."""
    group, made = made_study()
    clean = [Cell(cell.base, 0.0) for cell in group]
    renamed = {cell.name: was.name for cell, was in zip(clean, group, strict=True)}
    same = Study(
        made.operations,
        {name: made.truth[was] for name, was in renamed.items()},
        {name: made.values[was] for name, was in renamed.items()},
    )
    interval = scores(same, clean, ["all"])["all"].ratios.iid
    each = [scores(same, [cell], ["all"])["all"].ratios.iid for cell in clean]
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx(sorted(one.value for one in each if one))


def test_a_written_study_is_read_as_it_was_to_six_decimals() -> None:
    group, made = made_study()
    text = written(made)
    assert written(read_study(text)) == text
    again = read_study(text)
    assert again.operations == made.operations
    for cell in group:
        np.testing.assert_array_equal(again.truth[cell.name], made.truth[cell.name].round(6))
        for name, row in made.values[cell.name].items():
            np.testing.assert_array_equal(again.values[cell.name][name], row.round(6))
    assert len(text.splitlines()) == 1 + 2 * (1 + 3)


def test_moved_values_are_told_by_the_numbers_of_their_models() -> None:
    group, made = made_study()
    indices = [1, 3, 5, 7]
    now = Study(
        made.operations,
        {name: true[indices].copy() for name, true in made.truth.items()},
        {
            name: {"all": rows["all"][indices].copy(), "few": rows["few"][[1, 3]].copy()}
            for name, rows in made.values.items()
        },
    )
    assert moved(made, now, indices) == []
    first, second = (cell.name for cell in group)
    now.truth[first][0] += 4.9e-5
    now.truth[first][1] -= 5.1e-5
    now.values[second]["all"][3] += 5.1e-5
    now.values[second]["few"][1] -= 5.1e-5
    found = moved(made, now, indices)
    assert [(row.cell, row.name, row.index) for row in found] == [
        (first, "truth", 3),
        (second, "all", 7),
        (second, "few", 3),
    ]
    assert found[1].committed == made.values[second]["all"][7]
    assert found[1].now == now.values[second]["all"][3]


def test_the_study_of_a_cell_runs_each_entry_on_its_models(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []

    def estimator(model: object, index: int) -> Estimate:
        seen.append(index)
        return Estimate(index / 100, 7, "never")

    rows = [(study.Entry("all", "never"), lambda cell: estimator)]
    rows.append((study.Entry("few", "random inputs", oracle=True), lambda cell: estimator))
    monkeypatch.setattr(study, "_makers", lambda: rows)
    monkeypatch.setattr(study, "truth", lambda model, n_samples: Truth(n_samples / 2**21, 0, 0))
    cell = Cell("seed 0", 0.005)  # a quarter of 72 models: 18, of which an oracle sees two
    found = study_of_cell(cell, 72)
    assert found.operations == {"all": 7, "few": 7}
    assert found.truth[cell.name].tolist() == [0.5] * 18
    assert found.values[cell.name]["all"].tolist() == [i / 100 for i in range(18)]
    assert found.values[cell.name]["few"].tolist() == [0, 0.01]
    some = study_of_cell(cell, 72, [1, 2, 17, 18, 40])
    assert some.values[cell.name]["all"].tolist() == [0.01, 0.02, 0.17]
    assert some.values[cell.name]["few"].tolist() == [0.01]
    none = study_of_cell(cell, 72, [5])
    assert none.operations == {"all": 7}
    assert none.values[cell.name]["few"].tolist() == []
    seen.clear()
    one_row = study_of_cell(cell, 72, rows=["few"])
    assert (seen, one_row.truth, list(one_row.values[cell.name])) == ([0, 1], {}, ["few"])
    assert study_of_cell(cell, 72, rows=["truth"]).values == {cell.name: {}}


def test_rows_take_the_place_of_those_of_their_names() -> None:
    group, made = made_study()
    first, second = (cell.name for cell in group)
    now = Study({"few": 1}, {second: made.truth[second] / 2}, {first: {"few": np.ones(4)}})
    found = study.with_rows(made, now)
    assert found.operations == {"all": 28_800, "few": 1}
    assert found.truth == {first: made.truth[first], second: now.truth[second]}
    assert found.values[first] == {
        "all": made.values[first]["all"],
        "few": now.values[first]["few"],
    }
    assert found.values[second] == made.values[second]
    assert list(found.values[first]) == ["all", "few"]


def test_rows_are_recomputed_by_parts_of_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, kept = [], []

    def run(n_models, bases, workers, *, rows):
        asked.append((n_models, len(bases), workers, rows))
        return Study({}, {}, {})

    monkeypatch.setattr(study, "run_study", run)
    monkeypatch.setattr(study, "write_study", lambda found: kept.append(found) or "there")
    command = ["study", "--row", "oracle", "--row", "truth", "--workers", "2"]
    result = CliRunner().invoke(main, command)
    assert (result.exit_code, result.output) == (0, "Written: there\n")
    names = ["truth", *(f"oracle, {c}" for c in ("linear", "ordinary", "boundary"))]
    assert asked == [(256, 6, 2, [*names, "oracle, self-consistent"])]
    assert written(kept[0]) == written(bundled_study())
    for options, status, words in (
        (["--row", "no such"], 1, "no row is called 'no such'; there are: truth; chance; "),
        (["--row", "oracle", "--check", "1"], 2, "--check looks at all rows"),
    ):
        refused = CliRunner().invoke(main, ["study", *options])
        assert refused.exit_code == status
        assert words in " ".join(refused.output.replace("│", " ").split())


def test_intervals_are_those_of_the_stream_of_seed_0() -> None:
    """Models drawn with replacement, two thousand times."""
    group, made = made_study(n=30)
    [cell] = group[:1]
    true = made.truth[cell.name]
    squared, variance = (made.values[cell.name]["all"] - true) ** 2, true * (1 - true) / 10
    rng = np.random.default_rng(named_stream("bootstrap", 0))
    draws = rng.integers(30, size=(2000, 30))
    quotients = squared[draws].sum(1) / variance[draws].sum(1)
    found = scores(made, [cell], ["all"])["all"].ratios.iid
    assert found is not None
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(quotients, [2.5, 97.5])))


def test_samplers_draw_as_many_inputs_as_their_rows_say() -> None:
    cell = Cell("seed 2", 0.005)
    model = study.models_of(cell, 16).model(0)
    committed = bundled_study().operations
    for entry, make in study._makers():
        if entry.name.startswith(("random", "stratified")) and "23040" not in entry.name:
            assert make(cell)(model, 0).operations == committed[entry.name]
    n_inputs = committed["random, 360 inputs"] / study.OPERATIONS_OF_A_SAMPLE
    assert n_inputs == 360
