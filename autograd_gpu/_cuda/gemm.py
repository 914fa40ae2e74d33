"""Matrix products by cuBLAS: of any layout that it can read without a copy, of every float type.

CuPy's own matmul copies transposed batches, widens float16 and never uses TF32."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .._core.differences import replaces
from .._core.library import LAUNCHERS, Library
from .._core.precision import PRECISION
from .blas import DEFAULT, DEVICE, FULL_REDUCTION, HOST, KINDS, Blas, Kind, connect
from .products import COPY_A, COPY_B, DECLINED, EMPTY, batch_plan, plan

__all__ = ["Gemm", "gemm_of"]


class Gemm:
    """The products of one library's arrays. A form names them: see `products`. NotImplemented for
    what cuBLAS cannot multiply: integers, factors of two dtypes, shapes that do not fit."""

    def __init__(self, xp: Library) -> None:
        """cuBLAS is loaded by the first product."""
        self.xp, self.ndarray, self.several = xp, xp.ndarray, xp.several_devices
        self._blas: Blas | None = None

    @property
    def blas(self) -> Blas:
        """cuBLAS, loaded when it is first needed."""
        found = self._blas
        if found is None:
            found = self._blas = connect(self.xp)
        return found

    def product(self, form: str, a: Any, b: Any) -> Any:
        """A product of two matrices (vectors, rows in more dimensions): a new array."""
        dtype = a.dtype
        kind = KINDS.get(dtype.char)
        if kind is None or b.dtype is not dtype and b.dtype != dtype or self.elsewhere(a):
            return self.rare(self.product, form, a, b)
        flag_b, flag_a, m, n, k, ld_b, ld_a, shape, problem = plan(
            form, kind.conj, a.shape, a.strides, b.shape, b.strides, dtype.itemsize
        )
        if problem:
            return self.unready(self.product, problem, shape, form, a, b)
        out = self.ndarray(shape, dtype)
        blas, data = self._blas or self.blas, kind.data
        if PRECISION.full:
            self.reduce_fully(dtype)
        blas.gemm(
            blas.handle(), flag_b, flag_a, m, n, k, kind.one, b.data.ptr, data, ld_b,
            a.data.ptr, data, ld_a, kind.zero, out.data.ptr, data, m,
            kind.fast if PRECISION.tf32 and m > 1 and n > 1 else kind.compute, DEFAULT,
        )  # fmt: skip
        return out
