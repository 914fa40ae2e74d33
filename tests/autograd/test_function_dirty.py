"""Functions that write into their arguments: whose history changes, what is counted, what is refused."""

import pytest

from .agree import agree, fails, function, leaf


def doubling(ctx, x):
    x.mul_(2)
    ctx.mark_dirty(x)
    return x


SOURCES = ["leaf", "view of leaf", "result", "view", "chain", "part", "no_grad view", "plain",
           "plain view", "detached", "integers"]  # fmt: skip


def source(t, kind):
    """(tensors whose history may change, the last of them to be written, the leaf)"""
    x = leaf(t, [1.0, 2.0, 3.0])
    b = x * 1
    if kind == "no_grad view":
        with t.no_grad():
            return [b, b[:2]], x
    return {
        "leaf": lambda: [x],
        "view of leaf": lambda: [x, x[:2]],
        "result": lambda: [b],
        "view": lambda: [b, b[1:], b[:2]],
        "chain": lambda: [b, b[1:], b[1:].view(2)[:1]],
        "part": lambda: [b, b.split(2)[0]],
        "plain": lambda: [x.detach()],
        "plain view": lambda: [b.detach()[:2]],
        "detached": lambda: [b.detach()],
        "integers": lambda: [t.tensor([1, 2])],
    }[kind](), x


def first_line(function):
    try:
        return function()
    except RuntimeError as error:
        words = ["a leaf Variable that requires grad", "This view is the output of a function", "cannot return more than one Tensor",
                 "in no_grad mode"]  # fmt: skip
        return [w for w in words if w in str(error)]


@pytest.mark.parametrize("kind", SOURCES)
@agree
def test_writes(t, kind):
    """Recorded, and not: identity, values, histories, versions, gradients."""
    fn = function(t, doubling, lambda ctx, g: g * 10, "Twice")
    seen = []
    for on in (True, False):
        tensors, x = source(t, kind)
        target = tensors[-1]
        with t.set_grad_enabled(on):
            out = first_line(lambda target=target: fn.apply(target))
        if kind == "no_grad view" and on:  # another of the two errors there are
            seen.append(isinstance(out, list))
            continue
        seen.append((out, out is target, target._version > 0))
        if isinstance(out, list):
            continue
        if kind in ("no_grad view", "part"):  # not to be read after the write
            continue
        seen.append([(v, v.grad_fn and v.grad_fn.name()) for v in tensors])
        if tensors[0].requires_grad:
            sum((v * v).sum() for v in tensors).backward()
            seen.append(x.grad)
    return seen


@agree
def test_the_version_counts_the_mark(t):
    """A mark counts as a write, since what forward does need not be an operation."""
    fn = function(t, lambda ctx, x: (ctx.mark_dirty(x), x)[1], lambda ctx, g: g)
    b = leaf(t, [1.0]) * 1
    fn.apply(b)
    p = t.ones(2)
    fn.apply(p)
    return b._version, p._version, b.grad_fn.name()


@agree
def test_a_saved_tensor_that_a_function_writes(t):
    """x**2 has saved what the Function then writes."""
    b = leaf(t, [1.0, 2.0]) * 1
    y = b**2
    function(t, doubling, lambda ctx, g: g * 2).apply(b)
    return fails(RuntimeError, "has been modified by an inplace operation", y.sum().backward)


@agree
def test_views_of_what_was_written_follow(t):
    """
    a -> b -> b[:2] = v, b[1:] = w;  v is doubled by a Function
    """
    a = leaf(t, [1.0, 2.0, 3.0])
    b = a * 1
    v, w = b[:2], b[1:]
    out = function(t, doubling, lambda ctx, g: g * 10, "Twice").apply(v)
    (w * t.tensor([1.0, 100.0], dtype=t.float64)).sum().backward()
    return out is v, v, w, b.grad_fn.name(), w.grad_fn.name(), v.grad_fn.name(), a.grad


@agree
def test_a_view_is_all_that_is_returned(t):
    words = "cannot return more than one Tensor"

    def returning(*more):
        return function(
            t, lambda ctx, x: (doubling(ctx, x), *[m(x) if callable(m) else m for m in more]), lambda ctx, *g: g[0] * 2
        )  # fmt: skip

    def mark(x):
        return x.detach().round()

    x = leaf(t, [1.0, 2.0])
    seen = [fails(RuntimeError, words, returning(m).apply, (x * 1)[:1]) for m in (mark, 5, None)]
    plain = returning(5).apply(x.detach()[:1])
    b = x * 1
    whole, number = returning(5).apply(b)
    (whole * 3).sum().backward()
    return seen, plain, whole is b, x.grad


