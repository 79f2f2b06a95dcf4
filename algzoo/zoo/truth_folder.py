"""Folder in which true scores are kept between calls."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import official

TRUTH_FOLDER = "ALGZOO_TRUTHS"  # environment variable: the folder in which true scores are kept

_fresh: str | None = None  # the folder of the block of fresh_truths() that this process is in


def truth_folder() -> Path:
    """Return the folder named by ``ALGZOO_TRUTHS``, or one in the user's cache.

    The folder may not exist yet.
    """
    named = os.environ.get(TRUTH_FOLDER)
    return Path(named).expanduser() if named else official.cache_folder() / "truth"


@contextmanager
def fresh_truths() -> Iterator[None]:
    """Keep true scores in a new, empty folder, for this process and those it starts in the block.

    Every true score is thus computed again, once, whatever earlier runs have left. Nested blocks
    share the folder of the outermost one. ARC's own files, which are also in the user's cache, are
    found as before.
    """
    global _fresh
    if _fresh is not None:
        yield
        return
    before = os.environ.get(TRUTH_FOLDER)
    with tempfile.TemporaryDirectory(prefix="algzoo-truths-", ignore_cleanup_errors=True) as folder:
        os.environ[TRUTH_FOLDER] = _fresh = folder
        try:
            yield
        finally:
            _fresh = None
            if before is None:
                del os.environ[TRUTH_FOLDER]
            else:
                os.environ[TRUTH_FOLDER] = before
