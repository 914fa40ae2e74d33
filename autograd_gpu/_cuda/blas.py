"""What cuBLAS calls the types that products have here, and its handle for the current device."""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .._core.library import Library

__all__ = [
    "DEFAULT", "DEVICE", "FULL_REDUCTION", "HOST", "KINDS", "Blas", "Kind", "Numbers", "connect",
    "numbers",
]  # fmt: skip

DEFAULT = -1  # CUBLAS_GEMM_DEFAULT: cuBLAS chooses the algorithm
HOST, DEVICE = 0, 1  # cublasPointerMode_t: where the numbers alpha and beta are
FULL_REDUCTION = 16  # CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION
_FLOAT, _DOUBLE, _TF32 = 68, 70, 77  # cublasComputeType_t: 32F, 64F, 32F_FAST_TF32


class Numbers(NamedTuple):
    """alpha and beta on the host: their addresses, and the array that must live until cuBLAS has
    read them, which it has when a call returns."""

    alpha: int
    beta: int
    held: np.ndarray


@lru_cache(256)
def numbers(scale: str, alpha: Any, beta: Any) -> Numbers:
    """alpha and beta as cuBLAS reads them. TypeError for a complex number among real ones."""
    held = np.array([alpha, beta], scale)
    held.flags.writeable = False
    first = held.ctypes.data
    return Numbers(first, first + held.itemsize, held)


class Kind(NamedTuple):
    """A type of elements: its cudaDataType, what it is computed in (`fast`: where TF32 is
    allowed), the type of alpha and beta, the addresses of 1 and 0 in it, is it complex, and the
    function for two vectors."""

    data: int
    compute: int
    fast: int
    scale: str
    one: int
    zero: int
    conj: bool
    dot: str


_CONSTANTS = {scale: numbers(scale, 1, 0) for scale in "fdFD"}


def _kind(data: int, compute: int, scale: str, dot: str = "") -> Kind:
    one, zero, _ = _CONSTANTS[scale]
    fast = _TF32 if data in (0, 4) else compute
    return Kind(data, compute, fast, scale, one, zero, scale in "FD", dot)


KINDS = {
    "f": _kind(0, _FLOAT, "f", "sdot"),
    "d": _kind(1, _DOUBLE, "d", "ddot"),
    "e": _kind(2, _FLOAT, "f"),
    "F": _kind(4, _FLOAT, "F", "cdotu"),
    "D": _kind(5, _DOUBLE, "D", "zdotu"),
    "E": _kind(14, _FLOAT, "f"),  # bfloat16
}
"""A dtype's character -> its Kind. Half types are multiplied exactly and added in float32."""


class Blas(NamedTuple):
    """cuBLAS as CuPy binds it: `handle()` is that of this thread and the current device."""

    module: Any
    handle: Any
    gemm: Any
    batched: Any


def connect(xp: Library) -> Blas:
    """cuBLAS of a library. ImportError where it is not installed."""
    module = xp.blas
    handle = xp.module_of("cupy.cuda.device", "blas").get_cublas_handle
    return Blas(module, handle, module.gemmEx, module.gemmStridedBatchedEx)