@agree
def test_a_plain_tensor_that_gets_a_history(t):
    """Written with the values of one that requires grad; its views get it too."""

    def forward(ctx, x, y):
        x.add_(y)
        ctx.mark_dirty(x)
        return x

    fn = function(t, forward, lambda ctx, g: (g * 3, g * 5))
    z = t.zeros(3, dtype=t.float64)
    head, tail = z[:2], z[1:]
    y = leaf(t, [1.0, 2.0])
    out = fn.apply(head, y)
    (tail * 7 + z.sum()).sum().backward()
    return out is head, z, tail, z.grad_fn.name(), y.grad


@agree
def test_two_written_arguments(t):
    def forward(ctx, x, y):
        x.mul_(2)
        y.mul_(3)
        ctx.mark_dirty(x, y)
        return y, x

    a, b = leaf(t, [1.0]), leaf(t, [10.0])
    x, y = a * 1, b * 1
    p, q = function(t, forward, lambda ctx, gy, gx: (gx * 2, gy * 3)).apply(x, y)
    (p * q).sum().backward()
    return p is y, q is x, p.output_nr, q.output_nr, a.grad, b.grad


@agree
def test_written_and_returned_twice(t):
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x, x

    seen, a = [], leaf(t, [1.0, 2.0])
    x, y = function(t, forward, lambda ctx, p, q: (seen.append((p, q)), p * 2 + q * 20)[1]).apply(a * 1)
    (x + y).sum().backward()
    return x is y, x.output_nr, seen, a.grad


@agree
def test_written_and_without_a_derivative(t):
    """Comes out detached, whatever it was."""

    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        ctx.mark_non_differentiable(x)
        return x

    x = leaf(t, [1.0, 2.0])
    fn = function(t, forward, lambda ctx, g: g)
    seen = []
    for given in (x, x * 1, (x * 1)[:1], x.detach()):
        out = fn.apply(given)
        seen.append((out, out is given, out.requires_grad))
    return seen, x


@agree
def test_marks_that_cannot_be(t):
    x = leaf(t, [1.0, 2.0])
    words = "marked as dirty during the forward"
    lost = function(t, lambda ctx, x: (ctx.mark_dirty(x), x * 2)[1], lambda ctx, g: g)
    inner = function(t, lambda ctx, x: marked(ctx, x * 2), lambda ctx, g: g * 3)
    listed = function(t, lambda ctx, x: (setattr(ctx, "dirty_tensors", [x]), x)[1], lambda ctx, g: g)
    y = inner.apply(x)  # no argument, but returned: a result like any other
    y.sum().backward()
    return [
        fails(RuntimeError, words, lost.apply, x * 1),
        fails(RuntimeError, words, lost.apply, x.detach()),
        fails(RuntimeError, "dirty_tensors attribute is expected to be a tuple but is", listed.apply, x * 1),
        y, x.grad,
    ]  # fmt: skip


def marked(ctx, y):
    ctx.mark_dirty(y)
    return y


@agree
def test_saving_what_is_written(t):
    """As it is after the write, and as this node's output."""

    def forward(ctx, x):
        x.exp_()
        ctx.mark_dirty(x)
        ctx.save_for_backward(x)
        return x

    seen, a = [], leaf(t, [0.0, 1.0])
    fn = function(t, forward, lambda ctx, g: (seen.append(ctx.saved_tensors), g * ctx.saved_tensors[0])[1])
    b = a * 1
    y = fn.apply(b)
    (g,) = t.autograd.grad(y.sum(), a, create_graph=True)
    part = (a * 1)[:1]
    z = fn.apply(part)
    z.sum().backward()
    return y is b, g, t.autograd.grad(g.sum(), a), seen, a.grad


@agree
def test_second_derivatives_of_a_write_through_a_view(t):
    class Square(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x.clone())
            ctx.mark_dirty(x)
            return x.pow_(2)

        @staticmethod
        def backward(ctx, g):
            return g * 2 * ctx.saved_tensors[0]

    a = leaf(t, [1.0, 2.0, 3.0])
    b = a * a
    Square.apply(b[1:])
    (g,) = t.autograd.grad((b * b).sum(), a, create_graph=True)
    return g


@agree
def test_setup_context_marks_too(t):
    class Twice(t.autograd.Function):
        @staticmethod
        def forward(x, k):
            return x.mul_(k)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.mark_dirty(inputs[0])
            ctx.k = inputs[1]
            seen.append(output is inputs[0])

        @staticmethod
        def backward(ctx, g):
            return g * ctx.k, None

    seen, a = [], leaf(t, [1.0, 2.0])
    b = a * 1
    return Twice.apply(b[:1], 5.0), b, t.autograd.grad(b.sum(), a), seen
