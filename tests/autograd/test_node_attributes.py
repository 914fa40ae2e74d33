"""Nodes as programs see them: kinds, metadata, forms of outputs, calls; and what the graph's module offers."""

import gc

import numpy as np
import pytest

import autograd_gpu as ag

from .agree import agree, fails, function, leaf, works
from .hooked import node_of


def forms(node):
    return [(list(m.shape), str(m.dtype), m.is_nested_tensor, m.is_cpp_nested_tensor) for m in node._input_metadata]


@agree
def test_kinds(t):
    Node = t.autograd.graph.Node
    Own = function(t, lambda ctx, x: x * 2, lambda ctx, g: g * 2, "Own")
    x = leaf(t, [1.0])
    y, z = x * 2, Own.apply(x)
    end = node_of(t, x)
    found = [isinstance(n, Node) for n in (y.grad_fn, z.grad_fn, end, x, None)]
    found += [issubclass(type(y.grad_fn), Node), isinstance(z.grad_fn, Own._backward_cls), repr(end)[:16], repr(y.grad_fn)[:14]]
    for n in (y.grad_fn, z.grad_fn, end):
        n.register_hook(lambda *_: None)
        n.metadata["a"] = 1
        found += [isinstance(n, Node), type(n).__name__, n.name(), n.requires_grad]
    return [*found, isinstance(z.grad_fn, Own._backward_cls), end.next_functions, end.variable is x]


@agree
def test_metadata(t):
    x = leaf(t, [1.0])
    y = x * 2
    y.grad_fn.metadata["a"] = [1]
    y.grad_fn.metadata["a"].append(2)
    other = (x * 2).grad_fn.metadata
    end = node_of(t, x)
    end.metadata["end"] = True
    y.sum().backward()
    return y.grad_fn.metadata, other, node_of(t, x).metadata, works(setattr, y.grad_fn, "metadata", {}), x.grad


@agree
def test_forms_of_outputs(t):
    x = leaf(t, [[1.0, 2.0], [3.0, 4.0]])
    f = leaf(t, [1.0, 2.0], "float32")
    write = x * 1
    write[0] = 1.0
    Two = function(t, lambda ctx, a: (a * 2, a.sum()), lambda ctx, g, h: g * 2)
    made = [
        x * 3, x.exp(), x.sum(), x.sum(1), x + f, f * f, x.unbind()[0], x.max(0).values, x.t(), x @ x, write,
        x.mean(0, True), x.double().float(), t.linalg.svd(x).S, Two.apply(x)[0], x.view(4), x[0], x.relu(),
    ]  # fmt: skip
    return [forms(y.grad_fn) for y in made], forms(node_of(t, x)), forms(node_of(t, f))


@agree
def test_forms_where_the_tensor_is_gone(t):
    """x -> exp -> (+ 1) -> s; x -> neg -> (* 2): sizes are known from neighbours too."""
    x = leaf(t, [[1.0, 2.0], [3.0, 4.0]])
    s = (x.exp() + 1).sum()
    product = -x * x
    gc.collect()
    add = s.grad_fn.next_functions[0][0]
    return forms(add), forms(add.next_functions[0][0]), forms(product.grad_fn.next_functions[0][0])


def test_a_form_that_nothing_tells():
    """PyTorch's nodes always keep it."""
    y = leaf(ag, [[1.0, 2.0]]).sum(1).sin()
    assert forms(y.grad_fn.next_functions[0][0]) == [([1], "torch.float64", False, False)]  # `sin` has kept it
    node = ag.stack([leaf(ag, [1.0, 2.0]).sum(0, True)]).grad_fn.next_functions[0][0]
    with pytest.raises(RuntimeError, match="SumBackward1: the shape of its output is not known"):
        forms(node)


