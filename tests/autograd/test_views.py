"""Views and writes: a write through one member of a family of views reaches the histories of
all.
"""

import pytest

from .agree import agree, leaf


@agree
def test_what_is_a_view(t):
    x = t.arange(12.0).view(3, 4)
    made = [
        x, x.t(), x[0], x[:, 1:], x[0, 0], x.view(4, 3), x.reshape(12), x.t().reshape(12), x.unsqueeze(0), x.squeeze(), x.expand(3, 4),
        x.transpose(0, 1), x.permute(1, 0), x.flatten(), x.detach(), x.clone(), x * 1, x.narrow(0, 0, 1), x.select(0, 1),
        x.diagonal(), x.T, x.mT, x.contiguous(), x.unbind()[0], x.split(2)[0], x.chunk(2)[0], x[[0, 1]], x[x > 3], x[None],
        x.view_as(x), x.expand_as(x), x.data, x.to(x.dtype), x.float(), x.double(), x.unfold(0, 2, 1), x.as_strided((2,), (1,)),
        x.swapaxes(0, 1), x.movedim(0, 1), x.ravel(), x.real,
    ]  # fmt: skip
    return [
        (v._is_view(), v._base is x or v._base is x._base and v._base is not None) for v in made
    ]


@agree
def test_a_view_of_a_view_has_the_same_base(t):
    x = leaf(t, [1.0, 2.0, 3.0, 4.0])
    b = x * 1
    v = b.view(2, 2)
    w = v[0]
    u = w[1:]
    return v._base is b, w._base is b, u._base is b, b._base, b._is_view(), u._is_view(), u._version


@agree
def test_versions_are_shared(t):
    b = t.zeros(4)
    v = b.view(2, 2)
    w = v[0]
    w.add_(1)
    b.add_(1)
    return b._version, v._version, w._version, b.detach()._version, b


@agree
def test_a_write_through_a_view_rebases_the_base(t):
    """E9."""
    x = leaf(t, [1.0, 2.0, 3.0])
    b = x * 1
    v = b[:2]
    before = v.grad_fn.name(), b.grad_fn.name()
    v.mul_(10)
    after = b.grad_fn.name(), v.grad_fn.name()
    (b * t.tensor([1.0, 1.0, 1.0], dtype=b.dtype)).sum().backward()
    return before, after, b, x.grad, v._base is b


@agree
def test_a_write_to_the_base_is_seen_through_views(t):
    x = leaf(t, [1.0, 2.0, 3.0])
    b = x * 1
    v, w = b[:2], b.view(3, 1)
    b.mul_(x)
    (v**2).sum().backward(retain_graph=True)
    first = x.grad.clone()
    w[2].sum().backward()
    return first, x.grad, v, w, v.grad_fn.name(), w.grad_fn.name()


@agree
def test_siblings_see_a_write(t):
    x = leaf(t, [1.0, 2.0, 3.0, 4.0])
    b = x * 1
    v, w = b[:3], b[1:]
    v.mul_(2)
    w.add_(x[1:])
    v.mul_(w[:3].detach().clone())
    (b * t.arange(4.0, dtype=t.float64)).sum().backward(retain_graph=True)
    first = x.grad.clone()
    (w * v.sum()).sum().backward()
    return b, v, w, first, x.grad


@agree
def test_a_view_used_before_the_write(t):
    x = leaf(t, [1.0, 2.0, 3.0])
    b = x * 1
    v = b[:2]
    early = v * 3
    v.mul_(10)
    late = v * 3
    (early + late).sum().backward()
    return early, late, x.grad


VIEWS = [
    "b[0]", "b[:, 1]", "b[0, 1]", "b.view(-1)", "b.view(3, 2)", "b.t()", "b.t()[1]", "b.view(-1)[2:5]", "b[1:].t()", "b.unsqueeze(0)",
    "b.transpose(0, 1)[2]", "b.permute(1, 0)[0:2]", "b[:, ::2]", "b.narrow(1, 1, 2)", "b.select(1, 2)", "b.diagonal()",
    "b[...]", "b[None, 0]", "b.reshape(6)[1:]", "b.flatten()[::2]", "b.squeeze()", "b[0:1].expand(1, 3)", "b.T[1:, 0]",
    "b.view(-1).as_strided((2, 2), (3, 1))", "b.unfold(1, 2, 2)", "b.movedim(0, 1)[0]", "b.mT[1]", "b.view(1, 2, 3)[0, :, 1]",
]  # fmt: skip
WRITES = ["v.mul_(2)", "v.add_(x.sum())", "v.exp_()", "v.zero_()", "v.copy_(x[0, 0])", "v.pow_(2).add_(1)",
          "v.__setitem__(..., x[1, 1] ** 2)", "v.fill_(x[0, 2])"]  # fmt: skip


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("view", VIEWS)
@agree
def test_every_view_with_every_write(t, view, write):
    """First and second derivatives through the base, the view, and a view made after."""
    x = leaf(t, [[0.5, 1.5, 2.0], [1.25, 0.75, 3.0]])
    b = x * 1.5
    v = eval(view, {"b": b})
    eval(write, {"v": v, "x": x})
    weights = t.arange(1.0, 7.0, dtype=t.float64).view(2, 3)
    out = (b**2 * weights).sum() + (v**3).sum() + b[1].exp().sum()
    (g,) = t.autograd.grad(out, x, create_graph=True)
    return b, v, b.grad_fn.name(), g.detach(), t.autograd.grad((g * weights).sum(), x)


@agree
def test_chains_of_views_and_writes(t):
    x = leaf(t, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    b = x.sin()
    v = b.view(2, 3)
    w = v[1]
    w.mul_(x[:3])
    u = w[1:]
    u.mul_(0.1).add_(x[0])
    v[:, 0] = x[3:5]
    b[2:4].add_(u)
    v.t()[1].sub_(0.5)
    total = (b**2).sum() + (v * w).sum() + u.prod()
    (g,) = t.autograd.grad(total, x, create_graph=True)
    return b, v, w, u, g.detach(), t.autograd.grad((g**2).sum(), x)
