"""Passes with `inputs`: what is not needed does not run, and nothing is left behind in the graph."""

import warnings

import pytest

import autograd_gpu as ag
from autograd_gpu._ops.declare import REGISTRY, Array, op

from .agree import agree, fails, function, leaf
from .apart import where_gradients_wait  # noqa: F401


def counted(t, log, name, arguments=1):
    """A Function that logs its backward: the sum of its arguments."""

    def forward(ctx, *xs):
        return sum(xs[1:], xs[0] * 1)

    def backward(ctx, grad):
        log.append(name)
        return (grad,) * arguments

    return function(t, forward, backward).apply


@agree
def test_what_does_not_lead_to_an_input_does_not_run(t):
    """
        x -> a -> b --+-> z
        w -> c -> d --+
    """
    log = []
    x, w = leaf(t, [2.0]), leaf(t, [3.0])
    a, c = counted(t, log, "a")(x), counted(t, log, "c")(w)
    b, d = counted(t, log, "b")(a), counted(t, log, "d")(c)
    z = counted(t, log, "z", 2)(b, d).sum()
    for targets in ([x], [w], [a], [b, w], [c, d], [x, w], [a, x]):
        log.append([g.tolist() for g in t.autograd.grad(z, targets, retain_graph=True)])
    for v in (x, w):
        z.backward(inputs=[v], retain_graph=True)
        log.append((x.grad, w.grad))
    return log


def logging_op(log):
    """An op of three arrays whose formulas log their calls; it is in no table afterwards."""

    def f(xp, a: Array, b: Array, c: Array):
        return a * b + c

    made = op(where=(), name="logging_op_for_inputs")(f)
    del REGISTRY["logging_op_for_inputs"]
    made.derivative(
        a=lambda grad, b: log.append("a") or grad * b,
        b=lambda grad, a: log.append("b") or grad * a,
        c=lambda grad: log.append("c") or grad,
    )
    return made


@pytest.mark.parametrize("recorded", [False, True])
def test_formulas_of_unwanted_edges_are_not_called(recorded):
    log = []
    f = logging_op(log)
    a, b, c = (leaf(ag, [v, v]) for v in (2.0, 3.0, 5.0))
    row = leaf(ag, [7.0])
    for third in (c, row):  # with a row the node is one that also sums what was broadcast
        y = f(a, b, third)
        z = y.sum()
        expected = {"a": [3.0, 3.0], "b": [2.0, 2.0], "c": [1.0, 1.0] if third is c else [2.0]}
        tensors = {"a": a, "b": b, "c": third}
        for names in ("a", "b", "c", "ac", "cb", "abc"):
            log.clear()
            targets = [tensors[n] for n in names]
            found = ag.autograd.grad(z, targets, retain_graph=True, create_graph=recorded)
            assert sorted(log) == sorted(names)
            assert [g.tolist() for g in found] == [expected[n] for n in names]
        log.clear()
        z.backward(inputs=[y], retain_graph=True)
        assert log == []
        z.backward(inputs=[b])
        assert log == ["b"] and a.grad is None and third.grad is None
        with pytest.raises(RuntimeError, match="a second time"):
            ag.autograd.grad(y.sum(), b)


@agree
def test_hooks_of_what_is_not_needed_do_not_run(t):
    x, w, log = leaf(t, [2.0]), leaf(t, [3.0]), []
    a, b = x * 2, w * 3
    z = (a * b).sum()
    for name, v in (("x", x), ("w", w), ("a", a), ("b", b)):
        v.register_hook(lambda g, name=name: log.append(name))
    b.grad_fn.register_prehook(lambda g: log.append("pre b"))
    b.grad_fn.register_hook(lambda i, o: log.append("post b"))
    w.register_post_accumulate_grad_hook(lambda p: log.append("after w"))
    x.register_post_accumulate_grad_hook(lambda p: log.append("after x"))
    b.retain_grad()
    for targets in ([x], [a], [w], [b], [b, w]):
        log.append(t.autograd.grad(z, targets, retain_graph=True)[0].tolist())
    log.append(b.grad.tolist())
    for targets in ([x], [w], [x, w], [a]):
        z.backward(inputs=targets, retain_graph=True)
        log.append((a.retains_grad, [None if v.grad is None else v.grad.tolist() for v in (x, w, b)]))
    return log


