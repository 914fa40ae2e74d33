"""Keeping numbers within bounds: clamp, fmax, fmin, nan_to_num."""

from typing import Any

import numpy as np

from .._core.dtype import finfo, of, result_dtype
from .._core.tensor import Tensor
from .declare import Array, composite, op
from .helpers import like, raw
from .select import masked_fill

__all__ = ["clamp", "clamp_max", "clamp_min", "fmax", "fmin", "nan_to_num"]


def _within(xp: Any, name: str, input: Any, low: Any, high: Any) -> Any:
    """min(max(x, low), high): so NaN spreads, and `high` wins where the bounds cross."""
    if input.dtype.kind == "c":
        raise NotImplementedError(f"{name} is not supported for complex types")
    if low is not None:
        input = xp.maximum(input, low)
    return input if high is None else xp.minimum(input, high)


def _numbers(xp: Any, name: str, input: Any, low: Any, high: Any) -> Any:
    """The same for numbers as bounds: floats make floats of integers."""
    if input.dtype.kind in "biu":
        wanted = result_dtype([input, *(v for v in (low, high) if v is not None)])
        input = input.astype(wanted)
        if wanted.kind in "iu":
            info = np.iinfo(wanted)
            for v in (low, high):
                if v is not None and not info.min <= v <= info.max:
                    raise RuntimeError(
                        f"value cannot be converted to type {of(wanted).name} without overflow"
                    )
    elif input.dtype.itemsize == 2:
        low, high = (v if v is None else input.dtype.type(v) for v in (low, high))
    return _within(xp, name, input, low, high)


@composite(kernel="clamp_backward")
def _clamp_backward(grad, input, low, high):
    """g where low <= x <= high, 0 elsewhere and where x or a bound is NaN."""
    x, low, high = raw(input), raw(low), raw(high)
    inside = x >= low if high is None else x <= high if low is None else (x >= low) & (x <= high)
    return masked_fill(grad, like(~inside, grad), 0)


@op(kernel="clamp", where=(), node="ClampBackward1")
def _clamp(xp, input: Array, min=None, max=None):
    """See `clamp`."""
    return _numbers(xp, "clamp", input, min, max)


_clamp.derivative(input=lambda grad, input, min, max: _clamp_backward(grad, input, min, max))


@op(kernel="clamp", where=(), promote="same", node="ClampBackward0")
def _clamp_tensors(xp, input: Array, min: Array | None = None, max: Array | None = None):
    """See `clamp`."""
    return _within(xp, "clamp", input, min, max)


_clamp_tensors.derivative(
    input=lambda grad, input, min, max: _clamp_backward(grad, input, min, max),
    min=lambda grad, input, min, max: _clamp_backward_low(grad, input, min, max),
    max=lambda grad, input, min, max: _clamp_backward_high(grad, input, min, max),
)


@composite(kernel="clamp_backward_low")
def _clamp_backward_low(grad, input, low, high):
    """g where x < low < high."""
    x, low, high = raw(input), raw(low), raw(high)
    hit = x < low if high is None else (x < low) & (low < high)
    return masked_fill(grad, like(~hit, grad), 0)


@composite(kernel="clamp_backward_high")
def _clamp_backward_high(grad, input, low, high):
    """g where x > high, and where the bounds cross."""
    x, low, high = raw(input), raw(low), raw(high)
    hit = x > high if low is None else (x > high) | (high < low)
    return masked_fill(grad, like(~hit, grad), 0)


@composite(where=("", "Tensor"), inplace=True)
def clamp(input, min=None, max=None, *, out=None):
    """Every element brought into [min, max]; elementwise, with broadcasting.

    y = min(max(x, low), high)            dL/dx = g where low <= x <= high, else 0
                                          dL/dlow = g where x < low < high, dL/dhigh = g where x >
                                          high or high < low

    The bounds are numbers or Tensors, and one may be None; where they cross, `max` wins. NaN in x
    or in a bound gives NaN,
    with derivative 0. RuntimeError without any bound, TypeError for a number beside a Tensor that
    has dimensions,
    NotImplementedError for complex numbers.
    """
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        min, max = _alike(min, max), _alike(max, min)
        if isinstance(min, Tensor) or isinstance(max, Tensor):
            return _clamp_tensors(input, min, max, out=out)
    for v in (min, max):
        if v is not None and not isinstance(v, (int, float, np.number)):
            raise (
                NotImplementedError("clamp is not supported for complex types")
                if isinstance(v, complex)
                else TypeError(
                    f"clamp(): the bounds must be numbers or Tensors, not {type(v).__name__}"
                )
            )
    return _clamp(input, min, max, out=out)


