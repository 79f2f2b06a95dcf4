"""``algzoo challenge --round`` and ``algzoo leaderboard`` as an outsider meets them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from algzoo.chapters.commands.main import main
from algzoo.scoring.compute.entries import read_entry

EXAMPLE = Path(__file__).resolve().parents[3] / "analyses" / "leaderboard" / "example"


@pytest.fixture
def algzoo(tmp_path, monkeypatch):
    """The command, in a folder with nothing but the worked entry."""
    shutil.copy(EXAMPLE / "my_entry.py", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("COLUMNS", "80")
    yield lambda *arguments: CliRunner().invoke(main, [*arguments])
    sys.modules.pop("my_entry", None)


ENTER = ("challenge", "--round", "trial", "--estimator", "my_entry:entry", "--workers", "1")


def test_an_outsider_enters_as_the_page_says(tmp_path):
    """In processes of their own, with the installed command."""
    shutil.copy(EXAMPLE / "my_entry.py", tmp_path)
    program = str(Path(sys.executable).with_name("algzoo"))
    environment = {**os.environ, "COLUMNS": "80"}

    def call(*arguments):
        return subprocess.run(
            [program, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    entering = call(*ENTER, "--submit", "entry.json", "--author", "Ada")
    assert (entering.returncode, entering.stderr) == (0, "")
    assert entering.stdout.endswith("Written: entry.json\n")
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__", "truths"} == {
        *("my_entry.py", "entry.json")
    }
    (tmp_path / "my_entry.py").unlink()  # the entry brings its code along
    strict = ("--check", "--strict", "--models", "2", "--workers", "1")
    checking = call("leaderboard", *strict, "entry.json")
    assert (checking.returncode, checking.stderr) == (0, "")
    assert checking.stdout == "entry.json: 4 estimates were computed again and hold\n"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The worked entry's file."""
    folder = tmp_path_factory.mktemp("entered")
    shutil.copy(EXAMPLE / "my_entry.py", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "path", [*sys.path])
        result = CliRunner().invoke(main, [*ENTER, "--submit", "entry.json", "--author", "Ada"])
    sys.modules.pop("my_entry", None)
    assert result.exit_code == 0, result.output
    return folder / "entry.json"


def forged(written, path, change):
    content = json.loads(written.read_text("utf-8"))
    change(content)
    path.write_text(json.dumps(content))


def test_each_file_is_reported_and_any_problem_is_the_exit_status(algzoo, written, tmp_path):
    entries = tmp_path / "entries"
    entries.mkdir()
    shutil.copy(written, entries / "good.json")
    forged(written, entries / "rms.json", lambda c: c["results"][0].update(rms=0.5))
    forged(written, entries / "round.json", lambda c: c.update(round="2001-01"))
    forged(
        written,
        entries / "away.json",
        lambda c: c["source"].update(code=None, package="faraway", version="1", estimator="f:g"),
    )
    (entries / "broken.json").write_text('{"name": ')
    (entries / "notes.txt").write_text("not looked at")
    result = algzoo("leaderboard", "--check", "--models", "1", "--workers", "1", str(entries))
    assert result.exit_code == 1
    said = dict(line.split(": ", 1) for line in result.stdout.splitlines())
    assert said.keys() == {"good.json", "rms.json", "round.json", "away.json", "broken.json"}
    assert said["good.json"] == "2 estimates were computed again and hold"
    assert said["rms.json"].startswith("seed 2, sd 0.005: rms is 0.5, from its estimates 0.0")
    assert said["round.json"].startswith("There is no round '2001-01'; there are:")
    assert said["away.json"].endswith("not checkable: faraway 1 is not installed here")
    assert said["broken.json"].startswith("is not JSON: ")
    listing = algzoo("leaderboard", str(entries))
    assert listing.exit_code == 1
    assert max(map(len, listing.stdout.splitlines())) <= 80
    for text in ("Round trial.", "same share for", "Ada", "720"):
        assert text in listing.stdout
    assert "round.json: there is no round '2001-01'" in listing.stderr
    assert "broken.json: is not JSON" in listing.stderr


