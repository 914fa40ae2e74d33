"""Products over dimensions."""

import numpy as np

from .._core.layout import normal_dim
from .._core.tensor import Tensor
from .along import reverse, shift
from .cumulative import cumprod
from .declare import Array, composite, op
from .helpers import conj, raw
from .shape import _reshape, spread
from .summing import wide

__all__ = ["prod"]


def _product(xp, input, dim, keepdim):
    dtype = input.dtype
    if dtype.kind in "biu":
        return xp.multiply.reduce(input, dim, np.int64, None, keepdim)
    if dtype.itemsize == 2:
        return xp.multiply.reduce(wide(input), dim, None, None, keepdim).astype(dtype)
    return xp.multiply.reduce(input, dim, None, None, keepdim)


@op(where=(), node="ProdBackward0")
def _prod_all(xp, input: Array):
    """See `prod`."""
    return _product(xp, input, None, False)


_prod_all.derivative(input=lambda grad, input, out: _prod_backward(grad, input, out, None, False))


@op(where=(), node="ProdBackward1")
def _prod(xp, input: Array, dim, keepdim=False):
    """See `prod`."""
    return _product(
        xp,
        input,
        normal_dim(dim, input.ndim, "prod") if input.ndim or dim not in (0, -1) else None,
        keepdim,
    )


_prod.derivative(
    input=lambda grad, input, out, dim, keepdim: _prod_backward(grad, input, out, dim, keepdim)
)


def _prod_backward(grad, input, out, dim, keepdim):
    """g y / x, where nothing is 0 and nobody differentiates it again; else g times the product of
    all others.
    """
    size = raw(input).shape
    if not isinstance(grad, Tensor) and raw(input).all():
        return spread(grad * conj(out), size, dim, keepdim) / conj(input)
    return spread(grad, size, dim, keepdim) * conj(_others(input, dim))


def _others(input, dim):
    """For each element the product of all others along `dim`: of those before, times that of those
    after.
    """
    size = raw(input).shape
    if dim is None or not size:
        input, dim = _reshape(input, (-1,)), 0
    d = normal_dim(dim, raw(input).ndim)
    before = shift(cumprod(input, d), d, 1, 1)
    after = reverse(shift(cumprod(reverse(input, d), d), d, 1, 1), d)
    return _reshape(before * after, tuple(size))


@composite(where=("", "Tensor"))
def prod(input, dim=None, keepdim=False, *, dtype=None, out=None):
    """Product of all elements, or over one dimension.

    y = prod x            dL/dx_i = g prod of x_j over j != i
    (exact where there are zeros)

    Integers and bools are multiplied as int64; `dtype`: the input is cast first. TypeError for
    several dimensions.
    """
    if dtype is not None:
        input = input.to(dtype)
    return _prod_all(input, out=out) if dim is None else _prod(input, dim, keepdim, out=out)


_prod_all.samples(lambda t: [(t(2, 3),), (t(),), (t.strided(3, 4),)])
_prod.samples(lambda t: [(t(2, 3, 4), 1), (t(2, 3), -1, True), (t(), 0), (t.strided(3, 4), 0)])
prod.samples(lambda t: [(t(2, 3),), (t(2, 3), 1)])
