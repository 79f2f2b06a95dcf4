"""Print the lowest version of everything that pyproject.toml declares, as constraints for pip.

    python tests/promises/lowest.py > lowest.txt
    python -m venv .venv
    .venv/bin/pip install -c lowest.txt -e '.[book,cluster,lab,test]'
    .venv/bin/pytest -W default::DeprecationWarning -W default::PendingDeprecationWarning

What these depend on in turn is as new as they allow. Some warn of that, and no version of ours can
help it: deprecations are no errors there. The weekly workflow does this.
"""

import re
import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def lowest() -> list[str]:
    """``name==version`` for every requirement of the package and its extras, sorted."""
    project = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    pins = set()
    for requirement in {*project["dependencies"], *(r for extra in extras for r in extra)}:
        bound = re.fullmatch(r"([\w.-]+)>=([\w.]+)(,<[\w.]+)?", requirement)
        if bound is None:
            sys.exit(f"pyproject.toml: {requirement!r} has no lower bound of the form name>=1.2")
        pins.add(f"{bound[1]}=={bound[2]}")
    return sorted(pins)


if __name__ == "__main__":
    print(*lowest(), sep="\n")
