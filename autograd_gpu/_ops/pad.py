"""Padding: constant, reflected, repeated at the edge, or going round."""

from typing import Any

import numpy as np

from .._core.device import library
from .declare import Array, composite, op
from .element import element
from .helpers import like, raw
from .rows import _rows_added

__all__ = ["constant_pad_nd", "pad"]


@op(where=("",), node="ConstantPadNdBackward0")
def constant_pad_nd(xp, input: Array, pad, value=0):
    """A border of one number; `pad` counts (before, after) from the last dimension backward,
    negative ones cut off.

    y = x within, value in the border            dL/dx = g within

    RuntimeError for an odd number of counts, or more than there are dimensions.
    """
    pairs = _pairs(pad, input.ndim)
    size, inner, outer = [], [], []
    for n, (before, after) in zip(input.shape, pairs, strict=True):
        if n + min(before, 0) + min(after, 0) < 0:
            raise RuntimeError("narrow(): length must be non-negative.")
        size.append(n + before + after)
        inner.append(slice(max(before, 0), max(before, 0) + n + min(before, 0) + min(after, 0)))
        outer.append(slice(max(-before, 0), n - max(-after, 0)))
    out = xp.empty(tuple(size), input.dtype)
    out[...] = element(input.dtype, value)
    out[tuple(inner)] = input[tuple(outer)]
    return out


constant_pad_nd.derivative(input=lambda grad, pad: constant_pad_nd(grad, tuple(-p for p in pad)))


def _pairs(pad: Any, ndim: int) -> list[tuple[int, int]]:
    """(before, after) for each dimension, in order."""
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) > 2 * ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got "
            f"padding length {len(pad)} and input of dimension {ndim}"
        )
    given = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)][::-1]
    return [(0, 0)] * (ndim - len(given)) + given


# ---- borders that repeat elements: every padded dimension is read through a vector of indices


def _read(xp: Any, array: Any, maps: tuple) -> Any:
    for dim, index in maps:
        array = array.take(xp.asarray(index), dim)
    return array


def _declare(name: str, node: str) -> Any:
    def forward(xp, input: Array, maps):
        return _read(xp, input, maps)

    forward.__name__ = name
    forward.__doc__ = "A border that repeats elements; see `pad`."
    function = op(where=(), node=node)(forward)
    function.derivative(
        input=lambda grad, input_shape, maps: _read_backward(grad, input_shape, maps)
    )
    return function


def _read_backward(grad: Any, size: tuple, maps: tuple) -> Any:
    """The sum of g over all copies of an element, one dimension after the other."""
    shapes, shape = [], list(size)
    for dim, index in maps:
        shapes.append(tuple(shape))
        shape[dim] = len(index)
    for (dim, index), full in zip(reversed(maps), reversed(shapes), strict=True):
        grad = _rows_added(grad, dim, _beside(index, grad), full)
    return grad


def _beside(index: Any, grad: Any) -> Any:
    return like(library(raw(grad)).asarray(index), grad)


_OPS = {
    (mode, n): _declare(f"_{mode}_pad{n}d", f"{title}Pad{n}DBackward0")
    for mode, title in (
        ("reflect", "Reflection"),
        ("replicate", "Replication"),
        ("circular", "Circular"),
    )
    for n in (1, 2, 3)
}


def _map(mode: str, n: int, before: int, after: int) -> Any:
    """Which element stands at each place of a padded dimension."""
    if mode == "circular":  # what is cut off does not come back at the other end
        cut, left = max(-before, 0), n + min(before, 0) + min(after, 0)
        return cut + np.arange(-max(before, 0), left + max(after, 0)) % left
    places = np.arange(-before, n + after)
    if mode == "replicate":
        return places.clip(0, n - 1)
    return n - 1 - abs(n - 1 - abs(places))


def _check_border(mode: str, shape: tuple, dim: int, before: int, after: int) -> None:
    n = shape[dim]
    if mode == "circular" and max(before, after) > n:
        raise RuntimeError("Padding value causes wrapping around more than once.")
    if mode == "reflect" and max(before, after) >= n:
        raise RuntimeError(
            "Argument #4: Padding size should be less than the corresponding input dimension, but "
            f"got: padding ({before}, {after}) at dimension {dim} of input {list(shape)}"
        )
    if n + before + after <= 0:
        raise RuntimeError(
            f"input (size {n} at dimension {dim}) is too small: the padded output would have "
            f"{n + before + after} elements"
        )


@composite(where=("nn.functional",))
def pad(input, pad, mode="constant", value=None):
    """A border around the last dimensions; `pad` counts (before, after) from the last one backward,
    negative cut off.

    y = x within            dL/dx = g within, and what the border's copies got

    `mode`: "constant" (`value`, default 0), "reflect" (mirrored without the edge), "replicate"
    (the edge again) or
    "circular" (from the other end); the latter three pad the last 1, 2 or 3 dimensions of 2-5
    dimensional input. RuntimeError for counts that do not fit, NotImplementedError for another mode
    or number of dimensions.
    """
    pad = _counts(pad)
    if mode == "constant":
        return constant_pad_nd(input, pad, 0 if value is None else value)
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    shape = tuple(input.shape)
    if (len(pad), len(shape)) not in ((2, 2), (2, 3), (4, 3), (4, 4), (6, 4), (6, 5)):
        raise NotImplementedError(
            f"Padding size {len(pad)} is not supported for {len(shape)}D input tensor.\nSupported "
            "combinations for non-constant padding:\n  - 2D or 3D input: padding size = 2 (pads "
            "last dimension)\n  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n  - "
            "4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        )
    for n in shape[1:]:
        if n == 0:
            raise RuntimeError(
                "Expected a tensor with possibly 0 batch size and other non-zero dimensions for "
                f"input, but got: {list(shape)}"
            )
    maps = []
    for dim, (before, after) in enumerate(_pairs(pad, len(shape))):
        if before or after:
            _check_border(mode, shape, dim, before, after)
            maps.append((dim, _map(mode, shape[dim], before, after)))
    return _OPS[mode, len(pad) // 2](input, tuple(maps))


def _counts(pad: Any) -> tuple[int, ...]:
    for k, n in enumerate(pad):
        if not hasattr(n, "__index__"):
            raise TypeError(
                "pad(): argument 'pad' (position 2) must be tuple of ints, but found element of "
                f"type {type(n).__name__} at pos {k}"
            )
    return tuple(n.__index__() for n in pad)


constant_pad_nd.samples(lambda t: [(t(2, 3), (1, 2), 2.5), (t(2, 3), (1, -1, 0, 2)), (t(3), ())])
pad.samples(
    lambda t: [
        (t(2, 3), (1, -1), "constant", 2.0),
        (t(2, 3), (2, 1), "reflect"),
        (t(1, 2, 3, 3), (1, 2, 0, 1), "reflect"),
        (t(2, 3), (2, 1), "replicate"),
        (t(2, 3), (-1, 2), "replicate"),
        (t(1, 2, 3), (1, 2), "circular"),
        (t(2, 3), (-1, 2), "circular"),
    ]
)
