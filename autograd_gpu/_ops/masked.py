"""Elements that a mask names, as a vector: masked_select and masked_scatter."""

import math
from typing import Any

import numpy as np

from .._core.dtype import of
from .declare import Array, Index, op
from .errors import mismatch
from .helpers import raw
from .index import _accumulated, _embed, _index
from .select import masked_fill
from .shape import _reshape, sum_to_shape

__all__ = ["masked_scatter", "masked_select"]


def _common(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    if a == b:
        return a
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        raise mismatch([b, a]) or RuntimeError(f"shapes {a} and {b} do not broadcast") from None


def _wide(xp: Any, array: Any, size: tuple[int, ...]) -> Any:
    return array if array.shape == size else xp.broadcast_to(array, size)


@op(node="MaskedSelectBackward0")
def masked_select(xp, input: Array, mask: Index):
    """The elements where the mask is True, as a vector; input and mask broadcast.

    y = x[mask]            dL/dx = g where True, 0 elsewhere

    RuntimeError for a mask that is not bool.
    """
    if mask.dtype.char != "?":
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    size = _common(input.shape, mask.shape)
    return _wide(xp, input, size)[_wide(xp, mask, size)]


masked_select.derivative(
    input=lambda grad, mask, input_shape: _unselected(grad, raw(mask), input_shape)
)
masked_select.samples(
    lambda t: [
        (t(2, 3), t.bool(2, 3)),
        (t(3), t.bool(2, 3)),
        (t(2, 3), t.bool(3)),
        (t(), t.bool(2)),
    ]
)


def _unselected(grad: Any, mask: Any, shape: tuple) -> Any:
    size = _common(shape, mask.shape)
    return sum_to_shape(_accumulated(grad, size, (_wide(np, mask, size),)), shape)


@op(inplace=True, node="MaskedScatterBackward0")
def masked_scatter(xp, input: Array, mask: Index, source: Array):
    """A copy of `input` in which the elements where the mask is True are those of `source`, one
    after the other.

    y[mask] = s.flatten()[: count]
    dL/dx = g, 0 where replaced;  dL/ds = g[mask], then zeros

    The mask broadcasts. RuntimeError for a mask that is not bool, another dtype, too few elements
    in `source`.
    """
    size = _common(input.shape, mask.shape)
    out = xp.array(_wide(xp, input, size))
    _write(xp, out, mask, source)
    return out


@masked_scatter.write
def _(xp, input, mask, source):
    if _common(input.shape, mask.shape) != input.shape:
        raise RuntimeError(
            f"output with shape {list(input.shape)} doesn't match the broadcast shape "
            f"{list(_common(input.shape, mask.shape))}"
        )
    _write(xp, input, mask, source)


def _write(xp: Any, out: Any, mask: Any, source: Any) -> None:
    if mask.dtype.char != "?":
        raise RuntimeError(
            "masked_scatter_ only supports boolean masks, but got mask with dtype "
            f"{of(mask.dtype).legacy}"
        )
    if out.dtype != source.dtype:
        raise RuntimeError(
            "masked_scatter: expected self and source to have same dtypes but got "
            f"{of(out.dtype).legacy} and {of(source.dtype).legacy}"
        )
    mask = _wide(xp, mask, out.shape)
    count = int(mask.sum())
    if count > source.size:
        raise RuntimeError("Number of elements of source < number of ones in mask")
    out[mask] = source.reshape(-1)[:count]


masked_scatter.derivative(
    input=lambda grad, mask, input_shape: sum_to_shape(masked_fill(grad, mask, 0), input_shape),
    source=lambda grad, mask, source_shape: _source(grad, raw(mask), source_shape),
)
masked_scatter.samples(
    lambda t: [
        (t(2, 3), t.bool(2, 3), t(7)),
        (t(2, 3), t.bool(3), t(2, 3)),
        (t(3), t.bool(2, 3), t(2, 4)),
    ]
)


def _source(grad: Any, mask: Any, shape: tuple) -> Any:
    part = _index(grad, (_wide(np, mask, tuple(grad.shape)),))
    return _reshape(_embed(part, (math.prod(shape),), (slice(part.shape[0]),)), shape)
