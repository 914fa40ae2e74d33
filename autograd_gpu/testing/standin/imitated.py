"""Functions whose results NumPy would give another type, layout or place."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from . import indexing
from .arrays import BFLOAT16

__all__ = ["COMPUTED"]


def _as_bool(compute: Callable[..., Any]) -> Callable[..., Any]:
    """CuPy answers with an array where NumPy answers with a bool."""

    def answer(*args: Any, **kwargs: Any) -> Any:
        return np.bool_(compute(*args, **kwargs))

    return answer


def _bfloat16_as(dtype: str, compute: Callable[..., Any]) -> Callable[..., Any]:
    """CuPy makes another type of bfloat16, where no type is asked for."""

    def widened(a: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(a, "dtype", np.dtype(float)).name == BFLOAT16:
            a = a.astype(dtype)
        return compute(a, *args, **kwargs)

    return widened


def _along_last(compute: Callable[..., Any], options: int) -> Callable[..., Any]:
    """CuPy sorts along the last dimension: the result along another one is transposed.
    `options`: the position of the axis among the arguments behind the array."""

    def moved(a: Any, *args: Any, **kwargs: Any) -> Any:
        axis = args[options] if len(args) > options else kwargs.pop("axis", -1)
        if axis is None or not a.ndim:
            return compute(a, *args[:options], axis=axis, **kwargs)
        rest = args[:options] + (-1,) + args[options + 1 :]
        last = np.ascontiguousarray(np.moveaxis(a, axis, -1))
        return np.moveaxis(compute(last, *rest, **kwargs), -1, axis)

    return moved


def _where(condition: Any, *choices: Any) -> Any:
    """Of bfloat16 CuPy's `where` makes float32."""
    out = np.where(condition, *choices)
    return out.astype("f") if choices and out.dtype.name == BFLOAT16 else out


def _clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None) -> Any:
    if a.dtype.name == BFLOAT16 and (a_min is None or a_max is None):
        raise TypeError("Unsupported type <class 'NoneType'>")
    out = np.clip(a, a_min, a_max, out=out)
    return out.astype("f") if out.dtype.name == BFLOAT16 else out


def _cumulative(compute: Callable[..., Any]) -> Callable[..., Any]:
    """Along neither the first nor the last dimension, the result is laid out along that one."""
    moved = _along_last(compute, 0)

    def run(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        middle = axis is not None and 0 < axis % max(1, a.ndim) < a.ndim - 1
        if middle and out is None:
            return moved(a, axis, dtype)
        found = compute(a, axis, dtype, out)
        return np.ascontiguousarray(found) if out is None else found

    return run


def _columns(matrix: np.ndarray) -> np.ndarray:
    """The same matrices, laid out column by column."""
    return np.swapaxes(np.ascontiguousarray(np.swapaxes(matrix, -1, -2)), -1, -2)


def _qr(a: Any, mode: str = "reduced") -> Any:
    found = np.linalg.qr(a, mode)  # type: ignore[call-overload]
    return tuple(map(_columns, found)) if isinstance(found, tuple) else _columns(found)


def _svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    if not compute_uv:
        return np.linalg.svd(a, compute_uv=False)
    u, s, vh = np.linalg.svd(a, full_matrices)
    if a.ndim > 2:
        return _columns(u), s, vh
    return (_columns(u), s, _columns(vh)) if a.shape[0] >= a.shape[1] else (u, s, vh)


def _eigh(a: Any, UPLO: str = "L") -> Any:
    w, v = np.linalg.eigh(a, UPLO)  # type: ignore[call-overload]
    return w, _columns(v)


def _solve(a: Any, b: Any) -> Any:
    out = np.linalg.solve(a, b)
    return _columns(out) if out.ndim == 2 else out


def _sort_in_place(a: np.ndarray, axis: int = -1, kind: Any = None) -> None:
    if not a.flags.c_contiguous:
        raise NotImplementedError("Sorting non-contiguous array is not supported.")
    a.sort(axis)


def _diag(v: Any, k: int = 0) -> Any:
    return np.diag(v, k).copy()


def _matmul(a: Any, b: Any, **options: Any) -> Any:
    if not isinstance(b, np.ndarray):
        raise TypeError(f"expected an array of the device, got {type(b).__name__}")
    common = np.result_type(a, b)  # CuPy's, too, refuses what has no common type
    out = np.matmul(a, b, **options)
    return out.astype(common) if common.name == BFLOAT16 and "out" not in options else out


def _quiet(compute: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy warns of means without elements; CuPy does not."""

    def run(*args: Any, **kwargs: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            return compute(*args, **kwargs)

    return run


def _flip(m: Any, axis: Any = None) -> Any:
    return np.flip(m, axis) if m.ndim else m[...]


def _dot(a: Any, b: Any, out: Any = None) -> Any:
    if not isinstance(b, np.ndarray):
        raise TypeError(f"Argument 'b' has incorrect type (got {type(b).__name__})")
    return np.dot(a, b, out)


def _two_arrays(compute: Callable[..., Any]) -> Callable[..., Any]:
    """Functions whose second argument must be an array too."""

    def both(a: Any, b: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(b, np.ndarray):
            raise TypeError(f"expected an array of the device, got {type(b).__name__}")
        return compute(a, b, *args, **kwargs)

    return both


def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    if isinstance(default, np.ndarray):
        raise TypeError("default only accepts scalar values")
    return np.select(condlist, choicelist, default)


COMPUTED: dict[str, Callable[..., Any]] = {
    "take": indexing.take,
    "ndarray.take": indexing.take,
    "allclose": _as_bool(np.allclose),
    "array_equal": _as_bool(np.array_equal),
    "array_equiv": _as_bool(np.array_equiv),
    "argsort": _along_last(np.argsort, 0),
    "argpartition": _along_last(np.argpartition, 1),
    "ndarray.sort": _sort_in_place,
    "ndarray.dot": _dot,
    "dot": _dot,
    "diag": _diag,
    "flip": _flip,
    "matmul": _matmul,
    "where": _where,
    "linalg.qr": _qr,
    "linalg.svd": _svd,
    "linalg.eigh": _eigh,
    "linalg.solve": _solve,
    "clip": _clip,
    "cumsum": _cumulative(np.cumsum),
    "cumprod": _cumulative(np.cumprod),
    "select": _select,
    "round": _bfloat16_as("f", np.round),
    "around": _bfloat16_as("f", np.around),
    "tril": _bfloat16_as("f", np.tril),
    "triu": _bfloat16_as("f", np.triu),
    "std": _quiet(_bfloat16_as("d", np.std)),
    "var": _quiet(_bfloat16_as("d", np.var)),
    "mean": _quiet(np.mean),
}
COMPUTED["ndarray.ptp"] = np.ptp
for _name in ("nanmean", "nanstd", "nanvar", "nanmax", "nanmin", "nanmedian", "median"):
    COMPUTED[_name] = _quiet(getattr(np, _name))
for _name in (
    "argsort", "argpartition", "clip", "cumsum", "cumprod", "mean", "round", "std", "var",
):  # fmt: skip
    COMPUTED["ndarray." + _name] = COMPUTED[_name]
for _name in ("array_equal", "inner", "outer", "kron", "vdot", "isin", "tensordot", "cross",
              "intersect1d", "setdiff1d", "setxor1d", "union1d", "digitize"):  # fmt: skip
    COMPUTED[_name] = _two_arrays(COMPUTED.get(_name, getattr(np, _name)))
"""name -> what computes it on host arrays."""
