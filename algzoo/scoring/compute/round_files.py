"""The files of rounds: their names, their content, and the digest by which an entry names one."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import Any

ACCURACY, RARE = "rounds", "rare_rounds"  # folders


def names_in(folder: str) -> list[str]:
    """Names of the rounds in a folder of this package's data."""
    path = files("algzoo.scoring") / "data" / folder
    return sorted(one.name.removesuffix(".json") for one in path.iterdir())


def text_of(folder: str, name: str) -> str:
    """Text of the round of that name.

    Raises
    ------
    ValueError
        If there is none; says which there are, or that there is one of another kind.
    """
    known = names_in(folder)
    if name not in known:
        also = ""
        for other, command in ((ACCURACY, "algzoo challenge"), (RARE, "algzoo rare")):
            if other != folder and name in names_in(other):
                also = f"; {name} is a round of `{command}`"
        raise ValueError(f"There is no round {name!r}; there are: {', '.join(known)}{also}")
    return (files("algzoo.scoring") / "data" / folder / f"{name}.json").read_text("utf-8")


def content_of(text: str) -> tuple[dict[str, Any], str]:
    """Content of a round, and the SHA-256 of it, whatever the spaces and lines of the text."""
    content: dict[str, Any] = json.loads(text)
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return content, hashlib.sha256(canonical.encode()).hexdigest()
