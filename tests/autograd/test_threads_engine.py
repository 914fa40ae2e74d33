"""Passes of several threads at once: nothing is lost, nothing waits for ever, each thread keeps its own."""

import sys
import threading

import pytest

import autograd_gpu as ag
from autograd_gpu._core.state import off
from autograd_gpu.autograd import engine

from .agree import leaf
from .test_threads import run


@pytest.fixture(autouse=True, params=["patient", "hasty"])
def eager_switches(request, monkeypatch):
    """Threads take turns as often as they can. Hasty passes do not wait for the nodes' own slots, but
    keep their gradients apart at once."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    if request.param == "hasty":
        monkeypatch.setattr(engine, "_PATIENCE", 0)
    yield
    sys.setswitchinterval(before)


def joined(work, seconds=20):
    """Run `work` in a thread, and wait for its end, but not for ever. Gives what it returned."""
    found = []
    thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "the thread waits for something"
    return found[0]


def model(w, b, x):
    return (((x * w).tanh() + b) * w).sum()


def test_shared_leaves_lose_nothing():
    """8 threads x 60 passes; the sums are of small integers, so they are exact."""
    w, b = ag.zeros(4, requires_grad=True), ag.zeros(4, requires_grad=True)

    def work(i):
        for _ in range(60):
            (w * (i + 1) + b * w.detach() + b).sum().backward()

    assert not run(8, work)
    assert w.grad.tolist() == [60.0 * 36] * 4
    assert b.grad.tolist() == [480.0] * 4


def test_large_gradients_lose_nothing():
    """NumPy lets other threads run while it adds large arrays."""
    w, start = ag.zeros(1_000_000, requires_grad=True), threading.Barrier(4, timeout=20)
    one = ag.ones(1_000_000)

    def work(i):
        start.wait()
        for _ in range(8):
            w.backward(one)
            (w * 1).backward(one)

    assert not run(4, work)
    assert w.grad.min().item() == w.grad.max().item() == 64.0


def test_one_graph_many_passes():
    """Several outputs, a write through a view, a Function and hooks in the one graph.

        x -> unbind -> a * b -+-> y
        x -> h[:1].mul_(3) ---+
    """
    x = leaf(ag, [2.0, 3.0])
    seen = []

    class Twice(ag.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            assert ctx.saved_tensors[0].shape == grad.shape
            return grad * 2

    a, b = x.unbind()
    h = x * 1
    h[:1].mul_(3)
    y = a * b + Twice.apply(h).sum()
    a.register_hook(lambda g: seen.append(g.item()))
    expected = [3.0 + 6.0, 2.0 + 2.0]
    assert not run(6, lambda i: [y.backward(retain_graph=True) for _ in range(15)])
    assert x.grad.tolist() == [90 * e for e in expected]
    assert seen == [3.0] * 90


@pytest.mark.parametrize("recorded", [False, True])
def test_grad_for_different_inputs_of_one_graph(recorded):
    x, w, wrong = leaf(ag, [2.0]), leaf(ag, [5.0]), []
    y = (x**2 * w).sum()
    z = y * w
    asked = [((y, x), 20.0), ((y, w), 4.0), ((z, x), 100.0), ((z, w), 40.0), ((z, y), 5.0)]

    def work(i):
        for k in range(20):
            (root, target), expected = asked[(i + k) % len(asked)]
            (g,) = ag.autograd.grad(root, target, retain_graph=True, create_graph=recorded)
            if g.item() != expected or g.requires_grad != (recorded and g.grad_fn is not None):
                wrong.append((i, k, g.item(), expected))

    assert not run(6, work)
    assert not wrong
    assert x.grad is None and w.grad is None


def test_separate_graphs_stay_separate():
    wrong = []

    def work(i):
        w = leaf(ag, [1.0 + i, 2.0])
        for _ in range(20):
            w.grad = None
            model(w, w * 0, leaf(ag, [0.5, 0.25])).backward()
            mine = w.grad.tolist()
            if mine != expected[i]:
                wrong.append(i)

    expected = {}
    for i in range(6):
        w = leaf(ag, [1.0 + i, 2.0])
        model(w, w * 0, leaf(ag, [0.5, 0.25])).backward()
        expected[i] = w.grad.tolist()
    assert not run(6, work)
    assert not wrong


def test_a_hook_may_wait_for_a_pass_in_another_thread():
    x, w = leaf(ag, [2.0]), leaf(ag, [3.0])
    y = x * 2

    def hook(grad):
        thread = threading.Thread(target=lambda: (w**2 * y.detach()).sum().backward())
        thread.start()
        thread.join(20)
        assert not thread.is_alive()

    y.register_hook(hook)
    joined(lambda: (y * x).sum().backward())
    assert x.grad.tolist() == [8.0] and w.grad.tolist() == [24.0]


def test_a_hook_may_wait_for_a_pass_through_its_own_graph():
    x, found = leaf(ag, [2.0]), []
    y = x**2
    z = (y * x).sum()

    def hook(grad):
        if not found:
            found.append(None)
            found[0] = joined(lambda: ag.autograd.grad(z, x, retain_graph=True)[0].item())
            found.append(joined(lambda: ag.autograd.grad(z, [y, x], retain_graph=True)))

    y.register_hook(hook)
    joined(lambda: z.backward(retain_graph=True))
    assert found[0] == 12.0
    assert [g.item() for g in found[1]] == [2.0, 12.0]
    assert x.grad.tolist() == [12.0]


def test_two_passes_may_wait_for_each_other():
    """Each hook waits until the other pass has reached its own."""
    barrier = threading.Barrier(2, timeout=20)
    x = leaf(ag, [2.0])

    def work(i):
        y = x * (i + 2)
        y.register_hook(lambda g: (barrier.wait(), None)[1])
        y.backward()

    assert not run(2, work)
    assert x.grad.tolist() == [5.0]


def test_hooks_of_leaves_in_threads():
    """Each pass calls them once, with the whole gradient."""
    w, seen, after = leaf(ag, [1.0]), [], []
    w.register_hook(lambda g: seen.append(g.item()))
    w.register_post_accumulate_grad_hook(lambda p: after.append(p.grad.item()))
    assert not run(5, lambda i: [(w * 2 + w * (w * 1 + 2)).sum().backward() for _ in range(10)])
    assert seen == [6.0] * 50
    assert len(after) == 50 and max(after) == w.grad.item() == 300.0


def test_modes_belong_to_the_thread():
    x, wrong = leaf(ag, [2.0]), []
    start = threading.Barrier(4, timeout=20)

    def work(i):
        start.wait()
        for _ in range(50):
            with ag.set_grad_enabled(i % 2 == 0):
                y = x * 3
                if y.requires_grad != (i % 2 == 0):
                    wrong.append(i)
                if y.requires_grad:
                    y.backward()
            if not ag.is_grad_enabled():
                wrong.append(i)

    assert not run(4, work)
    assert not wrong and x.grad.tolist() == [300.0]


def test_a_thread_that_dies_in_no_grad_takes_nothing_along():
    def dies():
        ag.set_grad_enabled(False)
        raise ValueError("here")

    for _ in range(5):
        assert [type(e) for e in run(2, lambda i: dies())] == [ValueError] * 2
        assert not off
        x = leaf(ag, [2.0])
        assert (x * 2).requires_grad
        assert run(1, lambda i, x=x: (x * 2).backward()) == []
        assert x.grad.tolist() == [2.0]


def test_errors_stay_in_their_thread_and_leave_no_trace():
    x, caught = leaf(ag, [2.0]), []

    def work(i):
        for _ in range(20):
            y = x * 2
            z = y * 3
            if i % 2:
                y.register_hook(lambda g: {}[i])
                try:
                    (z + x * 100).sum().backward()
                except KeyError as error:
                    caught.append(error.args[0] == i)
            else:
                assert ag.autograd.grad(z.sum(), x)[0].item() == 6.0

    assert not run(6, work)
    assert caught == [True] * 60
    x.grad = None
    (x * 7).sum().backward()
    assert x.grad.tolist() == [7.0]


def test_forward_in_one_thread_while_another_goes_back():
    w, stop, wrong = leaf(ag, [0.5, 0.25]), threading.Event(), []

    def forwards():
        while not stop.is_set():
            if model(w, w, w.detach()).item() != value:
                wrong.append("value")

    value = model(w, w, w.detach()).item()
    thread = threading.Thread(target=forwards)
    thread.start()
    for _ in range(60):
        ag.autograd.grad(model(w, w, w.detach()), w)
    stop.set()
    thread.join(20)
    assert not wrong and not thread.is_alive()


def test_training_in_threads_without_a_lock():
    """Hogwild: each thread steps the shared weights; all come near the target."""
    w = ag.zeros(8, requires_grad=True)
    target = ag.arange(8.0)

    def work(i):
        for _ in range(120):
            (g,) = ag.autograd.grad(((w * 1.0 - target) ** 2).sum(), w)
            with ag.no_grad():
                w.sub_(g, alpha=0.02)

    assert not run(4, work)
    assert (w.detach() - target).abs().max().item() < 1e-3


def test_recorded_passes_in_threads():
    x, wrong = leaf(ag, [1.5]), []

    def work(i):
        for _ in range(10):
            (g,) = ag.autograd.grad((x**3).sum(), x, create_graph=True)
            (h,) = ag.autograd.grad((g * g).sum(), x)
            if abs(h.item() - 2 * 6.75 * 9.0) > 1e-9:
                wrong.append(h.item())

    assert not run(5, work)
    assert not wrong


def test_nested_passes_in_threads():
    x, w = leaf(ag, [2.0]), leaf(ag, [3.0])

    def work(i):
        for _ in range(10):
            y = x * 2

            def hook(grad):
                with ag.enable_grad():
                    (w * 5).sum().backward()
                    return grad * ag.autograd.grad((w.detach().requires_grad_() * x).sum(), x)[0]

            y.register_hook(hook)
            y.sum().backward()

    assert not run(5, work)
    assert w.grad.tolist() == [250.0] and x.grad.tolist() == [300.0]


def test_first_passes_of_an_op_in_many_threads():
    """`run_some` is written when first needed."""
    start, found = threading.Barrier(6, timeout=20), []

    def work(_):
        x, y = leaf(ag, [0.5]), leaf(ag, [0.25])
        z = ag.atan2(x, y).sum()
        start.wait()
        found.append(ag.autograd.grad(z, x)[0].item())

    assert not run(6, work)
    assert len(set(found)) == 1
