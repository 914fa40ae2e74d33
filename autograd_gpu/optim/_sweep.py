"""Runs an elementwise update: on the CPU in cache-sized pieces, without temporaries."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from .._core.device import library

__all__ = ["PIECE", "Scratch", "scalars", "sweep"]

PIECE = 32768
"""Elements a piece: all operands of a float32 update with two states stay in a 1 MB cache."""

Kernel = Callable[..., None]
"""`kernel(xp, p, g, states, t, u, c)`: writes `p` and `states`, may overwrite the scratch `t`,
`u`, never `g`; `xp` is their library, `c` holds what `scalars` made."""


class Scratch:
    """Two buffers for each dtype, and their views in the shapes that were asked for."""

    def __init__(self) -> None:
        self._views: dict[Any, tuple[Any, Any]] = {}

    def pair(self, like: Any) -> tuple[Any, Any]:
        """Two arrays of the shape and dtype of `like`, with whatever they held before."""
        key = like.shape, like.dtype.char
        found = self._views.get(key)
        return self._fill(key, like) if found is None else found

    def _fill(self, key: Any, like: Any) -> tuple[Any, Any]:
        if like.size > PIECE:  # one row longer than a piece: rare, and not worth keeping
            return np.empty_like(like), np.empty_like(like)
        base = key[1], type(like)
        if base not in self._views:
            shape = (PIECE,)
            self._views[base] = np.empty_like(like, shape=shape), np.empty_like(like, shape=shape)
        t, u = self._views[base]
        pair = t[: like.size].reshape(like.shape), u[: like.size].reshape(like.shape)
        self._views[key] = pair
        return pair


def scalars(array: Any, *values: Any) -> tuple[Any, ...]:
    """The numbers as 0-d arrays of the dtype in which `array` is updated (None and flags as is).

    NumPy takes a 0-d array three times faster than a Python float. Half precision is updated in
    float32, complex numbers in their parts' dtype.
    """
    if type(array) is not ndarray:  # other libraries have no mixed operations with NumPy
        return values
    kind = "d" if array.dtype.char in "dD" else "f"
    return tuple(v if v is None or isinstance(v, bool) else np.array(v, kind) for v in values)


def sweep(kernel: Kernel, arrays: Sequence[Any], constants: Any, scratch: Scratch) -> None:
    """Apply `kernel` to parameter, gradient and states (`arrays`, in this order, of one shape)."""
    p = arrays[0]
    if p.dtype.char not in "fd":
        _convert(kernel, arrays, constants, scratch)
    elif p.__class__ is not ndarray:
        xp = library(p)
        kernel(xp, p, arrays[1], arrays[2:], xp.empty_like(p), xp.empty_like(p), constants)
    elif p.size <= PIECE:
        kernel(np, p, arrays[1], arrays[2:], *scratch.pair(p), constants)
    else:
        for piece in _pieces(arrays):
            kernel(np, piece[0], piece[1], piece[2:], *scratch.pair(piece[0]), constants)


def _pieces(arrays: Sequence[Any]) -> Iterator[list[Any]]:
    """Views of at most PIECE elements; of whole rows where an array is not contiguous."""
    first = arrays[0]
    if all(a.flags.c_contiguous for a in arrays):
        arrays, step = [a.reshape(-1) for a in arrays], PIECE
    elif all(a.flags.f_contiguous for a in arrays):
        arrays, step = [a.T.reshape(-1) for a in arrays], PIECE
    else:
        step = max(1, PIECE // max(1, first.size // first.shape[0]))
    for start in range(0, arrays[0].shape[0], step):
        yield [a[start : start + step] for a in arrays]


def _convert(kernel: Kernel, arrays: Sequence[Any], constants: Any, scratch: Scratch) -> None:
    """Complex numbers as two real updates; half precision in float32, rounded once at the end."""
    if arrays[0].dtype.kind == "c":
        sweep(kernel, [a.real for a in arrays], constants, scratch)
        sweep(kernel, [a.imag for a in arrays], constants, scratch)
        return
    whole = arrays[0].size <= PIECE or arrays[0].__class__ is not ndarray
    for piece in [arrays] if whole else _pieces(arrays):
        wide = [a.astype(np.float32) for a in piece]
        sweep(kernel, wide, constants, scratch)
        for home, value in zip(piece, wide, strict=True):
            if home is not piece[1]:
                home[...] = value
