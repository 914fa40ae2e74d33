"""The elementary functions of the Philox streams: accuracy, ends of the range, special values."""

import numpy as np
import pytest

from autograd_gpu._core.random.elementary import exp_of, log_of, turn

both = pytest.mark.parametrize("dtype", [np.float32, np.float64])
PI = np.longdouble("3.14159265358979323846264338327950288")


def ulps(found, exact):
    spacing = np.spacing(np.abs(found)).astype(np.longdouble)
    return float(np.max(np.abs(found.astype(np.longdouble) - exact) / spacing))


def spread(n, dtype):
    return np.random.default_rng(n).random(n).astype(dtype)


@both
def test_log(dtype):
    x = np.concatenate([
        spread(100_000, dtype)[1:], np.exp2(-60 * spread(50_000, dtype)).astype(dtype),
        1 - spread(50_000, dtype) / dtype(1000), dtype(2.0) ** np.arange(-60, 60, dtype=dtype),
    ])  # fmt: skip
    x = x[(x > 0) & (x != 1)]
    assert ulps(log_of(x), np.log(x.astype(np.longdouble))) < 1
    assert log_of(np.ones(1, dtype))[0] == 0


@both
def test_sine_and_cosine(dtype):
    w = 2 * spread(200_000, dtype) - 1
    sine, cosine = turn(np, w)
    angle = 2 * PI * w.astype(np.longdouble)
    unit = np.finfo(dtype).eps
    assert np.abs(sine - np.sin(angle)).max() < unit
    assert np.abs(cosine - np.cos(angle)).max() < unit
    near = np.abs(w) < 0.1  # relative to small values, too
    assert ulps(sine[near], np.sin(angle[near])) < 2


@both
def test_quarters_of_a_turn_are_exact(dtype):
    sine, cosine = turn(np, np.arange(-4, 5).astype(dtype) / 4)
    assert sine.tolist() == [0, 1, 0, -1, 0, 1, 0, -1, 0]
    assert cosine.tolist() == [1, 0, -1, 0, 1, 0, -1, 0, 1]


@both
def test_exp(dtype):
    x = (170 * spread(200_000, dtype) - 85).astype(dtype)
    assert ulps(exp_of(np, x), np.exp(x.astype(np.longdouble))) < 1.5


@both
def test_exp_at_the_ends(dtype):
    with np.errstate(over="ignore"):
        y = exp_of(np, np.array([np.inf, 5000, -np.inf, -5000, np.nan, 0], dtype))
    assert y[:4].tolist() == [np.inf, np.inf, 0, 0] and np.isnan(y[4]) and y[5] == 1