@agree
def test_what_is_captured_where_there_are_hooks(t):
    """A tensor that leads to another input is captured before its hooks, a last one after them."""
    x = leaf(t, [2.0])
    y = x * 2
    y.register_hook(lambda g: g * 10)
    y.grad_fn.register_prehook(lambda gs: (gs[0] * 7,))
    z = y.sum()
    return [
        t.autograd.grad(z, [y, x], retain_graph=True),
        t.autograd.grad(z, [y], retain_graph=True),
        t.autograd.grad(z, [x], retain_graph=True),
        z.backward(inputs=[y], retain_graph=True),
        y.grad,
    ]


@agree
def test_an_input_that_is_a_root(t):
    x = leaf(t, [2.0, 3.0])
    y = x * 2
    one, z = t.ones_like(y), (y * x).sum()
    found = [
        t.autograd.grad(y, [y, x], one, retain_graph=True),
        t.autograd.grad(x, x, one * 3),
        t.autograd.grad([y, z], [y, x, z], [one, None], retain_graph=True),
        t.autograd.grad([y, y], y, [one, one * 2], retain_graph=True),
        t.autograd.grad([x, y], x, [one, one], retain_graph=True),
    ]
    t.autograd.backward([y, z], [one, None], inputs=[y, x], retain_graph=True)
    return found, x.grad, y.grad


@agree
def test_inputs_given_twice(t):
    x = leaf(t, [2.0, 3.0])
    y = x * 2
    z = (y * x).sum()
    found = t.autograd.grad(z, [x, x, y, y, x], retain_graph=True)
    z.backward(inputs=[x, x, y, y])
    x.grad.mul_(1)
    return found, x.grad, y.grad


@agree
def test_outputs_of_several(t):
    """x -> unbind -> a, b, c;  c is not used."""
    x = leaf(t, [2.0, 3.0, 4.0])
    a, b, c = x.unbind()
    y = a * b
    return [
        t.autograd.grad(y, [a], retain_graph=True),
        t.autograd.grad(y, [b, a], retain_graph=True),
        t.autograd.grad(y, [b, x], retain_graph=True),
        t.autograd.grad(y, [c, a], retain_graph=True, allow_unused=True),
        t.autograd.grad(y, [c, x], retain_graph=True, allow_unused=True),
        fails(RuntimeError, "appears to not have been used in the graph", t.autograd.grad, y, [a, c], retain_graph=True),
        t.autograd.grad(y + 0 * b, [c], retain_graph=True, allow_unused=True, materialize_grads=True),
        y.backward(inputs=[a, c], retain_graph=True),
        a.grad, c.grad, x.grad,
    ]  # fmt: skip


@agree
def test_views_and_writes_between(t):
    x, w = leaf(t, [1.0, 2.0, 3.0]), leaf(t, [5.0])
    b = x * 2
    v = b[1:]
    v.mul_(w)
    z = (b * b).sum()
    return [
        t.autograd.grad(z, x, retain_graph=True),
        t.autograd.grad(z, w, retain_graph=True),
        t.autograd.grad(z, [b, w], retain_graph=True),
        t.autograd.grad(z + v.sum(), [v, x], retain_graph=True),
    ]


def neighbours(tensors):
    """What the graph looks like, as far as one can walk."""
    order = [v.grad_fn for v in tensors]
    for node in order:
        order += [n for n, _ in node.next_functions if n is not None and n not in order]
    return [(n.name(), [m if m is None else id(m) for m, _ in n.next_functions]) for n in order]


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("place", ["tensor", "function", "capture", "nothing"])
def test_the_graph_is_as_before(place, recorded):
    """After the pass, after an error in it, and while its hooks run."""
    x, w, seen = leaf(ag, [2.0]), leaf(ag, [3.0]), []

    def boom(*_):
        seen.append(neighbours([z]))
        if place != "nothing":
            raise KeyError("here")

    fn = function(ag, lambda ctx, x: x * 1, lambda ctx, g: boom() or g).apply
    a = fn(x * w) if place == "function" else x * w
    z = (a * w + a * x).sum()
    if place in ("tensor", "nothing"):
        a.register_hook(boom)
    if place == "capture":
        x.register_hook(boom)
    before = neighbours([z])
    try:
        ag.autograd.grad(z, x, retain_graph=True, create_graph=recorded)
    except KeyError:
        assert place != "nothing"
    assert seen == [before] and neighbours([z]) == before
    if place == "nothing":
        assert ag.autograd.grad(z, w, retain_graph=True)[0].item() == 2 * 2.0 * 3.0 + 4.0


@agree
def test_second_derivatives_through_a_pass_with_inputs(t):
    x, w = leaf(t, [0.5, 2.0]), leaf(t, [1.5, 3.0])
    h = (x * w).exp()
    z = (h * x).sum() + (w**3).sum()
    gx, gh = t.autograd.grad(z, [x, h], create_graph=True)
    gw = t.autograd.grad(gx.sum() + (gh**2).sum(), [w, x], retain_graph=True)
    (gx.sum() * 2).backward(inputs=[w], retain_graph=True)
    x.grad = None
    z.backward(inputs=[x], create_graph=True)
    return gw, w.grad, t.autograd.grad(x.grad.sum(), [w, x])


