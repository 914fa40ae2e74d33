"""One expression in both libraries: the same value, or an error of the same type."""

import numpy as np

import autograd_gpu as ag

from ..oracle import assert_same, numpy_of

inf, nan = float("inf"), float("nan")


def world(m):
    """What the expressions may name, of library `m`."""
    float64 = m.float64

    def g(function, *values, dtype=float64):
        """The values and gradients of f at new leaves, as lists."""
        leaves = [m.tensor(v, dtype=dtype, requires_grad=True) for v in values]
        out = function(*leaves)
        (out.abs() if out.is_complex() else out).sum().backward()
        return [out.detach(), *(x.grad if x.grad is not None else m.zeros(0) for x in leaves)]

    return {
        "m": m, "np": np, "inf": inf, "nan": nan, "g": g, "T": m.tensor,
        "t": m.tensor([1.0, 2.0]), "d": m.tensor([1.0, 2.0], dtype=float64), "i": m.tensor([1, 2]),
        "h": m.tensor([1.0, 2.0], dtype=m.float16), "bf": m.tensor([1.0, 2.0], dtype=m.bfloat16),
        "b": m.tensor([True, False]), "c": m.tensor([1 + 1j, 2 - 1j]), "z": m.tensor(3.0),
        "zi": m.tensor(3), "u": m.tensor([44, 255], dtype=m.uint8),
        "s": m.tensor([1, -8], dtype=m.int8), "e": m.zeros(0),
        "r": m.tensor([1.0, 2.0], requires_grad=True), "x": m.arange(6.0).reshape(2, 3),
    }  # fmt: skip


def cases(text):
    """The expressions in a text, each ended by a semicolon."""
    return [" ".join(part.split()) for part in text.split(";") if part.strip()]


def outcome(m, expression):
    try:
        return eval(expression, world(m))  # noqa: S307
    except Exception as error:
        return error


def check(torch, expression, tolerance=None):
    """Both libraries give the same: values, dtypes, shapes, or the type of the error."""
    ours, theirs = outcome(ag, expression), outcome(torch, expression)
    assert not isinstance(theirs, (SyntaxError, NameError)), f"{expression}: {theirs!r}"
    if isinstance(theirs, Exception) or isinstance(ours, Exception):
        assert type(ours) is type(theirs), f"{expression}: {ours!r}, but {theirs!r}"
    elif isinstance(theirs, (list, torch.Tensor)):
        assert_same(ours, theirs, expression, tolerance)
    elif isinstance(theirs, np.ndarray):
        np.testing.assert_array_equal(numpy_of(ours), theirs, expression)
    else:
        assert repr(ours) == repr(theirs), expression
