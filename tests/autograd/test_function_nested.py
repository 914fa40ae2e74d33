"""Functions in Functions, passes in backward, gradients that are not there, threads, and lifetimes."""

import gc
import threading
import weakref

import pytest

import autograd_gpu as ag

from .agree import agree, fails, function, leaf, on_host


def square(t):
    return function(t, lambda ctx, x: (ctx.save_for_backward(x), x * x)[1], lambda ctx, g: g * 2 * ctx.saved_tensors[0], "Square")


@agree
def test_a_graph_kept_inside(t):
    """Forward records a piece of its own, backward differentiates it."""
    inner, seen = square(t), []

    def forward(ctx, x):
        with t.enable_grad():
            z = x.detach().requires_grad_()
            y = inner.apply(z) * 3
        ctx.save_for_backward(z, y)
        seen.append((y.grad_fn.name(), inner.apply(x).requires_grad))
        return y.detach()

    def backward(ctx, g):
        z, y = ctx.saved_tensors
        with t.enable_grad():
            return t.autograd.grad(y, z, g)

    x = leaf(t, [1.0, 2.0])
    function(t, forward, backward, "Outer").apply(x).sum().backward()
    return seen, x.grad


@agree
def test_what_is_recorded_inside_is_replaced(t):
    inner = square(t)

    def forward(ctx, x):
        with t.enable_grad():
            return inner.apply(x)

    x = leaf(t, [1.0, 2.0])
    y = function(t, forward, lambda ctx, g: g * 10, "Outer").apply(x)
    y.sum().backward()
    return y.grad_fn.name(), x.grad


@agree
def test_a_function_in_itself(t):
    def forward(ctx, x, n):
        ctx.n = n
        return fn.apply(x, n - 1) if n else x * 2

    fn = function(t, forward, lambda ctx, g: (g * (3 if ctx.n else 2), None))
    x = leaf(t, [1.0])
    fn.apply(x, 3).backward()
    return x.grad


@agree
def test_second_derivatives_by_functions(t):
    """Backward calls Functions, which are recorded."""
    sq = square(t)
    cube = function(t, lambda ctx, x: (ctx.save_for_backward(x), x**3)[1], lambda ctx, g: g * 3 * sq.apply(ctx.saved_tensors[0]))
    x = leaf(t, [1.0, 2.0])
    (g,) = t.autograd.grad(cube.apply(x).sum(), x, create_graph=True)
    (h,) = t.autograd.grad(g.sum(), x, create_graph=True)
    return g, h, t.autograd.grad(h.sum(), x)


@agree
def test_passes_in_backward(t):
    x, w = leaf(t, [1.0, 2.0]), leaf(t, [3.0, 4.0])

    def backward(ctx, g):
        with t.enable_grad():
            (w * w).sum().backward()
            (a,) = t.autograd.grad((x * x * x).sum(), x)
        return g * a

    function(t, lambda ctx, x: x * 2, backward).apply(x * 1).sum().backward()
    return x.grad, w.grad


@agree
def test_a_pass_through_the_node_that_runs_it(t):
    def backward(ctx, g):
        seen.append(g)
        if len(seen) < 3:
            with t.enable_grad():
                t.autograd.backward(ctx.out(), retain_graph=True)
        return g * t.full((2,), 2.0, dtype=t.float64)

    seen, x = [], leaf(t, [1.0, 2.0])
    y = function(t, lambda ctx, x: x.sum() * 2, backward).apply(x)
    y.grad_fn.out = weakref.ref(y)
    y.backward(retain_graph=True)
    return seen, x.grad


@agree
def test_an_error_inside_that_is_caught(t):
    def bad(ctx, g):
        raise ValueError("inner")

    def careful(ctx, g):
        with t.enable_grad():
            fails(ValueError, "inner", function(t, lambda ctx, x: x * 2, bad).apply(w).sum().backward)
        return g * 5

    x, w = leaf(t, [1.0, 2.0]), leaf(t, [1.0])
    function(t, lambda ctx, x: x * 2, careful).apply(x * 1).sum().backward()
    return x.grad, w.grad


# ---- gradients that are not there


