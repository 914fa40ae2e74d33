"""What forward may return: tensors and other things, one twice, arguments as they are, and views."""

from collections import namedtuple

import pytest

from .agree import agree, fails, function, leaf

KINDS = {
    "nothing": lambda x: None,
    "number": lambda x: 5,
    "text": lambda x: "s",
    "list": lambda x: [x * 2],
    "empty": lambda x: (),
    "one": lambda x: (x * 2,),
    "list in tuple": lambda x: (x * 2, [x * 3]),
    "tuple in tuple": lambda x: (x * 2, (x * 3, 4)),
    "none first": lambda x: (None, x * 2),
    "dict": lambda x: {"a": x * 2},
}


@pytest.mark.parametrize("kind", KINDS)
@agree
def test_kinds(t, kind):
    """Tensors at the top get a history; all else passes through, tensors in it included."""
    seen, x = [], leaf(t, [1.0, 2.0])
    fn = function(t, lambda ctx, x: KINDS[kind](x), lambda ctx, *g: (seen.append(g), x.detach() * 5)[1])
    out = fn.apply(x)
    first = [o for o in (out if isinstance(out, tuple) else (out,)) if hasattr(o, "grad_fn")]
    if first and first[0].requires_grad:
        first[0].sum().backward()
    return type(out).__name__, out, fn.apply(x.detach()), seen, x.grad


Pair = namedtuple("Pair", "a b")


@agree
def test_named_tuples_become_tuples(t):
    fn = function(t, lambda ctx, x: Pair(x * 2, x * 3), lambda ctx, a, b: a + b)
    x = leaf(t, [1.0])
    return [type(fn.apply(v)).__name__ for v in (x, x.detach())], fn.apply(x)


@agree
def test_a_parameter_keeps_its_class(t):
    p = function(t, lambda ctx, x: t.nn.Parameter(x * 2), lambda ctx, g: g * 2).apply(leaf(t, [1.0]))
    return type(p).__name__, p.is_leaf, p.grad_fn.name()


@agree
def test_one_output_twice(t):
    """The last place counts."""

    def forward(ctx, x):
        y = x * 2
        return y, y

    seen, x = [], leaf(t, [1.0, 2.0])
    a, b = function(t, forward, lambda ctx, a, b: (seen.append((a, b)), a * 2 + b * 20)[1]).apply(x)
    (a + b).sum().backward()
    return a is b, a.output_nr, seen, x.grad


@agree
def test_an_argument_twice(t):
    seen, x = [], leaf(t, [1.0, 2.0])
    fn = function(t, lambda ctx, x: (x, x), lambda ctx, a, b: (seen.append((a, b)), a * 2 + b * 20)[1])
    a, b = fn.apply(x)
    (a + b * 3).sum().backward()
    return a is b, a is x, a.output_nr, b.output_nr, seen, x.grad, a._is_view()


@agree
def test_a_result_from_elsewhere_gets_this_history(t):
    w = leaf(t, [5.0, 6.0])
    v = w * 2
    x = leaf(t, [1.0, 2.0])
    y = function(t, lambda ctx, x: v, lambda ctx, g: g * 3).apply(x)
    y.sum().backward()
    return y is v, v.grad_fn.name(), x.grad, w.grad


# ---- which outputs have a derivative


def passing(t, forward, *args):
    """What comes out, and what backward gets for the sum of the first output with a history."""
    seen = []
    fn = function(t, forward, lambda ctx, *g: (seen.append(g), (t.full((2,), 7.0, dtype=t.float64), None))[1])
    out = fn.apply(*args)
    outs = out if isinstance(out, tuple) else (out,)
    live = [o for o in outs if getattr(o, "grad_fn", None) is not None]
    if live:
        live[0].sum().backward()
    tensors = [o for o in outs if hasattr(o, "grad_fn")]
    return [outs, seen, [o is args[0] for o in tensors], [o._is_view() for o in tensors]]


def frozen(make):
    """A forward that returns what `make(x)` gives, with the first of it marked."""

    def forward(ctx, *args):
        out = make(*args)
        ctx.mark_non_differentiable(out[0])
        return out

    return forward


WITHOUT = {
    "result": lambda x: (x * 3, x * 2),
    "argument": lambda x: (x, x * 2),
    "view": lambda x: (x[:1], x * 2),
    "rounded": lambda x: (x.round(), x * 2, x * 3, 5, None),
}


