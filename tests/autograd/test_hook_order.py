"""The order of hooks of all kinds, and what they are given, in every form of a pass."""

import pytest

from .agree import agree, fails, function, leaf
from .hooked import hook_all, node_of, numbers


def chain(t, log, retain):
    """x -> y -> z (y twice) -> s"""
    x = leaf(t, [1.0, 2.0])
    y = x * 3
    z = y * y
    tensors = x, y, z, z.sum()
    kept = [hook_all(t, v, name, log) for v, name in zip(tensors, "xyzs", strict=True)]
    for v in tensors:
        if retain:
            v.retain_grad()
    return tensors, kept


def ones(t):
    return t.ones(2, dtype=t.float64)


PASSES = {
    "backward": lambda t, x, y, z, s: s.backward(),
    "backward, recorded": lambda t, x, y, z, s: s.backward(create_graph=True),
    "backward twice": lambda t, x, y, z, s: (s.backward(retain_graph=True), s.backward())[0],
    "grad x": lambda t, x, y, z, s: t.autograd.grad(s, x),
    "grad x, recorded": lambda t, x, y, z, s: t.autograd.grad(s, x, create_graph=True),
    "grad y": lambda t, x, y, z, s: t.autograd.grad(s, y),
    "grad y, x": lambda t, x, y, z, s: t.autograd.grad(s, [y, x]),
    "grad x, z, y": lambda t, x, y, z, s: t.autograd.grad(s, [x, z, y]),
    "grad z, z": lambda t, x, y, z, s: t.autograd.grad(s, [z, z]),
    "grad s": lambda t, x, y, z, s: t.autograd.grad(s, [s]),
    "grad s, x": lambda t, x, y, z, s: t.autograd.grad(s, [s, x]),
    "grad of y": lambda t, x, y, z, s: t.autograd.grad(y, x, ones(t)),
    "grad y of s, y": lambda t, x, y, z, s: t.autograd.grad([s, y], [y], [None, ones(t)]),
    "grad x of x": lambda t, x, y, z, s: t.autograd.grad(x, x, ones(t)),
    "into x": lambda t, x, y, z, s: s.backward(inputs=[x]),
    "into y": lambda t, x, y, z, s: s.backward(inputs=[y]),
    "into y, x": lambda t, x, y, z, s: s.backward(inputs=[y, x]),
    "into x, x": lambda t, x, y, z, s: s.backward(inputs=[x, x]),
    "into y, y": lambda t, x, y, z, s: s.backward(inputs=[y, y]),
    "into s": lambda t, x, y, z, s: s.backward(inputs=[s]),
    "into y, recorded": lambda t, x, y, z, s: s.backward(inputs=[y], create_graph=True),
    "into y, then all": lambda t, x, y, z, s: (s.backward(inputs=[y], retain_graph=True), s.backward())[0],
    "from x": lambda t, x, y, z, s: x.backward(ones(t)),
    "from x and s": lambda t, x, y, z, s: t.autograd.backward([x, s], [ones(t), None]),
    "from s and s": lambda t, x, y, z, s: t.autograd.backward([s, s]),
}


@pytest.mark.parametrize("retain", [False, True], ids=["", "retained"])
@pytest.mark.parametrize("kind", PASSES)
@agree
def test_every_hook(t, kind, retain):
    log = []
    tensors, kept = chain(t, log, retain)
    result = PASSES[kind](t, *tensors)
    return log, numbers(result), [numbers(v.grad) for v in tensors], [v.retains_grad for v in tensors], len(kept)


@agree
def test_a_leaf_used_several_times(t):
    x, log = leaf(t, [1.0, 2.0]), []
    y = x * x + x
    kept = [hook_all(t, x, "x", log), hook_all(t, y, "y", log)]
    (y + x).sum().backward()
    return log, x.grad, len(kept)


@agree
def test_many_leaves(t):
    """h = w0 * w1 * w2 * w3 + w1"""
    log = []
    leaves = [leaf(t, [float(i)]) for i in range(4)]
    kept = [hook_all(t, w, f"w{i}", log) for i, w in enumerate(leaves)]
    h = leaves[0]
    for w in leaves[1:]:
        h = h * w
        kept.append(hook_all(t, h, "h", log))
    (h + leaves[1]).sum().backward()
    return log, len(kept)


@agree
def test_two_roots(t):
    x, log = leaf(t, [1.0]), []
    a, b = x * 2, x * 3
    kept = [hook_all(t, v, n, log) for v, n in ((a, "a"), (b, "b"), (x, "x"))]
    t.autograd.backward([a, b])
    return log, len(kept)


@agree
def test_hooks_of_the_old_value_stay_with_it(t):
    """b is hooked, written, and hooked again; v is a view that is written"""
    x, log = leaf(t, [1.0, 2.0, 3.0]), []
    b = x * 1
    hook_all(t, b, "b", log)
    b.mul_(3)
    hook_all(t, b, "b'", log)
    v = b[:2]
    hook_all(t, v, "v", log)
    v.mul_(5)
    hook_all(t, v, "v'", log)
    hook_all(t, b, "b''", log)
    (v.sum() + b.sum()).backward()
    return log, x.grad


