"""Gradients at kinks, ties, bounds and zeros: PyTorch's choice of subgradient at each, on both devices."""

import numpy as np
import pytest

import autograd_gpu as ag

from .agree import agree, leaf

INF, NAN = float("inf"), float("nan")

KINKS = {
    # what: (function, values, the gradient, where it is known by heart)
    "relu": (lambda t, x: t.relu(x), [-1.0, 0.0, 1.0, NAN], [0, 0, 1, 1]),
    "abs": (lambda t, x: x.abs(), [-2.0, 0.0, -0.0, 3.0], [-1, 0, 0, 1]),
    "sign": (lambda t, x: x.sign(), [-2.0, 0.0], [0, 0]),
    "amax shares evenly": (lambda t, x: x.amax(), [3.0, 3.0, 1.0], [0.5, 0.5, 0]),
    "amin shares evenly": (lambda t, x: x.amin(0), [1.0, 3.0, 1.0], [0.5, 0, 0.5]),
    "max(dim) takes the first": (lambda t, x: x.max(0)[0], [1.0, 3.0, 3.0], [0, 1, 0]),
    "min(dim) takes the first": (lambda t, x: x.min(0)[0], [3.0, 1.0, 1.0], [0, 1, 0]),
    "max() shares evenly": (lambda t, x: x.max(), [1.0, 3.0, 3.0], [0, 0.5, 0.5]),
    "min() shares evenly": (lambda t, x: x.min(), [1.0, 1.0, 3.0], [0.5, 0.5, 0]),
    "median() shares evenly": (lambda t, x: x.median(), [2.0, 1.0, 2.0, 5.0, 2.0], [1 / 3, 0, 1 / 3, 0, 1 / 3]),
    "median(dim) takes one": (lambda t, x: x.median(0)[0], [2.0, 1.0, 2.0], None),
    "maximum of equals": (lambda t, x: t.maximum(x, t.zeros_like(x)), [-1.0, 0.0, 1.0], [0, 0.5, 1]),
    "minimum of equals": (lambda t, x: t.minimum(x, t.zeros_like(x)), [-1.0, 0.0, 1.0], [1, 0.5, 0]),
    "fmax of equals": (lambda t, x: t.fmax(x, t.zeros_like(x)), [0.0, 1.0], [1, 1]),
    "norm": (lambda t, x: x.norm(), [0.0, 0.0], [0, 0]),
    "norm 1": (lambda t, x: x.norm(p=1), [0.0, 2.0], [0, 1]),
    "norm 3": (lambda t, x: x.norm(p=3), [0.0, 0.0], [0, 0]),
    "norm inf": (lambda t, x: x.norm(p=INF), [2.0, -2.0, 1.0], [0.5, -0.5, 0]),
    "norm of a dimension": (lambda t, x: x.reshape(2, 2).norm(dim=1), [0.0, 0.0, 3.0, 4.0], [0, 0, 0.6, 0.8]),
    "clamp at a bound": (lambda t, x: x.clamp(0.0, 1.0), [-1.0, 0.0, 0.5, 1.0, 2.0, NAN], [0, 1, 1, 1, 0, 0]),
    "clamp_min at a bound": (lambda t, x: x.clamp_min(0.0), [0.0, 1.0], [1, 1]),
    "hardtanh at a bound": (lambda t, x: t.nn.functional.hardtanh(x), [-1.0, 0.0, 1.0], [0, 1, 0]),
    "relu6 at a bound": (lambda t, x: t.nn.functional.relu6(x), [0.0, 3.0, 6.0], [0, 1, 0]),
    "leaky_relu": (lambda t, x: t.nn.functional.leaky_relu(x, 0.1), [-1.0, 0.0, 1.0], [0.1, 0.1, 1]),
    "elu": (lambda t, x: t.nn.functional.elu(x), [-0.0, 0.0, 1.0], None),
    "sqrt": (lambda t, x: x.sqrt(), [0.0, 4.0], [INF, 0.25]),
    "rsqrt": (lambda t, x: x.rsqrt(), [0.0], [-INF]),
    "pow 0.5": (lambda t, x: x**0.5, [0.0], [INF]),
    "pow 0": (lambda t, x: x**0, [0.0, 2.0], [0, 0]),
    "log": (lambda t, x: x.log(), [0.0], [INF]),
    "prod, one zero": (lambda t, x: x.prod(), [0.0, 2.0, 3.0], [6, 0, 0]),
    "prod, two zeros": (lambda t, x: x.prod(), [0.0, 2.0, 0.0], [0, 0, 0]),
    "prod of a dimension": (lambda t, x: x.reshape(2, 2).prod(0), [0.0, 2.0, 3.0, 4.0], [3, 4, 0, 2]),
    "cumprod": (lambda t, x: x.cumprod(0), [2.0, 0.0, 3.0], [1, 8, 0]),
    "std": (lambda t, x: x.std(), [2.0, 2.0], None),
    "l1_loss": (lambda t, x: t.nn.functional.l1_loss(x, t.zeros_like(x), reduction="none"), [0.0, -1.0], [0, -1]),
    "smooth_l1_loss": (lambda t, x: t.nn.functional.smooth_l1_loss(x, t.zeros_like(x), reduction="none"), [-1.0, 0.0, 1.0], [-1, 0, 1]),
    "round": (lambda t, x: x.round(), [0.5, 1.5], [0, 0]),
    "xlogy": (lambda t, x: t.xlogy(x, x), [0.0, 1.0], None),
    "atan2": (lambda t, x: t.atan2(x, t.zeros_like(x)), [1.0, -1.0], None),
    "logsumexp of -inf": (lambda t, x: t.logsumexp(x, 0), [-INF, 0.0], [0, 1]),
    "cummax takes the last": (lambda t, x: x.cummax(0)[0], [1.0, 1.0, 0.0], [1, 2, 0]),
    "topk": (lambda t, x: x.topk(2)[0], [3.0, 3.0, 3.0], None),
    "sort": (lambda t, x: x.sort()[0] * t.arange(3).to(x.dtype), [2.0, 2.0, 1.0], None),
    "remainder": (lambda t, x: t.remainder(x, 3.0), [-4.0, 3.0], [1, 1]),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("what", KINKS)
@agree
def test_values_and_gradients(t, what, dtype):
    function, values, known = KINKS[what]
    x = leaf(t, values, dtype)
    y = function(t, x)
    (g,) = t.autograd.grad(y.sum(), x)
    if known is not None:
        assert np.allclose(g.tolist(), known, 1e-6, equal_nan=True), (g, known)
    return y, g


def test_hypot_has_the_smallest_subgradient():
    """0, as every norm at 0; PyTorch has NaN."""
    x, y = leaf(ag, [0.0]), leaf(ag, [0.0])
    assert [g.tolist() for g in ag.autograd.grad(ag.hypot(x, y).sum(), (x, y))] == [[0.0], [0.0]]


@agree
def test_second_derivatives_at_kinks(t):
    """Straight pieces have 0; a recorded gradient can be differentiated again."""
    results = []
    for what in ("relu", "abs", "clamp at a bound", "hardtanh at a bound", "leaky_relu", "prod, one zero", "maximum of equals"):
        function, values, _ = KINKS[what]
        x = leaf(t, values[:3])
        (g,) = t.autograd.grad((function(t, x) * x).sum(), x, create_graph=True)
        results += t.autograd.grad(g.sum(), x)
    return results
