"""Normalization of each channel over a batch: batch_norm, instance_norm."""

import math
from typing import Any

import numpy as np

from .._core.device import library
from .._core.state import modes
from .._core.tensor import Tensor
from ..autograd.mutation import record_write
from ..autograd.saving import before_write, before_writes
from .declare import Array, Index, composite, op
from .elementwise import rsqrt
from .helpers import raw
from .loss import refuse_gradient
from .normalize import _check_floats, wide
from .reduce import _mean, _sum
from .shape import _reshape

__all__ = ["batch_norm", "instance_norm"]


def _channel_sums(xp: Any, x: Any) -> Any:
    """The sums over samples and places of (N, C, L), as (C,); the products with ones are added in
    blocks.
    """
    n, channels, length = x.shape
    if length == 1:
        return xp.ones(n, x.dtype).dot(x.reshape(n, channels))
    sums = x.reshape(n * channels, length).dot(xp.ones(length, x.dtype)).reshape(n, channels)
    return xp.add.reduce(sums, 0, np.float64).astype(x.dtype)


def _statistics(xp: Any, x: Any) -> tuple[Any, Any, Any]:
    """Means and variances of the channels, and the deviations from the means."""
    count = x.dtype.type(x.shape[0] * x.shape[2] or math.nan)
    mean = _channel_sums(xp, x) / count
    deviation = x - mean[:, None]
    return mean, _channel_sums(xp, deviation * deviation) / count, deviation


def _rows(array: Any) -> Any:
    """(N, C, *) as (N, C, L)."""
    n, channels = array.shape[:2]
    return _reshape(array, (n, channels, math.prod(array.shape[2:])))


@op(
    where=(), outputs=("output", "mean", "variance"), node="NativeBatchNormBackward0",
    kernel="batch_norm",
)  # fmt: skip
def _batch_norm(
    xp,
    input: Array,
    weight: Array | None,
    bias: Array | None,
    fixed_mean: Index | None,
    fixed_variance: Index | None,
    eps,
):
    """See `batch_norm`. With fixed statistics these are taken, else the batch's."""
    x = _rows(wide(input))
    if fixed_mean is None:
        mean, variance, out = _statistics(xp, x)
    else:
        mean, variance = (s.astype(x.dtype, copy=False) for s in (fixed_mean, fixed_variance))
        out = x - mean[:, None]
    scale = 1 / xp.sqrt(variance + x.dtype.type(eps))
    if weight is not None:
        scale = scale * wide(weight)
    out *= scale[:, None]
    if bias is not None:
        out += wide(bias)[:, None]
    return out.reshape(input.shape).astype(input.dtype, copy=False), mean, variance


def _batch_norm_backward(grad, input, weight, mean, variance, fixed_mean, eps, wanted):
    backward = _recorded if isinstance(grad, Tensor) else batch_norm_backward
    return backward(grad, input, weight, mean, variance, fixed_mean is not None, eps, wanted)


@composite(kernel="batch_norm_backward")
def batch_norm_backward(grad, input, weight, mean, variance, fixed, eps, wanted):
    """dx = r (g w - mean(g w) - h mean(g w h)) with h normalized; g w r where the statistics are
    fixed
    """
    xp = library(grad)
    g, x = _rows(wide(grad)), _rows(wide(input))
    rstd = 1 / xp.sqrt(variance + x.dtype.type(eps))
    h = (x - mean[:, None]) * rstd[:, None]
    sums = _channel_sums(xp, g) if wanted[2] or not fixed else None
    products = _channel_sums(xp, g * h) if wanted[1] or not fixed else None
    dx = None
    if wanted[0]:
        scale = rstd if weight is None else rstd * wide(weight)
        if fixed:
            dx = g * scale[:, None]
        else:
            count = x.dtype.type(1 / (x.shape[0] * x.shape[2] or 1))
            h *= (products * count)[:, None]
            dx = xp.subtract(g, h, h)
            dx -= (sums * count)[:, None]
            dx *= scale[:, None]
        dx = dx.reshape(input.shape).astype(input.dtype, copy=False)
    return dx, products if wanted[1] else None, sums if wanted[2] else None


def _recorded(grad, input, weight, mean, variance, fixed, eps, wanted):
    """The same in differentiable operations."""
    g, x = _rows(grad), _rows(input)
    channels = (1, input.shape[1], 1)
    if fixed:
        deviation = x - _reshape(mean, channels)
        rstd = rsqrt(_reshape(variance, channels) + eps)
    else:
        deviation = x - _mean(x, (0, 2), True)
        rstd = rsqrt(_mean(deviation * deviation, (0, 2), True) + eps)
    h = deviation * rstd
    gw = g if weight is None else g * _reshape(weight, channels)
    dx = None
    if wanted[0]:
        inner = gw if fixed else gw - _mean(gw, (0, 2), True) - h * _mean(gw * h, (0, 2), True)
        dx = _reshape(inner * rstd, tuple(input.shape))
    return dx, _sum(g * h, (0, 2)) if wanted[1] else None, _sum(g, (0, 2)) if wanted[2] else None


_batch_norm.derivative(_batch_norm_backward, of=("input", "weight", "bias"))


