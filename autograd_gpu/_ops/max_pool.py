"""Pooling by the maximum."""

import math
from itertools import product as offsets
from typing import Any

import numpy as np

from .declare import Array, Index, composite, op
from .pool import Plan, _fit, _line, refuse_kinds
from .windows import padded, windows

__all__ = ["max_pool1d", "max_pool2d"]
# ---- the maximum


def _slices(plan_kernel: tuple, size: tuple) -> list[tuple]:
    """The index of each place of a window, over all windows side by side."""
    (kh, kw), (h, w) = plan_kernel, size
    h, w = h // kh * kh, w // kw * kw
    return [(..., slice(i, h, kh), slice(j, w, kw)) for i, j in offsets(range(kh), range(kw))]


@op(where=(), kernel="max_blocks", node="MaxPool2DWithIndicesBackward0")
def _max_blocks(xp, input: Array, kernel):
    """The maximum of windows that lie side by side; NaN wins."""
    first, *rest = _slices(kernel, input.shape[-2:])
    out = input[first].copy() if not rest else None
    for place in rest:
        out = xp.maximum(input[first] if out is None else out, input[place], out=out)
    return out


_max_blocks.derivative(input=lambda grad, input, out, kernel: _to_largest(grad, input, out, kernel))


def _hits(xp: Any, input: Any, best: Any, kernel: tuple) -> list[tuple]:
    """For each place of a window: its index, and in which windows it is the first to be the
    maximum.
    """
    found, free = [], None
    nan = bool(xp.isnan(best.sum())) if best.dtype.kind not in "biu" else False
    for place in _slices(kernel, input.shape[-2:]):
        part = input[place]
        hit = part == best
        if nan:
            hit |= xp.isnan(part)
        if free is None:
            free = ~hit
        else:
            hit &= free
            free ^= hit
        found.append((place, hit))
    return found


@op(where=(), kernel="max_blocks_backward")
def _to_largest(xp, grad: Array, input: Index, best: Index, kernel):
    """Each window's number, put where the window's maximum is.            dL/dg: `_from_largest`"""
    covered = all(n % k == 0 for n, k in zip(input.shape[-2:], kernel, strict=True))
    result = (xp.empty if covered else xp.zeros)(input.shape, grad.dtype)
    safe = bool(xp.isfinite(grad.sum()))
    for place, hit in _hits(xp, input, best, kernel):
        if safe:
            xp.multiply(grad, hit, result[place])
        else:
            result[place] = xp.where(hit, grad, 0)
    return result


@op(where=())
def _from_largest(xp, grad: Array, input: Index, best: Index, kernel):
    """The number at each window's maximum.            dL/dg: `_to_largest`"""
    result = xp.zeros(best.shape, grad.dtype)
    for place, hit in _hits(xp, input, best, kernel):
        xp.copyto(result, grad[place], where=hit)
    return result


_to_largest.derivative(
    grad=lambda grad, input, best, kernel: _from_largest(grad, input, best, kernel)
)

_from_largest.derivative(
    grad=lambda grad, input, best, kernel: _to_largest(grad, input, best, kernel)
)


def _max_forward(xp: Any, input: Any, plan: Plan) -> tuple[Any, Any]:
    """The maxima, and where they are in the flattened last two dimensions."""
    kind = input.dtype
    lowest = -math.inf if kind.kind not in "biu" else np.iinfo(kind).min
    axis = input.ndim - 2
    full = padded(xp, input, plan.pads, axis, lowest)
    view = windows(xp, full, axis, plan.kernel, plan.stride, plan.dilation)
    view = view[..., : plan.fit[0], : plan.fit[1]]
    kh, kw = plan.kernel
    flat = view.reshape(*input.shape[:-2], kh * kw, *plan.fit)
    best = xp.argmax(flat, axis)
    values = xp.take_along_axis(flat, xp.expand_dims(best, axis), axis).squeeze(axis)
    row, column = best // kw * plan.dilation[0], best % kw * plan.dilation[1]
    row = _placed(xp, row, plan, 0, (-1, 1))
    return values, row * input.shape[-1] + _placed(xp, column, plan, 1, (-1,))


def _placed(xp: Any, offset: Any, plan: Plan, d: int, shape: tuple) -> Any:
    """Where an offset from its window's beginning lies. Where padding was found to be the maximum,
    all is as low, and the window's first element counts."""
    begin = np.arange(plan.fit[d]) * plan.stride[d] - plan.pad[d]
    place = offset + xp.asarray(begin.reshape(shape))
    if plan.pad[d] == 0:
        return place
    outside = (Ellipsis, slice(int((begin < 0).sum())), *(slice(None),) * (len(shape) - 1))
    first = begin[begin < 0] % plan.dilation[d]
    place[outside] = xp.maximum(place[outside], xp.asarray(first.reshape(shape)))
    return place


