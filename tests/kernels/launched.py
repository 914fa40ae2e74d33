"""What the tests of launching functions share: the stand-in device, run in three ways, and arrays
of every dtype."""

from contextlib import contextmanager

import ml_dtypes
import numpy as np

from autograd_gpu._core.library import installed
from autograd_gpu.testing import standin

from .conftest import require_emulator

__all__ = ["COMPLEX", "DTYPES", "FLOATS", "WAYS", "array", "close", "launching", "same", "to_host"]

WAYS = {
    "plain": {},
    "random": {"schedule": "random", "seed": 3},
    "checked": {"checked": True},
}
FLOATS = {
    "float32": np.dtype("f4"), "float64": np.dtype("f8"), "float16": np.dtype("f2"),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
}  # fmt: skip
WHOLE_NUMBERS = {n: np.dtype(n) for n in ("int64", "int32", "int16", "int8", "uint8", "bool")}
COMPLEX = {n: np.dtype(n) for n in ("complex64", "complex128")}
DTYPES = FLOATS | WHOLE_NUMBERS | COMPLEX
ROUNDING = {"f": 3e-6, "d": 1e-13, "e": 2e-3, "E": 1.6e-2, "F": 3e-6, "D": 1e-13}


@contextmanager
def launching(way):
    """The stand-in's library, whose kernels run between guard pages in one of `WAYS`."""
    require_emulator()
    with standin.activate(), standin.running(guarded=True, **WAYS[way]):
        yield installed()


def array(shape, dtype, seed=0):
    """Numbers of a dtype, of which sums of some hundred fit into it."""
    random = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return random.random(shape) < 0.5
    if dtype.kind in "iu":
        return random.integers(0, 4, shape).astype(dtype)
    values = random.standard_normal(shape)
    if dtype.kind == "c":
        values = values + 1j * random.standard_normal(shape)
    return values.astype(dtype)


def to_host(result):
    """What a launching function returned, for NumPy."""
    return result.get() if hasattr(result, "get") else result


def same(actual, wanted):
    """The same numbers, dtype and shape, to the bit."""
    actual = to_host(actual)
    assert (actual.dtype, actual.shape) == (wanted.dtype, wanted.shape)
    assert actual.tobytes() == np.ascontiguousarray(wanted).tobytes()


def close(actual, wanted):
    """Equal but for rounding: `wanted` is as wide as one likes, the tolerance is of `actual`."""
    actual = to_host(actual)
    assert actual.shape == wanted.shape
    bound = ROUNDING.get(actual.dtype.char, 0)
    wide = np.result_type(np.float64, np.dtype("c16" if actual.dtype.kind == "c" else "f8"))
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(actual.astype(wide), wanted.astype(wide), bound, bound)
