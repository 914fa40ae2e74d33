"""Reading parts of a tensor: `x[...]`, select, slices, and integer arrays or masks as indices."""

from typing import Any

import numpy as np

from .._core.device import library
from .._core.layout import normal_dim
from .._core.state import recording
from .._core.tensor import Tensor
from .accumulate import add_at
from .declare import Array, composite, op
from .index_items import as_tuple, basic_key, checked_slice, explained, read_item, width_of
from .lines import outside, read_at
from .shape import _reshape

__all__ = ["select"]

WHOLE = slice(None)


# ---- the views: each is `input[key]`, and one formula serves them all


@op(where=(), view=True, node="SelectBackward0")
def _select(xp, input: Array, key):
    """One index of a dimension: `key` is (:, ..., i, ...)."""
    return input[key]


@op(where=(), view=True, node="SliceBackward0")
def _slice(xp, input: Array, key):
    """A range of a dimension: `key` is (:, ..., a:b:c)."""
    return input[key]


@op(where=(), view=True, node="SliceBackward0")
def _basic(xp, input: Array, key):
    """Integers, slices, None and Ellipsis at once; only used where nothing is recorded."""
    return input[key]


@op(where=(), view=True, node="AliasBackward0")
def _alias(xp, input: Array):
    """All of it."""
    return input[...]


@op(where=(), node="SelectBackwardBackward0")
def _embed(xp, grad: Array, size, key):
    """Zeros of a size, but for `grad` at a key."""
    out = xp.zeros(size, grad.dtype)
    out[key] = grad
    return out


@op(where=(), view=True, node="UnsqueezeBackward0")
def _newaxis(xp, input: Array, key):
    """A dimension of length 1: `key` is (:, ..., None, ...)."""
    return input[key]


_newaxis.derivative(input=lambda grad, input_shape: _reshape(grad, input_shape))
_select.derivative(input=lambda grad, input_shape, key: _embed(grad, input_shape, key))
_slice.derivative(input=lambda grad, input_shape, key: _embed(grad, input_shape, key))
_basic.derivative(input=lambda grad, input_shape, key: _embed(grad, input_shape, key))
_alias.derivative(input=lambda grad: grad)
_embed.derivative(grad=lambda grad, key: _basic(grad, key))


@composite(where=("", "Tensor"))
def select(input, dim, index):
    """One index of a dimension, which disappears; a view.

    y = x[..., index, ...]            dL/dx = g there, 0 elsewhere

    IndexError where the dimension or the index is not there.
    """
    shape = input.shape
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = normal_dim(dim, len(shape), "select")
    index = index.__index__()
    if not -shape[dim] <= index < shape[dim]:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(shape)} at dimension "
            f"{dim}"
        )
    return _select(input, (*(WHOLE,) * dim, index, ...))


@composite(where=("", "Tensor"))
def narrow(input, dim, start, length):
    """`length` indices of a dimension, from `start` on; a view.

    dL/dx = g there, 0 elsewhere

    IndexError for a start, RuntimeError for a length that is not there.
    """
    shape = input.shape
    if not shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    dim, start, length = (
        normal_dim(dim, len(shape), "narrow"),
        start.__index__(),
        length.__index__(),
    )
    n = shape[dim]
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if not -n <= start <= n:
        raise IndexError(
            f"start out of range (expected to be in range of [{-n}, {n}], but got {start})"
        )
    start = start + n if start < 0 else start
    if start + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return _slice(input, (*(WHOLE,) * dim, slice(start, start + length)))


# ---- arrays of integers and masks


@op(where=(), node="IndexBackward0", constants=("kept",))
def _index(xp, input: Array, places):
    """`places`: for each leading dimension a whole slice or an array; a mask stands for as many as
    it has.
    """
    if xp is not np:
        check_bounds(input, places)
    elif len(places) == 1 and places[0].dtype.char != "?" and input.ndim:
        if input.flags.c_contiguous:
            return input.take(places[0], 0), places
    return read_at(input, places), places


def check_bounds(array: Any, places: tuple) -> None:
    """IndexError for an integer out of range, where the library wraps it silently."""
    dim = 0
    for p in places:
        if p.__class__ is not slice and p.dtype.char != "?":
            n = array.shape[dim]
            bad = outside(p, -n, n)
            if bad is not None:
                raise IndexError(f"index {bad} is out of bounds for axis {dim} with size {n}")
        dim += 1 if p.__class__ is slice or p.dtype.char != "?" else p.ndim


