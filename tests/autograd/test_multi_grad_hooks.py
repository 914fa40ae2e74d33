"""One hook on the gradients of several tensors."""

import threading

import pytest

import autograd_gpu as ag

from .agree import agree, fails, function, leaf


def register(t, *args, **kwargs):
    return t.autograd.graph.register_multi_grad_hook(*args, **kwargs)


def net(t):
    """a, b -> c and d"""
    a, b = leaf(t, [1.0, 1.0]), leaf(t, [2.0, 3.0])
    return a, b, a * b, a * b


def numbers(gradients):
    return [None if g is None else g.tolist() for g in gradients]


@agree
def test_all(t):
    a, b, c, d = net(t)
    log = []
    handle = register(t, (a, b, c, d), lambda grads: log.append(numbers(grads)))
    keep = {"retain_graph": True}
    c.sum().backward(**keep)
    c.sum().backward(inputs=(a,), **keep)
    c.sum().backward(inputs=(c,), **keep)
    t.autograd.grad((c + d).sum(), (c, d), **keep)
    (c + d).sum().backward(**keep)
    (c + d).sum().backward(**keep)
    handle.remove()
    handle.remove()
    (c + d).sum().backward()
    return log


@agree
def test_any(t):
    a, b, c, d = net(t)
    log = []
    handle = register(t, (a, b, c, d, t.ones(1)), lambda grad: log.append(grad.tolist()), mode="any")
    for _ in range(2):
        (c + d).sum().backward(retain_graph=True)
    c.sum().backward(inputs=(a,), retain_graph=True)
    handle.remove()
    c.sum().backward()
    return log


@agree
def test_create_graph_and_grad_mode(t):
    a, b, c, d = net(t)
    log = []
    for mode in ("all", "any"):
        register(t, (c, d), lambda g, mode=mode: log.append((mode, t.is_grad_enabled())), mode=mode)
    t.autograd.grad((c * d).sum(), (a, c, d), create_graph=True)
    (c * d).sum().backward()
    return log


@agree
def test_what_the_function_returns_is_ignored(t):
    a, b, c, d = net(t)
    register(t, (c,), lambda grads: 3)
    register(t, (c,), lambda grad: grad * 0, mode="any")
    c.sum().backward()
    return a.grad


@agree
def test_a_tensor_given_twice(t):
    a, b, c, d = net(t)
    log = []
    register(t, (c, c), lambda grads: log.append(numbers(grads)))
    c.sum().backward()
    return log


@agree
def test_one_that_gets_no_gradient_of_a_function(t):
    """The Function gives None for q: PyTorch waits for its hook all the same, which gets None."""
    First = function(t, lambda ctx, x, y: x * 2 + y, lambda ctx, g: (g * 2, None))
    a, b = leaf(t, [1.0]), leaf(t, [1.0])
    p, q, log = a * 1, b * 1, []
    register(t, (p, q, b), lambda grads: log.append(numbers(grads)))
    First.apply(p, q).sum().backward()
    return log


@agree
def test_an_error_in_it_leaves_the_count_right(t):
    a, b, c, d = net(t)
    calls = []

    def bad(grads):
        calls.append(numbers(grads))
        if len(calls) == 1:
            raise KeyError("once")

    register(t, (a, c), bad)
    fails(KeyError, "once", c.sum().backward, retain_graph=True)
    c.sum().backward()
    return calls


def test_an_error_in_between_leaves_the_count_right():
    """PyTorch's counter is of a pass too."""
    a, b, c, d = net(ag)
    log = []
    register(ag, (a, c), lambda grads: log.append(numbers(grads)))
    with a.register_hook(lambda g: {}["gone"]), pytest.raises(KeyError):
        c.sum().backward(retain_graph=True)
    log.clear()
    c.sum().backward()
    assert log == [[[2.0, 3.0], [1.0, 1.0]]]


def test_grad_of_a_leaf():
    """PyTorch refuses a leaf in `grad`; here there is nothing against it."""
    a, b, c, d = net(ag)
    log = []
    register(ag, (a, b, c, d), lambda grads: log.append(numbers(grads)))
    ag.autograd.grad(c.sum(), (a,))
    assert log == [[[2.0, 3.0], None, [1.0, 1.0], None]]


@agree
def test_nested_passes_have_counts_of_their_own(t):
    a, b, c, d = net(t)
    log, other = [], leaf(t, [1.0, 1.0])
    with t.enable_grad():
        inner = (other * 2, other * 3)
    register(t, inner, lambda grads: log.append(("inner", numbers(grads))))
    register(t, (c, d), lambda grads: log.append(("outer", numbers(grads))))

    def nested(grad):
        if not log:
            t.autograd.backward([v.detach().requires_grad_().sum() for v in (a, b)])
            t.autograd.backward(inner, [grad, grad])

    c.register_hook(nested)
    (c + d).sum().backward()
    return log


def test_threads():
    """Two threads, a graph each, one hook for both graphs' tensors."""
    log = []
    graphs = [net(ag) for _ in range(2)]
    for _, _, c, d in graphs:
        register(ag, (c, d), lambda grads: log.append(numbers(grads)))
    work = [threading.Thread(target=(c * 2 + d).sum().backward) for _, _, c, d in graphs]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert log == [[[2.0, 2.0], [1.0, 1.0]]] * 2


@agree
def test_errors(t):
    a = leaf(t, [1.0])
    return fails(ValueError, "Expects mode to be one of ('all', 'any') but got", register, t, (a,), print, mode="some")


def test_a_tensor_without_requires_grad():
    with pytest.raises(RuntimeError, match="doesn't require gradient"):
        register(ag, (leaf(ag, [1.0]), ag.ones(1)), print)


@agree
def test_it_is_called_with_the_last_of_the_gradients_that_come(t):
    """Not at the end of the pass, whatever it does not come to."""
    a, b, c, d = net(t)
    log = []
    a.register_hook(lambda g: log.append("a"))
    register(t, (c, d), lambda grads: log.append(("c, d", numbers(grads))))
    register(t, (c, b), lambda grads: log.append(("c, b", numbers(grads))))
    (c * 2 + c).sum().backward(inputs=(a,))
    return log
