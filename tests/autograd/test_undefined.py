"""Gradients that are not defined: None from Functions, outputs that nothing uses, and no copy of the only gradient."""

import pytest

import autograd_gpu as ag

from .agree import agree, fails, function, leaf
from .apart import where_gradients_wait  # noqa: F401


def nothing(t):
    """x -> x whose backward gives None."""
    return function(t, lambda ctx, x: x * 1, lambda ctx, g: None).apply


@agree
def test_none_runs_on_through_everything(t):
    """x -> a -> exp -> m -> b -> None: all hooks and backwards below run; a plain op's with None."""
    log = []

    def shown(g):
        return g if g is None else [None if p is None else p.tolist() for p in g] if isinstance(g, tuple) else g.tolist()

    def logged(name, materialize):
        def forward(ctx, x):
            ctx.set_materialize_grads(materialize)
            return x * 1

        return function(t, forward, lambda ctx, g: (log.append((name, shown(g))), g)[1]).apply

    x = leaf(t, [1.0, 2.0])
    bare = logged("bare", False)(x)
    m = bare.exp()
    tail = m * 3
    for name, v in (("x", x), ("bare", bare), ("m", m), ("tail", tail)):
        v.register_hook(lambda g, name=name: log.append((name, shown(g))))
    x.register_post_accumulate_grad_hook(lambda p: log.append(("after", p.grad)))
    m.grad_fn.register_prehook(lambda gs: log.append(("pre", shown(gs))))
    m.grad_fn.register_hook(lambda ins, outs: log.append(("post", shown(ins), shown(outs))))
    m.retain_grad()
    nothing(t)(tail).sum().backward(retain_graph=True)
    log.append((x.grad, m.grad))
    nothing(t)(logged("full", True)(tail)).sum().backward()
    return log, x.grad, m.grad, bare.grad


@agree
def test_none_beside_a_gradient(t):
    """Two ways to y: one gives None, early or late."""
    x, log = leaf(t, [1.0, 2.0]), []
    y = x * 2
    y.register_hook(lambda g: log.append(g if g is None else g.tolist()))
    early = nothing(t)(y)
    (y * 3 + early).sum().backward(retain_graph=True)
    late = y * 5
    (late + nothing(t)(y)).sum().backward(retain_graph=True)
    (nothing(t)(y) + nothing(t)(y) * 2).sum().backward(inputs=[x], retain_graph=True)
    return log, x.grad, t.autograd.grad((nothing(t)(y) + y).sum(), y)


@agree
def test_none_at_a_leaf(t):
    x, log = leaf(t, [1.0]), []
    x.register_hook(lambda g: log.append(g if g is None else g.tolist()))
    x.register_post_accumulate_grad_hook(lambda p: log.append(("after", p.grad)))
    nothing(t)(x).sum().backward()
    (nothing(t)(x) + x).sum().backward()
    (nothing(t)(x) + nothing(t)(x)).sum().backward()
    words = "appears to not have been used in the graph"
    return (
        log, x.grad, fails(RuntimeError, words, t.autograd.grad, nothing(t)(x).sum(), x),
        t.autograd.grad(nothing(t)(x).sum(), x, allow_unused=True),
        t.autograd.grad(nothing(t)(x).sum(), x, materialize_grads=True),
    )  # fmt: skip


@pytest.mark.parametrize("materialize", [True, False])
@agree
def test_outputs_that_are_not_used(t, materialize):
    log = []

    def forward(ctx, x):
        ctx.set_materialize_grads(materialize)
        return x * 1, x * 2, x.sum()

    def backward(ctx, *grads):
        log.append([g if g is None else g.tolist() for g in grads])
        return sum(g for g in grads if g is not None).expand(2)

    x = leaf(t, [1.0, 2.0])
    fn = function(t, forward, backward).apply
    fn(x)[0].sum().backward()
    fn(x)[2].backward()
    a, b, c = fn(x)
    b.register_hook(lambda g: log.append(g))
    (a * 2).sum().backward()
    a, b, c = fn(x)
    (c + a.sum()).backward()
    return log, x.grad


@agree
def test_hooks_of_outputs_that_got_nothing(t):
    """They run with None when the node does, in the order of their first registration."""
    x, log = leaf(t, [1.0, 2.0, 3.0]), []
    a, b, c = x.unbind()
    for name, v in (("c", c), ("a", a), ("b", b), ("c2", c)):
        v.register_hook(lambda g, name=name: log.append((name, g if g is None else g.item())))
    b.retain_grad()
    c.retain_grad()
    (a * c).backward(retain_graph=True)
    b.backward(retain_graph=True)
    words = "can't replace a None gradient with a non-None value"
    b.register_hook(lambda g: t.ones((), dtype=t.float64))
    return log, x.grad, b.grad, c.grad, fails(RuntimeError, words, a.backward)


@agree
def test_operations_with_outputs_that_are_not_used(t):
    x = leaf(t, [[1.0, 2.0], [5.0, 3.0]])
    return t.autograd.grad(x.chunk(2)[1].sum(), x), t.autograd.grad(x.max(0)[0][1], x)


@agree
def test_two_functions_that_give_none_and_then_one_that_does_not(t):
    x, w, log = leaf(t, [1.0]), leaf(t, [2.0]), []

    def half(ctx, g):
        log.append(g.tolist())
        return None, g * 2

    fn = function(t, lambda ctx, a, b: a + b, half).apply
    y = fn(x * 3, fn(x * 5, w))
    y.sum().backward()
    return log, x.grad, w.grad


@agree
def test_recorded_passes_with_none(t):
    x, w = leaf(t, [1.0, 3.0]), leaf(t, [2.0, 5.0])
    fn = function(t, lambda ctx, a, b: a * b, lambda ctx, g: (None, g * 3)).apply
    y = fn(x**2, w**2) * x
    gw, gx = t.autograd.grad(y.sum(), [w, x], create_graph=True)
    return gw, gx, t.autograd.grad(gw.sum(), [x, w], retain_graph=True), t.autograd.grad(gx.sum(), w, allow_unused=True)


def test_the_only_gradient_is_not_copied():
    """A Function hands its array to the next, and the last one's becomes `.grad`."""
    passed = []

    def backward(ctx, g):
        passed.append(g._array)
        out = g * 2
        passed.append(out._array)
        return out

    fn = function(ag, lambda ctx, x: x * 2, backward).apply
    x = ag.ones(1000, requires_grad=True)
    fn(fn(x)).sum().backward()
    assert passed[1] is passed[2]
    last = passed[3]
    passed.clear()
    assert x.grad._array is not last  # the log held it, so it was copied
    del last

    class Quiet(ag.autograd.Function):
        place = None

        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            out = g * 2
            Quiet.place = out._array.ctypes.data
            return out

    x.grad = None
    Quiet.apply(x).sum().backward()
    assert x.grad._array.ctypes.data == Quiet.place


@pytest.mark.parametrize("inputs", [False, True])
def test_the_only_gradient_of_an_operation_is_not_copied(inputs):
    """In a pass through large arrays nothing is allocated but the gradients themselves."""
    import tracemalloc

    x, w = ag.ones(500, 500, requires_grad=True), ag.ones(500, 500, requires_grad=True)
    y = (x @ w).sum()
    y.backward(inputs=[x, w] if inputs else None, retain_graph=True)
    x.grad = w.grad = None
    tracemalloc.start()
    y.backward(inputs=[x, w] if inputs else None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2.5 * x.nbytes
