"""Rows of losses of classes."""

from .base import Form, Kernel

__all__ = ["ROWS"]

_SCORES = "x: const T*, target: const i64*, weight: const T*?"
_SIZES = "slabs: i64, size: i64, across: i64, ignore: i64"
_ENTROPY = (
    f"{_SCORES}, out: T*, tops: A*, sums: A*, total: A*?, partial: A*?, bad: i64*, {_SIZES}, "
    "smoothing: A, reduction: i32"
)
_ENTROPY_BACKWARD = (
    f"g: const T*, {_SCORES}, tops: const A*, sums: const A*, total: const A*?, out: T*, {_SIZES}, "
    "smoothing: A, reduction: i32"
)


def _grouped(name: str, parameters: str) -> dict[str, Form]:
    return {
        form: Form(f"ag::{name}<ag::{form.capitalize()}, {{T}}>", parameters)
        for form in ("rows", "columns")
    }


ROWS = (
    Kernel("cross_entropy", "loss.cu", {
        **_grouped("cross_entropy", _ENTROPY),
        "total": Form(
            "ag::cross_entropy_total<{T}>",
            "partial: const A*, out: T*, total: A*?, blocks: i64, reduction: i32",
        ),
    }),
    Kernel(
        "cross_entropy_backward", "loss.cu", _grouped("cross_entropy_backward", _ENTROPY_BACKWARD)
    ),
    Kernel("nll_loss", "loss.cu", {
        "items": Form(
            "ag::nll_loss<{T}>",
            f"{_SCORES}, out: T*, index: i64*, factor: A*, partial: A*?, bad: i64*, "
            "items: i64, size: i64, inner: i64, ignore: i64, reduction: i32",
        ),
        "total": Form(
            "ag::nll_loss_total<{T}>",
            "partial: const A*, out: T*, factor: A*, blocks: i64, items: i64, reduction: i32",
        ),
    }),
    Kernel("nll_loss_backward", "loss.cu", {
        "items": Form(
            "ag::nll_loss_backward<{T}>",
            "g: const T*, index: const i64*, factor: const A*?, out: T*, n: i64, size: i64, "
            "inner: i64, number: A, each: bool",
        ),
    }),
)  # fmt: skip
