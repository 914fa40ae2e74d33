"""Rows of the random fills and of dropout."""

from .base import Form, Kernel

__all__ = ["ROWS"]

_HEAD = "out: {}*, n: i64, seed: u64, counter: u64, "


def _real(name: str) -> Kernel:
    """A distribution of real numbers with two parameters, in each floating type."""
    parameters = _HEAD.format("T") + "a: f64, b: f64"
    return Kernel(name, "random.cu", {"": Form("ag::random_real<{functor}, {T}>", parameters)})


_INTEGERS = _HEAD.format("i64") + "a: i64, m: u64"
_DROPOUT = "x: const T*, out: T*, mask: bool*, n: i64, seed: u64, counter: u64, m: u64, s: A"

ROWS = (
    *map(_real, (
        "random_uniform", "random_normal", "random_log_normal", "random_exponential",
        "random_cauchy",
    )),
    Kernel("random_integers", "random.cu", {
        "word": Form("ag::random_integers<{functor}, unsigned, 4>", _INTEGERS),
        "two words": Form("ag::random_integers<{functor}, ag::u64, 2>", _INTEGERS),
    }, ("int64",)),
    Kernel("random_bernoulli", "random.cu", {
        "": Form("ag::random_bernoulli<{functor}>", _HEAD.format("bool") + "m: u64"),
    }, ("bool",)),
    Kernel("dropout", "random.cu", {"": Form("ag::dropout<{functor}, {T}>", _DROPOUT)}),
    Kernel("dropout_backward", "random.cu", {
        "": Form(
            "ag::dropout_backward<{functor}, {T}>",
            "g: const T*, mask: const bool*, out: T*, n: i64, s: A",
        ),
    }),
)  # fmt: skip
