"""``algzoo rare`` as its reader meets it."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from algzoo.chapters.commands.main import main
from algzoo.estimates.few_inputs.margin_tail import margin_tail
from algzoo.scoring.rare.entries import read_any_entry
from algzoo.zoo import load_model

EXAMPLE = Path(__file__).resolve().parents[3] / "analyses/leaderboard/example/my_rare_method.py"
MODEL = ("--model", "2nd_argmax_2_2", "--workers", "1", "--budget", "1024", "--seeds", "2")
ROUND = ("--round", "rare-trial", "--workers", "1", "--estimator", "my_rare_method:entry")


@pytest.fixture
def algzoo(tmp_path, monkeypatch):
    """The command, in a folder with nothing but the worked method."""
    shutil.copy(EXAMPLE, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("COLUMNS", "80")
    yield lambda *arguments: CliRunner().invoke(main, ["rare", *arguments])
    sys.modules.pop("my_rare_method", None)


def test_methods_on_an_event_of_a_model(algzoo):
    result = algzoo(
        *MODEL,
        *("--estimator", "exact", "--estimator", "GLD", "--estimator", "my_rare_method:entry"),
    )
    assert result.exit_code == 0, result.output
    assert max(map(len, result.stdout.splitlines())) <= 80
    for text in ("probability 7.73535e-05,", "exact", "GLD", "7.74e-05", "three times as"):
        assert text in result.stdout


def test_json_has_every_estimate(algzoo):
    result = algzoo(*MODEL, "--threshold", "0.3", "--estimator", "naive", "--json")
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)
    assert record["truth"] == margin_tail(load_model("2nd_argmax", 2, 2), 0.3)
    assert (record["truth_std"], record["event"], record["budget"]) == (None, "wrong answer", 1024)
    [method] = record["methods"]
    assert (method["name"], method["zeros"], method["hits"]) == ("naive", 2, [0, 0])
    assert method["losses"] == [None, None]  # infinite, and not left out
    assert method["estimates"] == [0.0, 0.0]


def test_a_truth_that_is_counted_has_its_error(algzoo):
    result = algzoo(
        *("--model", "2nd_argmax_3_3", "--event", "smallest named", "--budget", "256"),
        *("--seeds", "2", "--truth-samples", "100000", "--estimator", "naive", "--json"),
        *("--workers", "1"),
    )
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)
    p = record["truth"]
    assert 0.001 < p < 0.1
    assert record["truth_std"] == pytest.approx((p * (1 - p) / 100_000) ** 0.5)


def test_a_method_for_other_events_is_named_and_tells_by_the_exit_status(algzoo):
    result = algzoo(*MODEL, "--estimator", "leaves of pairs", "--estimator", "exact")
    assert result.exit_code == 1
    assert "leaves of pairs: not scored: is not for this event" in result.stdout
    assert "7.74e-05" in result.stdout


def test_an_outsider_enters_a_round(algzoo, tmp_path):
    result = algzoo(*ROUND, "--submit", "entry.json", "--author", "Ada")
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith("Written: entry.json\n")
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert read_any_entry(tmp_path / "entry.json").author == "Ada"
    (tmp_path / "my_rare_method.py").unlink()  # the entry brings its code along
    sys.modules.pop("my_rare_method", None)
    check = ["leaderboard", "--check", "--strict", "--models", "1", "--workers", "1", "entry.json"]
    checking = CliRunner().invoke(main, check)
    assert checking.exit_code == 0, checking.output
    assert checking.stdout == "entry.json: 2 estimates were computed again and hold\n"
    listing = CliRunner().invoke(main, ["leaderboard", "entry.json"])
    assert listing.exit_code == 0, listing.output
    assert "Round rare-trial." in listing.stdout
    assert "Gaussian three times" in " ".join(listing.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Say one of --model, --round, --table and --check"),
        ((*MODEL, "--round", "rare-trial"), "--check, not --model and --round"),
        ((*MODEL,), "Say which method: --estimator"),
        ((*MODEL, "--estimator", "nothing"), "No estimator 'nothing': name a function as"),
        ((*MODEL, "--estimator", "nowhere:f"), "Cannot import nowhere"),
        (
            (*MODEL, "--estimator", "ITGIS", "--temperature", "0"),
            "temperature must be a finite number above 0, got 0.0",
        ),
        ((*MODEL, "--estimator", "GLD", "--temperature", "1"), "--temperature: GLD need none"),
        ((*MODEL, "--estimator", "naive", "--submit", "x.json"), "--submit cannot be given with"),
        ((*MODEL, "--estimator", "naive", "--threshold", "-1"), "threshold"),
        ((*MODEL, "--estimator", "naive", "--threshold", "nan"), "threshold"),
        (
            (*MODEL, "--estimator", "naive", "--threshold", "1000"),
            "The event never happens: its probability is exactly 0",
        ),
        (
            ("--model", "longest_cycle_2_3", "--estimator", "naive"),
            "longest_cycle",
        ),
        (("--model", "median_2_3", "--estimator", "naive"), "median"),
        (("--model", "2nd_argmax_99_2", "--estimator", "naive"), "99"),
        (
            ("--model", "median_2_3", "--event", "squared error", "--estimator", "naive"),
            "The event always happens: its probability is 1",
        ),
        (
            (
                *("--model", "2nd_argmax_16_10", "--event", "smallest named", "--threshold", "50"),
                *("--truth-samples", "1000", "--estimator", "naive"),
            ),
            "The event did not happen on 1000 inputs, so that its probability is not known",
        ),
        ((*ROUND, "--budget", "3"), "--budget cannot be given with --round"),
        ((*ROUND, "--json"), "--json cannot be given with --round"),
        ((*ROUND, "--submit", "e.json"), "--submit needs your name: --author"),
        ((*ROUND, "--submit", "e.json", "--author", "\x1b[1m"), "author must be a text, not"),
        (
            (*ROUND, "--submit", "e.json", "--author", "Ada", "--link", "x"),
            "link must be an address that begins with https://",
        ),
        ((*ROUND, "--author", "Ada"), "--author goes with --submit"),
        (
            (*ROUND, "--submit", "my_rare_method.py", "--author", "Ada"),
            "my_rare_method.py is there already: name another file, or remove it first",
        ),
        (
            (*ROUND, "--submit", "my_rare_method.py/e.json", "--author", "Ada"),
            "cannot write my_rare_method.py/e.json",
        ),
        ((*ROUND, "--estimator", "naive"), "--round scores one method at a time"),
        (
            ("--round", "rare-trial", "--estimator", "my_rare_method:wide"),
            "my_rare_method:wide does not say on what it was tuned: make it an",
        ),
        (("--round", "1999", "--estimator", "naive"), "There is no round '1999'; there are: rare-"),
        (("--round", "2026-12", "--estimator", "naive"), "is a round of `algzoo challenge`"),
        (("--table", "--budget", "3"), "--budget cannot be given with --table"),
        (("--check", "0"), "0 is not in the range x>=1"),
    ],
)
def test_errors_are_one_sentence_and_leave_nothing(algzoo, tmp_path, arguments, message):
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    result = algzoo(*arguments)
    assert result.exit_code in (1, 2)
    assert message in " ".join(result.output.split())
    assert "Traceback" not in result.output
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert before == after


def test_the_stored_table_is_checked(algzoo, monkeypatch):
    from algzoo.scoring.rare import table

    again = [table.Again("here", "estimate", 1.0, value) for value in (1.0, 2.0)]
    monkeypatch.setattr(table, "recomputed", lambda *_, **__: iter(again))
    result = algzoo("--check", "1")
    assert result.exit_code == 1
    assert result.stdout == "here: the estimate was 1, and is 2\n2 numbers: 1 moved\n"
