"""Other processors on this one: kernels that its libraries are told to choose."""

from __future__ import annotations

import os
from dataclasses import dataclass

from algzoo.chapters.machine import Machine

ORDER = ("DEFAULT", "AVX2", "AVX512")  # of what PyTorch makes use of, by its own names
OLDEST, AVX2, AVX512 = "oldest", "AVX2", "AVX-512"
_REFUSED = "NPY_DISABLE_CPU_FEATURES"


@dataclass(frozen=True)
class Kernels:
    """Kernels to choose, and what shows that they were chosen.

    Attributes
    ----------
    torch_features
        What PyTorch is to make use of, one of :data:`ORDER`. A processor of which it makes less use
        by itself does not have these kernels.
    openblas
        The name of OpenBLAS's kernels.
    mkl
        What MKL is to keep to. It keeps to AVX2 on Intel's processors alone, and on others chooses
        for itself.
    numba_target
        The processor that numba is to compile for.
    numpy_refused
        What numpy is not to make use of, by names of this version of numpy.
    """

    torch_features: str
    openblas: str
    mkl: str
    numba_target: str
    numpy_refused: tuple[str, ...]

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that the libraries read when they are loaded."""
        return {
            "ATEN_CPU_CAPABILITY": self.torch_features.lower(),
            "OPENBLAS_CORETYPE": self.openblas,
            "MKL_CBWR": self.mkl,
            "NUMBA_CPU_NAME": self.numba_target,
            "NUMBA_CPU_FEATURES": "",
            _REFUSED: " ".join([os.environ.get(_REFUSED, ""), *self.numpy_refused]).strip(),
        }

    def missing(self, own: Machine) -> str | None:
        """Why the machine, as it is by itself, cannot run these kernels; ``None`` if it can."""
        if own.torch_features not in ORDER:
            return f"not an x86-64 processor: PyTorch uses {own.torch_features} on {own.processor}"
        if ORDER.index(own.torch_features) < ORDER.index(self.torch_features):
            return f"no {self.torch_features}: PyTorch uses {own.torch_features} on {own.processor}"
        return None

    def not_in_effect(self, found: Machine) -> list[str]:
        """What was not chosen, for a machine that was started with this environment."""
        wrong = []
        if found.torch_features != self.torch_features:
            wrong.append(f"PyTorch uses {found.torch_features}, not {self.torch_features}")
        if found.blas.startswith("OpenBLAS") and found.blas != f"OpenBLAS {self.openblas}":
            wrong.append(f"numpy and scipy use {found.blas}, not {self.openblas}")
        if found.numba_target != self.numba_target:
            wrong.append(f"numba compiles for {found.numba_target}, not {self.numba_target}")
        if used := {*self.numpy_refused} & {*found.numpy_features}:
            wrong.append(f"numpy still uses {' '.join(sorted(used))}")
        return wrong


def kernels(own: Machine) -> dict[str, Kernels]:
    """The kernels of other processors, by name; ``own`` is the machine as it is by itself."""
    every = tuple(own.numpy_features)
    wide = tuple(feature for feature in every if feature.startswith(("AVX512", "X86_V4")))
    return {
        OLDEST: Kernels("DEFAULT", "Nehalem", "COMPATIBLE", "generic", every),
        AVX2: Kernels("AVX2", "Haswell", "AVX2", "haswell", wide),
        AVX512: Kernels("AVX512", "SkylakeX", "AVX512", "skylake-avx512", ()),
    }
