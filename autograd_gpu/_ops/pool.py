"""Pooling: the maximum or the mean of windows of the last one or two dimensions."""

import math
from itertools import product as offsets
from typing import Any

import numpy as np

from .declare import Array, Index, composite, op
from .windows import add_windows, padded, unpadded, windows

__all__ = ["avg_pool1d", "avg_pool2d", "max_pool1d", "max_pool2d"]


# ---- sizes and checks


def _pair(value: Any, name: str, function: str) -> tuple[int, int]:
    numbers = (
        (int(value),) if isinstance(value, (int, np.integer)) else tuple(int(v) for v in value)
    )
    if len(numbers) not in (1, 2):
        raise RuntimeError(
            f"{function}: {name} must either be a single int, or a tuple of two ints"
        )
    return numbers * 2 if len(numbers) == 1 else numbers  # type: ignore[return-value]


def _fit(n: int, kernel: int, stride: int, pad: int, dilation: int, ceil_mode: bool) -> int:
    """How many windows there are. With ceil_mode one may stand out at the end, but must begin within the input."""
    room = n + 2 * pad - dilation * (kernel - 1) - 1
    out = (-(-room // stride) if ceil_mode else room // stride) + 1
    if ceil_mode and (out - 1) * stride >= n + pad:
        out -= 1
    return out


class Plan:
    """One pooling: the window's sizes, checked against the input's shape."""

    def __init__(
        self,
        name: str,
        shape: tuple,
        kernel: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        ceil_mode: bool,
    ) -> None:
        self.kernel = _pair(kernel, "kernel_size", name)
        empty = stride is None or not isinstance(stride, int) and len(stride) == 0
        self.stride = self.kernel if empty else _pair(stride, "stride", name)
        self.pad = _pair(padding, "padding", name)
        self.dilation = _pair(dilation, "dilation", name)
        self._check(name, shape)
        dims = zip(shape[-2:], self.kernel, self.stride, self.pad, self.dilation, strict=True)
        self.fit = tuple(_fit(*d, ceil_mode) for d in dims)
        if min(self.fit) < 1:
            sizes = [f"({shape[-3]}x{h}x{w})" for h, w in (shape[-2:], self.fit)]
            raise RuntimeError(
                f"Given input size: {sizes[0]}. Calculated output size: {sizes[1]}. Output size is too small"
            )
        reach = zip(self.fit, self.kernel, self.stride, self.dilation, strict=True)
        ends = [(f - 1) * s + d * (k - 1) + 1 for f, k, s, d in reach]
        self.pads = tuple(
            (p, max(0, e - n - p)) for p, e, n in zip(self.pad, ends, shape[-2:], strict=True)
        )
        size = zip(shape[-2:], self.kernel, self.pads, strict=True)
        self.blocks = (
            self.stride == self.kernel
            and all(pads == (0, 0) for _, _, pads in size)
            and self.dilation == (1, 1)
        )

    def _check(self, name: str, shape: tuple) -> None:
        if min(self.stride) == 0:
            raise RuntimeError("stride should not be zero")
        if min(self.kernel) <= 0:
            kh, kw = self.kernel
            raise RuntimeError(
                f"kernel size should be greater than zero, but got kH: {kh} kW: {kw}"
            )
        if min(self.dilation) <= 0:
            dh, dw = self.dilation
            raise RuntimeError(
                f"dilation should be greater than zero, but got dilationH: {dh} dilationW: {dw}"
            )
        for k, p, d in zip(self.kernel, self.pad, self.dilation, strict=True):
            if p < 0:
                raise RuntimeError(f"pad must be non-negative, but got pad: {p}")
            if p > (d * (k - 1) + 1) // 2:
                raise RuntimeError(
                    f"pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and "
                    f"dilation={d}"
                )
        if len(shape) not in (3, 4) or math.prod(shape[-3:]) == 0:
            if len(shape) in (3, 4):
                raise RuntimeError(
                    "Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but "
                    f"got:{list(shape)}"
                )
            raise RuntimeError("non-empty 3D or 4D (batch mode) tensor expected for input")


# ---- the maximum


def _slices(plan_kernel: tuple, size: tuple) -> list[tuple]:
    """The index of each place of a window, over all windows side by side."""
    (kh, kw), (h, w) = plan_kernel, size
    h, w = h // kh * kh, w // kw * kw
    return [(..., slice(i, h, kh), slice(j, w, kw)) for i, j in offsets(range(kh), range(kw))]


@op(where=(), node="MaxPool2DWithIndicesBackward0")
def _max_blocks(xp, input: Array, kernel):
    """The maximum of windows that lie side by side; NaN wins."""
    first, *rest = _slices(kernel, input.shape[-2:])
    out = input[first].copy() if not rest else None
    for place in rest:
        out = xp.maximum(input[first] if out is None else out, input[place], out=out)
    return out


_max_blocks.derivative(input=lambda grad, input, out, kernel: _to_largest(grad, input, out, kernel))


def _hits(xp: Any, input: Any, best: Any, kernel: tuple) -> list[tuple]:
    """For each place of a window: its index, and in which windows it is the first to be the maximum."""
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


@op(where=())
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
    row = (
        best // kw * plan.dilation[0]
        + (xp.arange(plan.fit[0]) * plan.stride[0] - plan.pad[0])[:, None]
    )
    column = best % kw * plan.dilation[1] + xp.arange(plan.fit[1]) * plan.stride[1] - plan.pad[1]
    return values, row * input.shape[-1] + column


@op(where=(), outputs=("values", "indices"), node="MaxPool2DWithIndicesBackward0")
def _max_pool(xp, input: Array, plan):
    """See `max_pool2d`."""
    return _max_forward(xp, input, plan)


_max_pool.derivative(
    input=lambda grad, indices, input_shape: add_at_places(grad, indices, tuple(input_shape))
)


@op(where=(), name="_add_at_places")
def add_at_places(xp, grad: Array, indices: Index, size):
    """Zeros, with g added at indices of the flattened last two dimensions.            dL/dg: `at_places`"""
    lead, cells = math.prod(size[:-2]), size[-2] * size[-1]
    flat = indices.reshape(lead, math.prod(indices.shape[-2:])) + xp.arange(lead)[:, None] * cells
    out = xp.bincount(flat.ravel(), grad.ravel().astype(np.float64), lead * cells)
    return out.astype(grad.dtype).reshape(size)


@op(where=(), name="_at_places")
def at_places(xp, input: Array, indices: Index):
    """The elements at indices of the flattened last two dimensions.            dL/dx: `add_at_places`"""
    lead = input.shape[:-2]
    flat = input.reshape(*lead, input.shape[-2] * input.shape[-1])
    places = indices.reshape(*lead, indices.shape[-2] * indices.shape[-1])
    return xp.take_along_axis(flat, places, -1).reshape(indices.shape)


add_at_places.derivative(grad=lambda grad, indices: at_places(grad, indices))
at_places.derivative(
    input=lambda grad, indices, input_shape: add_at_places(grad, indices, tuple(input_shape))
)


@composite(where=("", "nn.functional"))
def max_pool2d(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """The maximum of each window of images.

    y[i, j] = max over u, v of x[s i + d u - p, s j + d v - p]            dL/dx = sum of g at the first maxima

    input: (N, C, H, W) or (C, H, W). `stride`: the kernel's size where it is None. Padding is with -inf. `ceil_mode`:
    a window may stand out at the end. NaN wins. `return_indices`: also where the maxima are in the flattened H x W.
    RuntimeError for sizes that do not fit.
    """
    if input._array.dtype.char == "?":
        raise NotImplementedError("\"max_pool2d\" not implemented for 'Bool'")
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


def _line(value: Any) -> tuple[int, int]:
    """An option of one dimension as that of two, of which the first is trivial."""
    return 1, int(value if isinstance(value, (int, np.integer)) else value[0])


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
            f"max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:{shape}"
        )
    kernel, pad, gap = _line(kernel_size), _line(padding)[1], _line(dilation)
    if pad > kernel[1] // 2:
        raise RuntimeError(
            f"max_pool1d() padding should be at most half of kernel size, but got padding={pad} and "
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


# ---- the mean: linear, so the two ops are each other's derivatives


def _divisors(xp: Any, plan: Plan, size: tuple, dtype: Any, count_pad: bool, divisor: Any) -> Any:
    """What each window's sum is divided by: a number, or one for each window where they differ."""
    if divisor is not None:
        return dtype.type(divisor)
    lengths = []
    for n, k, s, p, fit in zip(size, plan.kernel, plan.stride, plan.pad, plan.fit, strict=True):
        start = np.arange(fit) * s - p
        end = np.minimum(start + k, n + p)
        lengths.append(end - start if count_pad else np.minimum(end, n) - np.maximum(start, 0))
    counts = np.outer(*lengths).astype(dtype if dtype.itemsize > 2 else np.float32)
    if (counts == counts.flat[0]).all():
        return dtype.type(counts.flat[0])
    return xp.asarray(counts.astype(dtype))


@op(where=(), node="AvgPool2DBackward0")
def _avg_pool(xp, input: Array, plan, count_pad, divisor):
    """See `avg_pool2d`."""
    size = input.shape[-2:]
    x = input.astype(np.float32) if input.dtype.itemsize == 2 else input
    axis = x.ndim - 2
    view = windows(
        xp, padded(xp, x, plan.pads, axis), axis, plan.kernel, plan.stride, plan.dilation
    )
    view = view[..., : plan.fit[0], : plan.fit[1]]
    out = None
    for u, v in offsets(*(range(k) for k in plan.kernel)):
        part = view[..., u, v, :, :]
        out = part.copy() if out is None else xp.add(out, part, out)
    divisor = _divisors(xp, plan, size, input.dtype, count_pad, divisor)
    return (out // divisor if out.dtype.kind in "biu" else out / divisor).astype(
        input.dtype, copy=False
    )


@op(where=(), name="_avg_unpool", node="AvgPool2DBackwardBackward0")
def _avg_unpool(xp, grad: Array, plan, size, count_pad, divisor):
    """Each window's number, divided, added to all elements of the window."""
    part = grad / _divisors(xp, plan, size[-2:], grad.dtype, count_pad, divisor)
    part = part.astype(np.float32) if part.dtype.itemsize == 2 else part
    height, width = (n + a + b for n, (a, b) in zip(size[-2:], plan.pads, strict=True))
    out = xp.zeros((*size[:-2], height, width), part.dtype)
    axis = len(size) - 2
    kh, kw = plan.kernel
    spread = xp.broadcast_to(part[..., None, None, :, :], (*size[:-2], kh, kw, *plan.fit))
    add_windows(out, spread, axis, plan.kernel, plan.stride, plan.dilation)
    return unpadded(out, plan.pads, axis).astype(grad.dtype)


_avg_pool.derivative(
    input=lambda grad, input_shape, plan, count_pad, divisor: _avg_unpool(
        grad, plan, tuple(input_shape), count_pad, divisor
    )
)
_avg_unpool.derivative(
    grad=lambda grad, plan, count_pad, divisor: _avg_pool(grad, plan, count_pad, divisor)
)


@composite(where=("nn.functional",))
def avg_pool2d(
    input,
    kernel_size,
    stride=None,
    padding=0,
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
):
    """The mean of each window of images.

    y[i, j] = sum over u, v of x[s i + u - p, s j + v - p] / n            dL/dx = sum of g / n over x's windows

    input: (N, C, H, W) or (C, H, W). Padding is with zeros, which n counts unless `count_include_pad` is False;
    `divisor_override` is taken for n. `ceil_mode`: a window may stand out at the end. RuntimeError for sizes that
    do not fit.
    """
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    shape = input._array.shape
    if len(shape) < 3:
        from .._core.layout import dim_error

        raise dim_error(-3, len(shape))
    plan = Plan("avg_pool2d", shape, kernel_size, stride, padding, 1, ceil_mode)
    return _avg_pool(input, plan, count_include_pad, divisor_override)


@composite(where=("", "nn.functional"))
def avg_pool1d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """The mean of each window of a signal: see `avg_pool2d`.

    input: (N, C, L) or (C, L).
    """
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"Expected 2 to 3 dimensions, but got {input.ndim}-dimensional tensor for argument #1 'self' (while checking "
            "arguments for avg_pool1d)"
        )
    kernel = _line(kernel_size)
    step = kernel if stride is None or stride == () or stride == [] else _line(stride)
    pad = (0, _line(padding)[1])
    return avg_pool2d(input.unsqueeze(-2), kernel, step, pad, ceil_mode, count_include_pad).squeeze(
        -2
    )


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
avg_pool2d.samples(
    lambda t: [
        (t(2, 2, 4, 4), 2), (t(1, 1, 5, 5), 3, 2, 1), (t(1, 1, 5, 5), 3, 2, 1, False, False), (t(1, 5, 5), 2, 2, 0, True),
        (t(1, 1, 4, 4), 2, {"divisor_override": 3}),
    ]
)  # fmt: skip
avg_pool1d.samples(lambda t: [(t(2, 2, 6), 2), (t(2, 7), 3, 2, 1)])
