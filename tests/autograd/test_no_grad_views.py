"""Views made under no_grad, or before their base required grad: they require grad as the base does,
and have no history; and what writes under no_grad do to the views there are.

    x --(no_grad: x[:2])--> v --> y = v * 2      y requires grad, and no gradient passes v
"""

import pytest

import autograd_gpu as ag

from .agree import agree, fails, leaf, works
from .stories import story, told


def view_and_base(t):
    x = leaf(t, [1.0, 2.0, 3.0])
    with t.no_grad():
        v = x[:2]
    return x, v


@agree
def test_results_require_grad_and_gradients_stop(t):
    x, v = view_and_base(t)
    y = v * 2
    found = [story(v), story(y), [n for n, _ in y.grad_fn.next_functions]]
    (y.sum() + (v[:1] * x[:1]).sum() + t.cat([v, x]).sum()).backward()
    return found, v.grad, x.grad


@agree
def test_of_a_result(t):
    x = leaf(t, [1.0, 2.0, 3.0])
    b = x * 1
    with t.no_grad():
        v = b[:2]
        w = v[:1]
        parts = b.unbind()
    u = v[:1]
    made = [v, w, u, w * 2, parts[0], v.view(2, 1), v.unbind()[0], v.detach(), v.clone()]
    (u * 3).sum().backward()
    return [story(m) for m in made], v._base is b, w._base is b, u._base is b, x.grad


@agree
def test_second_derivatives_stop_too(t):
    x, v = view_and_base(t)
    (g,) = t.autograd.grad((v * v * x[:2]).sum(), x, create_graph=True)
    return g, t.autograd.grad(g.sum(), x, allow_unused=True)


@agree
def test_as_input_and_root_of_passes(t):
    x, v = view_and_base(t)
    y = (v * 2).sum()
    words = "appears to not have been used in the graph"
    keep = {"retain_graph": True}
    return [
        fails(RuntimeError, words, t.autograd.grad, y, v),
        fails(RuntimeError, words, t.autograd.grad, y, x),
        t.autograd.grad(y, [v, x], allow_unused=True, **keep),
        y.backward(inputs=[v], **keep), y.backward(inputs=[x]),
        fails(RuntimeError, "does not require grad and does not have a grad_fn", v.backward, t.ones(2, dtype=t.float64)),
        works(v.sum().backward), v.grad, x.grad,
    ]  # fmt: skip


@agree
def test_hooks_are_taken_and_never_called(t):
    x, v = view_and_base(t)
    called = []
    v.register_hook(called.append)
    v.register_post_accumulate_grad_hook(called.append)
    v.retain_grad()
    (v * 2).sum().backward()
    return called, v.retains_grad, v.grad


@agree
def test_it_may_become_a_leaf_of_its_own(t):
    x, v = view_and_base(t)
    v.requires_grad_(False)
    found = [story(v)]
    v.requires_grad_()
    (v * 2).sum().backward()
    v.grad = v.grad * 3
    return found, story(v), v.grad, x.grad, fails(RuntimeError, "Can't detach views", v.detach_)


@agree
def test_a_plain_tensor_takes_up_such_a_history(t):
    x, v = view_and_base(t)
    b = t.zeros(2, dtype=t.float64)
    b.add_(v)
    return story(b), works(b.sum().backward), x.grad


@agree
def test_its_base_comes_to_require_grad(t):
    b = t.ones(3, dtype=t.float64)
    v, (a, *_) = b[:2], b.unbind()
    with t.no_grad():
        n = b[:1]
    b.requires_grad_()
    found = [story(v), story(a), story(n), story(v[:1])]
    words = "a view of a leaf Variable that requires grad"
    found += [fails(RuntimeError, words, v.mul_, 2), works(a.mul_, 2), works(n.mul_, 2)]
    (v.sum() + a + n.sum() + b.sum()).backward()
    found += [b, b.grad.clone(), v.grad]
    with t.no_grad():
        b.add_(1)
    found += [story(v), works(lambda: a * 2), works(lambda: n * 2)]
    v.sum().backward()
    b.requires_grad_(False)
    return found, b.grad, (v * 2).requires_grad


