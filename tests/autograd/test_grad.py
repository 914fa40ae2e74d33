"""autograd.grad: what it returns, its arguments and its checks; passes that are recorded or fail."""

import pytest

import autograd_gpu as ag

from .agree import agree, fails, leaf, works


@agree
def test_grad_returns_and_touches_nothing(t):
    """E27, E39."""
    x = leaf(t, [2.0])
    y = x * x
    z = (y * 3).sum()
    found = t.autograd.grad(z, [y, x], retain_graph=True)
    return [found, t.autograd.grad(z, z, retain_graph=True), t.autograd.grad(z, x), x.grad,
            type(found) is tuple]  # fmt: skip


@agree
def test_grad_of_an_input_that_leads_to_another(t):
    x = leaf(t, [2.0])
    y = x * 3
    z = y * y
    return t.autograd.grad(z, [x, y, z, y])


@agree
def test_grad_outputs(t):
    x = leaf(t, [1.0, 2.0])
    y, z = x * 2, x * 3
    v = t.tensor([1.0, 10.0], dtype=t.float64)
    return [
        t.autograd.grad(y, x, v, retain_graph=True), t.autograd.grad([y, z], x, [v, v], retain_graph=True),
        t.autograd.grad((y, z.sum()), [x], (v, None), retain_graph=True),
        fails(RuntimeError, "Mismatch in shape", t.autograd.grad, y, x, t.ones(3, dtype=t.float64)),
        fails(RuntimeError, "got 2 tensors and 1 gradients", t.autograd.grad, [y, z], x, [v]),
        fails(RuntimeError, "required to have the same dtype", t.autograd.grad, y, x, t.ones(2, dtype=t.complex128)),
        fails(RuntimeError, "grad can be implicitly created only for scalar outputs", t.autograd.grad, y, x),
    ]  # fmt: skip


@agree
def test_unused_inputs(t):
    x, w = leaf(t, [1.0]), leaf(t, [[1.0, 2.0]])
    y = (x * 2).sum()
    keep = {"retain_graph": True}
    return [
        t.autograd.grad(y, [x, w], allow_unused=True, **keep),
        t.autograd.grad(y, [x, w], materialize_grads=True, **keep),
        t.autograd.grad(y, [x, w], materialize_grads=True, allow_unused=True, **keep),
        fails(RuntimeError, "appears to not have been used in the graph", t.autograd.grad, y, [x, w], **keep),
        fails(ValueError, "Expected allow_unused to be True", t.autograd.grad, y, w, allow_unused=False,
              materialize_grads=True),
        fails(RuntimeError, "does not require grad", t.autograd.grad, y, t.ones(1), **keep),
        fails(RuntimeError, "does not require grad", t.autograd.grad, y, [x, t.ones(1)], allow_unused=True, **keep),
    ]  # fmt: skip


@agree
def test_complex_roots(t):
    z = t.tensor([1 + 2j], requires_grad=True)
    fails(RuntimeError, "only for real scalar outputs", (z * 2).backward)
    (z * 2).backward(t.ones(1, dtype=t.complex64))
    fails(RuntimeError, "required to have the same dtype", (z * 2).backward, t.ones(1))
    return z.grad


@agree
def test_a_broadcast_gradient_is_summed(t):
    a, b, c = leaf(t, [[1.0], [2.0]]), leaf(t, [1.0, 2.0, 3.0]), leaf(t, 2.0)
    (a * b * c).sum().backward()
    return a.grad, b.grad, c.grad


@agree
def test_dtypes_of_gradients(t):
    a, b, c = leaf(t, [1.0, 2.0], "float32"), leaf(t, 3.0), leaf(t, [1.0, 1.0], "float16")
    (a * b + c).sum().backward()
    return a.grad, b.grad, c.grad


@agree
def test_a_pass_inside_no_grad(t):
    x = leaf(t, [2.0])
    y = (x**2).sum()
    with t.no_grad():
        y.backward(retain_graph=True)
        (g,) = t.autograd.grad(y, x, create_graph=True)
    return x.grad, g


@agree
def test_a_recorded_gradient_leads_on(t):
    x = leaf(t, [2.0])
    (g,) = t.autograd.grad((x**3).sum(), x, create_graph=True)
    return g, g.grad_fn is not None, t.is_grad_enabled()


@agree
def test_grad_is_the_default_of_retain_graph(t):
    x = leaf(t, [2.0])
    y = (x**3).sum()
    t.autograd.grad(y, x, create_graph=True)
    t.autograd.grad(y, x, create_graph=True, retain_graph=False)
    return works(y.backward)


@agree
def test_an_error_leaves_the_engine_usable(t):
    """E33, E34."""
    x = leaf(t, [1.0, 2.0])

    def broken(grad):
        raise KeyError("hk")

    y = x * 2
    handle = y.register_hook(broken)
    fails(KeyError, "hk", (y * x).sum().backward)
    handle.remove()
    before = x.grad
    (x * 5).sum().backward()
    return before, x.grad


@agree
def test_integer_and_empty_roots(t):
    x = leaf(t, [])
    x.sum().backward()
    y = leaf(t, [[], []])
    (y * x).sum().backward()
    return x.grad, y.grad


@agree
def test_what_is_no_tensor(t):
    x = leaf(t, [1.0])
    y = x * 2
    return [
        works(t.autograd.grad, y, 3.0),
        works(t.autograd.grad, 3.0, x),
        works(y.backward, "a"),
        works(y.backward, [1.0]),
    ]


def test_create_graph_warns():
    x = leaf(ag, [1.0])
    with pytest.warns(UserWarning, match="create a reference cycle"):
        (x * x).backward(create_graph=True)
    x.grad = None


def test_reading_grad_of_a_result_warns(torch):
    for t in (torch, ag):
        y = leaf(t, [1.0]) * 2
        with pytest.warns(UserWarning, match=".grad attribute of a Tensor that is not a leaf"):
            assert y.grad is None


def test_batched_gradients_are_refused_clearly():
    x = leaf(ag, [1.0])
    with pytest.raises(NotImplementedError, match="is_grads_batched"):
        ag.autograd.grad(x * 2, x, ag.ones(3, 1), is_grads_batched=True)
