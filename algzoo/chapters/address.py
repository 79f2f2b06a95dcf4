"""Address at which the book is published: one setting, for launch buttons and for Colab.

The setting is in ``_config.yml``, where Jupyter Book reads it; while it is empty, launch buttons
are off. Colab gets a single notebook and nothing else. Each chapter therefore repeats the address
in its first cell, which installs the package there and does nothing elsewhere.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from ..zoo.files import write_whole
from .notebooks import ChapterError, find_chapters, read, write

_ADDRESS = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+")

# Settings in _config.yml: section, key, and the value, in YAML, with an address and without one.
_ADDRESS_SETTING = ("repository", "url")
_BUTTONS = {
    ("launch_buttons", "binderhub_url"): ('"https://mybinder.org"', '""'),
    ("launch_buttons", "colab_url"): ('"https://colab.research.google.com"', '""'),
    ("html", "use_repository_button"): ("true", "false"),
}

_PROSE = """\
On Colab, the next cell installs the book's package. Elsewhere it does nothing."""

# Among the declared dependencies, pip installs those that Colab lacks or has in too old a version;
# Colab's torch and numpy stay if they are new enough. Its IPython and its kernel stay in any case,
# because they run the cell; nbclient and papermill start kernels, which a chapter does not do.
_CODE = """\
import sys
from importlib.metadata import requires
from pathlib import Path

REPOSITORY = "{address}"  # set by `algzoo publish-at`
if "google.colab" in sys.modules:
    assert REPOSITORY, "This copy has no address: run it from a clone"
    %pip install -q --no-deps git+{{REPOSITORY}}
    extra, colab = "extra ==", ("ipykernel", "ipython", "nbclient", "papermill")
    needed = [r for r in requires("algzoo") if extra not in r]
    needed = [r for r in needed if not r.startswith(colab)]
    Path("needed.txt").write_text("\\n".join(needed))
    %pip install -q -r needed.txt"""

_CODE_ID = "colab-install"


def first_cells(address: str) -> list[NotebookNode]:
    """Make the two cells below a chapter's title, hidden in the book, that install it on Colab."""
    tags = {"tags": ["remove-cell"]}
    return [
        nbformat.v4.new_markdown_cell(_PROSE, id="colab", metadata=tags),
        nbformat.v4.new_code_cell(_CODE.format(address=address), id=_CODE_ID, metadata=tags),
    ]


def published_at(root: Path) -> str:
    """Return the address of the book's repository, which is empty if it is not published.

    Raises
    ------
    ChapterError
        If the book's configuration has no such setting.
    """
    return _value(_configuration(root), *_ADDRESS_SETTING)[0].strip('"')


def publish_at(address: str, root: Path) -> list[Path]:
    """Set the address of the book's repository, and return the files that were changed.

    Raises
    ------
    ChapterError
        If it is not the address of a repository on GitHub (Colab opens notebooks only from there),
        if the book's configuration has no such setting, or if a chapter cannot be read.
    OSError
        If a file cannot be written.
    """
    address = address.removesuffix("/").removesuffix(".git")
    if address and not _ADDRESS.fullmatch(address):
        raise ChapterError(
            f"{address!r} is not the address of a repository like https://github.com/OWNER/NAME"
        )
    before = after = _configuration(root)
    buttons = {place: on if address else off for place, (on, off) in _BUTTONS.items()}
    for place, value in {_ADDRESS_SETTING: f'"{address}"', **buttons}.items():
        start, end = _value(after, *place).span()
        after = f"{after[:start]}{value}{after[end:]}"
    notebooks = {path: read(path) for path in find_chapters((), root)}
    [_, code] = first_cells(address)
    changed = []
    for path, notebook in notebooks.items():
        for cell in notebook.cells:
            if cell.id == _CODE_ID and cell.source != code.source:
                cell.source = code.source
                write(notebook, path)
                changed.append(path)
    if after != before:
        write_whole(root / "_config.yml", after.encode())
        changed.append(root / "_config.yml")
    return changed


def doubts(address: str, root: Path) -> list[str]:
    """Say why buttons that lead to an address may not work, as far as git knows it offline.

    Each sentence says what to do. The list is empty if there is no address, or no doubt.
    """
    address = address.removesuffix("/").removesuffix(".git")
    if not address:
        return []
    remotes = _git(root, "remote", "-v")
    if remotes is None:
        return ["Git does not know this folder, so nothing is known of its address on GitHub."]
    owner_and_name = address.removeprefix("https://github.com/")
    if not re.search(rf"github\.com[:/]{re.escape(owner_and_name)}(\.git)?\s", remotes):
        return [
            f"No remote of this clone is {address}: push it there "
            f"(git remote add origin {address}), or correct the address."
        ]
    ahead = _git(root, "rev-list", "--count", "@{upstream}..HEAD")
    if ahead is None:
        return ["This branch has not been pushed: Binder and Colab install what is on GitHub."]
    if int(ahead):
        return [f"Commits not pushed: {int(ahead)}. Binder and Colab install what is on GitHub."]
    return []


def _git(root: Path, *arguments: str) -> str | None:
    """Return what git prints, ``None`` where it fails or is absent."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout


def _configuration(root: Path) -> str:
    path = root / "_config.yml"
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise ChapterError(f"Cannot read {path}: {error.strerror}") from error


def _value(configuration: str, section: str, key: str) -> re.Match[str]:
    """Return the match of a setting's value, with its quotation marks."""
    lines = re.search(rf"^{section}:\n((?:  .*\n)*)", configuration, re.MULTILINE)
    where = re.compile(rf'(?<=^  {key}: )("[^"\n]*"|\S*)', re.MULTILINE)
    found = where.search(configuration, *lines.span(1)) if lines else None
    if found is None:
        raise ChapterError(f"_config.yml has no setting `{key}` under `{section}`")
    return found
