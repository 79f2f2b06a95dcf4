"""The command line as its reader meets it."""

import json
import os
import re

import nbformat
import pytest
from click.testing import CliRunner

from algzoo.chapters.cli import main
from algzoo.chapters.notebooks import execute, read, write


@pytest.fixture
def algzoo(small_clone, monkeypatch):
    monkeypatch.chdir(small_clone)

    def call(*arguments):
        return CliRunner().invoke(main, arguments)

    return call


@pytest.fixture
def chapter(small_clone):
    return small_clone / "analyses" / "small.ipynb"


def change_source(chapter, old, new):
    notebook = read(chapter)
    for cell in notebook.cells:
        cell.source = cell.source.replace(old, new)
    write(notebook, chapter)


def test_check_holds_and_writes_nothing(algzoo, chapter):
    before = chapter.read_bytes()
    result = algzoo("check")
    assert result.exit_code == 0
    assert "1 chapters, 8 numbers: 8 the same, 0 not" in result.stdout
    assert chapter.read_bytes() == before


def test_check_names_chapter_and_number_that_moved(algzoo, chapter):
    change_source(chapter, "3 * scale", "4 * scale")
    result = algzoo("check", "small")
    assert result.exit_code == 1
    assert "small: exact: moved" in result.stdout
    as_json = json.loads(algzoo("check", "--json").stdout)
    moved = [row for row in as_json["numbers"] if row["verdict"] != "same"]
    assert [(r["chapter"], r["name"], r["committed"], r["now"]) for r in moved] == [
        ("small", "exact", 3, 4)
    ]


def test_check_reports_missing_numbers_and_chapters_that_raise(algzoo, chapter):
    change_source(chapter, "record(loose=1.0 * scale, rtol=1e-2)", "")
    result = algzoo("check")
    assert result.exit_code == 1
    assert "small: loose: missing" in result.stdout
    change_source(chapter, "scale = 1", "scale = 1 / 0")
    result = algzoo("check")
    assert result.exit_code == 1
    assert "ZeroDivisionError" in result.stderr
    assert "1 chapters did not run" in result.stdout


def test_run_writes_the_new_numbers_and_then_check_holds(algzoo, chapter):
    change_source(chapter, "3 * scale", "4 * scale")
    assert algzoo("run", "small").exit_code == 0
    assert "exact = 4" in chapter.read_text()
    assert algzoo("check").exit_code == 0


def test_run_of_a_failing_chapter_leaves_it_and_says_so(algzoo, chapter):
    change_source(chapter, "scale = 1", "scale = undefined_name")
    before = chapter.read_bytes()
    result = algzoo("run")
    assert result.exit_code == 1
    assert "NameError" in result.stderr
    assert "small: not written" in result.stderr
    assert chapter.read_bytes() == before


def test_run_with_parameters_needs_and_fills_another_file(algzoo, chapter, tmp_path):
    before = chapter.read_bytes()
    refused = algzoo("run", "small", "-p", "scale", "2")
    assert refused.exit_code == 2
    assert "--output" in refused.stderr
    output = tmp_path / "doubled.ipynb"
    assert algzoo("run", "small", "-p", "scale", "2", "-o", str(output)).exit_code == 0
    assert "exact = 6" in output.read_text()
    unknown = algzoo("run", "small", "-p", "scael", "2", "-o", str(output))
    assert unknown.exit_code == 1
    assert "no parameter 'scael'" in unknown.stderr
    assert chapter.read_bytes() == before


def test_unknown_chapters_and_foreign_folders_are_one_line(algzoo, tmp_path, monkeypatch):
    result = algzoo("check", "large")
    assert result.exit_code == 1
    assert result.stderr == "Error: No chapter 'large'; there are: small\n"
    monkeypatch.chdir(tmp_path)
    result = algzoo("check")
    assert result.exit_code == 1
    assert "inside a clone" in result.stderr


