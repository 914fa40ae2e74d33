"""Reading parts of a tensor: `x[...]`, select, slices, and integer arrays or masks as indices."""

import warnings
from typing import Any

import numpy as np

from .._core.device import library
from .._core.layout import normal_dim
from .._core.state import recording
from .._core.tensor import Tensor
from ..autograd.views import edge_of
from .accumulate import add_at
from .declare import Array, composite, op
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
    """Integers, slices, None and Ellipsis at once. Programs see it only where nothing is recorded."""
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
            f"select(): index {index} out of range for tensor of size {list(shape)} at dimension {dim}"
        )
    return _select(input, (*(WHOLE,) * dim, index, ...))


@composite(where=("", "Tensor"))
def narrow(input, dim, start, length):
    """`length` indices of a dimension, from `start` on; a view.            dL/dx = g there, 0 elsewhere

    IndexError for a start, RuntimeError for a length that is not there.
    """
    shape = input.shape
    if not shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    dim, start, length = normal_dim(dim, len(shape), "narrow"), start.__index__(), length.__index__()
    n = shape[dim]
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if not -n <= start <= n:
        raise IndexError(f"start out of range (expected to be in range of [{-n}, {n}], but got {start})")
    start = start + n if start < 0 else start
    if start + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return _slice(input, (*(WHOLE,) * dim, slice(start, start + length)))


# ---- arrays of integers and masks


@op(where=(), node="IndexBackward0", constants=("kept",))
def _index(xp, input: Array, places):
    """`places`: for each leading dimension a whole slice or an array; a mask stands for as many as it has."""
    if len(places) == 1 and places[0].dtype.char != "?" and input.flags.c_contiguous:
        return input.take(places[0], 0), places  # twice as fast as a subscript where rows are long
    return input[places], places


_index.derivative(input=lambda grad, input_shape, kept: _index_backward(grad, input_shape, kept))


@composite(kernel="index_backward")
def _index_backward(grad, size, places):
    """dL/dx[p] = the sum of g over all results that were read from p."""
    return _accumulated(grad, size, places)


@op(where=(), node="IndexPutBackward0", constants=("kept",))
def _accumulated(xp, grad: Array, size, places):
    """Zeros of a size, with `grad` added at places."""
    out = xp.zeros(size, grad.dtype)
    if all(p.__class__ is slice or p.dtype.char == "?" for p in places):
        out[places] = grad
    else:
        add_at(xp, out, places, grad)
    return out, places


_accumulated.derivative(grad=lambda grad, kept: _index(grad, kept))


# ---- x[...]


