"""Pages of the API reference: one for each package, made from its ``__all__`` and its docstrings.

The pages are written when the book is built, so that they cannot be out of date. Sphinx's autodoc
turns the names on them into signatures and docstrings. A name that several packages export is
described once, on the first page that has it, and the others link there.
"""

from __future__ import annotations

import ast
import inspect
import pkgutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import pairwise
from types import ModuleType
from typing import Any

# Packages in the order of reading; others that have an ``__all__`` follow by themselves.
_ORDER = ("algzoo", "zoo", "structure", "estimates", "scoring", "mechanisms", "explanations")

# Packages without an ``__all__``, and those inside them: what their modules define is public.
_BY_MODULE = (
    "algzoo.zoo.handcrafted",
    "algzoo.scoring.surprise",
    "algzoo.scoring.compute",
    "algzoo.explanations",
)

# The modules that bear the names of ARC's come last: they export what other pages describe.
_ARCS_NAMES = "modules-with-arcs-names"
_ARCS_MODULES = ("architectures", "handcrafted", "loading", "tasks", "training")

# Names on which other people's code rests; they come first on their pages.
_CONTRACT = {
    "algzoo": (
        *("zoo_2nd_argmax", "zoo_argmedian", "zoo_median", "zoo_longest_cycle"),
        *("example_2nd_argmax", "handcrafted_2nd_argmax", "train"),
        *("DistRNN", "ScalarRNN", "DistTransformer", "ScalarTransformer"),
        *("task_2nd_argmax", "task_argmedian", "task_median", "task_longest_cycle"),
    ),
    "algzoo.zoo": ("load_model", "FAMILIES", "Family", "sizes"),
    "algzoo.structure": ("standard_form", "cones", "decision_cones", "find_features"),
    "algzoo.estimates": ("Estimate", "exact", "sampling", "accuracy", "catalog", "estimator"),
    "algzoo.scoring": ("Ledger", "Verdict", "challenge", "Entrant", "NoisyCopies", "TrainingSeeds"),
}

_KINDS = {"function": "Functions", "class": "Classes", "data": "Constants and types"}


@dataclass(frozen=True)
class Name:
    """A public name of a module.

    Attributes
    ----------
    module
        The module that exports it.
    name
        The name in that module.
    described_as
        Dotted name under which the reference describes the object; that of another module if it is
        described on another page.
    """

    module: str
    name: str
    described_as: str

    @property
    def object(self) -> Any:
        """What the name stands for."""
        return getattr(import_module(self.module), self.name)

    @property
    def is_here(self) -> bool:
        """Whether it is described on the page of this module."""
        return self.described_as == f"{self.module}.{self.name}"

    @property
    def kind(self) -> str:
        """``"function"``, ``"class"`` or, for anything else, ``"data"``."""
        if inspect.isclass(self.object):
            return "class"
        # A function that keeps its results is none in the eyes of ``inspect``.
        is_function = inspect.isroutine(self.object) or hasattr(self.object, "cache_info")
        return "function" if is_function else "data"

    @property
    def docstring(self) -> str:
        """The docstring; for a constant or a type, the string that follows its definition."""
        if self.kind == "data":
            return _texts_of_constants().get(_identity(self.name, self.object), "")
        return inspect.getdoc(self.object) or ""

    @property
    def summary(self) -> str:
        """The first paragraph of the docstring, on one line."""
        return " ".join(self.docstring.partition("\n\n")[0].split())


@dataclass(frozen=True)
class Page:
    """A page of the reference: a package, and the public names of one or more of its modules."""

    package: str
    modules: dict[str, tuple[Name, ...]]

    @property
    def file(self) -> str:
        """The file of the page, without its ending; those of single explanations have a folder."""
        return self.package.replace("algzoo.explanations.", "explanations/")

    @property
    def title(self) -> str:
        """Title of the page."""
        return "Modules with ARC's names" if self.package == _ARCS_NAMES else self.package

    @property
    def summary(self) -> str:
        """What the package is for, in a sentence."""
        if self.package == _ARCS_NAMES:
            return "For scripts that were written for ARC's package."
        docstring = inspect.getdoc(import_module(self.package)) or ""
        return " ".join(docstring.partition("\n\n")[0].split())

    @property
    def names(self) -> tuple[Name, ...]:
        """The public names of all its modules."""
        return tuple(name for names in self.modules.values() for name in names)


