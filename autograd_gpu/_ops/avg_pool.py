"""Pooling by the mean: linear, so that its two ops are each other's derivatives."""

from itertools import product as offsets
from typing import Any

import numpy as np

from .declare import Array, composite, op
from .pool import Plan, _line, refuse_kinds
from .windows import add_windows, padded, unpadded, windows

__all__ = ["avg_pool1d", "avg_pool2d"]
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


@op(where=(), kernel="avg_pool", node="AvgPool2DBackward0")
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


@op(
    where=(), kernel="avg_pool_backward", name="_avg_unpool", node="AvgPool2DBackwardBackward0"
)  # fmt: skip
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

    y[i, j] = sum over u, v of x[s i + u - p, s j + v - p] / n
    dL/dx = sum of g / n over x's windows

    input: (N, C, H, W) or (C, H, W). Padding is with zeros, which n counts unless
    `count_include_pad` is False; `divisor_override` is taken for n. `ceil_mode`: a window may stand
    out at the end. RuntimeError for sizes that do not fit.
    """
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    shape = input._array.shape
    if len(shape) < 3:
        from .._core.layout import dim_error

        raise dim_error(-3, len(shape))
    refuse_kinds("avg_pool2d", input._array.dtype)
    plan = Plan("avg_pool2d", shape, kernel_size, stride, padding, 1, ceil_mode)
    return _avg_pool(input, plan, count_include_pad, divisor_override)


@composite(where=("", "nn.functional"))
def avg_pool1d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """The mean of each window of a signal: see `avg_pool2d`.

    input: (N, C, L) or (C, L).
    """
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"Expected 2 to 3 dimensions, but got {input.ndim}-dimensional tensor for argument #1 "
            "'self' (while checking "
            "arguments for avg_pool1d)"
        )
    kernel = _line(kernel_size)
    step = kernel if stride is None or stride == () or stride == [] else _line(stride)
    pad = (0, _line(padding)[1])
    return avg_pool2d(input.unsqueeze(-2), kernel, step, pad, ceil_mode, count_include_pad).squeeze(
        -2
    )


avg_pool2d.samples(
    lambda t: [
        (t(2, 2, 4, 4), 2),
        (t(1, 1, 5, 5), 3, 2, 1),
        (t(1, 1, 5, 5), 3, 2, 1, False, False),
        (t(1, 5, 5), 2, 2, 0, True),
        (t(1, 1, 4, 4), 2, {"divisor_override": 3}),
    ]
)

avg_pool1d.samples(lambda t: [(t(2, 2, 6), 2), (t(2, 7), 3, 2, 1)])
