"""Rows of elementwise backward formulas: of functions of one, two and three numbers, of
activations, of losses, of choices by a mask."""

import math
from collections.abc import Iterator

from .base import FLOATS, Kernel
from .elementwise import BOTH, INTEGERS, SHARE, Elementwise

__all__ = ["ROWS"]

_UNARY = (
    "exp2", "expm1", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal", "square", "sin",
    "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "abs",
    "nan_to_num", "sigmoid", "sinc", "entr", "erfinv", "ndtr", "ndtri", "relu", "hardsigmoid",
    "hardswish", "silu", "mish", "logsigmoid", "glu",
)  # fmt: skip


def _one() -> Iterator[Kernel]:
    for name in _UNARY:
        yield Elementwise(name + "_backward")
    for name in ("rpow", "erf", "leaky_relu", "threshold", "shrink"):
        yield Elementwise(name + "_backward", ("aan",))
    yield Elementwise("logit_backward", ("aa", "aan"), {2: None})
    yield Elementwise("erfcx_backward", ("aaa",))
    yield Elementwise("prelu_backward", ("aaa",))
    yield Elementwise("prelu_backward_weight")
    yield Elementwise("hardtanh_backward", ("aann",))
    yield Elementwise("elu_backward", ("aannn",))
    yield Elementwise("softplus_backward", ("aann",))
    approximate = {"none": 0.0, "tanh": 1.0}
    yield Elementwise("gelu_backward", ("aan", "aaan"), {2: None}, approximate)
    yield Elementwise("glu_backward_gate", ("aaa",))


def _two() -> Iterator[Kernel]:
    file = "binary_backward.cu"
    for name in (
        "maximum_backward", "fmax_backward", "fmax_backward_other", "fmin_backward",
        "fmin_backward_other", "atan2_backward", "atan2_backward_other", "hypot_backward",
        "logaddexp_backward", "logaddexp2_backward", "copysign_backward", "lerp_backward_weight",
    ):  # fmt: skip
        yield Elementwise(name, ("aaa",), file=file)
    for name in ("div_backward_other", "remainder_backward_other", "fmod_backward_other"):
        yield Elementwise(name, ("aaa",), file=file)
    for name in ("xlogy_backward", "xlog1py_backward"):
        yield Elementwise(name, tuple("a" + each for each in BOTH), file=file)
        yield Elementwise(name + "_other", tuple("a" + each for each in BOTH), file=file)
    yield Elementwise("pow_backward", ("aan", "aaa"), file=file)
    yield Elementwise("pow_backward_exponent", ("aaaa",), file=file)
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
    for name in ("bce_backward", "bce_backward_target"):
        yield Elementwise(name, ("aaann", "aaaan"), {3: 1.0}, SHARE, file=file)
    forms = ("aaann", "aaaan", "aaanan", "aaaaan")
    for name in ("bce_with_logits_backward", "bce_with_logits_backward_target"):
        yield Elementwise(name, forms, {3: 1.0, 4: None}, SHARE, file=file)


def _choices() -> Iterator[Kernel]:
    file = "choose.cu"
    yield Elementwise("where_backward", ("ab",), file=file, dtypes=(*FLOATS, *INTEGERS))
    bounds = {2: -math.inf, 3: math.inf}
    forms = ("aann", "aaaa", "aaan", "aana")
    yield Elementwise("clamp_backward", forms, bounds, file=file)
    yield Elementwise("clamp_backward_low", ("aaa", "aaaa"), {3: None}, file=file)
    yield Elementwise("clamp_backward_high", ("aaa", "aaaa"), {2: None}, file=file)


ROWS: tuple[Kernel, ...] = (*_one(), *_two(), *_losses(), *_choices())
