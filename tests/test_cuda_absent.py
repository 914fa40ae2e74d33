"""Without CUDA tensors, what asks for them is answered, never an exception at import."""

import pytest

import autograd_gpu as ag


def test_is_available_is_false_with_a_reason():
    assert ag.cuda.is_available() is False
    assert ag.cuda.device_count() == 0
    assert ag.cuda.unavailable_reason()


def test_seeding_is_harmless():
    state = ag.get_rng_state()
    ag.cuda.manual_seed_all(1)
    assert ag.equal(ag.get_rng_state(), state)


@pytest.mark.parametrize("move", [lambda t: t.to("cuda"), lambda t: t.cuda(), lambda t: ag.zeros(1, device="cuda:0")])
def test_moving_there_says_why_not(move):
    with pytest.raises(RuntimeError, match="cannot use device 'cuda"):
        move(ag.ones(2))


def test_what_is_not_there_says_so():
    with pytest.raises(AttributeError, match="cuda.synchronize is not there"):
        ag.cuda.synchronize()
