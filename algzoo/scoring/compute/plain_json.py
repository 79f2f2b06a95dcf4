"""JSON that people read and that version control compares: keys in order, numbers in lines."""

from __future__ import annotations

import json
import textwrap
from typing import Any

_WIDTH = 100  # characters


def plain_json(content: Any) -> str:
    """Return JSON in which each key has a line, and long lists of numbers are filled into lines.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    return _lines(content, "") + "\n"


def rounded(number: float) -> float:
    """Return a number to six significant digits, as it stands in a file."""
    return float(f"{number:.6g}")


def _lines(content: Any, indent: str) -> str:
    inner = indent + " "
    if isinstance(content, dict) and content:
        body = [
            f"{inner}{json.dumps(key)}: {_lines(value, inner)}" for key, value in content.items()
        ]
        return "{\n" + ",\n".join(body) + f"\n{indent}}}"
    if isinstance(content, list) and content:
        if all(isinstance(one, int | float) for one in content):
            text = ", ".join(json.dumps(one, allow_nan=False) for one in content)
            filled = textwrap.fill(
                text, _WIDTH, initial_indent=inner, subsequent_indent=inner, break_on_hyphens=False
            )
            return f"[{text}]" if len(text) < _WIDTH - len(inner) else f"[\n{filled}\n{indent}]"
        return "[\n" + ",\n".join(inner + _lines(one, inner) for one in content) + f"\n{indent}]"
    return json.dumps(content, ensure_ascii=False, allow_nan=False)
