"""The kernels of index.cu that read and write, through their launching functions, against their
bodies: every dtype, every way to run, layouts, empty arrays and what lies out of range."""

import numpy as np
import pytest

from autograd_gpu._cuda import index as launchers
from autograd_gpu._cuda.index_sums import add_at
from autograd_gpu._ops import lines
from autograd_gpu._ops.gather import flat_places, gather_along

from .launched import DTYPES, WAYS, array, launching, same

W = slice(None)
every_dtype = pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)


@pytest.fixture(scope="module", params=WAYS)
def xp(request):
    with launching(request.param) as found:
        yield found


def ints(*numbers):
    return np.array(numbers, np.int64)


MASK = np.array([True, False, True, True])
PLACES = {
    "rows": ((5, 4), (ints(4, 0, -1, 4),)),
    "one column": ((7, 1), (ints(3, 3),)),
    "16 bytes": ((3, 16), (ints(2, 0),)),
    "matrix of rows": ((5, 3), (ints(1, 2, 3, 4).reshape(2, 2),)),
    "int32": ((5, 3), (np.array([1, -2], np.int32),)),
    "middle": ((2, 5, 3), (W, ints(4, 4, -5))),
    "last": ((2, 3, 4), (W, W, ints(0, 3))),
    "pairs": ((4, 5, 3), (ints(0, -1, 3), ints(-1, 2, 0))),
    "broadcast pairs": ((2, 4, 5), (W, ints(0, 3).reshape(2, 1), ints(1, 2, 4))),
    "mask and numbers": ((4, 5), (MASK, ints(0, 1, 2))),
    "none": ((5, 3), (ints(),)),
    "no columns": ((5, 0), (ints(1, 2),)),
    "over a block": ((40, 9), (np.arange(900) % 40,)),
}
BESIDE = {
    "apart": ((3, 4, 5), (ints(0, 2, 0), W, ints(1, 1, 1))),
    "mask": ((4, 3), (MASK,)),
    "mask of all": ((2, 2), (np.array([[True, False], [True, True]]),)),
}


def on(xp, places):
    return tuple(p if isinstance(p, slice) else xp.from_host(p) for p in places)


@every_dtype
@pytest.mark.parametrize("case", PLACES)
def test_reading(xp, dtype, case):
    shape, places = PLACES[case]
    x = array(shape, dtype)
    same(launchers.read_at(xp, xp.from_host(x), on(xp, places)), lines.read_at(x, places))


def test_reading_of_what_is_not_aligned_or_not_contiguous(xp):
    places = (ints(2, 0, 1),)
    x, memory = array((3, 8), "f4"), array(25, "f4")
    same(launchers.read_at(xp, xp.from_host(x.T), on(xp, places)), x.T[places])
    shifted = xp.from_host(memory)[1:].reshape(3, 8)
    same(launchers.read_at(xp, shifted, on(xp, places)), memory[1:].reshape(3, 8)[places])


@pytest.mark.parametrize("case", BESIDE)
def test_declined_places(xp, case):
    """Masks alone, and reading of arrays apart from each other: the library's indexing does those."""
    shape, places = BESIDE[case]
    x = array(shape, "f4")
    assert launchers.read_at(xp, xp.from_host(x), on(xp, places)) is NotImplemented
    out, values = xp.from_host(x), x[places][::-1]
    if launchers.put_at(xp, out, on(xp, places), xp.from_host(values)) is NotImplemented:
        assert case != "apart"
    else:
        lines.put_at(x, places, values)
        same(out, x)
    same(lines.read_at(xp.from_host(x), on(xp, places)), x[places])


GATHERED = {
    "along 1": ((3, 4), (3, 6), 1),
    "along 0": ((3, 4), (2, 4), 0),
    "shorter": ((3, 4, 5), (2, 7, 3), 1),
    "last of three": ((3, 4, 5), (3, 4, 2), 2),
    "line": ((5,), (300,), 0),
    "nine dimensions": ((2, 1, 2, 1, 2, 1, 2, 1, 3), (2, 1, 2, 1, 2, 1, 2, 1, 2), 8),
}


@every_dtype
@pytest.mark.parametrize("case", GATHERED)
def test_gathering(xp, dtype, case):
    size, shape, dim = GATHERED[case]
    x = array(size, dtype)
    index = np.random.default_rng(1).integers(0, size[dim], shape)
    actual = launchers.gather_along(xp, xp.from_host(x), xp.from_host(index), dim)
    if dtype.itemsize == 16:
        assert actual is NotImplemented
    else:
        same(actual, gather_along(x, index, dim))


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("case", GATHERED)
def test_places_in_row_major_order(xp, case, large, monkeypatch):
    monkeypatch.setattr(launchers, "_LARGE", 1 if large else 1 << 31)
    size, shape, dim = GATHERED[case]
    index = np.random.default_rng(1).integers(0, size[dim], shape)
    found = launchers.flat_places(xp, xp.from_host(index), dim, size)
    same(found, flat_places(index, dim, size))


