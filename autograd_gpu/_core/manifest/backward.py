"""Rows of elementwise backward formulas: of functions of one, two and three numbers, of
activations, of losses, of choices by a mask."""

import math
from collections.abc import Iterator

from .base import FLOATS, Kernel
from .elementwise import INTEGERS, SHARE, Elementwise

__all__ = ["ROWS"]

_SHORT = (
    "exp2", "expm1", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal", "square", "tan",
    "asin", "acos", "atan", "tanh", "asinh", "acosh", "atanh", "abs", "nan_to_num", "sigmoid",
    "erfinv", "ndtr", "ndtri", "relu", "hardsigmoid", "hardswish", "silu", "logsigmoid", "glu",
)  # fmt: skip
_LONG = ("sin", "cos", "sinh", "cosh", "sinc", "entr", "mish")


def _one() -> Iterator[Kernel]:
    for name in (*_SHORT, *_LONG):
        yield Elementwise(name + "_backward", long=name in _LONG)
    for name in ("rpow", "erf", "leaky_relu", "threshold", "shrink"):
        yield Elementwise(name + "_backward", ("aan",), long=name == "rpow")
    yield Elementwise("logit_backward", ("aa", "aan"), {2: None})
    yield Elementwise("erfcx_backward", ("aaa",))
    yield Elementwise("prelu_backward", ("aaa",))
    yield Elementwise("prelu_backward_weight")
    yield Elementwise("hardtanh_backward", ("aann",))
    yield Elementwise("elu_backward", ("aannn",))
    yield Elementwise("softplus_backward", ("aann",))
    approximate = {"none": 0.0, "tanh": 1.0}
    yield Elementwise("gelu_backward", ("aan", "aaan"), {2: None}, approximate, long=True)
    yield Elementwise("glu_backward_gate", ("aaa",))


def _two() -> Iterator[Kernel]:
    file = "binary_backward.cu"
    for name in (
        "maximum_backward", "fmax_backward", "fmax_backward_other", "fmin_backward",
        "fmin_backward_other", "atan2_backward", "atan2_backward_other", "hypot_backward",
        "logaddexp_backward", "logaddexp2_backward", "copysign_backward", "lerp_backward_weight",
        "div_backward_other", "xlogy_backward_other", "xlog1py_backward_other",
    ):  # fmt: skip
        yield Elementwise(name, ("aaa",), file=file)
    for name in (
        "remainder_backward_other", "fmod_backward_other", "xlogy_backward", "xlog1py_backward",
    ):  # fmt: skip
        yield Elementwise(name, ("aaa",), file=file, long=True)
    yield Elementwise("pow_backward", ("aan", "aaa"), file=file, long=True)
    yield Elementwise("pow_backward_exponent", ("aaaa",), file=file, long=True)
    yield Elementwise("heaviside_backward", file=file)
    yield Elementwise("lerp_backward", file=file)
    yield Elementwise("addcmul_backward", ("aan",), file=file)
    yield Elementwise("addcdiv_backward", ("aan",), file=file)
    yield Elementwise("addcdiv_backward_divisor", ("aaan",), file=file)


def _losses() -> Iterator[Kernel]:
    file = "binary_backward.cu"
    yield Elementwise("mse_loss_backward", ("aaan",), words=SHARE, file=file)
    yield Elementwise("huber_loss_backward", ("aaann",), words=SHARE, file=file)
    yield Elementwise("smooth_l1_loss_backward", ("aaann",), words=SHARE, file=file)
    yield Elementwise("soft_margin_loss_backward", ("aaan",), words=SHARE, file=file)
    yield Elementwise("bce_backward", ("aaann", "aaaan"), {3: 1.0}, SHARE, file=file)
    forms = ("aaann", "aaaan", "aaanan")
    absent = {3: 1.0, 4: None}
    yield Elementwise("bce_with_logits_backward", forms, absent, SHARE, file=file)


def _choices() -> Iterator[Kernel]:
    file = "choose.cu"
    yield Elementwise("where_backward", ("ab",), file=file, dtypes=(*FLOATS, *INTEGERS))
    bounds = {2: -math.inf, 3: math.inf}
    yield Elementwise("clamp_backward", ("aann", "aaaa"), bounds, file=file)
    yield Elementwise("clamp_backward_low", ("aaa", "aaaa"), {3: None}, file=file)
    yield Elementwise("clamp_backward_high", ("aaa", "aaaa"), {2: None}, file=file)


ROWS: tuple[Kernel, ...] = (*_one(), *_two(), *_losses(), *_choices())