_index.derivative(input=lambda grad, input_shape, kept: _accumulated(grad, input_shape, kept))


@op(where=(), node="IndexPutBackward0", constants=("kept",))
def _accumulated(xp, grad: Array, size, places):
    """Zeros of a size, with `grad` added at places."""
    out = xp.zeros(size, grad.dtype)
    if all(p.__class__ is slice or p.dtype.char == "?" for p in places):
        out[places] = grad
    else:
        add_at(out, places, grad)
    return out, places


_accumulated.derivative(grad=lambda grad, kept: _index(grad, kept))


# ---- x[...]


def getitem(self: Tensor, index: Any) -> Tensor:
    """`x[index]`, with integers, slices, None, Ellipsis, bools, integer tensors, masks, lists and
    arrays, and tuples of these. Integers and slices give views, everything else a copy.

    y = x[index]
    dL/dx = g where it was read (added up where read repeatedly), 0 elsewhere

    Raises:
        IndexError: an index out of range, too many indices, a mask of another shape, an index of
        another type.
        ValueError: a step that is not positive.
    """
    kind = index.__class__
    try:
        if kind is int:
            return _select(self, (index, ...))
        if kind is slice:
            return _slice(self, (checked_slice(index),))
        if index is None:
            return _newaxis(self, (None, ...))
        if kind is Tensor and (array := index._array).ndim and array.dtype.char in "l?":
            return _index(self, (array,))
        return _by_tuple(self, as_tuple(index))
    except IndexError as error:
        raise explained(self._array.shape, index, error) from None


def _by_tuple(self: Tensor, index: tuple) -> Tensor:
    key = basic_key(index)
    if key is None:
        view, places = steps(self, index)
        if places:
            return _index(view, places)
    elif getattr(self, "_edge", 0) is None or not recording():
        return _basic(self, key)
    else:
        view = chain(self, index)
    return _alias(self) if view is self else view


def _whole(item: slice, view: Tensor, dim: int) -> bool:
    """Does a slice take all of a dimension? Then it is no step of its own, as in PyTorch."""
    start, stop, step = item.start, item.stop, item.step
    if step not in (None, 1) or start not in (None, 0):
        return False
    return stop is None or dim < view.ndim and stop.__index__() >= view.shape[dim]


def chain(self: Tensor, index: tuple) -> Tensor:
    """The views of integers, slices, None and one Ellipsis, one after the other, as PyTorch records
    them.
    """
    view = self
    before: tuple = ()
    for item in index:
        kind = item.__class__
        if kind is int:
            view = _select(view, (*before, item, ...))
        elif kind is slice:
            if not _whole(item, view, len(before)):
                view = _slice(view, (*before, item))
            before += (WHOLE,)
        elif item is None:
            view = _newaxis(view, (*before, None, ...))
            before += (WHOLE,)
        else:
            named = sum(i is not None and i is not Ellipsis for i in index)
            before += (WHOLE,) * (self._array.ndim - named)
    if len(before) > view._array.ndim:
        raise IndexError("")
    return view


def steps(self: Any, index: tuple) -> tuple[Any, tuple]:
    """Do the views of an index one after the other: the view, and for each leading dimension of it
    a whole slice or the array of integers or mask that is still to be applied; () for none."""
    items = [read_item(i) for i in index]
    ndim = self._array.ndim
    named = sum(width_of(i) for i in items)
    if named > ndim:
        raise IndexError("")
    dim, places, view = 0, [], self
    for item in items:
        kind = item.__class__
        if kind is int:
            view = _select(view, (*(WHOLE,) * dim, item, ...))
        elif kind is slice:
            if not _whole(item, view, dim):
                view = _slice(view, (*(WHOLE,) * dim, checked_slice(item)))
            dim += 1
        elif item is Ellipsis:
            dim += ndim - named
        elif item is None or kind is bool or not item.ndim:
            view = _newaxis(view, (*(WHOLE,) * dim, None, ...))
            if item is not None:
                places.append((dim, np.array([bool(item)])))
            dim += 1
        else:
            places.append((dim, item))
            dim += item.ndim if item.dtype.char == "?" else 1
    return view, _spread_places(view, places)


def _spread_places(view: Any, places: list) -> tuple:
    out: list[Any] = []
    width = 0
    xp = library(view._array)
    for dim, array in places:
        out += [WHOLE] * (dim - width)
        out.append(xp.asarray(array))
        width = dim + (array.ndim if array.dtype.char == "?" else 1)
    return tuple(out)


Tensor.__getitem__ = getitem  # type: ignore[attr-defined]
