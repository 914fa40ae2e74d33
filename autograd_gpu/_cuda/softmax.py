"""Softmax and log-softmax, forward and backward."""

from functools import lru_cache
from typing import Any

from .._core.layout import normal_dim
from .._core.library import Library
from .._core.manifest import FLOATS
from . import groups
from .launch import kernel, key, launch

__all__ = ["log_softmax", "log_softmax_backward", "softmax", "softmax_backward"]


@lru_cache(4096)
def arranged(shape: tuple[int, ...], dim: Any, name: str) -> groups.Tiles:
    """How a contiguous array is gone over; PyTorch's errors for a dimension that is not there."""
    return groups.tiles(shape, normal_dim(dim, len(shape), name))


def _along(xp: Library, name: str, dim: Any, first: Any, *others: Any) -> Any:
    """One launch for contiguous copies of arrays of one shape and dtype."""
    dtype = first.dtype
    of_type = key(dtype)
    if of_type not in FLOATS or any(a.dtype != dtype or a.shape != first.shape for a in others):
        return NotImplemented
    form, grid, block, sizes = arranged(first.shape, dim, name)
    out = xp.ndarray(first.shape, dtype)
    if out.size:
        arrays = [a if a._c_contiguous else xp.ascontiguousarray(a) for a in (first, *others)]
        launch(xp, name, form, of_type, grid, block, *arrays, out, *sizes)
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
