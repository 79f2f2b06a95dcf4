"""The name of the code changes with every file and library, and with nothing else."""

import zipfile
from pathlib import Path

import pytest

from algzoo.scoring.compute import source

FILES = {
    "__init__.py": b"",
    "scoring/truth.py": b"x = 1\n",
    "scoring/data/table.json": b"[1, 2]",
    "zoo/data/weights/model.safetensors": bytes(range(256)),
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A folder that is taken for the package."""
    folder = tmp_path / "package"
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    monkeypatch.setattr(source, "files", lambda name: folder)
    return folder


def digest():
    return source.source_digest.__wrapped__()


def test_it_names_the_package_itself():
    names = [name for name, _ in source._contents(source.files("algzoo"), "")]
    assert {"/scoring/compute/truth.py", "/estimates/scope.py", "/zoo/data/scores.json"} <= set(
        names
    )
    assert not [name for name in names if name.endswith((".pyc", ".nbc", ".nbi"))]
    assert source.source_digest() == source.source_digest() == digest()


@pytest.mark.parametrize("name", FILES)
def test_a_change_of_any_file_changes_it(package, name):
    before = digest()
    path = package / name
    path.write_bytes(path.read_bytes() + b"\n")
    assert digest() != before
    path.write_bytes(FILES[name])
    assert digest() == before


def test_a_file_more_or_of_another_name_changes_it(package):
    before = digest()
    (package / "more.py").write_bytes(b"")
    assert digest() != before
    (package / "more.py").unlink()
    (package / "scoring" / "truth.py").rename(package / "scoring" / "truths.py")
    assert digest() != before


def test_what_moves_from_one_file_to_the_next_changes_it(package):
    (package / "a.py").write_bytes(b"x")
    (package / "b.py").write_bytes(b"")
    before = digest()
    (package / "a.py").write_bytes(b"")
    (package / "b.py").write_bytes(b"x")
    assert digest() != before


def test_compiled_code_does_not_change_it(package):
    before = digest()
    (package / "scoring" / "__pycache__").mkdir()
    (package / "scoring" / "__pycache__" / "truth.cpython-311.pyc").write_bytes(b"x")
    assert digest() == before


def test_another_version_of_a_library_changes_it(package, monkeypatch):
    before = digest()
    monkeypatch.setattr(source, "version", lambda name: "3.0" if name == "numpy" else "1.0")
    changed = digest()
    monkeypatch.setattr(source, "version", lambda name: "1.0")
    assert len({before, changed, digest()}) == 3


def test_a_package_in_an_archive_has_the_same_name(package, tmp_path, monkeypatch):
    before = digest()
    with zipfile.ZipFile(tmp_path / "package.zip", "w") as archive:
        for name in FILES:
            archive.write(package / name, Path("algzoo") / name)
    inside = zipfile.Path(tmp_path / "package.zip") / "algzoo/"
    monkeypatch.setattr(source, "files", lambda name: inside)
    assert digest() == before