@pytest.mark.parametrize("source", ["leaf", "result", "plain"])
@pytest.mark.parametrize("kind", WITHOUT)
@agree
def test_outputs_marked_as_without_a_derivative(t, kind, source):
    x = leaf(t, [1.0, 2.0])
    given = {"leaf": x, "result": x * 1, "plain": x.detach()}[source]
    return passing(t, frozen(WITHOUT[kind]), given), x.requires_grad, x.grad


@agree
def test_all_outputs_marked(t):
    def forward(ctx, x):
        a, b = x * 2, x * 3
        ctx.mark_non_differentiable(a, b)
        return a, b

    return passing(t, forward, leaf(t, [1.0, 2.0]))


@agree
def test_outputs_of_other_dtypes(t):
    x = leaf(t, [1.0, 2.0])
    return [
        passing(t, lambda ctx, x: (x.argmax(), x > 1, x * 2), x),
        passing(t, lambda ctx, x: x.argmax(), x),
        passing(t, lambda ctx, x, i: (i, x * 2), x, t.tensor([1, 2])),
        x.grad,
    ]


@agree
def test_complex_outputs(t):
    x = leaf(t, [1.0, 2.0])
    z = function(t, lambda ctx, x: x * (1 + 2j), lambda ctx, g: (g * (1 - 2j)).real).apply(x)
    (z * z.conj()).real.sum().backward()
    return z, x.grad


