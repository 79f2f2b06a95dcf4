"""No number depends on the kernels that the libraries choose for a processor.

``values.py`` computes in a process of its own, with empty caches, under each of the settings of
``settings.py``; what it finds is compared with what it finds on this machine as it is.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from kernels.settings import AVX2, AVX512, OLDEST, kernels

from algzoo.chapters.machine import Machine

PROGRAM = Path(__file__).with_name("values.py")


@pytest.fixture(scope="session")
def own(common_folder):
    """The machine as it is by itself, and its values; they are computed once."""
    found = common_folder / "kernels.json"
    with FileLock(f"{found}.lock"):
        if not found.exists():
            found.write_text(computed({}, common_folder / "kernels"), "utf-8")
    return parsed(found.read_text("utf-8"))


def computed(environment, caches):
    folders = {"XDG_CACHE_HOME": str(caches), "NUMBA_CACHE_DIR": str(caches)}
    result = subprocess.run(
        [sys.executable, PROGRAM],
        env=os.environ | environment | folders,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, f"with {environment}:\n{result.stderr}"
    return result.stdout


def parsed(text):
    found = json.loads(text)
    return Machine(**found["machine"]), found["values"]


def same(one, other):
    if isinstance(one, float) and isinstance(other, float):
        return other == pytest.approx(one, rel=1e-9, abs=1e-9)
    return one == other


@pytest.mark.parametrize("name", [OLDEST, AVX2, AVX512])
def test_values_are_the_same_with_other_kernels(own, name, tmp_path):
    own_machine, own_values = own
    chosen = kernels(own_machine)[name]
    if reason := chosen.missing(own_machine):
        pytest.skip(reason)
    other_machine, values = parsed(computed(chosen.environment, tmp_path))
    assert chosen.not_in_effect(other_machine) == []
    moved = [
        f"{key}: {own_values.get(key, 'absent')} and {values.get(key, 'absent')}"
        for key in own_values | values
        if not same(own_values.get(key, "absent"), values.get(key, "absent"))
    ]
    assert moved == [], (
        f"{len(moved)} of {len(own_values)} numbers are not the same on\n  {own_machine}\n"
        f"and with the {name} kernels,\n  {other_machine}:\n  " + "\n  ".join(moved)
    )


def test_most_values_are_numbers(own):
    _, values = own
    numbers = [value for value in values.values() if value is not None]
    assert len(numbers) > 1000
