"""Variable, and what its engine offers: callbacks at the end of a pass."""

import pytest

import autograd_gpu as ag

from .agree import agree, fails, leaf


def queue(t, callback):
    return t.autograd.Variable._execution_engine.queue_callback(callback)


@agree
def test_a_callback_runs_when_every_grad_is_there(t):
    x, w, log = leaf(t, [1.0]), leaf(t, [2.0]), []
    y = x * w

    def hook(grad):
        queue(t, lambda: log.append(("end", x.grad.tolist(), w.grad.tolist(), t.is_grad_enabled())))
        log.append("hook")

    y.register_hook(hook)
    w.register_post_accumulate_grad_hook(lambda p: log.append("w"))
    for _ in range(2):
        y.sum().backward(retain_graph=True)
    return log


@agree
def test_callbacks_of_recorded_passes_and_of_grad(t):
    x, log = leaf(t, [2.0]), []
    y = x * x
    y.register_hook(lambda g: queue(t, lambda: log.append((t.is_grad_enabled(), x.grad))))
    t.autograd.grad(y, x, create_graph=True)
    t.autograd.grad(y, x)
    return log


@agree
def test_a_callback_may_queue_another(t):
    x, log = leaf(t, [1.0]), []

    def first():
        log.append(1)
        queue(t, lambda: log.append(2))

    y = x * 2
    y.register_hook(lambda g: queue(t, first))
    y.backward()
    return log


@agree
def test_nested_passes(t):
    x, log = leaf(t, [1.0]), []

    def hook(grad):
        queue(t, lambda: log.append("outer"))
        with t.enable_grad():
            z = leaf(t, [1.0])
            z.register_hook(lambda g: queue(t, lambda: log.append("inner")))
            (z * 2).backward()
        log.append("after inner")

    y = x * 2
    y.register_hook(hook)
    y.backward()
    return log


@agree
def test_errors_in_callbacks_and_passes(t):
    x, log = leaf(t, [1.0]), []
    bad = x * 2

    def boom():
        raise KeyError("boom")

    def both(grad):
        queue(t, boom)
        queue(t, lambda: log.append("not reached"))

    bad.register_hook(both)
    fails(KeyError, "boom", bad.backward)
    grads = [x.grad]
    failing = x * 2

    def failing_hook(grad):
        queue(t, lambda: log.append("not reached either"))
        raise KeyError("hook")

    failing.register_hook(failing_hook)
    fails(KeyError, "hook", failing.backward)
    good = x * 2
    good.register_hook(lambda g: queue(t, lambda: log.append("good")))
    good.backward()
    wrong = x * 2
    wrong.register_hook(lambda g: queue(t, 3))
    fails(TypeError, "'int' object is not callable", wrong.backward)
    outside = fails(RuntimeError, "Final callbacks can only be installed during backward pass", queue, t, print)
    return log, grads, outside


@agree
def test_a_callback_that_runs_a_pass(t):
    x, log = leaf(t, [1.0]), []

    def again():
        with t.enable_grad():
            z = leaf(t, [1.0])
            (z * 3).backward()
            log.append(z.grad)

    y = x * 2
    y.register_hook(lambda g: queue(t, again))
    y.backward()
    return log, x.grad


@agree
def test_variable(t):
    Variable = t.autograd.Variable
    x = leaf(t, [1.0, 2.0])
    alias = Variable(x * 2)
    alias.mul_(10)
    return (
        isinstance(x, Variable), isinstance(t.nn.Parameter(t.ones(1)), Variable), isinstance(3, Variable),
        Variable(x), Variable(x) is x, Variable(t.ones(2), requires_grad=True), Variable(t.ones(2), True),
        alias, type(Variable(x)) is t.Tensor, Variable().shape == (0,),
        fails(TypeError, "Variable data has to be a tensor, but got list", Variable, [1.0]),
        fails(RuntimeError, "can require gradients", Variable, t.ones(1, dtype=t.int64), True) and 1,
    )  # fmt: skip


def test_a_variable_shares_memory():
    x = leaf(ag, [1.0])
    assert ag.autograd.Variable(x).data_ptr() == x.data_ptr()
    with pytest.warns(UserWarning, match="volatile was removed"):
        ag.autograd.Variable(x, volatile=True)
