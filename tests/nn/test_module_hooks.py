"""Hooks of modules: order, what they may change, kwargs, always_call, backward, global ones."""
import copy

import pytest

import autograd_gpu as ag
from autograd_gpu import nn
from autograd_gpu.nn.modules import module as machinery


class Double(nn.Module):
    def forward(self, x, y=0):
        return x * 2 + y


def test_forward_hooks():
    m, log = Double(), []
    m.register_forward_hook(lambda mod, args, out: log.append(("post", args, out)))
    m.register_forward_pre_hook(lambda mod, args: log.append(("pre", args)))
    assert m(3) == 6 and log == [("pre", (3,)), ("post", (3,), 6)]
    m.register_forward_pre_hook(lambda mod, args: args[0] + 1)
    m.register_forward_hook(lambda mod, args, out: out * 10)
    assert m(3) == 80
    assert m(3, y=1) == 90


def test_kwargs_prepend_and_removal():
    m, log = Double(), []
    a = m.register_forward_pre_hook(
        lambda mod, args, kwargs: (args, {"y": kwargs["y"] + 1}), with_kwargs=True
    )
    b = m.register_forward_hook(lambda mod, args, kw, out: log.append(kw), with_kwargs=True)
    c = m.register_forward_hook(lambda mod, args, out: log.append("first"), prepend=True)
    assert m(1, y=5) == 8 and log == ["first", {"y": 6}]
    for handle in (a, b, c):
        handle.remove()
        handle.remove()
    assert m(1, y=5) == 7 and len(log) == 2
    with m.register_forward_hook(lambda *_: 0):
        assert m(1) == 0
    assert m(1) == 2
    m._forward_hooks[99] = lambda *_: "direct"
    assert m(1) == "direct"
    m._forward_hooks.clear()
    assert m(1) == 2
    m.register_forward_pre_hook(lambda mod, args, kw: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match="must return None or a tuple of"):
        m(1)


def test_always_call():
    class Fails(nn.Module):
        def forward(self, x):
            raise KeyError("inner")

    def breaks(*_):
        raise ValueError("outer")

    m, log = Fails(), []
    m.register_forward_hook(lambda mod, args, out: log.append(out), always_call=True)
    m.register_forward_hook(lambda mod, args, out: log.append("never"))
    with pytest.raises(KeyError, match="inner"):
        m(1)
    assert log == [None]
    m.register_forward_hook(breaks, always_call=True)
    with pytest.raises(KeyError, match="inner"), pytest.warns(UserWarning, match="always_call"):
        m(1)


def test_hooks_are_copied():
    m, log = Double(), []
    m.register_forward_hook(lambda mod, args, out: log.append(mod))
    twin = copy.deepcopy(m)
    twin(1)
    assert log == [twin]


def test_global_hooks():
    m, log = nn.Sequential(Double()), []
    handles = [
        machinery.register_module_forward_pre_hook(
            lambda mod, args: log.append("pre " + type(mod).__name__)
        ),
        machinery.register_module_forward_hook(
            lambda mod, args, out: log.append("post " + type(mod).__name__)
        ),
    ]
    m[0].register_forward_hook(lambda *_: log.append("own"))
    m(1)
    for handle in handles:
        handle.remove()
    assert log == ["pre Sequential", "pre Double", "post Double", "own", "post Sequential"]
    m(1)
    assert log[5:] == ["own"]


def test_registration_hooks():
    new = nn.Linear(1, 1)
    with machinery.register_module_module_registration_hook(lambda m, n, v: new):
        assert nn.Sequential(nn.ReLU())[0] is new
    with machinery.register_module_parameter_registration_hook(lambda m, n, v: None):
        assert nn.Linear(1, 1).weight is not None
    seen = []
    with machinery.register_module_buffer_registration_hook(lambda m, n, v: seen.append(n)):
        nn.BatchNorm1d(1)
    assert seen == ["running_mean", "running_var", "num_batches_tracked"]


# Backward hooks ---------------------------------------------------------------------------------


