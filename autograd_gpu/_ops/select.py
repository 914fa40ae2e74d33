"""Choosing by a mask: where and masked_fill."""

from typing import Any

import numpy as np

from .._core.dtype import of, result_dtype
from .._core.tensor import Tensor, make
from ..autograd.node import sum_to
from .declare import Array, Index, composite, op
from .element import element
from .helpers import like, raw

__all__ = ["masked_fill", "where"]


def _filled(xp: Any, input: Any, mask: Any, value: Any) -> Any:
    _check_mask("masked_fill", mask)
    return xp.where(mask, _element(input.dtype, value), input)


def _fill_into(xp: Any, out: Any, mask: Any, value: Any) -> None:
    _check_mask("masked_fill_", mask)
    try:
        xp.copyto(out, _element(out.dtype, value), where=mask)
    except ValueError:
        shape = list(np.broadcast_shapes(out.shape, mask.shape))
        raise RuntimeError(
            f"output with shape {list(out.shape)} doesn't match the broadcast shape {shape}"
        ) from None


def _element(dtype: Any, value: Any) -> Any:
    if not hasattr(value, "dtype"):
        return dtype.type(element(dtype, value))
    if value.ndim:
        raise RuntimeError(
            "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value.ndim} dimension(s)."
        )
    if value.dtype.kind == "c" and dtype.kind != "c":
        return dtype.type(element(dtype, value.item()))
    return value.astype(dtype)


def _check_mask(name: str, mask: Any) -> None:
    if mask.dtype.char != "?":
        raise RuntimeError(
            f"{name} only supports boolean masks, but got mask with dtype {of(mask.dtype).name}"
        )


@op(kernel="masked_fill", where=(), node="MaskedFillBackward0")
def _masked_fill_number(xp, input: Array, mask: Index, value: Array | float):
    """See `masked_fill`."""
    return _filled(xp, input, mask, value)


@op(kernel="masked_fill", where=(), node="MaskedFillBackward1")
def _masked_fill_tensor(xp, input: Array, mask: Index, value: Array):
    """See `masked_fill`."""
    return _filled(xp, input, mask, value)


_masked_fill_number.write(_fill_into)
_masked_fill_tensor.write(_fill_into)


@composite(where=("", "Tensor"))
def masked_fill(input, mask, value):
    """A number where the mask is True, the input elsewhere; input and mask broadcast.

    y = value if mask else x
    dL/dx = 0 where mask, g elsewhere;  dL/dvalue = sum of g where mask

    `value`: a number or a 0-d Tensor. RuntimeError for a mask that is not bool, a number that the
    dtype cannot hold.
    """
    if isinstance(value, Tensor):
        return _masked_fill_tensor(input, mask, value)
    return _masked_fill_number(input, mask, value)


def masked_fill_(self: Tensor, mask: Tensor, value: Any) -> Tensor:
    """In-place form of `masked_fill`; the mask broadcasts to this tensor."""
    from .inplace import write_inplace

    fill = _masked_fill_tensor if isinstance(value, Tensor) else _masked_fill_number
    return write_inplace(fill.op, self, (mask, value), {})


Tensor.masked_fill_ = masked_fill_  # type: ignore[attr-defined]
masked_fill.op.inplace = ("masked_fill_",)
_masked_fill_number.derivative(input=lambda grad, mask: _masked_fill_number(grad, mask, 0))
_masked_fill_tensor.derivative(
    input=lambda grad, mask: _masked_fill_number(grad, mask, 0),
    value=lambda grad, mask: sum_to(where_backward(grad, mask), ()),
)
_masked_fill_number.samples(
    lambda t: [(t(2, 3), t.bool(3), 2.5), (t(3), t.bool(2, 3), -1), (t(0), t.bool(0), 1.0)]
)
_masked_fill_tensor.samples(lambda t: [(t(2, 3), t.bool(3), t())])
masked_fill.samples(lambda t: [(t(2, 3), t.bool(3), 2.5), (t(2, 3), t.bool(2, 3), t())])


@op(kernel="where", where=(), name="_where", promote="same", node="WhereBackward0")
def _where(xp, condition: Index, input: Array, other: Array):
    """See `where`."""
    return xp.where(condition, input, other)


_where.derivative(
    input=lambda grad, condition: where_backward(grad, condition),
    other=lambda grad, condition: masked_fill(grad, condition, 0),
)


@composite(kernel="where_backward")
def where_backward(grad, condition):
    """g where the condition holds, else 0"""
    return masked_fill(grad, like(~raw(condition), grad), 0)


@composite(where=("",))
def where(condition, input=None, other=None, *, out=None):
    """`input` where the condition holds, `other` elsewhere; all three broadcast, the values are
    promoted.

    y = a if c else b            dL/da = g where c, 0 elsewhere; dL/db the other way round

    With the condition alone: the indices where it holds, as `nonzero(condition, as_tuple=True)`.
    """
    if input is None and other is None:
        from .search import nonzero

        return nonzero(condition, as_tuple=True)
    if isinstance(condition, Tensor) and condition._array.dtype.char not in "?B":
        raise RuntimeError(
            "where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{condition.dtype!r}"
        )
    if isinstance(condition, Tensor) and condition._array.dtype.char == "B":
        condition = make(condition._array != 0)
    numbers = (int, float, complex)
    if isinstance(input, numbers) or isinstance(other, numbers):
        dtype = result_dtype([raw(input), raw(other)])
        wrap = make if isinstance(condition, Tensor) else raw
        input = wrap(_number(dtype, input)) if isinstance(input, numbers) else input
        other = wrap(_number(dtype, other)) if isinstance(other, numbers) else other
    return _where(condition, input, other, out=out)


def _number(dtype: Any, value: Any) -> Any:
    with np.errstate(over="ignore"):  # half types: infinite
        return np.asarray(element(dtype, value), dtype)


def _where_method(self, condition, other):
    """`self` where the condition holds, `other` elsewhere; see `where`."""
    return where(condition, self, other)


Tensor.where = _where_method  # type: ignore[attr-defined]


where.samples(
    lambda t: [
        (t.bool(2, 3), t(3), t(2, 1)),
        (t.bool(3), t(3), 1.0),
        (t.bool(3), 0, t(3)),
        (t.bool(), t(2), t()),
    ]
)
