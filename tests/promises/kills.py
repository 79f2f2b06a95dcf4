"""Kill the commands at random moments; nothing may be damaged, and the next run must be as ever.

    .venv/bin/python tests/promises/kills.py  # 100 kills of each command
    .venv/bin/python tests/promises/kills.py run fetch -n 20  # 20 each of these two
    .venv/bin/python tests/promises/kills.py --twice -n 5  # two at once instead
    .venv/bin/python tests/promises/kills.py book -n 5  # in a copy of the clone
    .venv/bin/python tests/promises/kills.py --record  # and put the counts into runs.jsonl

A trial sets a small instance up, starts the command as a process group of its own, sends SIGKILL to
the group, and looks at everything that is left: files are as before or as after a whole run, no
entry of a cache is taken for what it is not, what else lies there is hidden and never read, and
processes of sessions of their own (kernels, workers) end by themselves. Then the command runs to
its end and gives what a run gives that nobody disturbed. Odd trials are killed in the last fifth
of the time that the command takes, where it writes.

The command starts in a fork of an interpreter that has the package loaded, so that the moments fall
into its work and not into its imports. Everything happens below one temporary folder. A line a
command; exit status 1 if a trial failed. On Linux alone; not collected by pytest.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRATCH = Path(tempfile.mkdtemp(prefix="kills-"))
MARK = "ALGZOO_KILLS"  # in the environment of all that a trial starts
for variable, folder in {
    "TMPDIR": "tmp",
    "XDG_CACHE_HOME": "cache",
    "XDG_DATA_HOME": "share",
    "IPYTHONDIR": "ipython",
    "MPLCONFIGDIR": "matplotlib",
    "NUMBA_CACHE_DIR": "numba",
}.items():
    (SCRATCH / folder).mkdir()
    os.environ[variable] = str(SCRATCH / folder)
os.environ.pop("ALGZOO_OFFICIAL", None)
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]
os.environ["PYTHONPATH"] = str(ROOT)  # of kernels and workers

import nbformat  # noqa: E402
import runs  # noqa: E402
import torch  # noqa: E402

import algzoo.scoring  # noqa: E402, F401
from algzoo.chapters.commands import challenge, chapters, models, rare, train  # noqa: E402, F401
from algzoo.chapters.commands.main import main as algzoo_main  # noqa: E402
from algzoo.chapters.notebooks import find_chapters, write  # noqa: E402
from algzoo.scoring.rare.entries import read_any_entry  # noqa: E402
from algzoo.zoo import official, zoo_2nd_argmax  # noqa: E402

LINGER = 30.0  # seconds for kernels and workers to notice that they are alone


class Wrong(Exception):  # noqa: N818
    """What a trial found that must not be."""


def require(holds: bool, what: object) -> None:
    if not holds:
        raise Wrong(str(what))


@dataclass
class Case:
    """A command on a small instance."""

    arguments: list[str]
    folder: Path  # where it runs
    prepare: Callable[[], None]
    look: Callable[[], str]  # after a kill: says how far it came
    finished: Callable[[str], object]  # of the output of a whole run: what must be the same
    may_be_left: Callable[[Path], bool] = lambda path: False
    program: list[str] = field(default_factory=list)  # instead of algzoo
    beside: list[str] | None = None  # what runs beside it with --twice, where not the same


# --- starting and killing ------------------------------------------------------------------------


def start(case: Case, output: Path, number: int) -> int:
    """Process of the command, leader of its group; what it prints goes to ``output``."""
    process = os.fork()
    if process:
        with suppress(PermissionError):  # it has seen to that, and is another program already
            os.setpgid(process, process)  # before anybody can kill the group
        return process
    status = 99
    try:
        os.setpgid(0, 0)
        os.chdir(case.folder)
        os.environ[MARK] = f"{os.getppid()}-{number}"
        with output.open("wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        if case.program:
            os.execvp(case.program[0], case.program)
        algzoo_main(case.arguments)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def wait(process: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def whole_run(case: Case, number: int) -> tuple[object, float]:
    output = SCRATCH / "output.txt"
    begin = time.monotonic()
    status = wait(start(case, output, number))
    seconds = time.monotonic() - begin
    text = output.read_text(errors="replace")
    require(status == 0, f"exit status {status}: {text[-600:]}")
    return case.finished(text), seconds


def alive(number: int) -> list[int]:
    """Processes that the trial has started, apart from its first."""
    mark = f"{MARK}={os.getpid()}-{number}\0".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes() + b"\0":
                found.append(int(entry.name))
        except OSError:  # it has ended, or is somebody else's
            continue
    return found


def lonely_time(number: int) -> float:
    """Seconds until everything that the killed process had started was gone."""
    begin = time.monotonic()
    while left := alive(number):
        if time.monotonic() - begin > LINGER:
            for process in left:
                os.kill(process, signal.SIGKILL)
            raise Wrong(f"processes {left} still run {LINGER:g} s later")
        time.sleep(0.05)
    return time.monotonic() - begin


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# --- the commands --------------------------------------------------------------------------------

SOURCES = [
    "# A small chapter",
    "scale = 1",
    "from algzoo.chapters import record, show\nfrom algzoo.chapters.figures import style\n"
    "record(exact=3 * scale, real=0.1234567890123 * scale)",
    "figure, ax = style.new_figure(2, 2)\n"
    "show(figure, name='fig', caption=f'Caption {scale}.', alt=f'Axes {scale}.')",
]


def small_clone() -> Path:
    """Root of a clone with one chapter, without outputs."""
    root = SCRATCH / "clone"
    (root / "analyses").mkdir(parents=True, exist_ok=True)
    (root / "_toc.yml").write_text("format: jb-book\n")
    cells = [nbformat.v4.new_markdown_cell(SOURCES[0], id="cell-0")]
    cells += [
        nbformat.v4.new_code_cell(source, id=f"cell-{number}")
        for number, source in enumerate(SOURCES[1:], 1)
    ]
    cells[1].metadata["tags"] = ["parameters"]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"algzoo": {"cover": "fig"}})
    write(notebook, root / "analyses" / "small.ipynb")
    return root


def run_case() -> Case:
    root = small_clone()
    chapter = root / "analyses" / "small.ipynb"
    cover = root / "book" / "_static" / "covers" / "small.svg"
    before = chapter.read_bytes()
    after: list[bytes] = []

    def prepare() -> None:
        shutil.rmtree(root)
        small_clone()

    def look() -> str:
        require(chapter.read_bytes() in [before, *after], "the notebook is damaged")
        require(find_chapters((), root) == [chapter], "a leftover is taken for a chapter")
        if cover.exists():
            require(b"</svg>" in cover.read_bytes()[-20:], "the cover is damaged")
            return "written"
        return "notebook written" if chapter.read_bytes() != before else "nothing written"

    def finished(_: str) -> object:
        if not after:
            after.append(chapter.read_bytes())
            require(after[0] != before, "run changed nothing")
            whole_run(Case(["check"], root, prepare, look, lambda _: None), -1)
        return chapter.read_bytes(), cover.read_bytes()

    def hidden(path: Path) -> bool:
        return path.name.startswith(".") and path.suffix == ".tmp"

    return Case(["run", "small"], root, prepare, look, finished, hidden)


def check_case() -> Case:
    case = run_case()
    whole_run(case, -1)
    before = files(case.folder)

    def look() -> str:
        require(files(case.folder) == before, "check has written")
        return "nothing written"

    def finished(text: str) -> object:
        require(files(case.folder) == before, "check has written")
        return text[text.index("1 chapter,") :]

    check = Case(["check", "small"], case.folder, lambda: None, look, finished)
    return replace(check, beside=["run", "small"])


def fetch_case() -> Case:
    names = [f"2nd_argmax_2_2_1073741824_{seed}" for seed in range(4)]
    states = {name: zoo_2nd_argmax(2, 2, seed=seed).state_dict() for seed, name in enumerate(names)}
    content = {}
    for name, state in states.items():
        file = io.BytesIO()
        torch.save(state, file)
        content[f"/zoo/{name}.pth"] = file.getvalue()

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = content[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                for begin in range(0, len(body), 512):
                    self.wfile.write(body[begin : begin + 512])
                    time.sleep(0.005)
            except OSError:
                pass  # it was killed

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    official.BUCKET = f"http://127.0.0.1:{server.server_port}"
    # One that this package has a digest for would be refused: these are the bundled weights.
    official.KNOWN_DIGESTS.clear()
    cache = official.cache_folder()

    def prepare() -> None:
        shutil.rmtree(cache, ignore_errors=True)
        cache.mkdir()

    def look() -> str:
        there = 0
        for name in names:
            if (cache / f"{name}.pth").exists():
                there += 1
                state = official.official_state_dict(name)[0]
                same = all(torch.equal(state[key], weight) for key, weight in states[name].items())
                require(same, f"{name} is damaged")
        return f"{there} of {len(names)} files"

    def finished(_: str) -> object:
        look()
        return sorted(p.name for p in cache.iterdir() if not p.name.startswith("."))

    def half(path: Path) -> bool:
        return path.name.startswith(".") or not path.with_suffix(".pth").exists()

    return Case(["fetch", *names], cache, prepare, look, finished, half)


def train_case() -> Case:
    folder = SCRATCH / "trained"
    assert train.train.__kwdefaults__ is not None
    train.train.__kwdefaults__["save_every"] = 32  # or a training this small would never go on
    arguments = ["train", "2nd_argmax", "2", "2", "--seed", "3", "--n-val", "1024"]
    arguments += ["--n-train", str(2**17), "--device", "cpu", "--folder", str(folder)]
    after: dict[str, bytes] = {}

    def prepare() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()

    def look() -> str:
        found = {name: bytes_ for name, bytes_ in files(folder).items() if name.endswith(".pth")}
        require(not after or found.items() <= after.items(), "a checkpoint is damaged")
        resumable = any(folder.glob("*.resume.pt"))
        return "goes on" if resumable else "done" if len(found) == len(after) else "from the start"

    def finished(_: str) -> object:
        found = files(folder)
        after.update(found)
        require(all(name.endswith(".pth") for name in found), f"left: {list(found)}")
        return found

    def replaced_next(path: Path) -> bool:
        return path.name.endswith((".resume.pt", ".part", ".lock"))

    return Case(arguments, folder, prepare, look, finished, replaced_next)


def challenge_case() -> Case:
    truths = official.cache_folder() / "truth"
    arguments = ["challenge", "--model", "2nd_argmax_2_2", "--sd", "0.1", "--models", "16"]
    arguments += ["--estimator", "exact", "--truth-samples", "65536", "--workers", "1"]
    known: dict[str, bytes] = {}

    def prepare() -> None:
        shutil.rmtree(truths, ignore_errors=True)
        truths.mkdir(parents=True)

    def look() -> str:
        found = {name: content for name, content in files(truths).items() if name[0] != "."}
        require(not known or found.items() <= known.items(), "a truth is damaged")
        return f"{len(found)} truths"

    def finished(text: str) -> object:
        known.update({name: c for name, c in files(truths).items() if name[0] != "."})
        return json.JSONDecoder().raw_decode(text[text.index('{\n "population"') :])[0]

    def hidden(path: Path) -> bool:
        return path.name.startswith(".") and path.suffix == ".tmp"

    return Case([*arguments, "--json"], truths, prepare, look, finished, hidden)


def submit_case(command: str, module: str, its_round: str) -> Case:
    """Enter the worked example in a round, and write its file."""
    folder = SCRATCH / f"submit-{command}"
    folder.mkdir(exist_ok=True)
    arguments = [command, "--round", its_round, "--estimator", f"{module}:entry", "--workers", "1"]
    arguments += ["--submit", "entry.json", "--author", "Ada"]
    path = folder / "entry.json"
    before = f"{module}.py"
    after: list[bytes] = []

    def prepare() -> None:
        shutil.rmtree(folder)
        folder.mkdir()
        shutil.copy(ROOT / "analyses" / "leaderboard" / "example" / before, folder)

    def look() -> str:
        shown = {p.name for p in folder.iterdir() if p.name[0] not in "._"}
        require(shown <= {before, path.name}, f"left in sight: {shown}")
        if not path.exists():
            return "nothing written"
        require(path.read_bytes() in after, "the entry is damaged")
        path.unlink()  # it would not be overwritten
        return "written"

    def finished(_: str) -> object:
        after[:] = [path.read_bytes()]
        read_any_entry(path)
        return after[0]

    def hidden(path: Path) -> bool:
        return path.name.startswith(".") and path.suffix == ".tmp"

    return Case(arguments, folder, prepare, look, finished, hidden)


def book_case() -> Case:
    copy = SCRATCH / "book"
    ignored = shutil.ignore_patterns(".venv", "_build", ".git", ".*_cache", "__pycache__")
    shutil.copytree(ROOT, copy, ignore=ignored)
    environment = Path(sys.prefix)
    (copy / ".venv").symlink_to(environment)
    site = copy / "_build" / "html"
    made = ["-o", "_build/.checked", "-o", ".venv/.installed"]  # the site alone

    def prepare() -> None:
        (copy / "book" / "intro.md").touch()

    def look() -> str:
        index = site / "index.html"
        if not index.exists():
            return f"{len(list(site.rglob('*.html')))} pages"
        return "finished"

    def finished(_: str) -> object:
        volatile = (".buildinfo", ".pickle")
        return {n: c for n, c in files(site).items() if not n.endswith(volatile)}

    program = ["make", *made, "_build/html/index.html"]
    return Case([], copy, prepare, look, finished, lambda _: True, program)


CASES: dict[str, Callable[[], Case]] = {
    "run": run_case,
    "check": check_case,
    "fetch": fetch_case,
    "train": train_case,
    "challenge": challenge_case,
    "challenge --submit": partial(submit_case, "challenge", "my_entry", "trial"),
    "rare --submit": partial(submit_case, "rare", "my_rare_method", "rare-trial"),
    "book": book_case,
}


# --- trials --------------------------------------------------------------------------------------


def differing(found: object, expected: object) -> str:
    if isinstance(found, dict) and isinstance(expected, dict):
        names = {n for n in found.keys() | expected.keys() if found.get(n) != expected.get(n)}
        return f"another result than undisturbed, in {sorted(names)[:8]}"
    return f"another result than undisturbed: {str(found)[:300]}"


def killed(name: str, times: int, moments: random.Random) -> dict[str, int]:
    """Kill it that often; a line on standard output. Returns what to record.

    A trial whose command had ended before the signal is no kill.
    """
    case = CASES[name]()
    case.prepare()
    expected, _ = whole_run(case, -1)
    case.prepare()
    again, seconds = whole_run(case, -1)  # now that everything is compiled and in memory
    require(again == expected, differing(again, expected))
    hits: Counter[str] = Counter()
    left: Counter[str] = Counter()
    failures = 0
    longest = 0.0
    for number in range(times):
        try:
            case.prepare()
            kept = set(case.folder.rglob("*"))
            process = start(case, SCRATCH / "killed.txt", number)
            low = 0.8 if number % 2 else 0.0
            time.sleep(moments.uniform(low * seconds, 1.02 * seconds))
            os.killpg(process, signal.SIGKILL)
            status = wait(process)
            longest = max(longest, lonely_time(number))
            where = case.look()
            hits["had ended" if status != -signal.SIGKILL else where] += 1
            for path in set(case.folder.rglob("*")) - kept:
                if path.is_file() and case.may_be_left(path):
                    left[path.suffix] += name != "book"
            found, took = whole_run(case, number)
            seconds = 0.7 * seconds + 0.3 * took  # how busy the machine is changes
            require(found == expected, differing(found, expected))
        except (Wrong, ValueError, OSError) as error:
            failures += 1
            print(f"{name}, trial {number}: {type(error).__name__}: {error}", flush=True)
    print(
        f"{name}: {times} trials, {failures} failures; at: {dict(hits)}; left: {dict(left)}; "
        f"longest until all processes were gone {longest:.1f} s; {seconds:.1f} s a run",
        flush=True,
    )
    return {"trials": times, "killed": times - hits["had ended"], "failures": failures}


def twice(name: str, times: int, moments: random.Random) -> dict[str, int]:
    """Start it twice, ``check`` beside ``run``. Returns what to record."""
    case = CASES[name]()
    other = case if case.beside is None else replace(case, arguments=case.beside)
    case.prepare()
    expected, seconds = whole_run(case, -1)
    outcomes: Counter[str] = Counter()
    failures = 0
    for number in range(times):
        try:
            case.prepare()
            outputs = [SCRATCH / "first.txt", SCRATCH / "second.txt"]
            first = start(case, outputs[0], number)
            time.sleep(moments.uniform(0, 0.5 * seconds))
            second = start(other, outputs[1], number)
            said = []
            statuses = [wait(first), wait(second)]
            for process, status, output in zip((first, second), statuses, outputs, strict=True):
                if status:
                    said.append(output.read_text().strip().splitlines()[-1])
                    require(status == 1, f"exit status {status}: {said}")
                    holder = f"process {first if process == second else second} is "
                    require(holder in said[-1], said)
                elif process == first or other is case:
                    require(case.finished(output.read_text()) == expected, "another result")
            require(len(said) < 2, said)
            outcomes["one was told who holds the lock" if said else "both finished right"] += 1
        except (Wrong, ValueError, OSError) as error:
            failures += 1
            print(f"{name} twice, trial {number}: {error}", flush=True)
    print(f"{name} twice: {times} times, {failures} failures; {dict(outcomes)}", flush=True)
    return {"trials": times, "failures": failures}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help=f"of {', '.join(CASES)}")
    parser.add_argument("-n", "--times", type=int, default=100, help="kills of each")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--twice", action="store_true", help="two at once instead of kills")
    parser.add_argument("--record", action="store_true", help="append the counts to runs.jsonl")
    asked = parser.parse_args()
    trial = twice if asked.twice else killed
    if unknown := sorted(set(asked.commands) - CASES.keys()):
        parser.error(f"no command {', '.join(unknown)}; there are: {', '.join(CASES)}")
    # Two at once are not for these: one of two entries of the same name is refused.
    alone = {"book", "challenge --submit", "rare --submit"}
    names = asked.commands or [n for n in CASES if not (asked.twice and n in alone)]
    failures = 0
    try:
        for name in names:
            counts = trial(name, asked.times, random.Random(f"{asked.seed} {name}"))
            failures += counts["failures"]
            if asked.record:
                case = f"{name} twice" if asked.twice else name
                runs.add("tests/promises/kills.py", case, counts, arguments=sys.argv[1:])
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
