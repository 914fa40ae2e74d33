"""The kernels of dropout against their bodies: the product with the noise, bit for bit."""

import numpy as np
import pytest

from autograd_gpu._core.manifest import FLOATS, KERNELS
from autograd_gpu._core.random.choices import keep_factor
from autograd_gpu._ops.dropout import _native_dropout, dropout_backward

from .cases import DTYPES

pytestmark = [
    pytest.mark.parametrize("checked", [False, True], ids=["plain", "checked"]),
    pytest.mark.parametrize("dtype", FLOATS),
]
LENGTHS = [1, 3, 4, 70, 333]
SEED, COUNTER = 99, 2**32 - 3


@pytest.fixture
def forward(compiled, checked, dtype):
    """forward(x, p) -> (y, mask)"""
    row = KERNELS["dropout"]
    module = compiled("random.cu", instances(dtype), checked)

    def run(x, p, schedule="forward", y=None):
        y, mask = np.full_like(x, np.nan) if y is None else y, np.empty(x.shape, bool)
        sizes = np.int64(x.size), np.uint64(SEED), np.uint64(COUNTER)
        limit, s = np.uint64(round((1 - p) * 2**32)), number(dtype)(keep_factor(p, x.dtype))
        function = module.get_function(row.spell("", dtype))
        function((2,), (32,), (x, y, mask, *sizes, limit, s), schedule=schedule, seed=1)
        return y, mask

    return run


def instances(dtype):
    return [KERNELS[name].spell("", dtype) for name in ("dropout", "dropout_backward")]


def number(dtype):
    return np.float64 if dtype == "float64" else np.float32


def values(n, dtype):
    return np.random.default_rng(n).standard_normal(n).astype(DTYPES[dtype])


def body(x, p):
    with np.errstate(all="ignore"):
        return _native_dropout.op.forward(np, x, p, SEED, COUNTER)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.999])
def test_forward(forward, dtype, p):
    for n in LENGTHS:
        x = values(n, dtype)
        for found, wanted in zip(forward(x, p), body(x, p), strict=True):
            assert found.tobytes() == wanted.tobytes()


def test_infinite_and_not_a_number(forward, dtype):
    """What is dropped is multiplied with 0, as everywhere."""
    x = np.resize([np.inf, -np.inf, np.nan, -0.0, 1.0], 60).astype(DTYPES[dtype])
    y, mask = forward(x, 0.5)
    wanted, _ = body(x, 0.5)
    np.testing.assert_array_equal(y.astype(float), wanted.astype(float))
    assert np.isnan(y[~mask & np.isinf(x.astype(float))].astype(float)).all()


@pytest.mark.parametrize("schedule", ["reverse", "random"])
def test_any_schedule_and_over_the_input(forward, dtype, schedule):
    x = values(333, dtype)
    wanted, mask = body(x, 0.3)
    y, found = forward(x, 0.3, schedule, y=x)
    assert y.tobytes() == wanted.tobytes() and found.tolist() == mask.tolist()


def test_off_a_pack_boundary(forward, dtype):
    x = values(50, dtype)[1:41]
    y, _ = forward(x, 0.5, y=np.empty(43, DTYPES[dtype])[3:])
    assert y.tobytes() == body(x, 0.5)[0].tobytes()


def test_backward(compiled, checked, dtype):
    row = KERNELS["dropout_backward"]
    module = compiled("random.cu", instances(dtype), checked)
    for n in LENGTHS:
        g, mask = values(n, dtype), np.arange(n) % 3 == 0
        g[:1] = np.inf
        out, s = np.full_like(g, np.nan), number(dtype)(keep_factor(0.3, g.dtype))
        function = module.get_function(row.spell("", dtype))
        function((2,), (32,), (g, mask, out, np.int64(n), s), schedule="random")
        with np.errstate(all="ignore"):
            wanted = dropout_backward(g, mask, 0.3)
        np.testing.assert_array_equal(out.astype(float), wanted.astype(float))
