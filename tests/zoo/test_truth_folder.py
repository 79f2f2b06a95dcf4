"""Where truths are kept: a named folder, the user's cache, or a new folder for one command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from algzoo.zoo import official
from algzoo.zoo.truth_folder import TRUTH_FOLDER, fresh_truths, truth_folder


def test_the_folder_is_the_named_one_else_in_the_users_cache(monkeypatch):
    monkeypatch.setenv(TRUTH_FOLDER, "~/truths")
    assert truth_folder() == Path.home() / "truths"
    monkeypatch.setenv(TRUTH_FOLDER, "")
    assert truth_folder() == official.cache_folder() / "truth"
    monkeypatch.delenv(TRUTH_FOLDER)
    assert truth_folder() == official.cache_folder() / "truth"


def test_fresh_truths_are_in_a_new_folder_that_is_gone_afterwards(monkeypatch, tmp_path):
    monkeypatch.setenv(TRUTH_FOLDER, str(tmp_path))
    (tmp_path / "old").touch()
    users_cache = official.cache_folder()
    with fresh_truths():
        folder = truth_folder()
        assert list(folder.iterdir()) == []
        (folder / "new").touch()
        with fresh_truths():
            assert truth_folder() == folder
        assert truth_folder() == folder
        seen_by_others = subprocess.run(
            [sys.executable, "-c", f"import os; print(os.environ[{TRUTH_FOLDER!r}])"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert seen_by_others.stdout.strip() == str(folder)
        assert official.cache_folder() == users_cache
    assert not folder.exists()
    assert truth_folder() == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_the_setting_is_as_before_after_an_error(monkeypatch):
    monkeypatch.delenv(TRUTH_FOLDER)

    @fresh_truths()
    def fail():
        assert TRUTH_FOLDER in os.environ
        raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            fail()
        assert TRUTH_FOLDER not in os.environ
