"""Launching functions on the stand-in device, beside the bodies that they stand for."""

import numpy as np
import pytest

from autograd_gpu._core.library import LAUNCHERS, installed
from autograd_gpu.testing import standin

from .cases import DTYPES, WIDE, bodies
from .launched import WAYS, launching

every_way = pytest.mark.parametrize("how", WAYS)
# all types plainly; in disorder and watched, where a template serves them all, two
every_run = pytest.mark.parametrize(
    ("how", "dtype"),
    [(h, d) for h in WAYS for d in DTYPES if h == "plain" or d in ("float32", "float16")],
)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)
TOLERANCES = {"float32": 2e-5, "float64": 1e-12, "float16": 2e-3, "bfloat16": 1.6e-2}


def stand_in(how="plain"):
    """The stand-in is the device; kernels run as `WAYS` says. Gives its library."""
    return launching(how)


def to_device(value):
    """A copy of an array as the device's, of other values the same."""
    if isinstance(value, (tuple, list)):
        return type(value)(map(to_device, value))
    return standin.asarray(value) if isinstance(value, np.ndarray) else value


def to_host(value):
    """The other way round."""
    if isinstance(value, (tuple, list)):
        return type(value)(map(to_host, value))
    return value.get() if isinstance(value, standin.ndarray) else value


def launched(name, *args):
    """What the launching function of a kernel returns for arguments of the host."""
    return to_host(LAUNCHERS[name](installed(), *to_device(args)))


def exact(name, *args):
    """What the body of a composite gives, computed in double."""
    with np.errstate(all="ignore"):
        return bodies()[name](*(widened(a) for a in args))


def widened(value):
    return value.astype(WIDE["float64"]) if isinstance(value, np.ndarray) else value


def assert_near(actual, wanted, dtype, scale=1.0):
    """Results (nested alike) agree within the type's tolerance, relative to the largest value."""
    if wanted is None or actual is None:
        assert actual is wanted
    elif isinstance(wanted, (tuple, list)):
        assert len(actual) == len(wanted)
        for each, right in zip(actual, wanted, strict=True):
            assert_near(each, right, dtype, scale)
    else:
        wanted = np.asarray(wanted)
        assert actual.shape == wanted.shape
        finite = np.abs(wanted[np.isfinite(wanted)])
        size = max(1.0, float(finite.max(initial=0)))
        tolerance = TOLERANCES[dtype] * scale
        np.testing.assert_allclose(
            widened(actual), wanted, rtol=tolerance, atol=tolerance * size, equal_nan=True
        )


def normal(shape, dtype, seed=0, shift=0.0):
    values = np.random.default_rng(seed).standard_normal(shape) + shift
    return np.asarray(values).astype(DTYPES[dtype])
