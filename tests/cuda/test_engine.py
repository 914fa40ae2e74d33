"""The engine on the stand-in device: order, hooks, None, threads, errors of the device, two devices."""

import threading

import pytest
from hypothesis import HealthCheck, given, settings

import autograd_gpu as ag
from autograd_gpu._core import library
from autograd_gpu._core.state import state

from ..autograd.drawn import instructions, log_of, passes
from ..faults import thread_state

RELAXED = settings(
    max_examples=40, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@RELAXED
@given(lines=instructions, passes=passes)
def test_the_log_of_a_drawn_graph_is_that_of_the_cpu(standin_device, lines, passes):
    assert log_of(ag, lines, passes, "cuda") == log_of(ag, lines, passes)


def leaf(values, device="cuda"):
    return ag.tensor(values, dtype=ag.float64, device=device, requires_grad=True)


def test_threads_add_into_one_leaf(cuda):
    w, errors = leaf([0.0, 0.0]), []

    def work():
        try:
            for _ in range(20):
                ((w * 3).sum() + w.unbind()[0]).backward()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not errors
    assert w.grad.tolist() == [400.0, 300.0]


def test_a_hook_may_wait_for_another_thread(cuda):
    """The other thread's pass keeps its gradients apart from the nodes."""
    x, w = leaf([2.0]), leaf([3.0])
    y = x * w

    def hook(grad):
        thread = threading.Thread(target=lambda: (y * w).backward(retain_graph=True))
        if not w.grad_fn and w.grad is None:
            w.grad = ag.zeros_like(w)
            thread.start()
            thread.join(20)
            assert not thread.is_alive()

    y.register_hook(hook)
    y.sum().backward(retain_graph=True)
    # y: (3, 2); y w: (9, 12)
    assert x.grad.tolist() == [12.0] and w.grad.tolist() == [14.0]


def test_the_device_is_full_in_the_middle_of_a_pass(cuda):
    """torch.OutOfMemoryError or what the allocator raises comes up; the next pass is whole."""
    xp = library.installed().module
    x = leaf([1.0, 2.0])
    y = (x * 2).exp().tanh().sum()
    before = thread_state()
    expected = ag.autograd.grad(y, x, retain_graph=True)[0].tolist()
    taken = xp.cuda.get_allocator()
    left = [1]

    def allocate(size):
        left[0] -= 1
        if left[0] < 0:
            raise xp.cuda.memory.OutOfMemoryError(size, 0)
        return taken(size)

    with xp.cuda.using_allocator(allocate), pytest.raises(Exception, match="[Oo]ut of memory"):
        y.backward(retain_graph=True)
    assert x.grad is None and thread_state() == before
    y.backward()
    assert x.grad.tolist() == expected


@pytest.mark.parametrize("apart", [False, True])
def test_nodes_run_where_their_gradients_are(two_devices, apart):
    """Whichever device is current, also where the pass keeps its gradients apart, or is nested."""
    seen = []
    x, w = leaf([2.0], "cuda:0"), leaf([3.0], "cuda:1")
    y = x.to("cuda:1") * w
    z = y.to("cuda:0") * x
    assert state.several_devices
    y.register_hook(lambda g: seen.append(str(g.device)))
    x.register_hook(lambda g: seen.append(str(g.device)))
    w.register_post_accumulate_grad_hook(lambda p: seen.append(str(p.grad.device)))

    def work():
        z.sum().backward(retain_graph=True)
        ag.autograd.grad(z.sum(), [w, y, x], retain_graph=True)

    if apart:
        u = leaf([1.0]) * 1

        def elsewhere(grad):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join(30)
            assert not thread.is_alive()

        u.register_hook(elsewhere)
        u.backward()
    else:
        work()
    assert seen[:3] == ["cuda:1", "cuda:1", "cuda:0"]
    assert x.grad.tolist() == [12.0] and w.grad.tolist() == [4.0]
    assert (str(x.grad.device), str(w.grad.device)) == ("cuda:0", "cuda:1")


def test_none_on_the_device(cuda):
    """None first, a gradient later, into a leaf with a hook."""

    class Nothing(ag.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return None

    x, seen = leaf([2.0]), []
    x.register_hook(lambda g: seen.append(g if g is None else g.tolist()))
    y = x * 3
    (y + Nothing.apply(x)).sum().backward()
    Nothing.apply(x).sum().backward()
    assert seen == [[3.0], None] and x.grad.tolist() == [3.0]


def test_gradients_are_added_in_place_on_the_device(cuda):
    x = leaf([1.0, 2.0])
    (x * 2).sum().backward()
    held, pointer = x.grad, x.grad._array.data.ptr
    (x * 3).sum().backward()
    assert x.grad is held and x.grad._array.data.ptr == pointer
    assert x.grad.tolist() == [5.0, 5.0] and x.grad._version == 1
