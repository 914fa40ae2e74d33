"""The order of a pass, by example: youngest node first, each leaf as soon as its gradient is complete."""

import gc

import pytest

import autograd_gpu as ag

from .agree import agree, fails, function, leaf
from .apart import where_gradients_wait  # noqa: F401


def logging(t, log, name, arguments=1, outputs=1):
    """A Function that logs its backward."""

    def forward(ctx, *xs):
        total = sum(xs[1:], xs[0] * 1)
        return total if outputs == 1 else tuple(total * k for k in range(1, outputs + 1))

    def backward(ctx, *grads):
        log.append(name)
        return (sum(grads[1:], grads[0]),) * arguments

    return function(t, forward, backward).apply


@agree
def test_reverse_of_creation_whatever_the_shape(t):
    """
        x -> a -+-> c -+-> e
        w -> b -+-> d -+      (d before c, b before a)
    """
    log = []
    x, w = leaf(t, [1.0]), leaf(t, [2.0])
    b = logging(t, log, "b")(w)
    a = logging(t, log, "a")(x)
    d = logging(t, log, "d", 2)(b, a)
    c = logging(t, log, "c", 2)(a, b)
    e = logging(t, log, "e", 2)(d, c)
    e.sum().backward(retain_graph=True)
    t.autograd.backward([a, e, d, e], [t.ones(1, dtype=t.float64)] * 4)
    return log, x.grad, w.grad


@agree
def test_a_leaf_is_served_as_soon_as_it_is_complete(t):
    log = []
    leaves = {n: leaf(t, [2.0]) for n in "xyz"}
    for name, v in leaves.items():
        v.register_hook(lambda g, name=name: log.append((name, g.tolist())))
        v.register_post_accumulate_grad_hook(lambda p, name=name: log.append((name, "after", p.grad.tolist())))
    x, y, z = leaves.values()
    first = logging(t, log, "first")
    a = first(x * y)
    b = logging(t, log, "second")(a * z)
    c = logging(t, log, "third")(b * y)
    t.autograd.backward([c.sum(), z, y], [None, *[t.ones(1, dtype=t.float64)] * 2], retain_graph=True)
    log.append("grad")
    t.autograd.grad(c.sum(), [x, z], retain_graph=True)
    log.append("inputs")
    c.sum().backward(inputs=[z, y])
    return log


@agree
def test_what_a_hook_sees_in_the_leaves(t):
    """Also of leaves without hooks of their own, read or set from a hook in the middle."""
    w, v, x, log = leaf(t, [1.0]), leaf(t, [2.0]), leaf(t, [3.0]), []
    y = x * 2

    def hook(grad):
        log.append([None if p.grad is None else p.grad.tolist() for p in (w, v, x)])
        w.grad = None
        with t.no_grad():
            v.grad.mul_(10)

    z = y * v
    y.register_hook(hook)
    ((z * w).sum() + w.sum()).backward(retain_graph=True)
    ((z * w).sum() + w.sum()).backward(inputs=[w, v, x])
    return log, w.grad, v.grad, x.grad


@agree
def test_hooks_of_one_tensor_and_its_node(t):
    x, log = leaf(t, [1.0, 2.0]), []
    y = x * 3

    def said(name, result=None):
        return lambda *args: (log.append(name), result)[1]

    y.grad_fn.register_hook(said("post 1"))
    y.grad_fn.register_prehook(said("pre 1"))
    y.register_hook(said("tensor 1"))
    y.register_hook(lambda g: (log.append(("kept by now", y.grad)), g * 2)[1])
    y.retain_grad()
    y.register_hook(lambda g: (log.append(("kept by now", y.grad)), g * 5)[1])
    y.grad_fn.register_prehook(lambda gs: (log.append(("pre 2", y.grad.tolist(), gs[0].tolist())), None)[1])
    y.grad_fn.register_hook(said("post 2"))
    handle = y.register_hook(said("never"))
    handle.remove()
    x.register_hook(said("leaf"))
    x.register_post_accumulate_grad_hook(said("after"))
    accumulator = y.grad_fn.next_functions[0][0]
    accumulator.register_prehook(said("accumulator pre"))
    accumulator.register_hook(said("accumulator post"))
    y.sum().backward()
    return log, y.grad, x.grad


