"""Do the tests notice a change? Changes the package in one place at a time and runs them.

    .venv/bin/python tests/promises/mutations.py --number 40 --seed 0
    .venv/bin/python tests/promises/mutations.py --record  # and put the counts into runs.jsonl

Each change is made in a temporary copy of the checkout, never in the checkout itself. A change is
caught where a test fails that passes without it, or takes longer than any test may. Tests run in
the order in which they are likely to notice: those of the changed module, then those that import
it, then those that import what imports it; with ``--chapters`` the chapters last.

Changes that no test can notice, each with its reason, are listed in ``equivalent_mutants.toml`` and
are not tried. Exit status 0 where at least 95 % of the changes tried are caught, 1 where fewer.
"""

from __future__ import annotations

import argparse
import ast
import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "algzoo"
SUBPACKAGES = ("structure", "estimates", "scoring")
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
REQUIRED = 0.95
LEFT_BEHIND = (".git", ".venv", "_build", "__pycache__", ".*_cache")

Verdict = Literal["caught", "survived", "unfinished"]


@dataclass(frozen=True)
class Mutation:
    """One change of one source file: bytes ``start`` to ``end`` become ``text``."""

    file: str  # relative to the checkout
    line: int
    kind: str
    start: int
    end: int
    text: bytes

    def applied(self, source: bytes) -> bytes:
        """The file after the change."""
        return source[: self.start] + self.text + source[self.end :]

    def lines(self, source: bytes) -> tuple[str, str]:
        """The line before and after, without its indentation."""
        row = self.line - 1
        before, after = source.splitlines()[row], self.applied(source).splitlines()[row]
        return before.decode().strip(), after.decode().strip()


class Span(NamedTuple):
    """A part of a source file, in bytes."""

    start: int
    end: int


OPERATORS: dict[type[ast.AST], tuple[bytes, bytes, str]] = {
    ast.Add: (b"+", b"-", "sign"),
    ast.Sub: (b"-", b"+", "sign"),
    ast.Lt: (b"<", b"<=", "comparison"),
    ast.LtE: (b"<=", b"<", "comparison"),
    ast.Gt: (b">", b">=", "comparison"),
    ast.GtE: (b">=", b">", "comparison"),
    ast.Eq: (b"==", b"!=", "comparison"),
    ast.NotEq: (b"!=", b"==", "comparison"),
    ast.And: (b"and", b"or", "and/or"),
    ast.Or: (b"or", b"and", "and/or"),
}
OPPOSITES = {
    one: other
    for a, b in [("min", "max"), ("minimum", "maximum"), ("argmin", "argmax"), ("amin", "amax")]
    for one, other in [(a, b), (b, a)]
}
AXES = ("axis", "dim")
SEEDS = ("seed", "rng", "default_rng", "manual_seed", "SeedSequence")
TOLERANCE = 1e-5  # a positive constant up to this is taken for one


