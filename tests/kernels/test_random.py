"""The kernels of random.cu give the bits of their bodies: every type, schedule and length."""

import ml_dtypes
import numpy as np
import pytest

from autograd_gpu._core.manifest import FLOATS, KERNELS
from autograd_gpu._core.random import counted

from ..known_answers import COUNTERS, KEYS, WORDS

pytestmark = pytest.mark.parametrize("checked", [False, True], ids=["plain", "checked"])
DTYPES = {n: np.dtype(ml_dtypes.bfloat16 if n == "bfloat16" else n) for n in FLOATS}
every_dtype = pytest.mark.parametrize("dtype", FLOATS)
PARAMETERS = {
    "random_uniform": [(0.0, 1.0), (-1.3, 2.7), (0.5, 0.5), (1.0, 1.0009765625)],
    "random_normal": [(0.0, 1.0), (0.3, 1.7), (5.0, 0.0)],
    "random_log_normal": [(1.0, 2.0), (0.0, 60.0)],
    "random_exponential": [(1.0, 0.0), (1.5, 0.0)],
    "random_cauchy": [(0.0, 1.0), (0.3, 2.0)],
}
LENGTHS = [1, 2, 3, 5, 8, 333]
SEED, COUNTER = 2**63 + 12345, 2**33 + 7


@pytest.fixture
def module(compiled, checked):
    rows = [row for row in KERNELS.values() if row.file == "random.cu"]
    types = [*FLOATS, "int64", "bool"]
    return compiled("random.cu", [e for t in types for row in rows for e in row.instances(t)], checked)


def run(module, name, form, dtype, out, *parameters, counter=COUNTER, grid=2, schedule="forward"):
    row = KERNELS[name]
    typed = [
        np.dtype(p.dtype).type(v)
        for p, v in zip(row.parameters(form, dtype)[4:], parameters, strict=True)
    ]
    head = np.int64(out.size), np.uint64(SEED), np.uint64(counter)
    function = module.get_function(row.spell(form, dtype))
    function((grid,), (32,), (out, *head, *typed), schedule=schedule, seed=3)
    return out


def filled(dtype, n):
    """A new array in which every element that nobody writes shows."""
    return np.full(n, np.nan, DTYPES[dtype])


@every_dtype
@pytest.mark.parametrize("name", PARAMETERS)
def test_distributions(module, name, dtype):
    for parameters in PARAMETERS[name]:
        for n in LENGTHS:
            out = run(module, name, "", dtype, filled(dtype, n), *parameters)
            wanted = getattr(counted, name)(filled(dtype, n), SEED, COUNTER, *parameters)
            assert out.tobytes() == wanted.tobytes(), (parameters, n)


@every_dtype
def test_at_any_address(module, dtype):
    wanted = counted.random_uniform(filled(dtype, 40), SEED, COUNTER, 0, 1)
    for start in (1, 2, 3):
        out = filled(dtype, 50)
        run(module, "random_uniform", "", dtype, out[start : start + 40], 0, 1)
        assert out[start : start + 40].tobytes() == wanted.tobytes()
        assert np.isnan(out[:start].astype(float)).all()
        assert np.isnan(out[start + 40 :].astype(float)).all()


@pytest.mark.parametrize("schedule", ["reverse", "random"])
@pytest.mark.parametrize("grid", [1, 3, 7])
def test_numbers_do_not_depend_on_the_grid(module, grid, schedule):
    out = run(module, "random_normal", "", "float32", filled("float32", 333), 0, 1, grid=grid,
              schedule=schedule)  # fmt: skip
    wanted = counted.random_normal(filled("float32", 333), SEED, COUNTER, 0, 1)
    assert out.tobytes() == wanted.tobytes()


def test_the_counter_wraps_around(module):
    near = 2**64 - 2
    out = run(module, "random_uniform", "", "float32", filled("float32", 16), 0, 1, counter=near)
    assert out.tobytes() == counted.random_uniform(out.copy(), SEED, near, 0, 1).tobytes()
    assert out[8:].tobytes() == counted.random_uniform(out[8:].copy(), SEED, 0, 0, 1).tobytes()


@pytest.mark.parametrize("low, span", [(0, 10), (-5, 3), (7, 1), (0, counted.WORD)])
def test_integers_of_one_word(module, low, span):
    for n in LENGTHS:
        out = run(module, "random_integers", "word", "int64", np.full(n, -99), low, span)
        wanted = counted.random_integers(np.full(n, -99), SEED, COUNTER, low, span)
        assert out.tolist() == wanted.tolist()
        assert low <= out.min() and out.max() < low + span


@pytest.mark.parametrize("low, span", [(0, counted.WORD + 1), (-(2**63), 0), (-(2**40), 2**63 + 5)])
def test_integers_of_two_words(module, low, span):
    for n in LENGTHS:
        out = run(module, "random_integers", "two words", "int64", np.full(n, -99), low, span)
        wanted = counted.random_integers(np.full(n, -99), SEED, COUNTER, low, span)
        assert out.tolist() == wanted.tolist()


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_bernoulli(module, p):
    limit = round(p * 2**32)
    for n in LENGTHS:
        out = run(module, "random_bernoulli", "", "bool", np.full(n, p == 0), limit)
        wanted = counted.random_bernoulli(np.empty(n, bool), SEED, COUNTER, limit)
        assert out.tolist() == wanted.tolist()
        assert p not in (0, 1) or (out == bool(p)).all()


def test_known_answers(compiled, checked):
    module = compiled("philox.cu", ["philox_words"], checked)
    out = np.zeros_like(WORDS)
    module.get_function("philox_words")((1,), (32,), (COUNTERS, KEYS, out, np.int32(len(WORDS))))
    assert out.tolist() == WORDS.tolist()
