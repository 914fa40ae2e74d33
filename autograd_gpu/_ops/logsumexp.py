"""The logarithm of a sum of exponentials."""

from .._core.dtype import default
from .._core.layout import normal_dims
from .declare import Array, composite, op
from .helpers import conj, raw
from .shape import spread
from .summing import add_reduce, extreme, wide

__all__ = ["logsumexp"]


@op(kernel=True)
def logsumexp(xp, input: Array, dim, keepdim=False):
    """ln of the sum of e^x over `dim` (an int or a tuple of ints), without overflow.

    y = ln sum e^x            dL/dx = g e^(x - y)

    Integers become the default float. -infinity over no elements; where all are -infinity, the
    derivative is NaN.
    """
    dtype = input.dtype if input.dtype.kind not in "biu" else default()
    array = wide(input.astype(dtype, copy=False))
    dims = normal_dims(dim, input.ndim, "logsumexp")
    real = array.real if dtype.kind == "c" else array
    if not array.size:
        return xp.log(add_reduce(xp, array, dims, keepdim)).astype(dtype)
    top = extreme(xp, True, real, dims, True)
    top = xp.where(xp.isinf(top), top.dtype.type(0), top)
    total = xp.log(add_reduce(xp, xp.exp(array - top), dims, True)) + top
    return (
        total if keepdim else total.reshape([n for d, n in enumerate(input.shape) if d not in dims])
    ).astype(dtype)


logsumexp.derivative(
    input=lambda grad, input, out, dim, keepdim: logsumexp_backward(grad, input, out, dim, keepdim)
)


@composite(kernel="logsumexp_backward")
def logsumexp_backward(grad, input, out, dim, keepdim):
    """g e^(x - y)*"""
    from .elementwise import exp

    size = raw(input).shape
    return spread(grad, size, dim, keepdim) * conj(exp(input - spread(out, size, dim, keepdim)))


logsumexp.samples(
    lambda t: [(t(4), 0), (t(2, 3, 4), (0, -1), True), (t(2, 3), 1), (t.strided(3, 4), 0), (t(), 0)]
)
