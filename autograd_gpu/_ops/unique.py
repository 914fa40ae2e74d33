"""Distinct elements."""

from typing import Any

import numpy as np

from .._core.device import library
from .._core.dtype import of
from .._core.layout import normal_dim
from .declare import Array, composite, op
from .sort import order as order_of

__all__ = ["unique", "unique_consecutive"]


def _refuse(name):
    def formula(grad):
        raise NotImplementedError(f"the derivative for '{name}' is not implemented.")

    return formula


def _rows(input: Any, dim: Any, name: str) -> tuple[Any, int]:
    """What is compared, as rows of a matrix, and the dimension they were taken from."""
    if input.dtype.kind == "c":
        raise NotImplementedError(f"\"unique\" not implemented for '{of(input.dtype).legacy}'")
    dim = normal_dim(dim, input.ndim, name)
    if not input.size and input.shape[dim]:
        raise RuntimeError(
            "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied"
        )
    lanes = library(input).moveaxis(input, dim, 0)
    return lanes.reshape(len(lanes), -1 if lanes.size else 1 if len(lanes) else 0), dim


def _runs(xp: Any, rows: Any) -> tuple[Any, Any, Any]:
    """Where runs of equal rows begin; for each row which run it is in; the lengths of the runs."""
    if not len(rows):
        return (xp.zeros(0, np.int64),) * 3
    new = xp.ones(len(rows), bool)
    new[1:] = (rows[1:] != rows[:-1]).any(1)
    begin = xp.flatnonzero(new)
    return begin, xp.cumsum(new) - 1, xp.diff(xp.append(begin, len(rows)))


@op(where=(), node="Unique2Backward0", outputs=("values", "inverse", "counts"))
def _unique(xp, input: Array):
    """See `unique`."""
    if input.dtype.kind == "c":
        raise NotImplementedError(f"\"unique\" not implemented for '{of(input.dtype).legacy}'")
    flat = input.reshape(-1)
    order = order_of(xp, flat, 0, False)
    begin, run, counts = _runs(xp, flat[order][:, None])
    inverse = xp.empty(flat.size, np.int64)
    inverse[order] = run
    return flat[order][begin], inverse.reshape(input.shape), counts


@op(where=(), node="UniqueDimBackward0", outputs=("values", "inverse", "counts"))
def _unique_dim(xp, input: Array, dim):
    """See `unique`."""
    rows, dim = _rows(input, dim, "unique")
    order = xp.lexsort(rows.T[::-1]) if rows.shape[1] else xp.arange(len(rows))
    begin, run, counts = _runs(xp, rows[order])
    inverse = xp.empty(len(rows), np.int64)
    inverse[order] = run
    return xp.take(input, order[begin], dim), inverse, counts


@op(where=(), node="UniqueConsecutiveBackward0", outputs=("values", "inverse", "counts"))
def _unique_consecutive(xp, input: Array, dim):
    """See `unique_consecutive`."""
    if dim is None:
        flat = input.reshape(-1)
        begin, run, counts = _runs(xp, flat[:, None])
        return flat[begin], run.reshape(input.shape), counts
    rows, dim = _rows(input, dim, "unique_consecutive")
    begin, run, counts = _runs(xp, rows)
    return xp.take(input, begin, dim), run, counts


_unique.samples(lambda t: [])  # no derivative to check
_unique.derivative(input=_refuse("_unique2"))
_unique_dim.derivative(input=_refuse("unique_dim"))
_unique_consecutive.derivative(input=_refuse("unique_consecutive"))


def _chosen(results: tuple, inverse: bool, counts: bool) -> Any:
    chosen = (results[0], *([results[1]] if inverse else []), *([results[2]] if counts else []))
    return chosen if len(chosen) > 1 else chosen[0]


@composite(where=("", "Tensor"))
def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """The distinct elements, or distinct slices along `dim`, in ascending order (also with
    sorted=False).

    Returns the values, or a tuple of them with, as asked for, the place of each element among the
    values, and how often each value is there. A NaN equals nothing. Not differentiable
    (NotImplementedError in backward).
    """
    results = _unique(input) if dim is None else _unique_dim(input, dim)
    return _chosen(results, return_inverse, return_counts)


@composite(where=("", "Tensor"))
def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    """The elements, or slices along `dim`, without those that equal the one before; returns are as
    in `unique`.
    """
    return _chosen(_unique_consecutive(input, dim), return_inverse, return_counts)