def _check_channels(channels: int, **given: Any) -> None:
    for name, p in given.items():
        if p is not None and p.numel() != channels:
            raise RuntimeError(f"{name} should contain {channels} elements not {p.numel()}")


@composite(kernel="batch_norm_update")
def batch_norm_update(mean, variance, batch_mean, batch_variance, momentum, unbias):
    """running = (1 - m) running + m batch, in place on raw arrays, of which one may be None."""
    if mean is not None:
        mean[...] = mean * (1 - momentum) + batch_mean * momentum
    if variance is not None:
        variance[...] = variance * (1 - momentum) + (batch_variance * unbias) * momentum


def _update(running: list[Any], batch: list[Any], momentum: float, unbias: float) -> None:
    """The running mean and variance from the batch's; it counts as a write."""
    if modes:
        before_writes(running)
    arrays = [None if r is None else r._array for r in running]
    batch_norm_update(*arrays, *map(raw, batch), momentum, unbias)
    for array in arrays:
        if array is not None:
            record_write(array)


def _normalized(
    input: Tensor,
    weight: Any,
    bias: Any,
    mean: Any,
    var: Any,
    training: bool,
    momentum: Any,
    eps: float,
) -> Any:
    shape = input._array.shape
    _check_channels(
        shape[1] if len(shape) > 1 else 0,
        running_mean=mean,
        running_var=var,
        weight=weight,
        bias=bias,
    )
    refuse_gradient("native_batch_norm", running_mean=mean, running_var=var)
    _check_floats("batch_norm", *(None if t is None else t._array for t in (input, weight, bias)))
    if not training:
        for name, p in (("running_mean", mean), ("running_var", var)):
            if p is None:
                raise RuntimeError(f"{name} must be defined in evaluation mode")
        return _batch_norm(input, weight, bias, mean, var, eps)[0]
    out, batch_mean, batch_variance = _batch_norm(input, weight, bias, None, None, eps)
    if momentum and (mean is not None or var is not None):
        count = math.prod(shape) // shape[1]
        _update([mean, var], [batch_mean, batch_variance], momentum, count / (count - 1))
    return out


@composite(where=("nn.functional",))
def batch_norm(
    input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5
):
    """Each channel moved to mean 0 and variance 1 over the batch, then scaled and moved.

    y = w h + b,  h = (x - mean) / (var + eps)^(1/2)
    dL/dx = r w (g - mean g - h mean(g h)),  r = (var + eps)^(-1/2);  dL/dw = sum g h,  dL/db = sum
    g

    input: (N, C, *), all else: (C,). In training the statistics are the batch's, and the running
    ones become (1 - momentum) of themselves and `momentum` of the batch's, with the unbiased
    variance; else the running ones are taken, and dL/dx = r w g. ValueError for one value a channel
    in training, RuntimeError for other lengths. Source: Ioffe and Szegedy, arXiv:1502.03167.
    """
    if (
        training
        and input.ndim >= 2
        and input.numel() == input.shape[1]
        or training
        and input.ndim == 1
    ):
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {input.shape}"
        )
    return _normalized(input, weight, bias, running_mean, running_var, training, momentum, eps)


@composite(where=("nn.functional",))
def instance_norm(
    input,
    running_mean=None,
    running_var=None,
    weight=None,
    bias=None,
    use_input_stats=True,
    momentum=0.1,
    eps=1e-5,
):
    """Each channel of each sample moved to mean 0 and variance 1, then scaled and moved.

    y = w_c h + b_c,  h = (x - mean) / (var + eps)^(1/2)            derivatives as of `batch_norm`

    input: (N, C, *), all else: (C,). The running statistics take the mean over the samples.
    ValueError for one value a channel. Source: Ulyanov, Vedaldi and Lempitsky, arXiv:1607.08022.
    """
    shape = tuple(input.shape)
    if use_input_stats and math.prod(shape[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 spatial element when training, got input size {input.shape}"
        )
    if len(shape) < 2:
        raise RuntimeError(
            f"Expected at least 2 dimensions for input tensor but received {len(shape)}"
        )
    n, channels = shape[:2]

    def repeated(p: Any) -> Any:
        return None if p is None else p.repeat(n)

    means, variances = repeated(running_mean), repeated(running_var)
    flat = _reshape(input, (1, n * channels, *shape[2:]))
    options = (repeated(weight), repeated(bias), means, variances)
    out = _normalized(flat, *options, use_input_stats, momentum, eps)
    for running, each in ((running_mean, means), (running_var, variances)):
        if running is not None and use_input_stats:
            if modes:
                before_write(running)
            running._array[...] = raw(each).reshape(n, channels).mean(0)
            record_write(running._array)
    return _reshape(out, shape)


batch_norm.samples(
    lambda t: [
        (t(4, 3), None, None, t(3), t(3), True),
        (t(2, 3, 4), None, None, None, None, True),
        (t(4, 3), t.fixed(3), t.fixed(3, low=0.5, high=2.0), t(3), t(3)),
    ]
)
instance_norm.samples(lambda t: [(t(2, 3, 4),), (t(2, 3, 2, 2), None, None, t(3), t(3))])
