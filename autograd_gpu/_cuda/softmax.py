"""Softmax and log-softmax, forward and backward."""

from math import prod
from typing import Any

from .._core.layout import normal_dim
from .._core.library import Library
from .._core.manifest import FLOATS
from . import groups
from .launch import kernel, key
from .prepared import Kept, prepared

__all__ = ["log_softmax", "log_softmax_backward", "softmax", "softmax_backward"]


_kept = Kept()


def _find(xp: Library, name: str, dtype: Any, shape: tuple[int, ...], dim: Any) -> Any:
    """The launch for contiguous arrays of this kind; None where there is nothing to do, False where
    there is no such kernel. PyTorch's errors for a dimension that is not there."""
    if key(dtype) not in FLOATS:
        return False
    form, grid, block, sizes = groups.tiles(shape, normal_dim(dim, len(shape), name))
    return prepared(xp, name, form, key(dtype), grid, block, *sizes) if prod(shape) else None


def _along(xp: Library, name: str, dim: Any, first: Any, *others: Any) -> Any:
    """One launch for arrays of one shape and dtype; of those that are not contiguous, copies."""
    dtype, shape = first.dtype, first.shape
    mark = xp, name, dtype, shape, dim
    run = _kept.get(mark, ...)
    if run is ...:
        run = _kept.keep(mark, _find(xp, name, dtype, shape, dim))
    for a in others:
        if a.dtype is not dtype and a.dtype != dtype or a.shape != shape:
            run = False
    if run is False:
        return NotImplemented
    out = xp.new_array(shape, dtype)
    if run is not None:
        arrays = [a if a._c_contiguous else xp.ascontiguousarray(a) for a in (first, *others)]
        run(*arrays, out)
    return out


@kernel("softmax")
def softmax(xp: Library, input: Any, dim: Any) -> Any:
    """e^(x - t) / sum e^(x - t)"""
    return _along(xp, "softmax", dim, input)


@kernel("log_softmax")
def log_softmax(xp: Library, input: Any, dim: Any) -> Any:
    """x - t - ln sum e^(x - t)"""
    return _along(xp, "log_softmax", dim, input)


@kernel("softmax_backward")
def softmax_backward(xp: Library, grad: Any, out: Any, dim: Any) -> Any:
    """y (g - sum g y)"""
    return _along(xp, "softmax_backward", dim, grad, out)


@kernel("log_softmax_backward")
def log_softmax_backward(xp: Library, grad: Any, out: Any, dim: Any) -> Any:
    """g - e^y sum g"""
    return _along(xp, "log_softmax_backward", dim, grad, out)
