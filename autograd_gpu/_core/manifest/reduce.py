"""Rows of reductions: sums, means, lengths, extremes, log-sum-exp, variances."""

import numpy as np

from .base import MAX_DIMS, STRUCTS, Form, Kernel

__all__ = ["REDUCTION", "ROWS"]

_AXES = [
    ("ndim", "i8"), ("shape", "i8", MAX_DIMS), ("strides", "i8", MAX_DIMS),
    ("magic", "u8", MAX_DIMS), ("shift", "i8", MAX_DIMS),
]  # fmt: skip
_SIZES = [(name, "i8") for name in ("outputs", "size", "chunk", "count")]
REDUCTION = np.dtype([*_SIZES, ("kept", _AXES), ("reduced", _AXES)])
"""The structure `Reduction` of reduce.cu."""
STRUCTS["Reduction"] = REDUCTION

SAME = ("float32", "float64", "float16", "bfloat16")
NARROWED = ("float32:float16", "float32:bfloat16")  # of what a first launch added in float
WIDENED = ("float16:float32", "bfloat16:float32")  # the first launch
INTEGERS = ("int64", "int32:int64", "int16:int64", "int8:int64", "uint8:int64", "bool:int64")

_CORRECTED = "r: Reduction, correction: f64"


def _reduction(name: str, functor: str, dtypes: tuple[str, ...]) -> Kernel:
    forms = {
        form: Form(
            f"ag::reduce<ag::{functor}, ag::{form.capitalize()}, {{T}}, {{U}}>",
            "x: const T*, out: U*, r: Reduction",
        )
        for form in ("rows", "columns")
    }
    return Kernel(name, "reduce.cu", forms, dtypes)


def _backward(name: str) -> Kernel:
    forms = {
        form: Form(
            f"ag::reduce_backward<{{functor}}, ag::{form.capitalize()}, {{T}}>",
            "g: const T*, x: const T*, y: const T*, out: T*, r: Reduction",
        )
        for form in ("rows", "columns")
    }
    return Kernel(name, "reduce.cu", forms)


def _of_variance(name: str, parameters: str) -> Kernel:
    forms = {
        form: Form(f"ag::{name}<ag::{form.capitalize()}, {{T}}>", parameters)
        for form in ("rows", "columns")
    }
    return Kernel(name, "variance.cu", forms)


ROWS = (
    _reduction("sum", "Total", (*SAME, *NARROWED, *WIDENED, "float64:float32", *INTEGERS)),
    _reduction("mean", "Mean", (*SAME, *NARROWED)),
    _reduction("vector_norm", "Length", (*SAME, *NARROWED, *WIDENED)),
    _reduction("amax", "Largest", SAME),
    _reduction("amin", "Smallest", SAME),
    _reduction("logsumexp", "LogSumExp", SAME),
    _backward("logsumexp_backward"),
    _backward("norm_backward"),
    _of_variance("var", f"x: const T*, out: T*, mean: T*?, {_CORRECTED}, root: bool"),
    _of_variance("var_backward", f"g: const T*, x: const T*, out: T*, {_CORRECTED}"),
)
