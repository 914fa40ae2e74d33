"""The default generator through its public face."""

import pytest

import autograd_gpu as ag
from autograd_gpu import random


def draws():
    return ag.rand(3).tolist()


def test_the_same_seed_gives_the_same_numbers():
    g = ag.manual_seed(0)
    assert g is random.default_generator and random.initial_seed() == 0
    assert draws() == [0.49625658988952637, 0.7682217955589294, 0.08847743272781372]
    ag.manual_seed("0")
    assert draws()[0] == 0.49625658988952637
    assert random.seed() == random.initial_seed() != 0


def test_the_state_comes_back():
    state = ag.get_rng_state()
    assert state.dtype == ag.uint8 and state.shape == (5056,)
    first = draws()
    second = draws()
    ag.set_rng_state(state)
    assert [draws(), draws()] == [first, second]
    g = random.Generator()
    g.set_state(state)
    assert ag.rand(3, generator=g).tolist() == first
    assert g.device == ag.device("cpu")


def test_the_state_must_be_one():
    before = random.default_generator.state_bytes()
    with pytest.raises(TypeError, match="expected a torch.ByteTensor, but got int"):
        ag.set_rng_state(3)
    with pytest.raises(TypeError, match="RNG state must be a torch.ByteTensor"):
        ag.set_rng_state(ag.zeros(10))
    with pytest.raises(RuntimeError, match="size 5056"):
        ag.set_rng_state(ag.zeros(10, dtype=ag.uint8))
    assert random.default_generator.state_bytes() == before


def test_fork_rng_restores_the_state():
    ag.manual_seed(1)
    expected = draws()
    ag.manual_seed(1)
    with random.fork_rng():
        draws()
        ag.manual_seed(9)
    assert draws() == expected
    ag.manual_seed(1)
    with random.fork_rng(enabled=False):
        draws()
    assert draws() != expected


def test_fork_rng_restores_the_state_after_an_error():
    ag.manual_seed(1)
    before = random.default_generator.state_bytes()
    with pytest.raises(KeyError), random.fork_rng():
        draws()
        raise KeyError
    assert random.default_generator.state_bytes() == before


def test_philox_is_a_generator_like_the_other():
    g = random.Generator(algorithm="philox").manual_seed(3)
    values = ag.randn(40, generator=g)
    g.set_offset(0)
    assert ag.randn(40, generator=g).tolist() == values.tolist()
    state = g.get_state()
    assert state.shape == (16,)
    after = ag.rand(3, generator=g).tolist()
    g.set_state(state)
    assert ag.rand(3, generator=g).tolist() == after