def test_what_cannot_be_checked_fails_where_that_is_asked(algzoo, written, tmp_path):
    path = tmp_path / "away.json"
    away = {"code": None, "package": "faraway", "version": "1", "estimator": "f:g"}
    forged(written, path, lambda c: c["source"].update(away))
    assert algzoo("leaderboard", "--check", str(path)).exit_code == 0
    result = algzoo("leaderboard", "--check", "--strict", str(path))
    assert result.exit_code == 1
    assert "its scores follow from its estimates; not checkable: faraway 1" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*ENTER, "--sd", "0.01"), "--sd cannot be given with --round"),
        ((*ENTER, "--seeds", "--models", "3"), "--models and --seeds cannot be given with --round"),
        ((*ENTER, "--json"), "--json cannot be given with --round"),
        ((*ENTER, "--submit", "new.json"), "--submit needs your name: --author"),
        ((*ENTER, "--submit", "new.json", "--author", " "), "--submit needs your name: --author"),
        (
            (*ENTER, "--submit", "my_entry.py", "--author", "Ada"),
            "my_entry.py is there already: name another file, or remove it first",
        ),
        ((*ENTER, "--estimator", "exact"), "--round scores one estimator at a time"),
        (
            ("challenge", "--round", "1999", "--estimator", "exact"),
            "There is no round '1999'; there are: 2026-12, trial",
        ),
        (
            ("challenge", "--round", "trial", "--estimator", "my_entry:estimate"),
            "my_entry:estimate does not declare what an entry states: make it an",
        ),
        (("challenge", "--round", "trial", "--estimator", "exactly"), "No estimator 'exactly'"),
        (
            ("challenge", "--round", "trial", "--estimator", "exact", "--workers", "1"),
            "exact, seed 2, sd 0.005, on model 0: raised ValueError",
        ),
        (
            (
                "challenge",
                "--model",
                "2nd_argmax_2_2",
                "--submit",
                "a.json",
                "--estimator",
                "exact",
            ),
            "--submit needs --round",
        ),
        (
            (*ENTER, "--split", "seed-agnostic"),
            "my_entry:entry has no fit, so it has no split",
        ),
        (("challenge", "--estimator", "exact"), "Give --model, or --round for the leaderboard"),
        (("leaderboard",), "No analyses/ folder beside a _toc.yml"),
        (("leaderboard", "nowhere.json"), "There is no file nowhere.json"),
        (("leaderboard", "--strict"), "--strict needs --check"),
        (("leaderboard", "."), "There is no entry in ."),
        (
            (*ENTER, "--submit", "new.json", "--author", "A\nda"),
            'author must be a text, not "A\\nda"',
        ),
        (
            (*ENTER, "--submit", "new.json", "--author", "Ada", "--link", "javascript:x"),
            "link must be an address that begins with https://",
        ),
        (("leaderboard", "--page", "--check"), "give nothing else with it"),
    ],
)
def test_errors_are_one_sentence_and_leave_nothing(algzoo, tmp_path, arguments, message):
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    result = algzoo(*arguments)
    assert result.exit_code in (1, 2)
    assert message in " ".join(result.stderr.split())
    assert "Traceback" not in result.output
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert before == after


def test_without_arcs_file_the_entry_says_what_is_missing(algzoo, tmp_path, monkeypatch):
    """On the round itself, by the cheapest of estimators."""
    (tmp_path / "cheap.py").write_text(
        "from algzoo.estimates import Estimate\n"
        "from algzoo.scoring import Entrant\n"
        "entry = Entrant('nine tenths', lambda model: Estimate(0.9, 1, 'never'), 7.0,\n"
        "    exact='approximate', constants='from other networks', tuned_on='a guess')\n"
    )
    monkeypatch.delenv("ALGZOO_OFFICIAL", raising=False)
    result = algzoo(
        *("challenge", "--round", "2026-12", "--estimator", "cheap:entry", "--workers", "1"),
        *("--submit", "cheap.json", "--author", "Ada"),
    )
    sys.modules.pop("cheap", None)
    assert result.exit_code == 0, result.output
    names = [f"ARC's example, sd {sd:g}" for sd in (0.002, 0.005, 0.01)]
    assert f"Not scored, because ARC's file is not here: {'; '.join(names)}." in result.stdout
    assert "`algzoo fetch example_2nd_argmax` gets it" in result.stdout
    entry = read_entry(tmp_path / "cheap.json")
    assert list(entry.missing) == names
    assert [one.population for one in entry.results] == [
        *("seed 2, sd 0.005", "five seeds, sd 0.005", "five seeds, clean")
    ]
    assert {one.operations_of_models for one in entry.results} == {1}
    assert entry.facts.advice_bits == 7