class Places:
    """Finds every change of the kinds above in one source file."""

    def __init__(self, file: str, source: bytes) -> None:
        self.file = file
        self.source = source
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def mutations(self) -> list[Mutation]:
        """Every change, but of messages, annotations and what is there for the type checker."""
        return list(self._below(ast.parse(self.source)))

    def _span(self, node: ast.expr) -> Span:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return Span(
            self.starts[node.lineno - 1] + node.col_offset,
            self.starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def _mutation(self, span: Span, kind: str, text: bytes) -> Mutation:
        line = self.source.count(b"\n", 0, span.start) + 1
        return Mutation(self.file, line, kind, *span, text)

    def _below(self, node: ast.AST) -> Iterator[Mutation]:
        yield from self._at(node)
        for name, child in ast.iter_fields(node):
            if name in ("annotation", "returns"):
                continue
            for item in child if isinstance(child, list) else [child]:
                if isinstance(item, ast.AST) and not _ignored(item):
                    yield from self._below(item)

    def _at(self, node: ast.AST) -> Iterator[Mutation]:
        match node:
            case ast.BinOp(left, op, right) if not (_is_sequence(left) or _is_sequence(right)):
                yield from self._operator(left, op, right)
            case ast.AugAssign(target, op, value) if type(op) in OPERATORS:
                old, new, kind = OPERATORS[type(op)]
                yield from self._between(target, value, old + b"=", new + b"=", kind)
            case ast.Compare(left, ops, comparators):
                for pair, compared in zip(
                    itertools.pairwise([left, *comparators]), ops, strict=True
                ):
                    yield from self._operator(pair[0], compared, pair[1])
            case ast.BoolOp(op, values):
                for one, other in itertools.pairwise(values):
                    yield from self._operator(one, op, other)
            case ast.UnaryOp(ast.USub()):
                start = self._span(node).start
                yield self._mutation(Span(start, start + 1), "sign", b"")
            case ast.Subscript(_, index):
                for number, kind in _indices(index):
                    yield from self._constant(number, kind)
            case ast.keyword(str(name), ast.Constant() as number) if name in AXES + SEEDS:
                yield from self._constant(number, "axis" if name in AXES else "seed")
            case ast.Call(function, [ast.Constant() as number, *_]) if _named(function) in SEEDS:
                yield from self._constant(number, "seed")
            case ast.Name(name) | ast.Attribute(_, name) if name in OPPOSITES:
                end = self._span(node).end
                yield self._mutation(
                    Span(end - len(name), end), "min/max", OPPOSITES[name].encode()
                )
            case ast.Constant():
                yield from self._constant(node, "constant")

    def _operator(self, left: ast.expr, op: ast.AST, right: ast.expr) -> Iterator[Mutation]:
        if type(op) in OPERATORS:
            yield from self._between(left, right, *OPERATORS[type(op)])

    def _between(
        self, left: ast.expr, right: ast.expr, old: bytes, new: bytes, kind: str
    ) -> Iterator[Mutation]:
        start, end = self._span(left).end, self._span(right).start
        for found in re.finditer(rb"#[^\n]*|" + re.escape(old), self.source[start:end]):
            if found.group() == old:
                yield self._mutation(Span(start + found.start(), start + found.end()), kind, new)
                return

    def _constant(self, node: ast.Constant, kind: str) -> Iterator[Mutation]:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            return
        if isinstance(value, int):
            other: float = 1 - value if kind == "index" and value in (0, 1) else value + 1
        elif 0 < value <= TOLERANCE:
            kind, other = "tolerance", _short(100 * value)
        else:
            other = _short(1.1 * value) or 1.0
        yield self._mutation(self._span(node), kind, repr(other).encode())


def _short(number: float) -> float:
    return float(f"{number:.12g}")


def _ignored(node: ast.AST) -> bool:
    match node:
        case ast.Raise() | ast.Assert() | ast.JoinedStr() | ast.Import() | ast.ImportFrom():
            return True
        case ast.Assign([ast.Name("__all__")]):
            return True
        case ast.If(ast.Name("TYPE_CHECKING")):
            return True
        case ast.ClassDef(bases=bases):
            return any(_named(base) == "Protocol" for base in bases)
    return False


def _named(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _is_sequence(node: ast.expr) -> bool:
    text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return text or isinstance(node, ast.JoinedStr | ast.List | ast.Tuple | ast.ListComp)


def _indices(index: ast.expr) -> Iterator[tuple[ast.Constant, str]]:
    """The numbers of ``a[0]``, ``a[-1]``, ``a[0, 1:]``."""
    parts: list[ast.expr | None] = [index]
    while parts:
        match parts.pop():
            case ast.Constant() as number:
                yield number, "index"
            case ast.UnaryOp(ast.USub(), ast.Constant() as number):
                yield number, "index from the end"
            case ast.Tuple(elements):
                parts += elements
            case ast.Slice(lower, upper, step):
                parts += [lower, upper, step]


def mutations(root: Path, files: Sequence[str]) -> list[Mutation]:
    """Every change of the given files that gives another valid program, one of each kind a place.

    What is written twice by the rules, such as an index that is also a constant, is there once.
    """
    found: dict[tuple[str, int, int], Mutation] = {}
    for file in files:
        for mutation in Places(file, (root / file).read_bytes()).mutations():
            found.setdefault((file, mutation.start, mutation.end), mutation)
    return list(found.values())


def chosen(places: Sequence[Mutation], seed: int) -> list[Mutation]:
    """One change of each line that has any, the lines in random order."""
    by_line: dict[tuple[str, int], list[Mutation]] = {}
    for mutation in places:
        by_line.setdefault((mutation.file, mutation.line), []).append(mutation)
    rng = random.Random(seed)
    lines = sorted(by_line)
    rng.shuffle(lines)
    return [rng.choice(by_line[line]) for line in lines]


class Equivalent(NamedTuple):
    """A change that no test can notice; found by its text, for line numbers move."""

    file: str
    before: str
    after: str


def equivalents(path: Path) -> set[Equivalent]:
    """The changes listed in a file.

    Raises
    ------
    ValueError
        Where one is listed without a reason.
    """
    entries = tomllib.loads(path.read_text("utf-8")).get("mutant", [])
    for entry in entries:
        if not entry.get("reason"):
            raise ValueError(f"{path}: say why {entry['before']!r} can be {entry['after']!r}")
    return {Equivalent(entry["file"], entry["before"], entry["after"]) for entry in entries}


class Imports:
    """Which module imports which, read from the source; names are followed to where they live."""

    def __init__(self, root: Path, package: str = PACKAGE) -> None:
        self.root = root
        self.modules: dict[str, Path] = {}
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            self.modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
        self.tests = sorted((root / "tests").rglob("test_*.py"))
        self._named: dict[Path, dict[str, str]] = {}

    def _origins(self, path: Path) -> dict[str, str]:
        """The module behind each name that a file imports from the package."""
        if path not in self._named:
            self._named[path] = found = {}
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.ImportFrom):
                    base = self._absolute(path, node)
                    for alias in node.names:
                        origin = self._origin(base, alias.name)
                        if origin is not None:
                            found[alias.asname or alias.name] = origin
                elif isinstance(node, ast.Import):
                    found |= {a.name: a.name for a in node.names if a.name in self.modules}
        return self._named[path]

    def _absolute(self, path: Path, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        folder = path.relative_to(self.root).parts[: -node.level]
        return ".".join([*folder, *([node.module] if node.module else [])])

    def _origin(self, base: str, name: str) -> str | None:
        if f"{base}.{name}" in self.modules:
            return f"{base}.{name}"
        if base not in self.modules:
            return None
        is_package = self.modules[base].name == "__init__.py"
        return self._origins(self.modules[base]).get(name, base) if is_package else base

    def distances(self, test: Path) -> dict[str, int]:
        """How many imports lead from a test file to each module that it reaches."""
        found: dict[str, int] = {}
        step, distance = set(self._origins(test).values()), 1
        while step:
            found |= dict.fromkeys(step, distance)
            step = {m for name in step for m in self._origins(self.modules[name]).values()}
            step -= found.keys()
            distance += 1
        return found

    def tests_of(self, file: str) -> list[str]:
        """The test files that reach a module, its own first, then by distance."""
        path = self.root / file
        module = next(name for name, other in self.modules.items() if other == path)
        ranked = []
        for test in self.tests:
            distance = self.distances(test).get(module)
            if distance is not None:
                own = test.stem == f"test_{path.stem}" and test.parent.name == path.parent.name
                name = str(test.relative_to(self.root))
                ranked.append((not own, distance, test.stat().st_size, name))
        return [name for *_, name in sorted(ranked)]


@dataclass(frozen=True)
class Outcome:
    """What the tests made of one change."""

    file: str
    line: int
    kind: str
    before: str
    after: str
    verdict: Verdict
    test: str  # the test that noticed; empty where none did
    seconds: float


class Suite:
    """The tests, run in a copy of the checkout that is changed in one place at a time."""

    def __init__(self, copy: Path, limit: float, test_limit: float) -> None:
        self.copy = copy
        self.limit = limit
        self.test_limit = test_limit
        self._written = int(time.time())

    def outcome(self, mutation: Mutation, tests: Sequence[str]) -> Outcome:
        """Run the tests on the changed copy until one fails; the copy is as before afterwards."""
        path = self.copy / mutation.file
        source = path.read_bytes()
        started = time.monotonic()
        verdict, test = self._tried(mutation, source, tests)
        before, after = mutation.lines(source)
        seconds = round(time.monotonic() - started, 1)
        place = mutation.file, mutation.line, mutation.kind
        return Outcome(*place, before, after, verdict, test, seconds)

    def _tried(
        self, mutation: Mutation, source: bytes, tests: Sequence[str]
    ) -> tuple[Verdict, str]:
        path = self.copy / mutation.file
        self._write(path, mutation.applied(source))
        try:
            status, output = self._pytest("-x", *tests, limit=self.limit) if tests else (0, "")
        except subprocess.TimeoutExpired:
            return "unfinished", ""
        finally:
            self._write(path, source)
        if status in (0, 5):  # passed, or nothing collected
            return "survived", ""
        failed = _failed(output)
        return "caught", failed[0] if failed else "the end of the process"

    def _write(self, path: Path, source: bytes) -> None:
        path.write_bytes(source)
        self._written += 2  # compiled files are told apart by whole seconds
        os.utime(path, (self._written, self._written))

    def broken(self, tests: Collection[str]) -> list[str]:
        """Those of the tests that fail, or take too long, without any change."""
        if not tests:
            return []
        return _failed(self._pytest(*sorted(tests))[1])

    def _pytest(self, *arguments: str, limit: float | None = None) -> tuple[int, str]:
        command = [
            *(sys.executable, "-m", "pytest", "-v", "--tb=no", "-rfE", "--no-header"),
            *("-p", "no:cacheprovider", "-o", f"faulthandler_timeout={self.test_limit}"),
            *("-o", "faulthandler_exit_on_timeout=true", *arguments),
        ]
        environment = os.environ | {"PYTHONPATH": str(self.copy), "OMP_NUM_THREADS": "1"}
        with subprocess.Popen(
            command,
            cwd=self.copy,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                output, _ = process.communicate(timeout=limit)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
        return process.returncode, output


def _failed(output: str) -> list[str]:
    """Tests that failed, and the one that pytest was stopped in; its name ends the output."""
    stopped = re.findall(r"^(\S+\.py::.*\S) \Z", output, re.MULTILINE)
    failed = r"^(?:FAILED|ERROR) (\S+\.py(?:::.*?)?)(?: - .*)?$"
    return stopped or re.findall(failed, output, re.MULTILINE)


def copied(root: Path, folder: Path) -> Path:
    """A copy of the checkout in a folder, with the ``shared`` folder where tests look for it."""
    copy = folder / "checkout"
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns(*LEFT_BEHIND), symlinks=True)
    shared = root.parent / "shared"
    if shared.is_dir():
        (folder / "shared").symlink_to(shared)
    return copy


def survey(
    root: Path,
    files: Sequence[str],
    number: int,
    seed: int,
    *,
    known: Collection[Equivalent] = (),
    last: Sequence[str] = (),
    limit: float = 600,
    test_limit: float = 120,
) -> Iterator[Outcome]:
    """Outcomes of a number of changes that are not known to be equivalent, one by one.

    Parameters
    ----------
    root
        The checkout.
    files
        Which files of it are changed.
    number, seed
        How many changes, and which.
    known
        Changes left out.
    last
        Tests run after those that import the changed module.
    limit, test_limit
        Seconds for all tests of a change and for one test.

    Raises
    ------
    RuntimeError
        Where a test that fails after a change fails without it too; said at the end.
    """
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        copy = copied(root, Path(folder))
        suite, imports = Suite(copy, limit, test_limit), Imports(copy)
        noticed = set()
        for mutation in chosen(mutations(copy, files), seed):
            before, after = mutation.lines((copy / mutation.file).read_bytes())
            if number and Equivalent(mutation.file, before, after) not in known:
                number -= 1
                found = suite.outcome(mutation, [*imports.tests_of(mutation.file), *last])
                noticed |= {found.test} if "::" in found.test else set()
                yield found
        if broken := suite.broken(noticed):
            raise RuntimeError(f"These tests fail without any change: {broken}")


def main() -> int:
    """Try changes, print those that were not caught; 1 where too many were not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--number", type=int, default=40, help="how many changes (40)")
    parser.add_argument("--seed", type=int, default=0, help="which changes (0)")
    parser.add_argument("--only", default="", help="only files whose path contains this")
    parser.add_argument("--chapters", action="store_true", help="re-execute the chapters too")
    parser.add_argument("--limit", type=float, default=600, help="seconds for a change (600)")
    parser.add_argument("--test-limit", type=float, default=120, help="seconds for a test (120)")
    parser.add_argument("--json", action="store_true", help="print every outcome as JSON")
    parser.add_argument("--record", action="store_true", help="append the counts to runs.jsonl")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the copy is removed
    files = [
        str(path.relative_to(ROOT))
        for subpackage in SUBPACKAGES
        for path in sorted((ROOT / PACKAGE / subpackage).rglob("*.py"))
        if options.only in str(path)
    ]
    outcomes = []
    for outcome in survey(
        ROOT,
        files,
        options.number,
        options.seed,
        known=equivalents(EQUIVALENT),
        last=["tests/test_chapters.py"] if options.chapters else [],
        limit=options.limit,
        test_limit=options.test_limit,
    ):
        outcomes.append(outcome)
        if not options.json:
            by = f"by {outcome.test}" if outcome.test else f"in {outcome.seconds} s"
            print(f"{outcome.verdict} {by}: {outcome.file}:{outcome.line} ({outcome.kind})")
            print(f"    {outcome.before}\n    {outcome.after}", flush=True)
    n_caught = sum(outcome.verdict == "caught" for outcome in outcomes)
    if options.json:
        print(json.dumps([asdict(outcome) for outcome in outcomes], indent=1))
    else:
        print(f"{n_caught} of {len(outcomes)} caught")
    if options.record:
        sys.path.append(str(Path(__file__).parent))
        import runs  # a module of this folder, which is not always on the path

        counts = {"changes": len(outcomes), "caught": n_caught}
        runs.add("tests/promises/mutations.py", options.only, counts, arguments=sys.argv[1:])
    return int(n_caught < REQUIRED * len(outcomes))


if __name__ == "__main__":
    sys.exit(main())
