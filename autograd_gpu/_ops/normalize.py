"""Normalization of each sample: layer_norm, rms_norm, local_response_norm."""

import math
from typing import Any

import numpy as np

from .._core.device import library
from .._core.dtype import finfo, of
from .._core.tensor import Tensor
from .declare import Array, composite, op
from .elementwise import rsqrt
from .helpers import conj, is_complex
from .reduce import _mean, _sum
from .shape import _reshape

__all__ = ["layer_norm", "local_response_norm", "rms_norm"]

_BLOCK = 1 << 15
"""Elements that are worked on at once: they stay in the processor's cache through all steps."""


def blocks(rows: int, width: int, xp: Any) -> list[slice]:
    """Ranges of rows of a matrix, each of about `_BLOCK` elements."""
    step = max(1, _BLOCK // max(width, 1)) if xp is np else max(rows, 1)
    return [slice(i, i + step) for i in range(0, rows, step)]


def wide(array: Any) -> Any:
    """Half types as float32."""
    return array.astype(np.float32) if array is not None and array.dtype.itemsize == 2 else array


# ---- over rows: (R, n) matrices, each row on its own


def _row_statistics(xp: Any, d: Any, x: Any, ones: Any, eps: float) -> tuple[Any, Any]:
    """Means and reciprocal standard deviations of rows; the deviations from the means are left in
    `d`.
    """
    n = x.dtype.type(x.shape[1] or math.nan)
    mean = (x.dot(ones) / n)[:, None]
    xp.subtract(x, mean, d)
    variance = (np.vecdot(d, d) if xp is np else (d * d).dot(ones)) / n
    return mean, (1 / xp.sqrt(variance + x.dtype.type(eps)))[:, None]


def _normalize_rows(xp: Any, x: Any, weight: Any, bias: Any, eps: float) -> tuple[Any, Any, Any]:
    rows, n = x.shape
    out = xp.empty((rows, n), x.dtype)
    mean, rstd = xp.empty((rows, 1), x.dtype), xp.empty((rows, 1), x.dtype)
    ones = xp.ones(n, x.dtype)
    if out.size <= _BLOCK:
        mean, rstd = _row_statistics(xp, out, x, ones, eps)
        out *= rstd
        if weight is not None:
            out *= weight
        if bias is not None:
            out += bias
        return out, mean, rstd
    for part in blocks(rows, n, xp):
        d = out[part]
        mean[part], rstd[part] = _row_statistics(xp, d, x[part], ones, eps)
        d *= rstd[part]
        if weight is not None:
            d *= weight
        if bias is not None:
            d += bias
    return out, mean, rstd


def _rows_backward(
    xp: Any, grad: Any, x: Any, weight: Any, mean: Any, rstd: Any, wanted: tuple
) -> tuple:
    """dx = r (g w - mean(g w) - h mean(g w h)) with h the normalized rows; dw = sum g h; db = sum
    g.
    """
    rows, n = x.shape
    ones = xp.ones(n, x.dtype)
    number = x.dtype.type(1 / (n or 1))
    dx: Any = xp.empty((rows, n), x.dtype) if wanted[0] else None
    dw: Any = xp.zeros(n, x.dtype) if wanted[1] else None
    db: Any = xp.zeros(n, x.dtype) if wanted[2] else None
    for part in blocks(rows, n, xp):
        g, r = grad[part], rstd[part]
        h = x[part] - mean[part]
        product = g * h
        if wanted[2]:
            db += xp.ones(len(g), x.dtype).dot(g)
        if wanted[1]:
            dw += r[:, 0].dot(product)
        if wanted[0]:
            gw = g if weight is None else xp.multiply(g, weight, dx[part])
            along = product.dot(ones if weight is None else weight) * number
            h *= along[:, None] * r * r
            h += (gw.dot(ones) * number)[:, None]
            xp.subtract(gw, h, dx[part])
            dx[part] *= r
    return dx, dw, db


def _check_normalized(
    shape: tuple, normalized_shape: tuple, star: str = "*, ", **parameters: Any
) -> None:
    n = len(normalized_shape)
    if not n:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least "
            "one element, but got "
            f"normalized_shape = {list(normalized_shape)}"
        )
    for name, given in parameters.items():
        if given is not None and tuple(given.shape) != normalized_shape:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(given.shape)} and normalized_shape = {list(normalized_shape)}"
            )
    if tuple(shape[len(shape) - n :]) != normalized_shape or len(shape) < n:
        inner = ", ".join(map(str, normalized_shape))
        raise RuntimeError(
            f"Given normalized_shape={list(normalized_shape)}, expected input with shape "
            f"[{star}{inner}], but got "
            f"input of size{list(shape)}"
        )


