"""The kernels: a row for each, and how C++ spells every instance that is compiled."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

__all__ = ["KERNELS", "LAYOUT", "MAX_DIMS", "SCALARS", "Elementwise", "Kernel", "Rows", "Scalar"]


class Scalar(NamedTuple):
    """A type of elements: its name in C++, that of what it is computed in, elements in 16 bytes."""

    c: str
    wide: str
    width: int


SCALARS = {
    "float32": Scalar("float", "float", 4),
    "float64": Scalar("double", "double", 2),
    "float16": Scalar("__half", "float", 8),
    "bfloat16": Scalar("__nv_bfloat16", "float", 8),
}

MAX_DIMS, _MAX_OPERANDS = 8, 6  # as in common.cuh
LAYOUT = np.dtype(
    [("ndim", "i8"), ("shape", "i8", MAX_DIMS), ("strides", "i8", (_MAX_OPERANDS, MAX_DIMS))]
)
"""The structure `Layout` of common.cuh: the result's shape, the operands' strides in elements."""


@dataclass(frozen=True)
class Kernel:
    """What all rows have: the name in `@composite(kernel=...)`, and the file."""

    name: str
    file: str

    @property
    def functor(self) -> str:
        """`tanh_backward` is TanhBackward in C++."""
        return "ag::" + "".join(map(str.capitalize, self.name.split("_")))

    def instances(self, dtype: str) -> list[str]:
        """The name expressions of every instance for a type of elements."""
        raise NotImplementedError


@dataclass(frozen=True)
class Elementwise(Kernel):
    """A formula of each element. `forms`: which operands may be arrays (a) and which numbers (n).
    `absent`: for operands that may be None, by position, the number that None means, or None where
    the formula then has an operand less. `words`: the number that a text means, or None for the
    share of one element in a mean, 1 / n."""

    file: str = field(default="elementwise.cu", kw_only=True)
    forms: tuple[str, ...]
    absent: Mapping[int, float | None] = field(default_factory=dict)
    words: Mapping[str, float | None] = field(default_factory=dict)

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
        return out if form_of(out) in self.forms else None

    def packed(self, dtype: str, form: str) -> str:
        """For contiguous arrays of the result's shape."""
        scalar = SCALARS[dtype]
        return f"ag::packed<{self.functor}, {scalar.c}, {scalar.width}, {_types(dtype, form)}>"

    def strided(self, dtype: str, form: str, large: bool) -> str:
        """For any strides. `large`: an index or an offset may not fit into 31 bits."""
        index = "long long" if large else "int"
        return f"ag::strided<{self.functor}, {SCALARS[dtype].c}, {index}, {_types(dtype, form)}>"

    def instances(self, dtype: str) -> list[str]:
        """Packed, and strided with both types of index, in every form."""
        return [
            expression
            for form in self.forms
            for expression in (
                self.packed(dtype, form),
                self.strided(dtype, form, large=False),
                self.strided(dtype, form, large=True),
            )
        ]


@dataclass(frozen=True)
class Rows(Kernel):
    """A formula with a reduction along one dimension, of contiguous arrays (outer, size, inner)."""

    file: str

    def rows(self, dtype: str) -> str:
        """For inner = 1."""
        return f"ag::softmax_rows<{self.functor}, {SCALARS[dtype].c}>"

    def columns(self, dtype: str) -> str:
        """For any inner."""
        return f"ag::softmax_columns<{self.functor}, {SCALARS[dtype].c}>"

    def instances(self, dtype: str) -> list[str]:
        """Both."""
        return [self.rows(dtype), self.columns(dtype)]


def form_of(operands: Sequence[Any]) -> str:
    """ "aan" for two arrays and a number."""
    return "".join("n" if isinstance(v, (int, float)) else "a" for v in operands)


def _types(dtype: str, form: str) -> str:
    scalar = SCALARS[dtype]
    return ", ".join(f"const {scalar.c}*" if kind == "a" else scalar.wide for kind in form)


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
    for name in ("softmax", "log_softmax"):
        yield Rows(name + "_backward", "softmax.cu")


KERNELS: dict[str, Kernel] = {kernel.name: kernel for kernel in _rows()}
"""Every kernel by its name."""