def test_a_cover_is_written_beside_the_pages(algzoo, chapter, small_clone):
    notebook = read(chapter)
    notebook.metadata["algzoo"] = {"cover": "fig"}
    write(notebook, chapter)
    assert algzoo("run").exit_code == 0
    cover = small_clone / "book" / "_static" / "covers" / "small.svg"
    assert nbformat.read(chapter, 4).cells[4].outputs[0].data["image/svg+xml"] == cover.read_text()


def test_a_cover_that_is_not_there_or_cannot_be_written_is_said(algzoo, chapter, small_clone):
    notebook = read(chapter)
    notebook.metadata["algzoo"] = {"cover": "figure"}
    write(notebook, chapter)
    before = chapter.read_bytes()
    result = algzoo("run")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-2:] == [
        "The notebook's metadata names 'figure' as its cover: it shows no such figure",
        "small: not written",
    ]
    assert chapter.read_bytes() == before
    notebook.metadata["algzoo"]["cover"] = "fig"
    write(notebook, chapter)
    (small_clone / "book" / "_static").mkdir(parents=True)
    (small_clone / "book" / "_static" / "covers").write_text("a file, not a folder")
    result = algzoo("run")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "small: written, but not its cover"


def test_models_lists_every_size_with_its_best_score(algzoo):
    rows = json.loads(algzoo("models", "--json").stdout)
    assert len(rows) == 116
    largest = [r for r in rows if (r["family"], r["hidden_size"], r["seq_len"]) == ("median", 2, 2)]
    assert [r["parameters"] for r in largest] == [8]
    assert "argmedian" in algzoo("models").stdout


def test_fetch_says_where_files_are_and_what_could_not_be_had(algzoo, monkeypatch):
    def fetch_official(name, *, progress):
        if "median" in name:
            raise OSError(f"no network for {name}")
        return f"/cache/{name}.pth"

    monkeypatch.setattr("algzoo.chapters.cli.fetch_official", fetch_official)
    result = algzoo("fetch", "example_2nd_argmax")
    assert result.exit_code == 0
    assert result.stdout == "example_2nd_argmax: /cache/example_2nd_argmax.pth\n"
    result = algzoo("fetch", "--all")
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 1 + 5 * (56 + 20)  # 2nd argmax and longest cycle
    assert "no network for median_2_2_1073741824_0" in result.stderr
    assert "200 of 581 models could not be fetched" in result.stderr


def test_fetch_needs_to_know_what(algzoo):
    result = algzoo("fetch")
    assert result.exit_code == 2
    assert "Name a MODEL, or --all" in result.stderr


def test_fetch_of_an_unknown_name_is_one_line(algzoo):
    result = algzoo("fetch", "3rd_argmax_2_2_1_0")
    assert result.exit_code == 1
    assert "ARC has no model '3rd_argmax_2_2_1_0'" in result.stderr


def test_train_writes_checkpoints_of_the_model_asked_for(algzoo, tmp_path):
    folder = tmp_path / "trained"
    sizes = ["2nd_argmax", "2", "2", "--seed", "3", "--n-train", "4096", "--n-val", "1024"]
    result = algzoo("train", *sizes, "--folder", str(folder))
    assert result.exit_code == 0
    names = {f"2nd_argmax_2_2_{n}_3.pth" for n in (0, 1024, 2048, 4096)}
    assert {path.name for path in folder.iterdir()} == names


def test_train_of_an_unknown_task_is_one_line(algzoo):
    result = algzoo("train", "3rd_argmax", "2", "2")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: No task with name '3rd_argmax', please choose one of")


