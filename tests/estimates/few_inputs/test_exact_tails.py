"""Exact probabilities of rare errors, against the samples of ``tests/promises/exact_tails.py``."""

import importlib.util
import sys
from pathlib import Path

SPEC = importlib.util.spec_from_file_location(
    "exact_tails", Path(__file__).parents[2] / "promises" / "exact_tails.py"
)
exact_tails = importlib.util.module_from_spec(SPEC)
sys.modules["exact_tails"] = exact_tails
SPEC.loader.exec_module(exact_tails)


def test_a_million_samples_agree():
    found = list(exact_tails.differences(1_000_000))
    assert len(found) == 16
    for name, threshold, exact, share, z in found:
        assert exact > 1e-6
        assert abs(z) < 4, (name, threshold, exact, share)
