"""Writing parts of a tensor: `x[...] = value` and index_put."""

from typing import Any

import numpy as np

from .._core.device import guard, library
from .._core.layout import meet
from .._core.memory import pointer
from .._core.state import modes, recording, state
from .._core.tensor import Tensor, make
from ..autograd.saving import before_write
from ..autograd.views import base_of, mark_written
from .accumulate import add_at
from .convert import copy, write_over
from .declare import Array, composite, op
from .element import element
from .index import _index, check_bounds, steps
from .index_items import as_tuple, basic_key, checked_slice, explained
from .inplace import refuse_overlap, write_inplace
from .lines import put_at
from .shape import _reshape

__all__ = ["index_put"]

_NUMBERS = (int, float, complex, bool, np.generic)


# ---- integer arrays and masks


@op(where=(), node="IndexPutBackward0", constants=("kept",))
def _index_put(xp, input: Array, values: Array | float, places, accumulate=False):
    """See `index_put`; `places` as in `_index`."""
    out = xp.array(input)
    return out, *_put(xp, out, values, places, accumulate)


@_index_put.write
def _(xp, input, values, places, accumulate=False):
    return _put(xp, input, values, places, accumulate)


def _put(xp: Any, array: Any, values: Any, places: tuple, accumulate: bool) -> tuple:
    if xp is not np:
        check_bounds(array, places)
    if accumulate:
        add_at(array, places, values)
        return (places,)
    try:
        put_at(array, places, values)
    except (ValueError, TypeError):  # TypeError: more than one dimension for a mask
        shape = array[places].shape
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to "
            f"indexing result of shape {list(shape)}"
        ) from None
    return (places,)


_index_put.derivative(
    input=lambda grad, kept, accumulate: grad if accumulate else _index_put(grad, 0.0, kept),
    values=lambda grad, kept: _index(grad, kept),
)


def _placed(
    name: str, input: Tensor, indices: Any, values: Any, accumulate: Any
) -> tuple[Any, tuple, Any]:
    """The view and the places that a tuple of index tensors names, and the values in the input's
    dtype.
    """
    if not isinstance(indices, (tuple, list)):
        raise TypeError(
            f"{name}(): argument 'indices' (position 1) must be tuple of Tensors, not "
            f"{type(indices).__name__}"
        )
    items = tuple(slice(None) if i is None else i for i in indices)
    try:
        view, places = steps(input, items)
    except IndexError as error:
        raise explained(input._array.shape, items, error) from None
    if isinstance(values, Tensor):
        values = _put_value(input, places, values, not accumulate)
    return view, places, values


def _same_dtype(target: Tensor, values: Tensor) -> None:
    if values._array.dtype != target._array.dtype:
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{target.dtype.legacy} for the destination and {values.dtype.legacy} for the source."
        )


@composite(where=("", "Tensor"))
def index_put(input, indices, values, accumulate=False):
    """A copy of `input` in which the elements at `indices`, a tuple of integer tensors or masks,
    are `values`.

    y = x, y[indices] = v (or += v)            dL/dx = g, 0 where replaced;  dL/dv = g[indices]

    `values` broadcasts to the shape of `input[indices]`. With `accumulate`, elements that are named
    repeatedly get all their values; without, one of them. IndexError for an index out of range,
    RuntimeError for another dtype or a shape that does not broadcast.
    """
    _, places, values = _placed("index_put", input, indices, values, accumulate)
    return _index_put(input, values, places, bool(accumulate))


def index_put_(self: Tensor, indices: Any, values: Any, accumulate: bool = False) -> Tensor:
    """In-place form of `index_put`."""
    if modes:
        before_write(self)
    view, places, values = _placed("index_put_", self, indices, values, accumulate)
    if places:
        _put_into(self, view, places, values, bool(accumulate))
    return self


def _put_into(self: Tensor, view: Tensor, places: tuple, values: Any, accumulate: bool) -> None:
    """Write values into the places of a view; errors in the words of an index on `self`."""
    try:
        if _unrecorded(self, values):
            array, raw = view._array, getattr(values, "_array", values)
            refuse_overlap(_index_put.op, array, ())
            if raw is not values and meet(raw, array):
                raw = raw.copy()
            _put(library(array), array, raw, places, accumulate)
            mark_written(self)
        else:
            write_inplace(_index_put.op, view, (values, places, accumulate), {})
    except IndexError as error:
        raise explained(self._array.shape, places, error) from None


def _unrecorded(self: Tensor, value: Any) -> bool:
    return (
        not recording()
        or getattr(self, "_edge", 0) is None
        and getattr(value, "_edge", None) is None
    )


# ---- x[...] = value


def setitem(self: Tensor, index: Any, value: Any) -> None:
    """`x[index] = value`, for every index that `x[index]` takes; the value is broadcast and, but
    for integer arrays and masks, cast.

    dL/dx = g, 0 where written;  dL/dvalue = g where written, summed over what was broadcast

    Raises:
        IndexError, ValueError: as `x[index]`.
        TypeError: the value is neither a number nor a tensor.
        RuntimeError: a value that does not fit; x is a leaf that requires grad, or overlaps itself.
    """
    if modes:
        before_write(self)
    if state.several_devices:
        with guard(self._array):
            _setitem(self, index, value)
    else:
        _setitem(self, index, value)