def _check_floats(name: str, input: Any, *parameters: Any) -> None:
    if input.dtype.kind in "biuc":
        raise NotImplementedError(f"\"{name}\" not implemented for '{of(input.dtype).legacy}'")
    for p in parameters:
        half_beside_float = input.dtype.itemsize == 2 and p is not None and p.dtype == np.float32
        if p is not None and p.dtype != input.dtype and not half_beside_float:
            raise RuntimeError(
                "mixed dtype (CPU): expect parameter to have scalar type of "
                f"{of(input.dtype).legacy}"
            )


@op(where=(), node="NativeLayerNormBackward0", caches=("mean", "rstd"), kernel="layer_norm")
def _layer_norm(xp, input: Array, weight: Array | None, bias: Array | None, shape, eps):
    """See `layer_norm`."""
    if input.dtype.char not in "fd" or any(
        p is not None and p.dtype is not input.dtype for p in (weight, bias)
    ):
        _check_floats("LayerNormKernelImpl", input, weight, bias)
    n = math.prod(shape)
    rows = input.size // n if n else math.prod(input.shape[: input.ndim - len(shape)])
    w, b = (None if p is None else wide(p).reshape(n) for p in (weight, bias))
    out, mean, rstd = _normalize_rows(xp, wide(input).reshape(rows, n), w, b, eps)
    return out.reshape(input.shape).astype(input.dtype, copy=False), mean, rstd


def _layer_norm_backward(grad, input, weight, mean, rstd, shape, eps, wanted):
    if mean is None:
        return _layer_norm_recorded(grad, input, weight, shape, eps, wanted)
    return layer_norm_backward(grad, input, weight, mean, rstd, shape, wanted)


@composite(kernel="layer_norm_backward")
def layer_norm_backward(grad, input, weight, mean, rstd, shape, wanted):
    """See `_rows_backward`; of raw arrays."""
    n = math.prod(shape)
    size = (len(mean), n)
    w = None if weight is None else wide(weight).reshape(n)
    g, x = wide(grad).reshape(size), wide(input).reshape(size)
    dx, dw, db = _rows_backward(library(grad), g, x, w, mean, rstd, wanted)
    dx = None if dx is None else dx.reshape(input.shape).astype(input.dtype, copy=False)
    dw, db = (None if p is None else p.reshape(shape) for p in (dw, db))
    return dx, dw, db


def _layer_norm_recorded(grad, input, weight, shape, eps, wanted):
    """The same in differentiable operations."""
    lead = tuple(range(input.ndim - len(shape)))
    dims = tuple(range(len(lead), input.ndim))
    deviation = input - _mean(input, dims, True)
    rstd = rsqrt(_mean(deviation * deviation, dims, True) + eps)
    h = deviation * rstd
    gw = grad if weight is None else grad * weight
    dx = (gw - _mean(gw, dims, True) - h * _mean(gw * h, dims, True)) * rstd if wanted[0] else None
    dw = (_sum(grad * h, lead) if lead else grad * h) if wanted[1] else None
    db = (_sum(grad, lead) if lead else grad) if wanted[2] else None
    return dx, dw, db


_layer_norm.derivative(_layer_norm_backward, of=("input", "weight", "bias"))


@composite(where=("", "nn.functional"))
def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    """Each sample moved to mean 0 and variance 1 over its last dimensions, then scaled and moved.

    y = w h + b,  h = (x - mean) / (var + eps)^(1/2)
    dL/dx = r (g w - mean(g w) - h mean(g w h)),  r = (var + eps)^(-1/2);  dL/dw = sum g h,  dL/db =
    sum g

    The variance is that of the sample (divided by n). Half types are computed in float32.
    RuntimeError for shapes that do not fit. Source: Ba, Kiros and Hinton, arXiv:1607.06450.
    """
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    usual = shape and all(p is None or p._array.shape == shape for p in (weight, bias))
    if not usual or input._array.shape[-len(shape) :] != shape:
        _check_normalized(tuple(input.shape), shape, weight=weight, bias=bias)
    return _layer_norm(input, weight, bias, shape, eps)


# ---- without a mean


