"""Batch norm: the kernels on the stand-in against the bodies."""

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu import nn
from autograd_gpu._ops.batch_norm import _batch_norm
from autograd_gpu.testing import standin

from .beside import (
    assert_near,
    every_dtype,
    every_way,
    exact,
    launched,
    normal,
    stand_in,
    to_host,
    widened,
)  # fmt: skip
from .cases import DTYPES, WIDE, bodies

# columns of few and of many samples, single elements, rows short and long, in several ranges
SHAPES = [
    (4, 3), (300, 5), (140, 33), (5, 2, 7), (130, 3, 2), (2, 3, 40), (3, 2, 33), (2, 2, 60, 64),
    (1, 6, 1, 9000), (3, 1),
]  # fmt: skip
BOTH = ["batch's", "fixed"]


def forward(*args):
    with np.errstate(all="ignore"):
        return _batch_norm.op.forward(np, *(widened(a) for a in args))


def arguments(shape, dtype, statistics="batch's", parameters=True, other=None):
    """(x, w, b, fixed mean, fixed variance, eps)"""
    c = shape[1]
    w, b = (normal(c, other or dtype, k) if parameters else None for k in (1, 2))
    fixed = [None, None]
    if statistics == "fixed":
        fixed = [normal(c, dtype, 3), abs(normal(c, dtype, 4)) + DTYPES[dtype].type(0.5)]
    return [normal(shape, dtype, shift=1.0), w, b, *fixed, 1e-5]


def check(args, dtype, wanted=(True, True, True)):
    """The forward, and the backward from the statistics that it should have kept."""
    found, right = launched("batch_norm", *args), forward(*args)
    assert [a.dtype for a in found] == [DTYPES[dtype], WIDE[dtype], WIDE[dtype]]
    assert_near(found, right, dtype)
    x, w, _, fixed = args[:4]
    kept = [s.astype(WIDE[dtype]) for s in right[1:]]
    given = [normal(x.shape, dtype, 5), x, w, *kept, fixed is not None, 1e-5, wanted]
    gradients = launched("batch_norm_backward", *given)
    assert_near(gradients, exact("batch_norm_backward", *given), dtype, 4)
    return found


@every_dtype
@pytest.mark.parametrize("statistics", BOTH)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shapes(shape, statistics, dtype):
    with stand_in():
        check(arguments(shape, dtype, statistics), dtype)


@every_way
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("shape", [(140, 3), (5, 2, 7), (2, 3, 40), (9, 2, 64)], ids=str)
def test_any_schedule_and_watched(shape, dtype, how):
    with stand_in(how):
        for statistics in BOTH:
            check(arguments(shape, dtype, statistics), dtype)


@pytest.mark.parametrize("shape", [(6, 4), (2, 3, 36)], ids=str)
@pytest.mark.parametrize("statistics", BOTH)
def test_what_is_wanted(shape, statistics):
    with stand_in():
        args = arguments(shape, "float64", statistics, parameters=False)
        check(args, "float64", (True, False, False))
        args = arguments(shape, "float64", statistics)
        for wanted in [(False, True, False), (False, False, True), (True, False, True)]:
            check(args, "float64", wanted)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_input_with_float_parameters(dtype):
    with stand_in():
        for shape in [(4, 3), (2, 3, 64)]:
            check(arguments(shape, dtype, other="float32"), dtype)


def test_any_address_and_strides():
    with stand_in() as xp:
        args = arguments((2, 3, 40), "float32")
        x = args[0]
        shifted = xp.empty(x.size + 1, x.dtype)[1:].reshape(x.shape)
        shifted[...] = xp.asarray(x)
        crossed = xp.asarray(np.ascontiguousarray(x.T)).T
        for each in (shifted, crossed):
            assert_near(launched("batch_norm", each, *args[1:]), forward(*args), "float32")


@pytest.mark.parametrize("shape", [(9, 4), (2, 4, 50)], ids=str)
def test_special_values_stay_in_their_channel(shape):
    with stand_in():
        args = arguments(shape, "float32")
        args[0][1, 1], args[0][0, 2] = np.nan, np.inf
        out, mean, _ = check(args, "float32")
        assert np.isnan(out[:, 1]).all() and np.isfinite(out[:, [0, 3]]).all()
        assert np.isinf(mean[2])


