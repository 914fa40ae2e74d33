"""Passes inside passes: from hooks, Functions and leaves' hooks, into the same leaves, at any depth."""

import sys
import threading

import pytest

import autograd_gpu as ag

from .agree import agree, fails, function, leaf


def within(t, name, inner):
    """A Function x -> x of which forward, backward or both call `inner`."""

    def forward(ctx, x):
        if name != "backward":
            with t.enable_grad():
                inner()
        return x * 1

    def backward(ctx, grad):
        if name != "forward":
            with t.enable_grad():
                inner()
        return grad

    return function(t, forward, backward).apply


@pytest.mark.parametrize("place", ["forward", "backward", "tensor", "pre", "post", "leaf", "after", "other leaf"])
@agree
def test_a_pass_from_everywhere_into_the_same_leaves(t, place):
    """x -> y -> z, and at one place  w * x -> leaves."""
    x, w, log = leaf(t, [2.0]), leaf(t, [3.0]), []

    def inner(*_):
        log.append((t.is_grad_enabled(), x.grad, w.grad))
        with t.enable_grad():
            (w * x * 5).sum().backward()
        log.append((t.is_grad_enabled(), x.grad, w.grad))

    y = within(t, place, inner)(x * 2) if place in ("forward", "backward") else x * 2
    if place == "tensor":
        y.register_hook(inner)
    elif place == "pre":
        y.grad_fn.register_prehook(inner)
    elif place == "post":
        y.grad_fn.register_hook(inner)
    elif place in ("leaf", "after", "other leaf"):
        target = w if place == "other leaf" else x

        def once(_):
            handle.remove()
            inner()

        register = target.register_hook if "leaf" in place else target.register_post_accumulate_grad_hook
        handle = register(once)
    z = (y * w).sum()
    z.backward()
    return log, x.grad, w.grad


@agree
def test_a_leaf_hook_that_goes_back_into_its_own_leaf(t):
    x, count = leaf(t, [2.0]), []

    def hook(grad):
        count.append(grad.tolist())
        if len(count) < 4:
            with t.enable_grad():
                (x * 10).sum().backward()

    x.register_hook(hook)
    (x**2).sum().backward()
    return count, x.grad


@pytest.mark.parametrize("recorded", [False, True])
@agree
def test_grad_on_the_same_graph_inside_its_own_pass(t, recorded):
    """Every kind of question about the graph of the outer pass, from a hook in the middle."""
    x, w, log = leaf(t, [2.0]), leaf(t, [3.0]), []
    a = x * w
    b = a.exp()
    z = (b * x + a).sum()

    def hook(grad):
        if not log:
            log.append(grad.tolist())
            for targets in ([x], [w], [a, x], [b], [b, w, x]):
                found = t.autograd.grad(z, targets, retain_graph=True, create_graph=recorded)
                log.append([g.detach() for g in found])
            z.backward(retain_graph=True, inputs=[w])

    b.register_hook(hook)
    outer = t.autograd.grad(z, [x, a], retain_graph=True, create_graph=recorded)
    return log, [g.detach() for g in outer], x.grad, w.grad


@agree
def test_a_pass_with_inputs_does_not_hide_the_rest_from_a_pass_inside(t):
    """The outer pass wants x only; the inner one, begun in its hook, wants w and all leaves."""
    x, w, log = leaf(t, [2.0]), leaf(t, [3.0]), []
    y = x * w
    z = (y * y * w).sum()

    def hook(grad):
        if not log:
            log.append(None)
            log.append([n[0] is None for n in z.grad_fn.next_functions])
            log.append([n[0] is None for n in y.grad_fn.next_functions])
            log.append(t.autograd.grad(z, w, retain_graph=True))
            z.backward(retain_graph=True)

    y.register_hook(hook)
    outer = t.autograd.grad(z, x, retain_graph=True)
    return log[1:], outer, x.grad, w.grad


@pytest.mark.parametrize("inner_recorded", [False, True])
@pytest.mark.parametrize("outer_recorded", [False, True])
@agree
def test_modes_come_back(t, outer_recorded, inner_recorded):
    x, log = leaf(t, [2.0]), []
    y = x**3

    def hook(grad):
        log.append((t.is_grad_enabled(), grad.requires_grad))
        with t.enable_grad():
            v = leaf(t, [3.0])
            u = v**3
            u.register_hook(lambda g: log.append(("in", t.is_grad_enabled(), g.requires_grad)))
            log.append(t.autograd.grad(u.sum(), v, create_graph=inner_recorded)[0].requires_grad)
        log.append(t.is_grad_enabled())

    y.register_hook(hook)
    with t.no_grad():
        y.backward(create_graph=outer_recorded)
        log.append(t.is_grad_enabled())
    return log, x.grad.detach(), t.is_grad_enabled()


class Deep:
    """backward of level n goes back through level n + 1, in the same leaf."""

    def __init__(self, t, depth, bottom=lambda: None):
        self.x, self.level, self.threads = leaf(t, [1.0]), 0, set()

        def backward(ctx, grad):
            self.threads.add(threading.get_ident())
            if self.level < depth:
                self.level += 1
                assert not t.is_grad_enabled()
                with t.enable_grad():
                    self.apply(self.x).backward()
                assert not t.is_grad_enabled()
            else:
                bottom()
            return grad * 2

        self.apply = function(t, lambda ctx, x: x * 2, backward).apply


