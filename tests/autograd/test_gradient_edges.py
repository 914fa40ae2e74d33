"""Gradient edges: places in the graph that stand for tensors in `grad` and `backward`."""

import gc
import weakref

import pytest

import autograd_gpu as ag

from .agree import agree, fails, function, leaf


def edge(t, tensor):
    return t.autograd.graph.get_gradient_edge(tensor)


def net(t):
    """x -> z -> s, z used twice"""
    x = leaf(t, [1.0, 2.0])
    z = x * 3
    return x, z, (z * z).sum()


@agree
def test_what_an_edge_is(t):
    x, z, s = net(t)
    parts = leaf(t, [[1.0, 2.0], [3.0, 4.0]]).unbind()
    made = [edge(t, x), edge(t, z), edge(t, parts[1])]
    fields = made[0]._fields, t.autograd.graph.GradientEdge(z.grad_fn, 0).ownership_token
    return [(e.node.name(), e.output_nr, e.ownership_token) for e in made], fields, made[1].node is z.grad_fn


@agree
def test_edges_as_inputs_and_outputs(t):
    x, z, s = net(t)
    keep = {"retain_graph": True}
    grad, seed = t.autograd.grad, t.ones(2, dtype=t.float64)
    return (
        grad(s, edge(t, x), **keep),
        grad(s, [edge(t, z), z, x], **keep),
        grad(edge(t, s), edge(t, x), **keep),
        grad(edge(t, z), x, seed, **keep),
        grad([edge(t, z), s], [x, z], [seed, None], **keep),
        grad(s, t.autograd.graph.GradientEdge(z.grad_fn, 0), **keep),
        grad(t.autograd.graph.GradientEdge(s.grad_fn, 0), x, **keep),
        grad(edge(t, z), edge(t, z), seed, **keep),
        grad(s, edge(t, leaf(t, [1.0])), allow_unused=True, **keep),
    )


@agree
def test_edges_in_backward(t):
    x, z, s = net(t)
    found = []
    for call in (
        lambda: t.autograd.backward(edge(t, s), retain_graph=True),
        lambda: t.autograd.backward([edge(t, s), s], [t.tensor(2.0, dtype=t.float64), None], retain_graph=True),
        lambda: s.backward(inputs=[edge(t, x)], retain_graph=True),
        lambda: s.backward(inputs=edge(t, x), retain_graph=True),
        lambda: s.backward(inputs=[edge(t, z)], retain_graph=True),
    ):
        x.grad = None
        call()
        found.append(x.grad)
    return found, z.retains_grad


@agree
def test_edges_of_several_outputs(t):
    """w -> (p, q), each with an edge of its own"""
    w = leaf(t, [1.0, 2.0, 3.0, 4.0])
    p, q = w.split(2)
    s = (p * 2 + q * 3).sum()
    keep, seed = {"retain_graph": True}, t.ones(2, dtype=t.float64)
    by_hand = t.autograd.graph.GradientEdge(q.grad_fn, 1)
    return (
        t.autograd.grad(s, [edge(t, q), edge(t, p), q, w], **keep),
        t.autograd.grad(s, by_hand, **keep),
        t.autograd.grad(by_hand, w, seed, **keep),
        t.autograd.grad([by_hand, p.sum()], w, [seed, None], **keep),
    )


@agree
def test_hooks_run_at_edges(t):
    x, z, s = net(t)
    log = []
    x.register_hook(lambda g: log.append(("x", g.tolist())))
    z.register_hook(lambda g: log.append(("z", g.tolist())))
    t.autograd.grad(s, edge(t, z), retain_graph=True)
    t.autograd.grad(edge(t, z), edge(t, x), t.ones(2, dtype=t.float64))
    return log


@agree
def test_an_edge_of_a_function(t):
    Twice = function(t, lambda ctx, x: x * 2, lambda ctx, g: g * 2)
    x = leaf(t, [1.0, 2.0])
    y = edge(t, Twice.apply(x))
    return y.node.name(), t.autograd.grad(y, x, t.ones(2, dtype=t.float64))


