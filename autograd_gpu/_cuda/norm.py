"""Layer norm, RMS norm and group norm: a warp or a block a row; sums over rows in two steps."""

import math
from typing import Any

import numpy as np

from .._core.library import Library
from .._core.manifest import KERNELS
from .launch import blocks, kernel, key, launch

__all__ = [
    "group_norm", "group_norm_backward", "instance", "layer_norm", "layer_norm_backward",
    "rms_norm", "rms_norm_backward", "split", "team", "wide",
]  # fmt: skip

_INT = 1 << 31
_BUSY = 1024  # blocks that keep a large GPU busy


def wide(dtype: np.dtype) -> np.dtype:
    """The type in which elements of a type are computed, and their statistics kept."""
    return np.dtype(np.float32) if dtype.itemsize == 2 else dtype


def instance(name: str, x: Any, *parameters: Any) -> str | None:
    """The type of the kernel's instance for an input and its parameters; None if there is none."""
    dtype = key(x.dtype)
    others = {key(p.dtype) for p in parameters if p is not None} or {dtype}
    found = dtype if others == {dtype} else ":".join([dtype, *sorted(others)])
    return found if x.size and found in KERNELS[name].dtypes else None


def team(rows: int, n: int) -> tuple[int, tuple[int, int]]:
    """(grid, block): eight warps a block, one for each row; or up to 16 warps for a row, so that
    each thread has 16 elements where the row is not longer than 8192."""
    if n <= 512:
        return blocks(rows, 8), (32, 8)
    return blocks(rows, 1), (min(512, 32 * -(-n // 512)), 1)


def split(rows: int, n: int) -> tuple[int, int]:
    """The grid of blocks (32, 8) that add up n columns: how many beside each other, and how many
    share the rows of a column."""
    beside = blocks(n, 32)
    return beside, min(blocks(rows, 32), max(1, _BUSY // beside))


def _flat(xp: Library, array: Any) -> Any:
    return None if array is None else xp.ascontiguousarray(array)


def _forward(xp: Library, name: str, dtype: str, input: Any, weight: Any, bias: Any, sizes: tuple,
             eps: float, mean: Any, rstd: Any) -> Any:  # fmt: skip
    """The rows' results; `sizes`: rows, n, and for groups their number, channels and length."""
    x, w, b = _flat(xp, input), _flat(xp, weight), _flat(xp, bias)
    out = xp.empty(x.shape, x.dtype)
    launch(xp, name, "rows", dtype, *team(*sizes[:2]), x, w, b, out, mean, rstd, *sizes, eps)
    return out


def _gradient(xp: Library, name: str, dtype: str, g: Any, x: Any, weight: Any, mean: Any,
              rstd: Any, sizes: tuple) -> Any:  # fmt: skip
    out = xp.empty(x.shape, x.dtype)
    w = _flat(xp, weight)
    launch(xp, name, "rows", dtype, *team(*sizes[:2]), g, x, w, mean, rstd, out, *sizes)
    return out


def _sums(xp: Library, name: str, dtype: str, g: Any, x: Any, mean: Any, rstd: Any, sizes: tuple,
          wanted: tuple) -> list:  # fmt: skip
    """sum g h and sum g over the rows, where they are wanted."""
    rows, n = sizes[:2]
    kind = wide(x.dtype)
    beside, parts = split(rows, n)
    made = [xp.empty((parts, n) if parts > 1 else n, kind) if want else None for want in wanted]
    arrays = g, x, mean, rstd, *made, rows, n
    launch(xp, name, "columns", dtype, (beside, parts), (32, 8), *arrays)
    return made if parts == 1 else _finish(xp, name, dtype, made, parts, n)


def _finish(xp: Library, name: str, dtype: str, parts: list, rows: int, n: int) -> list:
    """The sums over the columns of matrices (rows, n), of which some may be missing."""
    made = [None if p is None else xp.empty(n, p.dtype) for p in parts]
    launch(xp, name, "finish", dtype, blocks(n, 32), (32, 8), *parts, *made, rows, n)
    return made


# ---- layer norm


@kernel("layer_norm")
def layer_norm(xp: Library, input: Any, weight: Any, bias: Any, shape: tuple, eps: float) -> Any:
    """The result, and the mean and 1 / (standard deviation) of each row."""
    name = "layer_norm"
    dtype = instance(name, input, weight, bias)
    if dtype is None:
        return NotImplemented
    n = math.prod(shape)
    rows = input.size // n
    mean, rstd = (xp.empty((rows, 1), wide(input.dtype)) for _ in range(2))
    sizes = rows, n, 1, 1, 1
    out = _forward(xp, name, dtype, input, weight, bias, sizes, eps, mean, rstd)
    return out, mean, rstd


@kernel("layer_norm_backward")
def layer_norm_backward(xp: Library, grad: Any, input: Any, weight: Any, mean: Any, rstd: Any,
                        shape: tuple, wanted: tuple) -> Any:  # fmt: skip
    """The gradients of input, weight and bias, None where one is not wanted."""
    name = "layer_norm_backward"
    dtype = instance(name, input, weight)
    if dtype is None or grad.dtype != input.dtype:
        return NotImplemented
    n = math.prod(shape)
    sizes = input.size // n, n, 1, 1, 1
    g, x, dx, dw, db = _flat(xp, grad), _flat(xp, input), None, None, None
    if wanted[0]:
        dx = _gradient(xp, name, dtype, g, x, weight, mean, rstd, sizes)
    if wanted[1] or wanted[2]:
        dw, db = _sums(xp, name, dtype, g, x, mean, rstd, sizes, wanted[1:])
    return dx, *(None if p is None else p.reshape(shape) for p in (dw, db))


# ---- RMS norm


@kernel("rms_norm")
def rms_norm(xp: Library, input: Any, weight: Any, count: int, eps: float) -> Any:
    """The result, and 1 / (root of the mean of squares) of each row."""
    name = "rms_norm"
    dtype = instance(name, input, weight)
    if dtype is None:
        return NotImplemented
    lead = input.ndim - count
    n = math.prod(input.shape[lead:])
    rows = input.size // n
    rstd = xp.empty(input.shape[:lead] + (1,) * count, input.dtype)
    sizes = rows, n, 1, 1, 1
    out = _forward(xp, name, dtype, input, weight, None, sizes, eps, None, rstd)
    return out, rstd


@kernel("rms_norm_backward")
def rms_norm_backward(xp: Library, grad: Any, input: Any, weight: Any, rstd: Any, count: int,
                      wanted: tuple) -> Any:  # fmt: skip
    """The gradients of input and weight, None where one is not wanted."""
    name = "rms_norm_backward"
    dtype = instance(name, input, weight)
    if dtype is None or grad.dtype != input.dtype:
        return NotImplemented
    shape = input.shape[input.ndim - count :]
    n = math.prod(shape)
    sizes = input.size // n, n, 1, 1, 1
    g, x, dx, dw = _flat(xp, grad), _flat(xp, input), None, None
    if wanted[0]:
        dx = _gradient(xp, name, dtype, g, x, weight, None, rstd, sizes)
    if wanted[1]:
        dw = _sums(xp, name, dtype, g, x, None, rstd, sizes, (True, False))[0].reshape(shape)
    return dx, dw


# ---- group norm


def _groups(input: Any, groups: int) -> tuple | None:
    """(rows, n, groups, channels of a group, elements of a channel); None if they are too many."""
    n, channels = input.shape[:2]
    each = input.size // (n * groups)
    sizes = n * groups, each, groups, channels // groups, input.size // (n * channels)
    return sizes if each < _INT else None


@kernel("group_norm")
def group_norm(xp: Library, input: Any, weight: Any, bias: Any, groups: int, eps: float) -> Any:
    """The result, and the mean and 1 / (standard deviation) of each group of each sample."""
    name = "group_norm"
    dtype = instance(name, input, weight, bias)
    sizes = None if dtype is None else _groups(input, groups)
    if dtype is None or sizes is None:
        return NotImplemented
    mean, rstd = (xp.empty((sizes[0], 1), wide(input.dtype)) for _ in range(2))
    out = _forward(xp, name, dtype, input, weight, bias, sizes, eps, mean, rstd)
    return out, mean, rstd


@kernel("group_norm_backward")
def group_norm_backward(xp: Library, grad: Any, input: Any, weight: Any, mean: Any, rstd: Any,
                        groups: int, wanted: tuple) -> Any:  # fmt: skip
    """The gradients of input, weight and bias, None where one is not wanted."""
    name = "group_norm_backward"
    dtype = instance(name, input, weight)
    sizes = None if dtype is None else _groups(input, groups)
    if dtype is None or sizes is None or grad.dtype != input.dtype:
        return NotImplemented
    g, x, dx, dw, db = _flat(xp, grad), _flat(xp, input), None, None, None
    if wanted[0]:
        dx = _gradient(xp, name, dtype, g, x, weight, mean, rstd, sizes)
    if wanted[1] or wanted[2]:
        samples, channels = x.shape[:2]
        rows, length = samples * channels, sizes[4]
        made = [xp.empty(rows, wide(x.dtype)) if want else None for want in wanted[1:]]
        arrays = g, x, mean, rstd, *made, rows, sizes[3], length
        launch(xp, name, "channels", dtype, *team(rows, length), *arrays)
        dw, db = _finish(xp, name, dtype, made, samples, channels)
    return dx, dw, db
