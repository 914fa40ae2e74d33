"""Running one expression in both libraries after the same seed."""

import pytest

import autograd_gpu as ag
import autograd_gpu.nn.functional
from autograd_gpu.random import default_generator


def array(t):
    return t.detach().numpy()


def both(torch, f, seed=0):
    """f(library, functional) in each library after one seed: equal results, equal states."""
    torch.manual_seed(seed)
    ag.manual_seed(seed)
    theirs, ours = f(torch, torch.nn.functional), f(ag, ag.nn.functional)
    several = isinstance(theirs, (tuple, list))
    for a, b in zip(theirs, ours, strict=True) if several else [(theirs, ours)]:
        assert str(a.dtype) == str(b.dtype)
        assert tuple(a.shape) == tuple(b.shape)
        assert a.requires_grad == b.requires_grad
        assert (a.grad_fn is None) == (b.grad_fn is None)
        if a.grad_fn is not None:
            assert a.grad_fn.name() == b.grad_fn.name()
        if a.numel():
            assert steps(a) == steps(b)
        assert array(a).tobytes() == array(b).tobytes()
    assert torch.get_rng_state().numpy().tobytes() == default_generator.state_bytes()
    return theirs, ours


def steps(t):
    """The strides of the dimensions in which there is a step to take."""
    return [s for s, n in zip(t.stride(), t.shape, strict=True) if n > 1]


def grades(t, n, dtype=None):
    """n numbers from 0 to 1."""
    return t.arange(float(n), dtype=dtype) / (n - 1)


def signed(t, dtype):
    """360 numbers of both signs, (3, 4, 5, 6)."""
    return ((t.arange(360.0, dtype=dtype) - 180) / 64).reshape(3, 4, 5, 6)


def same_error(torch, f, exact=False):
    """f(library, functional) raises the same type in both, and in ours draws nothing."""
    ag.manual_seed(3)
    before = default_generator.state_bytes()
    with pytest.raises(Exception) as theirs:
        f(torch, torch.nn.functional)
    with pytest.raises(theirs.type) as ours:
        f(ag, ag.nn.functional)
    assert theirs.type is ours.type
    assert default_generator.state_bytes() == before
    if exact:
        assert str(theirs.value) == str(ours.value)
