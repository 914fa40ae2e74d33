"""Rows of elementwise forwards: functions of one, two and three numbers, comparisons, logic,
choices by a mask, fills and conversions."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from .base import FLOATS, Form, Kernel
from .elementwise import EITHER, INTEGERS, Elementwise

__all__ = ["CASTS", "ROWS"]

NUMBERS = (*FLOATS, *INTEGERS)
ALL = (*NUMBERS, "bool")
CASTS = (*ALL, "uint8")
"""The types that are filled, and converted into each other."""

_LARGEST = 3.4028234663852886e38  # of float32

_SHORT = (
    "exp", "exp2", "sqrt", "rsqrt", "reciprocal", "tanh", "deg2rad", "rad2deg", "floor", "ceil",
    "trunc", "frac", "sigmoid",
)  # fmt: skip
_LONG = (
    "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "sinh",
    "cosh", "asinh", "acosh", "atanh", "sinc", "entr", "erf", "erfc", "erfinv", "ndtr", "lgamma",
)  # fmt: skip


def _one() -> Iterator[Kernel]:
    file = "unary.cu"
    for name in (*_SHORT, *_LONG):
        yield Elementwise(name, ("a",), file=file, long=name in _LONG)
    for name in ("square", "neg", "abs", "sign"):
        yield Elementwise(name, ("a",), file=file, dtypes=NUMBERS)
    yield Elementwise("round", ("an",), file=file, check=lambda arguments: arguments[1] == 0)
    yield Elementwise("logit", ("an",), {1: -1.0}, file=file, long=True)


def _positive(arguments: Sequence[Any]) -> bool:
    return arguments[1] >= 0


def _not_zero(arguments: Sequence[Any]) -> bool:
    return arguments[1] != 0


def _activations() -> Iterator[Kernel]:
    file = "activation.cu"
    for name in ("relu", "relu6", "hardsigmoid", "hardswish", "silu"):
        yield Elementwise(name, ("a",), file=file)
    for name in ("selu", "mish", "logsigmoid"):
        yield Elementwise(name, ("a",), file=file, long=True)
    for name in ("leaky_relu", "hardshrink", "elu"):
        yield Elementwise(name, ("an",), file=file, long=name == "elu")
    yield Elementwise("softshrink", ("an",), file=file, check=_positive)
    yield Elementwise("celu", ("an",), file=file, check=_not_zero, long=True)
    for name in ("threshold", "hardtanh", "softplus"):
        yield Elementwise(name, ("ann",), file=file, long=name == "softplus")
    yield Elementwise("prelu", ("aa",), file=file)
    approximate = {"none": 0.0, "tanh": 1.0}
    yield Elementwise("gelu", ("an",), None, approximate, file=file, extras=1, long=True)


def _two() -> Iterator[Kernel]:
    file = "binary.cu"
    for name in ("add", "sub"):
        yield Elementwise(name, ("aan", "ann"), file=file, dtypes=NUMBERS)
    yield Elementwise("rsub", ("ann",), file=file, dtypes=NUMBERS)
    yield Elementwise("mul", EITHER, file=file, dtypes=NUMBERS)
    yield Elementwise("true_div", EITHER, file=file)
    for name in ("floor_divide", "remainder", "fmod"):
        yield Elementwise(name, EITHER, file=file, long=True)
    rounding = {"floor": 1.0, "trunc": 0.0}
    yield Elementwise("div_rounded", ("aan", "ann"), None, rounding, file=file, long=True)
    for name in ("maximum", "minimum"):
        yield Elementwise(name, ("aa",), file=file, dtypes=NUMBERS)
    for name in ("fmax", "fmin", "heaviside", "copysign"):
        yield Elementwise(name, ("aa",), file=file)
    for name in ("pow_tensor", "atan2", "hypot", "logaddexp", "logaddexp2", "xlogy", "xlog1py"):
        yield Elementwise(name, ("aa",), file=file, long=True)
    for name in ("pow_number", "rpow"):
        yield Elementwise(name, ("an",), file=file, long=True)
    yield Elementwise("lerp", ("aan", "aaa"), file=file)
    for name in ("addcmul", "addcdiv"):
        yield Elementwise(name, ("aaan",), file=file)


def _comparisons() -> Iterator[Kernel]:
    file = "compare.cu"
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        dtypes = ALL if name in ("eq", "ne") else NUMBERS
        yield Elementwise(name, EITHER, file=file, result="bool", dtypes=dtypes)
    for name in ("isnan", "isinf", "isfinite"):
        yield Elementwise(name, ("a",), file=file, result="bool")
    for name in ("logical_and", "logical_or", "logical_xor"):
        yield Elementwise(name, ("aa",), file=file, result="bool", dtypes=("bool",))
    yield Elementwise("logical_not", ("a",), file=file, result="bool", dtypes=("bool",))
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
        yield Elementwise(name, EITHER, file=file, dtypes=(*INTEGERS, "bool"))
    yield Elementwise("bitwise_not", ("a",), file=file, dtypes=(*INTEGERS, "bool"))


def _choices() -> Iterator[Kernel]:
    file = "choose.cu"
    yield Elementwise("where", ("baa",), file=file, dtypes=ALL)
    yield Elementwise("masked_fill", ("abn", "aba"), file=file, dtypes=ALL, check=_fits)
    bounds = {1: -math.inf, 2: math.inf}
    yield Elementwise("clamp", ("ann", "aaa"), bounds, file=file)
    for name in ("clamp_min", "clamp_max"):
        yield Elementwise(name, EITHER, file=file)


def _fits(arguments: Sequence[Any]) -> bool:
    """Is the number surely one that the type holds? If not, the body says what is wrong."""
    input, _, value = arguments
    if hasattr(value, "dtype"):
        return value.ndim == 0
    kind = input.dtype.kind
    if kind == "f" or kind == "V":
        return input.dtype.itemsize != 4 or not _LARGEST < abs(value) < math.inf
    return value.__class__ is (bool if kind == "b" else int)


def _conversions() -> Iterator[Kernel]:
    yield Kernel("cast", "convert.cu", {
        "packed": Form("ag::cast_packed<{T}, {U}>", "out: U*, n: i64, x: const T*"),
        "strided": Form(
            "ag::cast_strided<{T}, {U}>", "out: U*, n: i64, layout: Layout, x: const T*"
        ),
    }, tuple(f"{a}:{b}" for a in CASTS for b in CASTS))  # fmt: skip
    yield Kernel("fill", "convert.cu", {
        "packed": Form("ag::packed<ag::Fill, {T}, {T}, {V}, {A}>", "out: T*, n: i64, v: A"),
        "strided": Form("ag::fill_strided<{T}>", "out: T*, n: i64, layout: Layout, v: A"),
    }, CASTS)  # fmt: skip


ROWS: tuple[Kernel, ...] = (
    *_one(), *_activations(), *_two(), *_comparisons(), *_choices(), *_conversions(),
)  # fmt: skip
