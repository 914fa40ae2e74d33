"""Views that a write cannot follow, and families of views: unbind, no_grad, detach, parts of complex numbers."""

import autograd_gpu as ag

from .agree import agree, fails, leaf, works


@agree
def test_a_plain_base_takes_up_history_through_a_view(t):
    x = leaf(t, [1.0, 2.0])
    b = t.zeros(2, 2, dtype=t.float64)
    v = b[0]
    v.add_(x)
    w = b[:, 1]
    w.mul_(x[0])
    b.sum().backward()
    return b, b.requires_grad, b.grad_fn.name(), v.requires_grad, w.requires_grad, x.grad


@agree
def test_a_view_of_a_plain_base_made_before_the_base_was_recorded(t):
    x, b = leaf(t, [1.0, 2.0]), t.ones(2, dtype=t.float64)
    v, w = b.view(2, 1), b[:1]
    b.mul_(x)
    found = [u.requires_grad for u in (b, v, w)]
    v.sum().backward()
    return found, x.grad, v.grad_fn.name()


@agree
def test_outputs_that_are_many_views_refuse(t):
    """E13."""
    words = "is a view and is being modified inplace"
    b = leaf(t, [[1.0, 2.0], [3.0, 4.0]]) * 1
    seen = [
        fails(RuntimeError, words, v.mul_, 2)
        for v in (b.unbind(0)[0], b.split(1)[1], b.chunk(2)[0], b.unbind()[1][0])
    ]
    with t.no_grad():
        b.unbind()[0].mul_(2)
    b.sum().backward()
    return seen, b


@agree
def test_many_views_of_a_tensor_without_a_graph(t):
    b = t.ones(2, 2)
    first, second = b.unbind()
    first.mul_(2)
    return (
        b,
        second,
        [
            fails(
                RuntimeError,
                "a function that returns multiple views",
                second.mul_,
                leaf(t, 1.0, "float32"),
            )
        ],
    )


@agree
def test_many_views_after_the_base_was_written(t):
    x = leaf(t, [1.0, 2.0])
    b = x * 1
    u, w = b.unbind()
    b.mul_(x)
    words = "is a view and its base or another view of its base has been modified inplace"
    with t.no_grad():
        product = u * w
    return [
        product,
        fails(RuntimeError, words, lambda: u * w),
        fails(RuntimeError, words, lambda: u.grad_fn),
        u.requires_grad,
    ]


@agree
def test_views_made_under_no_grad_refuse(t):
    """E12."""
    b = leaf(t, [1.0, 2.0]) * 1
    a = leaf(t, [1.0, 2.0])
    with t.no_grad():
        v, w = b[:1], a[:1]
    words = "created in no_grad mode"
    return [
        v.requires_grad, v.is_leaf, w.requires_grad, b, b._version,
        fails(RuntimeError, words, v.mul_, 2), fails(RuntimeError, words, w.mul_, 2),
    ]  # fmt: skip


@agree
def test_views_made_under_no_grad_lose_the_base(t):
    b = leaf(t, [1.0, 2.0]) * 1
    with t.no_grad():
        v = b[:1]
    b.mul_(2)
    with t.no_grad():
        product = v * 2
    words = (
        "created in no_grad mode and its base or another view of its base has been modified inplace"
    )
    return [
        v.requires_grad,
        product,
        fails(RuntimeError, words, lambda: v * 2),
        fails(RuntimeError, words, lambda: v.grad_fn),
        repr(v),
    ]


@agree
def test_views_made_under_no_grad_of_plain_tensors(t):
    b = t.ones(2, dtype=t.float64)
    with t.no_grad():
        v = b[:1]
    v.mul_(2)
    return b, v.requires_grad, works(v.mul_, leaf(t, [2.0]))


@agree
def test_detached_views(t):
    x = leaf(t, [1.0, 2.0])
    b = x * 1
    d = b.detach()
    v = d[:1]
    v.mul_(5)
    b.sum().backward()
    return b, d.requires_grad, d._is_view(), v._is_view(), x.grad, b._version


@agree
def test_reshape_is_a_view_only_where_memory_allows(t):
    x = leaf(t, [[1.0, 2.0], [3.0, 4.0]])
    b = x * 1
    v, c = b.reshape(4), b.t().reshape(4)
    v.mul_(2)
    c.mul_(10)
    (b.sum() + c.sum()).backward()
    return b, c, x.grad, v._is_view(), c._is_view()


@agree
def test_contiguous_of_the_contiguous_is_itself(t):
    x = leaf(t, [[1.0, 2.0], [3.0, 4.0]])
    b = x * 1
    return b.contiguous() is b or b.contiguous()._is_view(), b.t().contiguous()._is_view()


