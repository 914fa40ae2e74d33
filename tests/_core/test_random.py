"""Random numbers whose values are known, and what holds of them without an oracle."""

import copy
import hashlib
import pickle
import threading

import numpy as np
import pytest

from autograd_gpu._core.device import cuda_status
from autograd_gpu._core.random import (
    DEFAULT_SEED,
    Generator,
    boxmuller,
    fill,
    in_memory_order,
    permutation,
    rounding,
)
from autograd_gpu._core.random.philox import philox4x32

U1 = np.uint64(1)


def seeded(seed, **options):
    return Generator(**options).manual_seed(seed)


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


def test_a_known_sequence():
    g = seeded(0)
    assert g.uniform(3).tolist() == [0.49625658988952637, 0.7682217955589294, 0.08847743272781372]
    assert g.normal(3).tolist() == [0.3643381893634796, 0.13439632952213287, 0.16421625018119812]
    block = g.normal(17)
    assert block[[0, 5, 16]].tolist() == [
        -0.20410172641277313,
        -0.6135830879211426,
        0.05250748619437218,
    ]
    assert g.randint(8, 0, 10).tolist() == [1, 7, 3, 5, 2, 1, 0, 9]
    assert g.randperm(8).tolist() == [1, 6, 7, 3, 2, 0, 5, 4]
    half = np.full(8, 0.5, np.float32)
    assert g.bernoulli_each(half).astype(int).tolist() == [1, 0, 0, 1, 0, 0, 1, 0]
    assert g.uniform(2, dtype=np.float64).tolist() == [0.9268188566159239, 0.8407767379930023]
    assert g.exponential(2).tolist() == [0.7638300657272339, 0.37716609239578247]
    assert g.poisson(np.array([1, 5, 50], np.float32)).tolist() == [1.0, 2.0, 46.0]


def test_known_digests_of_large_draws_and_of_the_state():
    assert digest(seeded(1).normal(100001).tobytes()) == "c039963e5dcaf9a1"
    assert digest(seeded(1).randperm(10000).tobytes()) == "31999916aea33df3"
    g = seeded(0)
    g.normal(3)
    assert digest(g.state_bytes()) == "5f273c33f4160de6"


def test_a_generator_without_a_seed_starts_at_the_documented_one():
    g = Generator()
    assert g.initial_seed() == DEFAULT_SEED
    assert g.uniform(3).tolist() == [0.267295241355896, 0.8725283145904541, 0.3352888226509094]


def test_seed_is_new_each_time_and_reproducible():
    g = Generator()
    first, second = g.seed(), g.seed()
    assert first != second
    assert g.initial_seed() == second
    assert g.uniform(4).tolist() == seeded(second).uniform(4).tolist()


@pytest.mark.parametrize("seed", [3.5, True, "5", None])
def test_a_seed_must_be_an_int(seed):
    with pytest.raises(RuntimeError, match="manual_seed expected a long, but got"):
        Generator().manual_seed(seed)


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_a_seed_must_fit(seed):
    g = seeded(5)
    with pytest.raises(ValueError, match="Overflow when unpacking long long"):
        g.manual_seed(seed)
    assert g.initial_seed() == 5


def test_errors_of_construction():
    with pytest.raises(ValueError, match="expected an algorithm of"):
        Generator(algorithm="lcg")
    with pytest.raises(ValueError, match="expected an algorithm of"):
        Generator("cpu", algorithm="")
    if not cuda_status()[0]:
        with pytest.raises(RuntimeError, match="cannot use device 'cuda'"):
            Generator("cuda")


@pytest.mark.parametrize("algorithm", ["mt19937", "philox"])
@pytest.mark.parametrize("drawn", [0, 1, 3, 623, 624, 625, 5000])
def test_state_round_trips_with_the_cached_normal(algorithm, drawn):
    g = seeded(7, algorithm=algorithm)
    g.uniform(drawn)
    g.normal(1)
    state = g.state_bytes()
    expected = g.normal(3).tolist(), g.uniform(700).tolist()
    for other in (Generator(algorithm=algorithm), g):
        other.load_state_bytes(state)
        assert other.state_bytes() == state
        assert (other.normal(3).tolist(), other.uniform(700).tolist()) == expected


@pytest.mark.parametrize("algorithm", ["mt19937", "philox"])
def test_copies_stand_where_the_original_does(algorithm):
    g = seeded(7, algorithm=algorithm)
    g.normal(1)
    for other in (copy.deepcopy(g), copy.copy(g), pickle.loads(pickle.dumps(g)), g.clone_state()):
        assert other.algorithm == algorithm
        assert other.state_bytes() == g.state_bytes()


def test_bad_state_bytes_change_nothing():
    g = seeded(3)
    before = g.state_bytes()
    with pytest.raises(RuntimeError, match="size 5056 but found the input RNG state size to be 10"):
        g.load_state_bytes(bytes(10))
    with pytest.raises(RuntimeError, match="Invalid mt19937 state"):
        g.load_state_bytes(bytes(5056))
    assert g.state_bytes() == before


def test_philox_known_answers():
    """The first vector of the authors' Random123 kat_vectors: counter and key zero."""
    words = philox4x32(np.zeros(1, np.uint64), 0)[0].tolist()
    assert words == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


