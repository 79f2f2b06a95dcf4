"""Check the content of JSON files that others write: their keys, and the kinds of their values."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

Read = TypeVar("Read")


class EntryError(ValueError):
    """A file is no entry; says which file, what is wrong and what would be right."""


def read_file(path: Path, reader: Callable[[str], Read]) -> Read:
    """What ``reader`` makes of the text of a file.

    Raises
    ------
    EntryError
        If the file cannot be read, or the reader raises a ``ValueError``; names the file.
    """
    try:
        return reader(path.read_text("utf-8"))
    except OSError as error:
        raise EntryError(f"{path.name}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise EntryError(f"{path.name}: {error}") from error


def loaded(text: str) -> Any:
    """Content of JSON, without the numbers NaN and Infinity, which JSON does not have.

    Raises
    ------
    EntryError
        If it is not JSON, or an object has the same key twice.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)
    except EntryError:
        raise
    except (ValueError, RecursionError) as error:
        raise EntryError(f"is not JSON: {error}") from error


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of a key that is there twice, readers would take different values."""
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise EntryError(f"the key {_shown(twice)} is there twice")
    return content


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not allowed")


@dataclass(frozen=True)
class Kind:
    """What the value of a key must be, in words, and whether it is."""

    words: str
    fits: Callable[[Any], bool]

    def or_null(self) -> Kind:
        """Kind of a value that may also be null."""
        return Kind(f"{self.words} or null", lambda value: value is None or self.fits(value))


def is_number(value: Any) -> bool:
    """Tell whether a value is a finite number, and no larger than a float can be."""
    # A whole number is compared as it is: as a float it may be too large.
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) <= sys.float_info.max
    )


def _is_whole(value: Any, least: int) -> bool:
    """Tell whether a value is a whole number from ``least`` up to the largest of 64 bits."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value < 2**63


def _is_encodable(value: Any) -> bool:
    """Tell whether a value is a text that can be written in UTF-8; half a surrogate cannot."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def list_of(kind: Kind) -> Kind:
    """A list of values of one kind."""
    return Kind(
        f"a list, each of it {kind.words}",
        lambda value: isinstance(value, list) and all(map(kind.fits, value)),
    )


def one_of(choices: Sequence[str]) -> Kind:
    """One of these texts."""
    return Kind(f"one of {', '.join(choices)}", lambda value: value in choices)


TEXT = Kind(
    "a text",
    # Without line breaks and control characters: it is shown in tables and messages.
    lambda value: isinstance(value, str) and bool(value.strip()) and value.isprintable(),
)
LINE = Kind("a text", _is_encodable)
YES = Kind("true or false", lambda value: isinstance(value, bool))
NUMBER = Kind("a number", is_number)
AMOUNT = Kind("a number of at least 0", lambda value: is_number(value) and value >= 0)
COUNT = Kind("a whole number of at least 1", lambda value: _is_whole(value, 1))
COUNT_OR_ZERO = Kind("a whole number of at least 0", lambda value: _is_whole(value, 0))
OBJECT = Kind("an object with keys", lambda value: isinstance(value, dict))
SEED = Kind("a whole number", lambda value: _is_whole(value, -(2**63)))
_MANY = list_of(COUNT)
COUNTS = Kind(
    f"{COUNT.words} or a list of them", lambda value: COUNT.fits(value) or _MANY.fits(value)
)
LINK = Kind(
    "an address that begins with https:// or http://",
    lambda value: isinstance(value, str) and bool(re.fullmatch(r"https?://[^\s<>\"]+", value)),
)
PROBABILITY = Kind("a probability", lambda value: is_number(value) and 0 <= value <= 1)


def checked(content: Any, kinds: Mapping[str, Kind], where: str) -> dict[str, Any]:
    """The content of an object, if it has these keys and no others, and values of these kinds."""
    if not isinstance(content, dict):
        raise EntryError("is not an object with keys")
    for key in kinds:
        if key not in content:
            raise EntryError(f"the key {where}{key} is missing")
    for key, value in content.items():
        if key not in kinds:
            raise EntryError(f"there is a key {where}{_shown(key)}, which no entry has")
        if not kinds[key].fits(value):
            shown = _shortened(json.dumps(value))
            raise EntryError(f"{where}{key} must be {kinds[key].words}, not {shown}")
    return dict(content)


def _shown(key: str) -> str:
    """A key as it may stand in a message of one line."""
    return _shortened(key if key.isprintable() else json.dumps(key))


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
