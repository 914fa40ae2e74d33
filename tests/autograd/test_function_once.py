"""once_differentiable: a backward that is not recorded, and the error that waits behind it."""

from .agree import agree, fails, function, leaf, works

WORDS = "trying to differentiate twice a function that was marked with @once_differentiable"


def once(t):
    from importlib import import_module

    return import_module(t.__name__ + ".autograd.function").once_differentiable


@agree
def test_first_derivatives(t):
    seen, x = [], leaf(t, [1.0, 2.0])
    fn = function(t, lambda ctx, x: x * 2, once(t)(lambda ctx, g: (seen.append(t.is_grad_enabled()), g * 2)[1]))
    fn.apply(x).sum().backward()
    (g,) = t.autograd.grad(fn.apply(x).sum(), x, create_graph=True)
    return seen, x.grad, g.requires_grad, fn.backward.__name__, t.is_grad_enabled()


@agree
def test_the_error_waits_in_the_second(t):
    """
    x -> double -> y;  grad(y, x, s) = s * 2 with a history of s, which is not known
    """
    x, s = leaf(t, [1.0, 2.0]), leaf(t, [1.0, 1.0])
    fn = function(t, lambda ctx, x: x * 2, once(t)(lambda ctx, g: g * 2))
    (g,) = t.autograd.grad(fn.apply(x), x, s, create_graph=True)
    node = g.grad_fn
    return [
        g, node.name(), [n.name() for n, _ in node.next_functions], fails(RuntimeError, WORDS, g.sum().backward),
        fails(RuntimeError, WORDS, (g * x).sum().backward), t.autograd.grad((g * x).sum(), x),
        fails(RuntimeError, "appears to not have been used in the graph", lambda: t.autograd.grad(g.sum(), s)),
        t.autograd.grad(g.sum(), s, allow_unused=True),
    ]  # fmt: skip


@agree
def test_through_what_lies_behind(t):
    x = leaf(t, [1.0, 2.0])
    fn = function(t, lambda ctx, x: x * 2, once(t)(lambda ctx, g: g * 2))
    (g,) = t.autograd.grad((fn.apply(x * x) ** 2).sum(), x, create_graph=True)
    return g, fails(RuntimeError, WORDS, g.sum().backward)


@agree
def test_several_gradients_have_one_error(t):
    x, y, s = leaf(t, [1.0]), leaf(t, [3.0]), leaf(t, [1.0])
    both = function(t, lambda ctx, x, y: (x * 2, y * 3), once(t)(lambda ctx, a, b: (a * 2, b * 3)))
    one = function(t, lambda ctx, x, y: (x * 2, y * 3), once(t)(lambda ctx, a, b: (a * 2, None)))
    gx, gy = t.autograd.grad(both.apply(x, y), [x, y], [s, s], create_graph=True)
    only = t.autograd.grad(one.apply(x, y), [x, y], [s, s], create_graph=True, allow_unused=True)
    return [gx, gy, gx.output_nr, gy.output_nr, gx.grad_fn is gy.grad_fn, fails(RuntimeError, WORDS, gy.sum().backward),
            fails(RuntimeError, WORDS, (gx + gy).sum().backward), only, fails(RuntimeError, WORDS, only[0].sum().backward)]  # fmt: skip


@agree
def test_called_by_hand(t):
    s, c = leaf(t, [1.0]), t.ones(1)
    o = once(t)
    with t.no_grad():
        quiet = o(lambda ctx, g: g * 2)(None, s)
    return [
        quiet, o(lambda ctx, g: g * 2)(None, c), o(lambda ctx, g, k=1: g * k)(None, s, k=3), o(lambda ctx, g: None)(None, s),
        o(lambda ctx, g: (None, g * 2))(None, s),
        fails(RuntimeError, "can require gradients", o(lambda ctx, g: g.long()), None, s),
        works(o(lambda ctx, g: 1 / 0), None, s), t.is_grad_enabled(),
    ]  # fmt: skip
