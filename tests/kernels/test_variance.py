"""Variances and lengths of vectors on the stand-in against the bodies in double."""

import warnings

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._cuda import variance
from autograd_gpu._ops import norms
from autograd_gpu._ops import variance as bodies
from autograd_gpu.testing import standin

from .beside import assert_near, every_run, exact, launched, stand_in, to_host, widened
from .launched import FLOATS, array

CASES = [
    ((70, 33), 1), ((70, 33), 0), ((5, 6, 7, 2), (0, 2)), ((3, 300), -1), ((600,), None),
    ((2, 1, 9), 2), ((129, 4, 2), 0), ((4, 2), (0, 1)),
]  # fmt: skip
FORWARD = {
    "var": bodies._var, "std": bodies._std, "var_mean": bodies._var_mean,
    "std_mean": bodies._std_mean,
}  # fmt: skip
every_name = pytest.mark.parametrize("name", FORWARD)


def forward(op, *args):
    with np.errstate(all="ignore"):
        return op.op.forward(np, *(widened(a) for a in args))


@every_run
@every_name
def test_moments(name, dtype, how):
    with stand_in(how):
        for k, (shape, dim) in enumerate(CASES):
            x = np.asarray(array(shape, "f8") + 3).astype(FLOATS[dtype])
            options = dim, k % 2, k % 3 == 0
            assert_near(launched(name, x, *options), forward(FORWARD[name], x, *options), dtype, 2)


@every_run
def test_backward(dtype, how):
    with stand_in(how):
        for k, (shape, dim) in enumerate(CASES):
            x = np.asarray(array(shape, "f8") + 3).astype(FLOATS[dtype])
            keepdim = k % 3 == 0
            g = array(np.shape(widened(x).var(dim, keepdims=keepdim)), FLOATS[dtype], 1)
            given = g, x, dim, k % 2, keepdim
            found = launched("var_backward", *given)
            assert found.dtype == x.dtype
            assert_near(found, exact("var_backward", *given), dtype)


def test_large_means_cost_no_digits():
    x = np.float32(4096) + array((50, 300), "f4")
    with stand_in():
        assert_near(launched("var", x, 1, 1, False), widened(x).var(1, ddof=1), "float32")
        assert_near(launched("var", x, 0, 1, False), widened(x).var(0, ddof=1), "float32")


@every_name
def test_special_values(name):
    x = array((5, 40), "f4")
    x[0, 3], x[1, 5], x[2, 7], x[3, :], x[4, 0] = np.nan, np.inf, -np.inf, 2.5, 1e15
    with stand_in():
        for dim, each in ((1, x), (0, np.ascontiguousarray(x.T))):
            found = launched(name, each, dim, 1, False)
            wanted = forward(FORWARD[name], each, dim, 1, False)
            if "mean" in name:  # an infinite mean may come as NaN: the variance is NaN in any case
                keep = np.isfinite(each).all(dim)
                found, wanted = [a[keep] for a in found], [a[keep] for a in wanted]
            assert_near(found, wanted, "float32")


def test_declines_what_the_body_does():
    """Too few elements (of which it warns), integers, few long lanes, other types beside."""
    x = np.ones((3, 1), np.float32)
    with stand_in():
        assert launched("var", x, 1, 1, False) is NotImplemented
        assert launched("var", x[:0], 0, 1, False) is NotImplemented
        assert launched("std", np.ones((2, 2), np.int64), 1, 1, False) is NotImplemented
        assert launched("var", np.ones(1 << 17, np.float32), 0, 1, False) is NotImplemented
        given = np.ones(3), np.ones((3, 4), np.float32), 1, 1, False
        assert launched("var_backward", *given) is NotImplemented
        with pytest.warns(UserWarning, match="degrees of freedom"):
            ag.ones(3, 1, device="cuda").var(1)


def test_any_strides():
    x = array((6, 9, 5), "f4")
    with stand_in() as xp:
        device = standin.asarray(x).transpose(2, 0, 1)[:, ::2]
        host = widened(x).transpose(2, 0, 1)[:, ::2]
        assert_near(to_host(variance.var(xp, device, 1, 0, False)), host.var(1), "float32")
        g = array((5, 9), "f4")
        found = to_host(variance.var_backward(xp, standin.asarray(g), device, 1, 0, False))
        assert_near(found, exact("var_backward", g, host, 1, 0, False), "float32")


def test_one_launch_each():
    with stand_in():
        x = ag.randn(64, 100, device="cuda", requires_grad=True)
        for function in (ag.var, ag.std, ag.var_mean, ag.std_mean):
            with standin.launches() as seen:
                function(x, 1)
            assert len(seen) == 1
        y = x.var(1)
        with standin.launches() as seen:
            ag.autograd.grad(y, x, ag.ones(64, device="cuda"))
        assert [launch.name for launch in seen[-1:]] == ["ag::var_backward<ag::Rows, float>"]


# ---- lengths


@every_run
def test_lengths(dtype, how):
    with stand_in(how):
        for shape, dim in CASES:
            x = array(shape, FLOATS[dtype])
            given = x, 2.0, dim, len(shape) % 2 == 0
            wanted = forward(norms._vector_norm, *given)
            assert_near(launched("vector_norm", *given), wanted, dtype)


@every_run
def test_gradients_of_lengths(dtype, how):
    with stand_in(how), warnings.catch_warnings():
        for shape, dim in CASES:
            x = array(shape, FLOATS[dtype])
            x.flat[: x.shape[-1]] = 0
            y = np.asarray(forward(norms._vector_norm, x, 2.0, dim)).astype(x.dtype)
            g = array(y.shape, FLOATS[dtype], 1)
            given = g, x, y, 2.0, dim, False
            assert_near(launched("norm_backward", *given), exact("norm_backward", *given), dtype)


@pytest.mark.parametrize("dtype", FLOATS)
def test_long_vectors(dtype):
    """The length of the lengths of parts; halves keep the squares in float."""
    x = np.full(1 << 17, 200, FLOATS[dtype])
    with stand_in(), standin.launches() as seen:
        found = launched("vector_norm", x.reshape(2, -1), 2, 1)
        assert len(seen) == 2
        assert_near(found, np.full(2, float(x[0]) * 256), dtype)
        y = found
        back = launched("norm_backward", np.ones(2, x.dtype), x.reshape(2, -1), y, 2, 1, False)
        assert_near(back, np.full((2, 1 << 16), 1 / 256), dtype)


def test_declines_other_orders():
    x = np.ones(3, np.float32)
    with stand_in():
        for p in (0, 1, 3.5, np.inf):
            assert launched("vector_norm", x, p, 0) is NotImplemented
            assert launched("norm_backward", x[0:1], x, x[0:1], p, 0, True) is NotImplemented
