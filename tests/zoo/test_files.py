import errno
import os
import stat

import pytest

from algzoo.zoo.files import temporary_file, write_whole


def test_folders_are_made_and_nothing_lies_beside(tmp_path):
    path = tmp_path / "a" / "b" / "file.json"
    write_whole(path, b"first")
    write_whole(path, b"second")
    assert path.read_bytes() == b"second"
    assert [p.name for p in path.parent.iterdir()] == ["file.json"]


def test_new_files_get_the_usual_permissions_and_old_ones_keep_theirs(tmp_path):
    usual, new = tmp_path / "usual", tmp_path / "new"
    usual.write_bytes(b"")
    write_whole(new, b"")
    assert stat.S_IMODE(new.stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)
    new.chmod(0o640)
    write_whole(new, b"again")
    assert stat.S_IMODE(new.stat().st_mode) == 0o640


def test_a_failure_leaves_the_old_file_and_names_it(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_whole(path, b"old")

    def disk_full(number):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", disk_full)
    with pytest.raises(OSError, match=r"cannot write .*file: No space left on device") as caught:
        write_whole(path, b"new")
    assert caught.value.errno == errno.ENOSPC
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"old"]


def test_a_temporary_file_goes_away_unless_renamed(tmp_path):
    with temporary_file(tmp_path / "file.ipynb", b"content") as temporary:
        assert temporary.read_bytes() == b"content"
        # Killed here, it would stay: a folder of chapters must not have one more for it.
        assert list(tmp_path.glob("*.ipynb")) == []
    assert list(tmp_path.iterdir()) == []
