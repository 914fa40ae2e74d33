"""Whole slices of one dimension, named by a vector of integers: index_select, index_add,
index_copy, index_fill.
"""

from typing import Any

import numpy as np

from .._core.device import library
from .._core.dtype import of
from .._core.layout import normal_dim
from .._core.tensor import Tensor
from .accumulate import add_at
from .declare import Array, Index, composite, op
from .helpers import conj, like, raw
from .inplace import write_inplace
from .lines import outside, put_at, read_at
from .reduce import _sum_all

__all__ = ["index_add", "index_copy", "index_fill", "index_select"]

_WHOLE = slice(None)


def bounded(index: Any, size: int) -> bool:
    """Is every index in [0, size)? One pass, since a negative number is a large one without its
    sign.
    """
    if not index.size:
        return True
    if index.__class__ is not np.ndarray:
        return outside(index, 0, size) is None
    unsigned = index.view(np.uint64 if index.dtype.itemsize == 8 else np.uint32)
    return bool(np.maximum.reduce(unsigned, None) < size)


def first_outside(index: Any, size: int) -> int:
    """The first index that is not in [0, size)."""
    flat = index.reshape(-1)
    return int(flat[(flat < 0) | (flat >= size)][0])


def vector(index: Any) -> Any:
    """A number of an index as a vector of one."""
    return index.reshape(1) if index.ndim == 0 else index


def _key(dim: int, index: Any) -> tuple:
    return (*(_WHOLE,) * dim, index)


@op(node="IndexSelectBackward0")
def index_select(xp, input: Array, dim, index: Index):
    """The slices of a dimension that a vector of integers names, in its order; one may come
    repeatedly.

    y[k] = x[index[k]] (for dim 0)            dL/dx[i] = sum of g[k] where index[k] = i

    IndexError for an index out of range (negative ones too), RuntimeError for one that is not int32
    or int64.
    """
    dim = normal_dim(dim, input.ndim, "index_select")
    if index.dtype.char not in "liq":
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if not bounded(index, input.shape[dim] if input.ndim else 1):
        raise IndexError("index out of range in self")
    if not input.ndim:
        return input.copy()
    if xp is np and input.flags.c_contiguous:
        return input.take(vector(index), dim)
    return read_at(input, _key(dim, vector(index)))


index_select.derivative(
    input=lambda grad, dim, index, input_shape: _rows_added(grad, dim, index, input_shape)
)
index_select.samples(
    lambda t: [(t(3, 4), 0, t.int(3, 5)), (t(2, 3, 4), -1, t.int(4, 2)), (t(3), 0, t.int(3))]
)


@op(where=(), node="IndexAddBackward0")
def _rows_added(xp, grad: Array, dim, index: Index, size):
    """Zeros of a size, with slices added where `index` says."""
    out = xp.zeros(size, grad.dtype)
    if not size:
        return grad.reshape(()) + out
    add_at(out, _key(normal_dim(dim, len(size)), vector(index)), grad)
    return out


_rows_added.derivative(grad=lambda grad, dim, index: index_select(grad, dim, index))
_rows_added.samples(
    lambda t: [(t(5, 2), 0, t.int(3, 5), (3, 2)), (t(2, 3), 1, t.int(4, 3), (2, 4))]
)


@op(inplace=True, node="IndexAddBackward0")
def index_add(xp, input: Array, dim, index: Index, source: Array, *, alpha=1):
    """A copy of `input`, with slices of `source` added to the slices that `index` names.

    y[index[k]] += alpha s[k] (for dim 0)            dL/dx = g,  dL/ds[k] = alpha* g[index[k]]

    An index may come repeatedly. RuntimeError for an index out of range, another dtype or a shape
    that does not fit.
    """
    out = xp.array(input)
    _index_add_into(out, dim, index, source, alpha)
    return out


@index_add.write
def _(xp, input, dim, index, source, *, alpha=1):
    _index_add_into(input, dim, index, source, alpha)


def _index_add_into(out: Any, dim: Any, index: Any, source: Any, alpha: Any) -> None:
    dim = _check_add(out, dim, index, source)
    if alpha.__class__ is not int or alpha != 1:
        source = source * source.dtype.type(alpha)
    if not out.ndim:
        out[...] += source.reshape(-1).sum(dtype=out.dtype)
        return
    add_at(out, _key(dim, vector(index)), source.reshape(1) if not source.ndim else source)