def test_full_backward_hooks():
    m, log = nn.Linear(2, 3), []
    m.register_full_backward_pre_hook(lambda mod, go: log.append(("pre", go[0].shape)))
    m.register_full_backward_hook(lambda mod, gi, go: log.append((gi[0].shape, go[0].shape)))
    x = ag.ones(4, 2, requires_grad=True)
    m(x).sum().backward()
    assert log == [("pre", (4, 3)), ((4, 2), (4, 3))]
    with ag.no_grad():
        assert m(x).grad_fn is None


def test_backward_hooks_change_gradients():
    m = Double()
    m.register_full_backward_hook(lambda mod, gi, go: (gi[0] * 5,))
    x = ag.ones(2, requires_grad=True)
    m(x).sum().backward()
    assert x.grad.tolist() == [10.0, 10.0]
    m.register_full_backward_pre_hook(lambda mod, go: (go[0] * 3,))
    x.grad = None
    m(x).sum().backward()
    assert x.grad.tolist() == [30.0, 30.0]
    m.register_full_backward_hook(lambda mod, gi, go: (gi[0], gi[0]))
    with pytest.raises(RuntimeError, match="invalid number of grad_input, got 2, but expected 1"):
        m(x).sum().backward()


def test_backward_hook_places():
    class Many(nn.Module):
        def forward(self, a, b, c=None):
            return a * b, "text", a.detach()

    m, log = Many(), []
    m.register_full_backward_hook(lambda mod, gi, go: log.append((gi, go)))
    x = ag.ones(2, requires_grad=True)
    product, text, detached = m(x, 2)
    assert text == "text" and not detached.requires_grad
    product.sum().backward()
    ((gi, go),) = log
    assert len(gi) == 2 and gi[0].tolist() == [2, 2] and gi[1] is None
    assert len(go) == 3 and go[0].tolist() == [1, 1] and go[1] is None


def test_backward_hook_without_an_input_that_needs_grad():
    m, log = nn.Linear(2, 1), []
    m.register_full_backward_hook(lambda mod, gi, go: log.append(gi))
    out = m(ag.ones(3, 2))
    with pytest.warns(UserWarning, match="no inputs require gradients"):
        out.sum().backward()
    assert log == [(None,)] and m.weight.grad is not None
    m.register_full_backward_hook(lambda mod, gi, go: (ag.ones(3, 2),))
    out = m(ag.ones(3, 2))
    with pytest.raises(RuntimeError, match="should always return None"):
        with pytest.warns(UserWarning):
            out.sum().backward()


def test_backward_hook_on_a_dict_warns():
    class Dict(nn.Module):
        def forward(self, x):
            return {"x": x}

    m = Dict()
    m.register_full_backward_hook(lambda *_: None)
    with pytest.warns(UserWarning, match="should be a Tensor or a tuple of Tensors"):
        m(ag.ones(1, requires_grad=True))


def test_two_kinds_of_backward_hooks_exclude_each_other():
    m, log = Double(), []
    m.register_backward_hook(lambda mod, gi, go: log.append(len(gi)))
    m(ag.ones(2, requires_grad=True)).sum().backward()
    assert len(log) == 1
    with pytest.raises(RuntimeError, match="Cannot use both"):
        m.register_full_backward_hook(lambda *_: None)


def test_global_backward_hooks():
    log = []
    with machinery.register_module_full_backward_hook(lambda m, gi, go: log.append("back")):
        with machinery.register_module_full_backward_pre_hook(lambda m, go: log.append("pre")):
            nn.Sequential(Double())(ag.ones(1, requires_grad=True)).sum().backward()
    assert log == ["pre", "pre", "back", "back"]


def test_a_stored_handle_is_copied_with_its_module():
    m = Double()
    m.handle = m.register_forward_hook(lambda *_: "hooked", with_kwargs=True)
    twin = copy.deepcopy(m)
    twin.handle.remove()
    assert twin(1) == 2 and m(1) == "hooked"
    assert not twin._forward_hooks_with_kwargs
