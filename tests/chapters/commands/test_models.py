"""``algzoo models``, ``fetch`` and ``benchmark`` as their reader meets them."""

import json

from click.testing import CliRunner

from algzoo.chapters.commands import models as module
from algzoo.chapters.commands.main import main


def algzoo(*arguments):
    return CliRunner().invoke(main, arguments)


def test_models_lists_every_size_with_its_best_score():
    rows = json.loads(algzoo("models", "--json").stdout)
    assert len(rows) == 116
    largest = [r for r in rows if (r["family"], r["hidden_size"], r["seq_len"]) == ("median", 2, 2)]
    assert [r["parameters"] for r in largest] == [8]
    assert "argmedian" in algzoo("models").stdout


def test_fetch_says_where_files_are_and_what_could_not_be_had(monkeypatch):
    def fetch_official(name, *, progress):
        if "median" in name:
            raise OSError(f"no network for {name}")
        return f"/cache/{name}.pth"

    monkeypatch.setattr(module, "fetch_official", fetch_official)
    result = algzoo("fetch", "example_2nd_argmax")
    assert result.exit_code == 0
    assert result.stdout == "example_2nd_argmax: /cache/example_2nd_argmax.pth\n"
    result = algzoo("fetch", "--all")
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 1 + 5 * (56 + 20)  # 2nd argmax and longest cycle
    assert "no network for median_2_2_1073741824_0" in result.stderr
    assert "200 of 581 models could not be fetched" in result.stderr


def test_fetch_needs_to_know_what():
    result = algzoo("fetch")
    assert result.exit_code == 2
    assert "Give a MODEL, or --all" in result.stderr


def test_fetch_of_an_unknown_name_is_one_line():
    result = algzoo("fetch", "3rd_argmax_2_2_1_0")
    assert result.exit_code == 1
    assert "ARC has no model '3rd_argmax_2_2_1_0'" in result.stderr


def test_a_benchmark_to_a_tolerance_compares_the_methods():
    result = CliRunner().invoke(main, ["benchmark", "4", "5", "--tolerance", "0.001"])
    assert result.exit_code == 0, result.output
    assert "leaves of pairs" in result.stdout
    assert "of the time of random inputs" in result.stdout
    assert CliRunner().invoke(main, ["benchmark", "4", "5", "--tolerance", "0"]).exit_code == 2