@agree
def test_higher_order_through_edges(t):
    x = leaf(t, [2.0])
    y = x**3
    (g,) = t.autograd.grad(edge(t, y), edge(t, x), t.ones(1, dtype=t.float64), create_graph=True)
    return g, t.autograd.grad(g, edge(t, x))


@agree
def test_errors(t):
    x, z, s = net(t)
    three = t.ones(3, dtype=t.float64)
    grad, keep = t.autograd.grad, {"retain_graph": True}
    return (
        fails(RuntimeError, "does not require gradients", edge, t, t.ones(1)),
        fails(RuntimeError, "only for scalar outputs", grad, edge(t, z), x),
        fails(RuntimeError, "Mismatch in shape", grad, edge(t, z), x, three),
        fails(RuntimeError, "required to have the same dtype", grad, edge(t, z), x, t.ones(2, dtype=t.complex64)),
        fails(RuntimeError, "appears to not have been used", grad, s, edge(t, leaf(t, [1.0])), **keep),
        fails(RuntimeError, "materialize_grads cannot be used when the given input is a GradientEdge",
              grad, s, edge(t, leaf(t, [1.0])), materialize_grads=True, **keep),
        fails(RuntimeError, "Tensors or GradientEdges", grad, s, [3], **keep),
        fails(TypeError, "not iterable", grad, s, 3, **keep),
        fails(RuntimeError, "only for real scalar outputs", grad, edge(t, (x * 1j).sum()), x),
    )  # fmt: skip


def test_an_edge_by_hand_is_checked():
    """PyTorch ends the process here."""
    x, z, s = net(ag)
    at = ag.autograd.graph.GradientEdge
    with pytest.raises(IndexError, match="MulBackward0 has 1 output, so that there is no output 3"):
        ag.autograd.grad(at(z.grad_fn, 3), x, ag.ones(2))
    with pytest.raises(TypeError, match="not NoneType"):
        ag.autograd.grad(at(None, 0), x, ag.ones(2))


def test_an_edge_keeps_the_graph():
    x = leaf(ag, [2.0])
    y = (x * x).exp()
    kept = weakref.ref(y)
    found = edge(ag, y)
    (wanted,) = ag.autograd.grad(y, x, ag.ones(1, dtype=ag.float64), retain_graph=True)
    del y
    gc.collect()
    assert kept() is None
    (grad,) = ag.autograd.grad(found, x)  # the shape of `y`, one element, is known too
    assert grad.tolist() == wanted.tolist()


@agree
def test_other_arguments(t):
    x, _, s = net(t)
    seen = []
    s.backward(inputs={"x": x}, retain_graph=True)
    seen.append(x.grad)
    seen.append(t.autograd.grad(s, {"x": x}, retain_graph=True))
    from collections import OrderedDict

    one, keep = t.tensor(1.0, dtype=t.float64), {"retain_graph": True}
    seen.append(fails(TypeError, "must be a dict, not OrderedDict", s.backward, inputs=OrderedDict(x=x)))
    seen.append(fails(TypeError, "must be a dict, not OrderedDict", t.autograd.grad, s, OrderedDict(x=x)))
    seen.append(fails(RuntimeError, "cannot be empty", t.autograd.grad, s, {}))
    t.autograd.backward(s, grad_variables=one, **keep)
    seen.append(x.grad)
    seen.append(fails(RuntimeError, "both passed", t.autograd.backward, s, one, grad_variables=one, **keep))
    seen.append(t.autograd.grad(s, x, None, True, False, False, True))  # only_inputs, allow_unused
    seen.append(t.autograd.backward([]))
    return seen


def test_old_names_warn():
    x, _, s = net(ag)
    with pytest.warns(FutureWarning, match="grad_variables` is deprecated"):
        ag.autograd.backward(s, grad_variables=ag.tensor(1.0, dtype=ag.float64), retain_graph=True)
    with pytest.warns(FutureWarning, match="only_inputs argument is deprecated"):
        ag.autograd.grad(s, x, only_inputs=False)