def _alike(bound: Any, other: Any) -> Any:
    """A 0-d Tensor beside a number counts as a number."""
    if isinstance(bound, Tensor) and isinstance(other, (int, float)):
        if bound._array.ndim or bound.requires_grad:  # type: ignore[attr-defined]
            raise TypeError(
                "clamp(): the bounds must be two numbers or two Tensors, but one of each came"
            )
        return bound._array.item()
    return bound


@op(kernel="clamp_min", where=(), node="ClampMinBackward0")
def _clamp_min(xp, input: Array, min):
    """See `clamp_min`."""
    return _numbers(xp, "clamp", input, min, None)


_clamp_min.derivative(input=lambda grad, input, min: _clamp_backward(grad, input, min, None))


@op(kernel="clamp_min", where=(), promote="same", node="ClampMinBackward1")
def _clamp_min_tensor(xp, input: Array, min: Array):
    """See `clamp_min`."""
    return _within(xp, "clamp_min", input, min, None)


_clamp_min_tensor.derivative(
    input=lambda grad, input, min: _clamp_backward(grad, input, min, None),
    min=lambda grad, input, min: _clamp_backward_low(grad, input, min, None),
)


@composite(where=("", "Tensor"), inplace=True)
def clamp_min(input, min, *, out=None):
    """y = max(x, low), for a number or a Tensor as bound.

    dL/dx = g where x >= low, dL/dlow = g where x < low
    """
    return (_clamp_min_tensor if isinstance(min, Tensor) else _clamp_min)(input, min, out=out)


@op(kernel="clamp_max", where=(), node="ClampMaxBackward0")
def _clamp_max(xp, input: Array, max):
    """See `clamp_max`."""
    return _numbers(xp, "clamp", input, None, max)


_clamp_max.derivative(input=lambda grad, input, max: _clamp_backward(grad, input, None, max))


@op(kernel="clamp_max", where=(), promote="same", node="ClampMaxBackward1")
def _clamp_max_tensor(xp, input: Array, max: Array):
    """See `clamp_max`."""
    return _within(xp, "clamp_max", input, None, max)


_clamp_max_tensor.derivative(
    input=lambda grad, input, max: _clamp_backward(grad, input, None, max),
    max=lambda grad, input, max: _clamp_backward_high(grad, input, None, max),
)


@composite(where=("", "Tensor"), inplace=True)
def clamp_max(input, max, *, out=None):
    """y = min(x, high), for a number or a Tensor as bound.

    dL/dx = g where x <= high, dL/dhigh = g where x > high
    """
    return (_clamp_max_tensor if isinstance(max, Tensor) else _clamp_max)(input, max, out=out)


# ---- the larger and smaller of two, NaN aside


@op(kernel=True, promote="same")
def fmax(xp, input: Array, other: Array):
    """The larger of two, elementwise, with broadcasting; beside a NaN, the other one.

    y = max(a, b)            dL/da = g where a >= b or b is NaN, dL/db = g elsewhere

    RuntimeError for complex numbers.
    """
    return xp.fmax(*_real("fmax", input, other))


fmax.derivative(
    input=lambda grad, input, other: fmax_backward(grad, input, other),
    other=lambda grad, input, other: fmax_backward_other(grad, input, other),
)


@composite(kernel="fmax_backward")
def fmax_backward(grad, input, other):
    """g where a >= b or b is NaN, else 0"""
    return masked_fill(grad, like(~_first(input, other), grad), 0)


@composite(kernel="fmax_backward_other")
def fmax_backward_other(grad, input, other):
    """0 where a >= b or b is NaN, else g"""
    return masked_fill(grad, like(_first(input, other), grad), 0)


