"""Hooks and passes: errors, passes inside hooks, nodes, and the moment a leaf's hooks run."""

import pytest

import autograd_gpu as ag

from .agree import agree, fails, leaf, works


@agree
def test_wrong_results(t):
    x = leaf(t, [1.0, 2.0])

    def run(hook):
        y = x * 2
        y.register_hook(hook)
        y.sum().backward()

    return [
        fails(RuntimeError, "has changed the size of value", run, lambda g: g[:1]),
        fails(TypeError, "hook", run, lambda g: 3),
        fails(RuntimeError, "has changed the type of value", run, lambda g: g.float()),
        fails(KeyError, "inside", run, lambda g: {}["inside"]),
        x.grad,
    ]  # fmt: skip


def test_the_words_of_a_wrong_result():
    x = leaf(ag, [1.0])
    x.register_hook(lambda g: 3)
    with pytest.raises(TypeError, match="hook returned 'int'"):
        (x * 1).backward()


@agree
def test_where_hooks_cannot_be(t):
    words = "cannot register a hook on a tensor"
    return [
        fails(RuntimeError, words, t.ones(1).register_hook, print),
        fails(
            RuntimeError,
            "cannot be registered on non-leaf",
            (leaf(t, [1.0]) * 2).register_post_accumulate_grad_hook,
            print,
        ),
        works(t.ones(1).register_post_accumulate_grad_hook, print),
    ]


@agree
def test_a_failing_leaf_hook_keeps_other_gradients_usable(t):
    x, w = leaf(t, [1.0]), leaf(t, [2.0])
    handle = x.register_hook(lambda g: 1 / 0)
    fails(ZeroDivisionError, "division by zero", (x * w).sum().backward)
    handle.remove()
    x.grad = w.grad = None
    (x * w).sum().backward()
    return x.grad, w.grad


@agree
def test_a_pass_inside_a_hook(t):
    x, w, seen = leaf(t, [2.0]), leaf(t, [3.0]), []
    y = x**2

    def inner(grad):
        with t.enable_grad():
            z = (w**3).sum()
        z.backward()
        seen.append(t.autograd.grad((x * x).sum() if t.is_grad_enabled() else again(), x)[0])

    def again():
        with t.enable_grad():
            return (x * x).sum()

    y.register_hook(inner)
    (y * x).sum().backward()
    return x.grad, w.grad, seen


@agree
def test_a_pass_through_the_same_graph_inside_a_hook(t):
    x, seen = leaf(t, [2.0]), []
    y = x**2
    z = (y * x).sum()

    def inner(grad):
        if not seen:
            seen.append(None)
            seen[0] = t.autograd.grad(z, x, retain_graph=True)[0]

    y.register_hook(inner)
    z.backward(retain_graph=True)
    return x.grad, seen


@agree
def test_hooks_on_outputs_of_several(t):
    x, log = leaf(t, [[1.0, 2.0], [3.0, 4.0]]), []
    a, b = x.unbind()
    a.register_hook(lambda g: log.append(g.tolist()))
    b.register_hook(lambda g: g * 10)
    b.retain_grad()
    (a * b).sum().backward()
    return log, b.grad, x.grad


@agree
def test_hooks_of_max(t):
    x = leaf(t, [[1.0, 2.0], [3.0, 4.0]])
    values, indices = x.max(1)
    values.register_hook(lambda g: g * 10)
    values.sum().backward()
    return x.grad, indices


@agree
def test_hooks_do_not_run_where_no_gradient_goes(t):
    x, w, log = leaf(t, [1.0]), leaf(t, [1.0]), []
    y, z = x * 2, w * 2
    z.register_hook(lambda g: log.append("z"))
    y.register_hook(lambda g: log.append("y"))
    t.autograd.grad((y * z).sum(), x)
    return log


@agree
def test_node_hooks(t):
    x, w, log = leaf(t, [2.0]), leaf(t, [5.0]), []
    y = x * w
    node = y.grad_fn
    node.register_prehook(lambda outs: log.append(("pre", [g.tolist() for g in outs])))
    node.register_prehook(lambda outs: (outs[0] * 10,))
    node.register_hook(
        lambda ins, outs: log.append(
            ("post", [g.tolist() for g in ins], [g.tolist() for g in outs])
        )
    )
    node.register_hook(lambda ins, outs: (ins[0] + 1, None if ins[1] is None else ins[1] * 2))
    y.register_hook(lambda g: log.append(("tensor", g.tolist())))
    (y * 3).sum().backward()
    return log, x.grad, w.grad


@agree
def test_hooks_keep_numbers_of_leaves_alive(t):
    """A hook on a parameter holds through many passes."""
    w, count = leaf(t, [1.0]), []
    w.register_hook(lambda g: count.append(1))
    for _ in range(3):
        (w * w).sum().backward()
        w.grad = None
    return len(count)


@agree
def test_hooks_survive_requires_grad_off_and_on(t):
    w, count = leaf(t, [1.0]), []
    w.register_hook(lambda g: count.append(1))
    w.requires_grad_(False)
    w.requires_grad_(True)
    (w * 2).sum().backward()
    return len(count), w.grad


@agree
def test_leaf_hooks_run_when_the_gradient_is_complete(t):
    log = []

    def watch(name, v):
        v.register_hook(lambda g: log.append(name))
        return v

    w1, w2, x = (watch(n, leaf(t, [2.0])) for n in ("w1", "w2", "x"))
    w1.register_post_accumulate_grad_hook(lambda p: log.append("w1 done"))
    a = watch("a", x * w1)
    b = watch("b", a.exp())
    c = watch("c", b * w2)
    (c + w2 + x).sum().backward()
    t.autograd.backward([(x * w1).sum(), x])
    return log, x.grad, w1.grad, w2.grad
