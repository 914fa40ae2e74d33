"""Do the CPU and a CUDA device agree? Every op of the table and its gradients, on both."""

import math
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._core.dtype import BY_NAME, bfloat16
from .._core.library import cuda_library
from .._core.tensor import Tensor, make
from .._ops.samples import Maker, samples_of
from .._ops.table import REGISTRY
from ..autograd.api import grad
from ..random import manual_seed

__all__ = [
    "DTYPES", "TOLERANCES", "NoDeviceError", "Row", "compare", "device_context", "parity", "table",
]  # fmt: skip

TOLERANCES = {
    "float16": (1e-3, 1e-5), "bfloat16": (1.6e-2, 1e-5), "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7), "complex64": (1.3e-6, 1e-5), "complex128": (1e-7, 1e-7),
}  # fmt: skip
"""Relative and absolute, by dtype: those of `assert_close`. A result may also be off by the
rounding of its own op's sums, which grows with the root of their length."""

DTYPES = ("float32", "float64")
_RANDOM = frozenset(("sample", "sample_from", "random_fill", "dropout", "gumbel"))
_HALVES = ("float16", "bfloat16")


class NoDeviceError(RuntimeError):
    """There is no GPU to compare with; the message says why."""


@dataclass
class Row:
    """One op in one dtype. `ulp`, `relative`: the largest differences of values and of gradients,
    in units in the last place and relative. `error`: what went wrong, if anything."""

    name: str
    dtype: str
    calls: int = 0
    ulp: float = 0.0
    relative: float = 0.0
    grad_ulp: float = 0.0
    grad_relative: float = 0.0
    error: str = ""

    @property
    def ok(self) -> bool:
        """Is it within tolerance?"""
        return not self.error


def device_context(device: str) -> AbstractContextManager[Any]:
    """A context in which `device="cuda"` can be used: "cuda" is a GPU, "standin" the look-alike on
    host memory. NoDeviceError without a GPU, with the reason."""
    if device == "standin":
        from . import standin

        return standin.activate()
    if device != "cuda":
        raise ValueError(f"expected the device 'cuda' or 'standin', got {device!r}")
    found = cuda_library()
    if isinstance(found, str):
        raise NoDeviceError(found)
    return nullcontext()


def parity(
    ops: Iterable[str] | None = None, dtypes: Iterable[str] = DTYPES, device: str = "cuda",
    progress: Callable[[Row], None] | None = None,
) -> list[Row]:  # fmt: skip
    """A row for each op that has samples, and dtype. KeyError for an op that is not there,
    NoDeviceError without the device."""
    names = list(REGISTRY) if ops is None else list(ops)
    missing = [n for n in names if n not in REGISTRY]
    if missing:
        raise KeyError(f"there is no op {', '.join(missing)}")
    rows = []
    with device_context(device):
        for dtype in dtypes:
            for name in sorted(names):
                row = compare(REGISTRY[name], dtype)
                if row is not None:
                    rows.append(row)
                    if progress is not None:
                        progress(row)
    return rows


def compare(entry: Any, dtype: str) -> Row | None:
    """One op in one dtype, the CPU against the current CUDA device. None where the op has no
    samples, or does not compute with the dtype on the CPU."""
    row = Row(entry.name, dtype)
    try:
        calls = samples_of(entry, Maker(_dtype(dtype)))
    except (TypeError, RuntimeError, NotImplementedError):  # samples that the dtype cannot have
        return None
    for args, kwargs in calls:
        try:
            manual_seed(0)
            wanted = _flat(entry.function(*args, **kwargs))
        except (NotImplementedError, RuntimeError, TypeError):
            continue
        try:
            _compare_call(entry, row, wanted, args, kwargs)
        except Exception as error:
            text = str(error).strip().splitlines() or [""]
            row.error = row.error or f"{type(error).__name__}: {text[0]}"
        row.calls += 1
    return row if row.calls else None