def test_gathering_with_64_bits(xp, monkeypatch):
    """The form for arrays of 2^31 elements and more gives the same."""
    monkeypatch.setattr(launchers, "_LARGE", 1)
    x, index = array((3, 4), "f4"), np.array([[1, 0], [3, 3]])
    actual = launchers.gather_along(xp, xp.from_host(x), xp.from_host(index), 1)
    same(actual, gather_along(x, index, 1))


@every_dtype
@pytest.mark.parametrize("case", PLACES)
def test_writing(xp, dtype, case):
    """Where an element is named repeatedly the last value stays, in whatever order threads run."""
    shape, places = PLACES[case]
    x = array(shape, dtype)
    values = array(x[places].shape, dtype, 1)
    out = xp.from_host(x)
    result = launchers.put_at(xp, out, on(xp, places), xp.from_host(values))
    if x.size == 0:
        assert result is NotImplemented
        return
    lines.put_at(x, places, values)
    same(out, x)


def test_writing_broadcasts_and_goes_through_views(xp):
    x, values, places = array((4, 6), "f4"), array((3, 1), "f4", 1), (ints(0, -1, 0),)
    for read in (lambda a: a, lambda a: a[:, ::2], lambda a: a.T[:4]):
        host, out = x.copy(), xp.from_host(x)
        launchers.put_at(xp, read(out), on(xp, places), xp.from_host(values))
        lines.put_at(read(host), places, values)
        same(out, host)
    with pytest.raises(ValueError):
        launchers.put_at(xp, xp.from_host(x), on(xp, places), xp.from_host(array((2, 6), "f4")))


def test_one_number_is_not_the_kernels(xp):
    x = xp.from_host(array((4, 3), "f4"))
    assert launchers.put_at(xp, x, on(xp, (ints(1),)), 2.0) is NotImplemented
    number = xp.from_host(np.array(1.0, np.float32))
    assert launchers.put_at(xp, x, on(xp, (ints(1),)), number) is NotImplemented


def test_the_last_of_each_number(xp):
    index = np.random.default_rng(0).integers(0, 40, 700)
    same(launchers.last_named(xp, xp.from_host(index), 45), lines.last_named(index, 45))
    same(launchers.last_named(xp, xp.from_host(index[:0]), 2), np.full(2, -1, np.int32))


@pytest.mark.parametrize("dtype", [np.int64, np.int32])
def test_the_first_out_of_range(xp, dtype):
    index = np.random.default_rng(0).integers(-5, 5, (60, 10)).astype(dtype)
    for low, high in ((-5, 5), (-5, 4), (0, 5), (6, 7), (-5, 1 << 40)):
        wanted = lines.first_bad(index, low, high)
        assert launchers.first_bad(xp, xp.from_host(index), low, high) == wanted
    assert launchers.first_bad(xp, xp.from_host(index[:0]), 0, 5) == 0
    assert launchers.first_bad(xp, xp.from_host(index.astype(float)), 0, 5) is NotImplemented


def test_unchecked_numbers_touch_nothing_else(xp):
    """A number that names no line reads zeros and writes nothing, so that memory stays whole where
    a program has turned the check off."""
    x, places = array((3, 5), "f4"), on(xp, (ints(1, 3, -4, 1 << 40),))
    read = launchers.read_at(xp, xp.from_host(x), places).get()
    assert (read[0] == x[1]).all() and not read[1:].any()
    index = xp.from_host(np.array([[0, 5, -6]]))
    assert launchers.gather_along(xp, xp.from_host(x), index, 1).get()[0, 1:].tolist() == [0, 0]
    out, values = xp.from_host(x), xp.from_host(array((4, 5), "f4", 1))
    launchers.put_at(xp, out, places, values)
    add_at(xp, out, places, values)
    wanted = x.copy()
    wanted[1] = 2 * values.get()[0]
    same(out, wanted)


def test_a_small_grid_goes_on(xp, monkeypatch):
    monkeypatch.setattr(launchers, "blocks", lambda n: 2)
    index = np.arange(2000) % 7
    x, values = array((7, 3), "f4"), array((2000, 3), "f4", 1)
    same(launchers.read_at(xp, xp.from_host(x), on(xp, (index,))), x[index])
    out = xp.from_host(x)
    launchers.put_at(xp, out, on(xp, (index,)), xp.from_host(values))
    x[index] = values
    same(out, x)
    assert launchers.first_bad(xp, xp.from_host(index), 0, 6) == 6
