"""Checkpoints on CUDA devices: random numbers, current and default devices, host memory."""

import functools

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._core.random import devices as generators
from autograd_gpu.utils.checkpoint import (
    CheckpointPolicy,
    checkpoint,
    create_selective_checkpoint_contexts,
    get_device_states,
    set_device_states,
    surroundings,
)

BOTH = pytest.mark.parametrize("reentrant", [True, False])


def ones(place="cuda", n=256):
    return ag.ones(n, device=place, requires_grad=True)


def dropped(x):
    return ag.nn.functional.dropout(x * 1, 0.5)


@BOTH
@pytest.mark.parametrize("preserve", [True, False])
def test_the_dropout_mask_is_the_same(cuda, reentrant, preserve):
    ag.manual_seed(3)
    x = ones()
    y = checkpoint(dropped, x, use_reentrant=reentrant, preserve_rng_state=preserve)
    y.sum().backward()
    assert (x.grad.tolist() == y.tolist()) == preserve
    assert 0 < (y == 0).sum().item() < 256


@BOTH
def test_both_devices_at_once(cuda, reentrant):
    ag.manual_seed(3)
    x, z = ones(), ones("cpu")
    y, w = checkpoint(lambda a, b: (dropped(a), dropped(b)), x, z, use_reentrant=reentrant)
    (y.sum().cpu() + w.sum()).backward()
    assert x.grad.tolist() == y.tolist()
    assert z.grad.tolist() == w.tolist()


@BOTH
def test_generators_go_on_where_they_stood(cuda, reentrant):
    ag.manual_seed(3)
    y = checkpoint(dropped, ones(), use_reentrant=reentrant)
    states = ag.get_rng_state().tolist(), ag.cuda.get_rng_state().tolist()
    y.sum().backward()
    assert states == (ag.get_rng_state().tolist(), ag.cuda.get_rng_state().tolist())


@BOTH
@pytest.mark.parametrize("seeded", [True, False])
def test_a_generator_first_used_in_the_function(cuda, monkeypatch, reentrant, seeded):
    """It stands at the seed that it began with."""
    monkeypatch.setattr(generators, "_generators", {})
    monkeypatch.setattr(generators, "_planned", [5] if seeded else [])
    x = ones("cpu")
    y = checkpoint(lambda a: dropped(a.to("cuda")), x, use_reentrant=reentrant)
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()


@BOTH
def test_cuda_first_used_in_the_function(cuda, monkeypatch, reentrant):
    """No device is known when the forward begins, and so no generator."""
    monkeypatch.setattr(generators, "_generators", {})
    monkeypatch.setattr(generators, "_planned", [])
    known = surroundings.installed
    monkeypatch.setattr(surroundings, "installed", lambda: None)

    def f(a):
        monkeypatch.setattr(surroundings, "installed", known)
        return dropped(a.to("cuda"))

    x = ones("cpu")
    y = checkpoint(f, x, use_reentrant=reentrant)
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()


@BOTH
def test_two_devices(two_devices, reentrant):
    """The recomputation finds the current device of the forward, and every generator."""
    ag.manual_seed(3)
    x = ones("cuda:0")

    def f(a):
        b = dropped(a.to("cuda"))  # the current one
        assert str(b.device) == "cuda:1"
        return dropped(b.to("cuda:0"))

    with ag.cuda.device(1):
        y = checkpoint(f, x, use_reentrant=reentrant)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.cpu().numpy(), y.detach().cpu().numpy())
    assert ag.cuda.current_device() == 0


@BOTH
def test_the_default_device(cuda, reentrant):
    x = ones()

    def f(a):
        return (a * ag.arange(256.0)).sin()  # where no device is named

    with ag.device("cuda"):
        y = checkpoint(f, x, use_reentrant=reentrant)
    y.sum().backward()
    expected = np.arange(256.0, dtype=np.float32) * np.cos(np.arange(256.0, dtype=np.float32))
    np.testing.assert_allclose(x.grad.cpu().numpy(), expected, rtol=1e-4, atol=1e-4)
    assert str(ag.ones(1).device) == "cpu"


def test_arguments_in_host_memory(cuda):
    """Within save_on_cpu what a checkpoint keeps, its arguments, lies on the host."""
    x = ones()
    seen = []

    class Said(ag.autograd.graph.save_on_cpu):
        def __init__(self):
            super().__init__()
            pack = self.pack_hook
            self.pack_hook = lambda t: (seen.append(tuple(t.shape)), pack(t))[1]

    h = x * 2
    with Said():
        y = checkpoint(lambda a: a.sin().exp(), h, use_reentrant=False)
    assert seen == [(256,)]
    y.sum().backward()
    np.testing.assert_allclose(x.grad.cpu().numpy(), 2 * np.cos(2.0) * np.exp(np.sin(2.0)), rtol=1e-5)


def test_another_device_in_the_recomputation_is_a_mismatch(cuda):
    x, places = ones("cpu"), iter(["cpu", "cuda"])
    y = checkpoint(lambda a: a.to(next(places)).sin().cpu(), x, use_reentrant=False)
    with pytest.raises(RuntimeError, match="recomputed metadata: .*device\\(type='cuda', index=0\\)"):
        y.sum().backward()


def test_results_kept_in_host_memory(cuda):
    x, w = ag.ones(4, 4, device="cuda", requires_grad=True), ag.eye(4, device="cuda").requires_grad_()
    calls = []

    def policy(ctx, op, *args, **kwargs):
        calls.append(op)
        return CheckpointPolicy.MUST_CPU_OFFLOAD if op is ag.mm else CheckpointPolicy.PREFER_RECOMPUTE

    context = functools.partial(create_selective_checkpoint_contexts, policy)
    y = checkpoint(lambda a, b: (a @ b).sin().exp(), x, w, use_reentrant=False, context_fn=context)
    y.sum().backward()
    expected = np.cos(1.0) * np.exp(np.sin(1.0))
    np.testing.assert_allclose(x.grad.cpu().numpy(), expected, rtol=1e-5)
    assert str(x.grad.device) == "cuda:0" and ag.mm in calls


def test_states_of_the_devices_of_arguments(two_devices):
    ag.manual_seed(3)
    a, b = ones("cuda:1"), ones("cuda:0")
    found, states = get_device_states(a, 3, ["x", (ones("cpu"), {"one": a})])
    assert (found, len(states)) == ([1], 1)
    found, states = get_device_states({"one": b}, a)
    assert found == [0, 1]
    drawn = [ag.rand(3, device=f"cuda:{i}").tolist() for i in found]
    set_device_states(found, states)
    assert drawn == [ag.rand(3, device=f"cuda:{i}").tolist() for i in found]
    set_device_states([], [], device_type="cpu")
    assert get_device_states(ones("cpu"), None) == ([], [])
    with pytest.raises(ValueError):
        set_device_states([0, 1], states[:1])
