"""Sums and means over dimensions."""

import math
from typing import Any

import numpy as np

from .._core.dtype import of
from .._core.layout import normal_dims
from .declare import Array, composite, op
from .shape import spread

__all__ = ["mean", "sum"]


def count(shape: tuple[int, ...], dim: Any) -> int:
    """How many elements one result is reduced from."""
    return math.prod(shape[d] for d in normal_dims(dim, len(shape)))


def add_reduce(xp: Any, array: Any, dim: Any, keepdim: bool) -> Any:
    """Sum over `dim` (None, an int or a tuple, checked), accurate and fast.

    NumPy adds pairwise only along the contiguous axis; along others its float32 error grows with the length (a million
    rows of 0.1 come out 1 % wrong). Sums over leading rows are matrix products with ones, which BLAS adds in blocks;
    what is left long is added in float64. Half types accumulate in float32.
    """
    kind = array.dtype.kind
    if kind in "biu":
        return xp.add.reduce(array, dim, np.int64, None, keepdim)
    if array.dtype.itemsize == 2:
        return add_reduce(xp, array.astype(np.float32), dim, keepdim).astype(array.dtype)
    if array.ndim == 2 and dim in (0, (0,)) and xp is np and kind == "f" and array.shape[0] > 8:
        rows = len(array)
        if rows <= 4096 or array.dtype.itemsize == 8:
            out = np.ones(rows, array.dtype) @ array
        else:
            out = xp.add.reduce(array, 0, np.float64).astype(array.dtype)
        return out[None] if keepdim else out
    if array.dtype.char in "fF" and array.ndim > 1 and dim is not None and xp is np:
        dims = (dim,) if dim.__class__ is int else dim
        if array.ndim - 1 not in dims and -1 not in dims and math.prod(array.shape[d] for d in dims) > 256:
            wide = np.float64 if array.dtype.char == "f" else np.complex128
            return xp.add.reduce(array, dim, wide, None, keepdim).astype(array.dtype)
    return xp.add.reduce(array, dim, None, None, keepdim)


@op(where=(), node="SumBackward0")
def _sum_all(xp, input: Array):
    """See `sum`."""
    return add_reduce(xp, input, None, False)


_sum_all.derivative(input=lambda grad, input_shape: spread(grad, input_shape, None, False))


@op(where=(), node="SumBackward1")
def _sum(xp, input: Array, dim, keepdim=False):
    """See `sum`."""
    return add_reduce(xp, input, normal_dims(dim, input.ndim, "sum"), keepdim)


_sum.derivative(input=lambda grad, input_shape, dim, keepdim: spread(grad, input_shape, dim, keepdim))


@composite(where=("", "Tensor"))
def sum(input, dim=None, keepdim=False, *, dtype=None, out=None):
    """Sum over all elements, or over `dim` (an int or a tuple of ints).

    y = sum x            dL/dx = g, for every element that was summed

    Integers and bools are summed as int64; half types accumulate in float32. `dtype`: the input is cast first.
    """
    if dtype is not None:
        input = input.to(dtype)
    if dim is None and not keepdim:
        return _sum_all(input, out=out)
    return _sum(input, dim, keepdim, out=out)


@op(where=(), node="MeanBackward0")
def _mean_all(xp, input: Array):
    """See `mean`."""
    return _divided(xp, input, None, False)


_mean_all.derivative(
    input=lambda grad, input_shape: spread(grad / (math.prod(input_shape) or math.nan), input_shape, None, False)
)


@op(where=(), node="MeanBackward1")
def _mean(xp, input: Array, dim, keepdim=False):
    """See `mean`."""
    return _divided(xp, input, normal_dims(dim, input.ndim, "mean"), keepdim)


def _divided(xp, array, dim, keepdim):
    if array.dtype.kind in "biu":
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
            f"Got: {of(array.dtype).legacy}"
        )
    n = count(array.shape, dim)
    if array.dtype.itemsize == 2:
        return (add_reduce(xp, array.astype(np.float32), dim, keepdim) / np.float32(n)).astype(array.dtype)
    return add_reduce(xp, array, dim, keepdim) / array.dtype.type(n)


_mean.derivative(
    input=lambda grad, input_shape, dim, keepdim: spread(
        grad / (count(input_shape, dim) or math.nan), input_shape, dim, keepdim
    )
)


@composite(where=("", "Tensor"))
def mean(input, dim=None, keepdim=False, *, dtype=None, out=None):
    """Mean over all elements, or over `dim` (an int or a tuple of ints).

    y = sum x / n            dL/dx = g / n

    RuntimeError for integers and bools unless `dtype` says what to compute in. NaN over no elements.
    """
    if dtype is not None:
        input = input.to(dtype)
    if dim is None and not keepdim:
        return _mean_all(input, out=out)
    return _mean(input, dim, keepdim, out=out)


sum.samples(
    lambda t: [(t(2, 3),), (t(2, 3, 4), 1), (t(2, 3, 4), (0, -1), True), (t(),), (t(0, 3), 0), (t(5), 0, True)]
)
mean.samples(
    lambda t: [(t(2, 3),), (t(2, 3, 4), 1), (t(2, 3, 4), (0, -1), True), (t(),), (t(5), 0, True)]
)
