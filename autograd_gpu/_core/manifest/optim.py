"""Rows of what works on many tensors at once: steps of optimizers, norms of gradients."""

import numpy as np

from .base import STRUCTS, Form, Kernel

__all__ = ["MAX_LISTS", "MAX_TENSORS", "ROWS", "TENSORS"]

MAX_TENSORS, MAX_LISTS = 64, 5  # as in optim.cu
TENSORS = np.dtype([
    ("at", "u8", (MAX_LISTS, MAX_TENSORS)), ("size", "i8", MAX_TENSORS), ("chunk", "i8"),
    ("first", "i4", MAX_TENSORS + 1), ("count", "i4"),
])  # fmt: skip
"""The structure `Tensors` of optim.cu: addresses in lists, sizes, and which blocks are whose."""

STRUCTS["Tensors"] = TENSORS


def _step(name: str, options: str) -> Kernel:
    """`options` as `Form` has them: numbers of type A, and flags."""
    kinds = ["{A}" if text.endswith(": A") else "bool" for text in options.split(", ")]
    expression = "ag::optimizer_step<{functor}, {T}, {V}, " + ", ".join(kinds) + ">"
    return Kernel(
        name, "optim.cu", {"step": Form(expression, "tensors: Tensors, " + options)}
    )


def _norms() -> dict[str, Form]:
    forms = {}
    for form, functor in (("two", "Two"), ("one", "One"), ("inf", "Infinite")):
        forms[form] = Form(
            "ag::norm_parts<ag::" + functor + ", {T}, {V}>",
            "tensors: Tensors, partial: f64*, start: i64",
        )
        forms[form + " whole"] = Form(
            "ag::norm_whole<ag::" + functor + ", {T}>", "partial: const f64*, out: T*, n: i64"
        )
    return forms


ROWS = (
    _step(
        "sgd",
        "lr: A, momentum: A, share: A, decay: A, nesterov: bool, maximize: bool, first: bool",
    ),
    _step(
        "adam",
        "size: A, eps: A, weight: A, old: bool, beta: A, rest: A, shrink: A, decay: A, "
        "maximize: bool, amsgrad: bool",
    ),
    _step(
        "rmsprop",
        "lr: A, alpha: A, rest: A, weight: A, old: bool, eps: A, decay: A, momentum: A, "
        "centered: bool, maximize: bool",
    ),
    Kernel("total_norm", "optim.cu", _norms()),
    Kernel("clip_by_norm", "optim.cu", {
        "scale": Form("ag::scale_by_norm<{T}, {V}>", "tensors: Tensors, norm: const T*, most: A"),
    }),
)  # fmt: skip
