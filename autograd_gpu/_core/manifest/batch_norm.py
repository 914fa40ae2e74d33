"""Rows of batch norm: statistics of channels, and what follows element by element."""

from .base import Form, Kernel
from .norm import MIXED

__all__ = ["ROWS"]

_RANGES = "size: i32, total: i32, channels: i32, length: i32"
_STATISTICS = "mean: const A*, variance: const A*"
_EACH = (
    f"first: const T*, second: const T*?, out: T*, {_STATISTICS}, w: const U*?, b: const U*?, "
    "sums: const A*?, products: const A*?, "
)


def _each(what: str) -> dict[str, Form]:
    """Element by element, for long rows and for short ones."""
    return {
        "each row": Form(
            "ag::batch_norm_each_row<ag::" + what + ", {T}, {U}, {V}>",
            _EACH + "rows: i64, channels: i32, length: i64, share: A, eps: A",
        ),
        "each column": Form(
            "ag::batch_norm_each_column<ag::" + what + ", {T}, {U}>",
            _EACH + "samples: i64, n: i64, length: i32, share: A, eps: A",
        ),
    }


_FORWARD = {
    "rows": Form(
        "ag::batch_norm_rows<{T}, {V}>", f"x: const T*, means: A*, squares: A*, {_RANGES}"
    ),
    "columns": Form(
        "ag::batch_norm_columns<{T}>",
        "x: const T*, means: A*, squares: A*, samples: i64, n: i64, length: i32",
    ),
    "merge": Form(
        "ag::batch_norm_merge<{T}>",
        "means: const A*, squares: const A*, mean: A*, variance: A*, ranges: i64, size: i64, "
        "total: i64, channels: i32, length: i32",
    ),
    **_each("Normalized"),
}
_BACKWARD = {
    "rows": Form(
        "ag::batch_norm_backward_rows<{T}, {V}>",
        f"g: const T*, x: const T*, {_STATISTICS}, sums: A*, products: A*, {_RANGES}, eps: A",
    ),
    "columns": Form(
        "ag::batch_norm_backward_columns<{T}>",
        f"g: const T*, x: const T*, {_STATISTICS}, sums: A*, products: A*, samples: i64, n: i64, "
        "length: i32, eps: A",
    ),
    "finish": Form(
        "ag::batch_norm_finish<{T}>",
        "sums: const A*, products: const A*, sum: A*, product: A*, ranges: i64, channels: i32, "
        "length: i32",
    ),
    **_each("Gradient"),
}
_UPDATE = Form(
    "ag::batch_norm_update<{T}>",
    "mean: T*?, variance: T*?, batch_mean: const A*, batch_variance: const A*, n: i64, "
    "momentum: A, unbias: A",
)

ROWS = (
    Kernel("batch_norm", "batch_norm.cu", _FORWARD, MIXED),
    Kernel("batch_norm_backward", "batch_norm.cu", _BACKWARD, MIXED),
    Kernel("batch_norm_update", "batch_norm.cu", {"update": _UPDATE}),
)