def test_philox_words_do_not_depend_on_how_they_are_asked_for():
    whole = seeded(2**40 + 3, algorithm="philox").words(50)
    g = seeded(2**40 + 3, algorithm="philox")
    parts = [g.words(n) for n in (1, 2, 4, 5, 0, 38)]
    assert np.concatenate(parts).tolist() == whole.tolist()
    g.set_offset(10)
    assert g.get_offset() == 10
    assert g.words(5).tolist() == whole[10:15].tolist()
    with pytest.raises(RuntimeError, match="does not use offset"):
        Generator().get_offset()


def test_philox_numbers_have_the_right_moments():
    g = seeded(0, algorithm="philox")
    u, z = g.uniform(200000), g.normal(200000)
    assert abs(u.mean() - 0.5) < 0.003 and abs(u.var() - 1 / 12) < 0.001
    assert abs(z.mean()) < 0.01 and abs(z.var() - 1) < 0.01
    assert sorted(g.randperm(1000).tolist()) == list(range(1000))


def test_numbers_do_not_depend_on_the_block_size(monkeypatch):
    def draws():
        g = seeded(11)
        return [
            f.tobytes()
            for f in (
                g.uniform(3001),
                g.normal(3001),
                g.exponential(3001),
                g.randint(3001, -5, 100),
                g.bernoulli(3001, 0.3),
            )
        ]

    expected = draws()
    from autograd_gpu._core.random import choices, integers, normal, transforms, uniform

    for module in (rounding, uniform, normal, transforms, integers, choices):
        monkeypatch.setattr(module, "BLOCK", 512)
    monkeypatch.setattr(boxmuller, "_PAIRS", 128)
    assert draws() == expected


@pytest.mark.parametrize("n", [2, 3, 10, 1000, 70000])
def test_both_shuffles_agree(n):
    g = seeded(n)
    for _ in range(5):
        words = g.words(n - 1) % np.arange(n, 1, -1, dtype=np.uint64)
        target = words.view(np.int64) + np.arange(n - 1)
        one = permutation._shuffle_one_by_one(target, n)
        assert np.array_equal(permutation._shuffle(target, n), one)


def test_the_shuffle_of_very_many_is_a_permutation():
    assert sorted(permutation._inside_out(seeded(0), 1000).tolist()) == list(range(1000))


def test_fma32_rounds_once():
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(4000).astype(np.float32) for _ in range(2))
    c = -(a * b) + rng.standard_normal(4000).astype(np.float32) * np.float32(2.0**-30)
    exact = a.astype(np.longdouble) * b.astype(np.longdouble) + c.astype(np.longdouble)
    assert np.array_equal(rounding.fma32(a, b, c), exact.astype(np.float32))
    scaled = rounding.scale32(a, 0.7, -0.3)
    assert np.array_equal(scaled, rounding.fma32(a, np.float32(0.7), np.float32(-0.3)))


def test_fma64_rounds_once():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 2000))
    c = -(a * b) * (1 + rng.standard_normal(2000) * 2.0**-50)
    a[:3], b[:3], c[:3] = (1e200, 1e-200, 3.0), (1e150, 1e-200, 0.0), (1.0, 0.0, -1.0)
    got = rounding.fma64(a, b, c)
    expected = [
        rounding._fma_one(*v) for v in zip(a.tolist(), b.tolist(), c.tolist(), strict=False)
    ]
    assert got.tolist() == expected


def test_settle_finds_the_elements_on_an_edge():
    u = np.linspace(1.0, 2.0, 1000)
    off = lambda v: v * (1 + 2.0**-52)
    got = rounding.settle(u, off, lambda v: v.copy(), np.ceil, coarse=True)
    assert np.array_equal(got, np.ceil(u))


def test_fills_visit_elements_in_memory_order():
    a = np.empty((3, 4)).T
    fill(a, np.arange(12.0))
    assert a.T.ravel().tolist() == list(range(12))
    b = np.zeros((6, 4))[::2, 1:3]
    fill(b, np.arange(6.0))
    assert b.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert in_memory_order(np.empty((2, 3, 4)).transpose(2, 0, 1)).shape == (2, 3, 4)


def test_uniform_never_gives_the_upper_end():
    for dtype in (np.float16, np.float32):
        values = seeded(0).uniform(40000, 0, 1, dtype)
        assert values.max() < 1 and values.min() >= 0


def test_one_thread_at_a_time_draws():
    g, n, rounds = seeded(9), 1000, 40
    drawn = []
    threads = [
        threading.Thread(target=lambda: drawn.extend(g.uniform(n) for _ in range(rounds)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    serial = seeded(9)
    expected = {serial.uniform(n).tobytes() for _ in range(4 * rounds)}
    assert {part.tobytes() for part in drawn} == expected


def test_samplers_leave_the_generator_behind_the_words_they_used():
    a, b = seeded(4), seeded(4)
    rates = np.linspace(0, 40, 60).astype(np.float32)
    a.poisson(rates)
    for rate in rates:
        b.poisson(rate[None])
    assert a.state_bytes() == b.state_bytes()
