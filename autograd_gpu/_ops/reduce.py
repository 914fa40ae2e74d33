"""Sums and means over dimensions, with or without the NaNs."""

import math
from typing import Any

import numpy as np

from .._core.device import library
from .._core.dtype import of
from .._core.layout import normal_dims
from .declare import Array, composite, op
from .helpers import like, raw, where_it_is
from .select import masked_fill
from .shape import spread
from .summing import add_reduce, wide

__all__ = ["mean", "nanmean", "nansum", "sum"]


def count(shape: tuple[int, ...], dim: Any) -> int:
    """How many elements one result is reduced from."""
    if dim is None:
        return math.prod(shape)
    return math.prod([shape[d] for d in normal_dims(dim, len(shape))])


@op(where=(), node="SumBackward0", kernel="sum")
def _sum_all(xp, input: Array):
    """See `sum`."""
    return add_reduce(xp, input, None, False)


_sum_all.derivative(input=lambda grad, input_shape: spread(grad, input_shape, None, False))


@op(where=(), node="SumBackward1", kernel="sum")
def _sum(xp, input: Array, dim, keepdim=False):
    """See `sum`."""
    return add_reduce(xp, input, normal_dims(dim, input.ndim, "sum"), keepdim)


_sum.derivative(
    input=lambda grad, input_shape, dim, keepdim: spread(grad, input_shape, dim, keepdim)
)


@composite(where=("", "Tensor"))
def sum(input, dim=None, keepdim=False, *, dtype=None, out=None):
    """Sum over all elements, or over `dim` (an int or a tuple of ints).

    y = sum x            dL/dx = g, for every element that was summed

    Integers and bools are summed as int64; half types accumulate in float32. `dtype`: the input is
    cast first. IndexError for a dimension that is not there, RuntimeError for one named twice.
    """
    if dtype is not None:
        input = input.to(dtype)
    if dim is None and not keepdim:
        return _sum_all(input, out=out)
    return _sum(input, dim, keepdim, out=out)


@op(where=(), node="MeanBackward0", kernel="mean")
def _mean_all(xp, input: Array):
    """See `mean`."""
    return _divided(xp, input, None, False)


_mean_all.derivative(
    input=lambda grad, input_shape: spread(
        grad / (math.prod(input_shape) or math.nan), input_shape, None, False
    )
)


@op(where=(), node="MeanBackward1", kernel="mean")
def _mean(xp, input: Array, dim, keepdim=False):
    """See `mean`."""
    return _divided(xp, input, normal_dims(dim, input.ndim, "mean"), keepdim)


def _divided(xp, array, dim, keepdim):
    dtype = array.dtype
    if dtype.kind in "biu":
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or "
            f"complex dtype. Got: {of(dtype).legacy}"
        )
    n = array.size if dim is None else math.prod([array.shape[d] for d in dim])
    if dtype.itemsize == 2:
        return (add_reduce(xp, wide(array), dim, keepdim) / np.float32(n)).astype(dtype)
    return add_reduce(xp, array, dim, keepdim) / dtype.type(n)


_mean.derivative(
    input=lambda grad, input_shape, dim, keepdim: spread(
        grad / (count(input_shape, dim) or math.nan), input_shape, dim, keepdim
    )
)


@composite(where=("", "Tensor"))
def mean(input, dim=None, keepdim=False, *, dtype=None, out=None):
    """Mean over all elements, or over `dim` (an int or a tuple of ints).

    y = sum x / n            dL/dx = g / n

    RuntimeError for integers and bools unless `dtype` says what to compute in. NaN over no
    elements.
    """
    if dtype is not None:
        input = _as_floating(input, dtype)
    if dim is None and not keepdim:
        return _mean_all(input, out=out)
    return _mean(input, dim, keepdim, out=out)


def _as_floating(input: Any, dtype: Any) -> Any:
    out = input.to(dtype)
    if raw(out).dtype.kind in "biu":
        raise RuntimeError(
            "mean(): could not infer output dtype. Optional dtype must be either a floating point "
            f"or complex dtype. Got: {of(raw(out).dtype).legacy}"
        )
    return out


@op(where=(), node="NansumBackward0")
def _nansum(xp, input: Array, dim, keepdim=False):
    """See `nansum`."""
    kind = input.dtype.kind
    if kind == "c":
        raise RuntimeError("nansum on CPU does not support complex inputs")
    if kind not in "biu":
        input = xp.where(xp.isnan(input), input.dtype.type(0), input)
    return add_reduce(
        xp, input, None if dim is None else normal_dims(dim, input.ndim, "nansum"), keepdim
    )


_nansum.derivative(
    input=lambda grad, input, input_shape, dim, keepdim: masked_fill(
        spread(grad, input_shape, dim, keepdim), like(raw(input) != raw(input), grad), 0
    )
)


@composite(where=("", "Tensor"))
def nansum(input, dim=None, keepdim=False, *, dtype=None, out=None):
    """Sum over all elements, or over `dim`, with NaN counted as 0.

    y = sum of x that is not NaN            dL/dx = g, and 0 where x is NaN

    Integers and bools are summed as int64. RuntimeError for complex numbers.
    """
    if dtype is not None:
        input = input.to(dtype)
    return _nansum(input, dim, keepdim, out=out)


@composite(where=("", "Tensor"))
@where_it_is
def nanmean(input, dim=None, keepdim=False, *, dtype=None, out=None):
    """Mean over all elements, or over `dim`, of those that are not NaN; NaN where there is none.

    y = nansum(x) / n            dL/dx = g / n, and 0 where x is NaN
    n: how many are not NaN

    RuntimeError for integers and bools.
    """
    array = raw(input)
    if array.dtype.kind in "biu":
        raise RuntimeError(
            "nanmean(): expected input to have floating point or complex dtype but got "
            f"{of(array.dtype).legacy}"
        )
    dims = None if dim is None else normal_dims(dim, array.ndim, "nanmean")
    n = add_reduce(library(array), array == array, dims, keepdim).astype(
        (array if dtype is None else raw(input.to(dtype))).dtype
    )
    mean = nansum(input, dim, keepdim, dtype=dtype) / like(n, input)
    return mean if out is None else _copied(out, mean)


def _copied(out: Any, value: Any) -> Any:
    """`out=` of a composite: what was computed is written into the given tensor."""
    from .arithmetic import add

    return add(value, 0, out=out)


def _over_dims(t: Any) -> list:
    return [(t(3),), (t(2, 3, 4), 1), (t(2, 3, 4), (0, -1), True), (t.strided(3, 4), 0), (t(),)]


for _f in (sum, mean, nansum, nanmean):
    _f.samples(_over_dims)
_sum_all.samples(lambda t: [(t(2, 3),), (t(),), (t(0),), (t.strided(3, 4),)])
_sum.samples(
    lambda t: [
        (t(2, 3, 4), 1),
        (t(2, 3, 4), (0, 2), True),
        (t(), 0),
        (t(0, 3), 0),
        (t.strided(3, 4), 0),
    ]
)
_mean_all.samples(lambda t: [(t(2, 3),), (t(),), (t.strided(3, 4),)])
_mean.samples(
    lambda t: [(t(2, 3, 4), 1), (t(2, 3, 4), (0, 2), True), (t(), 0), (t.strided(3, 4), 0)]
)
_nansum.samples(
    lambda t: [(t(2, 3, 4), 1), (t(2, 3, 4), (0, 2), True), (t(), None), (t.strided(3, 4), 0)]
)