def _dtype(name: str) -> Any:
    return (bfloat16() if name == "bfloat16" else BY_NAME[name]).numpy


def _compare_call(entry: Any, row: Row, wanted: list, args: tuple, kwargs: dict) -> None:
    moved = [moved_to_device(a) for a in args]
    options = {k: moved_to_device(v) for k, v in kwargs.items()}
    manual_seed(0)
    got = _flat(entry.function(*moved, **options))
    exact = not _is_random(entry)
    if len(got) != len(wanted):
        raise AssertionError(f"{len(wanted)} results on the CPU, {len(got)} on the device")
    truth, slopes = _in_double(entry, row, args, kwargs, len(wanted))
    for a, b, t in zip(wanted, got, truth, strict=True):
        ulp, relative = _difference(a, b, exact, t)
        row.ulp, row.relative = max(row.ulp, ulp), max(row.relative, relative)
        if a.requires_grad != b.requires_grad:
            raise AssertionError("requires_grad differs")
    inputs, inputs_there = _leaves([args, kwargs]), _leaves([moved, options])
    ours, theirs = _gradients(wanted, inputs), _gradients(got, inputs_there)
    for a, b, t in zip(ours, theirs, slopes or [None] * len(ours), strict=True):
        if (a is None) != (b is None):
            raise AssertionError("an input has a gradient on one device only")
        if a is not None:
            ulp, relative = _difference(a, b, exact, t)
            row.grad_ulp = max(row.grad_ulp, ulp)
            row.grad_relative = max(row.grad_relative, relative)


def _in_double(entry: Any, row: Row, args: tuple, kwargs: dict, count: int) -> tuple[list, list]:
    """For half types, results and gradients of the same numbers in float64: where the rounding of
    steps leaves little of a result, either device may be off, but not more than the other."""
    nothing: list[Any] = [None] * count
    if row.dtype not in _HALVES:
        return nothing, []
    wide, options = _widened(list(args)), _widened(kwargs)
    manual_seed(0)
    try:
        found = _flat(entry.function(*wide, **options))
        slopes = _gradients(found, _leaves([wide, options]))
    except Exception:  # what the op does not do in float64 tells nothing
        return nothing, []
    return (found if len(found) == count else nothing), slopes


def _widened(value: Any) -> Any:
    if isinstance(value, Tensor) and value.dtype.is_floating_point:
        out: Any = make(value._array.astype(np.float64))
        return out.requires_grad_() if value.requires_grad else out  # type: ignore[attr-defined]
    if isinstance(value, dict):
        return {k: _widened(v) for k, v in value.items()}
    return type(value)(map(_widened, value)) if type(value) in (list, tuple) else value


def _is_random(entry: Any) -> bool:
    return entry.function.__module__.rpartition(".")[2] in _RANDOM


def moved_to_device(value: Any) -> Any:
    """Tensors on the CUDA device, also those in lists; leaves stay leaves."""
    if isinstance(value, Tensor):
        out: Any = value.detach().to("cuda")  # type: ignore[attr-defined]
        return out.requires_grad_() if value.requires_grad else out  # type: ignore[attr-defined]
    if type(value) in (list, tuple):
        return type(value)(moved_to_device(v) for v in value)
    return value


def _flat(value: Any) -> list[Any]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [t for v in value for t in _flat(v)] if isinstance(value, (list, tuple)) else []


def _leaves(values: Any) -> list[Any]:
    return [t for t in _flat(values) if t.requires_grad]


def _gradients(results: list, inputs: list) -> list[Any]:
    """Of a sum of all results, each element with a weight of its own."""
    roots = [r for r in results if r.requires_grad]
    if not roots or not inputs:
        return []
    seeds: list[Any] = []
    for r in roots:
        steps = np.arange(1, r.numel() + 1).reshape(tuple(r.shape)) % 7 - 3
        seeds.append(make(np.asarray(steps, r.dtype.numpy)).to(r.device))  # type: ignore[attr-defined]
    return list(grad(roots, inputs, seeds, allow_unused=True))


