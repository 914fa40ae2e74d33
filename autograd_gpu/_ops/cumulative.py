"""Running sums and products, running extremes, and differences of neighbours."""

from typing import Any

import numpy as np

from .._core.dtype import numpy_of, of
from .._core.layout import normal_dim
from .._core.tensor import Tensor
from .along import reverse, selected, shift, slice_along
from .convert import _cast
from .declare import PUBLIC, Array, composite, op
from .helpers import conj, like, raw
from .returns import result_type
from .select import masked_fill

__all__ = ["cummax", "cummin", "cumprod", "cumsum", "diff", "logcumsumexp"]


_WIDE = {"f": np.dtype("d"), "F": np.dtype("D")}


def _cumulated(xp, name, input, dim, dtype=None, backward=False):
    """A running sum or product in a type that holds it; `backward`: from the end."""
    dim = normal_dim(dim, input.ndim, name)
    if dtype is not None:
        input = input.astype(numpy_of(dtype))
    final = np.dtype(np.int64) if input.dtype.kind in "biu" else input.dtype
    if not input.ndim:
        return input.astype(final)
    flip = slice_along(input.ndim, dim, None, None, -1) if backward else ()
    inner = _WIDE.get(final.char, np.float32 if final.itemsize == 2 else final)
    array = input[flip] if backward else input
    if xp is np:  # what np.cumsum does, without its detours
        out = (np.add if name == "cumsum" else np.multiply).accumulate(array, dim, inner)
    else:
        out = getattr(xp, name)(array, dim, inner)
    return (out[flip] if backward else out).astype(final, copy=backward)


def _as_input(grad, dtype):
    return grad if raw(grad).dtype == dtype else _cast(grad, dtype)


@op(inplace=True)
def cumsum(xp, input: Array, dim, *, dtype=None):
    """The running sum along `dim`.

    y_k = x_0 + ... + x_k            dL/dx_i = g_i + ... + g_n

    Integers and bools are summed as int64; float32 accumulates in float64, half types in float32.
    `dtype`: the input is cast first. IndexError for a dimension that is not there.
    """
    return _cumulated(xp, "cumsum", input, dim, dtype)


cumsum.derivative(
    input=lambda grad, dim, input_dtype: _as_input(_sum_to_end(grad, dim), input_dtype)
)


@op(where=())
def _sum_to_end(xp, input: Array, dim):
    """y_i = x_i + ... + x_n            dL/dx_k = g_0 + ... + g_k"""
    return _cumulated(xp, "cumsum", input, dim, backward=True)


_sum_to_end.derivative(input=lambda grad, dim: cumsum(grad, dim))


@op(inplace=True)
def cumprod(xp, input: Array, dim, *, dtype=None):
    """The running product along `dim`.

    y_k = x_0 ... x_k
    dL/dx_i = sum of g_k y_k / x_i over k >= i, exact where there are zeros

    Integers and bools are multiplied as int64; `dtype`: the input is cast first. IndexError for a
    dimension that is not there.
    """
    return _cumulated(xp, "cumprod", input, dim, dtype)


cumprod.derivative(
    input=lambda grad, input, out, dim, input_dtype: _as_input(
        _cumprod_backward(grad, input, out, dim), input_dtype
    )
)


def _cumprod_backward(grad, input, out, dim):
    input = _as_input(input, raw(grad).dtype)
    if not raw(input).ndim:
        return grad
    if not isinstance(grad, Tensor) and raw(input).all():
        return _sum_to_end(grad * conj(out), dim) / conj(input)
    # Without a division, so that it is exact at zeros, and so are its own derivatives: the product
    # of what is before x_i, times g_i + x_{i+1} (g_{i+1} + x_{i+2} (...)).
    d = normal_dim(dim, raw(input).ndim)
    x = conj(input)
    return shift(cumprod(x, d), d, 1, 1) * recurrence(shift(x, d, -1), grad, d)


@op(where=(), name="_recurrence")
def recurrence(xp, factor: Array, input: Array, dim):
    """The linear recurrence from the end: y_i = x_i + a_i y_{i+1}; `factor` is a.

    dL/dx = r with r_i = g_i + a_{i-1}* r_{i-1},  dL/da_i = r_i y_{i+1}*

    In about log2(n) sweeps, each of which joins windows of twice the length (Hillis and Steele,
    1986).
    """
    a, y = factor.swapaxes(dim, 0).copy(), input.swapaxes(dim, 0).copy()
    w, n = 1, len(a)
    while w < n:
        y[: n - w] += a[: n - w] * y[w:]
        a[: n - w] *= a[w:].copy()
        w *= 2
    return y.swapaxes(dim, 0)


def _recurrence_backward(grad, factor, out, dim, wanted):
    before = reverse(shift(conj(factor), dim, 1), dim)
    r = reverse(recurrence(before, reverse(grad, dim), dim), dim)
    return r * conj(shift(out, dim, -1)) if wanted[0] else None, r if wanted[1] else None


recurrence.derivative(_recurrence_backward, of=("factor", "input"))


def accumulated(xp: Any, ufunc: Any, array: Any, dim: int) -> Any:
    """`ufunc.accumulate`, which CuPy has not: there in log2(n) sweeps."""
    if xp is np and array.dtype.kind != "c":
        return ufunc.accumulate(array, dim)
    out = array.swapaxes(dim, 0).copy()
    w = 1
    while w < len(out):
        out[w:] = ufunc(out[:-w], out[w:])
        w *= 2
    return out.swapaxes(dim, 0)