@agree
def test_finished_gradients_remain_after_an_error(t):
    """Leaves that were complete keep theirs; what was under way is dropped; the next pass is whole.

        x -> y (hook fails) -> y * w -> * v -> loss
    """
    x, w, v = leaf(t, [3.0]), leaf(t, [2.0]), leaf(t, [5.0])
    y = x * 2
    handle = y.register_hook(lambda g: {}["missing"])
    loss = ((y * w) * v + v).sum()
    found = [fails(KeyError, "missing", loss.backward, retain_graph=True), x.grad, w.grad, v.grad]
    found = [g.clone() if hasattr(g, "clone") else g for g in found]
    fails(KeyError, "missing", loss.backward, retain_graph=True, inputs=[x, w])
    found += [x.grad, w.grad.clone(), v.grad.clone()]
    handle.remove()
    for p in (x, w, v):
        p.grad = None
    loss.backward()
    return found, x.grad, w.grad, v.grad


@agree
def test_an_error_where_the_leaf_is_not_complete(t):
    """w is used above and below the error: the half of its gradient that has come is dropped."""
    x, w = leaf(t, [3.0]), leaf(t, [2.0])
    y = x * w
    y.register_hook(lambda g: 1 / 0)
    fails(ZeroDivisionError, "division", (y * w).sum().backward)
    return x.grad, w.grad


@agree
def test_duplicate_roots_and_roots_of_roots(t):
    x, log = leaf(t, [1.0, 2.0]), []
    f = logging(t, log, "f", outputs=2)
    a, b = f(x)
    for name, v in (("b", b), ("a", a)):
        v.register_hook(lambda g, name=name: log.append((name, g if g is None else g.tolist())))
    one = t.ones(2, dtype=t.float64)
    t.autograd.backward([a, a, b, a * b], [one, one * 2, one * 3, one], retain_graph=True)
    t.autograd.backward([b.sum(), b.sum(), x], [None, None, one], retain_graph=True)
    found = t.autograd.grad([a, a, x], [x, a], [one, one, one])
    return log, x.grad, found


@pytest.mark.parametrize("recorded", [False, True])
@agree
def test_passes_are_deterministic(t, recorded):
    """The same numbers bit by bit, whatever else lives in memory."""
    x = leaf(t, [0.1, 0.7, -0.3])
    found = []
    for k in range(4):
        junk = [t.ones(k + 1) for _ in range(10 * k)]
        y = x
        for i in range(6):
            y = (y * x).tanh() + x.exp() * (0.1 * i)
        (g,) = t.autograd.grad(y.sum(), x, create_graph=recorded)
        found.append(g.tolist())
        del junk
        gc.collect(0)
    assert found == [found[0]] * 4
    return found[0]


def test_the_list_of_hooks_may_change_while_it_runs():
    """A hook that removes itself, and one that registers another."""
    x, log = leaf(ag, [1.0]), []
    y = x * 2

    def once(g):
        log.append("once")
        first.remove()
        y.register_hook(lambda g: log.append("late"))

    first = y.register_hook(once)
    y.register_hook(lambda g: log.append("always"))
    y.backward(retain_graph=True)
    y.backward()
    assert log == ["once", "always", "always", "late"]


@agree
def test_a_layer_serves_its_bias_first(t):
    """
        x, w1, b1 -> addmm -> relu -> addmm <- w2, b2      (b2, w2, then b1, x, w1: as of PyTorch's addmm,
                                                           so that buckets of gradients fill in its order)
    """
    log, one = [], t.nn.functional.linear
    shapes = {"x": (3, 2), "w1": (4, 2), "b1": (4,), "w2": (1, 4), "b2": (1,)}
    leaves = {n: t.ones(s, requires_grad=True) for n, s in shapes.items()}
    for name, v in leaves.items():
        v.register_post_accumulate_grad_hook(lambda p, name=name: log.append(name))
    x, w1, b1, w2, b2 = leaves.values()
    hidden = one(x, w1, b1)
    one(hidden.relu(), w2, b2).sum().backward()
    return log, hidden.grad_fn.next_functions[0][0].variable is b1, [v.grad for v in leaves.values()]
