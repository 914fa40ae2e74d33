"""Rows of elementwise kernels: which operands may be arrays, and which numbers."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .base import FLOATS, Form, Kernel

__all__ = ["ROWS", "Elementwise", "form_of"]


class Elementwise(Kernel):
    """A formula of each element. `takes`: which operands may be arrays (a) and which numbers (n).
    `absent`: for operands that may be None, by position, the number that None means, or None where
    the formula then has an operand less. `words`: the number that a text means, or None for the
    share of one element in a mean, 1 / n. `result`: the type of the result where it is not that
    of the operands.

    Its forms are, for each of `takes`, "aan" (packed: contiguous arrays of the result's shape),
    "aan strided" (any strides) and "aan large" (where an index or an offset may not fit into 31
    bits)."""

    def __init__(
        self, name: str, takes: tuple[str, ...] = ("aa",),
        absent: Mapping[int, float | None] | None = None,
        words: Mapping[str, float | None] | None = None, *,
        file: str = "elementwise.cu", result: str = "T", dtypes: tuple[str, ...] = FLOATS,
    ) -> None:  # fmt: skip
        """See the class."""
        self.takes, self.absent, self.words = takes, absent or {}, words or {}
        self.result = result
        forms = {key: form for each in takes for key, form in _forms(each, result).items()}
        super().__init__(name, file, forms, dtypes)

    def operands(self, arguments: Sequence[Any]) -> list[Any] | None:
        """The body's arguments as operands of the kernel; None where it has no such form."""
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
        return out if form_of(out) in self.takes else None


def form_of(operands: Sequence[Any]) -> str:
    """ "aan" for two arrays and a number."""
    return "".join("n" if isinstance(v, (int, float)) else "a" for v in operands)


def _forms(takes: str, result: str) -> dict[str, Form]:
    types = ", ".join("const {T}*" if kind == "a" else "{A}" for kind in takes)
    operands = ", ".join(
        f"x{k}: const T*" if kind == "a" else f"x{k}: A" for k, kind in enumerate(takes)
    )
    head = f"out: {result}*, n: i64, "
    return {
        takes: Form("ag::packed<{functor}, {T}, {V}, " + types + ">", head + operands),
        takes + " strided": Form(
            "ag::strided<{functor}, {T}, int, " + types + ">", head + "layout: Layout, " + operands
        ),
        takes + " large": Form(
            "ag::strided<{functor}, {T}, long long, " + types + ">",
            head + "layout: Layout, " + operands,
        ),
    }


def _share(arguments: Sequence[Any]) -> float:
    shapes = [a.shape for a in arguments if hasattr(a, "shape")]
    return 1 / max(1, math.prod(np.broadcast_shapes(*shapes)))


def _rows() -> Iterator[Kernel]:
    for name in ("tanh", "relu", "silu", "mish", "sigmoid", "sinc"):
        yield Elementwise(name + "_backward", ("aa",))
    yield Elementwise("leaky_relu_backward", ("aan",))
    yield Elementwise("elu_backward", ("aannn",))
    yield Elementwise("softplus_backward", ("aann",))
    yield Elementwise("logit_backward", ("aa", "aan"), {2: None})
    yield Elementwise("pow_backward", ("aan", "aaa"))
    yield Elementwise("pow_backward_exponent", ("aaaa",))
    bounds = {2: -math.inf, 3: math.inf}
    yield Elementwise("clamp_backward", ("aann", "aaaa", "aaan", "aana"), bounds)
    yield Elementwise("clamp_backward_low", ("aaa", "aaaa"), {3: None})
    yield Elementwise("clamp_backward_high", ("aaa", "aaaa"), {2: None})
    approximate = {"none": 0.0, "tanh": 1.0}
    yield Elementwise("gelu_backward", ("aan", "aaan"), {2: None}, approximate)
    reduction = {"mean": None, "sum": 1.0, "none": 1.0}
    yield Elementwise("mse_loss_backward", ("aaan",), words=reduction)
    forms = ("aaann", "aaaan", "aaanan", "aaaaan")
    yield Elementwise("bce_with_logits_backward", forms, {3: 1.0, 4: None}, reduction)


ROWS: tuple[Kernel, ...] = tuple(_rows())
