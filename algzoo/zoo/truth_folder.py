"""Where true scores are kept between calls: in the user's cache, or in a folder that is named."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import official

TRUTH_FOLDER = "ALGZOO_TRUTHS"  # environment variable: the folder in which truths are kept

_fresh: str | None = None  # the folder of the block of fresh_truths() that this process is in


def truth_folder() -> Path:
    """The folder that ``ALGZOO_TRUTHS`` names, else one in the user's cache; it need not exist."""
    named = os.environ.get(TRUTH_FOLDER)
    return Path(named).expanduser() if named else official.cache_folder() / "truth"


@contextmanager
def fresh_truths() -> Iterator[None]:
    """Inside the block, this process and those that it starts keep truths in a new, empty folder.

    So every truth is computed again, once, whatever earlier runs have left. Blocks inside each
    other share the folder of the outermost one. ARC's own files, which lie in the user's cache too,
    are found as before.
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
