"""Entries of the leaderboard: what does not come out is refused, with a sentence that says why."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from algzoo.scoring.compute.challenge import Workers
from algzoo.scoring.compute.checked_json import EntryError
from algzoo.scoring.compute.entering import (
    NotCheckable,
    entered,
    recomputed,
    source_of,
    the_entrant,
)
from algzoo.scoring.compute.entries import (
    disagreements,
    drawn_models,
    entry_from,
    read_entry,
    write_entry,
)
from algzoo.scoring.compute.named import UnknownEstimator
from algzoo.scoring.compute.rounds import round_named
from algzoo.scoring.compute.truth import TruthCache

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "analyses" / "leaderboard" / "example" / "my_entry.py"
COMMITTED = sorted((ROOT / "analyses" / "leaderboard").glob("*.json"))
OFFICIAL = ROOT.parent / "shared" / "data" / "official"  # with ARC's own files, if it is there
NOISY = "seed 2, sd 0.005"
CLEAN = "clean training seeds"


@pytest.fixture(scope="module")
def pool():
    return Workers(workers=1, seed=round_named("trial").seed)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the worked entry of the page, from which modules are imported."""
    folder = tmp_path_factory.mktemp("outsider")
    shutil.copy(EXAMPLE, folder)
    return folder


@pytest.fixture(scope="module")
def entry(folder, pool):
    """The worked entry, scored on the round for trying."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "path", [*sys.path])
        cache = TruthCache(folder / "truths")
        found = entered(
            "my_entry:entry", round_named("trial"), pool, cache, author="Ada", link="https://a.b/c"
        )
    sys.modules.pop("my_entry")
    return found


@pytest.fixture(scope="module")
def again(pool, folder):
    """Compute some of an entry again, in processes that all tests share."""
    return lambda entry, n_models=2: recomputed(entry, n_models, pool, TruthCache(folder / "t"))


def changed(entry, change):
    """The entry with its content changed as JSON."""
    content = json.loads(entry.text())
    change(content)
    return entry_from(json.dumps(content))


def test_an_entry_says_everything(entry):
    content = json.loads(entry.text())
    assert list(content) == [
        *("name", "author", "about", "source", "facts", "counter_version"),
        *("round", "round_digest", "results", "missing"),
    ]
    assert content["name"] == "same share for each pair"
    assert content["about"].startswith("Share of right answers, on as many inputs")
    assert content["source"]["package"] is None
    assert "\n".join(content["source"]["code"]) + "\n" == EXAMPLE.read_text("utf-8")
    assert content["facts"] == {
        "runs_network": "random inputs",
        "exact": "converges",
        "constants": "none",
        "advice_bits": 0.0,
        "tuned_on": "nothing",
        "split": "zero-shot",
        "scrambles": True,
    }
    assert content["missing"] == []
    assert [(one["population"], one["models"]) for one in content["results"]] == [
        (NOISY, 16),
        (CLEAN, 5),
    ]
    assert max(map(len, entry.text().splitlines())) <= 110


def test_the_scores_are_those_of_the_definition(entry):
    result = entry.result(NOISY)
    population = round_named("trial").populations[NOISY]
    truth = population.truths.value
    errors = np.array(result.estimates) - truth
    assert result.operations == 8 * 90 * 2880
    assert result.samples == 720
    assert result.bias == pytest.approx(errors.mean(), rel=1e-5)
    assert result.rms == pytest.approx(np.sqrt((errors**2).mean()), rel=1e-5)
    of_sampling = (truth * (1 - truth)).mean() / 720
    assert result.ratio.value == pytest.approx((errors**2).mean() / of_sampling, rel=1e-5)
    within, between = (truth * (1 - truth)).mean(), truth.var(ddof=1) - 2**-18 * 0.14
    of_shrunk = 1 / (1 / between + 720 / within)
    assert result.shrunk_ratio.value == pytest.approx((errors**2).mean() / of_shrunk, rel=1e-3)
    opponent = population.opponents[512]
    assert result.best_sampler == opponent.name
    its = opponent.errors.squared.mean() * opponent.errors.operations.mean() / 2880
    assert result.sampler_ratio.value == pytest.approx((errors**2).mean() * 720 / its, rel=1e-4)


def test_an_entry_is_read_as_it_was_written_and_overwrites_nothing(entry, tmp_path):
    path = tmp_path / "entry.json"
    write_entry(path, entry, entry_from)
    assert read_entry(path) == entry
    assert path.read_text("utf-8") == entry.text()
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match=r"entry.json is there already: name another file"):
        write_entry(path, replace(entry, author="Bob"), entry_from)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["entry.json"]


def test_an_honest_entry_holds(entry, again):
    assert disagreements(entry) == []
    found = again(entry)
    assert (found.n_estimates, found.problems, found.skipped) == (4, (), ())


def shift_all(content):
    content["results"][0]["estimates"] = [
        value - 0.001 for value in content["results"][0]["estimates"]
    ]


def cheaper(content):
    content["results"][0]["operations_of_models"] //= 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (shift_all, "seed 2, sd 0.005: bias is "),
        (cheaper, "seed 2, sd 0.005: operations is 2073600.0, from its estimates 1036800.0"),
        (lambda c: c["results"][0].update(rms=0.01), "rms is 0.01, from its estimates 0.0"),
        (lambda c: c["results"][0]["ratio"].update(value=0.5), "ratio is 0.5 ["),
        (lambda c: c["results"][0]["ratio"].update(high=0.9), "0.9], from its estimates 1."),
        (lambda c: c["results"][1].update(ratio=None), "ratio is not there, from its estimates 0."),
        (lambda c: c["results"][0].update(best_sampler="iid"), "best_sampler is iid"),
        (lambda c: c["results"][0].update(seed=2), "seed is 2, from its estimates 1"),
        (lambda c: c.update(round_digest="0" * 64), "round_digest 000000000000... is not that of"),
        (lambda c: c.update(round="2025-01"), "There is no round '2025-01'; there are: 2026-12"),
        (lambda c: c.update(counter_version=99), "version 99 of the convention, and now it is"),
        (lambda c: c["results"].pop(), "its results and what is missing are on seed 2, sd 0.005;"),
        (lambda c: c["missing"].append(NOISY), "each once"),
    ],
)
def test_what_does_not_follow_from_the_estimates_is_refused(entry, change, sentence):
    found = disagreements(changed(entry, change))
    assert found
    assert sentence in " ".join(found)
    assert all("\n" not in problem for problem in found)


def honest_arithmetic(entry, change):
    """A forged entry: its scores follow from what it says its estimates are."""
    forged = changed(entry, change)
    said = {problem.split(" is ")[0] for problem in disagreements(forged)}
    assert said, "it was caught before it was repaired"
    from algzoo.scoring.compute.entries import result_of

    its_round = round_named(forged.round)
    results = [
        result_of(
            np.array(one.estimates),
            np.broadcast_to(np.array(one.operations_of_models), (one.models,)),
            its_round.populations[one.population],
            seed=its_round.seed,
            scrambles=forged.facts.scrambles,
        )
        for one in forged.results
    ]
    forged = replace(forged, results=tuple(results))
    assert disagreements(forged) == []
    return forged


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (shift_all, ": the estimate is 0."),
        (cheaper, "took 2073600 operations, the entry says 1036"),
    ],
)
def test_what_the_estimator_does_not_give_is_refused(entry, again, change, sentence):
    problems = again(honest_arithmetic(entry, change)).problems
    assert len(problems) == 2
    for problem in problems:
        assert problem.startswith("seed 2, sd 0.005, model ")
        assert sentence in problem


@pytest.mark.parametrize(
    ("fact", "value", "sentence"),
    [
        ("exact", "exact", "exact is 'exact', its code declares 'converges'"),
        ("tuned_on", "much", "tuned_on is 'much', its code declares 'nothing'"),
        ("advice_bits", 64.0, "advice_bits is 64.0, its code declares 0.0"),
        ("runs_network", "never", "the network was run on random inputs, the entry says 'never'"),
    ],
)
def test_facts_that_the_code_declares_otherwise_are_refused(entry, again, fact, value, sentence):
    lied = replace(entry, facts=replace(entry.facts, **{fact: value}))
    assert sentence in " ".join(again(lied, 1).problems)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("import nothing_of_that_name", "No module named 'nothing_of_that_name'"),
        ("import sys; sys.exit(3)", "it calls sys.exit(3)"),
    ],
)
def test_code_that_does_not_load_here_is_not_checkable(entry, again, line, sentence):
    source = replace(entry.source, code=(line, *entry.source.code))
    with pytest.raises(NotCheckable, match="Cannot import entry_") as caught:
        again(replace(entry, source=source))
    assert sentence in str(caught.value)


def test_a_package_that_is_not_installed_is_named(entry, again):
    source = replace(
        entry.source, estimator="faraway.rules:best", package="faraway", version="2.0", code=None
    )
    with pytest.raises(NotCheckable, match=r"^faraway 2.0 is not installed here$"):
        again(replace(entry, source=source))


def test_models_are_drawn_by_the_content_of_the_file(entry):
    drawn = drawn_models(entry, NOISY, 4)
    assert drawn == drawn_models(entry, NOISY, 4) == sorted(set(drawn))
    others = {tuple(drawn_models(replace(entry, author=f"{i}"), NOISY, 4)) for i in range(80)}
    assert len(others) > 10
    assert {i for one in others for i in one} == set(range(16))
    assert drawn_models(entry, NOISY, 99) == list(range(16))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda c: c.pop("author"), "entry.json: the key author is missing"),
        (lambda c: c["facts"].pop("exact"), "the key facts.exact is missing"),
        (lambda c: c["results"][1].pop("rms"), r"the key results\[1\].rms is missing"),
        (lambda c: c.update(extra=1), "there is a key extra, which no entry has"),
        (lambda c: c.update(author=" "), 'author must be a text, not " "'),
        (lambda c: c.update(results={}), "results must be a list, each of it an object"),
        (lambda c: c["facts"].update(exact="yes"), 'must be one of exact, converges, .* not "yes"'),
        (lambda c: c["facts"].update(advice_bits=-1), "a number of at least 0, not -1"),
        (lambda c: c["facts"].update(scrambles=1), "facts.scrambles must be true or false, not 1"),
        (lambda c: c["source"].update(link="javascript:x"), "an address that begins with https://"),
        (lambda c: c["results"][0]["estimates"].pop(), "estimates has 15 numbers for 16 models"),
        (lambda c: c["results"][0].update(estimates=[2.0] * 16), "each of it a probability, not"),
        (lambda c: c["results"][0].update(operations_of_models=0), "whole number of at least 1"),
        (lambda c: c["results"][0].update(ratio={"value": 1}), r"key results\[0\].ratio.low is"),
        (lambda c: c["results"][0].update(rms=float("nan")), "is not JSON: NaN is not allowed"),
        (lambda c: c["results"][0].update(rms=10**400), r"rms must be a number, not 1000"),
        (lambda c: c["results"][0].update(operations=-1), "a number of at least 0, not -1"),
        (lambda c: c["results"][0].update(operations_of_models=2**63), "whole number of at least"),
        (lambda c: c["results"][0].update(seed=True), "seed must be a whole number, not true"),
        (lambda c: c.update({"a\nb": 1}), r'there is a key "a\\nb", which no entry has'),
        (lambda c: c.update({"x" * 999: 1}), r"there is a key x{57}\.\.\., which"),
        (lambda c: c.update(author="A\nda"), r'author must be a text, not "A\\nda"'),
        (lambda c: c["source"].update(code=["\ud800"]), r'code must be a list, .* not \["\\ud800'),
    ],
)
def test_files_that_are_no_entries_are_refused(entry, tmp_path, change, sentence):
    content = json.loads(entry.text())
    change(content)
    path = tmp_path / "entry.json"
    path.write_text(json.dumps(content))
    with pytest.raises(EntryError, match=sentence) as caught:
        read_entry(path)
    assert "\n" not in str(caught.value)


def test_a_key_that_is_there_twice_is_refused(entry):
    text = entry.text().replace('{\n "name"', '{\n "author": "Bob",\n "name"', 1)
    with pytest.raises(EntryError, match=r"^the key author is there twice$"):
        entry_from(text)


def test_what_could_not_be_read_again_is_not_written(entry, tmp_path):
    path = tmp_path / "entry.json"
    with pytest.raises(
        EntryError, match=r'entry\.json is not written: about must be a text, not ""'
    ):
        write_entry(path, replace(entry, about=""), entry_from)
    assert not path.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"a"', '{"name": 1', "\x00", "[" * 2000])
def test_what_is_no_object_is_refused(tmp_path, text):
    path = tmp_path / "entry.json"
    path.write_text(text)
    with pytest.raises(EntryError, match=r"^entry.json: (is not JSON|is not an object)"):
        read_entry(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(EntryError, match=r"entry.json: cannot be read: No such file"):
        read_entry(tmp_path / "entry.json")


def test_one_estimator_that_declares_itself(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (folder / "several.py").write_text(
        "from my_entry import entry, estimate\n"
        "from algzoo.estimates import offset_formula\n"
        "two = [entry, entry]\n"
    )
    with pytest.raises(UnknownEstimator, match="several:two is a list of 2, but an entry has one"):
        the_entrant("several:two")
    with pytest.raises(ValueError, match="several:estimate does not declare what an entry states"):
        the_entrant("several:estimate")
    declared, split = the_entrant("several:offset_formula")  # with @estimator
    assert (declared.name, declared.exact) == ("offset formula", "approximate")
    assert split == "zero-shot"
    (folder / "long.py").write_text("\n" * 301 + "from my_entry import entry\n")
    the_entrant("long:entry")
    with pytest.raises(ValueError, match="nor a single file of at most 300 lines"):
        source_of("long:entry", None)
    for name in ("several", "long", "my_entry"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_the_scores_of_committed_entries_follow_from_their_estimates(path):
    committed = read_entry(path)
    assert disagreements(committed) == []
    assert path.read_text("utf-8") == committed.text()


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_some_estimates_of_committed_entries_are_computed_again(path, monkeypatch, tmp_path):
    """On ARC's example too, where its file is there."""
    committed = read_entry(path)
    if committed.facts.split != "zero-shot":
        pytest.skip("its fit takes minutes: `algzoo leaderboard --check` does it")
    if OFFICIAL.is_dir():
        monkeypatch.setenv("ALGZOO_OFFICIAL", str(OFFICIAL))
    pool = Workers(workers=1, seed=round_named(committed.round).seed)
    try:
        found = recomputed(committed, 1, pool, TruthCache(tmp_path))
    except NotCheckable as reason:
        pytest.skip(str(reason))
    assert found.problems == ()
    needs_file = {one.population for one in committed.results if "example" in one.population}
    assert set(found.skipped) == (set() if OFFICIAL.is_dir() else needs_file)
    assert found.n_estimates == len(committed.results) - len(found.skipped)


