"""Variance and standard deviation in two passes, the mean first: large means cost no digits."""

import warnings
from typing import Any

import numpy as np

from .._core.layout import normal_dims
from .declare import Array, composite, op
from .helpers import like, raw
from .reduce import _divided, _mean, count
from .select import masked_fill
from .shape import spread
from .summing import add_reduce, wide

__all__ = ["std", "std_mean", "var", "var_mean"]


def _moments(xp, input, dim, correction, keepdim):
    """The variance, and the mean with its dimensions kept."""
    dtype = input.dtype
    if dtype.kind in "biu":
        raise RuntimeError("std and var only support floating point and complex dtypes")
    dims = normal_dims(dim, input.ndim, "var")
    free = count(input.shape, dims) - correction
    if free <= 0:
        warnings.warn(
            "var(): degrees of freedom is <= 0. Correction should be strictly less than the "
            "reduction factor (input numel divided by output numel).",
            UserWarning,
            stacklevel=5,
        )
    array = wide(input)
    mean = _divided(xp, array, dims, True)
    apart = array - mean
    square = (
        apart.real * apart.real + apart.imag * apart.imag if dtype.kind == "c" else apart * apart
    )
    total = add_reduce(xp, square, dims, keepdim)
    return total / total.dtype.type(max(free, 0)), mean, dtype


def _shaped(mean, shape, dim, keepdim):
    return mean if keepdim or not shape else mean.squeeze(normal_dims(dim, len(shape)))


def _narrow(array, dtype):
    return array if dtype.itemsize != 2 else array.astype(dtype)


@op(where=(), node="VarBackward0", kernel="var")
def _var(xp, input: Array, dim, correction, keepdim):
    """See `var`."""
    out, _, dtype = _moments(xp, input, dim, correction, keepdim)
    return _narrow(out, dtype)


_var.derivative(
    input=lambda grad, input, dim, correction, keepdim: var_backward(
        grad, input, dim, correction, keepdim
    )
)


@composite(kernel="var_backward")
def var_backward(grad, input, dim, correction, keepdim):
    """2 g (x - mean x) / (n - correction)"""
    size = raw(input).shape
    free = count(size, dim) - correction
    apart = input - _mean(input, dim, True)
    if free > 0:
        return spread(grad * (2.0 / free), size, dim, keepdim) * apart
    # All is infinite, and what does not vary NaN: the sign of an infinite g alone decides.
    return spread(grad, size, dim, keepdim) * like(
        np.where(raw(apart) == 0, np.nan, np.inf).astype(raw(apart).dtype), grad
    )


@op(where=(), node="StdBackward0", kernel="std")
def _std(xp, input: Array, dim, correction, keepdim):
    """See `std`."""
    out, _, dtype = _moments(xp, input, dim, correction, keepdim)
    return _narrow(xp.sqrt(out), dtype)


_std.derivative(
    input=lambda grad, input, out, dim, correction, keepdim: _std_backward(
        grad, input, out, dim, correction, keepdim
    )
)


def _std_backward(grad, input, out, dim, correction, keepdim):
    zero = like(raw(out) == 0, grad)
    scaled = masked_fill(grad / (masked_fill(out, zero, 1) * 2), zero, 0)
    return var_backward(scaled, input, dim, correction, keepdim)


@op(
    where=(), outputs=("var", "mean"), relays=("var", "mean"), node="VarMeanBackward0",
    kernel="var_mean",
)  # fmt: skip
def _var_mean(xp, input: Array, dim, correction, keepdim):
    """See `var_mean`."""
    out, mean, dtype = _moments(xp, input, dim, correction, keepdim)
    return _narrow(out, dtype), _narrow(_shaped(mean, input.shape, dim, keepdim), dtype)


_var_mean.derivative(
    input=lambda grad_var, grad_mean, input, dim, correction, keepdim: (
        var_backward(grad_var, input, dim, correction, keepdim)
        + _mean_backward(grad_mean, input, dim, keepdim)
    )
)


def _mean_backward(grad, input, dim, keepdim):
    size = raw(input).shape
    return spread(grad / (count(size, dim) or np.nan), size, dim, keepdim)


@op(
    where=(), outputs=("std", "mean"), relays=("std", "mean"), node="StdMeanBackward0",
    kernel="std_mean",
)  # fmt: skip
def _std_mean(xp, input: Array, dim, correction, keepdim):
    """See `std_mean`."""
    out, mean, dtype = _moments(xp, input, dim, correction, keepdim)
    return _narrow(xp.sqrt(out), dtype), _narrow(_shaped(mean, input.shape, dim, keepdim), dtype)


_std_mean.derivative(
    input=lambda grad_std, grad_mean, input, std, dim, correction, keepdim: (
        _std_backward(grad_std, input, std, dim, correction, keepdim)
        + _mean_backward(grad_mean, input, dim, keepdim)
    )
)


def _options(name: str, dim: Any, unbiased: Any, correction: Any) -> tuple[Any, Any]:
    """The dimensions and the correction, from whichever of the three forms of call was used."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError(
            f"{name}() received both unbiased and correction; they say the same, so give one"
        )
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    return dim, correction


@composite(where=("", "Tensor"))
def var(input, dim=None, unbiased=None, keepdim=False, *, correction=None, out=None):
    """Variance over all elements, or over `dim` (an int or a tuple of ints).

    y = sum |x - m|^2 / max(n - correction, 0)            dL/dx = 2 g (x - m) / (n - correction)
    m: the mean

    `correction`: 1 unless given (`unbiased=False` means 0). Real for complex numbers. RuntimeError
    for integers; a warning where n is not above the correction, and NaN or infinity.
    """
    dim, correction = _options("var", dim, unbiased, correction)
    return _var(input, dim, correction, keepdim, out=out)


@composite(where=("", "Tensor"))
def std(input, dim=None, unbiased=None, keepdim=False, *, correction=None, out=None):
    """Standard deviation over all elements, or over `dim`: the root of the variance; arguments as
    in `var`.

    y = var(x)^(1/2)            dL/dx = g (x - m) / (y (n - correction)), and 0 where y = 0
    m: the mean
    """
    dim, correction = _options("std", dim, unbiased, correction)
    return _std(input, dim, correction, keepdim, out=out)


@composite(where=("",))
def var_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None, out=None):
    """The variance and the mean, as a tuple; arguments and derivatives as in `var` and `mean`."""
    dim, correction = _options("var_mean", dim, unbiased, correction)
    return _var_mean(input, dim, correction, keepdim, out=out)


@composite(where=("",))
def std_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None, out=None):
    """The standard deviation and the mean, as a tuple; arguments and derivatives as in `std` and
    `mean`.
    """
    dim, correction = _options("std_mean", dim, unbiased, correction)
    return _std_mean(input, dim, correction, keepdim, out=out)


def _calls(t: Any) -> list:
    return [
        (t(5), None, 1, False),
        (t(2, 3, 4), (0, 2), 0, True),
        (t(3, 4), 1, 1, False),
        (t.strided(3, 4), 0, 1, False),
    ]


for _f in (_var, _std, _var_mean, _std_mean):
    _f.samples(_calls)
for _f in (var, std, var_mean, std_mean):
    _f.samples(
        lambda t: [
            (t(3, 4),),
            (t(3, 4), 1),
            (t(3, 4), 0, False, True),
            (t(3, 4), {"correction": 2}),
        ]
    )
