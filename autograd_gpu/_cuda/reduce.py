"""Reductions over any dimensions of an array of any strides, in one launch or two."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from .._core.layout import normal_dims
from .._core.library import Library
from .._core.manifest import KERNELS, MAX_DIMS
from .._core.manifest.reduce import REDUCTION
from . import groups
from .launch import kernel, key
from .prepared import Kept, prepared

__all__ = [
    "amax", "amin", "logsumexp", "logsumexp_backward", "mean", "norm_backward", "plan", "plan_of",
    "sum", "sum_to", "vector_norm",
]  # fmt: skip

_CHUNK_OF_ROW, _CHUNK_OF_COLUMN, _MOST_CHUNKS = 1 << 15, 512, 1024
_INTEGERS = "biu"
_int64 = np.dtype(np.int64)


class Step(NamedTuple):
    """One launch: the form, grid, block and structure of reduce.cu."""

    form: str
    grid: tuple[int, ...]
    block: tuple[int, int]
    reduction: Any


class Plan(NamedTuple):
    """The shape of a result, and the launches that give it: one, or one whose results, `parts` of
    each element, are reduced by a second."""

    shape: tuple[int, ...]
    outputs: int
    parts: int
    steps: tuple[Step, ...]


def _collapse(axes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """[(length, stride)], where neighbours that one step reaches are one."""
    out: list[tuple[int, int]] = []
    for length, stride in axes:
        if length == 1:
            continue
        if out and out[-1][1] == length * stride:
            out[-1] = out[-1][0] * length, stride
        else:
            out.append((length, stride))
    return out or [(1, 0)]


def structure(
    kept: Sequence[tuple[int, int]], reduced: Sequence[tuple[int, int]], chunk: int = 0
) -> Any:
    """`Reduction` for [(length, stride)] of both kinds: a scalar of NumPy's, which CuPy passes on
    sooner than a 0-d array."""
    out = np.zeros((), REDUCTION)
    out["outputs"], out["size"] = prod(n for n, _ in kept), prod(n for n, _ in reduced)
    out["chunk"], out["count"] = chunk or max(1, out["size"]), out["size"]
    for name, axes in (("kept", kept), ("reduced", reduced)):
        out[name]["ndim"] = len(axes)
        for d, (length, stride) in enumerate(axes):
            values = (length, stride, *divider(length))
            for field, value in zip(("shape", "strides", "magic", "shift"), values, strict=True):
                out[name][field][d] = value
    return out[()]


def divider(n: int) -> tuple[int, int]:
    """(magic, shift): below 2^62 a division by n > 1 is a product's upper 64 bits, shifted."""
    if n < 2:
        return 0, 0
    shift = (n - 1).bit_length() - 1
    return -(-(1 << 64 + shift) // n), shift


def _fastest(axes: Sequence[tuple[int, int]]) -> float:
    return min((abs(s) for n, s in axes if s and n > 1), default=float("inf"))


def _arranged(form: str, outputs: int, size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    return (groups.rows if form == "rows" else groups.columns)(outputs, size)


@lru_cache(4096)
def plan(
    shape: tuple[int, ...], strides: tuple[int, ...], dims: tuple[int, ...], keepdim: bool,
    split: bool = True,
) -> Plan | None:  # fmt: skip
    """How an array of this shape and these strides in elements is reduced over `dims`; None where
    it has too many dimensions. `split`: two launches where one would leave the device idle."""
    axes = list(zip(shape, strides, strict=True))
    kept = _collapse([a for d, a in enumerate(axes) if d not in dims])
    ordered = sorted((axes[d] for d in dims), key=lambda axis: -abs(axis[1]))
    reduced = _collapse(ordered)
    if max(len(kept), len(reduced)) > MAX_DIMS:
        return None
    outputs, size = prod(n for n, _ in kept), prod(n for n, _ in reduced)
    form = "rows" if size > 1 and _fastest(reduced) <= _fastest(kept) else "columns"
    grid, block = _arranged(form, outputs, size)
    longest = _CHUNK_OF_ROW if form == "rows" else _CHUNK_OF_COLUMN
    parts = min(-(-2 * groups.FEW // grid[0]), size // longest, _MOST_CHUNKS) if split else 1
    if parts < 2 or not outputs:
        steps: tuple[Step, ...] = (Step(form, grid, block, structure(kept, reduced)),)
        parts = 1
    else:
        chunk = -(-size // parts)
        parts = -(-size // chunk)
        grid, block = _arranged(form, outputs, chunk)
        second = structure([(outputs, 1)], [(parts, outputs)])
        second["count"] = size
        last = "rows" if outputs == 1 else "columns"
        steps = (
            Step(form, (grid[0], parts), block, structure(kept, reduced, chunk)),
            Step(last, *_arranged(last, outputs, parts), second),
        )
    result = [1 if d in dims else n for d, n in enumerate(shape) if keepdim or d not in dims]
    return Plan(tuple(result), outputs, parts, steps)


def plan_of(x: Any, dims: tuple[int, ...], keepdim: bool, split: bool = True) -> Plan | None:
    """`plan` of an array."""
    itemsize = x.dtype.itemsize
    return plan(x.shape, tuple([s // itemsize for s in x.strides]), dims, keepdim, split)


# ---- the launch: what was found is kept by the array's layout and the dimensions

_kept = Kept()


def _find(
    xp: Library, name: str, x: Any, dim: Any, keepdim: bool, dtype: np.dtype
) -> Callable[[Any], Any]:
    """What reduces arrays like x, or declines them where the kernel has no form for them."""
    types = _types(x.dtype, dtype)
    if types not in KERNELS[name].dtypes:
        return _declined
    planned = plan_of(x, normal_dims(dim, x.ndim, name), keepdim, name != "logsumexp")
    if planned is None:
        return _declined
    new, shape = xp.new_array, planned.shape
    if not planned.outputs:
        return lambda x: new(shape, dtype)
    if planned.parts > 1:
        return _two_steps(xp, name, planned, x.dtype, dtype)
    run = prepared(xp, name, planned.steps[0].form, types, *planned.steps[0][1:])

    def reduced(x: Any) -> Any:
        out = new(shape, dtype)
        run(x, out)
        return out

    return reduced


def _two_steps(xp: Library, name: str, planned: Plan, dtype: Any, result: Any) -> Any:
    before = "sum" if name == "mean" else name  # a length of lengths is the length of all
    middle = _middle(name, dtype)
    runs = [
        prepared(xp, each, step.form, types, *step[1:])
        for each, step, types in zip(
            (before, name), planned.steps, (_types(dtype, middle), _types(middle, result)),
            strict=True,
        )
    ]  # fmt: skip
    new, shape, parts = xp.new_array, planned.shape, (planned.parts, planned.outputs)

    def reduced(x: Any) -> Any:
        partial, out = new(parts, middle), new(shape, result)
        runs[0](x, partial)
        runs[1](partial, out)
        return out

    return reduced


def _declined(x: Any) -> Any:
    return NotImplemented


def _types(source: np.dtype, result: np.dtype) -> str:
    """As the manifest says it."""
    return key(source) if source == result else f"{key(source)}:{key(result)}"


def _middle(name: str, dtype: np.dtype) -> np.dtype:
    """What the first of two launches writes."""
    if name not in ("sum", "mean", "vector_norm"):
        return dtype
    if dtype.kind in _INTEGERS:
        return _int64
    return np.dtype(np.float32) if dtype.itemsize == 2 else dtype


def _reduced(xp: Library, name: str, x: Any, dim: Any, keepdim: bool, dtype: Any) -> Any:
    if dim.__class__ is list:
        dim = tuple(dim)
    mark = xp, name, x.dtype, x.shape, x.strides, dim, keepdim, dtype
    run = _kept.get(mark)
    if run is None:
        found = _find(xp, name, x, dim, keepdim, x.dtype if dtype is None else dtype)
        run = _kept.keep(mark, found)
    return run(x)


# ---- kernels


@kernel("sum")
def sum(xp: Library, input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """sum x; integers as int64"""
    dtype = _int64 if input.dtype.kind in _INTEGERS else None
    return _reduced(xp, "sum", input, dim, keepdim, dtype)


@kernel("mean")
def mean(xp: Library, input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """sum x / n"""
    return _reduced(xp, "mean", input, dim, keepdim, None)


@lru_cache(4096)
def _broadcast(shape: tuple[int, ...], size: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """How many dimensions were added in front, and all that were added or stretched."""
    lead = len(shape) - len(size)
    return lead, tuple([d for d, n in enumerate(shape) if d < lead or n != size[d - lead]])


@kernel("sum_to")
def sum_to(xp: Library, grad: Any, size: tuple[int, ...], dtype: np.dtype) -> Any:
    """A gradient summed over what was broadcast, in its input's dtype."""
    lead, dims = _broadcast(grad.shape, size)
    out = _reduced(xp, "sum", grad, dims, True, dtype) if dims else NotImplemented
    return out if out is NotImplemented or not lead else out.reshape(size)


@kernel("amax")
def amax(xp: Library, input: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The largest x; declines empty arrays, for which the body has errors."""
    return _reduced(xp, "amax", input, dim, keepdim, None) if input.size else NotImplemented


@kernel("amin")
def amin(xp: Library, input: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The smallest x; declines empty arrays, for which the body has errors."""
    return _reduced(xp, "amin", input, dim, keepdim, None) if input.size else NotImplemented


@kernel("logsumexp")
def logsumexp(xp: Library, input: Any, dim: Any, keepdim: bool = False) -> Any:
    """t + ln sum e^(x - t)"""
    return _reduced(xp, "logsumexp", input, dim, keepdim, None)


@kernel("vector_norm")
def vector_norm(xp: Library, input: Any, ord: Any, dim: Any, keepdim: bool = False) -> Any:
    """(sum x^2)^(1/2); declines other orders."""
    return _reduced(xp, "vector_norm", input, dim, keepdim, None) if ord == 2 else NotImplemented


@kernel("logsumexp_backward")
def logsumexp_backward(xp: Library, grad: Any, input: Any, out: Any, dim: Any, keepdim: Any) -> Any:
    """g e^(x - y)"""
    return _backward(xp, "logsumexp_backward", grad, input, out, dim)


@kernel("norm_backward")
def norm_backward(
    xp: Library, grad: Any, input: Any, out: Any, p: Any, dim: Any, keepdim: Any
) -> Any:
    """x g / y; declines other orders than 2."""
    return _backward(xp, "norm_backward", grad, input, out, dim) if p == 2 else NotImplemented


def _backward(xp: Library, name: str, grad: Any, input: Any, out: Any, dim: Any) -> Any:
    dtype, shape = input.dtype, input.shape
    if grad.dtype != dtype or out.dtype != dtype:
        return NotImplemented
    mark = xp, name, dtype, shape, dim
    run = _kept.get(mark)
    if run is None:
        run = _kept.keep(mark, _find_backward(xp, name, input, dim))
    if run is _declined:
        return NotImplemented
    result = xp.new_array(shape, dtype)
    arrays = [a if a._c_contiguous else xp.ascontiguousarray(a) for a in (grad, input, out)]
    run(*arrays, result)
    return result


def _find_backward(xp: Library, name: str, x: Any, dim: Any) -> Callable[..., Any]:
    shape, types = x.shape, key(x.dtype)
    strides = tuple([prod(shape[d + 1 :]) for d in range(len(shape))])
    planned = plan(shape, strides, normal_dims(dim, len(shape), name), False)
    if types not in KERNELS[name].dtypes or planned is None:
        return _declined
    if not x.size:
        return lambda *arrays: None
    return prepared(xp, name, planned.steps[0].form, types, *planned.steps[0][1:])
