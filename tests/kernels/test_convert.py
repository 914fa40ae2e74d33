"""Conversions, copies and fills on the stand-in device, against NumPy's."""

import numpy as np
import pytest

from autograd_gpu._core.library import LAUNCHERS, installed
from autograd_gpu._core.manifest.forward import CASTS
from autograd_gpu.testing import standin

from .cases import EVERY_DTYPE, bodies
from .launched import DTYPES, launching, same

NUMBERS = {
    "f": [0, -0.0, 1.5, -1.5, 2.999, -3.7, 200.25, 0.1, 1 / 3, 65504, 1e-7, -1e-8, 12345.678],
    "i": [0, 1, -1, 2, 3, -128, 200, 255, 256, 70000, 16777217, -(2**31), 2**31 - 1],
    "b": [False, True, True],
}
SPECIAL = [np.inf, -np.inf, np.nan, 1e30, -1e30, 1e-40, 65520.0, 65519.0]


def values(dtype, shape=None):
    """Numbers that all types can hold when they are cut, in a shape."""
    kind = EVERY_DTYPE[dtype].kind
    with np.errstate(all="ignore"):
        found = np.array(NUMBERS["f" if kind in "fV" else "b" if kind == "b" else "i"])
        found = found.astype(EVERY_DTYPE[dtype])
    return found if shape is None else np.resize(found, shape)


def cast(array, dtype):
    out = LAUNCHERS["cast"](installed(), array, DTYPES[dtype])
    assert out is not NotImplemented
    return out


def wanted(array, dtype):
    with np.errstate(all="ignore"):
        return bodies()["cast"](array, DTYPES[dtype])


@pytest.mark.parametrize("way", ["plain", "checked"])
@pytest.mark.parametrize("source", CASTS)
def test_cast(way, source):
    with launching(way):
        for target in CASTS:
            for shape in [None, (), (0,), (515,)]:
                array = values(source, shape)
                if target == "uint8" and source not in ("bool", "uint8"):
                    array = np.abs(array) if shape is None else array
                    array = array[np.isfinite(array.astype("f8"))]
                same(cast(standin.asarray(array), target), wanted(array, target))


@pytest.mark.parametrize("source", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("target", ["float32", "float64", "float16", "bfloat16", "bool"])
def test_special_values(source, target):
    with np.errstate(all="ignore"):
        array = np.array(SPECIAL).astype(EVERY_DTYPE[source])
    with launching("plain"):
        out = cast(standin.asarray(array), target).get().astype("f8")
    np.testing.assert_array_equal(out, wanted(array, target).astype("f8"))


def test_doubles_are_rounded_to_half_once():
    """Rounded to float first, some would come to lie halfway between two halves."""
    near = np.random.default_rng(0).standard_normal(4000).astype("f2").astype("f8")
    for nudge in (2.0**-12, -(2.0**-12)):
        for bit in (2.0**-40, -(2.0**-40), 0.0):
            array = near * (1 + nudge) * (1 + bit)
            with launching("plain"):
                same(cast(standin.asarray(array), "float16"), wanted(array, "float16"))


@pytest.mark.parametrize("way", ["plain", "random", "checked"])
@pytest.mark.parametrize("target", ["float32", "bfloat16", "int64", "bool"])
def test_strided(way, target):
    array = values("float32", (4, 6, 5))
    with launching(way):
        device = standin.asarray(array)
        for lay in (
            lambda a: a.T, lambda a: a[:, ::2], lambda a: a[::-1, 1:, ::-2], lambda a: a[1:, :0],
            lambda a: a.transpose(1, 0, 2), lambda a: a[:, :, 3],
        ):  # fmt: skip
            out = cast(lay(device), target)
            np.testing.assert_array_equal(out.get(), wanted(lay(array), target))


@pytest.mark.parametrize("way", ["plain", "random", "checked"])
@pytest.mark.parametrize("pair", ["float32:float32", "float64:float16", "bool:float32"])
def test_copy_into(way, pair):
    source, _, target = pair.partition(":")
    shape = (4, 6, 5)
    with launching(way):
        for lay in (
            lambda a: a, lambda a: a[1:3], lambda a: a.T, lambda a: a[:, ::-2], lambda a: a[..., 2],
        ):  # fmt: skip
            host, memory = np.zeros(shape, EVERY_DTYPE[target]), None
            memory = standin.asarray(host)
            for size in (lay(host).shape, lay(host).shape[1:], (1,)):
                array = values(source, size)
                with np.errstate(all="ignore"):
                    lay(host)[...] = array
                into = lay(memory)
                out = LAUNCHERS["copy_into"](installed(), into, standin.asarray(array))
                assert out is into
                np.testing.assert_array_equal(memory.get(), host)


@pytest.mark.parametrize("way", ["plain", "checked"])
@pytest.mark.parametrize("dtype", CASTS)
def test_fill(way, dtype):
    number = True if dtype == "bool" else 3
    with launching(way):
        for lay in (lambda a: a, lambda a: a[1:], lambda a: a[::2].T, lambda a: a[:0]):
            host = values(dtype, (7, 30)).copy()
            memory = standin.asarray(host)
            lay(host)[...] = number
            into = lay(memory)
            assert LAUNCHERS["fill_into"](installed(), into, number) is into
            np.testing.assert_array_equal(memory.get(), host)


def test_clone_keeps_the_order_of_memory():
    with launching("plain"):
        array = standin.asarray(values("float32", (3, 4)))
        out = LAUNCHERS["clone"](installed(), array.T)
        assert out.strides == array.T.strides
        same(out, array.get().T)
        assert out.data.mem is not array.data.mem


def test_what_is_declined():
    with launching("plain"):
        xp = installed()
        x = standin.asarray(values("float32", (4,)))
        assert LAUNCHERS["cast"](xp, x, np.dtype("c8")) is NotImplemented
        assert LAUNCHERS["cast"](xp, x, np.dtype("i2")) is NotImplemented
        assert LAUNCHERS["copy_into"](xp, x[1:], x[:-1]) is NotImplemented
        assert LAUNCHERS["copy_into"](xp, x, 2.0) is NotImplemented
        assert LAUNCHERS["fill_into"](xp, x, 1e300) is NotImplemented
        assert LAUNCHERS["fill_into"](xp, x, 1j) is NotImplemented
        whole = standin.asarray(values("int64", (4,)))
        assert LAUNCHERS["fill_into"](xp, whole, 0.5) is NotImplemented
        assert LAUNCHERS["fill_into"](xp, whole, 1 << 70) is NotImplemented
