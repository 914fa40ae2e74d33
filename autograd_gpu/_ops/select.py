"""Choosing by a mask: where, masked_fill, masked_select."""

from typing import Any

import numpy as np

from .._core.dtype import result_dtype
from .._core.tensor import Tensor, make
from .declare import Array, Index, composite, op
from .helpers import like, raw

__all__ = ["masked_fill", "where"]


@op(inplace=True, node="MaskedFillBackward0")
def masked_fill(xp, input: Array, mask: Index, value):
    """A number where the mask is True, the input elsewhere; the mask broadcasts to the input.

    y = value if mask else x            dL/dx = 0 where mask, g elsewhere

    `value`: a number or a 0-d Tensor (which gets the sum of g where mask). RuntimeError for a mask that is not bool.
    """
    _check_mask("masked_fill", mask)
    return xp.where(mask, input.dtype.type(value), input)


masked_fill.derivative(input=lambda grad, mask: masked_fill(grad, mask, 0))
masked_fill.samples(lambda t: [(t(2, 3), t.bool(3), 2.5), (t(3), t.bool(3), -1), (t(0), t.bool(0), 1.0)])


@masked_fill.write
def _(xp, input, mask, value):
    _check_mask("masked_fill_", mask)
    xp.copyto(input, input.dtype.type(value), where=mask)


def _check_mask(name: str, mask: Any) -> None:
    if mask.dtype.char != "?":
        raise RuntimeError(f"{name} only supports boolean masks, but got mask with dtype {mask.dtype}")


@op(where=(), name="_where", promote="same", node="WhereBackward0")
def _where(xp, condition: Index, input: Array, other: Array):
    """See `where`."""
    return xp.where(condition, input, other)


_where.derivative(
    input=lambda grad, condition: masked_fill(grad, like(~raw(condition), grad), 0),
    other=lambda grad, condition: masked_fill(grad, condition, 0),
)


@composite(where=("",))
def where(condition, input=None, other=None, *, out=None):
    """`input` where the condition holds, `other` elsewhere; all three broadcast, the values are promoted.

    y = a if c else b            dL/da = g where c, 0 elsewhere; dL/db the other way round

    With the condition alone: the indices where it holds, as `nonzero(condition, as_tuple=True)`.
    """
    if input is None and other is None:
        from .search import nonzero

        return nonzero(condition, as_tuple=True)
    if isinstance(condition, Tensor) and condition._array.dtype.char not in "?B":
        raise RuntimeError(f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.dtype!r}")
    if isinstance(condition, Tensor) and condition._array.dtype.char == "B":
        condition = make(condition._array != 0)
    numbers = (int, float, complex)
    if isinstance(input, numbers) or isinstance(other, numbers):
        dtype = result_dtype([raw(input), raw(other)])
        wrap = (lambda v: make(np.asarray(v, dtype))) if isinstance(condition, Tensor) else (lambda v: np.asarray(v, dtype))
        input = wrap(input) if isinstance(input, numbers) else input
        other = wrap(other) if isinstance(other, numbers) else other
    return _where(condition, input, other, out=out)


def _where_method(self, condition, other):
    """`self` where the condition holds, `other` elsewhere; see `where`."""
    return where(condition, self, other)


Tensor.where = _where_method  # type: ignore[attr-defined]


where.samples(
    lambda t: [(t.bool(2, 3), t(3), t(2, 1)), (t.bool(3), t(3), 1.0), (t.bool(3), 0, t(3)), (t.bool(), t(2), t())]
)
