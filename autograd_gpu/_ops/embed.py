"""Rows of a table by number: embedding, one_hot."""

from typing import Any

import numpy as np

from .._core.device import library
from .._core.dtype import of
from .._core.state import modes
from .._core.tensor import Tensor, make
from ..autograd.mutation import record_write
from ..autograd.saving import before_write
from .accumulate import add_at
from .declare import Array, Index, composite, op
from .helpers import where_it_is
from .lines import read_at
from .rows import bounded

__all__ = ["embedding", "one_hot"]


@op(where=(), node="EmbeddingBackward0")
def _embedding(xp, weight: Array, indices: Index, padding_idx, scale_grad_by_freq):
    """See `embedding`."""
    if indices.dtype.char not in "lqi":
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
            "Long, Int; but got "
            f"torch.{of(indices.dtype).legacy}Tensor instead (while checking arguments for "
            "embedding)"
        )
    if weight.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if not bounded(indices, len(weight)):
        raise IndexError("index out of range in self")
    return read_at(weight, (indices,)) if indices.ndim else weight[int(indices)].copy()


@op(where=(), name="_add_rows")
def add_rows(xp, output: Array, indices: Index, rows, padding_idx, scale_grad_by_freq):
    """Zeros of (rows, width), with a gradient's rows added where they came from.
    dL/dg: `_take_rows`
    """
    width = output.shape[-1] if output.ndim > indices.ndim else 1
    flat, values = indices.reshape(-1), output.reshape(indices.size, width)
    wide = np.float32 if output.dtype.itemsize == 2 else output.dtype
    values = values.astype(wide, copy=False)
    if scale_grad_by_freq and flat.size:
        counts = xp.bincount(flat, minlength=rows)
        values = values / counts[flat].astype(wide)[:, None]
    out = xp.zeros((rows, width), wide)
    _scatter(xp, out, flat, values)
    if padding_idx is not None and padding_idx >= 0:
        out[padding_idx] = 0
    return out.astype(output.dtype, copy=False)


def _scatter(xp: Any, out: Any, flat: Any, values: Any) -> None:
    """out[flat[i]] += values[i]: by sorting, and one sum for each run of equal numbers."""
    if not flat.size:
        return
    if xp is not np:
        add_at(out, (flat,), values)
        return
    order = np.argsort(flat, kind="stable")
    numbers = flat[order]
    starts = np.flatnonzero(np.concatenate(([True], numbers[1:] != numbers[:-1])))
    out[numbers[starts]] = np.add.reduceat(values[order], starts, 0)


@op(where=(), name="_take_rows")
def take_rows(xp, input: Array, indices: Index, padding_idx, scale_grad_by_freq):
    """Rows by number, 0 for the padding: the transpose of `add_rows`.
    dL/dx: `add_rows`
    """
    out = read_at(input, (indices,))
    if scale_grad_by_freq:
        counts = xp.bincount(indices.reshape(-1), minlength=len(input))
        out = out / counts[indices][..., None].astype(out.dtype)
    if padding_idx is not None and padding_idx >= 0:
        out[indices == padding_idx] = 0
    return out


_embedding.derivative(
    weight=lambda grad, indices, weight_shape, padding_idx, scale_grad_by_freq: add_rows(
        grad, indices, weight_shape[0], padding_idx, scale_grad_by_freq
    )
)
add_rows.derivative(
    output=lambda grad, indices, padding_idx, scale_grad_by_freq: take_rows(
        grad, indices, padding_idx, scale_grad_by_freq
    )
)
take_rows.derivative(
    input=lambda grad, indices, input_shape, padding_idx, scale_grad_by_freq: add_rows(
        grad, indices, input_shape[0], padding_idx, scale_grad_by_freq
    )
)


@composite(where=("nn.functional",))
def embedding(
    input,
    weight,
    padding_idx=None,
    max_norm=None,
    norm_type=2.0,
    scale_grad_by_freq=False,
    sparse=False,
):
    """The rows of a table that numbers name.

    y_i = W[x_i]            dL/dW[k] = sum of g_i where x_i = k

    input: integers of any shape (*), weight: (V, D); output: (*, D). `padding_idx`: this row gets
    no gradient. `max_norm`: rows that are used and longer than this are first shortened, in place.
    `scale_grad_by_freq`: a row's gradient is divided by how often it is used. IndexError for a row
    that there is not; NotImplementedError for `sparse=True`, since there are no sparse tensors.
    """
    if sparse:
        raise NotImplementedError(
            "embedding(): sparse gradients are not supported; use sparse=False"
        )
    if padding_idx is not None:
        rows = weight.shape[0]
        if not -rows <= padding_idx < rows:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx = padding_idx % rows
    if max_norm is not None:
        _shorten(weight, input, max_norm, norm_type)
    return _embedding(weight, input, padding_idx, scale_grad_by_freq)


def _shorten(weight: Tensor, input: Tensor, max_norm: float, norm_type: float) -> None:
    """Scale down the used rows whose norm is above `max_norm`, in place and unrecorded."""
    array = weight._array
    xp = library(array)
    used = xp.unique(input._array)
    rows = array[used]
    if norm_type == np.inf:
        norms = xp.abs(rows).max(1)
    else:
        norms = (xp.abs(rows) ** norm_type).sum(1) ** (1 / norm_type)
    long = norms > max_norm
    if long.any():
        if modes:
            before_write(weight)
        array[used[long]] = (
            rows[long] * (max_norm / (norms[long] + 1e-7)).astype(array.dtype)[:, None]
        )
        record_write(array)


@composite(where=("nn.functional",))
@where_it_is
def one_hot(input, num_classes=-1):
    """Zeros, with a 1 at each number's place in a new last dimension.

    y[i, k] = 1 if x_i = k else 0            not differentiable

    `num_classes`: one more than the largest number where it is -1. RuntimeError for other than
    int64, and for negative and too large numbers.
    """
    array = input._array
    if array.dtype != np.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if not array.size:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        return make(library(array).zeros((*array.shape, num_classes), np.int64))
    if int(array.min()) < 0:
        raise RuntimeError("Class values must be non-negative.")
    largest = int(array.max())
    if num_classes == -1:
        num_classes = largest + 1
    elif largest >= num_classes:
        raise RuntimeError("Class values must be smaller than num_classes.")
    xp = library(array)
    out = xp.zeros((array.size, num_classes), np.int64)
    out[xp.arange(array.size), array.reshape(-1)] = 1
    return make(out.reshape(*array.shape, num_classes))


embedding.samples(
    lambda t: [
        (t.int(4, 3), t(4, 2)),
        (t.int(4, 2, 3), t(4, 2)),
        (t.int(4), t(4, 2)),
    ]
)
one_hot.samples(lambda t: [(t.int(4, 3), 5)])
