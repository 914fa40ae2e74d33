"""`grad_fn` of a Function's output: its class, what it offers, and the names that forward gives to
attributes."""

import copy
import pickle

import pytest

import autograd_gpu as ag

from .agree import agree, fails, function, leaf, works


def two(t, name="Two"):
    return function(t, lambda ctx, x: (x * 2, x * 3), lambda ctx, a, b: a * 2 + b * 3, name)


def module(t):
    from importlib import import_module

    return import_module(t.__name__ + ".autograd.function")


@agree
def test_names_and_classes(t):
    fn, x = two(t), leaf(t, [1.0, 2.0])
    a, b = fn.apply(x)
    node, m = a.grad_fn, module(t)
    return [
        node.name(),
        repr(node).split(" object")[0].rpartition(".")[2].strip("<"),
        type(node) is fn._backward_cls,
        node is b.grad_fn,
        fn._backward_cls._forward_cls is fn,
        isinstance(node, m.BackwardCFunction) and isinstance(node, m.FunctionCtx),
        isinstance(node, t.autograd.graph.Node),
        type(fn) is m.FunctionMeta,
        issubclass(fn, m.FunctionCtx),
        fn._backward_cls.__qualname__,
        fn._backward_cls.__module__.rpartition(".")[2],
        (a.output_nr, b.output_nr),
        node.requires_grad,
        repr(a),
    ]


@agree
def test_names_of_subclasses(t):
    """Each has nodes of its own; the parent's are no relatives."""
    fn = two(t)
    sub = type("Sub", (fn,), {"backward": staticmethod(lambda ctx, a, b: a * 100)})
    x = leaf(t, [1.0])
    y = sub.apply(x)[0]
    y.backward()
    return y.grad_fn.name(), issubclass(sub._backward_cls, fn._backward_cls), x.grad


@agree
def test_next_functions(t):
    fn = function(t, lambda ctx, *a: a[0] * 1, lambda ctx, *g: g)
    x, c = leaf(t, [1.0]), t.ones(1, dtype=t.float64)
    add = two(t)

    def found(*args):
        return [(n and n.name(), i) for n, i in fn.apply(*args).grad_fn.next_functions]

    return [
        found(x), found(x, x), found(x, 5), found(c, x), found(x * 2, c, None), found(x, [x]),
        found(add.apply(x)[1]), fn.apply(x).grad_fn.next_functions[0][0].variable is x,
        fails(AttributeError, "next_functions", setattr, fn.apply(x).grad_fn, "next_functions", ()),
    ]  # fmt: skip


@agree
def test_sequence_numbers_metadata_and_forms(t):
    fn, x = two(t), leaf(t, [1.0, 2.0])
    first, second = fn.apply(x)[0].grad_fn, fn.apply(x)[0].grad_fn
    first.metadata["key"] = 1
    forms = [(list(m.shape), str(m.dtype)) for m in first._input_metadata]
    return first._sequence_nr() < second._sequence_nr(), first.metadata, second.metadata, forms


@agree
def test_hooks_of_the_node(t):
    """The one that is not asked for is None to hooks, and zeros to backward."""
    fn, x, log = two(t), leaf(t, [1.0, 2.0]), []
    a, b = fn.apply(x)
    post = a.grad_fn.register_hook(lambda ins, outs: log.append(("post", ins, outs)))
    a.grad_fn.register_prehook(lambda outs: log.append(("pre", outs)))
    (a * 3).sum().backward(retain_graph=True)
    post.remove()
    b.sum().backward()
    changing = fn.apply(x)[0]
    changing.grad_fn.register_hook(lambda ins, outs: (ins[0] * 100,))
    changing.sum().backward()
    return log, x.grad, isinstance(a.grad_fn, fn._backward_cls), a.grad_fn.name()


@agree
def test_backward_by_hand(t):
    node = two(t).apply(leaf(t, [1.0, 2.0]))[0].grad_fn
    one = t.ones(2, dtype=t.float64)
    return node.apply(one, one * 10), fails(TypeError, "object is not callable", lambda: node(one, one))


