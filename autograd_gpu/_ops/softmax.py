"""Softmax, its logarithm and softmin, over one dimension."""

import warnings
from functools import lru_cache
from typing import Any

import numpy as np

from .._core.dtype import numpy_of
from .._core.layout import normal_dim
from .convert import _cast
from .declare import PUBLIC, Array, composite, op
from .elementwise import exp
from .errors import not_implemented
from .reduce import _sum

__all__ = ["log_softmax", "softmax", "softmin"]


def _prepared(name: str, input: Any, dim: Any) -> tuple[Any, int]:
    """A floating array (half types as float32) and the dimension counted from the front."""
    if input.dtype.char in "fd":
        return input, normal_dim(dim, input.ndim, name)
    if input.dtype.itemsize != 2 or input.dtype.kind in "iu":
        raise not_implemented(f"{name}_lastdim_kernel_impl", input.dtype)
    return input.astype(np.float32), normal_dim(dim, input.ndim, name)


def softmax_forward(xp: Any, x: Any, dim: int) -> Any:
    """e^(x - max) / sum e^(x - max)"""
    if not x.size or not x.ndim:
        return xp.ones_like(x) if xp.isfinite(x).all() else x - x
    out = x - xp.maximum.reduce(x, dim, None, None, True)
    xp.exp(out, out)
    out /= _sums(xp, out, dim)
    return out


def _sums(xp: Any, array: Any, dim: int) -> Any:
    """The sums along a dimension, which stays; along a long last one as products with ones."""
    n = array.shape[dim]
    if dim == array.ndim - 1 and n >= 32 and xp is np:
        return array.dot(_ones(n, array.dtype))[..., None]
    return xp.add.reduce(array, dim, None, None, True)


@lru_cache(64)
def _ones(n: int, dtype: np.dtype) -> Any:
    return np.ones(n, dtype)


def log_softmax_forward(xp: Any, x: Any, dim: int) -> Any:
    """x - max - ln sum e^(x - max)"""
    if not x.size or not x.ndim:
        return x - x
    out = x - xp.maximum.reduce(x, dim, None, None, True)
    out -= xp.log(_sums(xp, xp.exp(out), dim))
    return out


@op(where=(), node="SoftmaxBackward0", kernel="softmax")
def _softmax(xp, input: Array, dim):
    """See `softmax`."""
    x, dim = _prepared("softmax", input, dim)
    out = softmax_forward(xp, x, dim)
    return out if x is input else out.astype(input.dtype)


@op(where=(), node="LogSoftmaxBackward0", kernel="log_softmax")
def _log_softmax(xp, input: Array, dim):
    """See `log_softmax`."""
    x, dim = _prepared("log_softmax", input, dim)
    out = log_softmax_forward(xp, x, dim)
    return out if x is input else out.astype(input.dtype)


_softmax.derivative(input=lambda grad, out, dim: softmax_backward(grad, out, dim))
_log_softmax.derivative(input=lambda grad, out, dim: log_softmax_backward(grad, out, dim))


@composite(kernel="softmax_backward")
def softmax_backward(grad, out, dim):
    """y (g - sum g y)"""
    product = grad * out
    if product.__class__ is np.ndarray and product.ndim and product.dtype.char in "fd":
        product -= out * _sums(np, product, normal_dim(dim, product.ndim))
        return product
    return product - out * _sum(product, dim, True)


@composite(kernel="log_softmax_backward")
def log_softmax_backward(grad, out, dim):
    """g - e^y sum g"""
    if grad.__class__ is np.ndarray and grad.ndim and grad.dtype.char in "fd":
        powers = np.exp(out)
        powers *= _sums(np, grad, normal_dim(dim, grad.ndim))
        return np.subtract(grad, powers, powers)
    return grad - exp(out) * _sum(grad, dim, True)


def implicit_dim(name: str, ndim: int) -> int:
    """The dimension that is taken, with a warning, where none is given."""
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include "
        "dim=X as an argument.",
        stacklevel=4,
    )
    return 0 if ndim in (0, 1, 3) else 1


def _converted(input: Any, dtype: Any) -> Any:
    return (
        input if dtype is None else _cast(input, numpy_of(dtype)) if input.dtype != dtype else input
    )


@composite(where=("", "Tensor"))
def softmax(input, dim, dtype=None, *, out=None):
    """Positive numbers that add to 1 along `dim`.

    y_i = e^x_i / sum_j e^x_j            dL/dx = y (g - sum g y)

    The largest element is taken off first, so that nothing overflows. `dtype`: the input is cast
    first. NotImplementedError for integers without `dtype`.
    """
    return _softmax(_converted(input, dtype), dim, out=out)


@composite(where=("", "Tensor"))
def log_softmax(input, dim, dtype=None, *, out=None):
    """The logarithm of the softmax along `dim`, without overflow or ln 0.

    y_i = x_i - ln sum_j e^x_j            dL/dx = g - e^y sum g

    `dtype`: the input is cast first. NotImplementedError for integers without `dtype`.
    """
    return _log_softmax(_converted(input, dtype), dim, out=out)


def _functional_softmax(input, dim=None, _stacklevel=3, dtype=None):
    """Softmax along `dim`: positive numbers that add to 1.

    y_i = e^x_i / sum_j e^x_j            dL/dx = y (g - sum g y)

    Without `dim` a dimension is guessed, with a warning. `dtype`: the input is cast first.
    """
    if dim is None:
        dim = implicit_dim("softmax", input.ndim)
    return _softmax(_converted(input, dtype), dim)


def _functional_log_softmax(input, dim=None, _stacklevel=3, dtype=None):
    """The logarithm of the softmax along `dim`.

    y_i = x_i - ln sum_j e^x_j            dL/dx = g - e^y sum g

    Without `dim` a dimension is guessed, with a warning. `dtype`: the input is cast first.
    """
    if dim is None:
        dim = implicit_dim("log_softmax", input.ndim)
    return _log_softmax(_converted(input, dtype), dim)


_functional_softmax.__name__, _functional_log_softmax.__name__ = "softmax", "log_softmax"
PUBLIC["nn.functional"].update(softmax=_functional_softmax, log_softmax=_functional_log_softmax)
PUBLIC.setdefault("special", {}).update(softmax=softmax, log_softmax=log_softmax)


@composite(where=("nn.functional",))
def softmin(input, dim=None, _stacklevel=3, dtype=None):
    """The softmax of -x.

    y_i = e^-x_i / sum_j e^-x_j            dL/dx = -y (g - sum g y)
    """
    if dim is None:
        dim = implicit_dim("softmin", input.ndim)
    return _softmax(_converted(-input, dtype), dim)


for _f in (softmax, log_softmax, softmin):
    _f.samples(
        lambda t: [
            (t(3), 0),
            (t(2, 3, 4), 1),
            (t(2, 3), -1),
            (t(), 0),
            (t(0, 3), 1),
            (t(2, 0), 1),
            (t.strided(3, 4), 0),
        ]
    )
