"""Logic on truth values and on bits, with the operators & | ^ ~ << >>: no derivatives."""

from typing import Any

import numpy as np

from .._core.tensor import Tensor, make
from .declare import Array, op
from .errors import not_implemented

__all__ = [
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "logical_and",
    "logical_not",
    "logical_or",
]


@op(kernel=True, inplace=True, promote="bool")
def logical_and(xp, input: Array, other: Array):
    """y = a and b, elementwise, with broadcasting; a number is true unless it is zero (NaN is
    true).
    """
    return xp.logical_and(input, other)


@op(kernel=True, inplace=True, promote="bool")
def logical_or(xp, input: Array, other: Array):
    """y = a or b, elementwise, with broadcasting; true is what is not zero (NaN too)."""
    return xp.logical_or(input, other)


@op(kernel=True, inplace=True, promote="bool")
def logical_xor(xp, input: Array, other: Array):
    """y = either a or b but not both, elementwise, with broadcasting; a number is true unless it is
    zero.
    """
    return xp.logical_xor(input, other)


@op(kernel=True, inplace=True)
def logical_not(xp, input: Array):
    """y = not x: True where the element is zero or False."""
    return xp.logical_not(input)


# ---- bits


def _bits(name: str, *operands: Any) -> None:
    """Bits are those of integers and bools: NotImplementedError for anything else."""
    for a in operands:
        if a.__class__ in (float, complex):
            raise not_implemented(
                f"{name}_cpu", np.dtype(a.__class__ if a.__class__ is complex else "f4")
            )
        if hasattr(a, "dtype") and a.dtype.kind not in "biu":
            raise not_implemented(f"{name}_cpu", a.dtype)


@op(kernel=True, methods=("__and__", "__rand__"), inplace=True, promote="same")
def bitwise_and(xp, input: Array | float, other: Array | float):
    """y = a & b: the bits that both have; of bools, both. NotImplementedError for floats."""
    _bits("bitwise_and", input, other)
    return xp.bitwise_and(input, other)


@op(kernel=True, methods=("__or__", "__ror__"), inplace=True, promote="same")
def bitwise_or(xp, input: Array | float, other: Array | float):
    """y = a | b: the bits that either has; of bools, either. NotImplementedError for floating
    dtypes.
    """
    _bits("bitwise_or", input, other)
    return xp.bitwise_or(input, other)


@op(kernel=True, methods=("__xor__", "__rxor__"), inplace=True, promote="same")
def bitwise_xor(xp, input: Array | float, other: Array | float):
    """y = a ^ b: the bits that only one has; of bools, just one. NotImplementedError for floating
    dtypes.
    """
    _bits("bitwise_xor", input, other)
    return xp.bitwise_xor(input, other)


@op(kernel=True, inplace=True)
def bitwise_not(xp, input: Array):
    """y = ~x: every bit turned, -x - 1 of signed integers; of bools, not x. NotImplementedError for
    floating dtypes.
    """
    _bits("bitwise_not", input)
    return xp.invert(input)


def _invert(self):
    """`~x`: see `bitwise_not`. TypeError for floating dtypes."""
    if self._array.dtype.kind not in "biu":
        raise TypeError(
            "~ (operator.invert) is only implemented on integer and Boolean-type tensors"
        )
    return bitwise_not(self)


Tensor.__invert__ = _invert  # type: ignore[attr-defined]


# ---- shifts


def _shiftable(name: str, *operands: Any) -> None:
    _bits(name, *operands)
    if any(hasattr(a, "dtype") and a.dtype.char == "?" for a in operands):
        raise not_implemented(f"{name}_cpu", np.dtype(bool))


@op(methods=("__lshift__",), inplace=True, promote="same")
def bitwise_left_shift(xp, input: Array | float, other: Array | float):
    """y = a << b = a 2^b; 0 where b is negative or reaches the number of bits. NotImplementedError
    but for integers.
    """
    _shiftable("lshift", input, other)
    return xp.left_shift(input, other)


@op(methods=("__rshift__",), inplace=True, promote="same")
def bitwise_right_shift(xp, input: Array | float, other: Array | float):
    """y = a >> b = floor(a / 2^b); the sign stays: 0 or -1 where b is negative or reaches the
    number of bits.

    NotImplementedError but for integers.
    """
    _shiftable("rshift", input, other)
    return xp.right_shift(input, other)


def _rlshift(self, other):
    """`number << tensor`."""
    return (
        bitwise_left_shift(other, self)
        if isinstance(other, (int, float, np.generic))
        else NotImplemented
    )


def _rrshift(self, other):
    """`number >> tensor`."""
    return (
        bitwise_right_shift(other, self)
        if isinstance(other, (int, float, np.generic))
        else NotImplemented
    )


Tensor.__rlshift__, Tensor.__rrshift__ = _rlshift, _rrshift  # type: ignore[attr-defined]

for _f in (bitwise_and, bitwise_or, bitwise_xor):
    _f.samples(
        lambda t: [
            (t.int(9, 2, 3), t.int(9, 3)),
            (t.bool(4), t.bool(4)),
            (t.int(9, 4), 5),
            (t.int(9), t.int(9, 2)),
        ]
    )
bitwise_not.samples(lambda t: [t.int(9, 2, 3), t.bool(4), t.int(9)])
for _f in (bitwise_left_shift, bitwise_right_shift):
    _f.samples(
        lambda t: [
            (t.int(99, 2, 3), t.int(5, 3)),
            (t.int(99, 4), 2),
            (make(np.array([-9, 9])), t.int(3, 2)),
        ]
    )