def getitem(self: Tensor, index: Any) -> Tensor:
    """`x[index]`, with integers, slices, None, Ellipsis, bools, integer tensors, masks, lists and arrays, and tuples of
    these. Integers and slices give views, everything else a copy.

    y = x[index]            dL/dx = g where it was read (added up where read repeatedly), 0 elsewhere

    Raises:
        IndexError: an index out of range, too many indices, a mask of another shape, an index of another type.
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


def checked_slice(key: slice) -> slice:
    """The slice. ValueError for a step of zero or less."""
    step = key.step
    if step is not None and step.__index__() <= 0:
        raise ValueError("step must be greater than zero" if step.__index__() else "slice step cannot be zero")
    return key


def as_tuple(index: Any) -> tuple:
    """The index as a tuple. A list that holds slices, None, Ellipsis, sequences or tensors counts as one."""
    if index.__class__ is tuple:
        return index
    if isinstance(index, tuple):
        return tuple(index)
    if isinstance(index, (list, range)) and len(index) < 32 and any(_structured(i) for i in index):
        warnings.warn(
            "indexing with a list that holds slices, sequences or tensors means x[tuple(list)] here and is deprecated; "
            "write x[tuple(list)]",
            UserWarning,
            stacklevel=4,
        )
        return tuple(index)
    return (index,)


def _structured(item: Any) -> bool:
    return item is None or item is Ellipsis or isinstance(item, (slice, list, tuple, Tensor, np.ndarray))


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


def basic_key(index: tuple) -> tuple | None:
    """The index with an Ellipsis in it, so that NumPy gives a view always; None where there are arrays and the like."""
    dots = False
    for item in index:
        kind = item.__class__
        if kind is slice:
            checked_slice(item)
        elif item is Ellipsis and not dots:
            dots = True
        elif kind is not int and item is not None:
            return None
    return index if dots else (*index, ...)


def chain(self: Tensor, index: tuple) -> Tensor:
    """The views of integers, slices, None and one Ellipsis, one after the other, as PyTorch records them."""
    view = self
    before: tuple = ()
    for item in index:
        kind = item.__class__
        if kind is int:
            view = _select(view, (*before, item, ...))
        elif kind is slice:
            if item != WHOLE:
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
    """Do the views of an index one after the other: the view, and for each leading dimension of it a whole slice or the
    array of integers or mask that is still to be applied; () for none."""
    items = [_item(i) for i in index]
    ndim = self._array.ndim
    named = sum(_width(i) for i in items)
    if named > ndim:
        raise IndexError("")
    dim, places, view = 0, [], self
    for item in items:
        kind = item.__class__
        if kind is int:
            view = _select(view, (*(WHOLE,) * dim, item, ...))
        elif kind is slice:
            if item != WHOLE:
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


def _width(item: Any) -> int:
    """How many dimensions an item takes."""
    if item is None or item is Ellipsis or item.__class__ is bool:
        return 0
    if item.__class__ in (int, slice):
        return 1
    return item.ndim if item.dtype.char == "?" else 1


def _item(item: Any) -> Any:
    """An int, bool, slice, None, Ellipsis, or an array of integers or bools."""
    if item is None or item is Ellipsis or item.__class__ in (int, slice, bool):
        return item
    if isinstance(item, Tensor):
        edge_of(item)
        return _array_item(item._array)
    if isinstance(item, np.ndarray):
        return _array_item(item)
    if isinstance(item, (list, tuple, range)):
        return _list_item(item)
    if isinstance(item, str):
        raise TypeError("new(): invalid data type 'str'")
    if hasattr(item, "__index__"):
        return item.__index__()
    name = type(item).__name__ if type(item).__module__ == "builtins" else f"{type(item).__module__}.{type(item).__name__}"
    raise IndexError(
        f"only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got {name})"
    )


def _array_item(array: Any) -> Any:
    char = array.dtype.char
    if char == "B":
        warnings.warn(
            "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.",
            UserWarning,
            stacklevel=5,
        )
        array, char = array.astype(bool), "?"
    if array.ndim == 0 and array.dtype.kind in "bi":
        return bool(array) if char == "?" else int(array)
    if char not in "?liq":
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    return array


def _list_item(item: Any) -> Any:
    array = np.asarray(_plain(item))
    if array.dtype.kind not in "bifu":
        raise TypeError(f"cannot use {item!r} as an index")
    return array if array.dtype.kind == "b" else array.astype(np.int64)


def _plain(item: Any) -> Any:
    if isinstance(item, (list, tuple, range)):
        return [_plain(i) for i in item]
    return item._array if isinstance(item, Tensor) else item


def explained(shape: tuple, index: Any, error: IndexError) -> Exception:
    """PyTorch's words for an IndexError that came of `index` on a tensor of this shape."""
    text = str(error)
    if not shape and isinstance(index, slice):
        return IndexError("slice() cannot be applied to a 0-dim tensor.")
    if not shape and (index.__class__ is int or isinstance(index, np.integer)):
        return IndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
            "0-dim tensor to a number"
        )
    if not text or "too many indices" in text:
        return IndexError(f"too many indices for tensor of dimension {len(shape)}")
    if "could not be broadcast together" in text:
        shapes = [s.strip(" ,").split(",") for s in text.rpartition("shapes ")[2].replace("(", "").split(")") if s.strip()]
        listed = ", ".join(f"[{', '.join(n for n in s if n)}]" for s in shapes)
        return IndexError(f"shape mismatch: indexing tensors could not be broadcast together with shapes {listed}")
    if "axis" in text or "fit" in text:
        return _misplaced(shape, index) or IndexError(text.replace("for axis", "for dimension"))
    return error


def _misplaced(shape: tuple, index: Any) -> Exception | None:
    """The error for the first integer or mask that does not fit its dimension."""
    items = [_item(i) for i in as_tuple(index)]
    named = sum(_width(i) for i in items)
    dim = 0
    for item in items:
        if item.__class__ is int and not -(2**63) <= item < 2**63:
            return ValueError("Overflow when unpacking long long")
        if item.__class__ is int and not -shape[dim] <= item < shape[dim]:
            return IndexError(f"index {item} is out of bounds for dimension {dim} with size {shape[dim]}")
        if hasattr(item, "dtype") and item.dtype.char == "?":
            for i, n in enumerate(item.shape):
                if n != shape[dim + i]:
                    return IndexError(
                        f"The shape of the mask {list(item.shape)} at index {i} does not match the shape of the indexed "
                        f"tensor {list(shape)} at index {dim + i}"
                    )
        dim += len(shape) - named if item is Ellipsis else _width(item)
    return None


Tensor.__getitem__ = getitem  # type: ignore[attr-defined]
