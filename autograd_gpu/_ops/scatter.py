"""Writing single elements along a dimension where an array of integers says: scatter, scatter_add,
scatter_reduce.
"""

from typing import Any

import numpy as np

from .._core.device import library
from .._core.dtype import of
from .._core.layout import normal_dim
from .._core.tensor import Tensor, make
from .declare import Array, Index, composite, op
from .gather import add_flat, check_index, flat_places, gather
from .helpers import conj, like, raw
from .index import _embed
from .inplace import write_inplace
from .lines import put_at
from .select import masked_fill, where
from .shape import _reshape

__all__ = ["scatter", "scatter_add", "scatter_reduce"]


def _prepared(xp: Any, out: Any, dim: Any, index: Any, src: Any) -> tuple[int, Any, Any]:
    """Checks, then (dim, row-major places, the part of `src` that is used)."""
    dim = normal_dim(dim, out.ndim, "scatter")
    if hasattr(src, "dtype") and src.dtype != out.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    if not index.size and index.dtype.char in "liq":
        return dim, xp.empty(0, np.int64), None
    check_index("scatter", index, dim, out.shape, "self")
    array = hasattr(src, "dtype")
    if array and max(src.ndim, 1) != max(index.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
    for d, n in enumerate(index.shape):
        if d != dim and n > out.shape[d] or array and n > (src.shape[d] if src.ndim else 1):
            tail = f" and to be no larger size than src {list(src.shape)}" if array else ""
            raise RuntimeError(
                f"Expected index {list(index.shape)} to be no larger than self {list(out.shape)} "
                f"apart from dimension {dim}{tail}"
            )
    if array and src.ndim and index.ndim:
        src = src[tuple(slice(n) for n in index.shape)]
    return dim, flat_places(index, dim, out.shape), src


def _dense(write: Any) -> Any:
    """A forward and an in-place writer from `write(xp, contiguous array, ...)`."""

    def forward(xp: Any, input: Any, *args: Any, **kwargs: Any) -> Any:
        out = xp.array(input, order="C")
        write(xp, out, *args, **kwargs)
        return out

    def writer(xp: Any, input: Any, *args: Any, **kwargs: Any) -> None:
        if input.flags.c_contiguous:
            write(xp, input, *args, **kwargs)
        else:
            input[...] = forward(xp, input, *args, **kwargs)

    return forward, writer


def _write_scatter(xp, out, dim, index, src):
    _, places, src = _prepared(xp, out, dim, index, src)
    if places.size:
        src = src.reshape(-1) if hasattr(src, "dtype") else src
        put_at(out.reshape(-1), (places.reshape(-1),), src)


_scatter_forward, _scatter_writer = _dense(_write_scatter)


@op(where=(), node="ScatterBackward0")
def _scatter_src(xp, input: Array, dim, index: Index, src: Array):
    """See `scatter`."""
    return _scatter_forward(xp, input, dim, index, src)


@op(where=(), node="ScatterBackward1")
def _scatter_value(xp, input: Array, dim, index: Index, value):
    """See `scatter`."""
    return _scatter_forward(xp, input, dim, index, value)


_scatter_src.write(_scatter_writer)
_scatter_value.write(_scatter_writer)
_scatter_src.derivative(
    input=lambda grad, dim, index: _scatter_value(grad, dim, index, 0),
    src=lambda grad, dim, index, src_shape: _source_part(gather(grad, dim, index), src_shape),
)
_scatter_value.derivative(input=lambda grad, dim, index: _scatter_value(grad, dim, index, 0))


def _source_part(grad: Any, size: tuple) -> Any:
    """The gradient of a source of which a corner was used."""
    if tuple(grad.shape) == size:
        return grad
    if 0 in grad.shape:
        return _embed(_reshape(grad, (0, *size[1:])), size, (slice(0),))
    return _embed(grad, size, tuple(slice(n) for n in grad.shape))


def _distinct_index(t: Any) -> Any:
    index = t.int(1, 2, 3)
    index._array[...] = [[0, 1, 2], [3, 0, 1]]
    return index


_scatter_src.samples(
    lambda t: [
        (t(2, 4), 1, _distinct_index(t), t(2, 3)),
        (t(3, 4), -1, _distinct_index(t), t(2, 3)),
    ]
)
_scatter_value.samples(lambda t: [(t(2, 4), 1, _distinct_index(t), 2.5)])


def _is_source(src: Any, value: Any) -> tuple[bool, Any]:
    given = value if src is None else src
    return hasattr(given, "shape"), given


@composite(where=("", "Tensor"))
def scatter(input, dim, index, src=None, *, value=None, reduce=None):
    """A copy of `input` with values written where `index` says.

    y[i, index[i, j]] = src[i, j] (for dim 1)
    dL/dx = g, 0 where replaced;  dL/dsrc[i, j] = g[i, index[i, j]]

    `src`: a Tensor of the input's dtype, at least as long as `index`, or one number (`value`).
    Where an index comes repeatedly one value stays, and the gradient holds only for distinct
    indices. `reduce`: "add" or "multiply" instead of replacing. RuntimeError for an index out of
    range, another dtype or shape, another `reduce`.
    """
    tensor, given = _is_source(src, value)
    if reduce is not None:
        return _reduced(input, dim, index, given, reduce)
    return (_scatter_src if tensor else _scatter_value)(input, dim, index, given)


def _reduced(input: Any, dim: int, index: Any, given: Any, reduce: str) -> Any:
    if reduce not in ("add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    if not hasattr(given, "shape"):
        given = make(library(raw(input)).full(index.shape, given, raw(input).dtype))
    if reduce == "add":
        return scatter_add(input, dim, index, given)
    return scatter_reduce(input, dim, index, given, "prod")


def scatter_(
    self: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: Any = None
) -> Tensor:
    """In-place form of `scatter`."""
    tensor, given = _is_source(src, value)
    if reduce is not None:
        return self.copy_(_reduced(self, dim, index, given, reduce))  # type: ignore[attr-defined]
    return write_inplace(
        (_scatter_src if tensor else _scatter_value).op, self, (dim, index, given), {}
    )


Tensor.scatter_ = scatter_  # type: ignore[attr-defined]
scatter.op.inplace = ("scatter_",)


def _write_scatter_add(xp, out, dim, index, src):
    _, places, src = _prepared(xp, out, dim, index, src)
    if places.size:
        add_flat(out, places, src)


_scatter_add_forward, _scatter_add_writer = _dense(_write_scatter_add)


@op(inplace=True, node="ScatterAddBackward0")
def scatter_add(xp, input: Array, dim, index: Index, src: Array):
    """A copy of `input` with values added where `index` says; an index may come repeatedly.

    y[i, index[i, j]] += src[i, j] (for dim 1)
    dL/dx = g,  dL/dsrc[i, j] = g[i, index[i, j]]

    RuntimeError for an index out of range, another dtype or shape.
    """
    return _scatter_add_forward(xp, input, dim, index, src)


scatter_add.write(_scatter_add_writer)
scatter_add.derivative(
    input=lambda grad: grad,
    src=lambda grad, dim, index, src_shape: _source_part(gather(grad, dim, index), src_shape),
)
scatter_add.samples(
    lambda t: [(t(2, 3), 1, t.int(3, 2, 4), t(2, 4)), (t(3, 2), 0, t.int(3, 2, 1), t(2, 1))]
)


# ---- scatter_reduce

_UFUNCS = {"sum": "add", "mean": "add", "prod": "multiply", "amax": "maximum", "amin": "minimum"}
_START = {"sum": 0, "mean": 0, "prod": 1, "amax": -np.inf, "amin": np.inf}


def _write_scatter_reduce(xp, out, dim, index, src, reduce, include_self=True):
    if reduce not in _UFUNCS:
        raise RuntimeError(
            f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}"
        )
    if out.dtype.kind == "c" and reduce in ("amax", "amin"):
        raise NotImplementedError(
            f"\"scatter_gather_tensor_cpu_reduce_{reduce}\" not implemented for "
            f"'{of(out.dtype).legacy}'"
        )
    _, places, src = _prepared(xp, out, dim, index, src)
    if not places.size:
        return
    flat, places, src = out.reshape(-1), places.reshape(-1), src.reshape(-1)
    if not include_self:
        flat[places] = _start(reduce, out.dtype)
    if reduce in ("sum", "mean"):
        add_flat(out, places, src)
    else:
        reduce_at(flat, places, src, reduce)
    if reduce == "mean":
        counts = xp.bincount(places, minlength=flat.size) + (1 if include_self else 0)
        counts = xp.maximum(counts, 1).astype(out.dtype)
        flat[...] = flat // counts if out.dtype.kind in "iu" else flat / counts


@composite(kernel="index_reduce")
def reduce_at(flat, places, values, reduce):
    """flat[places] *= values, in place, where an element may be named repeatedly; or, as `reduce`
    says, the larger or the smaller one of both."""
    getattr(np, _UFUNCS[reduce]).at(flat, places, values)


def _start(reduce: str, dtype: Any) -> Any:
    if reduce in ("amax", "amin") and dtype.kind in "iu":
        info = np.iinfo(dtype)
        return info.min if reduce == "amax" else info.max
    return _START[reduce] if dtype.kind != "b" else reduce in ("prod", "amin")


_scatter_reduce_forward, _scatter_reduce_writer = _dense(_write_scatter_reduce)


@op(inplace=True, node="ScatterReduceBackward0")
def scatter_reduce(xp, input: Array, dim, index: Index, src: Array, reduce, *, include_self=True):
    """A copy of `input` in which every element is reduced with the values that `index` sends to it.

    y[i, k] = reduce(x[i, k], src[i, j] for all j with index[i, j] = k) (for dim 1)

    `reduce`: "sum", "prod", "mean", "amax" or "amin". Without `include_self`, x counts only where
    nothing is sent.
    dL/d(x, src) follows from the reduction; amax and amin share g evenly among ties. RuntimeError
    as `scatter`.
    """
    return _scatter_reduce_forward(xp, input, dim, index, src, reduce, include_self)


@scatter_reduce.write
def _(xp, input, dim, index, src, reduce, *, include_self=True):
    _scatter_reduce_writer(xp, input, dim, index, src, reduce, include_self)


def _both(grad, input, dim, index, src, out, reduce, include_self, wanted):
    dim = normal_dim(dim, len(input.shape))
    size = tuple(src.shape)
    if tuple(index.shape) != size:  # a corner of src was used
        corner = tuple(slice(n) for n in index.shape)
        src = src[corner]
    by_input, by_src = _FORMULAS[reduce](grad, input, dim, index, src, out, include_self)
    if not include_self:
        by_input = _scatter_value(by_input, dim, index, 0)
    return by_input if wanted[0] else None, _source_part(by_src, size) if wanted[1] else None


def _by_sum(grad, input, dim, index, src, out, include_self):
    return grad, gather(grad, dim, index)


def _by_mean(grad, input, dim, index, src, out, include_self):
    xp, size, dtype = library(raw(grad)), raw(grad).shape, raw(grad).dtype
    start, ones = xp.full(size, int(include_self), dtype), xp.ones(raw(index).shape, dtype)
    counts = xp.maximum(_scatter_add_forward(xp, start, dim, raw(index), ones), dtype.type(1))
    counts = like(counts, grad)
    return grad / counts, gather(grad, dim, index) / gather(counts, dim, index)


def _by_extreme(grad, input, dim, index, src, out, include_self):
    xp, size, dtype = library(raw(grad)), raw(grad).shape, raw(grad).dtype
    mine = (raw(input) == raw(out)).astype(dtype).reshape(size)
    its = (raw(src) == raw(gather(out, dim, index))).astype(dtype)
    shares = xp.maximum(_scatter_add_forward(xp, mine, dim, raw(index), its), dtype.type(1))
    part = grad / like(shares, grad)
    return part * like(mine, grad), gather(part, dim, index) * like(its, grad)


def _by_product(grad, input, dim, index, src, out, include_self):
    zero = like(raw(input) == 0, grad)
    filled = masked_fill(input, zero, 1)
    others = scatter_reduce(filled, dim, index, src, "prod", include_self=include_self)
    by_input = grad * conj(others / filled)
    nothing = raw(src) == 0
    xp = library(raw(grad))
    none = xp.zeros(raw(grad).shape, np.int64)
    sent = _scatter_add_forward(xp, none, dim, raw(index), nothing.astype(np.int64))
    single = nothing & (gather(sent, dim, raw(index)) == 1)
    alone = scatter_reduce(
        input,
        dim,
        index,
        masked_fill(src, like(single, grad), 1),
        "prod",
        include_self=include_self,
    )
    divisor = conj(masked_fill(src, like(nothing, grad), 1))
    usual = gather(grad * conj(out), dim, index) / divisor
    return by_input, where(like(single, grad), gather(grad * conj(alone), dim, index), usual)


_FORMULAS = {
    "sum": _by_sum,
    "mean": _by_mean,
    "prod": _by_product,
    "amax": _by_extreme,
    "amin": _by_extreme,
}

scatter_reduce.derivative(
    lambda grad, input, dim, index, src, out, reduce, include_self, wanted: _both(
        grad, input, dim, index, src, out, reduce, include_self, wanted
    ),
    of=("input", "src"),
)
scatter_reduce.samples(
    lambda t: [
        (
            t(2, 3, low=0.5, high=2),
            1,
            t.int(3, 2, 4),
            t(2, 4, low=0.5, high=2),
            reduce,
            {"include_self": include},
        )
        for reduce in _UFUNCS
        for include in (True, False)
    ]
)