@agree
def test_calling_a_node(t):
    x, w = leaf(t, [1.0, 2.0]), leaf(t, [3.0, 4.0])
    y = x * w
    log = []
    y.grad_fn.register_hook(lambda *_: log.append("hooks do not run"))
    g = leaf(t, [1.0, 1.0])
    twice = y.grad_fn(g)
    end = node_of(t, x)
    p = (x * 1).unbind()[0].grad_fn
    one = t.tensor(1.0, dtype=t.float64)
    found = (
        [v.detach() for v in twice], [v.requires_grad for v in twice], y.grad_fn(None), (x * 3).grad_fn(t.ones(2, dtype=t.float64)),
        end(t.ones(2, dtype=t.float64)), end(t.ones(2, dtype=t.float64)), p(one, one * 2), p(one, None),
    )  # fmt: skip
    with t.no_grad():
        quiet = y.grad_fn(t.ones(2, dtype=t.float64))
    words = (
        fails(TypeError, "expected 1 arguments, got 0", y.grad_fn), fails(TypeError, "argument 0 is not a Variable", y.grad_fn, 3),
    )  # fmt: skip
    return found, quiet, x.grad.detach(), log, words


@agree
def test_increment_version(t):
    bump = t.autograd.graph.increment_version
    a = t.ones(2)
    b = a.detach()
    found = [bump(a), a._version, bump([a, b]), a._version, bump(v for v in (a[0],)), a._version, bump([]), a._version]
    data = a.data
    bump(data)
    found += [a._version, data._version]
    with t.inference_mode():
        silent = t.ones(1)
    found.append(bump(silent))
    x = leaf(t, [1.0])
    w = t.ones(1, dtype=t.float64)
    y = x * w
    bump(w)
    return found, fails(RuntimeError, "modified by an inplace operation", y.backward), fails(
        RuntimeError, "expect a Iterable[Tensor]", bump, 3
    ), fails(RuntimeError, "expects each element of the iterable to be a tensor", bump, [3])  # fmt: skip


@agree
def test_switches_of_streams(t):
    graph, found = t.autograd.graph, []
    for switch in (graph.set_warn_on_accumulate_grad_stream_mismatch, graph.set_override_stale_capture_stream):
        found += [switch(True), switch(False)]
        found.append(fails(RuntimeError, "enabled must be a bool, but got int", switch, 1))
    return found


@agree
def test_a_compilers_setting_is_refused(t):
    return fails(RuntimeError, "region_activation_memory_budget can only be used inside a",
                 t.autograd.graph.region_activation_memory_budget, 0.5)  # fmt: skip


def turned(relaxed):
    """The gradient of a leaf, where one arrives that lies column by column and is nobody else's."""
    Columns = function(
        ag, lambda ctx, x: x * 2, lambda ctx, g: ag.from_numpy(np.asfortranarray(np.array(g.numpy() * 2))), "Columns"
    )
    x = leaf(ag, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    with ag.autograd.enforce_grad_layout_policy(not relaxed):
        Columns.apply(x).sum().backward()
    assert x.grad.tolist() == [[2.0] * 3] * 2
    return x.grad.stride()


def test_the_layout_of_gradients():
    assert turned(relaxed=False) == (3, 1)
    assert turned(relaxed=True) == (1, 2)


def test_the_layout_policy_as_a_switch_and_a_decorator():
    from autograd_gpu.autograd.layout_policy import policy

    relaxed = ag.autograd.enforce_grad_layout_policy(False)
    assert not policy.enforced
    relaxed.__exit__(None, None, None)
    assert policy.enforced

    @ag.autograd.enforce_grad_layout_policy(False)
    def inside():
        return policy.enforced

    assert policy.enforced
    assert not inside()
    assert policy.enforced


def test_on_a_gpu():
    from autograd_gpu.testing import standin

    with standin.activate():
        x = ag.tensor([[1.0, 2.0]], device="cuda", requires_grad=True)
        for y in (x * 2, x.unbind()[0], x.sum()):
            (form,) = y.grad_fn._input_metadata
            assert (form.shape, form.dtype, form.device) == (list(y.shape), y.dtype, ag.device("cuda", 0))
        s = ag.autograd.graph.get_gradient_edge((x * 3).sum())
        (g,) = ag.autograd.grad(s, ag.autograd.graph.get_gradient_edge(x))
        assert g.is_cuda and g.tolist() == [[3.0, 3.0]]
        log = []
        ag.autograd.graph.register_multi_grad_hook((x,), lambda grads: log.append(grads[0].is_cuda))
        x.register_hook(lambda g: g * 2)
        (x * 2).sum().backward()
        assert log == [True] and x.grad.tolist() == [[4.0, 4.0]]
        x.grad = None
        x.grad_dtype = ag.float64
        (x * 2).sum().backward()
        assert x.grad.dtype == ag.float64
