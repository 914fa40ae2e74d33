"""Matrices that hold the same numbers in memory in different ways."""

import ml_dtypes
import numpy as np

DTYPES = {
    "float32": np.dtype("f4"), "float64": np.dtype("f8"), "float16": np.dtype("f2"),
    "bfloat16": np.dtype(ml_dtypes.bfloat16), "complex64": np.dtype("c8"), "complex128": np.dtype("c16"),
}  # fmt: skip

FITTING = ("rows", "columns", "part of rows", "part of columns", "every other row", "every other column of columns")
"""Layouts that cuBLAS reads as they are."""
OTHERS = ("every other column", "rows backwards", "columns backwards", "one row again and again", "one column again and again")
"""Layouts that must be copied."""


def random(rng, shape, dtype):
    """Numbers of about 1 in a dtype."""
    values = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    return values.astype(dtype)


def laid(standin, values, layout):
    """A device array whose last two dimensions lie in memory as `layout` says; what surrounds the
    elements is NaN. The numbers are `values`, but for repeated lines."""
    *lead, n, m = values.shape

    def within(shape, index):
        whole = np.full((*lead, *shape), np.nan, values.dtype)
        whole[index] = values
        return standin.asarray(whole)[index]

    every = slice(None)
    if layout == "rows":
        return standin.asarray(values)
    if layout == "columns":
        return standin.asarray(np.ascontiguousarray(values.swapaxes(-1, -2))).swapaxes(-1, -2)
    if layout == "part of rows":
        return within((n + 1, m + 3), (..., slice(1, n + 1), slice(2, m + 2)))
    if layout == "part of columns":
        return laid(standin, values.swapaxes(-1, -2), "part of rows").swapaxes(-1, -2)
    if layout == "every other row":
        return within((2 * n, m), (..., slice(None, None, 2), every))
    if layout == "every other column of columns":
        return laid(standin, values.swapaxes(-1, -2), "every other row").swapaxes(-1, -2)
    if layout == "every other column":
        return within((n, 2 * m), (..., every, slice(None, None, 2)))
    if layout == "rows backwards":
        return within((n, m), (..., slice(None, None, -1), every))
    if layout == "columns backwards":
        return within((n, m), (..., every, slice(None, None, -1)))
    if layout == "one row again and again":
        return standin.broadcast_to(standin.asarray(values[..., :1, :]), values.shape)
    assert layout == "one column again and again"
    return standin.broadcast_to(standin.asarray(values[..., :1]), values.shape)


def close(result, wanted, scale, dtype, k):
    """Is a result what the exact product rounds to, but for errors of an accumulation in the wide
    type? `scale`: the product of the factors' absolute values."""
    dtype = np.dtype(dtype)
    half = dtype.itemsize == 2
    wide = np.finfo(np.float32 if half else dtype).eps
    unit = ml_dtypes.finfo(dtype).eps if half else wide
    bound = float(unit) * np.abs(wanted) * 0.51 + (k + 2) * float(wide) * scale + 1e-30
    return bool(np.all(np.abs(result.astype(wanted.dtype) - wanted) <= bound))
