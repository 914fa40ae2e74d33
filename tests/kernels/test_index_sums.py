"""The kernels of index.cu that add and reduce at integers which repeat: the atomic form, and the one
that takes values in a fixed order."""

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._cuda import index_sums as launchers
from autograd_gpu._cuda.launch import launch
from autograd_gpu.testing import standin
from autograd_gpu.testing.emulator import KernelError

from .launched import COMPLEX, DTYPES, FLOATS, WAYS, array, close, launching, same, to_host

W = slice(None)


@pytest.fixture(scope="module", params=WAYS)
def xp(request):
    with launching(request.param) as found:
        yield found


@pytest.fixture(params=[False, True], ids=["atomic", "in order"])
def in_order(request):
    ag.use_deterministic_algorithms(request.param)
    yield request.param
    ag.use_deterministic_algorithms(False)


def ints(*numbers):
    return np.array(numbers, np.int64)


RANDOM = np.random.default_rng(4)
CASES = {
    "rows": ((5, 4), (ints(4, 0, -1, 4, 4),)),
    "long rows": ((3, 40), (ints(2, 2, 0, 2),)),
    "numbers": ((6,), (RANDOM.integers(-6, 6, 333),)),
    "one number": ((1,), (np.zeros(100, np.int64),)),
    "middle": ((2, 5, 3), (W, RANDOM.integers(0, 5, 90))),
    "pairs": ((4, 5, 3), (RANDOM.integers(-4, 4, 50), RANDOM.integers(0, 5, 50))),
    "apart": ((3, 4, 3), (ints(0, 2, 2), W, ints(1, 1, 1))),
    "mask and numbers": ((4, 5), (np.array([True, False, True, True]), ints(0, 1, 2))),
    "int32": ((5, 3), (np.array([1, -2, 1], np.int32),)),
    "none": ((5, 3), (ints(),)),
    "no columns": ((5, 0), (ints(1, 2),)),
}


def on(xp, places):
    return tuple(p if isinstance(p, slice) else xp.from_host(p) for p in places)


def wide(a):
    kind = a.dtype.kind
    return a if kind == "b" else a.astype("c16" if kind == "c" else "i8" if kind in "iu" else "f8")


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
@pytest.mark.parametrize("case", CASES)
def test_adding(xp, dtype, case, in_order):
    shape, places = CASES[case]
    x = array(shape, dtype)
    values = array(x[places].shape, dtype, 1)
    wanted, out = wide(x), xp.from_host(x)
    np.add.at(wanted, places, wide(values))
    launchers.add_at(xp, out, on(xp, places), xp.from_host(values))
    if dtype.kind in "iub":
        same(out, wanted.astype(dtype))
    else:
        close(out, wanted)


def test_adding_a_number_and_through_views(xp, in_order):
    x, places = array((4, 6), "f4"), (ints(0, -1, 0),)
    for read in (lambda a: a, lambda a: a[:, ::2], lambda a: a.T[:4]):
        wanted, out = x.astype("f8"), xp.from_host(x)
        np.add.at(read(wanted), places, 2.5)
        launchers.add_at(xp, read(out), on(xp, places), 2.5)
        close(out, wanted)


def test_masks_alone_are_declined(xp):
    x, mask = xp.from_host(array((3, 4), "f4")), xp.from_host(np.array([True, False, True]))
    assert launchers.add_at(xp, x, (mask,), 1.0) is NotImplemented


def test_infinities_and_nan(xp, in_order):
    values = np.array([1, np.inf, -np.inf, np.inf, np.nan], np.float32)
    out = xp.zeros(4, np.float32)
    launchers.add_at(xp, out, on(xp, (ints(0, 1, 2, 2, 3),)), xp.from_host(values))
    assert np.array_equal(out.get(), [1, np.inf, np.nan, np.nan], equal_nan=True)


@pytest.mark.parametrize("dtype", FLOATS.values(), ids=FLOATS)
def test_the_order_is_that_of_the_values(xp, dtype):
    """Long rows in order: the sum that one gets adding one value after the other, to the bit."""
    ag.use_deterministic_algorithms(True)
    try:
        index, values = RANDOM.integers(0, 3, 60), array((60, 32), dtype, 2)
        out = xp.from_host(np.zeros((3, 32), dtype))
        launchers.add_at(xp, out, on(xp, (index,)), xp.from_host(values))
    finally:
        ag.use_deterministic_algorithms(False)
    wanted = np.zeros((3, 32), "f8" if dtype == np.float64 else "f4")
    for line, row in zip(index, values, strict=True):
        wanted[line] += row.astype(wanted.dtype)
    same(out, wanted.astype(dtype))


