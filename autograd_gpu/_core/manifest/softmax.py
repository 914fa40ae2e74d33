"""Rows of softmax and log-softmax."""

from .base import Form, Kernel

__all__ = ["ROWS"]


def _backward(name: str) -> Kernel:
    arrays = "g: const T*, y: const T*, out: T*"
    return Kernel(name, "softmax.cu", {
        "rows": Form("ag::softmax_rows<{functor}, {T}>", arrays + ", rows: i64, size: i64"),
        "columns": Form(
            "ag::softmax_columns<{functor}, {T}>",
            arrays + ", outer: i64, size: i64, inner: i64",
        ),
    })  # fmt: skip


ROWS = (_backward("softmax_backward"), _backward("log_softmax_backward"))
