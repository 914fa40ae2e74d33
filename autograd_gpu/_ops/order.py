"""Order statistics: medians, the k-th value, the mode, quantiles."""

import math
from typing import Any

import numpy as np

from .._core.device import library
from .._core.dtype import of
from .._core.layout import normal_dim
from .._core.tensor import Tensor, make
from .along import pick, selected, slice_along
from .cumulative import accumulated
from .declare import Array, composite, op
from .extremes import evenly, refuse_empty
from .helpers import like, raw, where_it_is
from .returns import result_type
from .select import where
from .shape import _permute, _reshape
from .sort import _sort
from .summing import wide

__all__ = ["kthvalue", "median", "mode", "nanmedian", "nanquantile", "quantile"]


def _refuse(name: str, array: Any, kinds: str) -> None:
    if array.dtype.kind in kinds:
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{of(array.dtype).legacy}'")


def _first_of(xp: Any, array: Any, values: Any, dim: int, keepdim: bool) -> tuple[Any, Any]:
    """The values (their dimension kept) and the first place of each; NaN is found where NaN is."""
    index = ((array == values) | (array != array) & (values != values)).argmax(
        dim, keepdims=keepdim
    )
    return values if keepdim else values.squeeze(dim), index


def _kth(xp: Any, array: Any, k: int, dim: int) -> Any:
    """The k-th smallest of each lane, the dimension kept; NaN counts as the largest."""
    part = slice_along(array.ndim, dim, k, k + 1)
    return xp.partition(wide(array), k, dim)[part].astype(array.dtype)


def _lane(name: str, input: Any, dim: Any) -> int:
    dim = normal_dim(dim, input.ndim, name)
    if not input.size:
        refuse_empty(name, input.shape, (dim,))
    return dim


# ---- medians


