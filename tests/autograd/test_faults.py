"""An error at every place where a step may fail: what it leaves behind, and the step after it.

The step, with a hook of every kind:

    w -+-> x @ w -> tanh * 1.5 = h -> h[0].mul_(2) -> unbind -> a * b ------> + -> loss
    b -+---------------------^            Twice (goes back itself) --^
"""

import sys

import pytest

import autograd_gpu as ag
from autograd_gpu._core import library
from autograd_gpu.testing import standin

from ..faults import Points, allocations, calls_inside, faults, thread_state, waiting


class Step:
    """A model, and one step of its training that passes by `points`."""

    def __init__(self, device, points):
        self.device, self.points = device, points
        self.w = self.leaf([[0.5, -0.25], [0.125, 1.0]])
        self.b = self.leaf([0.5, 0.75])
        self.side = self.leaf([3.0, 2.0])
        self.x = ag.tensor([[1.0, 2.0], [0.5, -1.0], [2.0, 1.0]], device=device)
        self.made, self.kept = [], None
        self.w.register_hook(points.hook("hook of a leaf"))
        self.b.register_post_accumulate_grad_hook(points.hook("hook after accumulation"))
        self.twice = twice(points, self.side)

    def leaf(self, values):
        return ag.tensor(values, device=self.device, requires_grad=True)

    @property
    def leaves(self):
        return self.w, self.b, self.side

    def run(self, **options):
        points, made = self.points, self.made
        made.clear()
        for p in self.leaves:
            p.grad = None
        h = (self.x @ self.w + self.b).tanh() * 1.5
        made.append(h)
        h.register_hook(points.hook("hook of a tensor", lambda g: g * 2))
        h[0].mul_(2)
        a, b, _ = h.unbind()
        made += [a, b]
        a.retain_grad()
        b.register_hook(points.hook("hook of an output"))
        product = a * b
        made.append(product)
        product.grad_fn.register_prehook(points.hook("pre-hook"))
        product.grad_fn.register_hook(points.hook("post-hook"))
        points.pass_by("between")
        loss = (product * self.w[0] + self.twice.apply(h).sum(0) * self.side).sum()
        made.append(loss)
        loss.backward(**options)
        self.kept = a.grad
        return self.results()

    def results(self):
        found = [*(p.grad for p in self.leaves), self.kept]
        return [g if g is None else g.tolist() for g in found]


def twice(points, side):
    class Twice(ag.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            points.pass_by("forward of a Function")
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            points.pass_by("backward of a Function")
            (x,) = ctx.saved_tensors
            inner = side.detach().requires_grad_()
            with ag.enable_grad():
                y = (inner * inner).sum()
                y.register_hook(points.hook("hook in a pass within"))
            y.backward()
            points.pass_by("after the pass within")
            return grad * 2 + (inner.grad.sum() + x.sum()) * 0

    return Twice


def check(step, before, whole):
    """After a step that may have failed."""
    assert thread_state() == before, step.points.place
    assert not waiting(step.made), step.points.place
    assert all(p._version <= v for p, v in zip((*step.leaves, step.x), (0,) * 4, strict=True))
    for grad, complete in zip(step.results()[:3], whole[:3], strict=True):
        assert grad is None or grad == complete, (step.points.place, grad, complete)


@pytest.mark.parametrize("options", [{}, {"retain_graph": True}], ids=str)
def test_everywhere_in_user_code(device, options):
    points = Points()
    whole = Step(device, Points()).run(**options)
    before, places = thread_state(), []
    for fault in faults(points):
        step = Step(device, points)
        with fault:
            step.run(**options)
        places.append(points.place)
        points.at = None
        check(step, before, whole)
        assert step.run(**options) == whole, places[-1]
        points.place = places[-1]
    assert {
        "hook of a leaf", "hook after accumulation", "hook of a tensor", "hook of an output", "pre-hook", "post-hook",
        "between", "forward of a Function", "backward of a Function", "hook in a pass within", "after the pass within",
        None,
    } == set(places)  # fmt: skip


def test_at_every_allocation_of_the_device():
    with standin.activate():
        xp, points = library.installed().module, Points()
        whole = Step("cuda", Points()).run()
        before, count = thread_state(), 0
        for fault in faults(points):
            points.at, at = None, points.at
            step = Step("cuda", points)
            points.at, points.count = at, 0
            with fault, allocations(points, xp):
                step.run()
            place, points.at = points.place, None
            check(step, before, whole)
            assert step.run() == whole, place
            points.place, count = place, count + 1
        assert count > 20


@pytest.mark.parametrize("first", range(3))
def test_anywhere_inside_the_package(first):
    """As Ctrl-C would come, at the start of any function."""
    whole = Step("cpu", Points()).run()
    before, count = thread_state(), 0
    points = Points()
    for fault in faults(points, step=3):
        step = Step("cpu", Points())
        points.at = points.at + first
        with fault, calls_inside(points):
            step.run()
        place = points.place
        assert sys.gettrace() is None or place is None
        check(step, before, whole)
        assert step.run() == whole, place
        count += 1
    assert count > 30


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_in_the_step_of_an_optimizer(device, kind):
    """Hooks of the step and the closure: weights are as before, or as after a whole step."""

    def made(points):
        w = ag.tensor([1.0, 2.0], device=device, requires_grad=True)
        optimizer = getattr(ag.optim, kind)([w], lr=0.1)
        optimizer.register_step_pre_hook(points.hook("pre"))
        optimizer.register_step_post_hook(points.hook("post"))

        def closure():
            points.pass_by("closure")
            optimizer.zero_grad()
            loss = (w * w).sum()
            loss.register_hook(points.hook("hook"))
            loss.backward()
            points.pass_by("closure's end")
            return loss

        return w, optimizer, closure

    w, optimizer, closure = made(Points())
    optimizer.step(closure)
    one = w.tolist()
    optimizer.step(closure)
    two = w.tolist()
    points, before, places = Points(), thread_state(), []
    for fault in faults(points):
        w, optimizer, closure = made(points)
        with fault:
            optimizer.step(closure)
        places.append(points.place)
        points.at = None
        assert thread_state() == before
        assert w.tolist() in ([1.0, 2.0], one), places[-1]
        if w.tolist() != one:
            optimizer.step(closure)
        assert w.tolist() == one, places[-1]
        optimizer.step(closure)
        assert w.tolist() == two, places[-1]
        points.place = places[-1]
    assert set(places) == {"pre", "post", "closure", "hook", "closure's end", None}


def test_recorded_steps(device):
    """The same with create_graph, and the second derivative after it."""
    points = Points()

    def run(step):
        step.run(create_graph=True)
        (step.w.grad.sum() + step.b.grad.sum()).backward()
        return step.results()

    with pytest.warns(UserWarning, match="reference cycle"):
        whole = run(Step(device, Points()))
        before = thread_state()
        for fault in faults(points, step=2):
            step = Step(device, points)
            with fault:
                run(step)
            place, points.at = points.place, None
            assert thread_state() == before, place
            assert not waiting(step.made), place
            assert run(step) == whole, place
            points.place = place
