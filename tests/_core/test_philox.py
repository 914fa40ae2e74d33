"""Philox: known answers, numbers by counter, moments, and what a generator of it draws."""

import math

import numpy as np
import pytest

from autograd_gpu._core.random import Generator, counted
from autograd_gpu._core.random.philox import philox4x32, philox_rounds

from ..known_answers import COUNTERS, KEYS, WORDS


def philox(seed=0):
    return Generator(algorithm="philox").manual_seed(seed)


def test_known_answers():
    for counter, key, words in zip(COUNTERS, KEYS, WORDS, strict=True):
        parts = [np.array([c], np.uint64) for c in counter.tolist()]
        seed = int(key[0]) | int(key[1]) << 32
        found = [int(w[0]) for w in philox_rounds(*parts, seed)]
        assert found == words.tolist()


def test_a_counter_is_the_two_low_words():
    counter = np.array([0x0123456789ABCDEF], np.uint64)
    parts = [np.array([w], np.uint64) for w in (0x89ABCDEF, 0x01234567, 0, 0)]
    assert philox4x32(counter, 77)[0].tolist() == [int(w[0]) for w in philox_rounds(*parts, 77)]


DRAWS = {
    "uniform": lambda g, n, dtype: g.uniform(n, -1.0, 2.0, dtype),
    "normal": lambda g, n, dtype: g.normal(n, 0.5, 2.0, dtype),
    "log_normal": lambda g, n, dtype: g.log_normal(n, 0.5, 0.25, dtype),
    "exponential": lambda g, n, dtype: g.exponential(n, 2.0, dtype),
    "cauchy": lambda g, n, dtype: g.cauchy(n, 1.0, 0.5, dtype),
    "geometric": lambda g, n, dtype: g.geometric(n, 0.25, dtype),
    "randint": lambda g, n, dtype: g.randint(n, -5, 100, dtype),
    "wide": lambda g, n, dtype: g.randint(n, 0, 2**20, np.int64),
    "bernoulli": lambda g, n, dtype: g.bernoulli(n, 0.3).astype(dtype),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("name", DRAWS)
def test_an_element_depends_on_its_place_alone(name, dtype):
    """Neither on how many are drawn, nor on the blocks in which that is done."""
    whole = DRAWS[name](philox(3), 40001, dtype)
    for n in (1, 2, 7, 16385):
        assert DRAWS[name](philox(3), n, dtype).tolist() == whole[:n].tolist()


@pytest.mark.parametrize("name", DRAWS)
def test_a_draw_takes_whole_counters(name):
    g = philox(3)
    g.words(2)
    first = DRAWS[name](g, 9, np.float64)
    assert g.get_offset() % 4 == 0
    g.set_offset(4)  # the counter after the one that was begun
    assert DRAWS[name](g, 9, np.float64).tolist() == first.tolist()
    stood = g.get_offset()
    DRAWS[name](g, 0, np.float64)
    assert g.get_offset() == stood


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_moments(dtype):
    n, g = 400_000, philox(1)
    for values, mean, variance in [
        (g.uniform(n, dtype=dtype), 0.5, 1 / 12),
        (g.normal(n, dtype=dtype), 0, 1),
        (g.exponential(n, 2.0, dtype), 0.5, 0.25),
        (g.geometric(n, 0.25, dtype), 4, 12),
        (g.log_normal(n, 0.0, 0.5, dtype), math.exp(0.125), (math.exp(0.25) - 1) * math.exp(0.25)),
        (g.bernoulli(n, 0.3).astype(dtype), 0.3, 0.21),
    ]:
        values = values.astype(np.float64)
        assert abs(values.mean() - mean) < 5 * math.sqrt(variance / n)
        assert abs(values.var() / variance - 1) < 0.03
    quarters = np.mean(np.abs(g.cauchy(n, dtype=dtype)) < 1)
    assert abs(quarters - 0.5) < 5 * math.sqrt(0.25 / n)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_normals_have_the_tails_and_no_memory(dtype):
    z = philox(5).normal(2_000_000, dtype=dtype).astype(np.float64)
    for limit, share in [(1, 0.3173105), (2, 0.0455003), (3, 0.0026998), (4, 6.334e-5)]:
        expected = share * z.size
        assert abs(np.sum(np.abs(z) > limit) - expected) < 5 * math.sqrt(expected)
    for step in (1, 2, 3, 4):
        assert abs(np.mean(z[step:] * z[:-step])) < 5 / math.sqrt(z.size)


def test_integers_are_uniform():
    """Chi-square over the cells: the mean is the degrees of freedom, the variance twice that."""
    g = philox(2)
    for low, high in [(0, 10), (0, 1000), (0, 65536), (0, 70000)]:
        n = 40 * (high - low)
        cells = np.bincount(g.randint(n, low, high), minlength=high)
        square = np.sum((cells - 40) ** 2) / 40
        assert abs(square - (high - 1)) < 5 * math.sqrt(2 * (high - 1))


def test_bounds():
    g = philox(4)
    u = g.uniform(200_000, 1.0, 1.0009765625, np.float16)
    assert set(u.tolist()) == {1.0}  # what rounds to the upper end becomes the lower
    for dtype in (np.float32, np.float64):
        e = g.exponential(200_000, 1.0, dtype)
        assert (e > 0).all() and np.isfinite(e).all()
        assert np.isfinite(g.cauchy(200_000, dtype=dtype)).all()
        assert g.geometric(1000, 0.999999, dtype).min() == 1
    assert g.random(1000, dtype=np.uint8).max() <= 255
    assert g.random(5, -(2**63), None, np.int64).dtype == np.int64
    assert set(g.random(100, dtype=np.bool_).tolist()) == {False, True}


def test_the_least_exponential_stands_for_zero(monkeypatch):
    words = np.full((1, 4), 0xFFFFFFFF, np.uint64)
    monkeypatch.setattr(counted, "philox4x32", lambda *_: words)
    for dtype, least in [(np.float32, 2.0**-25), (np.float64, 2.0**-54)]:
        assert counted.random_exponential(np.empty(2, dtype), 0, 0, 1.0, 0.0)[0] == least


def test_permutations_are_uniform():
    g = philox(6)
    seen = [tuple(g.randperm(4).tolist()) for _ in range(4800)]
    counts = {order: seen.count(order) for order in set(seen)}
    assert len(counts) == 24 and max(abs(c - 200) for c in counts.values()) < 5 * math.sqrt(200)


@pytest.mark.parametrize("replacement", [False, True])
def test_multinomial_follows_the_weights(replacement):
    weights = np.array([[1.0, 0.0, 3.0, 4.0], [0.0, 5.0, 0.0, 1.0]], np.float32)
    g, n = philox(7), 20_000
    rows = np.repeat(weights, n, axis=0)
    chosen = g.multinomial(rows, 2, replacement)
    assert chosen.dtype == np.int64 and chosen.shape == (2 * n, 2)
    for k, row in enumerate(weights):
        first = np.bincount(chosen[k * n : (k + 1) * n, 0], minlength=4) / n
        assert np.abs(first - row / row.sum()).max() < 5 * math.sqrt(0.25 / n)
    if not replacement:
        assert (chosen[:, 0] != chosen[:, 1]).all()


def test_a_probability_for_each():
    p = np.repeat(np.array([0.0, 0.25, 1.0], np.float32), 10_000)
    kept = philox(8).bernoulli_each(p).reshape(3, -1)
    assert not kept[0].any() and kept[2].all() and abs(kept[1].mean() - 0.25) < 0.025


def test_complex_numbers_are_two_draws():
    z = philox(9).normal(5, 0.0, 2.0, np.complex64)
    parts = philox(9).normal(10, 0.0, 2.0 / math.sqrt(2), np.float32)
    assert z.view(np.float32).tolist() == parts.tolist()
    u = philox(9).uniform(5, dtype=np.complex128)
    assert u.view(np.float64).tolist() == philox(9).uniform(10, dtype=np.float64).tolist()


def test_the_state_has_no_spare_normal():
    g = philox(1)
    g.standard_gamma(np.array([2.0, 0.5]))
    state = g.state_bytes()
    assert len(state) == 16
    after = g.standard_gamma(np.array([2.0]))
    g.load_state_bytes(state)
    assert g.standard_gamma(np.array([2.0])) == after


def test_errors():
    g = philox(1)
    with pytest.raises(RuntimeError, match="RNG state is wrong size: 10 bytes, not 16"):
        g.load_state_bytes(bytes(10))
    for offset in (-1, 2**64):
        with pytest.raises(ValueError, match="set_offset"):
            g.set_offset(offset)
    with pytest.raises(RuntimeError, match="does not use offset"):
        Generator().take(1)
