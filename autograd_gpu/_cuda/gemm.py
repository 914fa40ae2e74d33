"""Matrix products by cuBLAS: of any layout that it can read without a copy, of every float type.

CuPy's own matmul copies transposed batches, widens float16 and never uses TF32."""

from typing import Any

import numpy as np

from .._core.library import Library
from .._core.precision import PRECISION
from .blas import DEFAULT, DEVICE, FULL_REDUCTION, HOST, KINDS, Blas, Kind, connect, numbers
from .convert import copy_into
from .products import (
    COPY_A,
    COPY_B,
    EMPTY,
    LIMIT,
    SPREAD_A,
    SPREAD_B,
    Batch,
    batch_plan,
    plan,
)

__all__ = ["Gemm", "gemm_of"]

COPIES = COPY_A | COPY_B | SPREAD_A | SPREAD_B


class Gemm:
    """The products of one library's arrays. A form names them: see `products`. NotImplemented for
    what cuBLAS cannot multiply: integers, factors of two dtypes, shapes that do not fit."""

    def __init__(self, xp: Library) -> None:
        """cuBLAS itself is loaded by the first product."""
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
        """One product, a new array. Dimensions before the last two are rows."""
        dtype = a.dtype
        kind = KINDS.get(dtype.char)
        if kind is None or b.dtype is not dtype:
            return self.general(plan, form, a, b)
        flag_b, flag_a, m, n, k, ld_b, ld_a, shape, problem = plan(
            form, kind.conj, a.shape, a.strides, b.shape, b.strides, dtype.itemsize
        )
        if problem or PRECISION.full or self.several and self._elsewhere(a):
            return self.general(plan, form, a, b)
        out = self.ndarray(shape, dtype)
        blas, data = self._blas or self.blas, kind.data
        blas.gemm(
            blas.handle(), flag_b, flag_a, m, n, k, kind.one, b.data.ptr, data, ld_b,
            a.data.ptr, data, ld_a, kind.zero, out.data.ptr, data, m,
            kind.fast if PRECISION.tf32 and m > 1 and n > 1 else kind.compute, DEFAULT,
        )  # fmt: skip
        return out

    def _elsewhere(self, array: Any) -> bool:
        """Is it on another device than the current one, whose handle cuBLAS would be given?"""
        return array.data.device_id != self.xp.current_device()

    def batch(self, form: str, a: Any, b: Any) -> Any:
        """The products of the matrices in the last two dimensions; the others broadcast."""
        dtype = a.dtype
        kind = KINDS.get(dtype.char)
        if kind is None or b.dtype is not dtype:
            return self.general(batch_plan, form, a, b)
        made = batch_plan(
            form, kind.conj, a.shape, a.strides, b.shape, b.strides, dtype.itemsize
        )
        if made.problem or PRECISION.full or self.several and self._elsewhere(a):
            return self.general(batch_plan, form, a, b)
        out = self.ndarray(made.shape, dtype)
        self._run(made, kind, a, b, out, kind.one, kind.zero)
        return out

    def general(
        self, planned: Any, form: str, a: Any, b: Any, start: Any = None, beta: Any = 0,
        alpha: Any = 1, out: Any = None,
    ) -> Any:  # fmt: skip
        """beta start + alpha product of any arrays, into `out` where one is given; `planned`:
        `plan` or `batch_plan`. What lies too unevenly is copied first."""
        kind = KINDS.get(a.dtype.char)
        if kind is None or a.dtype != b.dtype or alpha == 0:
            return NotImplemented
        if self.several and self._elsewhere(a):
            with self.xp.device(a.data.device_id):
                return self.general(planned, form, a, b, start, beta, alpha, out)
        made = planned(form, kind.conj, a.shape, a.strides, b.shape, b.strides, a.itemsize)
        if made.problem & COPIES:
            a, b, made = self._copies(planned, form, a, b, kind)
        if made.problem:
            return self._empty(made, a, start, out)
        if out is None:
            out = self._begun(made.shape, a.dtype, start, beta)
            if out is None:
                return NotImplemented
        elif not _takes(out, made.shape, a.dtype):
            return NotImplemented
        held = numbers(kind.scale, alpha, beta)
        run = self._exactly if a.dtype.char in PRECISION.full else self._run
        run(made, kind, a, b, out, held.alpha, held.beta)
        return out

    def _copies(self, planned: Any, form: str, a: Any, b: Any, kind: Kind) -> tuple[Any, Any, Any]:
        """The factors, copied where they must be, and the plan for them."""
        for _ in range(4):
            made = planned(form, kind.conj, a.shape, a.strides, b.shape, b.strides, a.itemsize)
            if not made.problem & COPIES:
                return a, b, made
            a = self._copied(a, made, COPY_A, SPREAD_A)
            b = self._copied(b, made, COPY_B, SPREAD_B)
        raise AssertionError(f"no layout for {form} of {a.shape} and {b.shape}")

    def _copied(self, array: Any, made: Any, copy: int, spread: int) -> Any:
        """The elements row by row, where they must be."""
        if made.problem & spread:
            array = self.xp.broadcast_to(array, (*made.shape[:-2], *array.shape[-2:]))
        elif not made.problem & copy:
            return array
        return self.xp.ascontiguousarray(array)

    def _empty(self, made: Any, a: Any, start: Any, out: Any) -> Any:
        """The result where nothing is added up: zeros, if anything."""
        if made.problem != EMPTY or start is not None:
            return NotImplemented
        if out is None:
            return self.xp.zeros(made.shape, a.dtype)
        if not _takes(out, made.shape, a.dtype):
            return NotImplemented
        out.fill(0)
        return out

    def _begun(self, shape: tuple[int, ...], dtype: np.dtype, start: Any, beta: Any) -> Any:
        """A new array for the result, which holds `start` where beta counts it; None where it does
        not fit."""
        if start is not None and (start.dtype != dtype or not _broadcasts(start.shape, shape)):
            return None
        out = self.ndarray(shape, dtype)
        if start is not None and beta != 0 and copy_into(self.xp, out, start) is NotImplemented:
            out[...] = start
        return out

    def _exactly(self, *arguments: Any) -> None:
        """The product, while cuBLAS may not keep partial sums in a half type."""
        blas = self.blas
        handle = blas.handle()
        before = blas.module.getMathMode(handle)
        blas.module.setMathMode(handle, before | FULL_REDUCTION)
        try:
            self._run(*arguments)
        finally:
            blas.module.setMathMode(handle, before)

    def _run(
        self, made: Any, kind: Kind, a: Any, b: Any, out: Any, alpha: int, beta: int
    ) -> None:
        """`alpha`, `beta`: the addresses of numbers."""
        blas, data = self.blas, kind.data
        flag_b, flag_a, m, n, k, ld_b, ld_a = made[:7]
        compute = kind.fast if PRECISION.tf32 and m > 1 and n > 1 else kind.compute
        handle, at_a, at_b, at_c = blas.handle(), a.data.ptr, b.data.ptr, out.data.ptr
        if made.__class__ is not Batch:
            blas.gemm(
                handle, flag_b, flag_a, m, n, k, alpha, at_b, data, ld_b, at_a, data, ld_a,
                beta, at_c, data, m, compute, DEFAULT,
            )  # fmt: skip
            return
        for x, y, z in made.starts:
            blas.batched(
                handle, flag_b, flag_a, m, n, k, alpha, at_b + y, data, ld_b, made.step_b,
                at_a + x, data, ld_a, made.step_a, beta, at_c + z, data, m, made.step_c,
                made.batches, compute, DEFAULT,
            )  # fmt: skip

    def dot(self, a: Any, b: Any, conj: bool = False) -> Any:
        """The sum of the products of two vectors' elements, the first one conjugated if `conj`."""
        kind = KINDS.get(a.dtype.char)
        if kind is None or a.ndim != 1 or a.shape != b.shape or a.dtype != b.dtype:
            return NotImplemented
        if self.several and self._elsewhere(a):
            with self.xp.device(a.data.device_id):
                return self.dot(a, b, conj)
        if not kind.dot or not 0 < a.size <= LIMIT:
            return self.general(plan, "nt", a, b)
        x, step_x = self._vector(a)
        y, step_y = self._vector(b)
        out, blas = self.ndarray((), a.dtype), self.blas
        name = kind.dot[:-1] + "c" if conj and kind.conj else kind.dot
        handle = blas.handle()
        blas.module.setPointerMode(handle, DEVICE)
        try:
            getattr(blas.module, name)(
                handle, a.size, x.data.ptr, step_x, y.data.ptr, step_y, out.data.ptr
            )
        finally:
            blas.module.setPointerMode(handle, HOST)
        return out

    def _vector(self, array: Any) -> tuple[Any, int]:
        """A vector and the distance of its elements, copied where that is no positive number."""
        if array.size == 1:
            return array, 1
        step, rest = divmod(array.strides[0], array.itemsize)
        if rest or not 0 < step <= LIMIT:
            return self.xp.ascontiguousarray(array), 1
        return array, step

    def matmul(self, a: Any, b: Any, out: Any = None) -> Any:
        """`numpy.matmul` of two arrays."""
        if out is not None and out.data.mem in (a.data.mem, b.data.mem):
            return NotImplemented  # the result may lie within a factor
        if a.ndim == b.ndim == 1 and out is None:
            return self.dot(a, b)
        if a.ndim > 1 and b.ndim > 2:
            return self.general(batch_plan, "nn", a, b, out=out)
        if a.ndim and b.ndim in (1, 2):
            return self.general(plan, "nt" if b.ndim == 1 else "nn", a, b, out=out)
        return NotImplemented


def _takes(out: Any, shape: tuple[int, ...], dtype: np.dtype) -> bool:
    return out.shape == shape and out.dtype == dtype and out._c_contiguous


def _broadcasts(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    lead = len(wanted) - len(shape)
    return lead >= 0 and all(n in (1, m) for n, m in zip(shape, wanted[lead:], strict=True))


def gemm_of(xp: Library) -> Gemm:
    """The products of a library, made once."""
    found = xp.instances.get(("gemm",))
    if found is None:
        found = xp.instances.setdefault(("gemm",), Gemm(xp))
    return found
