"""Ranges and the unit matrix: arange, linspace, logspace, eye."""

import math
from typing import Any

import numpy as np

from .._core.dtype import default, numpy_of
from .._core.tensor import Tensor
from .create import finish, into
from .declare import composite
from .element import element

__all__ = ["arange", "eye", "linspace", "logspace"]


@composite(where=("",))
def arange(start, end=None, step=1, *, dtype=None, device=None, requires_grad=False, out=None):
    """The numbers start, start + step, ... below `end`: ceil((end - start) / step) of them.

    int64 where all three are ints, else the default dtype. RuntimeError for step 0 or bounds on the
    wrong side.
    """
    if end is None:
        start, end = 0, start
    start, end, step = (v.item() if isinstance(v, Tensor) else v for v in (start, end, step))
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * (1 if step > 0 else -1) < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    whole = all(isinstance(v, int) for v in (start, end, step))
    wanted = numpy_of(dtype) if dtype is not None else np.dtype("int64") if whole else default()
    n = -((start - end) // step) if whole else math.ceil((end - start) / step)
    wide = np.int64 if whole else np.float64
    with np.errstate(over="ignore"):
        array = (np.arange(n, dtype=wide) * step + start).astype(wanted)
    return into(out, array) if out is not None else finish(array, device, requires_grad)


@composite(where=("",))
def linspace(start, end, steps, *, dtype=None, device=None, requires_grad=False, out=None):
    """`steps` numbers from start to end, both included, at equal distances."""
    start, end = (v.item() if isinstance(v, Tensor) else v for v in (start, end))
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    wanted = numpy_of(dtype)
    array = _steps(element(wanted, start), element(wanted, end), steps, wanted)
    return into(out, array) if out is not None else finish(array, device, requires_grad)


def _steps(start: Any, end: Any, steps: int, wanted: Any) -> Any:
    """Counted from both ends, in the dtype itself: what PyTorch's CPU kernel gives."""
    if steps <= 1:
        return np.full(steps, start).astype(wanted)
    work = (
        wanted
        if wanted.kind == "f" and wanted.itemsize > 2
        else np.dtype("c16" if wanted.kind == "c" else "f8" if wanted.kind in "iu" else "f4")
    )
    kind = work.type
    gap = (kind(end) - kind(start)) / kind(steps - 1)
    i = np.arange(steps)
    low = kind(start) + gap * i.astype(work)
    high = kind(end) - gap * (steps - 1 - i).astype(work)
    return np.where(i < steps // 2, low, high).astype(wanted)


@composite(where=("",))
def logspace(
    start, end, steps, base=10.0, *, dtype=None, device=None, requires_grad=False, out=None
):
    """`steps` powers of `base`, with exponents from start to end at equal distances."""
    wanted = numpy_of(dtype)
    exponents = _steps(float(start), float(end), steps, np.dtype("f8"))
    with np.errstate(all="ignore"):
        array = np.power(float(base), exponents).astype(wanted)
    return into(out, array) if out is not None else finish(array, device, requires_grad)


@composite(where=("",))
def eye(n, m=None, *, dtype=None, device=None, requires_grad=False, out=None):
    """The n x m matrix (default n x n) with ones on the diagonal."""
    if n < 0 or (m is not None and m < 0):
        raise RuntimeError(f"n must be greater or equal to 0, got {min(n, n if m is None else m)}")
    array = np.eye(n, m, dtype=numpy_of(dtype))
    return into(out, array) if out is not None else finish(array, device, requires_grad)