@pytest.mark.parametrize("shape", ["direct", "behind", "second", "beside", "shared", "both", "unmaterialized", "leaf"])
@agree
def test_none_goes_on(t, shape):
    """A backward that returns None: what lies behind runs with zeros, or None where it wants that."""
    log, x = [], leaf(t, [1.0, 2.0])

    def none(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 2

    stop = function(t, lambda ctx, x: x * 2, lambda ctx, g: None)
    one = function(t, lambda ctx, x: x * 2, lambda ctx, g: (log.append(g), g * 2)[1])
    two = function(t, lambda ctx, x: (x * 2, x * 3), lambda ctx, a, b: (log.append((a, b)), a)[1])
    raw = function(t, none, lambda ctx, g: (log.append(g), g)[1])
    y = one.apply(x)
    {
        "direct": lambda: stop.apply(y),
        "behind": lambda: stop.apply(y * 2),
        "second": lambda: stop.apply(two.apply(x)[1]),
        "beside": lambda: stop.apply(y * 2) + x,
        "shared": lambda: stop.apply(y) + y * 3,
        "both": lambda: y * 3 + stop.apply(y * 2),
        "unmaterialized": lambda: stop.apply(raw.apply(x)),
        "leaf": lambda: stop.apply(x),
    }[shape]().sum().backward()
    return log, x.grad


@agree
def test_grad_of_none(t):
    x = leaf(t, [1.0])
    stop = function(t, lambda ctx, x: x * 2, lambda ctx, g: None)
    words = "appears to not have been used in the graph"
    return [t.autograd.grad(stop.apply(x), x, allow_unused=True), fails(RuntimeError, words, t.autograd.grad, stop.apply(x), x),
            t.autograd.grad(stop.apply(x * 2), x, allow_unused=True, materialize_grads=True)]  # fmt: skip


@agree
def test_the_mode_that_backward_leaves_is_its_own(t):
    """What follows in the pass is recorded, or not, as the pass is."""
    seen, x = [], leaf(t, [1.0, 2.0])

    def leaving(on):
        return function(t, lambda ctx, x: x * 2, lambda ctx, g: (g * 2, t.set_grad_enabled(on))[0])

    (g,) = t.autograd.grad(leaving(False).apply(x * x).sum(), x, create_graph=True)
    look = function(t, lambda ctx, x: x * 2, lambda ctx, g: (seen.append(t.is_grad_enabled()), g)[1])
    leaving(True).apply(look.apply(x)).sum().backward()
    return g, t.autograd.grad(g.sum(), x), seen, x.grad


@agree
def test_gradients_that_nobody_asked_for_are_checked_too(t):
    x, y = leaf(t, [1.0, 2.0]), leaf(t, [1.0, 2.0])
    fn = function(t, lambda ctx, x, y: x * y, lambda ctx, g: (g, g[:1].expand(3)))
    words = "returned an invalid gradient at index 1 - got [3] but expected shape compatible with [2]"
    return [
        fails(RuntimeError, words, t.autograd.grad, fn.apply(x, y).sum(), x, create_graph=c) for c in (False, True)
    ]


@agree
def test_backward_finds_the_gradients_that_are_complete(t):
    """
    w -> + -> fn -> x: when fn runs, all that goes to w has arrived, and some of what goes to v
    """
    seen, x, w, v = [], leaf(t, [1.0]), leaf(t, [2.0]), leaf(t, [3.0])
    fn = function(t, lambda ctx, x: x * 2, lambda ctx, g: (seen.append((w.grad, v.grad is None)), g * 2)[1])
    (fn.apply(x * v) + w * 3 + v).backward()
    return seen, x.grad, w.grad, v.grad


@agree
def test_gradients_of_the_outputs_themselves(t):
    seen, x = [], leaf(t, [1.0, 2.0])
    fn = function(t, lambda ctx, x: (x * 2, x * 3), lambda ctx, a, b: (seen.append((a, b, a.requires_grad)), a * 2 + b * 3)[1])
    a, b = fn.apply(x)
    t.autograd.backward([a, b], [t.ones(2, dtype=t.float64), t.full((2,), 2.0, dtype=t.float64)])
    a, b = fn.apply(x)
    of_both = t.autograd.grad([a * b], [a, b], [t.ones(2, dtype=t.float64)])
    a, b = fn.apply(x)
    a.retain_grad()
    b.retain_grad()
    a.sum().backward()
    return seen, x.grad, of_both, a.grad, b.grad


@agree
def test_complex_and_real(t):
    x = leaf(t, [1.0, 2.0])
    z = t.tensor([1 + 1j, 2.0], dtype=t.complex128, requires_grad=True)
    real = function(t, lambda ctx, z: z * 1, lambda ctx, g: g.real)
    imag = function(t, lambda ctx, x: x * (1 + 0j), lambda ctx, g: g * (1 + 2j), "Fn")
    real.apply(z).abs().sum().backward()
    try:
        imag.apply(x).abs().sum().backward()
    except RuntimeError:
        return z.grad, "refused"


# ---- threads and lifetimes


@agree
@on_host
def test_threads(t):
    """Backward runs in the thread that asks for it."""
    fn, found, where = square(t), {}, []

    def work(i):
        x = leaf(t, [float(i)])
        for _ in range(20):
            fn.apply(x).sum().backward()
        found[i] = x.grad.item()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    here = function(t, lambda ctx, x: x * 2, lambda ctx, g: (where.append(threading.get_ident()), g)[1])
    here.apply(leaf(t, [1.0])).backward()
    return sorted(found.items()), where == [threading.get_ident()]


class Box:
    """Something to watch."""


def first(ctx, x):
    y = x * 2
    ctx.save_for_backward(x, y)
    return y


def two_saved(ctx, x):
    a, b = x * 2, x * 3
    ctx.save_for_backward(a, b)
    return a, b


def marked(ctx, x):
    y = x * 2
    ctx.mark_non_differentiable(y)
    ctx.save_for_backward(y)
    return x * 3, y


def kept_view(ctx, x):
    y = x * 2
    ctx.save_for_backward(y[:1])
    return y


FORWARDS = {
    "nothing": lambda ctx, x: x * 2,
    "an argument": lambda ctx, x: (ctx.save_for_backward(x), x * 2)[1],
    "its output": first,
    "its outputs": two_saved,
    "a marked output": marked,
    "a view of its output": kept_view,
    "the argument as attribute": lambda ctx, x: (setattr(ctx, "x", x), x * 2)[1],
    "returned argument": lambda ctx, x: x,
    "returned view": lambda ctx, x: x.view(-1),
    "names of ours": lambda ctx, x: (setattr(ctx, "op", "op"), x * 2)[1],
}


@pytest.mark.parametrize("passes", [0, 1, 2])
@pytest.mark.parametrize("kind", FORWARDS)
def test_ctx_dies_with_its_outputs(kind, passes):
    """Without the garbage collector: there is no cycle."""
    seen = []

    def forward(ctx, x):
        ctx.box = Box()
        seen.append(weakref.ref(ctx.box))
        return FORWARDS[kind](ctx, x)

    fn = function(ag, forward, lambda ctx, *g: (ctx.saved_tensors, g[0])[1])
    gc.collect()
    gc.disable()
    try:
        x = leaf(ag, [1.0, 2.0])
        out = fn.apply(x)
        y = out[0] if isinstance(out, tuple) else out
        for _ in range(passes):
            y.sum().backward(retain_graph=passes > 1)
        assert seen[0]() is not None
        watched = weakref.ref(x)
        del y, out, x
        assert seen[0]() is None and watched() is None
    finally:
        gc.enable()


def test_ctx_dies_at_once_where_nothing_is_recorded():
    seen = []

    def forward(ctx, x):
        ctx.box = Box()
        seen.append(weakref.ref(ctx.box))
        return x * 2

    fn = function(ag, forward, None)
    gc.disable()
    try:
        y = fn.apply(ag.ones(2))
        with ag.no_grad():
            z = fn.apply(leaf(ag, [1.0]))
        assert [s() for s in seen] == [None, None]
        assert not y.requires_grad and not z.requires_grad
    finally:
        gc.enable()


def test_one_output_keeps_the_node():
    fn = function(ag, lambda ctx, x: (x * 2, x * 3), lambda ctx, a, b: a + b)
    a, b = fn.apply(leaf(ag, [1.0]))
    node = weakref.ref(a.grad_fn)
    del a
    assert node() is not None
    del b
    assert node() is None


def test_memory_is_freed_by_the_pass():
    """What was saved, and the gradients."""
    watched = []

    def forward(ctx, x):
        inner = x.exp()
        watched.append(weakref.ref(inner._array))
        ctx.save_for_backward(inner)
        return x * 2

    def backward(ctx, g):
        watched.append(weakref.ref(g._array))
        return g * ctx.saved_tensors[0]

    y = function(ag, forward, backward).apply(leaf(ag, [1.0, 2.0]))
    assert watched[0]() is not None
    (y * 3).sum().backward()
    assert [w() for w in watched] == [None, None]
