"""Function in passes: modes, errors, recorded passes, passes inside passes, hooks, lifetime."""

import gc
import threading
import weakref

import pytest

import autograd_gpu as ag

from .agree import agree, fails, function, leaf


@agree
def test_without_grad_there_is_no_node(t):
    fn = function(t, lambda ctx, x: x * 2, lambda ctx, g: g)
    x = leaf(t, [1.0])
    with t.no_grad():
        a = fn.apply(x)
    b = fn.apply(x.detach())
    return a, b, a.grad_fn is None, b.grad_fn is None


@agree
def test_the_mode_inside(t):
    seen = []
    fn = function(t, lambda ctx, x: (seen.append(t.is_grad_enabled()), x * 2)[1],
                  lambda ctx, g: (seen.append((t.is_grad_enabled(), g.requires_grad)), g * 2)[1])  # fmt: skip
    x = leaf(t, [1.0])
    fn.apply(x).backward(retain_graph=True)
    fn.apply(x).backward(create_graph=True)
    return seen, t.is_grad_enabled()


@agree
def test_an_error_in_forward_restores_the_mode(t):
    fn = function(t, lambda ctx, x: 1 / 0, lambda ctx, g: g)
    fails(ZeroDivisionError, "division by zero", fn.apply, leaf(t, [1.0]))
    return t.is_grad_enabled()


@agree
def test_an_error_in_backward_keeps_its_type(t):
    fn = function(t, lambda ctx, x: x * 2, lambda ctx, g: {}["k"])
    x = leaf(t, [1.0])
    fails(KeyError, "k", fn.apply(x).backward)
    (x * 3).backward()
    return x.grad, t.is_grad_enabled()


@agree
def test_once_differentiable(t):
    """E51."""
    from importlib import import_module

    once = import_module(t.__name__ + ".autograd.function").once_differentiable

    class Double(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        @once
        def backward(ctx, grad):
            assert not t.is_grad_enabled()
            return grad * 2

    x = leaf(t, [1.0])
    y = Double.apply(x).sum()
    (g,) = t.autograd.grad(y, x, create_graph=True)
    z = Double.apply(x * x).sum()
    (h,) = t.autograd.grad(z, x, create_graph=True)
    seed = leaf(t, 1.0)
    (k,) = t.autograd.grad(Double.apply(x).sum(), x, seed, create_graph=True)
    return [
        g, h.requires_grad, k.requires_grad, fails(RuntimeError, "does not require grad and does not have a grad_fn", g.backward),
        fails(RuntimeError, "trying to differentiate twice a function", k.backward),
    ]  # fmt: skip


def nested(t):
    class Re(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x.detach())
            return x * x

        @staticmethod
        def backward(ctx, grad):
            (s,) = ctx.saved_tensors
            with t.enable_grad():
                z = s.detach().requires_grad_()
                (z * z).sum().backward()
            return grad * z.grad

    return Re


@agree
def test_a_pass_inside_backward(t):
    """E42."""
    x, w = leaf(t, [3.0]), leaf(t, [2.0])
    y = (nested(t).apply(x * w) * w).sum()
    y.backward()
    return x.grad, w.grad, t.is_grad_enabled()


@agree
def test_passes_inside_passes_200_deep(t):
    """E43."""

    class Re(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, n):
            ctx.n = n
            return x * 1

        @staticmethod
        def backward(ctx, g):
            if ctx.n > 0:
                with t.enable_grad():
                    Re.apply(leaf(t, [1.0]), ctx.n - 1).sum().backward()
            return g, None

    x = leaf(t, [1.0])
    Re.apply(x, 200).sum().backward()
    return x.grad


@agree
def test_functions_of_functions(t):
    double = function(t, lambda ctx, x: x * 2, lambda ctx, g: g * 2, "Double")
    outer = function(t, lambda ctx, x: double.apply(x) + 1, lambda ctx, g: double.apply(g), "Outer")
    x = leaf(t, [1.0])
    y = outer.apply(x)
    (g,) = t.autograd.grad(y, x, create_graph=True)
    return y, y.grad_fn.name(), g


@agree
def test_keyword_free_default_arguments(t):
    def forward(ctx, x, k=3):
        ctx.k = k
        return x * k

    fn = function(t, forward, lambda ctx, g: (g * ctx.k, None))
    x = leaf(t, [1.0])
    fn.apply(x).backward()
    fn.apply(x, 5).backward()
    return x.grad


@agree
def test_hooks_on_outputs_and_nodes(t):
    fn = function(t, lambda ctx, x: (x * 2, x * 3), lambda ctx, a, b: a * 2 + b * 3)
    x, log = leaf(t, [1.0]), []
    a, b = fn.apply(x)
    a.register_hook(lambda g: g * 10)
    a.retain_grad()
    a.grad_fn.register_hook(
        lambda ins, outs: log.append(([i.tolist() for i in ins], [o.tolist() for o in outs]))
    )
    (a + b).backward()
    return x.grad, log, a.grad


@agree
def test_attributes_of_ctx_live_on_the_node(t):
    fn = function(t, lambda ctx, x: (setattr(ctx, "tag", [1, 2]), x * 2)[1], lambda ctx, g: g * 2)
    y = fn.apply(leaf(t, [1.0]))
    y.grad_fn.more = 3
    return y.grad_fn.tag, y.grad_fn.more, y.grad_fn.needs_input_grad


@agree
def test_gradients_of_inputs_only_where_needed(t):
    log = []
    fn = function(
        t, lambda ctx, a, b: a * b, lambda ctx, g: (log.append(ctx.needs_input_grad), (g, g * 2))[1]
    )
    a, b = leaf(t, [1.0]), leaf(t, [1.0])
    return t.autograd.grad(fn.apply(a, b), a), len(log)


@agree
def test_broadcast_gradients_are_summed(t):
    fn = function(t, lambda ctx, a, b: a * b, lambda ctx, g: (g * 2, g * 3))
    a, b = leaf(t, [1.0, 2.0, 3.0]), leaf(t, [[1.0], [2.0]])
    fn.apply(a, b).sum().backward()
    return a.grad, b.grad


@agree
def test_gradients_are_cast(t):
    fn = function(t, lambda ctx, a: a.double(), lambda ctx, g: g * 2)
    a = leaf(t, [1.0], "float32")
    fn.apply(a).sum().backward()
    return a.grad


def test_ctx_makes_no_cycle():
    """E55: what forward keeps dies with the graph, without the garbage collector."""

    class Box:
        pass

    seen = []

    class Keep(ag.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.box = Box()
            seen.append(weakref.ref(ctx.box))
            y = x * 1
            ctx.save_for_backward(x, y)
            return y

        @staticmethod
        def backward(ctx, g):
            return g

    gc.collect()
    gc.disable()
    try:
        y = Keep.apply(leaf(ag, [1.0])).sum()
        y.backward()
        alive = seen[0]() is not None
        del y
        assert (alive, seen[0]() is not None) == (True, False)
    finally:
        gc.enable()


def test_a_failed_pass_inside_leaves_the_outer_thread_clean():
    class Bad(ag.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            with ag.enable_grad():
                z = leaf(ag, [1.0])
                (z * z).sum().backward()
                raise ValueError("inner")

    x = leaf(ag, [1.0])
    with pytest.raises(ValueError, match="inner"):
        Bad.apply(x).backward()
    found = []
    thread = threading.Thread(
        target=lambda: found.append(ag.autograd.grad((x * 2).sum(), x)[0].item())
    )
    thread.start()
    thread.join()
    assert found == [2.0]