def _middle(xp: Any, array: Any, dim: int) -> Any:
    """The median of each lane: the lower of two, NaN where there is one."""
    values = _kth(xp, array, (array.shape[dim] - 1) // 2, dim)
    if array.dtype.kind not in "iu":
        lost = (array != array).any(dim, keepdims=True)
        values = xp.where(lost, array.dtype.type(math.nan), values)
    return values


def _nan_middle(xp: Any, array: Any, dim: int) -> Any:
    """The median of each lane without its NaNs."""
    n = (array == array).sum(dim, keepdims=True)
    ordered = xp.sort(wide(array), dim)
    return pick(ordered, xp.maximum((n - 1) // 2, 0), dim).astype(array.dtype)


def _median_of_all(xp, input, function):
    _refuse("median", input, "bc")
    if not input.size:
        return (
            xp.full((), math.nan, input.dtype)
            if input.dtype.kind not in "iu"
            else xp.zeros((), input.dtype)
        )
    return function(xp, input.reshape(-1), 0).reshape(())


def _median_of_lanes(xp, input, dim, keepdim, function):
    _refuse("median", input, "bc")
    dim = _lane("median", input, dim)
    if not input.ndim:
        return input.copy(), xp.zeros((), np.int64)
    return _first_of(xp, input, function(xp, input, dim), dim, keepdim)


@op(where=(), node="MedianBackward0")
def _median_all(xp, input: Array):
    """See `median`."""
    return _median_of_all(xp, input, _middle)


@op(where=(), node="NanmedianBackward0")
def _nanmedian_all(xp, input: Array):
    """See `nanmedian`."""
    return _median_of_all(xp, input, _nan_middle)


@op(
    where=(),
    node="MedianBackward1",
    outputs=("values", "indices"),
    result=result_type("median", "values", "indices"),
)
def _median(xp, input: Array, dim, keepdim=False):
    """See `median`."""
    return _median_of_lanes(xp, input, dim, keepdim, _middle)


@op(where=(), node="NanmedianBackward1", outputs=("values", "indices"),
    result=result_type("nanmedian", "values", "indices"))  # fmt: skip
def _nanmedian(xp, input: Array, dim, keepdim=False):
    """See `nanmedian`."""
    return _median_of_lanes(xp, input, dim, keepdim, _nan_middle)


@composite(where=("", "Tensor"))
def median(input, dim=None, keepdim=False, *, out=None):
    """The median, of two middle elements the lower: of all, or along one dimension as a tuple
    (values, indices).

    dL/dx = g in equal parts where x = y; along a dimension, g at the first index

    NaN where there is one. NaN or IndexError over no elements; NotImplementedError for bools and
    complex numbers.
    """
    return _median_all(input, out=out) if dim is None else _median(input, dim, keepdim, out=out)


@composite(where=("", "Tensor"))
def nanmedian(input, dim=None, keepdim=False, *, out=None):
    """The median of what is not NaN, NaN where nothing is; otherwise as `median`."""
    return (
        _nanmedian_all(input, out=out) if dim is None else _nanmedian(input, dim, keepdim, out=out)
    )


# ---- the k-th value, the mode


@op(outputs=("values", "indices"), result=result_type("kthvalue", "values", "indices"))
def kthvalue(xp, input: Array, k, dim=-1, keepdim=False):
    """The k-th smallest element along `dim`, counted from 1, and its first place: a tuple (values,
    indices).

    dL/dx = g at the index, 0 elsewhere

    NaN counts as the largest. RuntimeError for a k that is out of range, IndexError over no
    elements.
    """
    _refuse("kthvalue", input, "bc")
    dim = _lane("kthvalue", input, dim)
    n = input.shape[dim] if input.ndim else 1
    if not 1 <= k <= n and input.size:
        raise RuntimeError("kthvalue(): selected number k out of range for dimension " + str(dim))
    if not input.ndim:
        return input.copy(), xp.zeros((), np.int64)
    return _first_of(xp, input, _kth(xp, input, k - 1, dim), dim, keepdim)


@op(outputs=("values", "indices"), result=result_type("mode", "values", "indices"))
def mode(xp, input: Array, dim=-1, keepdim=False):
    """The most frequent element along `dim`, of several the smallest, and its last place: a tuple
    (values, indices).

    dL/dx = g at the index, 0 elsewhere

    IndexError over no elements; NotImplementedError for complex numbers.
    """
    _refuse("mode", input, "c")
    dim = _lane("mode", input, dim)
    if not input.ndim:
        return input.copy(), xp.zeros((), np.int64)
    n = input.shape[dim]
    lanes = input.swapaxes(dim, -1)
    ordered = xp.sort(wide(lanes), -1)
    new = xp.ones(lanes.shape, bool)
    new[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    place = xp.arange(n)
    begin = accumulated(xp, xp.maximum, xp.where(new, place, 0), -1)
    last = (place - begin).argmax(
        -1, keepdims=True
    )  # where the longest run ends, the first of equals
    values = pick(ordered, last, lanes.ndim - 1).astype(input.dtype)
    equal = (lanes == values) | (lanes != lanes) & (values != values)
    index = n - 1 - equal[..., ::-1].argmax(-1, keepdims=True)
    values, index = values.swapaxes(dim, -1), index.swapaxes(dim, -1)
    return (values, index) if keepdim else (values.squeeze(dim), index.squeeze(dim))


for _f in (_median_all, _nanmedian_all):
    _f.derivative(input=lambda grad, input, out: evenly(grad, input, out))
for _f in (_median, _nanmedian, kthvalue, mode):
    _f.derivative(
        input=lambda grad, indices, input_shape, dim, keepdim: selected(
            grad, indices, input_shape, normal_dim(dim, len(input_shape)), keepdim
        )
    )


# ---- quantiles


@composite(where=("", "Tensor"))
@where_it_is
def quantile(input, q, dim=None, keepdim=False, *, interpolation="linear", out=None):
    """The q-quantiles: of all elements, or along one dimension.

    y = x_i + w (x_{i+1} - x_i), of the sorted x, where i + w = q (n - 1)
    dL/dx = g (1 - w) and g w there

    `q`: a number or a vector of numbers in [0, 1], whose dimension comes first in the result.
    `interpolation`: linear, lower, higher, midpoint or nearest. NaN where there is one.
    RuntimeError for dtypes other than float32 and float64, for no elements, and for a q out of
    range.
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, out)


@composite(where=("", "Tensor"))
@where_it_is
def nanquantile(input, q, dim=None, keepdim=False, *, interpolation="linear", out=None):
    """The q-quantiles of what is not NaN, NaN where nothing is; otherwise as `quantile`."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, out)


def _checked_q(name: str, input: Any, q: Any, interpolation: str) -> Any:
    dtype = raw(input).dtype
    if dtype.char not in "fd":
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if not raw(input).size:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, "
            f"but got {interpolation}"
        )
    if isinstance(q, (int, float)):
        if not 0 <= q <= 1:
            raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q:g}")
        return make(library(raw(input)).asarray(q, dtype))
    if not isinstance(q, Tensor):
        raise TypeError(
            f"{name}(): argument 'q' must be a Tensor or a number, not {type(q).__name__}"
        )
    if q.ndim > 1:
        raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
    if q._array.dtype != dtype:
        raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
    if not bool(((q._array >= 0) & (q._array <= 1)).all()):
        raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    return q


def _quantile(
    name: str, input: Any, q: Any, dim: Any, keepdim: bool, interpolation: str, out: Any
) -> Any:
    q = _checked_q(name, input, q, interpolation)
    shape = tuple(input.shape)
    if dim is None or not shape:
        lanes, lead, kept = _reshape(input, (-1,)), (), (1,) * len(shape)
    else:
        d = normal_dim(dim, len(shape), name)
        order = (*[i for i in range(len(shape)) if i != d], d)
        lanes = _permute(input, order)
        lead, kept = tuple(lanes.shape[:-1]), (*shape[:d], 1, *shape[d + 1 :])
    ordered = _sort(lanes, -1, False)[0]
    ranks = _ranks(ordered, _reshape(q, (1,) * len(lead) + (-1,)), name == "nanquantile")
    found = _interpolated(ordered, ranks, interpolation)
    found = _permute(found, (len(lead), *range(len(lead))))
    found = _reshape(found, (*tuple(q.shape), *(kept if keepdim else lead)))
    return found if out is None else out.copy_(found)


def _ranks(ordered: Any, q: Any, skip: bool) -> Any:
    """Which places are asked for, as real numbers; where a NaN decides, the last place, which holds
    it.
    """
    array = raw(ordered)
    xp, n = library(array), array.shape[-1]
    valid = (array == array).sum(-1, keepdims=True)
    top = xp.maximum(valid - 1, 0) if skip else xp.full_like(valid, n - 1)
    ranks = q * like(top.astype(array.dtype), q)
    if skip:
        return ranks
    return where(
        like(xp.broadcast_to(valid < n, ranks.shape), q),
        like(xp.full(ranks.shape, n - 1, array.dtype), q),
        ranks,
    )


def _interpolated(ordered: Any, ranks: Any, interpolation: str) -> Any:
    at = raw(ranks)
    xp = library(at)
    below, above = xp.floor(at), xp.ceil(at)
    whole = lambda places: pick(ordered, places.astype(np.int64), ordered.ndim - 1, False)
    if interpolation in ("lower", "higher", "nearest"):
        return whole({"lower": below, "higher": above, "nearest": xp.rint(at)}[interpolation])
    low, high = whole(below), whole(above)
    share = (
        like(xp.full_like(at, 0.5), ranks)
        if interpolation == "midpoint"
        else ranks - like(below, ranks)
    )
    late = like(raw(share) >= 0.5, ranks)
    return where(late, high - (high - low) * (1 - share), low + share * (high - low))


for _f in (_median_all, _nanmedian_all):
    _f.samples(lambda t: [(t(5),), (t(2, 3),), (t(),), (t.strided(3, 4),)])
for _f in (_median, _nanmedian):
    _f.samples(lambda t: [(t(5), 0), (t(2, 3, 4), 1, True), (t(), 0), (t.strided(3, 4), 0)])
for _f in (median, nanmedian):
    _f.samples(lambda t: [(t(5),), (t(3, 4), 1)])
kthvalue.samples(lambda t: [(t(5), 2), (t(2, 3, 4), 3, 1, True), (t(), 1), (t.strided(3, 4), 2, 0)])
mode.samples(lambda t: [(t(5),), (t(2, 3, 4), 1, True), (t.strided(3, 4), 0)])
for _f in (quantile, nanquantile):
    _f.samples(
        lambda t: [
            (t(5), 0.3),
            (t(3, 4), 0.7, 1),
            (t(3, 4), 0.25, 0, True, {"interpolation": "lower"}),
            (t(4, 3), 0.4),
        ]
    )
