"""The kernels of softmax.cu against their bodies: rows, columns, every type and schedule."""

import numpy as np
import pytest

from autograd_gpu._core.manifest import KERNELS

from .cases import DTYPES, assert_same, expected, instances, normal

NAMES = [name for name, kernel in KERNELS.items() if kernel.file == "softmax.cu"]
pytestmark = [
    pytest.mark.parametrize("name", NAMES),
    pytest.mark.parametrize("checked", [False, True], ids=["plain", "checked"]),
]
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


@pytest.fixture
def module(compiled, name, checked):
    return compiled(KERNELS[name].file, instances(name), checked)


def outputs(name, shape, dtype):
    """(g, y): y as the forward would give it along dimension 1."""
    x = np.random.default_rng(1).standard_normal(shape)
    y = np.exp(x) / np.exp(x).sum(1, keepdims=True) if x.size else x
    return normal(shape, dtype), (np.log(y) if "log" in name else y).astype(DTYPES[dtype])


def run(module, name, dtype, g, y, schedule="forward", by_columns=False):
    outer, size, inner = (np.int64(n) for n in g.shape)
    out = np.full_like(g, np.nan)
    kernel = KERNELS[name]
    if inner == 1 and not by_columns:
        call, sizes = kernel.spell("rows", dtype), (outer, size)
    else:
        call, sizes = kernel.spell("columns", dtype), (outer, size, inner)
    module.get_function(call)((2,), (64,), (g, y, out, *sizes), schedule=schedule, seed=5)
    return out


@every_dtype
@pytest.mark.parametrize("shape", [(5, 100, 1), (3, 1, 1), (2, 33, 1), (0, 4, 1), (3, 0, 1)])
def test_rows(module, name, dtype, shape):
    g, y = outputs(name, shape, dtype)
    wanted = expected(name, dtype, [g, y, 1])
    assert_same(run(module, name, dtype, g, y), wanted, dtype)
    assert_same(run(module, name, dtype, g, y, by_columns=True), wanted, dtype)


@every_dtype
@pytest.mark.parametrize("shape", [(2, 7, 80), (1, 3, 5), (3, 4, 0)])
def test_columns(module, name, dtype, shape):
    g, y = outputs(name, shape, dtype)
    assert_same(run(module, name, dtype, g, y), expected(name, dtype, [g, y, 1]), dtype)


@pytest.mark.parametrize("schedule", ["reverse", "random"])
def test_any_schedule(module, name, checked, schedule):
    g, y = outputs(name, (5, 70, 1), "float32")
    wanted = run(module, name, "float32", g, y)
    assert np.array_equal(run(module, name, "float32", g, y, schedule), wanted)


def test_special_values(module, name):
    """Infinite and NaN gradients, and outputs at the ends of their range."""
    g, y = outputs(name, (6, 9, 1), "float32")
    g[0, 2], g[1, 3], g[2, :] = np.nan, np.inf, 0
    y[3, :], y[3, 1] = (-np.inf, 0) if "log" in name else (0, 1)
    wanted = expected(name, "float32", [g, y, 1])
    assert_same(run(module, name, "float32", g, y), wanted, "float32")
