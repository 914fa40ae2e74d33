"""Several threads on one graph or one leaf."""

import threading

import pytest

import autograd_gpu as ag

from .agree import leaf


def run(count, work):
    errors = []

    def guarded(i):
        try:
            work(i)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_passes_into_one_leaf_add_up():
    """E49, F13."""
    x = ag.zeros(1000, requires_grad=True, dtype=ag.float64)

    def work(_):
        for _ in range(50):
            (x * 1.0).sum().backward()

    assert not run(8, work)
    assert x.grad.min().item() == x.grad.max().item() == 400.0


def test_passes_through_one_graph_add_up():
    x = leaf(ag, [2.0])
    y = (x**3).sum()
    assert not run(4, lambda _: [y.backward(retain_graph=True) for _ in range(20)])
    assert x.grad.tolist() == [12.0 * 80]


def test_results_of_grad_stay_with_their_thread():
    wrong = []

    def work(i):
        x = leaf(ag, [float(i)])
        for _ in range(50):
            (g,) = ag.autograd.grad((x**2 * (i + 1)).sum(), x)
            if g.item() != 2.0 * i * (i + 1):
                wrong.append((i, g.item()))

    assert not run(6, work)
    assert not wrong


def test_an_error_stays_in_its_thread():
    x = leaf(ag, [2.0])
    good = []

    def work(i):
        for _ in range(20):
            y = x * 3
            if i % 2:
                y.register_hook(lambda g: 1 / 0)
                with pytest.raises(ZeroDivisionError):
                    y.sum().backward()
            else:
                (g,) = ag.autograd.grad(y.sum(), x)
                good.append(g.item())

    assert not run(4, work)
    assert good == [3.0] * 40


def test_writes_in_threads_are_counted():
    x = ag.zeros(10)
    assert not run(4, lambda _: [x.add_(1) for _ in range(100)])
    assert x._version == 400


def test_a_pass_in_another_thread_than_the_forward():
    x = leaf(ag, [2.0])
    y = (x**2).sum()
    assert not run(1, lambda _: y.backward())
    assert x.grad.tolist() == [4.0]


def test_first_calls_of_an_op_in_many_threads():
    """The code of an op is written on its first call: several may be first."""
    barrier = threading.Barrier(8)
    found = []

    def work(_):
        x = leaf(ag, [0.5])
        barrier.wait()
        y = ag.special.expit(ag.atanh(ag.sinc(x)))
        y.backward()
        found.append(x.grad.item())

    assert not run(8, work)
    assert len(set(found)) == 1
