"""Other processors on this one: kernels that its libraries are told to choose."""

from __future__ import annotations

from dataclasses import dataclass

from algzoo.chapters.machine import Machine


@dataclass(frozen=True)
class Kernels:
    """Kernels to choose, and what shows that they were chosen.

    Attributes
    ----------
    environment
        Environment variables, read when the libraries are loaded.
    torch_features
        What PyTorch then makes use of, one of :data:`ORDER`. A processor of which PyTorch makes
        less use than that does not have these kernels.
    openblas
        The name of OpenBLAS's kernels.
    numba_target
        The processor that numba then compiles for.
    """

    environment: dict[str, str]
    torch_features: str
    openblas: str
    numba_target: str

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
        refused = set(self.environment["NPY_DISABLE_CPU_FEATURES"].split())
        if used := refused & set(found.numpy_features):
            wrong.append(f"numpy still uses {' '.join(sorted(used))}")
        return wrong


ORDER = ("DEFAULT", "AVX2", "AVX512")
OLDEST, AVX2, AVX512 = "oldest", "AVX2", "AVX-512"


def kernels(own: Machine) -> dict[str, Kernels]:
    """The kernels of other processors, by name; ``own`` is the machine as it is by itself.

    MKL keeps to AVX2 on Intel's processors alone; on others it then chooses for itself.
    """
    every = " ".join(own.numpy_features)  # names of a numpy's own: it warns of those of others
    wide = " ".join(f for f in own.numpy_features if f.startswith(("AVX512", "X86_V4")))
    return {
        OLDEST: Kernels(
            {
                "NPY_DISABLE_CPU_FEATURES": every,
                "ATEN_CPU_CAPABILITY": "default",
                "OPENBLAS_CORETYPE": "Nehalem",
                "MKL_CBWR": "COMPATIBLE",
                "NUMBA_CPU_NAME": "generic",
                "NUMBA_CPU_FEATURES": "",
            },
            torch_features="DEFAULT",
            openblas="Nehalem",
            numba_target="generic",
        ),
        AVX2: Kernels(
            {
                "NPY_DISABLE_CPU_FEATURES": wide,
                "ATEN_CPU_CAPABILITY": "avx2",
                "OPENBLAS_CORETYPE": "Haswell",
                "MKL_CBWR": "AVX2",
                "NUMBA_CPU_NAME": "haswell",
                "NUMBA_CPU_FEATURES": "",
            },
            torch_features="AVX2",
            openblas="Haswell",
            numba_target="haswell",
        ),
        AVX512: Kernels(
            {
                "NPY_DISABLE_CPU_FEATURES": "",
                "ATEN_CPU_CAPABILITY": "avx512",
                "OPENBLAS_CORETYPE": "SkylakeX",
                "MKL_CBWR": "AVX512",
                "NUMBA_CPU_NAME": "skylake-avx512",
                "NUMBA_CPU_FEATURES": "",
            },
            torch_features="AVX512",
            openblas="SkylakeX",
            numba_target="skylake-avx512",
        ),
    }