@cache
def reference() -> tuple[Page, ...]:
    """Return the pages of the reference in the order of reading."""
    described: dict[tuple[str, int], str] = {}
    pages = []
    for package in _packages():
        modules = {}
        for module, public in _public(package):
            names = []
            for name in public:
                identity = _identity(name, getattr(import_module(module), name))
                as_ = described.setdefault(identity, f"{module}.{name}")
                names.append(Name(module, name, as_))
            if names:
                modules[module] = tuple(names)
        pages.append(Page(package, modules))
    return tuple(pages)


def reference_page(page: Page) -> str:
    """Write a page in reStructuredText: what a package is for, a table of its names, and each."""
    parts = [_heading(page.title, "=")]
    if "/" in page.file:  # not in the table of contents, which would be long
        parts.insert(0, ":orphan:")
    if page.package == _ARCS_NAMES:
        parts.append(
            "A script that was written for ARC's package runs after ``alg_zoo`` is replaced by "
            "``algzoo`` in its imports. These modules exist for that; others define what they "
            "export."
        )
    for module, names in page.modules.items():
        if module != page.package:
            parts.append(_heading(module.removeprefix("algzoo."), "-"))
        parts += [_module(module), _table(names)]
        if module == page.package:
            for kind, heading in _KINDS.items():
                here = [name for name in names if name.is_here and name.kind == kind]
                parts += [_heading(heading, "-"), *map(_description, here)] if here else []
        else:
            parts += [_description(name) for name in names if name.is_here]
    if page.package not in page.modules and page.package != _ARCS_NAMES:
        parts.insert(parts.index(_heading(page.title, "=")) + 1, _module(page.package))
    return "\n\n".join(parts) + "\n"


def reference_index(pages: Iterable[Page]) -> str:
    """Write a table of the pages in Markdown, to be included in the page that leads to them."""
    rows = [
        f"| [{page.title}](reference/{page.file}.rst) | {page.summary} | {len(page.names)} |"
        for page in pages
    ]
    return "\n".join(["| page | what it is for | names |", "| --- | --- | ---: |", *rows]) + "\n"


def described_as(target: str, module: str) -> str | None:
    """Return the dotted name under which the reference describes what a docstring mentions.

    Parameters
    ----------
    target
        The name in the docstring: full, or relative to ``module`` or to one of its modules.
    module
        Module or class on whose page the docstring is shown.

    Returns
    -------
    str or None
        None if there is such an object, but the reference does not describe it.

    Raises
    ------
    LookupError
        If the package has nothing of that name.
    """
    above = module.split(".")
    around = [".".join(above[:n]) for n in range(len(above), 0, -1)]
    below = sorted(name for name in sys.modules if name.startswith(f"{module}."))
    others = [page.package for page in reference()]  # another package may have defined a docstring
    relative = target.lstrip(".")
    for whole in (target, *(f"{name}.{relative}" for name in (*around, *below, *others))):
        with suppress(LookupError):
            return _resolved(whole)
    raise LookupError(f"algzoo has no {target}, neither in {module} nor around it")


def _resolved(dotted: str) -> str | None:
    """Follow a dotted name through modules to an object, and then through its attributes."""
    words = dotted.split(".")
    if words[0] != "algzoo":
        raise LookupError(dotted)
    thing: object = import_module("algzoo")
    for place, word in enumerate(words[1:], 1):
        inner = getattr(thing, word, None)
        if inner is None:
            with suppress(ImportError):
                inner = import_module(".".join(words[: place + 1]))
        if inner is None:
            raise LookupError(dotted)
        if not isinstance(inner, ModuleType):
            if words[place + 1 :] and not inspect.isclass(inner):
                raise LookupError(dotted)
            found = _described().get(_identity(word, inner))
            return ".".join([found, *words[place + 1 :]]) if found else None
        thing = inner
    return None