def test_train_all_writes_the_files_of_the_families_asked_for(algzoo, tmp_path):
    folder = tmp_path / "trained"
    small = ["--family", "median", "--n-train", "1024", "--device", "cpu"]
    result = algzoo("train", "--all", *small, "--folder", str(folder))
    assert result.exit_code == 0
    assert not result.stdout
    assert "median, length 10" in result.stderr
    names = {f"median_{d}_{n}.safetensors" for d in (2, 4, 8, 16, 32) for n in (2, 3, 5, 10)}
    assert {path.name for path in folder.glob("*.safetensors")} == names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Name a TASK, HIDDEN_SIZE and SEQ_LEN, or --all"),
        (["median", "2"], "Name a TASK, HIDDEN_SIZE and SEQ_LEN, or --all"),
        (["median", "2", "2", "--family", "median"], "'--family' .* needs --all"),
        (["--family", "median"], "'--family' .* needs --all"),
        (["--all", "median", "2", "2"], r"'\[TASK\]' is of one model: leave it out with --all"),
        (["--all", "--seed", "0"], "'--seed' is of one model: leave it out with --all"),
        (["--all", "--n-val", "8"], "'--n-val' is of one model: leave it out with --all"),
    ],
)
def test_train_says_which_arguments_do_not_go_together(algzoo, arguments, message):
    result = algzoo("train", *arguments)
    assert result.exit_code == 2
    assert re.search(message, result.stderr)


def test_train_of_an_unknown_family_is_one_line(algzoo):
    result = algzoo("train", "--all", "--family", "modus")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: No family with name 'modus', please choose one of")


@pytest.fixture
def chapter_about_arcs_example(chapter):
    """A second chapter, committed, that cannot do without ARC's own file."""
    path = chapter.with_name("example.ipynb")
    notebook = read(chapter)
    notebook.metadata["algzoo"] = {"needs_official": "example_2nd_argmax"}
    write(notebook, path)
    return path


def test_a_chapter_without_arcs_file_is_named_as_not_checked(algzoo, chapter_about_arcs_example):
    before = chapter_about_arcs_example.read_bytes()
    result = algzoo("check", "example")
    assert result.exit_code == 1  # it was asked for
    assert "0 chapters did not run, 1 not checked" in result.stdout
    assert re.search(r"example: not checked: .*`algzoo fetch example_2nd_argmax`", result.stdout)
    result = algzoo("check", "--json")
    assert result.exit_code == 0
    as_json = json.loads(result.stdout)
    assert list(as_json["not_checked"]) == ["example"]
    assert {row["chapter"] for row in as_json["numbers"]} == {"small"}
    assert as_json["broken"] == {}
    assert chapter_about_arcs_example.read_bytes() == before


def test_other_chapters_still_fail_beside_one_not_checked(
    algzoo, chapter, chapter_about_arcs_example
):
    change_source(chapter, "3 * scale", "4 * scale")
    result = algzoo("check")
    assert result.exit_code == 1
    assert "1 not checked" in result.stdout


def test_run_without_arcs_file_leaves_the_chapter_and_says_how_to_get_it(
    algzoo, chapter_about_arcs_example
):
    before = chapter_about_arcs_example.read_bytes()
    result = algzoo("run", "example")
    assert result.exit_code == 1
    assert "example needs ARC's own example_2nd_argmax" in result.stderr
    assert "`algzoo fetch example_2nd_argmax`" in result.stderr
    assert "example: not written" in result.stderr
    assert chapter_about_arcs_example.read_bytes() == before


def test_a_chapter_with_arcs_file_is_checked(algzoo, chapter_about_arcs_example, official):
    result = algzoo("check", "example")
    assert result.exit_code == 0
    assert "1 chapters, 8 numbers: 8 the same" in result.stdout
    assert "0 not checked" in result.stdout


def test_another_file_in_place_of_arcs_is_a_failure(
    algzoo, chapter_about_arcs_example, tmp_path, monkeypatch
):
    (tmp_path / "example_2nd_argmax.pth").write_bytes(b"<html>")
    monkeypatch.setenv("ALGZOO_OFFICIAL", str(tmp_path))
    result = algzoo("check", "example")
    assert result.exit_code == 1
    assert "it holds a web page" in result.stderr
    assert "0 not checked" in result.stdout


def test_arcs_files_beside_the_clone_are_found(shared, small_clone, chapter_about_arcs_example):
    beside = small_clone.parent / "shared" / "data"
    beside.mkdir(parents=True)
    (beside / "official").symlink_to(shared / "data" / "official")
    execute(chapter_about_arcs_example)
    assert "ALGZOO_OFFICIAL" not in os.environ
