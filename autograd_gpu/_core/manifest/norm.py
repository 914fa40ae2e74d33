"""Rows of the normalizations of each sample: layer norm, RMS norm, group norm."""

from .base import FLOATS, Form, Kernel

__all__ = ["MIXED", "ROWS"]

MIXED = (*FLOATS, "float16:float32", "bfloat16:float32")
"""Half types may have parameters in float32."""

_SIZES = "rows: i64, n: i64, groups: i32, channels: i32, length: i32"
_SUMS = "dw: A*?, db: A*?"


def _forward(name: str, rstd: str, dtypes: tuple[str, ...]) -> Kernel:
    stored = "{T}" if rstd == "T" else "{A}"
    return Kernel(name, "norm.cu", {
        "rows": Form(
            "ag::norm_rows<{functor}, {T}, {U}, " + stored + ", {V}>",
            "x: const T*, w: const U*?, b: const U*?, out: T*, mean: A*?, "
            f"rstd: {rstd}*, {_SIZES}, eps: A",
        ),
    }, dtypes)  # fmt: skip


def _backward(name: str, rstd: str, dtypes: tuple[str, ...]) -> Kernel:
    stored = "{T}" if rstd == "T" else "{A}"
    statistics = f"mean: const A*?, rstd: const {rstd}*"
    forms = {
        "rows": Form(
            "ag::norm_backward_rows<{functor}, {T}, {U}, " + stored + ", {V}>",
            f"g: const T*, x: const T*, w: const U*?, {statistics}, dx: T*, {_SIZES}",
        ),
        "columns": Form(
            "ag::norm_columns<{functor}, {T}, " + stored + ">",
            f"g: const T*, x: const T*, {statistics}, {_SUMS}, rows: i64, n: i64",
        ),
        "channels": Form(
            "ag::norm_channels<{T}>",
            f"g: const T*, x: const T*, {statistics}, {_SUMS}, rows: i64, channels: i32, "
            "length: i64",
        ),
        "finish": Form(
            "ag::norm_finish<{functor}, {T}>",
            f"partial_w: const A*?, partial_b: const A*?, {_SUMS}, rows: i64, n: i64",
        ),
    }
    del forms["columns" if name.startswith("group") else "channels"]
    return Kernel(name, "norm.cu", forms, dtypes)


ROWS = (
    _forward("layer_norm", "A", MIXED),
    _backward("layer_norm_backward", "A", MIXED),
    _forward("rms_norm", "T", FLOATS),
    _backward("rms_norm_backward", "T", FLOATS),
    _forward("group_norm", "A", MIXED),
    _backward("group_norm_backward", "A", MIXED),
)