@op(where=(), promote="same", node="MulBackward0", caches=("rstd",), kernel="rms_norm")
def _rms_norm(xp, input: Array, weight: Array | None, count, eps):
    """See `rms_norm`; over the last `count` dimensions."""
    x = wide(input)
    dims = tuple(range(x.ndim - count, x.ndim))
    n = math.prod(x.shape[d] for d in dims)
    flat = x.reshape(x.size // n if n else 0, n)
    rstd = 1 / xp.sqrt(
        (flat * flat).dot(xp.ones(n, x.dtype)) / x.dtype.type(n or math.nan) + x.dtype.type(eps)
    )
    rstd = rstd.reshape(*x.shape[: x.ndim - count], *(1,) * count)
    out = x * rstd
    if weight is not None:
        out *= wide(weight)
    return out.astype(input.dtype, copy=False), rstd.astype(input.dtype, copy=False)


def _rms_norm_backward(grad, input, weight, rstd, count, eps, wanted):
    if rstd is not None:
        return rms_norm_backward(grad, input, weight, rstd, count, wanted)
    dims = tuple(range(input.ndim - count, input.ndim))
    rstd = rsqrt(_mean(input * input, dims, True) + eps)
    return _rms_backward(grad, input, weight, rstd, count, wanted)


@composite(kernel="rms_norm_backward")
def rms_norm_backward(grad, input, weight, rstd, count, wanted):
    """See `_rms_backward`; of raw arrays."""
    return _rms_backward(grad, input, weight, rstd, count, wanted)


def _rms_backward(grad, input, weight, rstd, count, wanted):
    """dx = r (g w - h mean(g w h)) with h = r x; dw = sum g h; raw and recorded alike. r, w and h
    are conjugated where they are complex."""
    lead = tuple(range(input.ndim - count))
    dims = tuple(range(len(lead), input.ndim))
    h = input * rstd
    if is_complex(h):
        h, rstd, weight = conj(h), conj(rstd), conj(weight)
    gw = grad if weight is None else grad * weight
    dx = (gw - h * _mean(gw * h, dims, True)) * rstd if wanted[0] else None
    dw = (_sum(grad * h, lead) if lead else grad * h) if wanted[1] else None
    return dx, dw


_rms_norm.derivative(_rms_norm_backward, of=("input", "weight"))


@composite(where=("", "nn.functional"))
def rms_norm(input, normalized_shape, weight=None, eps=None):
    """Each sample divided by the root of the mean of its squares over its last dimensions, then
    scaled.

    y = w h,  h = x r,  r = (mean x^2 + eps)^(-1/2)
    dL/dx = r (g w - h mean(g w h)),  dL/dw = sum g h

    `eps`: the dtype's own where it is None. RuntimeError for shapes that do not fit.
    Source: Zhang and Sennrich, arXiv:1910.07467.
    """
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    _check_normalized(tuple(input.shape), shape, "*", weight=weight)
    if eps is None:
        eps = finfo(input.dtype).eps
    return _rms_norm(input, weight, len(shape), eps)


@composite(where=("nn.functional",))
def local_response_norm(input, size, alpha=1e-4, beta=0.75, k=1.0):
    """Each element divided by a power of the sum of squares of its neighbours among the channels.

    y_c = x_c / (k + alpha / n sum x_d^2)^beta,  d the n channels about c
    derivatives through these steps

    input: (N, C, *). Source: Krizhevsky, Sutskever and Hinton, NIPS 2012.
    """
    if input.ndim < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality input (got {input.ndim} dimensions)"
        )
    if input.numel() == 0:
        return input
    from .avg_pool import avg_pool2d

    n, channels = input.shape[:2]
    squares = _padded_channels(
        _reshape(input * input, (n, 1, channels, input.numel() // (n * channels))), size
    )
    sums = _reshape(avg_pool2d(squares, (size, 1), 1), tuple(input.shape))
    return input / (sums * alpha + k) ** beta


def _padded_channels(squares: Tensor, size: int) -> Tensor:
    """Zeros before and after the channels: one less after than before for an even size."""
    from .join import cat

    n, _, _, rest = squares.shape
    before, after = size // 2, (size - 1) // 2
    zeros = [Tensor.new_zeros(squares, (n, 1, m, rest)) for m in (before, after)]  # type: ignore[attr-defined]
    return cat([zeros[0], squares, zeros[1]], 2)


layer_norm.samples(
    lambda t: [
        (t(3, 4), (4,)),
        (t(3, 4), (4,), t(4), t(4)),
        (t(2, 3, 4), (3, 4), t(3, 4), t(3, 4)),
        (t(4), (4,), t(4)),
    ]
)
rms_norm.samples(
    lambda t: [(t(3, 4), (4,)), (t(2, 3, 4), (3, 4), t(3, 4)), (t(3, 4), (4,), t(4), 0.1)]
)
