"""What a process computes with, as it finds it: its machine, its C library and its weights.

As a program, prints that as JSON.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from algzoo.chapters.machine import Machine, machine


@dataclass(frozen=True)
class Seen:
    """The machine, and digests of mathematical functions and of some weights in float64."""

    machine: Machine
    libm: str
    weights: str


def seen(python: str, environment: dict[str, str]) -> Seen:
    """What a process finds that this interpreter runs in this environment."""
    result = subprocess.run(
        [python, Path(__file__)], env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise OSError(f"{python} cannot run the package: {result.stderr.strip()}")
    found = json.loads(result.stdout)
    return Seen(Machine(**found.pop("machine")), **found)


def _libm() -> str:
    """Digest of functions of the C library; enough of them that other code gives another one."""
    numbers = random.Random(0)
    functions = (math.exp, math.log, math.sin, math.atan)
    values = [f(numbers.uniform(0, 20)) for f in functions for _ in range(10_000)]
    return hashlib.sha256(repr(values).encode()).hexdigest()


def _weights() -> str:
    from algzoo.structure import weights_of
    from algzoo.zoo import zoo_2nd_argmax

    matrices = weights_of(zoo_2nd_argmax(2, 2))
    return hashlib.sha256(b"".join(matrix.tobytes() for matrix in matrices)).hexdigest()


if __name__ == "__main__":
    print(json.dumps(asdict(Seen(machine(), _libm(), _weights()))))
