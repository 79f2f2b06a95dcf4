"""The reference has every public name of the package once, and nothing else."""

import importlib
import pkgutil

import pytest

import algzoo
from algzoo.chapters.reference_pages import described_as, reference, reference_page

PACKAGES = ["algzoo"] + [
    info.name
    for info in pkgutil.walk_packages(algzoo.__path__, "algzoo.")
    if info.ispkg and hasattr(importlib.import_module(info.name), "__all__")
]
ARCS_MODULES = ["architectures", "handcrafted", "loading", "tasks", "training"]


def test_every_package_that_exports_names_has_a_page():
    assert {*PACKAGES} <= {page.package for page in reference()}


@pytest.mark.parametrize("package", [*PACKAGES, *(f"algzoo.{name}" for name in ARCS_MODULES)])
def test_a_page_lists_what_its_package_exports(package):
    [names] = [page.modules[package] for page in reference() if package in page.modules]
    exported = importlib.import_module(package)
    assert sorted(name.name for name in names) == sorted(exported.__all__)
    assert {name.name for name in names} <= {*dir(exported)}


def test_every_object_is_described_on_one_page():
    described = [name.described_as for page in reference() for name in page.names if name.is_here]
    assert len(described) == len({*described})
    everywhere = {name.described_as for page in reference() for name in page.names}
    assert everywhere == {*described}


def test_names_have_summaries():
    missing = [name.described_as for page in reference() for name in page.names if not name.summary]
    assert not missing, "a constant is described by a string after its definition"


def test_contract_names_come_first():
    first = {page.package: [name.name for name in page.names][:4] for page in reference()}
    assert first["algzoo"][0] == "zoo_2nd_argmax"
    assert first["algzoo.estimates"][:3] == ["Estimate", "exact", "sampling"]
    assert first["algzoo.scoring"][0] == "Ledger"


def test_every_description_is_on_its_page():
    for page in reference():
        text = reference_page(page)
        for name in page.names:
            directive = f":: {name.described_as}\n"
            assert text.count(directive) == name.is_here, name.described_as


@pytest.mark.parametrize(
    ("target", "module", "name"),
    [
        ("algzoo.zoo.loading.zoo_median", "algzoo", "algzoo.zoo_median"),
        ("exact", "algzoo.estimates", "algzoo.estimates.exact"),
        (".event.RareEvent", "algzoo.estimates.rare", "algzoo.estimates.rare.RareEvent"),
        ("StandardForm.weights", "algzoo.structure", "algzoo.structure.StandardForm.weights"),
        ("algzoo.zoo.model_check.check_weights", "algzoo.zoo", None),  # exists, is not public
    ],
)
def test_docstrings_can_mention_a_name_by_any_path(target, module, name):
    assert described_as(target, module) == name


def test_what_does_not_exist_is_an_error():
    with pytest.raises(LookupError, match=r"algzoo has no estimates\.exactly"):
        described_as("estimates.exactly", "algzoo")


def test_the_built_reference_has_every_public_name(site):
    pages = (site / "book" / "reference").rglob("*.html")
    built = "".join(path.read_text("utf-8") for path in pages)
    for package in PACKAGES:
        for name in importlib.import_module(package).__all__:
            assert f'id="{described_as(name, package)}"' in built, f"{package}.{name}"