@op(
    where=(), kernel="max_pool", outputs=("values", "indices"),
    node="MaxPool2DWithIndicesBackward0",
)  # fmt: skip
def _max_pool(xp, input: Array, plan):
    """See `max_pool2d`."""
    return _max_forward(xp, input, plan)


_max_pool.derivative(
    input=lambda grad, indices, input_shape, plan: add_at_places(
        grad, indices, tuple(input_shape), plan
    )
)


@op(where=(), kernel="max_pool_backward", name="_add_at_places")
def add_at_places(xp, grad: Array, indices: Index, size, plan=None):
    """Zeros, with g added at indices of the flattened last two dimensions.
    dL/dg: `at_places`

    `plan`: the windows that the indices lie in, None for those of adaptive pooling.
    """
    lead, cells = math.prod(size[:-2]), size[-2] * size[-1]
    flat = indices.reshape(lead, math.prod(indices.shape[-2:])) + xp.arange(lead)[:, None] * cells
    out = xp.bincount(flat.ravel(), grad.ravel().astype(np.float64), lead * cells)
    return out.astype(grad.dtype).reshape(size)


@op(where=(), name="_at_places")
def at_places(xp, input: Array, indices: Index, plan=None):
    """The elements at indices of the flattened last two dimensions.
    dL/dx: `add_at_places`
    """
    lead = input.shape[:-2]
    flat = input.reshape(*lead, input.shape[-2] * input.shape[-1])
    places = indices.reshape(*lead, indices.shape[-2] * indices.shape[-1])
    return xp.take_along_axis(flat, places, -1).reshape(indices.shape)


add_at_places.derivative(grad=lambda grad, indices, plan: at_places(grad, indices, plan))

at_places.derivative(
    input=lambda grad, indices, input_shape, plan: add_at_places(
        grad, indices, tuple(input_shape), plan
    )
)


@composite(where=("", "nn.functional"))
def max_pool2d(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """The maximum of each window of images.

    y[i, j] = max over u, v of x[s i + d u - p, s j + d v - p]
    dL/dx = sum of g at the first maxima

    input: (N, C, H, W) or (C, H, W). `stride`: the kernel's size where it is None. Padding is with
    -inf. `ceil_mode`: a window may stand out at the end. NaN wins. `return_indices`: also where the
    maxima are in the flattened H x W. RuntimeError for sizes that do not fit.
    """
    refuse_kinds("max_pool2d", input._array.dtype)
    plan = Plan("max_pool2d", input._array.shape, kernel_size, stride, padding, dilation, ceil_mode)
    if plan.blocks and not return_indices:
        return _max_blocks(input, plan.kernel)
    values, indices = _max_pool(input, plan)
    return (values, indices) if return_indices else values


@composite(where=("nn.functional",))
def max_pool2d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """`max_pool2d` with `return_indices=True`."""
    return max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


@composite(where=("", "nn.functional"))
def max_pool1d(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """The maximum of each window of a signal: see `max_pool2d`.

    input: (N, C, L) or (C, L).
    """
    shape = list(input.shape)
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise RuntimeError(
            "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size "
            f"for input, but got:{shape}"
        )
    kernel, pad, gap = _line(kernel_size), _line(padding)[1], _line(dilation)
    if pad > kernel[1] // 2:
        raise RuntimeError(
            f"max_pool1d() padding should be at most half of kernel size, but got padding={pad} "
            "and "
            f"kernel_size={kernel[1]}"
        )
    step = kernel if stride is None or stride == () or stride == [] else _line(stride)
    if _fit(shape[-1], kernel[1], max(step[1], 1), pad, gap[1], ceil_mode) < 1:
        raise RuntimeError("max_pool1d() Invalid computed output size: 0")
    options = (kernel, step, (0, pad), gap, ceil_mode, return_indices)
    if not return_indices:
        return max_pool2d(input.unsqueeze(-2), *options).squeeze(-2)
    values, indices = max_pool2d(input.unsqueeze(-2), *options)
    return values.squeeze(-2), indices.squeeze(-2)


@composite(where=("nn.functional",))
def max_pool1d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """`max_pool1d` with `return_indices=True`."""
    return max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


max_pool2d.samples(
    lambda t: [
        (t(2, 2, 4, 4), 2),
        (t(1, 2, 5, 5), 2),
        (t(1, 1, 5, 5), 3, 2, 1),
        (t(1, 6, 6), 2, 1, 0, 2),
        (t(1, 1, 5, 5), 2, 2, 0, 1, True),
    ]
)

max_pool1d.samples(lambda t: [(t(2, 2, 6), 2), (t(2, 7), 3, 2, 1)])
