"""The kernels of pool.cu, through their launching functions, against the ops they stand for."""

import numpy as np
import pytest

from autograd_gpu._cuda import pool as launchers
from autograd_gpu._ops import adaptive_pool, avg_pool, max_pool
from autograd_gpu._ops.pool import Plan

from .launched import FLOATS, WAYS, array, close, launching, same, to_host

every_dtype = pytest.mark.parametrize("dtype", FLOATS.values(), ids=FLOATS)
# (shape, kernel, stride, padding, dilation, ceil_mode)
FIXED = {
    "side by side": ((2, 3, 4, 6), (2, 3), (2, 3), 0, 1, False),
    "overlapping": ((1, 2, 7, 5), 3, 1, 1, 1, False),
    "with gaps": ((2, 8, 9), 2, 3, 1, 1, False),
    "standing out": ((1, 1, 5, 6), 2, 2, 0, 1, True),
    "standing out of padding": ((1, 2, 6, 7), 3, 2, 1, 1, True),
    "one line": ((3, 2, 1, 30), (1, 5), (1, 2), (0, 2), 1, False),
    "one window": ((2, 1, 3, 3), 3, 3, 0, 1, False),
    "over a block": ((3, 4, 11, 13), (3, 2), (2, 1), (1, 1), 1, False),
    "no samples": ((0, 2, 4, 4), 2, 2, 0, 1, False),
}
DILATED = {
    "dilated": ((2, 2, 7, 9), 2, 1, 0, (2, 3), False),
    "dilated, padded": ((1, 1, 9, 8), 3, 2, (2, 1), 2, False),
    "dilated, standing out": ((1, 1, 8, 8), 2, 3, 1, 3, True),
}
ADAPTIVE = {
    "smaller": ((2, 3, 7, 5), (3, 2)), "larger": ((1, 2, 3, 4), (5, 7)),
    "the same": ((2, 3, 3), (3, 3)), "one": ((2, 6, 5), (1, 1)), "over a block": ((9, 8, 7), (5, 6)),
}  # fmt: skip


@pytest.fixture(scope="module", params=WAYS)
def xp(request):
    with launching(request.param) as found:
        yield found


def planned(case):
    shape, *options = (FIXED | DILATED)[case]
    return shape, Plan("max_pool2d", shape if shape[0] else (1, *shape[1:]), *options)


def ties(shape, dtype, seed=0):
    """Few different numbers, so that windows have several maxima."""
    return np.random.default_rng(seed).integers(-2, 3, shape).astype(dtype)


@every_dtype
@pytest.mark.parametrize("case", FIXED | DILATED)
def test_maximum(xp, dtype, case):
    shape, plan = planned(case)
    for x in (array(shape, dtype), ties(shape, dtype)):
        if not x.size:
            values, places = launchers.max_pool(xp, xp.from_host(x), plan)
            assert values.shape == places.shape == (*shape[:-2], *plan.fit)
            continue
        wanted, indices = max_pool._max_forward(np, x, plan)
        values, places = launchers.max_pool(xp, xp.from_host(x), plan)
        same(values, wanted)
        same(places, indices)


@every_dtype
@pytest.mark.parametrize("case", FIXED | DILATED)
def test_gradient_of_the_maximum(xp, dtype, case):
    shape, plan = planned(case)
    x = ties(shape, dtype)
    g = array((*shape[:-2], *plan.fit), dtype, 1)
    places = max_pool._max_forward(np, x, plan)[1] if x.size else np.zeros(g.shape, np.int64)
    wanted = max_pool.add_at_places(g.astype("f8"), places, shape) if x.size else x.astype("f8")
    device = xp.from_host(g), xp.from_host(places)
    close(launchers.max_pool_backward(xp, *device, shape, plan), wanted)


def blocks(case):
    shape, kernel, *_ = FIXED[case]
    return shape, kernel if isinstance(kernel, tuple) else (kernel, kernel)


@every_dtype
@pytest.mark.parametrize("case", ["side by side", "overlapping", "over a block", "no samples"])
def test_windows_side_by_side(xp, dtype, case):
    """The windows that cover an array but for what is left at its end."""
    shape, kernel = blocks(case)
    for x in (array(shape, dtype), ties(shape, dtype)):
        best = max_pool._max_blocks(x, kernel)
        found = launchers.max_blocks(xp, xp.from_host(x), kernel)
        same(found, best)
        g = array(best.shape, dtype, 1)
        wanted = max_pool._to_largest(g, x, best, kernel)
        back = launchers.max_blocks_backward(xp, xp.from_host(g), xp.from_host(x), found, kernel)
        assert back.dtype == dtype and np.array_equal(to_host(back), wanted)  # the body gives -0 too


def odd_ones(shape):
    """NaN, infinities of both signs, and planes that hold nothing else."""
    x = array(shape, "f4")
    x[0, 0, 1, 1] = x[0, 0, 1, 2] = x[0, 0, 4, 3] = np.nan
    x[0, 1, 2] = np.inf
    x[0, 1, 3, 1] = np.nan
    x[1, 0] = -np.inf
    x[1, 1] = np.nan
    return x


