"""Derivatives by central differences, (f(x + h) - f(x - h)) / 2h: by one number after another, or
along a direction."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .._core.device import cpu, guard, library, move
from .._core.dtype import of
from .._core.tensor import Tensor

__all__ = ["along", "as_tuple", "floating", "host", "jacobian", "of_part"]


def as_tuple(value: Any) -> tuple:
    """Arguments or results as a tuple: a list's items, or the one that there is."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def floating(result: Any) -> list[Tensor]:
    """The Tensors of floating or complex numbers among the results of a function."""
    return [
        o for o in as_tuple(result) if isinstance(o, Tensor) and o._array.dtype.kind not in "biu"
    ]


def host(array: Any) -> np.ndarray:
    """The numbers of an array, in a row of their own in the host's memory; half types as
    float32."""
    flat = np.array(move(array, cpu)).reshape(-1)
    return flat if flat.dtype.char in "fdFD" else flat.astype(np.float32)


def jacobian(func: Callable, args: tuple, index: int, eps: float) -> list[tuple[Any, Any]]:
    """By every number of argument `index`: for each floating output the matrices (numbers of the
    input, of the output) of the slopes along its real part, and along its imaginary part (None for
    real inputs)."""
    array = args[index]._array
    units = (eps, eps * 1j) if array.dtype.kind == "c" else (eps,)
    sizes = [o._array.size for o in floating(func(*args))]
    rows: list[list[list]] = [[[] for _ in sizes] for _ in units]
    for place in np.ndindex(array.shape):
        for k, step in enumerate(units):
            found = _slopes(func, args, array, place, step, eps, f"on index {place} ")
            for matrix, slope in zip(rows[k], found, strict=True):
                matrix.append(slope)
    by_part = [
        [np.array(m) if m else np.zeros((0, n)) for m, n in zip(matrices, sizes, strict=True)]
        for matrices in rows
    ]
    return list(zip(by_part[0], by_part[1] if len(units) > 1 else [None] * len(sizes), strict=True))


def along(
    func: Callable, args: tuple, index: int, eps: float, direction: Any
) -> list[tuple[Any, Any]]:
    """The same along one direction: vectors (numbers of the output,). `direction`: an array of the
    input's shape; for complex inputs a pair, of the real and of the imaginary part."""
    array = args[index]._array
    pair = direction if isinstance(direction, tuple) else (direction,)
    found = []
    for u, unit in zip(pair, (1, 1j), strict=False):
        step = (u * (eps * unit)).astype(array.dtype)
        with guard(array):
            step = library(array).asarray(step)
        found.append(_slopes(func, args, array, ..., step, eps, ""))
    return list(zip(found[0], found[1] if len(found) > 1 else [None] * len(found[0]), strict=True))


def of_part(slopes: tuple[Any, Any], part: str) -> Any:
    """The derivative of one part ("real", "imaginary", or "" of a real output), as PyTorch has it:
    with respect to complex numbers, the slope along the real plus i times that along the imaginary
    part."""
    x, y = (
        s if s is None or not part else s.imag if part == "imaginary" else s.real for s in slopes
    )
    return x if y is None else x + 1j * y


def _slopes(
    func: Callable, args: tuple, array: Any, place: Any, step: Any, eps: float, where: str
) -> list[np.ndarray]:
    """The argument is moved in its own memory, so that functions which know it otherwise than as
    their argument see it move, too."""
    with guard(array):
        kept = array[place] + 0
        try:
            array[place] = kept - step
            before = floating(func(*args))
            low = [host(o._array) for o in before]
            array[place] = kept + step
            after = floating(func(*args))
            high = [host(o._array) for o in after]
        finally:
            array[place] = kept
    for a, b in zip(before, after, strict=True):
        _check_same("shape", a.shape, b.shape, eps, where)
        _check_same("dtype", of(a._array.dtype), of(b._array.dtype), eps, where)
    return [(b - a) / (2 * eps) for a, b in zip(low, high, strict=True)]


def _check_same(what: str, first: Any, second: Any, eps: float, where: str) -> None:
    if first != second:
        raise AssertionError(
            f"Expected `func` to return outputs with the same {what} when inputs are perturbed "
            f"{where}by {eps}, but got: {what}s {first} and {second}."
        )