@agree
def test_no_zeros_where_they_are_not_wanted(t):
    """`set_materialize_grads(False)`, and no zeros for marked outputs only."""
    x, seen = leaf(t, [1.0, 2.0]), []

    def none(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 2, x * 3, x.argmax(), None, 5

    def some(ctx, x):
        y = x.round()
        ctx._materialize_non_diff_grads = False
        ctx.mark_non_differentiable(y)
        return x * 2, y, x * 3

    for forward in (none, some):
        seen.append(passing(t, forward, x)[1])
    words = "set_materialize_grads"
    for bad in (1, None):
        wrong = function(t, lambda ctx, x, bad=bad: (ctx.set_materialize_grads(bad), x)[1], None)
        try:
            wrong.apply(x)
        except TypeError as error:
            seen.append(words in str(error))
    return seen


@agree
def test_marks_that_are_no_tensors(t):
    x = leaf(t, [1.0, 2.0])

    def marking(name, *what):
        return function(t, lambda ctx, x: (getattr(ctx, name)(*what), x * 2)[1], lambda ctx, g: g).apply

    return [
        fails(RuntimeError, "mark_dirty can only accept variables", marking("mark_dirty", 3), x),
        fails(RuntimeError, "mark_dirty can only accept variables", marking("mark_dirty", [x]), x * 1),
        fails(RuntimeError, "mark_non_differentiable only accepts variable", marking("mark_non_differentiable", 5), x),
        fails(RuntimeError, "mark_non_differentiable only accepts variable", marking("mark_non_differentiable", None), x),
        marking("mark_non_differentiable", t.ones(1))(x),
    ]  # fmt: skip


# ---- calls that are not recorded


@agree
def test_unrecorded_calls_require_nothing(t):
    """Whatever forward returns of that requires grad comes out detached."""
    x = leaf(t, [1.0, 2.0])

    def recorded_inside(ctx, z):
        with t.enable_grad():
            return x * 3

    def run(forward, given, on=False):
        with t.set_grad_enabled(on):
            y = function(t, forward, lambda ctx, g: g).apply(given)
        return y, y.requires_grad, y.is_leaf, y is given

    w = leaf(t, [3.0, 4.0])
    return [
        run(recorded_inside, x),
        run(recorded_inside, x.detach(), True),
        run(lambda ctx, x: x, x),
        run(lambda ctx, x: x, x * 1),
        run(lambda ctx, x: x, x.detach()),
        run(lambda ctx, x: x, x.detach(), True),
        run(lambda ctx, z: w, x.detach(), True),
        w.requires_grad,
    ]


# ---- views

CUSTOM = "This view was created inside a custom Function"
MULTI = "This view is the output of a function that returns multiple views"
NO_GRAD = "A view was created in no_grad mode"
LEAF = "a leaf Variable that requires grad"


def verdict(t, function):
    """The name of the history of what comes out, or which error it is."""
    try:
        out = function()
    except RuntimeError as error:
        kind = next(k for k in (NO_GRAD, CUSTOM, MULTI, LEAF) if k in str(error))
        name = str(error).partition(" is a view")[0] if "Output" in str(error)[:6] else ""
        return kind, name, "is being modified inplace" in str(error)
    return out.requires_grad, out.grad_fn and out.grad_fn.name()


FORWARDS = {
    "view": lambda t: lambda ctx, x: x.view(-1),
    "chain": lambda t: lambda ctx, x: x.view(-1)[:2],
    "two views": lambda t: lambda ctx, x: (x.view(-1), x[0]),
    "unbind": lambda t: lambda ctx, x: x.unbind(),
    "view and result": lambda t: lambda ctx, x: (x.view(-1), x * 2),
    "view and number": lambda t: lambda ctx, x: (x.view(-1), 5),
    "view and integer": lambda t: lambda ctx, x: (x.view(-1), x.argmax()),
    "argument": lambda t: lambda ctx, x: x,
    "argument and result": lambda t: lambda ctx, x: (x, x * 2),
    "detached": lambda t: lambda ctx, x: x.detach(),
    "Function": lambda t: function(t, lambda ctx, x: x.view(-1), lambda ctx, g: g, "Inner").apply,
    "recorded": lambda t: recorded_view(t),
}


def recorded_view(t):
    def forward(ctx, x):
        with t.enable_grad():
            return x.view(-1)

    return forward


@pytest.mark.parametrize("source", ["leaf", "result", "plain", "view", "no_grad view"])
@pytest.mark.parametrize("kind", FORWARDS)
@agree
def test_views(t, kind, source):
    """What comes out, and what becomes of a write to it, to its base, and to its siblings, recorded and
    not."""
    forward = FORWARDS[kind](t)
    fn = function(t, (lambda ctx, x: forward(x)) if kind == "Function" else forward, lambda ctx, *g: g[0], "Made")

    def made(on):
        x = leaf(t, [[1.0, 2.0], [3.0, 4.0]])
        b = {"leaf": lambda: x, "result": lambda: x * 1, "plain": x.detach, "view": lambda: (x * 1).view(4).view(2, 2),
             "no_grad view": lambda: (x * 1).view(2, 2)}  # fmt: skip
        with t.set_grad_enabled(source != "no_grad view"):
            base = b[source]()
        with t.set_grad_enabled(on):
            out = fn.apply(base)
        return base, [o for o in (out if isinstance(out, tuple) else (out,)) if hasattr(o, "grad_fn")]

    def written(on, recorded, pick, read):
        base, outs = made(on)
        target = base if pick is None else outs[pick]
        with t.set_grad_enabled(recorded):
            target.mul_(2)
        return outs[read] * 1

    seen = []
    for on in (True, False):
        base, outs = made(on)
        seen.append([(o, o._is_view(), o._base is base, o is base, o.is_leaf, o.output_nr) for o in outs])
        for recorded in (True, False):
            for pick in (None, *range(len(outs))):
                for read in range(len(outs)):
                    seen.append(verdict(t, lambda p=pick, r=read, w=recorded, on=on: written(on, w, p, r)))
    return seen


@agree
def test_views_of_views_from_a_function(t):
    """A view of an output that may not be written may not be written either."""
    b = leaf(t, [[1.0, 2.0], [3.0, 4.0]]) * 1
    v = function(t, lambda ctx, x: x.view(-1), lambda ctx, g: g.view(2, 2), "Made").apply(b)
    return v[:2].grad_fn.name(), verdict(t, lambda: v[:2].mul_(2))


@agree
def test_gradients_through_returned_views(t):
    """An argument and a view of it, both used, both once more differentiated."""
    x = leaf(t, [[1.0, 2.0], [3.0, 4.0]])
    same = function(t, lambda ctx, x: (x, x.view(-1)), lambda ctx, a, b: a * 3 + b.view(2, 2) * 5)
    a, b = same.apply(x * x)
    (g,) = t.autograd.grad((a * b.view(2, 2)).sum(), x, create_graph=True)
    return g, t.autograd.grad(g.sum(), x)