@pytest.mark.parametrize("case", ["overlapping", "with gaps", "standing out of padding", "dilated"])
def test_nan_and_infinities(xp, case):
    x = odd_ones((2, 2, 8, 9))
    plan = Plan("max_pool2d", x.shape, *(FIXED | DILATED)[case][1:])
    wanted, indices = max_pool._max_forward(np, x, plan)
    values, places = launchers.max_pool(xp, xp.from_host(x), plan)
    assert np.array_equal(to_host(values), wanted, equal_nan=True)
    assert np.array_equal(to_host(places), indices)


def test_nan_in_windows_side_by_side(xp):
    x = odd_ones((2, 2, 8, 9))
    best = max_pool._max_blocks(x, (2, 3))
    found = launchers.max_blocks(xp, xp.from_host(x), (2, 3))
    assert np.array_equal(to_host(found), best, equal_nan=True)
    g = array(best.shape, "f4", 1)
    actual = launchers.max_blocks_backward(xp, xp.from_host(g), xp.from_host(x), found, (2, 3))
    with np.errstate(invalid="ignore"):
        wanted = max_pool._to_largest(g, x, best, (2, 3))
    assert np.array_equal(to_host(actual), wanted)


@every_dtype
@pytest.mark.parametrize("count_pad", [True, False])
@pytest.mark.parametrize("case", FIXED)
def test_mean(xp, dtype, case, count_pad):
    shape, plan = planned(case)
    x = array(shape, dtype)
    g = array((*shape[:-2], *plan.fit), dtype, 1)
    for divisor in (None, 3, -2):
        wanted = avg_pool._avg_pool(x.astype("f8"), plan, count_pad, divisor)
        close(launchers.avg_pool(xp, xp.from_host(x), plan, count_pad, divisor), wanted)
        wanted = avg_pool._avg_unpool(g.astype("f8"), plan, shape, count_pad, divisor)
        back = launchers.avg_pool_backward(xp, xp.from_host(g), plan, shape, count_pad, divisor)
        close(back, wanted)


@every_dtype
@pytest.mark.parametrize("case", ADAPTIVE)
def test_adaptive(xp, dtype, case):
    shape, size = ADAPTIVE[case]
    x, g = array(shape, dtype), array((*shape[:-2], *size), dtype, 1)
    wide = x.astype("f8")
    close(launchers.adaptive_avg_pool(xp, xp.from_host(x), size), adaptive_pool._adaptive_avg(wide, size))
    back = launchers.adaptive_avg_pool_backward(xp, xp.from_host(g), shape[-2:])
    close(back, adaptive_pool._adaptive_avg_back(g.astype("f8"), shape[-2:]))
    values, places = launchers.adaptive_max_pool(xp, xp.from_host(ties(shape, dtype)), size)
    wanted, indices = adaptive_pool._adaptive_max(ties(shape, dtype), size)
    same(values, wanted)
    same(places, indices)
    back = launchers.max_pool_backward(xp, xp.from_host(g), places, shape, None)
    close(back, max_pool.add_at_places(g.astype("f8"), indices, shape))


def test_not_contiguous(xp):
    x = array((2, 3, 6, 8), "f4").transpose(0, 1, 3, 2)
    plan = Plan("max_pool2d", x.shape, 3, 2, 1, 1, False)
    same(launchers.max_pool(xp, xp.from_host(x), plan)[0], max_pool._max_forward(np, x, plan)[0])
    close(
        launchers.avg_pool(xp, xp.from_host(x), plan, True, None),
        avg_pool._avg_pool(x.astype("f8"), plan, True, None),
    )


def test_a_small_grid_goes_on(xp, monkeypatch):
    monkeypatch.setattr(launchers, "blocks", lambda n: 2)
    x = array((3, 5, 12, 10), "f4")
    plan = Plan("max_pool2d", x.shape, 2, 1, 1, 1, False)
    values, places = launchers.max_pool(xp, xp.from_host(x), plan)
    same(values, max_pool._max_forward(np, x, plan)[0])
    back = launchers.max_pool_backward(xp, values, places, x.shape, plan)
    wanted = max_pool.add_at_places(to_host(values).astype("f8"), to_host(places), x.shape)
    close(back, wanted)


def test_declined(xp):
    """Integers, and gradients of another dtype, are the body's."""
    whole = xp.from_host(np.arange(16).reshape(1, 4, 4))
    plan = Plan("max_pool2d", (1, 4, 4), 2, 2, 0, 1, False)
    assert launchers.max_pool(xp, whole, plan) is NotImplemented
    assert launchers.max_blocks(xp, whole, (2, 2)) is NotImplemented
    assert launchers.avg_pool(xp, whole, plan, True, None) is NotImplemented
    x = xp.from_host(array((1, 4, 4), "f4"))
    best = launchers.max_blocks(xp, x, (2, 2))
    g = best.astype(np.float64)
    assert launchers.max_blocks_backward(xp, g, x, best, (2, 2)) is NotImplemented
