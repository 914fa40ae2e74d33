"""What a row of an elementwise kernel says: which operands may be arrays, and which numbers."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .base import FLOATS, SCALARS, Form, Kernel

__all__ = ["EITHER", "INTEGERS", "SHARE", "Elementwise", "form_of"]

INTEGERS = ("int64", "int32")
EITHER = ("aa", "an")
"""The second operand may be a number."""
SHARE = {"mean": None, "sum": 1.0, "none": 1.0}
"""The words of a loss's reduction: of the mean, an element has a share of 1 / n."""


class Elementwise(Kernel):
    """A formula of each element. `takes`: which operands are arrays (a), masks (b, arrays of bool)
    and numbers (n). `absent`: for operands that may be None, by position, the number that None
    means, or None where the formula then has an operand less. `words`: the number that a text
    means, or None for the share of one element in a mean, 1 / n. `result`: the type of the result
    where it is not that of the operands. `check`: whether the kernel accepts the body's arguments.
    `extras`: how many None follow the result, for what the op returns besides. `long`: the formula
    is so long that threads compute half as many elements, which halves the time to compile it.

    Its forms are, for each of `takes`, "aan" (packed: contiguous arrays of the result's shape) and
    "aan strided" (any strides, fewer than 2^31 elements)."""

    def __init__(
        self, name: str, takes: tuple[str, ...] = ("aa",),
        absent: Mapping[int, float | None] | None = None,
        words: Mapping[str, float | None] | None = None, *,
        file: str = "elementwise.cu", result: str = "T", dtypes: tuple[str, ...] = FLOATS,
        check: Callable[[Sequence[Any]], bool] | None = None, extras: int = 0,
        long: bool = False,
    ) -> None:  # fmt: skip
        """See the class."""
        self.takes, self.absent, self.words = takes, absent or {}, words or {}
        self.result, self.check, self.extras, self.long = result, check, extras, long
        forms = {key: form for each in takes for key, form in _forms(each, result).items()}
        super().__init__(name, file, forms, dtypes)

    def per_thread(self, itemsize: int) -> int:
        """How many elements a thread of the packed form computes: 8 bytes of halves suffice to keep
        memory busy, and each is another copy of the formula to compile."""
        return {8: 2, 4: 4, 2: 4, 1: 8}[itemsize] // (2 if self.long else 1)

    def spell(self, form: str, dtype: str) -> str:
        """The name expression of one instance."""
        scalar = SCALARS[dtype]
        return self.forms[form].expression.format(
            T=scalar.c, A=scalar.wide, V=self.per_thread(16 // scalar.width), functor=self.functor
        )

    @property
    def plain(self) -> bool:
        """Are the body's arguments the operands as they are?"""
        return not (self.absent or self.words or self.check)

    def operands(self, arguments: Sequence[Any]) -> list[Any] | None:
        """The body's arguments as operands of the kernel; None where it has no such form."""
        if self.check is not None and not self.check(arguments):
            return None
        out: list[Any] = []
        for place, value in enumerate(arguments):
            if value is None:
                if place not in self.absent:
                    return None
                value = self.absent[place]
                if value is None:
                    continue
            elif value.__class__ is str:
                if value not in self.words:
                    return None
                word = self.words[value]
                value = _share(arguments) if word is None else word
            out.append(value)
        return out if form_of(out) in {each.replace("b", "a") for each in self.takes} else None


def form_of(operands: Sequence[Any]) -> str:
    """ "aan" for two arrays and a number."""
    return "".join("n" if isinstance(v, (int, float)) else "a" for v in operands)


_TYPES = {"a": "const {T}*", "b": "const bool*", "n": "{A}"}
_WORDS = {"a": "const T*", "b": "const bool*", "n": "A"}


def _forms(takes: str, result: str) -> dict[str, Form]:
    types = "".join(f", {_TYPES[kind]}" for kind in takes)
    operands = ", ".join(f"x{k}: {_WORDS[kind]}" for k, kind in enumerate(takes))
    out = "{T}" if result == "T" else result
    return {
        takes: Form(
            f"ag::packed<{{functor}}, {{T}}, {out}, {{V}}{types}>",
            f"out: {result}*, n: i64, {operands}",
        ),
        takes + " strided": Form(
            f"ag::strided<{{functor}}, {{T}}, {out}{types}>",
            f"out: {result}*, n: i64, layout: Layout, {operands}",
        ),
    }


def _share(arguments: Sequence[Any]) -> float:
    shapes = [a.shape for a in arguments if hasattr(a, "shape")]
    return 1 / max(1, math.prod(np.broadcast_shapes(*shapes)))