@op(kernel=True, promote="same")
def fmin(xp, input: Array, other: Array):
    """The smaller of two, elementwise, with broadcasting; beside a NaN, the other one.

    y = min(a, b)            dL/da = g where a <= b or b is NaN, dL/db = g elsewhere

    RuntimeError for complex numbers.
    """
    return xp.fmin(*_real("fmin", input, other))


fmin.derivative(
    input=lambda grad, input, other: fmin_backward(grad, input, other),
    other=lambda grad, input, other: fmin_backward_other(grad, input, other),
)


@composite(kernel="fmin_backward")
def fmin_backward(grad, input, other):
    """g where a <= b or b is NaN, else 0"""
    return masked_fill(grad, like(~_first(input, other, low=True), grad), 0)


@composite(kernel="fmin_backward_other")
def fmin_backward_other(grad, input, other):
    """0 where a <= b or b is NaN, else g"""
    return masked_fill(grad, like(_first(input, other, low=True), grad), 0)


def _real(name: str, *operands: Any) -> Any:
    if operands[0].dtype.kind == "c":
        raise RuntimeError(f"{name} not implemented for complex tensors.")
    return operands


def _first(input: Any, other: Any, low: bool = False) -> Any:
    """Is the first the larger one (the lower one), or alone? All of a tie goes to the first."""
    a, b = raw(input), raw(other)
    return (a <= b if low else a >= b) | (b != b)


@op(inplace=True)
def nan_to_num(xp, input: Array, nan=None, posinf=None, neginf=None):
    """Numbers in the place of NaN (0), inf (the dtype's largest) and -inf (its lowest), unless
    others are given.

    y = x where it is finite            dL/dx = g there, 0 elsewhere
    """
    if input.dtype.kind in "biu":
        return input.copy()
    if input.dtype.kind == "c":
        out = input.copy()
        out.real, out.imag = (
            nan_to_num.op.forward(xp, part, nan, posinf, neginf)
            for part in (input.real, input.imag)
        )
        return out
    limit = finfo(of(input.dtype)).max
    out = xp.where(xp.isnan(input), input.dtype.type(0.0 if nan is None else nan), input)
    for infinity, value in (
        (float("inf"), limit if posinf is None else posinf),
        (float("-inf"), -limit if neginf is None else neginf),
    ):
        out = xp.where(input == infinity, input.dtype.type(value), out)
    return out


nan_to_num.derivative(input=lambda grad, input: nan_to_num_backward(grad, input))


@composite(kernel="nan_to_num_backward")
def nan_to_num_backward(grad, input):
    """g where x is finite, else 0"""
    return masked_fill(grad, like(_not_finite(raw(input)), grad), 0)


def _not_finite(array: Any) -> Any:
    return ~((array - array) == 0)


_clamp.samples(
    lambda t: [(t(2, 3), -0.5, 0.5), (t(4), 0.1), (t(4), None, 0.2), (t(), -1, 1), (t(0), 0, 1)]
)
_clamp_tensors.samples(
    lambda t: [(t(2, 3), t(3), t(2, 1)), (t(4), t(4)), (t(4), None, t()), (t(2, 1), t(3), None)]
)
_clamp_min.samples(lambda t: [(t(2, 3), 0.1), (t(), 0)])
_clamp_min_tensor.samples(lambda t: [(t(2, 3), t(3)), (t(3), t(2, 1))])
_clamp_max.samples(lambda t: [(t(2, 3), 0.1), (t(), 0)])
_clamp_max_tensor.samples(lambda t: [(t(2, 3), t(3)), (t(3), t(2, 1))])
clamp.samples(
    lambda t: [
        (t(2, 3), -0.5, 0.5),
        (t(2, 3), t(3), t(2, 1)),
        (t(4), {"max": 0.5}),
        (t(4), {"min": t()}),
    ]
)
clamp_min.samples(lambda t: [(t(2, 3), 0.1), (t(2, 3), t(3))])
clamp_max.samples(lambda t: [(t(2, 3), 0.1), (t(2, 3), t(3))])
nan_to_num.samples(lambda t: [t(2, 3), t(), t(0), (t(4), 1.0, 2.0, -2.0)])
