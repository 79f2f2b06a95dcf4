"""The examples in docstrings run and print what they say."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def _modules_with_examples() -> list[str]:
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((ROOT / "algzoo").rglob("*.py"))
        if ">>> " in path.read_text("utf-8")
    ]


@pytest.mark.parametrize("name", _modules_with_examples())
def test_the_examples_of_a_module_run(name):
    failed, attempted = doctest.testmod(import_module(name))
    assert attempted
    assert not failed


def test_the_exported_names_have_examples():
    exported = {
        "algzoo": import_module("algzoo").__all__,
        "algzoo.estimates": ["accuracy", "catalog", "exact", "sampling"],
        "algzoo.scoring": ["Ledger"],
        "algzoo.structure": ["cones", "find_features", "standard_form"],
    }
    assert not [
        f"{module}.{name}"
        for module, names in exported.items()
        for name in names
        if "\n    >>> " not in (getattr(import_module(module), name).__doc__ or "")
        and "\n>>> " not in (getattr(import_module(module), name).__doc__ or "")
    ]
