"""save_on_cpu: values and gradients are the same, and what is saved lies in host memory."""

import pytest

import autograd_gpu as ag
from autograd_gpu.testing import standin

from .agree import agree, fails, leaf


def network(t):
    """A loss with all kinds of saved tensors, and its leaves."""
    t.manual_seed(0)
    net = t.nn.Sequential(
        t.nn.Conv2d(1, 2, 3), t.nn.BatchNorm2d(2), t.nn.ReLU(), t.nn.MaxPool2d(2),
        t.nn.Flatten(), t.nn.Linear(8, 3), t.nn.LogSoftmax(1),
    )  # fmt: skip
    with t.no_grad():
        for i, p in enumerate(net.parameters()):
            p.copy_((t.arange(float(p.numel())) * (i + 1)).sin().view(p.shape))
    x = (t.arange(72.0).view(2, 1, 6, 6) / 7).cos().requires_grad_()
    return lambda: t.nn.functional.nll_loss(net(x), t.tensor([0, 2])), [x, *net.parameters()]


@agree
@pytest.mark.parametrize("pin_memory", [False, True])
def test_a_network(t, pin_memory):
    results = []
    for saved in (False, True):
        forward, leaves = network(t)
        if saved:
            with t.autograd.graph.save_on_cpu(pin_memory=pin_memory):
                loss = forward()
        else:
            loss = forward()
        loss.backward()
        results.append([loss.detach(), *[p.grad for p in leaves]])
    for a, b in zip(*results, strict=True):
        assert a.tolist() == b.tolist()
    return results[1]


@agree
def test_a_second_derivative(t):
    x = leaf(t, [1.0, 2.0])
    with t.autograd.graph.save_on_cpu():
        g = t.autograd.grad((x.exp() * x).sum(), x, create_graph=True)[0]
    g.sum().backward()
    return g, x.grad


@agree
def test_writes_on_the_cpu(t):
    """A tensor on the CPU is not copied, and writes to it go unnoticed, as with all hooks."""
    x, n = leaf(t, [1.0, 2.0]), t.ones(2, dtype=t.float64, device="cpu")
    with t.autograd.graph.save_on_cpu():
        y = (x.cpu() * n).sum()
    n.mul_(5)
    y.backward()
    return x.grad


@agree
def test_options(t):
    x = leaf(t, [1.0, 2.0])
    with t.autograd.graph.save_on_cpu(False, "cpu"):
        y = (x * x).sum()
    y.backward()
    return x.grad, fails(TypeError, "string", t.autograd.graph.save_on_cpu, device_type=3)


@pytest.mark.parametrize("pin_memory", [False, True])
def test_where_what_is_saved_lies(pin_memory):
    with standin.activate():
        x = ag.ones(1000, device="cuda", requires_grad=True)
        with ag.autograd.graph.save_on_cpu(pin_memory=pin_memory):
            y = x.exp()
        place, kept = y.grad_fn._raw_saved_result.data
        assert (str(place), str(kept.device), kept.is_pinned()) == ("cuda:0", "cpu", pin_memory)
        assert y.grad_fn._saved_result.is_cuda
        y.sum().backward()
        assert x.grad.is_cuda
        assert x.grad.tolist() == y.tolist()


def test_the_device_has_its_memory_for_itself():
    """Of a chain of results only the last one stays there."""
    used = {}
    with standin.activate():
        for saved in (False, True):
            x = ag.ones(10_000, device="cuda", requires_grad=True)
            before = ag.cuda.memory_allocated()
            with ag.autograd.graph.save_on_cpu() if saved else ag.enable_grad():
                y = x
                for _ in range(10):
                    y = y.exp().sin()
            used[saved] = (ag.cuda.memory_allocated() - before) / x.nbytes
            y.sum().backward()
            del y, x
    assert used[True] <= 2
    assert used[False] >= 10


def test_a_hook_that_forgets_the_device():
    with standin.activate():
        x = ag.ones(3, device="cuda", requires_grad=True)
        with ag.autograd.graph.saved_tensors_hooks(lambda x: x.cpu(), lambda x: x):
            y = x.exp().sum()
        with pytest.raises(RuntimeError, match="a tensor on cpu in the place of one on cuda:0"):
            y.backward()