@cache
def _described() -> dict[tuple[str, int], str]:
    names = [name for page in reference() for name in page.names]
    return {_identity(name.name, name.object): name.described_as for name in names}


@cache
def _texts_of_constants() -> dict[tuple[str, int], str]:
    """Strings that follow the assignment of a constant, in all modules that are loaded."""
    texts: dict[tuple[str, int], str] = {}
    for name, module in sorted(sys.modules.items()):
        if not name.startswith("algzoo.") or getattr(module, "__file__", None) is None:
            continue
        body = ast.parse(inspect.getsource(module)).body
        for node, following in pairwise(body):
            match node, following:
                case (
                    ast.Assign(targets=[ast.Name(id=constant)])
                    | ast.AnnAssign(target=ast.Name(id=constant)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    texts[_identity(constant, getattr(module, constant))] = inspect.cleandoc(text)
    return texts


def _identity(name: str, thing: object) -> tuple[str, int]:
    """What all exports of one object share; two constants may be one number."""
    return name, id(thing)


def _packages() -> list[str]:
    """Packages that have a page, in the order of reading."""
    found = ["algzoo"]
    for info in pkgutil.walk_packages(import_module("algzoo").__path__, "algzoo."):
        if info.ispkg:
            package = import_module(info.name)
            if info.name.startswith(_BY_MODULE) or hasattr(package, "__all__"):
                found.append(info.name)

    def place(package: str) -> int:
        top = package.split(".")[:2][-1]
        return _ORDER.index(top) if top in _ORDER else len(_ORDER)

    return [*sorted(found, key=place), _ARCS_NAMES]


def _public(package: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the modules of a page with their public names."""
    if package == _ARCS_NAMES:
        for name in _ARCS_MODULES:
            yield f"algzoo.{name}", sorted(import_module(f"algzoo.{name}").__all__)
        return
    inside = import_module(package)
    if not package.startswith(_BY_MODULE):
        first = [name for name in _CONTRACT.get(package, ()) if name in inside.__all__]
        yield package, [*first, *sorted({*inside.__all__} - {*first})]
        return
    for info in pkgutil.iter_modules(inside.__path__, f"{package}."):
        module = import_module(info.name)
        if info.ispkg:
            continue
        yield (
            info.name,
            [
                name
                for name, thing in vars(module).items()
                if not name.startswith("_")
                and (inspect.isfunction(thing) or inspect.isclass(thing))
                and thing.__module__ == info.name
            ],
        )


def _module(name: str) -> str:
    return f".. automodule:: {name}\n   :no-members:"


def _table(names: Iterable[Name]) -> str:
    """A table of names with their summaries."""
    rows = [
        f"   * - :py:obj:`{name.name} <{name.described_as}>`\n     - {name.summary}"
        for name in names
    ]
    head = ".. list-table::\n   :header-rows: 1\n   :widths: 30 70\n"
    return "\n".join([head, "   * - name\n     - what it is", *rows])


def _description(name: Name) -> str:
    """What autodoc is to describe; of a constant, its text and its value if that is short."""
    if name.kind == "data":
        value = repr(name.object).replace("typing.", "")
        shown = f"   :value: {value}\n" if len(value) <= 80 and " at 0x" not in value else ""
        text = "\n".join(f"   {line}".rstrip() for line in name.docstring.splitlines())
        # The name has its module already, and Sphinx would put that of the page before it.
        return f".. py:data:: {name.described_as}\n   :module:\n{shown}\n{text}"
    options = "\n   :members:" if name.kind == "class" else ""
    # The fields of a named tuple are among its attributes; their docstrings are Python's own.
    if hidden := ", ".join(getattr(name.object, "_fields", ())):
        options += f"\n   :exclude-members: {hidden}"
    return f".. auto{name.kind}:: {name.described_as}{options}"


def _heading(text: str, underline: str) -> str:
    return f"{text}\n{underline * len(text)}"
