"""Sums, means, extremes and log-sum-exp on the stand-in against sums in double: every type, layout
and way to run."""

import numpy as np
import pytest

from autograd_gpu._cuda import reduce
from autograd_gpu._cuda.launch import launch
from autograd_gpu.testing import standin
from autograd_gpu.testing.emulator import KernelError

from .beside import (
    assert_near,
    every_dtype,
    every_run,
    every_way,
    launched,
    stand_in,
    to_host,
    widened,
)  # fmt: skip
from .launched import DTYPES, FLOATS, WHOLE_NUMBERS, array

EXACT = {
    "sum": np.sum, "mean": np.mean, "amax": np.max, "amin": np.min,
    "logsumexp": lambda x, dims, keepdims: np.log(np.sum(np.exp(x), dims, keepdims=keepdims)),
}  # fmt: skip
every_name = pytest.mark.parametrize("name", EXACT)
every_integer = pytest.mark.parametrize("dtype", WHOLE_NUMBERS)
CASES = [
    ((70, 33), (1,)), ((70, 33), (0,)), ((3, 1000), (1,)), ((400, 3), (0,)), ((200, 4), (0, 1)),
    ((5, 6, 7, 2), (0, 2)), ((5, 6, 7, 2), (1, 3)), ((2, 3, 1, 9), (2,)), ((1, 1), (0,)), ((), ()),
    ((4, 1, 3), ()), ((300,), (0,)), ((2, 40), (1,)), ((129, 8, 2), (0,)),
]  # fmt: skip


def wanted(name, x, dims, keepdim=False):
    dims = dims or tuple(range(x.ndim))
    with np.errstate(all="ignore"):
        return np.asarray(EXACT[name](widened(x), dims, keepdims=keepdim))


@every_run
@every_name
def test_any_dimensions(name, dtype, how):
    with stand_in(how):
        for shape, dims in CASES:
            x = array(shape, FLOATS[dtype])
            found = launched(name, x, dims, len(shape) % 2 == 0)
            assert found.dtype == x.dtype
            assert_near(found, wanted(name, x, dims, len(shape) % 2 == 0), dtype)


def views(x):
    """(a view of the device's array, the same of the host's): any strides."""
    device = standin.asarray(x)
    yield device.transpose(2, 0, 1), x.transpose(2, 0, 1)
    yield device[:, ::2], x[:, ::2]
    yield device[::-1, :, 1:], x[::-1, :, 1:]
    yield standin.broadcast_to(device[:1], x.shape), np.broadcast_to(x[:1], x.shape)
    yield standin.broadcast_to(device[0, 0, 0], x.shape), np.broadcast_to(x[0, 0, 0], x.shape)


@every_way
@pytest.mark.parametrize("dims", [0, 1, -1, (0, 1), (0, -1), (1, 2), None], ids=str)
def test_any_strides(dims, how):
    x = array((9, 14, 11), "f4")
    axes = tuple(range(3)) if dims is None else dims
    with stand_in(how) as xp:
        for device, host in views(x):
            assert_near(to_host(reduce.sum(xp, device, dims)), widened(host).sum(axes), "float32")


@every_way
@every_integer
def test_integers_are_summed_as_int64(dtype, how):
    with stand_in(how):
        for shape, dims in CASES[:8]:
            x = array(shape, WHOLE_NUMBERS[dtype])
            found = launched("sum", x, dims)
            assert found.dtype == np.int64
            assert np.array_equal(found, x.sum(dims, dtype=np.int64))


def test_integers_wrap_at_64_bits():
    x = np.full(40, 1 << 62, np.int64)
    with stand_in(), np.errstate(over="ignore"):
        assert launched("sum", x, 0) == x.sum()


LONG = [((1 << 17,), (0,)), ((3000, 5), (0,)), ((2, 1 << 16), (1,)), ((1100, 3, 2), (0,))]


@pytest.mark.parametrize("how", ["plain", "random"])
@every_dtype
@pytest.mark.parametrize("name", ["sum", "mean", "amax", "amin"])
def test_two_launches(name, dtype, how):
    """Few long sums are shared by many blocks, and added in float meanwhile."""
    with stand_in(how):
        for shape, dims in LONG:
            x = array(shape, FLOATS[dtype])
            with standin.launches() as seen:
                found = launched(name, x, dims)
            assert len(seen) == 2
            assert_near(found, wanted(name, x, dims), dtype, 4)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bool"])
