"""Normalization of each group of channels: group_norm."""

import math

from .declare import Array, composite, op
from .elementwise import rsqrt
from .normalize import _check_floats, _normalize_rows, wide
from .reduce import _mean, _sum
from .shape import _reshape

__all__ = ["group_norm"]


@op(where=(), node="NativeGroupNormBackward0", caches=("mean", "rstd"), kernel="group_norm")
def _group_norm(xp, input: Array, weight: Array | None, bias: Array | None, groups, eps):
    """See `group_norm`."""
    _check_floats("GroupNormKernelImpl", input, weight, bias)
    n, channels = input.shape[:2]
    rows = n * groups
    x = wide(input).reshape(rows, input.size // rows if rows else 0)
    out, mean, rstd = _normalize_rows(xp, x, None, None, eps)
    out = out.reshape(n, channels, math.prod(input.shape[2:]))
    if weight is not None:
        out *= wide(weight)[:, None]
    if bias is not None:
        out += wide(bias)[:, None]
    return out.reshape(input.shape).astype(input.dtype, copy=False), mean, rstd


def _group_norm_backward(grad, input, weight, mean, rstd, groups, eps, wanted):
    if mean is not None:
        return group_norm_backward(grad, input, weight, mean, rstd, groups, wanted)
    x = _grouped(input, groups)
    deviation = x - _mean(x, (2,), True)
    rstd = rsqrt(_mean(deviation * deviation, (2,), True) + eps)
    return _groups_backward(grad, input, weight, deviation * rstd, rstd, groups, wanted)


@composite(kernel="group_norm_backward")
def group_norm_backward(grad, input, weight, mean, rstd, groups, wanted):
    """See `_groups_backward`; of raw arrays."""
    size = (input.shape[0], groups, 1)
    mean, rstd = (_reshape(s, size).astype(input.dtype) for s in (mean, rstd))
    h = (_grouped(input, groups) - mean) * rstd
    return _groups_backward(grad, input, weight, h, rstd, groups, wanted)


def _grouped(input, groups):
    """(samples, groups, elements of a group)"""
    n, channels = input.shape[:2]
    length = math.prod(tuple(input.shape)[2:])
    return _reshape(input, (n, groups, channels // groups * length))


def _groups_backward(grad, input, weight, h, rstd, groups, wanted):
    """As of a layer norm, where rows are groups; raw and recorded alike."""
    size, (n, channels) = tuple(input.shape), input.shape[:2]
    rows, wide_rows = (n, channels, math.prod(size[2:])), tuple(h.shape)
    g, dx, dw, db = _reshape(grad, rows), None, None, None
    if wanted[0]:
        gw = g if weight is None else g * _reshape(weight, (1, channels, 1))
        gw = _reshape(gw, wide_rows)
        dx = (gw - _mean(gw, (2,), True) - h * _mean(gw * h, (2,), True)) * rstd
        dx = _reshape(dx, size)
    if wanted[1]:
        dw = _sum(_sum(g * _reshape(h, rows), 2), 0)
    if wanted[2]:
        db = _sum(_sum(g, 2), 0)
    return dx, dw, db


_group_norm.derivative(_group_norm_backward, of=("input", "weight", "bias"))


@composite(where=("", "nn.functional"))
def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5):
    """`layer_norm` over each group of channels, with one scale and one shift for each channel.

    y = w_c h + b_c,  h = (x - mean) / (var + eps)^(1/2)            derivatives as of `layer_norm`

    input: (N, C, *), weight and bias: (C,). RuntimeError where C is not divisible by the number of
    groups. Source: Wu and He, arXiv:1803.08494.
    """
    shape = tuple(input.shape)
    if len(shape) < 2:
        raise RuntimeError(
            f"Expected at least 2 dimensions for input tensor but received {len(shape)}"
        )
    if num_groups <= 0:
        raise RuntimeError("Expected num groups to be greater than 0, got " + str(num_groups))
    if math.prod(shape[2:]) * shape[0] * (shape[1] // num_groups) == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {list(shape)}"
        )
    if shape[1] % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of "
            "shape "
            f"{list(shape)} and num_groups={num_groups}"
        )
    for name, p in (("weight", weight), ("bias", bias)):
        if p is not None and tuple(p.shape) != (shape[1],):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in "
                f"input, but got {name} of "
                f"shape {list(p.shape)} and input of shape {list(shape)}"
            )
    return _group_norm(input, weight, bias, num_groups, eps)


group_norm.samples(lambda t: [(t(2, 4, 3), 2, t(4), t(4)), (t(2, 4), 2), (t(2, 4, 2, 2), 1, t(4))])
