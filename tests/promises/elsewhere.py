"""Check chapters under other circumstances; no recorded number may move beyond its tolerance.

    .venv/bin/python tests/promises/elsewhere.py --all  # everything; hours
    .venv/bin/python tests/promises/elsewhere.py  # four chapters
    .venv/bin/python tests/promises/elsewhere.py median_h2_n2  # this one
    .venv/bin/python tests/promises/elsewhere.py --only "oldest kernels"  # under these alone
    .venv/bin/python tests/promises/elsewhere.py --python ../py313/bin/python # and with this Python
    .venv/bin/python tests/promises/elsewhere.py --record  # and put the counts into runs.jsonl

Runs ``algzoo check --json`` on a copy of the working tree: with the kernels of the oldest machine,
of one with AVX2 and of one with AVX-512; with other mathematical functions of the C library; with
weights that differ in their last bits; with one thread, two and five; under other locales, time
zones and hash seeds; below a path with spaces and letters that are not ASCII; and from a copy that
may not be written, with a home that may not be either. Each time the caches are empty, so that
nothing is read that was computed under other circumstances.

Prints, for each of them, the processor, kernels and threads, as the libraries see them; how many
numbers were compared, how many moved beyond their tolerance, and how many are not the committed
ones to the last bit. A circumstance that the processor does not have is skipped, and one that did
not come about counts as a failure. Exit status 1 if a number moved or a chapter did not run.
A locale that is not installed is C to the C library, and is named all the same.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
sys.path[:0] = [str(ROOT), str(TESTS), str(TESTS / "promises")]

import runs  # noqa: E402
from kernels.seen import Seen, seen  # noqa: E402
from kernels.settings import Kernels, kernels  # noqa: E402

from algzoo.chapters.notebooks import THREADS  # noqa: E402

DEFAULT = ["second_argmax_h2_n2", "second_argmax_h4_n3", "the_zoo", "median_h2_n2"]
# A root that must keep to permissions: else it may write anywhere.
_BOUND_ROOT = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


@dataclass(frozen=True)
class Circumstances:
    """What is other than usual."""

    environment: dict[str, str] = field(default_factory=dict)
    threads: int = 1
    folder: str = "clone"
    read_only: bool = False
    python: str = sys.executable
    kernels: Kernels | None = None
    other_libm: bool = False
    other_weights: bool = False

    def missing(self, own: Seen) -> str | None:
        """Why they cannot be had on a machine that by itself is as ``own``."""
        if self.kernels:
            return self.kernels.missing(own.machine)
        if self.other_libm and (
            platform.libc_ver()[0] != "glibc"
            or own.machine.torch_features not in ("AVX2", "AVX512")
        ):
            return "needs glibc, and a processor with AVX2, for which glibc has code of its own"
        return None

    def not_in_effect(self, own: Seen, here: Seen) -> list[str]:
        """What is not as it should be."""
        wrong = self.kernels.not_in_effect(here.machine) if self.kernels else []
        if self.threads != here.machine.threads:
            wrong.append(f"PyTorch uses {here.machine.threads} threads, not {self.threads}")
        if self.other_libm and own.libm == here.libm:
            wrong.append("the C library computes as ever")
        if self.other_weights and own.weights == here.weights:
            wrong.append("the weights are as ever")
        return wrong


def circumstances(own: Seen) -> dict[str, Circumstances]:
    """All that are tried, by name, on a machine that by itself is as ``own``."""
    slow = "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F"
    return {
        **{
            f"{k} kernels": Circumstances(c.environment, kernels=c)
            for k, c in kernels(own.machine).items()
        },
        "another libm": Circumstances({"GLIBC_TUNABLES": slow}, other_libm=True),
        "perturbed weights": Circumstances(
            {"PYTHONPATH": str(TESTS / "kernels" / "perturbed")}, other_weights=True
        ),
        "one thread": Circumstances(),
        "two threads": Circumstances(threads=2),
        "five threads": Circumstances(threads=5),
        "C, Kathmandu": Circumstances(
            {"LC_ALL": "C", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "1"}
        ),
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


def environment_of(these: Circumstances, clone: Path, scratch: Path) -> dict[str, str]:
    """The environment of a check under these circumstances, with folders of its own."""
    environment = os.environ | dict.fromkeys(THREADS, str(these.threads)) | these.environment
    for variable in ("TMPDIR", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR"):
        environment[variable] = tempfile.mkdtemp(dir=scratch)
    before = these.environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (before, str(clone))))
    if these.read_only:
        home = Path(tempfile.mkdtemp(dir=scratch))
        home.chmod(0o500)
        environment |= {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
        del environment["NUMBA_CACHE_DIR"]
        environment = {k: v for k, v in environment.items() if not k.startswith("XDG_")}
    return environment


def checked(
    chapters: list[str], these: Circumstances, own: Seen, scratch: Path
) -> tuple[str, bool, dict[str, int]]:
    """What came of the check, in words, whether all held, and the counts if there are any."""
    if reason := these.missing(own):
        return f"skipped: {reason}", True, {}
    clone = scratch / these.folder
    if not clone.exists():
        copied(clone)
    environment = environment_of(these, clone, scratch)
    here = seen(these.python, environment)
    if wrong := these.not_in_effect(own, here):
        return f"did not come about on {here.machine}: {'; '.join(wrong)}", False, {}
    command = [these.python, "-m", "algzoo", "check", "--json", *chapters]
    if these.read_only:
        subprocess.run(["chmod", "-R", "a-w", clone], check=True)
        if os.geteuid() == 0:
            command = [*_BOUND_ROOT, *command]
    result = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True)
    try:
        found = json.loads(result.stdout)
    except ValueError:
        words = f"{here.machine}\n  exit status {result.returncode}: {result.stderr[-2000:]}"
        return words, False, {}
    moved = [n for n in found["numbers"] if n["verdict"] != "same"]
    bits = sum(n["committed"] != n["now"] for n in found["numbers"])
    counts = {
        "chapters": len({n["chapter"] for n in found["numbers"]}),
        "numbers": len(found["numbers"]),
        "moved": len(moved),
        "not to the last bit": bits,
        "chapters that did not run": len(found["broken"]) + len(found["not_checked"]),
    }
    words = ", ".join(f"{number} {name}" for name, number in counts.items())
    words += f"\n  on {here.machine}"
    words += "".join(
        f"\n  {n['verdict']}: {n['chapter']} {n['name']}: {n['committed']} to {n['now']}"
        for n in moved
    )
    for state in ("broken", "not_checked"):
        words += "".join(f"\n  {state}: {name}: {text}" for name, text in found[state].items())
    return words, result.returncode == 0, counts


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER", help=f"else {' '.join(DEFAULT)}")
    parser.add_argument("--all", action="store_true", help="all chapters")
    parser.add_argument("--only", action="append", metavar="NAME", help="this one; repeatable")
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="PATH",
        help="another interpreter, with all that the package needs; repeatable",
    )
    parser.add_argument("--record", action="store_true", help="append the counts to runs.jsonl")
    asked = parser.parse_args()
    own = seen(sys.executable, {**os.environ, "PYTHONPATH": str(ROOT)})
    every = circumstances(own)
    every |= {path: Circumstances(python=path) for path in asked.python}
    names = [*asked.only, *asked.python] if asked.only else [*every]
    if unknown := {*names} - every.keys():
        parser.error(f"no circumstances {', '.join(unknown)}; there are: {', '.join(every)}")
    chapters = [] if asked.all else asked.chapters or DEFAULT
    held = True
    with tempfile.TemporaryDirectory(prefix="elsewhere-", ignore_cleanup_errors=True) as folder:
        for name in names:
            words, good, counts = checked(chapters, every[name], own, Path(folder))
            held = held and good
            print(f"{name}: {words}", flush=True)
            if asked.record and counts:
                runs.add("tests/promises/elsewhere.py", name, counts, arguments=sys.argv[1:])
    sys.exit(not held)


if __name__ == "__main__":
    main()
