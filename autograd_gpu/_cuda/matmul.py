"""Which product each op asks cuBLAS for; what it declines, the plain body does, which also has the
errors for shapes and dtypes that do not fit."""

from collections.abc import Callable
from functools import partial
from typing import Any

from .._core.differences import replaces
from .._core.library import Library, launcher
from .gemm import Gemm, gemm_of
from .products import batch_plan, plan

__all__ = [
    "addmm",
    "addmv",
    "adjoint_times",
    "baddbmm",
    "batched_matmul",
    "batched_mv",
    "bmm",
    "dot",
    "folded_matmul",
    "linear",
    "linear_bias",
    "matrix_vector",
    "mm",
    "times_adjoint",
    "transposed_rows",
    "vdot",
    "vector_matrix",
]  # fmt: skip


def by_gemm(name: str) -> Callable[[Any], Any]:
    """Declare a launching function that is given a library's `Gemm`, found once."""

    def wrap(function: Any) -> Any:
        def launch(xp: Library, *args: Any, **kwargs: Any) -> Any:
            return function(gemm_of(xp), *args, **kwargs)

        launch.bind = lambda xp: partial(function, gemm_of(xp))  # type: ignore[attr-defined]
        launcher(name)(launch)
        return launch

    return wrap


@by_gemm("mm")
def mm(gemm: Gemm, input: Any, mat2: Any) -> Any:
    """A B"""
    if input.ndim != 2 or mat2.ndim != 2:
        return NotImplemented
    return gemm.product("nn", input, mat2)


@by_gemm("folded_matmul")
def folded_matmul(gemm: Gemm, input: Any, mat2: Any) -> Any:
    """A_i B"""
    return gemm.product("nn", input, mat2) if mat2.ndim == 2 else NotImplemented


@by_gemm("mv")
def matrix_vector(gemm: Gemm, input: Any, vec: Any) -> Any:
    """A x"""
    if input.ndim != 2 or vec.ndim != 1:
        return NotImplemented
    return gemm.product("nt", input, vec)


@by_gemm("batched_mv")
def batched_mv(gemm: Gemm, input: Any, vec: Any) -> Any:
    """A_i x"""
    return gemm.product("nt", input, vec) if vec.ndim == 1 else NotImplemented


@by_gemm("vm")
def vector_matrix(gemm: Gemm, input: Any, other: Any) -> Any:
    """x A"""
    if input.ndim != 1 or other.ndim != 2:
        return NotImplemented
    return gemm.product("nn", input, other)


@by_gemm("dot")
def dot(gemm: Gemm, input: Any, tensor: Any) -> Any:
    """sum x_i y_i"""
    return gemm.dot(input, tensor)


@by_gemm("vdot")
def vdot(gemm: Gemm, input: Any, other: Any) -> Any:
    """sum x_i* y_i"""
    return gemm.dot(input, other, conj=True)


@by_gemm("bmm")
def bmm(gemm: Gemm, input: Any, mat2: Any) -> Any:
    """A_i B_i"""
    if input.ndim != 3 or mat2.ndim != 3 or input.shape[0] != mat2.shape[0]:
        return NotImplemented
    return gemm.batch("nn", input, mat2)


@by_gemm("batched_matmul")
def batched_matmul(gemm: Gemm, input: Any, other: Any) -> Any:
    """A_i B_i, where i broadcasts"""
    return gemm.batch("nn", input, other)


@by_gemm("times_adjoint")
def times_adjoint(gemm: Gemm, a: Any, b: Any) -> Any:
    """A B^H"""
    return gemm.product("nh", a, b) if b.ndim == 2 else gemm.batch("nh", a, b)


@by_gemm("adjoint_times")
def adjoint_times(gemm: Gemm, a: Any, b: Any) -> Any:
    """A^H B"""
    return gemm.product("hn", a, b) if a.ndim == b.ndim == 2 else gemm.batch("hn", a, b)


@by_gemm("transposed_rows")
def transposed_rows(gemm: Gemm, a: Any, b: Any) -> Any:
    """A^H B, of all rows of arrays of any dimensions"""
    return gemm.product("hn", a, b)


# ---- with something added


@by_gemm("addmm")
def addmm(gemm: Gemm, input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta C + alpha A B"""
    if mat1.ndim != 2 or mat2.ndim != 2:
        return NotImplemented
    return gemm.general(plan, "nn", mat1, mat2, input, beta, alpha)


@by_gemm("addmv")
def addmv(gemm: Gemm, input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta c + alpha A x"""
    if mat.ndim != 2 or vec.ndim != 1:
        return NotImplemented
    return gemm.general(plan, "nt", mat, vec, input, beta, alpha)


@by_gemm("baddbmm")
def baddbmm(
    gemm: Gemm, input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1
) -> Any:
    """beta C_i + alpha A_i B_i"""
    if batch1.ndim != 3 or batch2.ndim != 3 or batch1.shape[0] != batch2.shape[0]:
        return NotImplemented
    return gemm.general(batch_plan, "nn", batch1, batch2, input, beta, alpha)


@by_gemm("linear")
def linear(gemm: Gemm, input: Any, weight: Any) -> Any:
    """x W^T"""
    if weight.ndim != 2 or weight.dtype.kind == "c":
        return NotImplemented
    return gemm.product("nt", input, weight)


@by_gemm("linear_bias")
def linear_bias(gemm: Gemm, bias: Any, input: Any, weight: Any) -> Any:
    """x W^T + b"""
    if weight.ndim != 2 or weight.dtype.kind == "c" or bias.shape != weight.shape[:1]:
        return NotImplemented
    return gemm.general(plan, "nt", input, weight, bias, 1)


# ---- for the bodies of other ops


def _else(xp: Library, name: str, found: Any, a: Any, b: Any, out: Any) -> Any:
    """What cuBLAS declined: by CuPy, or by way of a new array where only `out` was in the way."""
    if found is not NotImplemented:
        return found
    if out is None:
        return getattr(xp.module, name)(a, b)
    out[...] = getattr(xp, name)(a, b)
    return out


@replaces("matmul")
def matmul(xp: Library, a: Any, b: Any, out: Any = None) -> Any:
    """`numpy.matmul`: by cuBLAS where it can, else by CuPy."""
    return _else(xp, "matmul", gemm_of(xp).matmul(a, b, out), a, b, out)


@replaces("dot")
def of_at_most_two_dimensions(xp: Library, a: Any, b: Any, out: Any = None) -> Any:
    """`numpy.dot`, likewise."""
    flat = 0 < a.ndim < 3 and 0 < b.ndim < 3
    found = gemm_of(xp).matmul(a, b, out) if flat else NotImplemented
    return _else(xp, "dot", found, a, b, out)
