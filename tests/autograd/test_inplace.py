"""In-place operations: versions, what they may not touch, and the history they leave."""

import pytest

import autograd_gpu as ag

from .agree import agree, fails, leaf


@agree
def test_versions_count_writes(t):
    x = t.ones(2, 2)
    seen = [x._version]
    for write in (lambda: x.add_(1), lambda: x.mul_(2), lambda: x.zero_(), lambda: x[0].fill_(3),
                  lambda: x.detach().sub_(1), lambda: x.view(-1).div_(2), lambda: x.__setitem__(0, 1.0)):  # fmt: skip
        write()
        seen.append(x._version)
    y = x * 2
    return seen, y._version, x.view(4)._version, x.detach()._version, x.clone()._version, x


@agree
def test_operators_in_place(t):
    x = t.tensor([5.0, 7.0])
    same = x
    x += 1
    x -= 2
    x *= 3
    x /= 2
    x **= 2
    x //= 2
    x %= 7
    return x, x is same


@agree
def test_integers_in_place(t):
    x = t.tensor([5, 7])
    x += 1
    x *= 3
    x //= 2
    x &= 13
    x |= 2
    x ^= 1
    x <<= 2
    x >>= 1
    words = "can't be cast to the desired output type"
    return x, fails(RuntimeError, words, x.add_, 1.5), fails(RuntimeError, words, x.div_, 2), x


@agree
def test_a_saved_result_is_changed(t):
    """E1."""
    x = leaf(t, [1.0, 2.0])
    y = x.exp()
    y.add_(1)
    return fails(
        RuntimeError, "has been modified by an inplace operation", y.sum().backward
    ), x.grad


@agree
def test_a_saved_operand_is_changed(t):
    x, w = leaf(t, [1.0, 2.0]), t.ones(2, dtype=t.float64)
    y = x * w
    w.mul_(2)
    return fails(RuntimeError, "has been modified by an inplace operation", y.sum().backward)


@agree
def test_a_saved_leaf_is_changed_under_no_grad(t):
    x, w = leaf(t, [1.0, 2.0]), leaf(t, [3.0, 4.0])
    y = x * w
    with t.no_grad():
        w.add_(1)
    return fails(RuntimeError, "is at version 1; expected version 0", y.sum().backward)


@agree
def test_the_message_counts_versions(t):
    x = leaf(t, [1.0, 2.0])
    w = t.ones(2, dtype=t.float64)
    w.add_(1)
    y = x * w
    w.add_(1)
    w.add_(1)
    return fails(RuntimeError, "is at version 3; expected version 1", y.sum().backward)


@agree
def test_what_was_not_saved_may_change(t):
    x = leaf(t, [1.0, 2.0])
    a, b = x * 2, x * 3
    c = a + b
    a.mul_(5)
    b.zero_()
    c.sum().backward()
    return x.grad, a, b


@agree
def test_a_write_before_the_save_is_no_problem(t):
    x = leaf(t, [1.0, 2.0])
    y = x * 1
    y.add_(1)
    z = (y * y).sum()
    z.backward()
    return x.grad, y._version


@agree
def test_detach_shares_the_counter(t):
    """E7."""
    x = leaf(t, [1.0, 2.0])
    a = x * 1
    y = (a * a).sum()
    a.detach().add_(1)
    return fails(RuntimeError, "has been modified by an inplace operation", y.backward)


@agree
def test_data_has_a_counter_of_its_own(t):
    """E6."""
    x = leaf(t, [1.0, 2.0])
    y = (x * x).sum()
    x.data.add_(10)
    y.backward()
    return x.grad, x._version, x


@agree
def test_data_may_be_set(t):
    x = leaf(t, [1.0, 2.0])
    x.data = t.tensor([5.0, 6.0], dtype=t.float64)
    (x * x).sum().backward()
    d = x.data
    d[0] = 9.0
    return x, x.grad, x.is_leaf, x.requires_grad, d.requires_grad


@agree
def test_leaves_refuse(t):
    """E3, E4."""
    x = leaf(t, [1.0, 2.0])
    return [
        fails(RuntimeError, "a leaf Variable that requires grad", x.add_, 1),
        fails(RuntimeError, "a leaf Variable that requires grad", x.__setitem__, 0, 1.0),
        fails(RuntimeError, "a leaf Variable that requires grad", x.zero_),
        fails(RuntimeError, "a leaf Variable that requires grad", x.copy_, t.zeros(2, dtype=t.float64)),
        fails(RuntimeError, "a view of a leaf Variable that requires grad", x[0:1].add_, 1),
        fails(RuntimeError, "a view of a leaf Variable that requires grad", x.view(1, 2).mul_, 2),
        x, x._version,
    ]  # fmt: skip


