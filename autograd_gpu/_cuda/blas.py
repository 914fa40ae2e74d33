"""What cuBLAS calls the types that products have here, and its handle for the current device."""

from typing import Any, NamedTuple

import numpy as np

from .._core.library import Library

__all__ = ["DEFAULT", "DEVICE", "FULL_REDUCTION", "HOST", "KINDS", "Blas", "Kind", "connect"]

DEFAULT = -1  # CUBLAS_GEMM_DEFAULT: cuBLAS chooses the algorithm
HOST, DEVICE = 0, 1  # cublasPointerMode_t: where the numbers alpha and beta are
FULL_REDUCTION = 16  # CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION
_FLOAT, _DOUBLE, _TF32 = 68, 70, 77  # cublasComputeType_t: 32F, 64F, 32F_FAST_TF32


class Kind(NamedTuple):
    """A type of elements: its cudaDataType, what it is computed in (where TF32 is allowed:
    `fast`), the type of alpha and beta, and the addresses of 0 and 1 in it."""

    data: int
    compute: int
    fast: int
    scale: np.dtype
    zero: int
    one: int
    conj: bool
    dot: str


_CONSTANTS = {char: np.array([0, 1], char) for char in "fdFD"}  # kept: cuBLAS reads them


def _kind(data: int, compute: int, scale: str, dot: str = "") -> Kind:
    constants = _CONSTANTS[scale]
    zero = constants.ctypes.data
    return Kind(
        data, compute, _TF32 if data in (0, 4) else compute, constants.dtype, zero,
        zero + constants.itemsize, scale in "FD", dot,
    )  # fmt: skip


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
