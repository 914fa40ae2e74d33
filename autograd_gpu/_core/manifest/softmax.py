"""Rows of softmax and log-softmax."""

from .base import Form, Kernel

__all__ = ["ROWS"]


def _row(name: str, template: str, arrays: str) -> Kernel:
    forms = {
        form: Form(
            f"ag::{template}<{{functor}}, ag::{form.capitalize()}, {{T}}>",
            f"{arrays}, out: T*, slabs: i64, size: i64, across: i64",
        )
        for form in ("rows", "columns")
    }
    return Kernel(name, "softmax.cu", forms)


ROWS = (
    _row("softmax", "softmax", "x: const T*"),
    _row("log_softmax", "softmax", "x: const T*"),
    _row("softmax_backward", "softmax_backward", "g: const T*, y: const T*"),
    _row("log_softmax_backward", "softmax_backward", "g: const T*, y: const T*"),
)
