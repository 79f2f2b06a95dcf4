"""``algzoo accuracy`` as its reader meets it."""

import json

import pytest
from click.testing import CliRunner

from algzoo.chapters.commands.main import main
from algzoo.estimates import exact
from algzoo.zoo import load_model, zoo_2nd_argmax


def algzoo(*arguments):
    return CliRunner().invoke(main, arguments)


def test_it_prints_value_error_method_and_cost():
    result = algzoo("accuracy", "2nd_argmax_4_3")
    assert result.exit_code == 0
    first, second = result.stdout.splitlines()
    assert first == f"accuracy {exact(zoo_2nd_argmax(4, 3)).value:.7f}, exact"
    assert second.startswith("by exact: ")
    assert second.endswith(" s")


def test_it_reaches_the_tolerance():
    result = algzoo("accuracy", "2nd_argmax_16_10", "--tolerance", "1e-3", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["model"] == "2nd_argmax_16_10"
    assert 0 < found["std"] <= 1e-3
    assert found["value"] == pytest.approx(0.949, abs=0.006)
    assert found["operations"] > 0
    assert found["measure"] == "accuracy"


def test_a_seed_of_training_can_be_named_and_an_error_is_called_one():
    name = "2nd_argmax_4_3_1073741824_1"
    found = json.loads(algzoo("accuracy", name, "--json").stdout)
    model = load_model("2nd_argmax", 4, 3, n_seqs=2**30, seed=1)
    assert found["value"] == exact(model).value
    assert "mean squared error" in algzoo("accuracy", "median_2_2").stdout


def test_what_cannot_be_is_said_in_one_line():
    result = algzoo("accuracy", "2nd_argmax_7")
    assert result.exit_code == 1
    assert "No model is called '2nd_argmax_7'" in result.stderr
    assert algzoo("accuracy", "2nd_argmax_4_3", "--tolerance", "0").exit_code == 2


@pytest.mark.parametrize(
    ("tolerance", "code", "message"),
    [
        ("nan", 1, "tolerance must be positive, got nan"),
        ("-1", 2, "-1.0 is not in the range x>0"),
        ("1e-300", 1, "tolerance must be at least 1e-12, got 1e-300"),
    ],
)
def test_a_tolerance_that_cannot_be_reached_is_refused(tolerance, code, message):
    result = algzoo("accuracy", "2nd_argmax_16_10", "--tolerance", tolerance)
    assert result.exit_code == code
    assert message in result.stderr.splitlines()[-1]


def test_an_exact_score_is_within_any_tolerance():
    result = algzoo("accuracy", "2nd_argmax_2_2", "--tolerance", "1e-300", "--json")
    assert json.loads(result.stdout)["std"] == 0