@agree
def test_what_a_pass_without_keeping_frees(t):
    """Only the nodes that ran: the other branch can still be used."""
    x, w = leaf(t, [2.0]), leaf(t, [3.0])
    a, b = x.exp(), w.exp()
    z = a.sum() + b.sum()
    return [
        t.autograd.grad(z, x),
        fails(RuntimeError, "a second time", t.autograd.grad, a.sum(), x),
        t.autograd.grad(b.sum(), w),
    ]


@agree
def test_edges_as_inputs(t):
    edge = t.autograd.graph.get_gradient_edge
    x, w = leaf(t, [2.0, 5.0]), leaf(t, [3.0, 1.0])
    a, b = (x * w).unbind()
    z = a * b
    return [
        t.autograd.grad(z, [edge(a), edge(x)], retain_graph=True),
        t.autograd.grad(edge(z), [edge(b), w], retain_graph=True),
        t.autograd.grad([edge(z), edge(z)], edge(b), [None, t.tensor(2.0, dtype=t.float64)], retain_graph=True),
        z.backward(inputs=[edge(x), edge(a)], retain_graph=True),
        x.grad, w.grad,
    ]  # fmt: skip


@agree
def test_containers(t):
    x, w = leaf(t, [2.0]), leaf(t, [3.0])

    def again():
        return (x * w).sum()

    return [
        t.autograd.grad(again(), (v for v in (x, w))),
        t.autograd.grad(iter([again()]), [w]),
        again().backward(inputs=x),
        again().backward(inputs=(w,)),
        again().backward(inputs={"a": x}),
        x.grad, w.grad,
    ]  # fmt: skip


@agree
def test_errors_change_nothing(t):
    x, w = leaf(t, [2.0, 1.0]), leaf(t, [3.0, 1.0])
    plain, y = t.ones(2, dtype=t.float64), x * w

    def no(kind, words, f, *args, **kwargs):
        return fails(kind, words, f, *args, **kwargs)

    grad, backward, z = t.autograd.grad, t.autograd.backward, y.sum()
    return [
        no(RuntimeError, "cannot be empty", backward, z, inputs=[]),
        no(RuntimeError, "cannot be empty", grad, z, ()),
        no(RuntimeError, "all inputs have to be Tensors or GradientEdges, but got int", grad, z, [3]),
        no(RuntimeError, "all inputs have to be Tensors or GradientEdges, but got str", backward, z, inputs=[x, "x"]),
        no(RuntimeError, "does not require grad", grad, z, [x, plain]),
        no(RuntimeError, "can't retain_grad on Tensor that has requires_grad=False", backward, z, inputs=[plain]),
        no(RuntimeError, "only for scalar outputs", grad, y, x),
        no(RuntimeError, "Mismatch in shape", grad, y, x, t.ones(3, dtype=t.float64)),
        no(RuntimeError, "required to have the same dtype", grad, y, x, t.ones(2, dtype=t.complex128)),
        no(TypeError, "not iterable", grad, z, 3),
        no(TypeError, "not iterable", backward, 3),
        no(RuntimeError, "appears to not have been used", grad, [], [x]),
        no(ValueError, "Expected allow_unused to be True", grad, z, x, allow_unused=False, materialize_grads=True),
        backward([]), backward([], []),
        x.grad, w.grad, y.retains_grad,
        z.backward(), x.grad, w.grad,
    ]  # fmt: skip


def test_several_gradients_too_few():
    """As in PyTorch; the words say how many there were."""
    x = leaf(ag, [2.0])
    with pytest.raises(RuntimeError, match="got 2 tensors and 1 gradients"):
        ag.autograd.grad([x * 1, x * 2], x, [ag.ones(1, dtype=ag.float64)])
    with pytest.raises(RuntimeError, match="got 1 tensors and 2 gradients"):
        ag.autograd.backward([x * 1], [None, None])


def test_batched_gradients_are_refused_before_anything_runs():
    x, log = leaf(ag, [2.0, 1.0]), []
    y = counted(ag, log, "y")(x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(NotImplementedError, match="is_grads_batched"):
            ag.autograd.grad(y, x, ag.eye(2, dtype=ag.float64), is_grads_batched=True)
    assert not log
    assert ag.autograd.grad(y.sum(), x)[0].tolist() == [1.0, 1.0]