def test_two_launches_watched(dtype):
    x = array((1100, 3), DTYPES[dtype])
    with stand_in("checked"):
        found = launched("sum", x, 0)
    assert_near(widened(found), widened(x).sum(0), dtype if dtype != "bool" else "float64")


def test_the_result_does_not_depend_on_the_order_of_threads():
    x = array((5000, 3), "f4")
    with stand_in("plain"):
        once = launched("sum", x, 0)
    with stand_in("random"):
        assert launched("sum", x, 0).tobytes() == once.tobytes()


@every_name
def test_special_values(name):
    x = array((8, 40), "f4")
    x[0, 3], x[1, 5], x[2, 7], x[3, 39] = np.nan, np.inf, -np.inf, np.nan
    x[4, :2], x[5, 0] = (np.inf, -np.inf), np.inf
    x[6, :], x[7, :] = -np.inf, 3e38 if name.startswith("a") else 0
    x[5, 1] = np.nan
    with stand_in():
        for axis in (0, 1):
            right = wanted(name, x, (axis,))
            assert_near(launched(name, x, (axis,)), right, "float32")
            assert_near(launched(name, x.T.copy(), (1 - axis,)), right, "float32")


@pytest.mark.parametrize("name", ["sum", "mean", "logsumexp"])
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0,), (2, 0, 3)], ids=str)
def test_of_no_elements(name, shape):
    x = np.zeros(shape, np.float32)
    with stand_in(), np.errstate(all="ignore"):
        for dim in range(len(shape)):
            right = x.sum(dim)
            if name != "sum" and not shape[dim]:
                right = right + (np.nan if name == "mean" else -np.inf)
            elif name == "logsumexp":
                right = np.log(right)
            assert np.array_equal(launched(name, x, dim), right, equal_nan=True)


def test_sums_keep_their_digits():
    """A million tenths, as one row, as columns, as a row of float16."""
    x = np.full(1 << 20, 0.1, np.float32)
    tenth = float(x[0])
    with stand_in():
        assert abs(launched("sum", x, 0) / (tenth * x.size) - 1) < 2e-6
        columns = launched("sum", x.reshape(-1, 2), 0)
        assert np.abs(columns / (tenth * x.size / 2) - 1).max() < 2e-6
        assert launched("mean", x.astype(np.float16), 0) == np.float16(0.1)


@pytest.mark.parametrize("name", ["sum", "amax", "logsumexp"])
def test_declines_what_it_has_no_form_for(name):
    with stand_in():
        assert launched(name, array((2, 3), np.complex64), 0) is NotImplemented
        assert launched(name, array((2,) * 19, "f4"), tuple(range(0, 19, 2))) is NotImplemented
    assert reduce.plan((2,) * 19, tuple(range(19)), tuple(range(0, 19, 2)), False) is None


def test_declines_extremes_and_means_that_the_body_refuses():
    with stand_in():
        assert launched("amax", np.zeros((0, 3), np.float32), 0) is NotImplemented
        assert launched("amin", np.zeros((0, 3), np.float32), 0) is NotImplemented
        assert launched("mean", np.ones(3, np.int64), 0) is NotImplemented


@pytest.mark.parametrize(
    ("dim", "error"), [(2, IndexError), (-3, IndexError), ((0, 0), RuntimeError), ("a", TypeError)]
)
def test_wrong_dimensions(dim, error):
    with stand_in(), pytest.raises(error):
        launched("sum", np.ones((2, 3), np.float32), dim)


def test_a_structure_of_another_array_is_caught():
    """What a GPU would read beyond an array's end, the watched run reports."""
    x = array((40, 33), "f4")
    with stand_in("checked") as xp:
        form, grid, block, reduction = reduce.plan((41, 33), (33, 1), (1,), False).steps[0]
        with pytest.raises(KernelError, match="out of bounds"):
            given = standin.asarray(x), standin.zeros(41, np.float32), reduction
            launch(xp, "sum", form, "float32", grid, block, *given)
