"""Layer norm, RMS norm and group norm: the kernels on the stand-in against the bodies."""

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._ops import normalize
from autograd_gpu._ops.group_norm import _group_norm
from autograd_gpu.testing import standin

from .beside import (
    assert_near,
    every_dtype,
    every_way,
    exact,
    launched,
    normal,
    stand_in,
    widened,
)  # fmt: skip
from .cases import DTYPES, WIDE

SHAPES = [(3, 5), (9, 8), (1, 1), (2, 601), (3, 1100), (1, 8300), (100, 3)]
FORWARD = {
    "layer_norm": normalize._layer_norm, "rms_norm": normalize._rms_norm,
    "group_norm": _group_norm,
}  # fmt: skip
every_kind = pytest.mark.parametrize("kind", ["layer_norm", "rms_norm"])


def forward(name, *args):
    """What the plain forward gives, computed in double."""
    with np.errstate(all="ignore"):
        return FORWARD[name].op.forward(np, *(widened(a) for a in args))


def arguments(kind, shape, dtype, parameters="both", other=None):
    """(x, w, b, ...) of the forward, over the last dimension."""
    kinds = other or dtype
    w = normal(shape[-1:], kinds, 1) if parameters != "none" else None
    b = normal(shape[-1:], kinds, 2) if parameters == "both" else None
    x = normal(shape, dtype)
    return [x, w, 1, 1e-5] if kind == "rms_norm" else [x, w, b, shape[-1:], 1e-5]


def check_forward(kind, args, dtype):
    found, wanted = launched(kind, *args), forward(kind, *args)
    assert found[0].dtype == DTYPES[dtype]
    statistics = DTYPES[dtype] if kind == "rms_norm" else WIDE[dtype]
    assert {s.dtype for s in found[1:]} == {statistics}
    assert_near(found, wanted, dtype)
    return found


def check_backward(kind, args, dtype, wanted):
    """The gradients, given the statistics that the forward kept."""
    x, w = args[:2]
    kept = [s.astype(WIDE[dtype]) for s in forward(kind, *args)[1:]]
    if kind == "rms_norm":
        kept = [s.astype(x.dtype) for s in kept]
    size = args[-2]
    given = [normal(x.shape, dtype, 5), x, w, *kept, size]
    name = kind + "_backward"
    wanted = wanted[:2] if kind == "rms_norm" else wanted
    assert_near(launched(name, *given, wanted), exact(name, *given, wanted), dtype, 4)


@every_kind
@every_dtype
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rows(kind, dtype, shape):
    with stand_in():
        args = arguments(kind, shape, dtype)
        check_forward(kind, args, dtype)
        check_backward(kind, args, dtype, (True, True, True))


@every_way
@every_kind
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_any_schedule_and_watched(kind, dtype, how):
    for shape in [(11, 7), (3, 520), (70, 4)]:
        with stand_in(how):
            args = arguments(kind, shape, dtype)
            check_forward(kind, args, dtype)
            check_backward(kind, args, dtype, (True, True, True))


@every_kind
@pytest.mark.parametrize("parameters", ["none", "weight", "both"])
def test_missing_parameters(kind, parameters):
    with stand_in():
        args = arguments(kind, (4, 6), "float64", parameters)
        check_forward(kind, args, "float64")
        has = parameters != "none"
        for wanted in [(True, False, False), (True, has, has), (False, has, False)]:
            check_backward(kind, args, "float64", wanted)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_input_with_float_parameters(dtype):
    with stand_in():
        args = arguments("layer_norm", (5, 24), dtype, other="float32")
        check_forward("layer_norm", args, dtype)
        check_backward("layer_norm", args, dtype, (True, True, True))


@every_kind
def test_any_address_and_strides(kind):
    """Off a vector's boundary, and not contiguous."""
    with stand_in() as xp:
        args = arguments(kind, (6, 8), "float32")
        x = args[0]
        shifted = xp.empty(x.size + 1, x.dtype)[1:].reshape(x.shape)
        shifted[...] = xp.asarray(x)
        crossed = xp.asarray(np.ascontiguousarray(x.T)).T
        for each in (shifted, crossed):
            assert_near(launched(kind, each, *args[1:]), forward(kind, *args), "float32")


@every_kind
def test_special_values_stay_in_their_row(kind):
    with stand_in():
        args = arguments(kind, (4, 40), "float32")
        args[0][1, 3], args[0][2, 7] = np.nan, np.inf
        found = check_forward(kind, args, "float32")[0]
        assert np.isnan(found[1]).all() and np.isfinite(found[[0, 3]]).all()