@pytest.mark.parametrize("shape", [(300, 2), (40, 2, 300)], ids=str)
def test_variance_far_from_zero(shape):
    """Ranges are joined by their means, not by sums of squares."""
    with stand_in():
        x = normal(shape, "float32", shift=4096.0)
        args = [x, None, None, None, None, 1e-5]
        assert_near(launched("batch_norm", *args)[2], forward(*args)[2], "float32", 20)


def test_launches():
    """One range a channel needs no second step; the same sums come out every time."""
    with stand_in():
        for shape, steps in [((100, 4), 2), ((2, 4, 40), 2), ((300, 4), 3), ((64, 4, 80), 3)]:
            args = arguments(shape, "float32")
            with standin.launches() as seen:
                first = launched("batch_norm", *args)
            assert len(seen) == steps
            with standin.running(schedule="random", seed=4):
                again = launched("batch_norm", *args)
            assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


@every_dtype
@every_way
def test_running_statistics(dtype, how):
    with stand_in(how) as xp:
        made = [normal(40, dtype, k) for k in range(2)]
        batch = [normal(40, dtype, k).astype(WIDE[dtype]) for k in (2, 3)]
        for running in ([0, 1], [0]):
            wide = [widened(made[k]) if k in running else None for k in range(2)]
            bodies()["batch_norm_update"](*wide, *map(widened, batch), 0.3, 1.25)
            arrays = [xp.asarray(made[k]) if k in running else None for k in range(2)]
            given = [xp.asarray(b) for b in batch]
            assert launched("batch_norm_update", *arrays, *given, 0.3, 1.25) is None
            assert_near(to_host(arrays), wide, dtype)


def test_declines():
    with stand_in():
        x = normal((4, 3), "float32")
        c = x[0]
        nothing = [None] * 4
        refused = [
            ("batch_norm", [x[:0], *nothing, 1e-5]),
            ("batch_norm", [x.astype("i8"), *nothing, 1e-5]),
            ("batch_norm", [x, c.astype("f8"), *nothing[1:], 1e-5]),
            ("batch_norm_backward", [x.astype("f8"), x, None, c, c, False, 1e-5, (True,) * 3]),
            ("batch_norm_update", [c.astype("f8"), None, c, c, 0.1, 1.0]),
            ("batch_norm_update", [c, c.astype("f2"), c, c, 0.1, 1.0]),
        ]
        for name, args in refused:
            assert launched(name, *args) is NotImplemented, name


@pytest.mark.parametrize("shape", [(6, 4), (2, 4, 6, 6)], ids=str)
def test_module(shape):
    """Two steps of training and one of evaluation are the CPU's, buffers and gradients too."""

    def run(device):
        layer = (nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d)(4).to(device)
        x = ag.tensor(normal(shape, "float32"), device=device, requires_grad=True)
        before = layer.running_mean._version
        for _ in range(2):
            out = layer(x)
            (out * out * out).sum().backward()
        out = layer.eval()(x * 2)
        (out * out).sum().backward()
        writes = layer.running_mean._version - before
        made = [out, x.grad, *(p.grad for p in layer.parameters()), *layer.buffers()]
        return writes, [t.detach().cpu().numpy() for t in made]

    writes, right = run("cpu")
    with stand_in(), standin.launches() as seen:
        same, found = run("cuda")
    names = {launch.name.partition("<")[0] for launch in seen}
    assert {"ag::batch_norm_update"} < names and writes == same == 2
    assert_near(found, right, "float32", 4)


def test_instance_norm():
    x = normal((2, 3, 50), "float32")
    right = ag.nn.functional.instance_norm(ag.tensor(x)).numpy()
    with stand_in(), standin.launches() as seen:
        found = ag.nn.functional.instance_norm(ag.tensor(x, device="cuda")).cpu().numpy()
    assert "ag::batch_norm_rows" in seen[0].name
    assert_near(found, right, "float32")
