"""Softmax and log-softmax, forward and backward, on the stand-in against the bodies in double."""

import numpy as np
import pytest

from autograd_gpu._cuda import groups
from autograd_gpu._cuda import softmax as kernels
from autograd_gpu._ops import softmax
from autograd_gpu.testing import standin

from .beside import assert_near, every_run, exact, launched, stand_in, to_host, widened
from .launched import FLOATS, array

FORWARD = {"softmax": softmax._softmax, "log_softmax": softmax._log_softmax}
every_name = pytest.mark.parametrize("name", FORWARD)
CASES = [
    ((64, 10), 1), ((5, 100), 1), ((3, 1), 1), ((2, 33), -1), ((2, 1500), 1), ((2, 7, 80), 1),
    ((40, 3, 5), 0), ((1, 70, 3), 1), ((130, 2), 0), ((7,), 0), ((3, 2, 1), 1), ((), 0),
]  # fmt: skip


def forward(name, x, dim):
    with np.errstate(all="ignore"):
        return FORWARD[name].op.forward(np, widened(x), dim)


@every_run
@every_name
def test_forward(name, dtype, how):
    with stand_in(how):
        for shape, dim in CASES:
            x = np.asarray(array(shape, "f8") * 4).astype(FLOATS[dtype])
            found = launched(name, x, dim)
            assert found.dtype == x.dtype
            assert_near(found, forward(name, x, dim), dtype)


@every_run
@every_name
def test_backward(name, dtype, how):
    with stand_in(how):
        for shape, dim in CASES:
            y = np.asarray(forward(name, array(shape, "f8"), dim)).astype(FLOATS[dtype])
            g = array(shape, FLOATS[dtype], 1)
            found = launched(name + "_backward", g, y, dim)
            assert found.dtype == g.dtype
            assert_near(found, exact(name + "_backward", g, y, dim), dtype)


def special():
    """Rows with NaN, infinities, nothing but infinities, and numbers whose powers overflow."""
    x = array((10, 41), "f4")
    x[0, 3], x[1, 5], x[2, 7], x[3, :] = np.nan, np.inf, -np.inf, -np.inf
    x[4, :2], x[5, :2], x[6, :2] = np.inf, (np.inf, -np.inf), (np.nan, np.inf)
    x[7], x[8, ::2], x[9] = x[7] * 1e4, -3e38, np.finfo("f4").min
    return x


@every_name
@pytest.mark.parametrize("dim", [0, 1])
def test_special_values(name, dim):
    x = special() if dim else np.ascontiguousarray(special().T)
    with stand_in():
        assert_near(launched(name, x, dim), forward(name, x, dim), "float32")


@every_name
def test_one_number(name):
    """The softmax of a number is 1, of an infinity NaN."""
    with stand_in():
        for value in (3.0, np.inf, -np.inf, np.nan):
            x = np.array(value, np.float32)
            found = launched(name, x, 0)
            assert found.shape == ()
            assert np.array_equal(found, forward(name, x, 0), equal_nan=True)


@every_name
def test_special_gradients(name):
    y = np.array(forward(name, special()[7:], 1)).astype(np.float32)
    g = array(y.shape, "f4")
    g[0, 2], g[1, 3], g[2, :] = np.nan, np.inf, 0
    with stand_in():
        found = launched(name + "_backward", g, y, 1)
        assert_near(found, exact(name + "_backward", g, y, 1), "float32")


@every_name
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (2, 0, 4)], ids=str)
def test_of_no_elements(name, shape):
    x = np.zeros(shape, np.float32)
    with stand_in(), standin.launches() as seen:
        assert launched(name, x, 1).shape == launched(name + "_backward", x, x, 1).shape == shape
    assert not seen


@every_name
def test_any_strides(name):
    x = array((6, 9, 5), "f4")
    with stand_in() as xp:
        device = standin.asarray(x).transpose(1, 2, 0)[:, ::2]
        host = x.transpose(1, 2, 0)[:, ::2]
        for dim in range(3):
            found = to_host(getattr(kernels, name)(xp, device, dim))
            assert_near(found, forward(name, host, dim), "float32")


@every_name
@pytest.mark.parametrize("schedule", ["reverse", "random"])
def test_any_schedule(name, schedule):
    x = array((5, 700), "f4")
    with stand_in():
        once = launched(name, x, 1)
        with standin.running(schedule=schedule, seed=5):
            assert launched(name, x, 1).tobytes() == once.tobytes()


def test_declines_what_the_body_refuses_or_promotes():
    whole, x = np.ones((2, 3), np.int64), np.ones((2, 3), np.float32)
    with stand_in():
        assert launched("softmax", whole, 1) is NotImplemented
        assert launched("log_softmax", x.astype(np.complex64), 1) is NotImplemented
        assert launched("softmax_backward", x, x.astype(np.float64), 1) is NotImplemented
        assert launched("log_softmax_backward", x[:1], x, 1) is NotImplemented
        with pytest.raises(IndexError, match="Dimension out of range"):
            launched("softmax", x, 2)


def test_one_launch_each():
    with stand_in():
        for shape, dim in [((64, 10), 1), ((3, 5, 7), 1), ((9, 70000), 1)]:
            x = np.zeros(shape, np.float32)
            with standin.launches() as seen:
                launched("softmax", x, dim)
            assert len(seen) == 1


def test_short_rows_share_a_warp():
    """Sixteen threads a row of ten, sixteen rows a block; a warp for a hundred, a block for many."""
    assert groups.tiles((64, 10), 1) == ("rows", (4, 1), (16, 16), (1, 10, 64))
    assert groups.tiles((10000, 100), 1)[1:3] == ((1250, 1), (32, 8))
    assert groups.tiles((4, 50000), 1)[1:3] == ((4, 1), (512, 1))


@pytest.mark.parametrize("items", [0, 1, 31, 33, 5000, 10**7])
@pytest.mark.parametrize("size", [0, 1, 3, 33, 1000, 5000, 10**6])
def test_every_arrangement_is_valid(items, size):
    """Whole warps, no more than 512 threads, powers of two where a group needs them."""
    arranged = [("rows", groups.rows(items, size)), ("columns", groups.columns(items, size, 3))]
    for form in ("rows", "columns"):
        arranged.append((form, ((1, 1), groups.one_block(form, items, size))))
    for form, (grid, (x, y)) in arranged:
        assert (x * y) % 32 == 0 and 32 <= x * y <= 512
        assert x & (x - 1) == y & (y - 1) == 0
        assert form == "columns" or x <= 32 or y == 1
        assert 0 < grid[0] < 1 << 31 and 0 < grid[1] < 1 << 16