def _check_add(out: Any, dim: Any, index: Any, source: Any) -> int:
    dim = normal_dim(dim, out.ndim, "index_add_")
    if index.dtype.char not in "liq":
        raise RuntimeError(
            f"index_add_(): Expected dtype int32/int64 for index but got: {of(index.dtype).legacy}"
        )
    if index.ndim > 1:
        raise IndexError(
            f"index_add_(): Index is supposed to be a vector, but got dim: {index.ndim} with type: "
            f"{of(index.dtype).legacy} and size: {list(index.shape)}"
        )
    if out.dtype != source.dtype:
        raise RuntimeError(
            f"index_add_(): self ({of(out.dtype).legacy}) and source ({of(source.dtype).legacy}) "
            "must have the same scalar type"
        )
    rest = out.shape[:dim] + out.shape[dim + 1 :]
    if out.ndim != source.ndim or rest != source.shape[:dim] + source.shape[dim + 1 :]:
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. "
            f"Got self.shape = {list(out.shape)} source.shape = {list(source.shape)}"
        )
    length = source.shape[dim] if source.ndim else 1
    if index.size != length:
        raise RuntimeError(
            f"index_add_(): Number of indices ({index.size}) should be equal to source.size(dim): "
            f"({length}), for dim: {dim}"
        )
    n = out.shape[dim] if out.ndim else 1
    if not bounded(index, n):
        raise RuntimeError(
            f"index {first_outside(index, n)} is out of bounds for dimension {dim} with size {n}"
        )
    return dim


index_add.derivative(
    input=lambda grad: grad,
    source=lambda grad, dim, index, alpha, source_shape: _scaled(
        grad, dim, index, alpha, source_shape
    ),
)
index_add.samples(
    lambda t: [
        (t(3, 2), 0, t.int(3, 4), t(4, 2)),
        (t(2, 3), 1, t.int(3, 2), t(2, 2), {"alpha": 2.5}),
    ]
)


def _scaled(grad: Any, dim: Any, index: Any, alpha: Any, size: tuple) -> Any:
    part = index_select(grad, dim, index)
    return part if alpha.__class__ is int and alpha == 1 else part * conj(alpha)


@op(inplace=True, node="IndexCopyBackward0")
def index_copy(xp, input: Array, dim, index: Index, source: Array):
    """A copy of `input`, in which the slices that `index` names are those of `source`.

    y[index[k]] = s[k] (for dim 0)            dL/dx = g, 0 where replaced;  dL/ds[k] = g[index[k]]

    IndexError for an index out of range, RuntimeError for another dtype or shape.
    """
    out = xp.array(input)
    _copy_into(out, dim, index, source)
    return out


@index_copy.write
def _(xp, input, dim, index, source):
    _copy_into(input, dim, index, source)


def _copy_into(out: Any, dim: Any, index: Any, source: Any) -> None:
    dim = normal_dim(dim, out.ndim, "index_copy_")
    n, length = (a.shape[dim] if a.ndim else 1 for a in (out, source))
    if index.dtype.char not in "lq":
        raise RuntimeError(
            f"index_copy_(): Expected a long tensor for index, but got {of(index.dtype).legacy}"
        )
    if out.dtype != source.dtype:
        raise RuntimeError(
            "index_copy_(): self and source expected to have the same dtype, but got (self) "
            f"{of(out.dtype).legacy} and (source) {of(source.dtype).legacy}"
        )
    if index.ndim > 1:
        raise IndexError(f"index_copy_(): Index should have dimension 1 or 0 (got {index.ndim})")
    if index.size != length:
        raise IndexError(
            f"index_copy_(): Number of indices ({index.size}) should be equal to source.size(dim) "
            f"({length})"
        )
    if not bounded(index, n):
        bad = first_outside(index, n)
        raise IndexError(
            f"index_copy_(): index {bad} is out of bounds for dimension {dim} with size {n}"
        )
    rest = out.shape[:dim] + out.shape[dim + 1 :]
    if source.ndim and rest != source.shape[:dim] + source.shape[dim + 1 :]:
        raise RuntimeError(
            "index_copy_(): Source/destination tensor must have same slice shapes. Destination "
            f"slice shape: {list(rest)} at dimension {dim} and source slice shape: "
            f"{list(source.shape[:dim] + source.shape[dim + 1 :])} at dimension {dim}."
        )
    if out.ndim:
        put_at(out, _key(dim, vector(index)), source)
    else:
        out[...] = source.reshape(())


