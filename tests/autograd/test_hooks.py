"""Hooks on tensors and nodes: what they are given, what they may replace, their order and their
removal.
"""

import pytest

import autograd_gpu as ag

from .agree import agree, fails, leaf


@agree
def test_a_hook_sees_and_replaces(t):
    x, seen = leaf(t, [1.0, 2.0]), []
    y = x * 3
    y.register_hook(lambda g: seen.append(g.clone()))
    y.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: seen.append(g.clone()))
    (y * 2).sum().backward()
    return seen, x.grad


@agree
def test_the_order_of_everything(t):
    """E37."""
    log = []
    x = leaf(t, [1.0])
    x.register_hook(lambda g: log.append(("t", g.tolist())))
    x.register_hook(lambda g: g * 2)
    x.register_post_accumulate_grad_hook(lambda p: log.append(("p", p.grad.tolist())))
    y = x * 3
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.sum().backward()
    return log, y.grad, x.grad


@agree
def test_retain_grad_comes_after_hooks_whenever_it_was_called(t):
    found = []
    for first in (True, False):
        y = leaf(t, [1.0]) * 3
        if first:
            y.retain_grad()
        y.register_hook(lambda g: g * 10)
        y.retain_grad()
        y.sum().backward()
        found.append(y.grad)
    return found


@agree
def test_handles_remove(t):
    x, log = leaf(t, [1.0]), []
    y = x * 3
    handles = [y.register_hook(lambda g, i=i: log.append(i)) for i in range(4)]
    handles[1].remove()
    handles[1].remove()
    y.sum().backward(retain_graph=True)
    with y.register_hook(lambda g: log.append("with")):
        y.sum().backward(retain_graph=True)
    handles[3].remove()
    y.sum().backward()
    return log


@agree
def test_a_hook_may_remove_itself_and_others(t):
    x, log, handles = leaf(t, [1.0]), [], []
    y = x * 3

    def once(grad):
        log.append("once")
        handles[0].remove()

    handles.append(y.register_hook(once))
    y.register_hook(lambda g: log.append("always"))
    for _ in range(2):
        y.sum().backward(retain_graph=True)
    return log


@agree
def test_hooks_on_a_leaf_run_once_with_the_whole_gradient(t):
    x, seen = leaf(t, [2.0]), []
    x.register_hook(lambda g: seen.append(g.clone()))
    (x * x + x * 3 + x).sum().backward()
    return seen, x.grad


@agree
def test_hooks_of_leaves_and_grad(t):
    """Tensor hooks of a captured leaf run; accumulation and its hook do not."""
    x, log = leaf(t, [2.0]), []
    x.register_hook(lambda g: g * 10)
    x.register_post_accumulate_grad_hook(lambda p: log.append("post"))
    y = x * 3
    y.register_hook(lambda g: g * 2)
    z = (y * y).sum()
    found = t.autograd.grad(z, y, retain_graph=True), t.autograd.grad(z, x, retain_graph=True)
    z.backward(inputs=[x, y])
    return found, x.grad, y.grad, log


@agree
def test_hooks_with_inputs(t):
    a, b, log = leaf(t, [1.0]), leaf(t, [2.0]), []
    for name, v in (("a", a), ("b", b)):
        v.register_hook(lambda g, name=name: log.append(name))
        v.register_post_accumulate_grad_hook(lambda p, name=name: log.append("post " + name))
    (a * b).sum().backward(inputs=[a])
    return log, a.grad, b.grad


@agree
def test_post_accumulate_hooks(t):
    x, log = leaf(t, [1.0]), []

    def step(p):
        with t.no_grad():
            p -= p.grad
        p.grad = None

    x.register_post_accumulate_grad_hook(step)
    handle = x.register_post_accumulate_grad_hook(lambda p: log.append(p is x))
    (x * 3).sum().backward()
    handle.remove()
    (x * 3).sum().backward()
    return x, x.grad, log


