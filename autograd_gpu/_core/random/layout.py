"""Memory order: the order in which a fill visits the elements of a strided array."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..device import at, device_of, library

if TYPE_CHECKING:
    from numpy.typing import NDArray


def in_memory_order(array: NDArray) -> NDArray:
    """The view of `array` with its dimensions by falling stride, so the smallest is innermost."""
    if array.flags.c_contiguous:
        return array
    order = sorted(range(array.ndim), key=lambda d: -abs(array.strides[d]))
    return array.transpose(order)


def fill(target: NDArray, values: NDArray) -> NDArray:
    """Write the flat `values` into `target` in memory order; gives `target`."""
    view = in_memory_order(target)
    view[...] = values.reshape(view.shape)
    return target


def like(array: Any, shape: Any, dtype: Any) -> Any:
    """A new array with anything in it, on the device of another."""
    with at(device_of(array)):
        return library(array).empty(shape, dtype)


def draw(target: Any, method: Any, *args: Any, **options: Any) -> Any:
    """Write what a generator's method draws into an array of its device, in memory order; gives
    the array. `args` are what the method takes after the number of elements, `options` what only
    the method of an MT19937 stream takes, such as the dtype."""
    if not method.__self__.counted:
        return fill(target, method(target.size, *args, **options))
    view = in_memory_order(target)
    whole = view.flags.c_contiguous
    flat = (view if whole else empty_like(view)).reshape(-1)
    method(target.size, *args, out=flat)
    if not whole:
        view[...] = flat.reshape(view.shape)
    return target


def empty_like(array: NDArray, dtype: np.dtype | None = None) -> NDArray:
    """A new array without gaps whose dimensions lie in memory in the order of `array`'s.

    A dimension of stride 0 (expanded) has no order; it stays beside its logical neighbour.
    """
    dtype = array.dtype if dtype is None else dtype
    if array.flags.c_contiguous:
        return like(array, array.shape, dtype)
    inner_first = list(range(array.ndim))[::-1]
    for i in range(1, array.ndim):
        at = i
        for j in range(i - 1, -1, -1):
            order = _compare(array, inner_first[j], inner_first[at])
            if order < 0:
                break
            if order > 0:
                inner_first[j], inner_first[at] = inner_first[at], inner_first[j]
                at = j
    outer_first = inner_first[::-1]
    packed = like(array, [array.shape[d] for d in outer_first], dtype)
    return packed.transpose([outer_first.index(d) for d in range(array.ndim)])


def _compare(array: NDArray, inner: int, outer: int) -> int:
    """1 if the two dimensions must change places, -1 if not, 0 if they have no order."""
    a, b = abs(array.strides[inner]), abs(array.strides[outer])
    if a == 0 or b == 0:
        return 0
    if a != b:
        return 1 if a > b else -1
    return 1 if array.shape[inner] > array.shape[outer] else 0
