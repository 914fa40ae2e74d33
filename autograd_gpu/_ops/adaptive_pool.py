"""Pooling to a given size: windows are as equal as the sizes allow."""

from functools import lru_cache
from typing import Any

import numpy as np

from .declare import Array, composite, op
from .max_pool import add_at_places
from .pool import refuse_kinds
from .reduce import _mean

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
]


def _bounds(n: int, out: int) -> list[tuple[int, int]]:
    """Where each window begins and ends: they cover everything and may overlap by one."""
    return [(i * n // out, -(-(i + 1) * n // out)) for i in range(out)]


@lru_cache(64)
def _weights(n: int, out: int) -> Any:
    """(out, n): each row takes the mean of a window."""
    matrix = np.zeros((out, n))
    for i, (a, b) in enumerate(_bounds(n, out)):
        matrix[i, a:b] = 1 / (b - a)
    return matrix


def _both_ways(xp: Any, array: Any, rows: Any, columns: Any) -> Any:
    """rows @ array @ columns^T, in float32 at least."""
    wide = array.astype(np.float32) if array.dtype.itemsize == 2 else array
    rows, columns = xp.asarray(rows.astype(wide.dtype)), xp.asarray(columns.astype(wide.dtype))
    return xp.matmul(xp.matmul(rows, wide), columns.T).astype(array.dtype, copy=False)


@op(where=(), kernel="adaptive_avg_pool", node="AdaptiveAvgPool2DBackward0")
def _adaptive_avg(xp, input: Array, size):
    """See `adaptive_avg_pool2d`: linear in both dimensions."""
    h, w = input.shape[-2:]
    return _both_ways(xp, input, _weights(h, size[0]), _weights(w, size[1]))


@op(
    where=(), kernel="adaptive_avg_pool_backward", node="AdaptiveAvgPool2DBackwardBackward0"
)  # fmt: skip
def _adaptive_avg_back(xp, output: Array, size):
    """The transpose of `_adaptive_avg`."""
    h, w = output.shape[-2:]
    return _both_ways(xp, output, _weights(size[0], h).T, _weights(size[1], w).T)


_adaptive_avg.derivative(
    input=lambda grad, input_shape: _adaptive_avg_back(grad, tuple(input_shape[-2:]))
)
_adaptive_avg_back.derivative(
    output=lambda grad, output_shape: _adaptive_avg(grad, tuple(output_shape[-2:]))
)


def _target(output_size: Any, shape: tuple) -> tuple[int, int]:
    """The wanted size; None keeps a length."""
    if not isinstance(output_size, (tuple, list)):
        output_size = (output_size, output_size)
    if len(output_size) > len(shape):
        raise ValueError(f"Input dimension should be at least {len(output_size) + 1}")
    if len(output_size) != 2:
        raise ValueError(f"Input dimension should be at least {len(output_size) + 1}")
    return tuple(
        n if want is None else int(want) for n, want in zip(shape[-2:], output_size, strict=True)
    )  # type: ignore[return-value]


def _check(name: str, shape: tuple, mark: str = "") -> None:
    if len(shape) not in (3, 4):
        raise RuntimeError(f"{name}(): Expected 3D or 4D tensor, but got{mark} {list(shape)}")
    for d, n in list(enumerate(shape))[len(shape) - 3 :]:
        if n == 0:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but "
                "input has sizes "
                f"{list(shape)} with dimension {d} being empty"
            )


@composite(where=("nn.functional",))
def adaptive_avg_pool2d(input, output_size):
    """The means of windows that give `output_size`: one number, or (height, width), where None
    keeps a length.

    y[i, j] = mean of rows floor(i H / h) ... ceil((i + 1) H / h) - 1, columns alike
    dL/dx = sum of g / n

    input: (N, C, H, W) or (C, H, W). RuntimeError for other shapes.
    """
    size = _target(output_size, tuple(input.shape))
    _check("adaptive_avg_pool2d", tuple(input.shape))
    if size == (1, 1):
        return _mean(input, (-1, -2), True)
    refuse_kinds("adaptive_avg_pool2d", input._array.dtype)
    return _adaptive_avg(input, size)


@composite(where=("", "nn.functional"))
def adaptive_avg_pool1d(input, output_size):
    """The means of windows that give a length: see `adaptive_avg_pool2d`.

    input: (N, C, L) or (C, L).
    """
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"Expected 2 to 3 dimensions, but got {input.ndim}-dimensional tensor for argument #1 "
            "'self' (while checking "
            "arguments for adaptive_avg_pool1d)"
        )
    length = output_size[0] if isinstance(output_size, (tuple, list)) else output_size
    return _adaptive_avg(input.unsqueeze(-2), (1, int(length))).squeeze(-2)


@op(
    where=(), kernel="adaptive_max_pool", outputs=("values", "indices"),
    node="AdaptiveMaxPool2DBackward0",
)  # fmt: skip
def _adaptive_max(xp, input: Array, size):
    """See `adaptive_max_pool2d`."""
    h, w = input.shape[-2:]
    lead = input.shape[:-2]
    values = xp.empty((*lead, *size), input.dtype)
    indices = xp.empty((*lead, *size), np.int64)
    for i, (top, bottom) in enumerate(_bounds(h, size[0])):
        for j, (left, right) in enumerate(_bounds(w, size[1])):
            flat = input[..., top:bottom, left:right].reshape(
                *lead, (bottom - top) * (right - left)
            )
            best = flat.argmax(-1)
            values[..., i, j] = xp.take_along_axis(flat, best[..., None], -1)[..., 0]
            width = right - left
            indices[..., i, j] = (best // width + top) * w + best % width + left
    return values, indices


_adaptive_max.derivative(
    input=lambda grad, indices, input_shape: add_at_places(grad, indices, tuple(input_shape))
)


@composite(where=("nn.functional",))
def adaptive_max_pool2d(input, output_size, return_indices=False):
    """The maxima of windows that give `output_size`; the windows are those of
    `adaptive_avg_pool2d`.

    `return_indices`: also where the maxima are in the flattened H x W.
    """
    size = _target(output_size, tuple(input.shape))
    _check("adaptive_max_pool2d", tuple(input.shape), ":")
    refuse_kinds("adaptive_max_pool2d", input._array.dtype)
    values, indices = _adaptive_max(input, size)
    return (values, indices) if return_indices else values


@composite(where=("nn.functional",))
def adaptive_max_pool1d(input, output_size, return_indices=False):
    """The maxima of windows that give a length: see `adaptive_avg_pool2d`.

    input: (N, C, L) or (C, L).
    """
    length = output_size[0] if isinstance(output_size, (tuple, list)) else output_size
    refuse_kinds("adaptive_max_pool2d", input._array.dtype)
    values, indices = _adaptive_max(input.unsqueeze(-2), (1, int(length)))
    values, indices = values.squeeze(-2), indices.squeeze(-2)
    return (values, indices) if return_indices else values


adaptive_avg_pool2d.samples(
    lambda t: [(t(2, 2, 5, 4), (2, 3)), (t(1, 4, 4), 2), (t(1, 2, 3, 3), 1)]
)
adaptive_avg_pool1d.samples(lambda t: [(t(2, 2, 5), 2), (t(2, 6), 3)])
adaptive_max_pool2d.samples(lambda t: [(t(2, 2, 5, 4), (2, 3)), (t(1, 4, 4), 2)])
adaptive_max_pool1d.samples(lambda t: [(t(2, 2, 5), 2)])