def _setitem(self: Tensor, index: Any, value: Any) -> None:
    if not isinstance(value, Tensor):
        value = _constant(self, value)
    elif state.several_devices or value._array.__class__ is not self._array.__class__:
        value = value.to(self.device)
    if index is False:
        return
    try:
        if _unrecorded(self, value):
            kind = index.__class__
            key = (
                (index, ...)
                if kind is int
                else (checked_slice(index),)
                if kind is slice
                else basic_key(as_tuple(index))
            )
            if key is not None:
                _write_part(self, self._array[key], value)
                return
        items = as_tuple(index)
        view, places = steps(self, items)
    except IndexError as error:
        raise explained(self._array.shape, index, error) from None
    if not places:
        _fill(self, view, value)
        return
    if isinstance(value, Tensor):
        value = _put_value(self, places, value, True)
    _put_into(self, view, places, value, False)


def _put_value(target: Tensor, places: tuple, value: Tensor, fill: bool) -> Tensor:
    """What is put at places: of the target's dtype. One element that fills a mask may have any."""
    array = value._array
    masked = fill and all(p.__class__ is slice or p.dtype.char == "?" for p in places)
    if masked and array.size == 1 and (array.dtype.kind != "c" or target.is_complex()):
        value = _reshape(value, ()) if array.ndim else value
        return value if array.dtype == target._array.dtype else value.to(target.dtype)
    _same_dtype(target, value)
    return value


def _constant(self: Tensor, value: Any) -> Any:
    """A number, or a Tensor around an ndarray. TypeError for anything else."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        return make(value)
    if not isinstance(value, _NUMBERS):
        raise TypeError(
            f"can't assign a {type(value).__name__} to a torch.{self.dtype.legacy}Tensor"
        )
    return element(self._array.dtype, value)


def _fill(self: Tensor, view: Tensor, value: Any) -> None:
    """Write into a view, recorded."""
    if not isinstance(value, Tensor):
        view.fill_(value)  # type: ignore[attr-defined]
    elif not _own_part(self, view._array, value):
        write_over(view, _apart(view._array, value))


def _fitted(shape: tuple, value: Tensor) -> Tensor:
    """The value without leading dimensions of length 1 that the target has not. RuntimeError where
    it does not fit.
    """
    size = value._array.shape
    extra = len(size) - len(shape)
    if extra > 0 and all(n == 1 for n in size[:extra]):
        value, size = _reshape(value, size[extra:]), size[extra:]
    elif extra > 0:
        raise RuntimeError(
            f"expand(torch.{value.dtype.legacy}Tensor{{{list(size)}}}, size={list(shape)}): the "
            f"number of sizes provided ({len(shape)}) must be greater or equal to the number of "
            f"dimensions in the tensor ({len(size)})"
        )
    lead = len(shape) - len(size)
    for i, n in reversed(list(enumerate(size, lead))):
        if n != 1 and n != shape[i]:
            raise RuntimeError(
                f"The expanded size of the tensor ({shape[i]}) must match the existing size ({n}) "
                f"at non-singleton dimension {i}.  Target sizes: {list(shape)}.  Tensor sizes: "
                f"{list(size)}"
            )
    return value


def _apart(part: Any, value: Tensor) -> Tensor:
    """The value, fitted; a copy where it is read repeatedly while its own memory is written."""
    value = _fitted(part.shape, value)
    if value._array.shape != part.shape and meet(value._array, part):
        return value.clone()  # type: ignore[attr-defined]
    return value


def _own_part(self: Tensor, part: Any, value: Tensor) -> bool:
    """Is `value` the very part that is to be written (`x[i] += y` ends so)? Then it is there
    already.
    """
    array = value._array
    if not meet(array, part) or array.shape != part.shape or array.strides != part.strides:
        return False
    base, _, mark = base_of(value)
    same = pointer(array) == pointer(part) and array.dtype == part.dtype
    return same and mark is None and base is base_of(self)[0]


def _write_part(self: Tensor, part: Any, value: Any) -> None:
    """Write into a part of the array where nothing is recorded."""
    if not isinstance(value, Tensor):
        refuse_overlap(copy.op, part, ())
        part[...] = value
    else:
        source = _apart(part, value)._array
        shared = meet(source, part)
        if shared and _own_part(self, part, value):
            return
        refuse_overlap(copy.op, part, (source,) if shared else ())
        copy.op.writer(library(part), part, source.copy() if shared else source)
    mark_written(self)


def delitem(self: Tensor, index: Any) -> None:
    """Elements cannot be deleted: TypeError."""
    raise TypeError("Tensor does not support deleting items")


Tensor.__setitem__, Tensor.__delitem__ = setitem, delitem  # type: ignore[attr-defined]
Tensor.index_put_ = index_put_  # type: ignore[attr-defined]
index_put.op.inplace = ("index_put_",)