@agree
def test_attributes(t):
    def forward(ctx, x):
        ctx.kept, ctx.later = [1, 2], None
        return x * 2

    def backward(ctx, g):
        ctx.later = "backward"
        return g * 2

    y = function(t, forward, backward).apply(leaf(t, [1.0]))
    node = y.grad_fn
    node.more = 3
    node.needs_input_grad = "mine"
    y.backward()
    del node.more
    return node.kept, node.later, hasattr(node, "more"), hasattr(node, "never"), node.needs_input_grad


ENGINES = [n for n in dir(ag.autograd.function.BackwardCFunction) if not n.startswith("_")]
TORCHS = {
    "apply", "dirty_tensors", "materialize_grads", "metadata", "needs_input_grad", "next_functions", "non_differentiable", "requires_grad",
    "saved_for_forward", "saved_tensors", "saved_variables", "to_save",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted({*ENGINES, "g", "seq", "hooks", "op", "index", "node"} - TORCHS))
@agree
def test_any_name_may_be_given_to_an_attribute(t, name):
    """Those that our nodes have for themselves included."""
    seen = []

    def forward(ctx, x):
        save = ctx.save_for_backward
        setattr(ctx, name, "mine")
        save(x)
        seen.append(getattr(ctx, name))
        return x * 2

    def backward(ctx, g):
        seen.append((getattr(ctx, name), ctx.saved_tensors, ctx.needs_input_grad, isinstance(ctx, fn._backward_cls)))
        ctx.other = 1
        setattr(ctx, name, "again")
        seen.append(getattr(ctx, name))
        return g * 3

    fn, x = function(t, forward, backward, "Named"), leaf(t, [1.0, 2.0])
    y = fn.apply(x)
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    node = y.grad_fn
    (y * 1 + fn.apply(x)).sum().backward(retain_graph=True)
    y.sum().backward()
    seen += [x.grad, y.grad, node.other]
    seen += [node.next_functions[0][0].name()] if name != "next_functions" else []
    return seen


@agree
def test_an_attribute_set_aside_can_be_deleted(t):
    def backward(ctx, g):
        seen.append(ctx.op)
        del ctx.op
        ctx.op = 5
        seen.append(ctx.op)
        return g

    seen = []
    function(t, lambda ctx, x: (setattr(ctx, "op", "sum"), x * 2)[1], backward).apply(leaf(t, [1.0])).backward()
    return seen


@agree
def test_pickle_and_copy(t):
    """Functions by their names, nodes not at all."""
    y = two(t).apply(leaf(t, [1.0]))[0]
    words = "cannot pickle 'TwoBackward' object"
    return [
        fails(TypeError, words, pickle.dumps, y.grad_fn),
        fails(TypeError, words, copy.copy, y.grad_fn),
        fails(TypeError, words, copy.deepcopy, y.grad_fn),
        fails(TypeError, "cannot pickle 'MulBackward0' object", pickle.dumps, (y * 2).grad_fn),
        fails(TypeError, "cannot pickle 'AccumulateGrad' object", copy.deepcopy, y.grad_fn.next_functions[0][0]),
        pickle.loads(pickle.dumps(t.autograd.Function)) is t.autograd.Function,
        works(pickle.dumps, two(t)._backward_cls),
        pickle.loads(pickle.dumps(y.detach())),
        fails(RuntimeError, "created explicitly by the user", copy.deepcopy, y),
    ]


class AtTop(ag.autograd.Function):
    """Pickle finds it by its name."""

    @staticmethod
    def forward(ctx, x):
        return x * 2


def test_a_function_is_pickled_by_its_name():
    assert pickle.loads(pickle.dumps(AtTop)) is AtTop
    assert copy.deepcopy(AtTop) is AtTop
    assert pickle.loads(pickle.dumps(AtTop.apply))(ag.ones(1)).item() == 2