@agree
def test_outputs_of_one_node(t):
    """b -> p, q, r of which r is not used"""
    x, log = leaf(t, [1.0, 2.0, 3.0]), []
    b = x * 1
    hook_all(t, b, "b", log)
    p, q, r = b.unbind()
    hook_all(t, p, "p", log)
    for v, name in ((q, "q"), (r, "r")):
        v.register_hook(lambda g, name=name: log.append((name, numbers(g))))
    (p * 2 + q * 3).backward()
    values = t.linalg.svd(leaf(t, [[2.0, 0.0], [0.0, 1.0]])).S
    hook_all(t, values, "s", log)
    values.sum().backward()
    return log, x.grad


@agree
def test_around_a_function(t):
    log = []
    Both = function(
        t,
        lambda ctx, a, b: (a * b, a + b),
        lambda ctx, g, h: (log.append(("backward", numbers(g), numbers(h))), (g * 2, None))[1],
    )
    x, y = leaf(t, [1.0]), leaf(t, [1.0])
    a, b = x * 1, y * 1
    p, q = Both.apply(a, b)
    kept = [hook_all(t, v, n, log) for v, n in ((a, "a"), (b, "b"), (y, "y"), (p, "p"))]
    q.register_hook(lambda g: log.append(("q", numbers(g))))
    p.sum().backward()
    return log, x.grad, y.grad, len(kept)


@agree
def test_a_branch_that_is_not_wanted_is_silent(t):
    log = []
    a, b = leaf(t, [1.0]) * 2, leaf(t, [1.0]) * 3
    hook_all(t, a, "a", log)
    hook_all(t, b, "b", log)
    t.autograd.grad((a + b).sum(), [a])
    return log


@agree
def test_after_hooks_of_recorded_passes(t):
    x, log = leaf(t, [1.0]), []

    def after(p):
        log.append((numbers(p.grad), p.grad.requires_grad, t.is_grad_enabled()))
        p.grad = None

    x.register_post_accumulate_grad_hook(after)
    (x**3).sum().backward(create_graph=True)
    (x**3).sum().backward()
    return log, x.grad


@agree
def test_hooks_on_recorded_gradients(t):
    x, log = leaf(t, [2.0]), []
    y = x * x
    y.register_hook(lambda g: (log.append((numbers(g), g.requires_grad)), g * x)[1])
    (g,) = t.autograd.grad((y * y).sum(), x, create_graph=True)
    g.sum().backward()
    return log, g.detach(), x.grad


@agree
def test_taking_hooks_away_during_the_pass(t):
    x, log, handles = leaf(t, [1.0]), [], []
    y = x * 2

    def first(grad):
        log.append("first")
        for handle in handles:
            handle.remove()

    y.register_hook(first)
    handles.append(y.register_hook(lambda g: log.append("tensor")))
    handles.append(y.grad_fn.register_prehook(lambda g: log.append("pre")))
    handles.append(y.grad_fn.register_hook(lambda a, b: log.append("post")))
    handles.append(x.register_hook(lambda g: log.append("leaf")))
    handles.append(x.register_post_accumulate_grad_hook(lambda p: log.append("after")))
    for _ in range(2):
        y.sum().backward(retain_graph=True)
        log.append("|")
    return log


@agree
def test_adding_hooks_during_the_pass(t):
    x, log = leaf(t, [1.0]), []
    y = x * 2
    z = y * 3

    def adding(grad):
        log.append("z")
        z.register_hook(lambda g: log.append("z, second"))
        z.grad_fn.register_prehook(lambda outs: log.append("z, pre"))
        z.grad_fn.register_hook(lambda ins, outs: log.append("z, post"))
        y.register_hook(lambda g: log.append("y"))
        y.grad_fn.register_hook(lambda ins, outs: log.append("y, post"))
        y.retain_grad()
        x.register_hook(lambda g: log.append("x"))
        x.register_post_accumulate_grad_hook(lambda p: log.append("after"))

    handle = z.register_hook(adding)
    z.sum().backward(retain_graph=True)
    handle.remove()
    log.append("|")
    z.sum().backward()
    return log, y.grad


@pytest.mark.parametrize("kind", ["tensor", "pre", "post", "leaf", "after"])
@agree
def test_a_hook_that_raises(t, kind):
    """What was done by then stays; the graph, and the hooks beside it, work on."""
    x, w, log = leaf(t, [1.0]), leaf(t, [2.0]), []
    y = x * 2
    z = y * w

    def bad(*_):
        raise KeyError(kind)

    w.register_hook(lambda g: log.append("w"))
    register = {
        "tensor": y.register_hook, "pre": y.grad_fn.register_prehook, "post": y.grad_fn.register_hook,
        "leaf": x.register_hook, "after": x.register_post_accumulate_grad_hook,
    }  # fmt: skip
    with register[kind](bad):
        fails(KeyError, kind, z.sum().backward, retain_graph=True)
    first = numbers(x.grad), numbers(w.grad)
    x.grad = w.grad = None
    z.sum().backward()
    return log, first, x.grad, w.grad


@agree
def test_hooks_of_a_leafs_node(t):
    x, log = leaf(t, [2.0]), []
    y = x * 3
    node = node_of(t, y).next_functions[0][0]
    node.register_hook(lambda ins, outs: log.append(("post", numbers(ins), numbers(outs), numbers(x.grad))))
    node.register_prehook(lambda outs: (log.append(("pre", numbers(outs))), (outs[0] * 2,))[1])
    y.sum().backward()
    return log, x.grad
