"""Sliding windows over the last dimensions of raw arrays: cut them out, add them back, and the
sizes this gives.
"""

from itertools import product as offsets
from typing import Any

import numpy as np

__all__ = ["add_windows", "out_sizes", "padded", "per_dimension", "unpadded", "windows"]

Sizes = tuple[int, ...]


def per_dimension(value: Any, n: int, name: str, op: str) -> Sizes:
    """One number for each dimension, from one number or from a sequence. RuntimeError for a wrong
    length.
    """
    if isinstance(value, (int, np.integer)):
        return (int(value),) * n
    numbers = tuple(int(v) for v in value)
    if len(numbers) == 1:
        return numbers * n
    if len(numbers) != n:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {n} values to match the "
            f"{op} dimensions, "
            f"but got {name}={list(numbers)}"
        )
    return numbers


def out_sizes(size: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Sizes:
    """How many windows fit into each (padded) dimension."""
    return tuple(
        (s - d * (k - 1) - 1) // step + 1
        for s, k, step, d in zip(size, kernel, stride, dilation, strict=True)
    )


def padded(xp: Any, array: Any, pads: tuple[tuple[int, int], ...], axis: int, fill: Any = 0) -> Any:
    """The array with `fill` around the dimensions from `axis` on; itself where there is nothing to
    add.
    """
    if not any(a or b for a, b in pads):
        return array
    shape, inner = list(array.shape), [slice(None)] * array.ndim
    for i, (before, after) in enumerate(pads, axis):
        inner[i] = slice(before, before + shape[i])
        shape[i] += before + after
    out = xp.full(shape, fill, array.dtype) if fill else xp.zeros(shape, array.dtype)
    out[tuple(inner)] = array
    return out


def unpadded(array: Any, pads: tuple[tuple[int, int], ...], axis: int) -> Any:
    """The array without its padding: a view."""
    if not any(a or b for a, b in pads):
        return array
    inner = [slice(None)] * array.ndim
    for i, (before, after) in enumerate(pads, axis):
        inner[i] = slice(before, array.shape[i] - after)
    return array[tuple(inner)]


def windows(xp: Any, array: Any, axis: int, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    """A view of shape (leading..., kernel..., windows..., trailing...) of the dimensions from
    `axis` on.
    """
    n = len(kernel)
    size, steps = array.shape[axis : axis + n], array.strides[axis : axis + n]
    fit = out_sizes(size, kernel, stride, dilation)
    shape = (*array.shape[:axis], *kernel, *fit, *array.shape[axis + n :])
    strides = (
        *array.strides[:axis],
        *(s * d for s, d in zip(steps, dilation, strict=True)),
        *(s * t for s, t in zip(steps, stride, strict=True)),
        *array.strides[axis + n :],
    )
    return xp.lib.stride_tricks.as_strided(array, shape, strides)


def add_windows(
    target: Any, parts: Any, axis: int, kernel: Sizes, stride: Sizes, dilation: Sizes
) -> None:
    """Add (leading..., kernel..., windows..., trailing...) to where `windows` cut them out."""
    n = len(kernel)
    fit = parts.shape[axis + n : axis + 2 * n]
    lead = (slice(None),) * axis
    for offset in offsets(*(range(k) for k in kernel)):
        where = tuple(
            slice(o * d, o * d + t * (f - 1) + 1, t) if f else slice(0, 0)
            for o, d, t, f in zip(offset, dilation, stride, fit, strict=True)
        )
        target[lead + where] += parts[lead + offset]