@pytest.mark.parametrize("row", [1, 40])
def test_the_same_bits_whoever_comes_first(xp, row):
    """In order, no schedule changes a bit; with atomics some do, so that the test can see it."""
    index, values = RANDOM.integers(0, 2, 500), array((500, row), "f4", 5) * 1000
    found = {True: set(), False: set()}
    for demanded, bits in found.items():
        ag.use_deterministic_algorithms(demanded)
        for how in ("forward", "reverse", "random"):
            out = xp.zeros((2, row), np.float32)
            with standin.running(schedule=how, seed=7):
                launchers.add_at(xp, out, on(xp, (index,)), xp.from_host(values))
            bits.add(out.get().tobytes())
    ag.use_deterministic_algorithms(False)
    assert len(found[True]) == 1 < len(found[False])


def test_halves_are_rounded_once(xp, in_order):
    """4096 times 1 is 4096, where adding in float16 would stay at 2048."""
    out = xp.zeros((1,), np.float16)
    values = xp.ones(4096, np.float16)
    launchers.add_at(xp, out, (xp.zeros(4096, np.int64),), values)
    assert out.get().tolist() == [4096]


UFUNCS = {"prod": np.multiply, "amax": np.maximum, "amin": np.minimum}


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
@pytest.mark.parametrize("reduce", UFUNCS)
def test_reducing(xp, dtype, reduce):
    x, index = array(7, dtype), RANDOM.integers(0, 7, 90)
    values = array(90, dtype, 1)
    out, places = xp.from_host(x), xp.from_host(index)
    if dtype in COMPLEX.values() and reduce != "prod":
        return  # complex numbers have no order: refused by the op
    launchers.reduce_at(xp, out, places, xp.from_host(values), reduce)
    wanted = wide(x)
    UFUNCS[reduce].at(wanted, index, wide(values))
    if dtype.kind in "iub":
        same(out, wanted.astype(dtype))
    else:
        close(out, wanted)


@pytest.mark.parametrize("reduce", ["amax", "amin"])
def test_nan_wins(xp, reduce):
    values = np.array([1, np.nan, 3, np.nan, 5, -np.inf], np.float32)
    index = np.array([0, 0, 0, 1, 1, 2])
    out = xp.from_host(np.array([2, 2, np.nan, 4], np.float32))
    launchers.reduce_at(xp, out, xp.from_host(index), xp.from_host(values), reduce)
    assert np.array_equal(to_host(out), [np.nan, np.nan, np.nan, 4], equal_nan=True)


def test_a_small_grid_goes_on(xp, monkeypatch, in_order):
    monkeypatch.setattr(launchers, "blocks", lambda n: 2)
    for row in (3, 33):
        index, values = RANDOM.integers(0, 5, 800), array((800, row), "f4", 1)
        wanted, out = np.zeros((5, row)), xp.zeros((5, row), np.float32)
        np.add.at(wanted, index, values)
        launchers.add_at(xp, out, on(xp, (index,)), xp.from_host(values))
        np.testing.assert_allclose(out.get(), wanted, 1e-4, 1e-4)


# ---- rules of the kernels' own, broken


@pytest.fixture
def watched(xp):
    with standin.running(checked=True, guarded=True):
        yield xp


def test_numbers_that_mean_one_line_must_be_one(watched, monkeypatch):
    """-1 and 2 of three lines stand in two runs, and two threads would add to one element."""
    monkeypatch.setattr(launchers, "numbers", lambda xp, index, length: index)
    out = watched.zeros((3, 40), np.float32)
    values = watched.ones((2, 40), np.float32)
    ag.use_deterministic_algorithms(True)
    try:
        with pytest.raises(KernelError, match="race in global memory"):
            launchers.add_at(watched, out, on(watched, (ints(-1, 2),)), values)
    finally:
        ag.use_deterministic_algorithms(False)
    assert not out.get().any()


def test_a_vector_that_is_shorter_than_said_is_found(watched, monkeypatch):
    out = watched.zeros((3, 4), np.float32)
    values, lines_of = watched.ones((2, 4), np.float32), launchers.lines_of
    monkeypatch.setattr(
        launchers, "lines_of", lambda *a: lines_of(*a)._replace(index=watched.zeros(1, np.int64))
    )
    monkeypatch.setattr(launchers, "launch", lambda *a: launch(*a[:-1], 2))
    with pytest.raises(KernelError, match="out of bounds"):
        launchers.add_at(watched, out, on(watched, (ints(0, 1),)), values)