index_copy.derivative(
    input=lambda grad, dim, index: index_fill(grad, dim, index, 0.0),
    source=lambda grad, dim, index, source_shape: index_select(grad, dim, index),
)
index_copy.samples(
    lambda t: [(t(3, 2), 0, _distinct(t, 2), t(2, 2)), (t(2, 3), 1, _distinct(t, 3), t(2, 3))]
)


def _distinct(t: Any, n: int) -> Any:
    index = t.int(1, n)
    index._array[...] = np.arange(n)[::-1]
    return index


# ---- one number into all named slices; PyTorch's nodes tell a Python number from a 0-d Tensor


def _filled(xp: Any, input: Any, dim: Any, index: Any, value: Any) -> Any:
    out = xp.array(input)
    _fill_into(xp, out, dim, index, value)
    return out


def _fill_into(xp: Any, out: Any, dim: Any, index: Any, value: Any) -> None:
    dim = normal_dim(dim, out.ndim, "index_fill_")
    if index.dtype.char not in "lq":
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    if index.ndim > 1:
        raise RuntimeError("Index has to be a vector/scalar")
    if getattr(value, "ndim", 0):
        raise RuntimeError(
            "index_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value.ndim} dimension(s)."
        )
    n = out.shape[dim] if out.ndim else 1
    bad = outside(index, -n, n)
    if bad is not None:
        raise IndexError(f"index {bad} is out of bounds for dimension {dim} with size {n}")
    out[_key(dim, vector(index)) if out.ndim else ...] = value


@op(where=(), node="IndexFillBackward0")
def _index_fill_number(xp, input: Array, dim, index: Index, value):
    """See `index_fill`."""
    return _filled(xp, input, dim, index, value)


@op(where=(), node="IndexFillBackward1")
def _index_fill_tensor(xp, input: Array, dim, index: Index, value: Array):
    """See `index_fill`."""
    return _filled(xp, input, dim, index, value)


_index_fill_number.write(_fill_into)
_index_fill_tensor.write(_fill_into)
_index_fill_number.derivative(input=lambda grad, dim, index: index_fill(grad, dim, index, 0.0))
_index_fill_tensor.derivative(
    input=lambda grad, dim, index: index_fill(grad, dim, index, 0.0),
    value=lambda grad, dim, index: _sum_all(
        index_select(grad, dim, like(_once(raw(index), grad.shape, dim), grad))
    ),
)
_index_fill_number.samples(lambda t: [(t(3, 2), 0, t.int(3, 2), 2.5)])
_index_fill_tensor.samples(lambda t: [(t(3, 2), -1, _distinct(t, 2), t())])


def _once(index: Any, size: tuple, dim: int) -> Any:
    """Each index that is named, once and from the front."""
    return library(index).unique(index % (size[dim] if size else 1))


@composite(where=("", "Tensor"))
def index_fill(input, dim, index, value):
    """A copy of `input`, in which the slices that `index` names hold one number.

    y[index[k]] = v (for dim 0)
    dL/dx = g, 0 where replaced;  dL/dv = sum of the replaced g

    `value`: a number or a 0-d Tensor. IndexError for an index out of range or one that is not
    int64.
    """
    fill = _index_fill_tensor if isinstance(value, Tensor) else _index_fill_number
    return fill(input, dim, index, value)


def index_fill_(self: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """In-place form of `index_fill`."""
    fill = _index_fill_tensor if isinstance(value, Tensor) else _index_fill_number
    return write_inplace(fill.op, self, (dim, index, value), {})


Tensor.index_fill_ = index_fill_  # type: ignore[attr-defined]
index_fill.op.inplace = ("index_fill_",)