@agree
def test_retain_grad_on_views_and_bases(t):
    x = leaf(t, [1.0, 2.0, 3.0])
    b = x * 1
    b.retain_grad()
    v = b[:2]
    v.retain_grad()
    v.mul_(3)
    w = b[1:]
    w.retain_grad()
    (b**2).sum().backward()
    return x.grad, b.grad, v.grad, w.grad


@agree
def test_no_grad_writes_through_views(t):
    x = leaf(t, [1.0, 2.0, 3.0])
    with t.no_grad():
        x[1:].mul_(2)
        x.view(3, 1)[0] = 7.0
    b = x * 1
    with t.no_grad():
        b[0] = 100.0
    b.sum().backward()
    return x, x.grad, b, b._version


@agree
def test_a_no_grad_write_is_an_error_where_the_base_was_saved(t):
    x = leaf(t, [1.0, 2.0])
    b = x * 1
    y = b * b
    with t.no_grad():
        b[:1].zero_()
    return fails(RuntimeError, "has been modified by an inplace operation", y.sum().backward)


@agree
def test_copy_slices_has_edges_to_the_old_base_and_the_value(t):
    x, w = leaf(t, [1.0, 2.0]), leaf(t, [5.0])
    b = x * 1
    b[:1] = w
    return b.grad_fn.name(), [n.name() if n else None for n, _ in b.grad_fn.next_functions]


@agree
def test_second_pass_through_copy_slices(t):
    x = leaf(t, [1.0, 2.0])
    b = x * 1
    b[:1].mul_(2)
    b[1:].exp_()
    b.sum().backward()
    return works(b.sum().backward)


@agree
def test_retained_passes_through_copy_slices(t):
    x = leaf(t, [1.0, 2.0])
    b = x * 1
    b[:1].exp_()
    b.sum().backward(retain_graph=True)
    b.sum().backward()
    return x.grad


@agree
def test_gradients_of_inputs_beyond_copy_slices(t):
    x, w = leaf(t, [1.0, 2.0]), leaf(t, [5.0])
    b = x * 1
    b[:1].mul_(w)
    keep = {"retain_graph": True}
    found = [t.autograd.grad(b.sum(), target, **keep) for target in (x, w, b, [x, w])]
    (g,) = t.autograd.grad((b**2).sum(), w, create_graph=True)
    return found, t.autograd.grad(g.sum(), [x, w])


@agree
def test_views_of_strided_tensors(t):
    x = leaf(t, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    b = (x * 1).t()
    c = b[1:]
    c.mul_(2)
    b[:, 0] = c[1, 1]
    (b * b).sum().backward()
    return b, x.grad


@agree
def test_complex_parts_are_views(t):
    z = t.tensor([1 + 2j, 3 - 1j], requires_grad=True)
    b = z * 1
    b.real.mul_(2)
    b.imag[0] = 5.0
    (b.abs() ** 2).sum().backward()
    return b, z.grad, b.real._is_view(), t.view_as_real(b)._is_view()


@agree
def test_writes_through_view_as_real(t):
    z = t.tensor([1 + 2j, 3 - 1j], requires_grad=True)
    b = z * 1
    t.view_as_real(b)[:, 0].mul_(3)
    (b.abs() ** 2).sum().backward()
    return b, z.grad


@agree
def test_a_stale_view_as_argument_of_everything(t):
    x = leaf(t, [1.0, 2.0, 3.0])
    b = x * 1
    v = b[:2]
    b.mul_(x)
    found = [
        v.requires_grad,
        v.is_leaf,
        v.grad_fn.name(),
        v.output_nr,
        (v + 1).grad_fn.next_functions[0][0].name(),
    ]
    b.mul_(2)
    (x[:2] * v + v[0]).sum().backward(retain_graph=True)
    found.append(x.grad.clone())
    b.mul_(2)
    t.cat([v, v]).sum().backward(retain_graph=True)
    b.mul_(2)
    return [*found, x.grad, t.autograd.grad(b.sum() + v.sum(), [x, b, v])]


def test_a_hook_on_a_stale_view():
    """PyTorch 2.13 crashes here."""
    x = leaf(ag, [1.0, 2.0, 3.0])
    b = x * 1
    v = b[:2]
    b.mul_(2)
    v.register_hook(lambda g: g * 100)
    v.sum().backward()
    assert x.grad.tolist() == [200.0, 200.0, 0.0]


def test_hundreds_of_views_do_not_pile_up():
    b = leaf(ag, [1.0, 2.0]) * 1
    for _ in range(2000):
        b[:1]
    assert len(b._family) < 200


def test_a_dropped_base_lives_on_in_its_views():
    x = leaf(ag, [1.0, 2.0])
    v = (x * 3)[:1]
    v.mul_(2)
    v.sum().backward()
    assert ag.equal(x.grad, ag.tensor([6.0, 0.0], dtype=ag.float64))