@agree
def test_leaves_may_be_written_under_no_grad(t):
    x = leaf(t, [1.0, 2.0])
    with t.no_grad():
        x.add_(1)
        x[0] = 9.0
        x[1:].mul_(2)
        x -= 0.5
    return x, x.is_leaf, x.requires_grad, x._version


@agree
def test_a_plain_tensor_takes_up_a_history(t):
    x, b = leaf(t, [3.0]), t.zeros(2, dtype=t.float64)
    b += x
    b.mul_(x)
    b.sum().backward()
    return b, b.is_leaf, b.requires_grad, x.grad


def test_multiplying_a_tensor_by_itself():
    """PyTorch finds in backward that the second operand was written and refuses."""
    x = leaf(ag, [3.0])
    y = x * 2
    y.mul_(y)
    y.div_(y.detach() / 6)
    y.backward()
    assert (y.item(), x.grad.item()) == (6.0, 4.0)


@agree
def test_a_chain_of_writes(t):
    x = leaf(t, [0.5, 2.0])
    y = x * 1
    y.add_(1).mul_(3).sub_(x).div_(x)
    y.pow_(2).add_(x).tanh_()
    y.sum().backward()
    return y, x.grad


WRITES = [
    "y.add_(x)", "y.sub_(x, alpha=2)", "y.mul_(x)", "y.div_(x)", "y.pow_(2)", "y.pow_(x)", "y.exp_()", "y.log_()", "y.sqrt_()",
    "y.tanh_()", "y.sigmoid_()", "y.relu_()", "y.neg_()", "y.abs_()", "y.sin_()", "y.cos_()", "y.clamp_(0.6, 3)", "y.zero_()",
    "y.fill_(3)", "y.copy_(x)", "y.copy_(x[0])", "y.reciprocal_()", "y.square_()", "y.masked_fill_(m, 2.0)",
    "y.masked_fill_(m, x[0, 0])", "y.addcmul_(x, x)", "y.lerp_(x, 0.25)", "y.clamp_(min=1)", "y.floor_()", "y.add_(y)", "y.sub_(y)",
    "y.addmm_(x, x)", "y.scatter_(0, i, x)", "y.scatter_add_(0, i, x)", "y.index_add_(0, i[0], x)",
    "y.index_fill_(0, i[0], 1.5)", "y.index_copy_(0, i[0], x)", "y.tril_()", "y.triu_()", "y.cumsum_(0)", "y.t_().mul_(x)",
    "y.unsqueeze_(0).mul_(2)", "y.squeeze_().mul_(2)", "y.transpose_(0, 1).mul_(x)", "y.__setitem__(0, x[1])",
    "y.__setitem__((slice(None), 1), 3.0)", "y.__setitem__(m, 7.0)", "y.__setitem__(m, x[0, 0])",
    "y.__setitem__(i[0], x)", "y.__setitem__(..., x)", "y.__setitem__((0, 1), x[1, 1])", "y.__setitem__(None, x)",
    "y.masked_scatter_(m, x)", "y.remainder_(2)", "y.rsqrt_()", "y.erf_()", "y.log1p_()", "y.expm1_()",
]  # fmt: skip


@pytest.mark.parametrize("source", WRITES)
@agree
def test_first_and_second_derivatives(t, source):
    x = leaf(t, [[0.5, 2.0], [1.25, 0.75]])
    y = x * 1.5
    m, i = t.tensor([[True, False], [True, True]]), t.tensor([[1, 0], [0, 1]])
    before = y
    eval(source, {"x": x, "y": y, "t": t, "m": m, "i": i})
    (g,) = t.autograd.grad((y * y).sum() + y.exp().sum(), x, create_graph=True, allow_unused=True)
    if g is None:
        return y, None
    second = (
        t.autograd.grad((g * t.arange(4.0, dtype=t.float64).view(2, 2)).sum(), x, allow_unused=True)
        if g.requires_grad
        else None
    )
    return y, y is before, y.grad_fn.name().replace("CopySlices", "?")[:0], g.detach(), second
