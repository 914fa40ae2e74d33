"""Random fills and dropout: one thread for the four words of a counter, whatever the grid."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .._core.library import Library
from .._core.manifest import FLOATS
from .._core.random import empty_like
from .._core.random.choices import keep_factor
from .._core.random.counted import WORD, lanes
from .launch import blocks, kernel, key, launch

__all__ = ["dropout", "dropout_backward", "random_bernoulli", "random_integers"]

BLOCK = 256
_BOOL = np.dtype(np.bool_)


def _fill(
    xp: Library, name: str, form: str, count: int, out: Any, seed: int, counter: int,
    *parameters: Any,
) -> Any:  # fmt: skip
    """Fill a contiguous array. `count`: elements of one counter."""
    n = out.size
    if n:
        grid = blocks(-(-n // count), BLOCK)
        launch(xp, name, form, key(out.dtype), grid, BLOCK, out, n, seed, counter, *parameters)
    return out


def _real(name: str) -> Callable[..., Any]:
    """What launches a distribution of real numbers."""

    def run(xp: Library, out: Any, seed: int, counter: int, a: float, b: float) -> Any:
        if key(out.dtype) not in FLOATS:
            return NotImplemented
        return _fill(xp, name, "", lanes(out.dtype), out, seed, counter, a, b)

    return kernel(name)(run)


for _name in ("uniform", "normal", "log_normal", "exponential", "cauchy"):
    _real("random_" + _name)


@kernel("random_integers")
def random_integers(xp: Library, out: Any, seed: int, counter: int, a: int, m: int) -> Any:
    """a + w mod m"""
    if out.dtype != np.int64:
        return NotImplemented
    form, count = ("word", 4) if 0 < m <= WORD else ("two words", 2)
    a = (a + 2**63) % 2**64 - 2**63
    return _fill(xp, "random_integers", form, count, out, seed, counter, a, m)


@kernel("random_bernoulli")
def random_bernoulli(xp: Library, out: Any, seed: int, counter: int, m: int) -> Any:
    """w < m"""
    if out.dtype != np.bool_:
        return NotImplemented
    return _fill(xp, "random_bernoulli", "", 4, out, seed, counter, m)


@kernel("dropout")
def dropout(xp: Library, input: Any, p: float, seed: int, counter: int) -> Any:
    """x s where w < m, else x 0; and the mask, both in the input's order in memory."""
    dtype = input.dtype
    name, n = key(dtype), input.size
    if name not in FLOATS:
        return NotImplemented
    if input._c_contiguous and not xp.several_devices:
        out, mask = xp.ndarray(input.shape, dtype), xp.ndarray(input.shape, _BOOL)
        arrays = input, out, mask
    else:
        out, mask = empty_like(input), empty_like(input, _BOOL)
        order = _order(out)
        arrays = _ordered(input, order, out), out.transpose(order), mask.transpose(order)
    if n:
        limit, factor = round((1 - p) * 2**32), float(keep_factor(p, dtype))
        launch(
            xp, "dropout", "", name, blocks(-(-n // 4), BLOCK), BLOCK, *arrays, n, seed, counter,
            limit, factor,
        )  # fmt: skip
    return out, mask


@kernel("dropout_backward")
def dropout_backward(xp: Library, grad: Any, mask: Any, p: float) -> Any:
    """g s where the mask is true, else g 0"""
    dtype = grad.dtype
    name, n = key(dtype), mask.size
    if name not in FLOATS or grad.shape != mask.shape:
        return NotImplemented
    if grad._c_contiguous and mask._c_contiguous and not xp.several_devices:
        out = xp.ndarray(grad.shape, dtype)
        arrays = grad, mask, out
    else:
        out = empty_like(mask, dtype)
        order = _order(out)
        arrays = _ordered(grad, order, out), mask.transpose(order), out.transpose(order)
    if n:
        grid, factor = blocks(-(-n // 4), BLOCK), float(keep_factor(p, dtype))
        launch(xp, "dropout_backward", "", name, grid, BLOCK, *arrays, n, factor)
    return out


def _order(array: Any) -> list[int]:
    """The dimensions of an array without gaps, by falling stride."""
    return sorted(range(array.ndim), key=lambda d: -array.strides[d])


def _ordered(array: Any, order: list[int], spare: Any) -> Any:
    """An array as it lies in memory, where its dimensions lie there in this order and without gaps;
    else `spare` with its elements, which does (and which the kernel may overwrite)."""
    view = array.transpose(order)
    if view.flags.c_contiguous:
        return view
    spare[...] = array
    return spare.transpose(order)
