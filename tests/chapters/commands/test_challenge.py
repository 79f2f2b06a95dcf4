"""``algzoo challenge`` as its reader meets it."""

import json
import sys
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from algzoo.chapters.commands.main import main
from algzoo.chapters.figures.error_vs_compute import error_vs_compute
from algzoo.chapters.figures.style import as_svg
from algzoo.scoring import Leaderboard, Ratio, Row, SamplerScore, Scored

MODULE = """
from algzoo.estimates import Estimate
from algzoo.scoring import Entrant

def estimate(model):
    return Estimate(0.99, 320, "never")

def fit(models, truths):
    return lambda model: Estimate(sum(truths) / len(truths), 320, "never")

def broken(model):
    raise RuntimeError("not today")

family = [Entrant("of the family", estimate, 7.0, fit=fit), estimate]
number = 3
"""


@pytest.fixture
def algzoo(tmp_path, monkeypatch):
    """The command in a folder with somebody's module."""
    (tmp_path / "somebodys.py").write_text(MODULE)
    (tmp_path / "ends.py").write_text("import sys; sys.exit('for good')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def call(*arguments, model="2nd_argmax_2_2", population=("--sd", "0.02", "--models", "12")):
        asked = ["challenge", "--model", model, *population, "--workers", "1", *arguments]
        return CliRunner().invoke(main, asked)

    yield call
    sys.modules.pop("somebodys", None)


def test_estimators_of_a_module_and_of_the_catalog(algzoo, tmp_path):
    result = algzoo(
        *("--estimator", "somebodys:family", "--estimator", "exact", "--plot", "plot.svg")
    )
    assert result.exit_code == 0, result.output
    for text in ("of the family", "model-specific", "somebodys:family", "exact", "truth exact"):
        assert text in result.stdout
    assert "B* of exact, zero-shot:" in result.stdout
    picture = (tmp_path / "plot.svg").read_bytes()
    assert ElementTree.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"


def test_json_has_every_number(algzoo):
    result = algzoo("--estimator", "exact", "--json", population=("--seeds",))
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)
    [row] = record["rows"]
    assert (row["name"], row["runs_network"]) == ("exact", "never")
    assert (row["rms"], row["failure"]) == (0.0, None)
    assert len(row["by_base"]) == record["population"]["n_models"] == 5
    assert record["population"]["operations_of_a_sample"] == 16
    assert record["samplers"]


def test_what_is_not_scored_is_named_and_tells_by_the_exit_status(algzoo):
    result = algzoo("--estimator", "somebodys:broken", "--estimator", "somebodys:estimate")
    assert result.exit_code == 1
    said = " ".join(result.stdout.split())  # the terminal's width folds it
    assert "not scored: on model 0: raised RuntimeError: not today (somebodys.py" in said
    assert "B* of somebodys:estimate" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "changes", "message"),
    [
        (["--estimator", "exactly"], {}, "one of the catalogue, which `algzoo estimators` lists"),
        (["--estimator", "somebodys:"], {}, "name a function as package.module:function"),
        (["--estimator", "ends:estimate"], {}, "Cannot import ends: it calls sys.exit('for good')"),
        (
            ["--estimator", "somebodys.py:estimate"],
            {},
            "give a module, somebodys:estimate, from the folder that holds somebodys.py",
        ),
        (
            ["--estimator", "a folder/b:c/somebodys.py:estimate"],
            {},
            "give a module, somebodys:estimate, from the folder that holds somebodys.py",
        ),
        (["--estimator", "nobodys:estimate"], {}, "No module named 'nobodys'. Modules are looked"),
        (["--estimator", "somebodys:estimat"], {}, "somebodys:estimat is not there: it must be"),
        (["--estimator", "somebodys:number"], {}, "somebodys:number is 3: it must be a function"),
        (
            ["--estimator", "exact"],
            {"model": "2nd_argmax_2"},
            "16_10, family_hidden_seq",
        ),
        (["--estimator", "exact"], {"model": "2nd_argmax_2_7"}, "please choose one of: 2, 3"),
        (["--estimator", "exact"], {"model": "example_2nd_argmax"}, "algzoo fetch"),
        (["--estimator", "exact"], {"population": ()}, "training seeds (--seeds), or both"),
        (["--estimator", "exact", "--plot", "a.png"], {}, "give a file name that ends with .svg"),
        (["--estimator", "exact", "--time-limit", "0"], {}, "time_limit must be positive"),
        ([], {}, "Missing option '--estimator'"),
    ],
)
def test_errors_say_what_to_do(algzoo, arguments, changes, message):
    result = algzoo(*arguments, **changes)
    assert result.exit_code in (1, 2)
    assert message in result.stderr
    assert "Traceback" not in result.output


@pytest.fixture
def leaderboard():
    ratio = Ratio(0.5, 0.4, 0.6)
    rows = tuple(
        Row(
            name,
            0,
            split,
            0.0,
            runs_network=runs,
            operations=n,
            samples=n / 72,
            rms=rms,
            ratio=ratio,
        )
        for name, split, runs, n, rms in [
            ("deduced", "zero-shot", "never", 1e3, 0.0),
            ("fitted", "seed-agnostic", "never", 1e4, 0.02),
            ("fitted", "seed-agnostic", "never", 1e6, 0.002),
        ]
    )
    failed = Row("failed", 0, "zero-shot", 0.0, failure="on model 0: raised")
    population = Scored("12 models", 12, ("a",), 0.9, 0.001, 0.09, 90, 72, 1000, 0.0, (0.8, 1.2))
    samplers = (SamplerScore("sobol", 256, 72 * 256, 0.015, ratio),)
    return Leaderboard((*rows, failed), population, samplers)


def test_the_picture_is_the_same_on_every_run_and_opaque(leaderboard):
    pictures = [as_svg(error_vs_compute(leaderboard), "salt").encode() for _ in range(2)]
    assert pictures[0] == pictures[1]
    assert b"<dc:date>" not in pictures[0]
    assert b"fill: #ffffff" in pictures[0]


def test_the_picture_shows_baselines_and_every_scored_estimator(leaderboard):
    figure = error_vs_compute(leaderboard)
    [ax] = figure.axes
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    expected = {"random sampling", "prior-shrunk", "variance-reduced samplers", "1: deduced"}
    assert expected | {"2: fitted, seed-agnostic", "runs the network: never"} == set(labels)
    numbers = {text.get_text(): text.xy for text in ax.texts}
    assert numbers == {"1": (1e3, 0), "2": (1e4, 0.02)}  # without colours the legend is found too
    lines = {line.get_label(): line for line in ax.lines}
    operations, rms = lines["random sampling"].get_data()
    assert rms**2 * operations == pytest.approx(0.09 * 72)
    assert list(lines["2: fitted, seed-agnostic"].get_ydata()) == [0.02, 0.002]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
