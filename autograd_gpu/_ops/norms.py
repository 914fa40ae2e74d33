"""Lengths of vectors."""

import math
from typing import Any

from .._core.dtype import can_cast, numpy_of, of
from .._core.layout import normal_dims
from .._core.tensor import Tensor
from .declare import PUBLIC, Array, composite, op
from .helpers import like, no_gradient, raw
from .select import masked_fill
from .shape import _reshape, spread
from .signs import abs, sgn
from .summing import add_reduce, extreme, wide

__all__ = ["norm", "vector_norm"]


def length(xp: Any, input: Any, p: float, dim: Any, keepdim: bool) -> Any:
    """(sum |x|^p)^(1/p) of raw arrays, real; half types in float32."""
    dtype, dims = input.dtype, normal_dims(dim, input.ndim, "linalg.vector_norm")
    if (p < 0 or p == math.inf) and not all(input.shape[d] for d in dims):
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {p:g} norm on an empty tensor because the "
            "operation does not have an identity"
        )
    array = wide(input)
    if p == 2:
        if len(dims) == array.ndim and array.flags.c_contiguous and array.dtype.kind == "f":
            flat = array.reshape(-1)
            out = xp.sqrt(flat.dot(flat))
            out = out.reshape((1,) * array.ndim) if keepdim else out
        else:
            square = array.real**2 + array.imag**2 if array.dtype.kind == "c" else array * array
            out = xp.sqrt(add_reduce(xp, square, dims, keepdim))
    elif p == 0:
        kind = array.real.dtype
        out = add_reduce(xp, array != 0, dims, keepdim).astype(kind)
    elif p in (math.inf, -math.inf):
        out = extreme(xp, p > 0, xp.abs(array), dims, keepdim)
    else:
        out = add_reduce(xp, xp.abs(array) if p == 1 else xp.abs(array) ** p, dims, keepdim)
        out = out if p == 1 else out ** (1 / p)
    return out.astype(dtype) if dtype.itemsize == 2 else out


@op(where=(), node="LinalgVectorNormBackward0", kernel="vector_norm")
def _vector_norm(xp, input: Array, ord, dim, keepdim=False):
    """See `vector_norm`."""
    return length(xp, input, ord, dim, keepdim)


_vector_norm.derivative(
    input=lambda grad, input, out, ord, dim, keepdim: norm_backward(
        grad, input, out, ord, dim, keepdim
    )
)


@composite(kernel="norm_backward")
def norm_backward(grad, input, out, p, dim, keepdim):
    """g sgn(x) (|x| / y)^(p - 1), and 0 where x or y is 0: the smallest subgradient there."""
    size = raw(input).shape
    if p == 0:
        return spread(no_gradient(grad), size, dim, keepdim)
    if not keepdim and size:
        dims = normal_dims(dim, len(size))
        kept = tuple([1 if d in dims else n for d, n in enumerate(size)])
        grad, out = _reshape(grad, kept), _reshape(out, kept)
    if p == 1:
        return sgn(input) * grad
    if p in (math.inf, -math.inf):
        ties = raw(abs(input)) == raw(out)
        n = ties.sum(normal_dims(dim, len(size)), keepdims=True).astype(raw(grad).dtype)
        return sgn(input) * masked_fill(grad / like(n, grad), like(~ties, grad), 0)
    zero = like(raw(out) == 0, grad)
    if p == 2 and isinstance(grad, Tensor):  # x / 0 is masked last: its own derivative stays NaN
        return grad * masked_fill(input / out, zero, 0)
    if p == 2:
        return input * masked_fill(grad / out, zero, 0)
    safe = masked_fill(out, zero, 1)
    size_of = masked_fill(abs(input), like(raw(input) == 0, grad), 1)
    return sgn(input) * size_of ** (p - 1) * masked_fill(grad * safe ** (1 - p), zero, 0)


def _order(value: Any) -> float:
    if isinstance(value, Tensor):
        value = value.item()
    if isinstance(value, (str, complex)) or not hasattr(value, "__float__"):
        raise TypeError(
            f"linalg_vector_norm(): argument 'ord' must be Number, not {type(value).__name__}"
        )
    return float(value)


@composite(where=("linalg",))
def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None, out=None):
    """The length of vectors: over all elements, or over `dim` (an int or a tuple of ints).

    y = (sum |x|^p)^(1/p)            dL/dx = g sgn(x) (|x| / y)^(p-1)            p: `ord`

    ord 0: how many are not 0; inf, -inf: the largest and smallest |x|, where ties share the
    derivative. The derivative is 0 where x or y is 0. Real for complex numbers. `dtype`: the input
    is cast first. RuntimeError for integers.
    """
    given = raw(x).dtype
    if given.kind in "biu":
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{of(given).legacy}"
        )
    if dtype is not None:
        x = _cast_up(x, given, dtype)
    return _vector_norm(x, _order(ord), dim, keepdim, out=out)


def _cast_up(x: Any, given: Any, dtype: Any) -> Any:
    wanted = of(numpy_of(dtype))
    if wanted.category < 2:
        raise RuntimeError(
            "linalg.vector_norm: dtype should be floating point or complex, but got "
            f"{wanted.legacy}"
        )
    if wanted.itemsize < given.itemsize or not can_cast(of(given), wanted):
        raise RuntimeError(
            f"linalg.vector_norm: the dtype of the input ({of(given).legacy}) should be "
            f"convertible without narrowing to the specified dtype ({wanted.legacy})"
        )
    return x.to(wanted)


@composite(where=("", "Tensor"))
def norm(input, p="fro", dim=None, keepdim=False, out=None, dtype=None):
    """The length of vectors, as `linalg.vector_norm`; p="fro" and None mean 2, "nuc" the sum of
    singular values.

    y = (sum |x|^p)^(1/p)            dL/dx = g sgn(x) (|x| / y)^(p-1), and 0 where x or y is 0
    """
    if isinstance(p, str) and p != "fro":
        if p != "nuc" or "matrix_norm" not in PUBLIC.get("linalg", {}):
            raise RuntimeError(f"linalg.matrix_norm: Order {p} not supported.")
        return PUBLIC["linalg"]["matrix_norm"](
            input, "nuc", (-2, -1) if dim is None else dim, keepdim, dtype=dtype
        )
    return vector_norm(
        input, 2 if p is None or p == "fro" else p, dim, keepdim, dtype=dtype, out=out
    )


_vector_norm.samples(
    lambda t: (
        [
            (t(3, 4), p, d, k)
            for p in (2.0, 1.0, 3.0, math.inf, 0.0, -1.0)
            for d, k in ((None, False), (1, True))
        ]
        + [
            (t.strided(3, 4), 2.0, 0),
            (t(), 2.0, None),
            (t(2, 3, 4), 2.0, (0, 2)),
            (t(3, low=0.5), 0.5, None),
        ]
    )
)
vector_norm.samples(lambda t: [(t(3, 4),), (t(3, 4), 3, 0, True)])
norm.samples(lambda t: [(t(3, 4),), (t(3, 4), 1, 0), (t(3, 4), "fro", (0, 1), True)])
