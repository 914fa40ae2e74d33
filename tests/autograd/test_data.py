"""`.data`: the same memory with a version of its own; and `.data = other`."""

import copy

import pytest

import autograd_gpu as ag
from autograd_gpu._core.layout import lend, memory_of, owner

from .agree import agree, fails, leaf, on_host, works
from .stories import story


@agree
def test_each_data_counts_for_itself(t):
    b = leaf(t, [1.0, 2.0, 3.0]) * 1
    d = b.data
    e = d[:2]
    tensors = [b, d, e, d.data, d.detach(), e.data, e.detach()]
    found = [[story(v) for v in tensors]]
    for v in tensors[1:]:
        v.add_(1)
        found.append([u._version for u in tensors])
    with t.no_grad():
        b[0] = 5.0
    found.append([u._version for u in tensors])
    return found, tensors


@agree
def test_a_write_is_noticed_by_what_saved_the_data_itself(t):
    """x, d = x.data, y = d w: a write to d makes y's saved d wrong; a write to x is not heard of."""
    x, w = leaf(t, [1.0, 2.0]), leaf(t, [3.0, 4.0])
    d = x.data
    y, z, v = d * w, x * w, d[:1] * w
    d.add_(1)
    words = "is at version 1; expected version 0"
    return [
        fails(RuntimeError, words, y.sum().backward),
        fails(RuntimeError, words, v.sum().backward),
        works(z.sum().backward),
        w.grad, x.grad, x._version,
    ]  # fmt: skip


@agree
def test_versions_before(t):
    x = t.zeros(3)
    x.add_(1).add_(1)
    d = x.data
    found = [d._version]
    d.add_(1)
    return found, d._version, x._version, x.detach()._version, x[:1].data._version, x


@agree
def test_data_knows_where_it_lies(t):
    x = t.arange(12.0).view(3, 4)
    part = x[1:, ::2].data
    part.zero_()
    turned = x.t().data
    turned[0, 0] = 100.0
    again = x.data.data.data
    again[2, 3] = -1.0
    return [
        x, part.storage_offset(), part.stride(), turned.stride(), turned.is_contiguous(), again.data_ptr() == x.data_ptr(),
        part.untyped_storage().data_ptr() == x.untyped_storage().data_ptr(), part.as_strided((2,), (1,), 0),
        x.data.is_set_to(x), t.zeros(()).data, t.zeros(0, 2).data.shape, t.ones(2, dtype=t.bfloat16).data[1:].data,
    ]  # fmt: skip


@agree
def test_writes_that_read_the_same_memory_through_data(t):
    x = t.arange(9.0).view(3, 3)
    x.add_(x.data)
    x.mul_(x.data)
    y = t.arange(4.0)
    words = "unsupported operation: some elements of the input tensor and the written-to tensor"
    fails(RuntimeError, words, y[1:].add_, y.data[:-1])
    return x, y


@agree
@on_host
def test_copies_of_a_tensor_and_its_data_share_memory(t):
    x, d = copy.deepcopy((x := t.arange(3.0), x.data))
    x.fill_(7.0)
    v, w = copy.deepcopy((y := t.arange(4.0), y[1:3]))
    v.zero_()
    return d, w


@agree
def test_data_of_another_kind(t):
    x = leaf(t, [1.0, 2.0, 3.0])
    (x * x).sum().backward()
    x.data = t.zeros(2, 2)
    found = [x, x.shape, x.dtype == t.float32, x.is_leaf, x.grad.dtype == t.float64]
    x.grad = None
    (x + 3).square().sum().backward()
    words = "must be floating point or complex dtype"
    found.append(fails(RuntimeError, words, setattr, x, "data", t.zeros(3, dtype=t.int64)))
    found += [fails(TypeError, "data has to be a tensor", setattr, x, "data", v) for v in (3, None)]
    n = t.zeros(3)
    n.data = t.ones(2, dtype=t.int64)
    return found, x.grad, n


@agree
def test_gradients_of_another_shape_do_not_add_up(t):
    x = leaf(t, [1.0, 2.0, 3.0])
    (x * x).sum().backward()
    early = (x * x).sum()
    x.data = t.ones(2, dtype=t.float64)
    return works((x * x).sum().backward), works(early.backward), x.grad


@agree
def test_data_of_views_and_bases(t):
    """A view given other memory still leads to its base: as far as autograd knows, it shows it."""
    x = leaf(t, [1.0, 2.0, 3.0])
    b = x * 1
    v, w = b[:2], b[1:]
    v.data = t.full((2,), 7.0, dtype=t.float64)
    v.mul_(3)
    found = [v, b, v.grad_fn, b.grad_fn, works((v.sum() + b.sum()).backward), x.grad.clone()]
    c = x * 1
    u = c[:2]
    c.data = t.full((3,), 7.0, dtype=t.float64)
    c.mul_(3)
    (u.sum() + c.sum()).backward()
    return found, u, c, u.grad_fn, c.grad_fn, x.grad, w


def test_what_a_node_saved_is_not_swapped():
    """PyTorch saves a leaf itself, and so computes with data that was set after the forward; here
    the gradient is that of what was computed."""
    x = leaf(ag, [1.0, 2.0])
    y = (x * x).sum()
    x.data = ag.full((2,), 5.0, dtype=ag.float64)
    y.backward()
    assert x.grad.tolist() == [2.0, 4.0]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [ag.float64, ag.bfloat16, ag.bool])
def test_loans_do_not_pile_up(order, dtype):
    array = ag.zeros(3, 4, dtype=dtype)._array.copy(order)
    loan = array
    for _ in range(5):
        loan = lend(loan)
        assert owner(loan) is loan
        assert memory_of(loan[1:]) is array
    assert memory_of(loan.base and loan) is array
    loan[2, 1] = 1
    assert array[2, 1] == 1
    assert owner(lend(array[1:])) is not array