def test_constants_are_fitted_on_other_models_as_the_split_says(pool, again):
    """The constant of a fit is the mean score of the models that it was fitted on."""
    name, its_round = "constant", round_named("trial")
    cache = TruthCache(Path("/nowhere"))  # it cannot be written, so that nothing is kept
    means = {}
    for split in ("seed-agnostic", "model-specific"):
        found = entered(name, its_round, pool, cache, author="Ada", split=split)
        assert found.name == f"constant; {split}"
        assert found.facts.split == split
        assert found.facts.advice_bits == 64
        [value] = set(found.result(NOISY).estimates)
        means[split] = value
        assert len(set(found.result(CLEAN).estimates)) == 5
        assert again(found).problems == ()
    truth = its_round.populations[NOISY].truths.value
    assert means["model-specific"] == pytest.approx(truth.mean(), abs=0.04)
    clean = its_round.populations[CLEAN].truths.value
    assert means["seed-agnostic"] < clean.mean()
    assert means["seed-agnostic"] != pytest.approx(means["model-specific"], abs=0.02)
    assert the_entrant(name)[1] == "seed-agnostic"
    with pytest.raises(ValueError, match="constant exists only with fitted constants, so"):
        the_entrant(name, "zero-shot")
    with pytest.raises(ValueError, match="chance has no fit, so it has no split model-spec"):
        the_entrant("chance", "model-specific")