@agree
def test_a_view_that_is_a_leaf(t):
    b = t.ones(3, dtype=t.float64)
    v = b[:2].requires_grad_()
    found = [story(v), story(b)]
    (v * 2).sum().backward()
    found += [v.grad.clone(), works(b.mul_, 2), story(v)]
    found.append(fails(RuntimeError, "a view of a leaf Variable that requires grad", v.mul_, 2))
    with t.no_grad():
        b.mul_(2)
    (v * 2).sum().backward()
    found += [story(v), v.grad.clone()]
    x = leaf(t, [1.0, 2.0, 3.0])
    b.mul_(x)
    (v * 2).sum().backward()
    return found, story(v), story(b), x.grad, b


# ---- writes under no_grad


@agree
def test_every_view_is_made_again(t):
    x = leaf(t, [[1.0, 2.0], [3.0, 4.0]])
    found = []
    for base in (x * 1, x):
        views = [base[0], base.t(), base.view(4), base[0][1:]]
        with t.no_grad():
            base.mul_(2)
        found += [story(v) for v in views]
        with t.no_grad():
            views[0].add_(1)
        found += [story(v) for v in views]
        sum(v.sum() for v in views).backward()
    return found, x.grad, x


@agree
def test_detached_writes_are_seen_and_writes_to_data_are_not(t):
    found = []
    for write in (lambda b: b.detach().mul_(2), lambda b: b.data.mul_(2)):
        b = leaf(t, [1.0, 2.0, 3.0]) * 1
        v, (a, *_) = b[:2], b.unbind()
        write(b)
        found += [story(v), works(lambda a=a: a * 2), story(b)]
    return found


@agree
def test_views_that_cannot_be_made_again(t):
    """The write itself is allowed, also through such a view; what used the view's history is not."""
    x = leaf(t, [1.0, 2.0, 3.0])
    b = x * 1
    with t.no_grad():
        n = x[:1]
    a, c, *_ = b.unbind()
    with t.no_grad():
        b.mul_(2)
        x.add_(1)
        inside = [told(lambda: n.grad_fn and 1), n * 2, a * 2, told(lambda: n.is_leaf), n.requires_grad]
    words = "its base or another view of its base has been modified inplace"
    return inside, [
        fails(RuntimeError, words, lambda: a * 2),
        fails(RuntimeError, words, lambda: c.grad_fn),
        fails(RuntimeError, "created in no_grad mode and " + words, lambda: n * 2),
        fails(RuntimeError, "is a view and is being modified inplace", a.mul_, 2),
        a.requires_grad, n.requires_grad, x, b,
    ]  # fmt: skip


@agree
def test_a_view_of_a_stale_view_without_recording(t):
    b = leaf(t, [1.0, 2.0, 3.0]) * 1
    v = b[:2]
    with t.no_grad():
        b.mul_(2)
        u = v[:1]
        u.add_(1)
        total = u + v[1]
    return story(u), total, b, works(lambda: u * 2), story(v)


@agree
def test_a_leaf_is_trained_through_its_views(t):
    """Rows of a parameter, written one by one, and the passes between."""
    x = leaf(t, [[1.0, 2.0], [3.0, 4.0]])
    rows = [x[0], x[1]]
    found = []
    for _ in range(3):
        (rows[0] * rows[1]).sum().backward()
        with t.no_grad():
            for row, g in zip(rows, x.grad, strict=True):
                row.sub_(g, alpha=0.1)
            x.grad.zero_()
        found.append(x.detach().clone())
    return found, x._version


def test_families_forget_dropped_views():
    x = leaf(ag, [1.0, 2.0])
    with ag.no_grad():
        for _ in range(50):
            x[:1].add_(1)
    assert len(x._family) <= 2
    assert x._version == 50


@pytest.mark.parametrize("mode", ["recorded", "not"])
def test_a_write_that_fails_leaves_views_as_they_were(mode):
    b = leaf(ag, [1.0, 2.0]) * 1
    v = b[:1]
    node = v.grad_fn
    with ag.set_grad_enabled(mode == "recorded"), pytest.raises(RuntimeError):
        b.add_(ag.ones(3, 3))
    assert v.grad_fn is node
    assert b._version == 0