def _log_add(a: Any, b: Any) -> Any:
    """log(e^a + e^b) of complex numbers."""
    first = a.real >= b.real
    big, small = np.where(first, a, b), np.where(first, b, a)
    return np.where(np.isinf(big.real), big, big + np.log1p(np.exp(small - big)))


@op()
def logcumsumexp(xp, input: Array, dim):
    """The logarithm of the running sum of exponentials along `dim`, without overflow.

    y_k = ln(e^x_0 + ... + e^x_k)            dL/dx_i = sum of g_k e^(x_i - y_k) over k >= i

    NotImplementedError for integers and bools.
    """
    dim = normal_dim(dim, input.ndim, "logcumsumexp")
    kind = input.dtype.kind
    if kind in "biu":
        raise NotImplementedError(
            f"\"logcumsumexp_out_cpu\" not implemented for '{of(input.dtype).legacy}'"
        )
    if not input.ndim or not input.size:
        return input.copy()
    inner = np.complex128 if kind == "c" else np.float64
    ufunc = _log_add if kind == "c" else xp.logaddexp
    return accumulated(xp, ufunc, input.astype(inner), dim).astype(input.dtype)


logcumsumexp.derivative(
    input=lambda grad, input, out, dim: _logcumsumexp_backward(grad, input, out, dim)
)


def _logcumsumexp_backward(grad, input, out, dim):
    """e^(x - y) r with r_i = g_i + e^(y_i - y_{i+1}) r_{i+1}: no exponent is above 0."""
    from .elementwise import exp

    if not raw(input).ndim:
        return grad
    d = normal_dim(dim, raw(input).ndim)
    following = shift(out, d, -1, np.inf)
    both = raw(out) == raw(following)
    step = masked_fill(out - following, like(both & np.isinf(raw(out)), grad), 0)
    return exp(conj(input - out)) * recurrence(exp(conj(step)), grad, d)


def _running_extreme(xp, name, ufunc, input, dim):
    dim = normal_dim(dim, input.ndim, name)
    kind = input.dtype.kind
    if kind == "c":
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{of(input.dtype).legacy}'")
    if not input.ndim:
        return input.copy(), xp.zeros((), np.int64)
    values = accumulated(xp, ufunc, input, dim)
    reached = (input == values) | (input != input)
    places = xp.arange(input.shape[dim]).reshape((-1,) + (1,) * (input.ndim - dim - 1))
    return values, accumulated(xp, xp.maximum, xp.where(reached, places, 0), dim)


@op(outputs=("values", "indices"), result=result_type("cummax", "values", "indices"))
def cummax(xp, input: Array, dim):
    """The running maximum along `dim` and where it was reached last: a tuple (values, indices).

    y_k = max(x_0, ..., x_k)            dL/dx_i = sum of g_k over the k whose index is i

    A NaN stays from there on. NotImplementedError for complex numbers.
    """
    return _running_extreme(xp, "cummax", xp.maximum, input, dim)


@op(outputs=("values", "indices"), result=result_type("cummin", "values", "indices"))
def cummin(xp, input: Array, dim):
    """The running minimum along `dim` and where it was reached last: a tuple (values, indices).

    y_k = min(x_0, ..., x_k)            dL/dx_i = sum of g_k over the k whose index is i

    A NaN stays from there on. NotImplementedError for complex numbers.
    """
    return _running_extreme(xp, "cummin", xp.minimum, input, dim)


for _f in (cummax, cummin):
    _f.derivative(
        input=lambda grad, indices, input_shape, dim: selected(
            grad, indices, input_shape, normal_dim(dim, len(input_shape)), True, False
        )
    )


@composite(where=("", "Tensor"))
def diff(input, n=1, dim=-1, prepend=None, append=None, *, out=None):
    """Differences of neighbours along `dim`, `n` times.

    y_i = x_{i+1} - x_i            dL/dx_i = g_{i-1} - g_i

    `prepend`, `append`: tensors put before and after the input first. Bools give where neighbours
    differ. RuntimeError for a 0-d input, a negative n, and for dimensions that do not fit.
    """
    from .reduce import _copied

    if not input.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    dim = normal_dim(dim, input.ndim, "diff")
    around = [p for p in (prepend, append) if p is not None]
    if any(p.ndim != input.ndim for p in around):
        raise RuntimeError("diff expects prepend or append to be the same dimension as input")
    if around:
        input = PUBLIC[""]["cat"]([p for p in (prepend, input, append) if p is not None], dim)
    upper, lower = slice_along(input.ndim, dim, 1, None), slice_along(input.ndim, dim, None, -1)
    for _ in range(n if n < input.shape[dim] else input.shape[dim]):
        bools = raw(input).dtype.char == "?"
        input = input[upper] != input[lower] if bools else input[upper] - input[lower]
    return input if out is None else _copied(out, input)


def _along(t: Any) -> list:
    return [
        (t(4), 0),
        (t(2, 3, 4), 1),
        (t(2, 3, 4), -1),
        (t.strided(3, 4), 0),
        (t(), 0),
        (t(0, 3), 0),
    ]


for _f in (cumsum, _sum_to_end, cumprod, logcumsumexp, cummax, cummin):
    _f.samples(_along)
recurrence.samples(lambda t: [(t(2, 5), t(2, 5), 1), (t(7), t(7), 0)])
diff.samples(lambda t: [(t(4),), (t(3, 4), 2, 0), (t.strided(3, 4), 1, 1)])