@agree
def test_hooks_before_and_after_a_write(t):
    x, log = leaf(t, [1.0, 2.0]), []
    y = x * 2
    y.register_hook(lambda g: log.append(("before", g.tolist())))
    y.mul_(5)
    y.register_hook(lambda g: log.append(("after", g.tolist())))
    (y * 3).sum().backward()
    return log, x.grad


@agree
def test_hooks_on_views(t):
    x, log = leaf(t, [1.0, 2.0, 3.0]), []
    b = x * 2
    v = b[:2]
    v.register_hook(lambda g: log.append(("old", g.tolist())))
    v.mul_(5)
    v.register_hook(lambda g: log.append(("new", g.tolist())))
    b.register_hook(lambda g: log.append(("base", g.tolist())))
    (v.sum() + (b * b).sum()).backward()
    return log, x.grad


@agree
def test_retain_grad_after_a_write(t):
    x = leaf(t, [1.0, 2.0, 3.0])
    found = []
    for write in (lambda b, v: b.mul_(3), lambda b, v: v.mul_(3), lambda b, v: None):
        b = x * 1
        v = b[:2]
        b.retain_grad()
        v.retain_grad()
        write(b, v)
        ((b**2).sum() + (v**3).sum()).backward()
        found.append((b.grad, v.grad, b.retains_grad, v.retains_grad))
    return found


@agree
def test_retain_grad(t):
    x = leaf(t, [1.0])
    y = x * 2
    y.retain_grad()
    y.retain_grad()
    x.retain_grad()
    (y * y).sum().backward(retain_graph=True)
    first = y.grad.clone()
    (y * 3).sum().backward()
    return [first, y.grad, x.grad, y.retains_grad, x.retains_grad, (x * 2).retains_grad,
            fails(RuntimeError, "can't retain_grad on Tensor", t.ones(1).retain_grad)]  # fmt: skip


@agree
def test_retain_grad_with_grad_and_inputs(t):
    x = leaf(t, [2.0])
    y = x * 2
    y.retain_grad()
    z = (y * y).sum()
    found = t.autograd.grad(z, x, retain_graph=True)
    kept = y.grad
    z.backward(inputs=[x], retain_graph=True)
    return found, kept, y.grad, t.autograd.grad(z, y), y.grad


@agree
def test_retained_gradients_with_create_graph(t):
    x = leaf(t, [2.0])
    y = x**2
    y.retain_grad()
    (y**2).sum().backward(create_graph=True)
    g = y.grad
    return g.detach(), t.autograd.grad(g.sum(), x)


@agree
def test_recorded_hooks(t):
    """What a hook computes in a recorded pass is part of the graph."""
    x = leaf(t, [2.0])
    y = x**2
    y.register_hook(lambda g: g * x)
    (g,) = t.autograd.grad((y * 3).sum(), x, create_graph=True)
    return g.detach(), t.autograd.grad(g.sum(), x)


@agree
def test_the_mode_in_hooks(t):
    x, log = leaf(t, [2.0]), []
    y = x**2
    y.register_hook(lambda g: log.append((t.is_grad_enabled(), g.requires_grad)))
    y.sum().backward(retain_graph=True)
    y.sum().backward(create_graph=True)
    with t.no_grad():
        (x * y).sum()
    return log


@pytest.mark.parametrize("branch", [0, 1])
def test_a_hook_that_writes_into_its_gradient(branch):
    """E26: PyTorch gives 20, since both branches hold the same buffer. The younger branch runs
    first, so a write in its hook would reach the other.
    """
    x = leaf(ag, [1.0])
    branches = x * 1, x * 1
    branches[branch].register_hook(lambda g: g.mul_(10) and None)
    (branches[0] + branches[1]).sum().backward()
    assert x.grad.tolist() == [11.0]


def test_a_hook_that_keeps_its_gradient():
    x, kept = leaf(ag, [1.0, 2.0]), []
    y = x * 1
    y.register_hook(kept.append)
    (y + x).sum().backward()
    x.grad.mul_(5)
    assert kept[0].tolist() == [1.0, 1.0]