def _difference(a: Any, b: Any, exact: bool, truth: Any = None) -> tuple[float, float]:
    """(units in the last place, relative difference) of two results. AssertionError beyond
    tolerance, for other shapes and dtypes, and for a result on the wrong device. `truth`: the same
    in float64, if known."""
    x, y = a.detach()._array, b.detach()._array
    if not b.is_cuda:
        raise AssertionError(f"the result is on {b.device}")
    y = b.detach().cpu()._array
    if (x.shape, x.dtype) != (y.shape, y.dtype):
        raise AssertionError(f"{x.dtype}{list(x.shape)} on the CPU, {y.dtype}{list(y.shape)}")
    if not exact or not x.size:
        return 0.0, 0.0
    kind = np.dtype(x.dtype).name
    if kind not in TOLERANCES:
        if not np.array_equal(x, y):
            raise AssertionError(f"{int((x != y).sum())} of {x.size} elements differ")
        return 0.0, 0.0
    return _measured(x, y, kind, None if truth is None else truth.detach()._array)


def _measured(x: Any, y: Any, kind: str, truth: Any = None) -> tuple[float, float]:
    wide = np.complex128 if kind.startswith("complex") else np.float64
    p, q = x.astype(wide), y.astype(wide)
    with np.errstate(all="ignore"):
        same = (p == q) | (np.isnan(p) & np.isnan(q))
        apart = np.where(same, 0.0, abs(p - q))
        size = abs(p)
        rtol, atol = TOLERANCES[kind]
        eps = {"float16": 2**-10, "bfloat16": 2**-7, "float64": 2**-52, "complex128": 2**-52}.get(
            kind, 2**-23
        )
        top = size[np.isfinite(size)].max(initial=0.0)
        bound = atol + rtol * size + 8 * eps * top  # a sum's terms are as large as its largest
        if kind in _HALVES:
            bound = bound + 2 * eps * size
        bound = np.where(np.isfinite(p), bound, 0.0)  # beside infinity only infinity is right
        if truth is not None:
            off = abs(p - truth)
            near = abs(q - truth) <= 2 * off[np.isfinite(off)].max(initial=0.0) + bound
            bound = np.where(near, math.inf, bound)
        # beside larger numbers a small one is a difference of them: its own last place says little
        floor = np.maximum(np.maximum(size, top * 2.0**-10), 1e-300)
        step = eps * 2.0 ** np.floor(np.log2(floor))
        ulp, relative = (
            float(np.where(same, 0.0, np.nan_to_num(apart / unit, nan=math.inf)).max())
            for unit in (step, floor)
        )
    if not (same | (apart <= bound)).all():
        place = np.unravel_index(int(np.argmax(np.where(same, 0, apart))), x.shape)
        raise AssertionError(
            f"{x[place]} on the CPU, {y[place]} on the device ({ulp:.3g} units in the last place)"
        )
    return ulp, relative


def table(rows: list[Row], most: int | None = None) -> str:
    """The rows as text, those that differ most first; `most`: no more than these."""
    ordered = sorted(rows, key=lambda r: (r.ok, -max(r.ulp, r.grad_ulp), r.name))
    lines = [
        f"{'op':<34}{'dtype':<10}{'calls':>6}{'ulp':>9}{'relative':>11}{'grad ulp':>10}"
        f"{'relative':>11}"
    ]
    for r in ordered[:most]:
        lines.append(
            f"{r.name:<34}{r.dtype:<10}{r.calls:>6}{r.ulp:>9.3g}{r.relative:>11.2e}"
            f"{r.grad_ulp:>10.3g}{r.grad_relative:>11.2e}" + (f"  {r.error}" if r.error else "")
        )
    bad = sum(not r.ok for r in rows)
    shown = len(ordered[:most])
    more = "" if shown == len(rows) else f", {shown} shown"
    lines.append(f"{len(rows)} rows{more}, {bad} beyond tolerance")
    return "\n".join(lines)