@pytest.mark.parametrize("depth", [60, 1000])
@agree
def test_depth(t, depth):
    deep = Deep(t, depth)
    deep.apply(deep.x).backward()
    return deep.level, deep.x.grad


def test_depth_3000():
    deep = Deep(ag, 3000)
    deep.apply(deep.x).backward()
    assert deep.x.grad.tolist() == [6002.0]
    assert ag.is_grad_enabled()


def test_shallow_nesting_stays_in_its_thread():
    deep = Deep(ag, 8)
    deep.apply(deep.x).backward()
    assert deep.threads == {threading.get_ident()}


def test_threads_of_deep_passes_have_the_modes_of_their_own():
    seen = []
    local = ag.ones(1)

    def bottom():
        seen.append((ag.is_grad_enabled(), ag.is_inference_mode_enabled(), threading.get_ident()))
        seen.append((local * 1).requires_grad)

    deep = Deep(ag, 300, bottom)
    packed = []
    with ag.autograd.graph.saved_tensors_hooks(lambda v: packed.append(1) or v, lambda v: v):
        def pack_there():
            bottom()
            with ag.enable_grad():
                leaf(ag, [1.0]).exp()

        deep = Deep(ag, 300, pack_there)
        y = deep.apply(deep.x)
        packed.clear()
        y.backward()
    assert seen[0][:2] == (False, False) and seen[0][2] != threading.get_ident()
    assert packed, "hooks of saved tensors hold in the threads of deep passes"


@pytest.mark.parametrize("depth", [0, 5, 200])
@pytest.mark.parametrize("kind", [KeyError, ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_errors_come_up_from_any_depth(kind, depth):
    def bottom():
        raise kind("below")

    deep = Deep(ag, depth, bottom)
    y = deep.apply(deep.x)
    with pytest.raises(kind, match="below"):
        y.backward()
    assert ag.is_grad_enabled() and deep.x.grad is None
    assert y.grad_fn.g is None
    again = Deep(ag, depth)
    again.apply(again.x).backward()
    assert again.x.grad.tolist() == [2.0 * (depth + 1)]


def test_a_caught_error_of_an_inner_pass_harms_nothing():
    x, w = leaf(ag, [2.0]), leaf(ag, [3.0])
    y = x * w

    def hook(grad):
        with ag.enable_grad():
            z = y * 2
            z.register_hook(lambda g: 1 / 0)
            v = (z * x).sum()
        with pytest.raises(ZeroDivisionError):
            v.backward(retain_graph=True)

    u = y * x
    u.register_hook(hook)
    (u * w + y * 7).sum().backward()
    # (x w x w + 7 x w): the inner pass gave nothing, or only what was complete
    assert w.grad.tolist() == [2 * 4.0 * 3.0 + 14.0]
    assert x.grad.tolist() == [2 * 2.0 * 9.0 + 21.0 + 0.0]


@agree
def test_from_a_thread(t):
    """An outer pass that runs in a thread of the program's."""
    x, errors = leaf(t, [1.0]), []

    def work():
        try:
            deep = Deep(t, 120)
            deep.apply(deep.x).backward()
            (deep.x * 1).sum().backward()
            x.grad = deep.x.grad
        except BaseException as error:
            errors.append(repr(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return errors, x.grad


def test_a_low_recursion_limit_is_enough():
    """Each level of a pass in a pass takes a dozen frames; no more than half of the limit is used."""
    errors = []

    def work():
        deep = Deep(ag, 200)
        try:
            deep.apply(deep.x).backward()
        except RecursionError as error:
            errors.append(error)

    before = sys.getrecursionlimit()
    frames = 0
    frame = sys._getframe()
    while frame is not None:
        frames, frame = frames + 1, frame.f_back
    sys.setrecursionlimit(frames + 250)
    try:
        work()
    finally:
        sys.setrecursionlimit(before)
    assert not errors


@agree
def test_checkpoint_like_functions(t):
    """The reentrant kind: forward unrecorded, backward records it again and goes back."""
    w = leaf(t, [[0.5, -0.25], [0.75, 1.0]])

    def segment(x):
        return (x @ w).tanh()

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return segment(x)

    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        x = x.detach().requires_grad_()
        with t.enable_grad():
            y = segment(x)
        t.autograd.backward(y, grad)
        return x.grad

    apply = function(t, forward, backward).apply
    x = leaf(t, [[1.0, 2.0]])
    y = x
    for _ in range(30):
        y = apply(y)
    y.sum().backward()
    return w.grad, x.grad


@agree
def test_an_inner_pass_that_fails_keeps_what_the_outer_had(t):
    x, log = leaf(t, [1.0, 2.0]), []
    a, b = x.unbind()

    def hook(grad):
        log.append(fails(RuntimeError, "only for scalar outputs", lambda: x.backward()))

    (a * 3).register_hook(hook)
    c = b * a
    c.register_hook(hook)
    (c + a).backward()
    return log, x.grad
