"""The machine on which numbers were computed: the processor, and the kernels of the libraries.

A matrix product or a logarithm has no single right last bit. numpy, its BLAS, PyTorch and numba
each choose code for the processor when they are loaded, and a number that moves from one machine to
another usually moves with one of these choices.
"""

from __future__ import annotations

import ctypes
import os
import platform
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

# Instruction sets to which MKL was restricted (MKL_CBWR), by its own codes; with 1 and 2 it
# chooses one itself.
_MKL_BRANCHES = {3: "COMPATIBLE", 4: "SSE2", 8: "SSE4_2", 9: "AVX", 10: "AVX2", 12: "AVX512"}


@dataclass(frozen=True)
class Machine:
    """Properties of a machine on which a number may depend besides its inputs and our code.

    Attributes
    ----------
    processor : str
        The processor's name.
    cores : int
        How many processors this process may use.
    blas : str
        Library behind numpy's and scipy's matrix products, and its kernels if it names them.
    numpy_features : tuple of str
        Instruction sets beyond its baseline that numpy uses.
    torch_features : str
        Instruction set for which PyTorch's own kernels are written.
    mkl : str
        Instruction set to which PyTorch's MKL was restricted; empty if it chooses itself, or if
        there is none.
    numba_target : str
        Processor for which numba compiles, by LLVM's name.
    threads : int
        How many threads PyTorch uses for one operation.
    python, numpy, torch, numba : str
        Versions.
    """

    processor: str
    cores: int
    blas: str
    numpy_features: tuple[str, ...]
    torch_features: str
    mkl: str
    numba_target: str
    threads: int
    python: str
    numpy: str
    torch: str
    numba: str

    def __str__(self) -> str:
        numpy_features = "+".join(self.numpy_features) or "baseline"
        mkl = f", MKL {self.mkl}" if self.mkl else ""
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return (
            f"{self.processor}, {threads} on {self.cores} cores; Python {self.python}; "
            f"numpy {self.numpy} ({self.blas}, {numpy_features}); "
            f"torch {self.torch} ({self.torch_features}{mkl}); "
            f"numba {self.numba} ({self.numba_target})"
        )


def machine() -> Machine:
    """Return the machine that this process runs on, as its libraries see it."""
    import numba  # imported here so that importing this module alone is fast
    import numpy as np
    import torch
    from numba.core.registry import cpu_target

    _, numba_target, _ = cpu_target.target_context.codegen().magic_tuple()
    return Machine(
        processor=_processor(),
        cores=_cores(),
        blas=_blas(),
        numpy_features=tuple(np.show_config(mode="dicts")["SIMD Extensions"].get("found", ())),
        torch_features=torch.backends.cpu.get_cpu_capability(),
        mkl=_mkl_branch(),
        numba_target=numba_target,
        threads=torch.get_num_threads(),
        python=platform.python_version(),
        numpy=np.__version__,
        torch=torch.__version__,
        numba=numba.__version__,
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _blas() -> str:
    """Return the BLAS that numpy was built with, and the kernels that wheels of OpenBLAS chose."""
    import numpy as np

    name = str(np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"])
    cores = {core for package in ("numpy", "scipy") for core in _openblas_cores(package)}
    return f"OpenBLAS {'/'.join(sorted(cores))}" if cores else name


def _openblas_cores(package: str) -> set[str]:
    """Return the names of the kernels in use, from the OpenBLAS in the package's wheel."""
    folder = _folder(package)
    beside = [folder.parent / f"{package}.libs", folder / ".dylibs"]
    found = set()
    for path in [path for place in beside for path in place.glob("*openblas*")]:
        library = ctypes.CDLL(str(path))  # this library is loaded already
        for name in ("scipy_openblas_get_corename64_", "scipy_openblas_get_corename"):
            if hasattr(library, name):
                function = getattr(library, name)
                function.restype = ctypes.c_char_p
                found.add(function().decode())
    return found


def _mkl_branch() -> str:
    for path in (_folder("torch") / "lib").glob("libtorch_cpu.*"):
        library = ctypes.CDLL(str(path))
        if hasattr(library, "mkl_serv_cbwr_get"):
            code = library.mkl_serv_cbwr_get(ctypes.c_int(1))  # 1: the branch in use
            return _MKL_BRANCHES.get(code, "")
    return ""


def _folder(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent
