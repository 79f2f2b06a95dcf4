"""Check chapters under other circumstances; no recorded number may move beyond its tolerance.

    .venv/bin/python tests/elsewhere.py                              # four chapters
    .venv/bin/python tests/elsewhere.py median_h2_n2                 # this one
    .venv/bin/python tests/elsewhere.py --all                        # all chapters; long
    .venv/bin/python tests/elsewhere.py --only read-only --only "one thread"

Runs ``algzoo check --json`` with the interpreter that runs this script on a copy of the working
tree: with one thread, two, and as many as the libraries like; under other locales, time zones and
hash seeds; below a path with spaces and letters that are not ASCII; from a copy that may not be
written, with a home that may not be either.
A line for each circumstance: numbers compared, numbers beyond their tolerance, and numbers that are
not the committed ones to the last bit. Exit status 1 if a number moved or a chapter did not run.
A locale that is not installed is C to the C library, and is named all the same.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DEFAULT = ["second_argmax_h2_n2", "second_argmax_h4_n3", "the_zoo", "median_h2_n2"]
# A root that must keep to permissions: else it may write anywhere.
_BOUND_ROOT = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_COMMAND = "from algzoo.chapters.cli import main; main()"


@dataclass
class Circumstances:
    """What is other than usual."""

    environment: dict[str, str] = field(default_factory=dict)
    threads: int | None = 1
    folder: str = "clone"
    read_only: bool = False


CIRCUMSTANCES = {
    "one thread": Circumstances(),
    "two threads": Circumstances(threads=2),
    "threads unset": Circumstances(threads=None),
    "C, Kathmandu": Circumstances({"LC_ALL": "C", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "1"}),
    "Turkish, Apia": Circumstances(
        {"LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Apia", "PYTHONHASHSEED": "4294967295"}
    ),
    "German, hash seed 0": Circumstances({"LC_ALL": "de_DE.UTF-8", "PYTHONHASHSEED": "0"}),
    "path": Circumstances(folder="a clone, 100% ü 数 'quoted'"),
    "read-only": Circumstances(folder="read only", read_only=True),
}


def copied(folder: Path) -> None:
    """Copy the working tree there, without what was built."""
    ignored = shutil.ignore_patterns(".venv", "_build", ".git", ".*_cache", "__pycache__")
    shutil.copytree(ROOT, folder, ignore=ignored)
    shared, beside = ROOT.parent / "shared", folder.parent / "shared"
    if shared.is_dir() and not beside.exists():
        beside.symlink_to(shared)


def checked(chapters: list[str], circumstances: Circumstances, scratch: Path) -> tuple[str, bool]:
    """What came of the check, in words, and whether all held."""
    clone = scratch / circumstances.folder
    if not clone.exists():
        copied(clone)
    temporary = Path(tempfile.mkdtemp(dir=scratch))
    environment = {k: v for k, v in os.environ.items() if k not in _THREADS}
    environment |= {"PYTHONPATH": str(clone), "TMPDIR": str(temporary), **circumstances.environment}
    if circumstances.threads is not None:
        environment |= dict.fromkeys(_THREADS, str(circumstances.threads))
    command = [sys.executable, "-c", _COMMAND, "check", "--json", *chapters]
    if circumstances.read_only:
        subprocess.run(["chmod", "-R", "a-w", clone], check=True)
        home = Path(tempfile.mkdtemp(dir=scratch))
        home.chmod(0o500)
        environment |= {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
        environment = {k: v for k, v in environment.items() if not k.startswith("XDG_")}
        if os.geteuid() == 0:
            command = [*_BOUND_ROOT, *command]
    result = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True)
    try:
        found = json.loads(result.stdout)
    except ValueError:
        return f"exit status {result.returncode}: {result.stderr[-2000:]}", False
    moved = [f"{n['chapter']} {n['name']}" for n in found["numbers"] if n["verdict"] != "same"]
    bits = sum(n["committed"] != n["now"] for n in found["numbers"])
    words = f"{len(found['numbers'])} numbers, {len(moved)} moved, {bits} not to the last bit"
    words += "".join(f"\n  moved: {name}" for name in moved)
    for state in ("broken", "not_checked"):
        words += "".join(f"\n  {state}: {name}: {text}" for name, text in found[state].items())
    return words, result.returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER", help=f"else {' '.join(DEFAULT)}")
    parser.add_argument("--all", action="store_true", help="all chapters")
    parser.add_argument("--only", action="append", choices=[*CIRCUMSTANCES], help="repeatable")
    asked = parser.parse_args()
    chapters = [] if asked.all else asked.chapters or DEFAULT
    held = True
    with tempfile.TemporaryDirectory(prefix="elsewhere-", ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        for title in asked.only or CIRCUMSTANCES:
            words, good = checked(chapters, CIRCUMSTANCES[title], scratch)
            held = held and good
            print(f"{title}: {words}", flush=True)
    sys.exit(not held)


if __name__ == "__main__":
    main()
