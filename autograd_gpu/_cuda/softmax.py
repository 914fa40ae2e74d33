"""Softmax and log-softmax: one block a row, or one thread a column."""

import math
from typing import Any

from .._core.library import Library
from .._core.manifest import FLOATS
from .launch import blocks, kernel, key, launch

__all__ = ["log_softmax_backward", "softmax_backward"]


def _along(xp: Library, name: str, grad: Any, out: Any, dim: int) -> Any:
    dtype = key(grad.dtype)
    if dtype not in FLOATS or grad.dtype != out.dtype:
        return NotImplemented
    g, y = xp.ascontiguousarray(grad), xp.ascontiguousarray(out)
    result = xp.empty(y.shape, y.dtype)
    if not result.size:
        return result
    dim = dim % y.ndim if y.ndim else 0
    size = y.shape[dim] if y.ndim else 1
    inner = math.prod(y.shape[dim + 1 :])
    outer = y.size // (size * inner)
    if inner == 1:
        launch(xp, name, "rows", dtype, blocks(outer, 1), 256, g, y, result, outer, size)
    else:
        grid = blocks(outer * inner, 128)
        launch(xp, name, "columns", dtype, grid, 128, g, y, result, outer, size, inner)
    return result


@kernel("softmax_backward")
def softmax_backward(xp: Library, grad: Any, out: Any, dim: int) -> Any:
    """y (g - sum g y)"""
    return _along(xp, "softmax_backward", grad, out, dim)


@kernel("log_softmax_backward")
def log_softmax_backward(xp: Library, grad: Any, out: Any, dim: int) -> Any:
    """g - e^y sum g"""
    return _along(xp, "log_softmax_backward", grad, out, dim)
