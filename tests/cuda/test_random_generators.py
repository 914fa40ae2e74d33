"""Generators of CUDA devices: seeds, state, offset, defaults, and what a wrong one is told."""

import copy
import pickle

import pytest

import autograd_gpu as ag
from autograd_gpu import random
from autograd_gpu._core.random import devices


@pytest.fixture(autouse=True)
def nobody_used_them(cuda, monkeypatch):
    """No default generator is there yet, and none is seeded."""
    monkeypatch.setattr(devices, "_generators", {})
    monkeypatch.setattr(devices, "_planned", [])


def drawn(generator=None):
    return ag.rand(3, device="cuda", generator=generator).tolist()


def test_a_generator_of_cuda():
    g = ag.Generator("cuda")
    assert g.device == ag.device("cuda", 0) and g.algorithm == "philox"
    assert ag.Generator(device="cuda:0").device == g.device
    assert g.initial_seed() == ag.Generator().initial_seed()
    with pytest.raises(ValueError, match="expected an algorithm of"):
        ag.Generator("cuda", algorithm="mt19937")


def test_state_and_offset():
    g = ag.Generator("cuda").manual_seed(-1)
    assert g.initial_seed() == 2**64 - 1
    first = drawn(g)
    state, offset = g.get_state(), g.get_offset()
    assert state.device.type == "cpu" and state.shape == (16,) and offset == 4
    second = drawn(g)
    assert second != first
    g.set_state(state)
    assert g.get_offset() == 4 and drawn(g) == second
    g.set_offset(0)
    assert drawn(g) == first
    for other in (copy.deepcopy(g), pickle.loads(pickle.dumps(g)), g.clone_state()):
        assert other.device == g.device and other.get_state().tolist() == g.get_state().tolist()
    assert g.seed() == g.initial_seed() and g.get_offset() == 0


def test_manual_seed_reaches_devices_that_are_used_later():
    ag.manual_seed(3)
    wanted = drawn(ag.Generator("cuda").manual_seed(3))
    assert drawn() == wanted
    ag.manual_seed(3)  # and those that are in use
    assert drawn() == wanted
    assert ag.cuda.initial_seed() == 3


def test_without_a_seed_they_are_random():
    first, seed = drawn(), ag.cuda.initial_seed()
    devices._generators.clear()
    assert drawn() != first and ag.cuda.initial_seed() != seed


def test_seeds_of_cuda_alone():
    before = ag.get_rng_state().tolist()
    ag.cuda.manual_seed(5)
    wanted = drawn()
    ag.cuda.manual_seed_all(5)
    assert drawn() == wanted and ag.get_rng_state().tolist() == before
    for seed in (ag.cuda.seed, ag.cuda.seed_all):
        seed()
        assert ag.cuda.initial_seed() != 5 and drawn() != wanted
    chosen = ag.seed()
    assert ag.cuda.initial_seed() == chosen == ag.initial_seed()


def test_a_wrong_seed_changes_nothing():
    ag.manual_seed(1)
    ag.cuda.manual_seed(2)
    for set_seed in (ag.manual_seed, ag.cuda.manual_seed, ag.cuda.manual_seed_all):
        with pytest.raises(ValueError, match="Overflow"):
            set_seed(2**64)
    assert ag.initial_seed() == 1 and ag.cuda.initial_seed() == 2


def test_states_of_devices():
    ag.cuda.manual_seed(7)
    state, states = ag.cuda.get_rng_state(), ag.cuda.get_rng_state_all()
    assert [s.tolist() for s in states] == [state.tolist()]
    wanted = drawn()
    ag.cuda.set_rng_state(state)
    assert drawn() == wanted
    ag.cuda.set_rng_state(state, "cuda:0")
    assert drawn() == wanted
    ag.cuda.set_rng_state_all(states)
    assert drawn() == wanted
    assert ag.cuda.default_generators == (devices.cuda_generator(0),)
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        ag.cuda.get_rng_state(5)
    with pytest.raises(RuntimeError, match="wrong size"):
        ag.cuda.set_rng_state(state[:5])


@pytest.mark.parametrize("kept", [None, [0], ["cuda"], [ag.device("cuda", 0)]])
def test_fork_rng_keeps_devices(kept):
    ag.manual_seed(4)
    drawn()
    with random.fork_rng(devices=kept):
        inside, host = drawn(), ag.rand(2).tolist()
    assert drawn() == inside and ag.rand(2).tolist() == host


def test_fork_rng_of_the_cpu_alone():
    for options in ({"devices": []}, {"device_type": "cpu"}):
        ag.manual_seed(4)
        with random.fork_rng(**options):
            inside, host = drawn(), ag.rand(2).tolist()
        assert drawn() != inside and ag.rand(2).tolist() == host


def test_fork_rng_around_the_first_use():
    ag.manual_seed(4)
    with random.fork_rng():
        inside = drawn()
    assert drawn() == inside


def test_fork_rng_refuses_what_is_no_device_of_cuda():
    with pytest.raises(RuntimeError, match="expected CUDA devices"), random.fork_rng(["cpu"]):
        pass
    with pytest.raises(RuntimeError, match="no module of a device type 'xpu'"):
        with random.fork_rng(device_type="xpu"):
            pass


def test_a_generator_of_the_wrong_device():
    host, device = ag.Generator(), ag.Generator("cuda")
    x, y = ag.zeros(3), ag.zeros(3, device="cuda")
    wrong = [
        lambda: ag.rand(3, device="cuda", generator=host),
        lambda: ag.randperm(3, device="cuda", generator=ag.Generator(algorithm="philox")),
        lambda: y.normal_(generator=host),
        lambda: ag.bernoulli(y, generator=host),
        lambda: ag.multinomial(y + 1, 1, generator=host),
        lambda: ag.rand_like(y, generator=host),
        lambda: ag.rand(3, out=y, generator=host),
    ]
    for call in wrong:
        with pytest.raises(RuntimeError, match="Expected a 'cuda' device type for generator but "
                                               "found 'cpu'"):  # fmt: skip
            call()
    for call in (lambda: ag.rand(3, generator=device), lambda: x.uniform_(generator=device)):
        with pytest.raises(RuntimeError, match="Expected a 'cpu' device type for generator but "
                                               "found 'cuda'"):  # fmt: skip
            call()
    assert y.tolist() == [0, 0, 0] and host.get_state().tolist() == ag.Generator().get_state().tolist()


def test_an_error_costs_no_numbers():
    ag.manual_seed(1)
    y = ag.zeros(3, device="cuda")
    for call, error in [
        (lambda: y.normal_(0, -1), RuntimeError), (lambda: ag.bernoulli(y + 2), RuntimeError),
        (lambda: ag.rand(3, dtype=ag.int64, device="cuda"), NotImplementedError),
        (lambda: ag.multinomial(y, 1), RuntimeError),
        (lambda: y.bernoulli_(ag.tensor([0.5, 2.0, 0.5], device="cuda")), RuntimeError),
    ]:  # fmt: skip
        with pytest.raises(error):
            call()
    assert devices.cuda_generator(0).get_offset() == 0