def test_variance_far_from_zero():
    """Deviations are taken from the mean, not squares from squares."""
    with stand_in():
        x = normal((2, 700), "float32", shift=4096.0)
        args = [x, None, None, (700,), 1e-5]
        assert_near(launched("layer_norm", *args), forward("layer_norm", *args), "float32", 20)


def test_sums_over_rows_are_the_same_every_time():
    with stand_in():
        x, g = normal((300, 40), "float32"), normal((300, 40), "float32", 1)
        mean, rstd = forward("layer_norm", x, None, None, (40,), 1e-5)[1:]
        given = [g, x, None, mean.astype("f4"), rstd.astype("f4"), (40,), (False, True, True)]
        first = launched("layer_norm_backward", *given)
        with standin.running(schedule="random", seed=9), standin.launches() as seen:
            again = launched("layer_norm_backward", *given)
        assert [np.array_equal(a, b) for a, b in zip(first[1:], again[1:], strict=True)] == [1, 1]
        assert [launch.name.partition("<")[0] for launch in seen] == [
            "ag::norm_columns", "ag::norm_finish",
        ]  # fmt: skip


# ---- groups

GROUPS = [
    ((2, 10), 2), ((2, 4, 3), 2), ((3, 6, 8), 3), ((2, 4), 4), ((1, 2, 19, 31), 1), ((2, 6, 300), 2),
]  # fmt: skip


@every_way
@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
@pytest.mark.parametrize("shape, groups", GROUPS, ids=str)
def test_groups(shape, groups, dtype, how):
    if how != "plain" and np.prod(shape) > 1000:
        shape = (*shape[:-1], 20)
    with stand_in(how):
        channels = shape[1]
        w, b = normal(channels, dtype, 1), normal(channels, dtype, 2)
        args = [normal(shape, dtype), w, b, groups, 1e-5]
        check_forward("group_norm", args, dtype)
        kept = [s.astype(WIDE[dtype]) for s in forward("group_norm", *args)[1:]]
        given = [normal(shape, dtype, 5), args[0], w, *kept, groups]
        for wanted in [(True, True, True), (False, True, False), (True, False, False)]:
            found = launched("group_norm_backward", *given, wanted)
            assert_near(found, exact("group_norm_backward", *given, wanted), dtype, 4)


# ---- what has no kernel, and the way through the table


def test_declines():
    with stand_in():
        x, w = normal((2, 4), "float32"), normal(4, "float64")
        refused = [
            ("layer_norm", [x, w, None, (4,), 1e-5]),
            ("layer_norm", [x[:0], None, None, (4,), 1e-5]),
            ("layer_norm", [x.astype("i4"), None, None, (4,), 1e-5]),
            ("rms_norm", [normal((2, 4), "float16"), x[0], 1, 1e-5]),
            ("group_norm", [x[:, :0], None, None, 1, 1e-5]),
            ("layer_norm_backward", [x.astype("f8"), x, None, x[:, :1], x[:, :1], (4,), (1, 0, 0)]),
        ]
        for name, args in refused:
            assert launched(name, *args) is NotImplemented, name


CALLS = {
    "layer_norm": lambda x, w, b: ag.layer_norm(x, (6,), w, b),
    "rms_norm": lambda x, w, b: ag.rms_norm(x, (6,), w) + b,
    "group_norm": lambda x, w, b: ag.group_norm(x, 3, w, b),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("create_graph", [False, True], ids=["raw", "recorded"])
def test_through_the_table(name, create_graph):
    """Values and gradients are the CPU's; the backward kernels run while nothing is recorded."""

    def gradients(device):
        leaves = [
            ag.tensor(normal(shape, "float32", k), device=device, requires_grad=True)
            for k, shape in enumerate([(5, 6), (6,), (6,)])
        ]
        out = CALLS[name](*leaves)
        made = ag.autograd.grad((out * out * out).sum(), leaves, create_graph=create_graph)
        return [t.detach().cpu().numpy() for t in (out, *made)]

    right = gradients("cpu")
    with stand_in(), standin.launches() as seen:
        found = gradients("cuda")
    names = " ".join(launch.name for launch in seen)
    assert "ag::norm_rows" in names and ("ag::norm_backward_rows" in names) is not create_graph
    assert_near(found, right, "float32", 4)
