"""The machine is described by what its libraries do, not by what they were asked for."""

import os
import platform
import subprocess
import sys

import pytest

from algzoo.chapters.machine import machine

_DESCRIBE = "from algzoo.chapters.machine import machine; print(machine())"
_CHOICES = ("NPY_DISABLE_CPU_FEATURES", "ATEN_CPU_CAPABILITY", "OPENBLAS_CORETYPE", "MKL_CBWR")


def described(**choices):
    environment = {key: value for key, value in os.environ.items() if key not in _CHOICES}
    result = subprocess.run(
        [sys.executable, "-c", _DESCRIBE],
        env=environment | choices,
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.strip()


def test_the_processor_is_the_one_that_linux_names():
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        pytest.skip("reads what Linux says of an x86-64 processor")
    lines = subprocess.run(["lscpu"], capture_output=True, text=True, check=True).stdout
    [name] = [line.partition(":")[2] for line in lines.splitlines() if "Model name:" in line]
    assert machine().processor == name.strip()


def test_kernels_follow_the_environment():
    if machine().blas.split()[0] != "OpenBLAS" or platform.machine() != "x86_64":
        pytest.skip("needs an OpenBLAS for x86-64")
    text = described(
        NPY_DISABLE_CPU_FEATURES=" ".join(machine().numpy_features),
        ATEN_CPU_CAPABILITY="default",
        OPENBLAS_CORETYPE="Nehalem",
        MKL_CBWR="COMPATIBLE",
        NUMBA_CPU_NAME="generic",
        OMP_NUM_THREADS="1",
    )
    assert "(OpenBLAS Nehalem, baseline)" in text
    assert "(DEFAULT, MKL COMPATIBLE)" in text
    assert text.endswith("(generic)")
    assert ", 1 thread on " in text
    assert "\n" not in text
