"""In-place writes in programs: setitem, aliases, failures, loops, `out=`."""

import pytest

import autograd_gpu as ag

from .agree import agree, fails, leaf, works


@agree
def test_setitem_with_a_tensor_that_requires_grad(t):
    """E10."""
    x, w = leaf(t, [1.0, 2.0, 3.0]), leaf(t, 5.0)
    b = x.clone()
    b[1] = w
    (b**2).sum().backward()
    return x.grad, w.grad


@agree
def test_setitem_into_a_plain_tensor(t):
    w = leaf(t, [2.0, 3.0])
    out = t.zeros(3, 2, dtype=t.float64)
    for i in range(3):
        out[i] = w * i
    out[0, 1] = w[0]
    (out**2).sum().backward()
    return out, w.grad, out.grad_fn.name(), out.requires_grad


@agree
def test_setitem_casts_and_broadcasts(t):
    w = leaf(t, [2.0], "float32")
    out = t.zeros(2, 3, dtype=t.float64)
    out[:, 1:] = w
    out.sum().backward()
    n = t.zeros(3, dtype=t.int64)
    n[0] = 2.7
    n[1:] = t.tensor([1.5, -1.5])
    return out, w.grad, n


@agree
def test_augmented_setitem(t):
    x = leaf(t, [1.0, 2.0, 3.0])
    y = x * 1
    y[0] += 10
    y[1:] *= x[:2]
    y[y > 5] = 0.5
    (y * y).sum().backward()
    return y, x.grad


@agree
def test_adding_a_tensor_to_itself(t):
    """E18."""
    x = leaf(t, [3.0])
    y = x * 1
    y += y
    y.sum().backward()
    return y, x.grad


@agree
def test_arguments_that_read_what_is_written(t):
    """E15."""
    a = t.arange(4.0)
    b = t.arange(4.0).view(2, 2)
    words = "unsupported operation: some elements of the input tensor and the written-to tensor"
    fails(RuntimeError, words, a[1:].add_, a[:-1])
    fails(RuntimeError, words, a[1:].copy_, a[:-1])
    a[:2].add_(a[2:])
    b.mul_(b)
    return a, b


@agree
def test_a_broadcast_tensor_refuses(t):
    x = t.ones(3)
    words = "more than one element of the written-to tensor"
    e = x.expand(2, 3)
    e.fill_(2).zero_()
    return [
        fails(RuntimeError, words, e.add_, 1),
        fails(RuntimeError, words, e.mul_, e),
        works(x.expand(1, 3).add_, 1),
        x,
    ]


@agree
def test_writes_keep_shape_and_dtype(t):
    x = t.ones(3)
    words = "doesn't match the broadcast shape"
    return [
        fails(RuntimeError, words, x.add_, t.ones(2, 3)),
        fails(RuntimeError, words, x.mul_, t.ones(1, 3)),
        fails(RuntimeError, "can't be cast to the desired output type", t.ones(2, dtype=t.int64).mul_, 0.5),
        fails(RuntimeError, "can't be cast to the desired output type", t.ones(2, dtype=t.bool).add_, 1),
        fails(RuntimeError, "can't be cast to the desired output type", t.ones(2).mul_, 1j),
        x.add_(t.ones(3, dtype=t.float64)), t.ones(2, dtype=t.float16).add_(t.ones(2)),
        t.ones(2).mul_(t.ones(2, dtype=t.int64)), x._version,
    ]  # fmt: skip


@agree
def test_a_failed_write_changes_nothing(t):
    x = leaf(t, [1.0, 2.0])
    y = x * 2
    node = y.grad_fn
    works(y.add_, t.ones(3, 2, dtype=t.float64))
    works(y.mul_, 1j)
    return y, y._version, y.grad_fn is node


@agree
def test_writes_to_a_tensor_that_was_differentiated(t):
    x = leaf(t, [1.0, 2.0])
    y = x + 2
    y.sum().backward()
    y.add_(1)
    (y * 3).sum().backward()
    return x.grad, y


@agree
def test_a_loop_of_updates(t):
    w = leaf(t, [1.0, -2.0])
    data = t.tensor([[1.0, 2.0], [0.5, -1.0]], dtype=t.float64)
    for _ in range(5):
        loss = ((data @ w - 1) ** 2).sum()
        loss.backward()
        with t.no_grad():
            w -= 0.1 * w.grad
            w.grad.zero_()
    return w, loss.detach(), w._version


@agree
def test_a_write_to_the_gradient(t):
    x = leaf(t, [1.0, 2.0])
    (x * x).sum().backward()
    x.grad *= 2
    x.grad[0] = 0.0
    (x * x).sum().backward()
    return x.grad


@agree
def test_a_write_of_a_recorded_gradient(t):
    x = leaf(t, [2.0])
    (g,) = t.autograd.grad((x**3).sum(), x, create_graph=True)
    g.mul_(x)
    return g.detach(), t.autograd.grad(g.sum(), x)


def test_record_write_of_other_code():
    from autograd_gpu.autograd.mutation import record_write

    x = leaf(ag, [1.0])
    y = x * x
    x._array[...] = 5
    record_write(x._array)
    assert x._version == 1
    with pytest.raises(RuntimeError, match="has been modified by an inplace operation"):
        y.backward()


@agree
def test_version_counters_of_written_saved_values_after_many_writes(t):
    x = leaf(t, [1.0])
    w = t.ones(1, dtype=t.float64)
    y = x * w
    for _ in range(40):
        w.add_(1)
    return fails(RuntimeError, "is at version 40; expected version 0", y.backward)


@agree
def test_out_arguments(t):
    x, out = t.tensor([1.0, 2.0]), t.zeros(2)
    same = t.add(x, 1, out=out) is out
    grown = t.empty(0)
    t.mul(x, 2, out=grown)
    words = "don't support automatic differentiation"
    v = leaf(t, [1.0, 2.0], "float32")
    with t.no_grad():
        t.mul(v, 5, out=out)
    return [same, out, grown, fails(RuntimeError, words, t.add, v, 1, out=out), fails(RuntimeError, words, t.add, x, 1, out=v),
            out._version]  # fmt: skip


@agree
def test_writes_whose_op_has_no_derivative(t):
    x = leaf(t, [0.5, -1.5])
    found = []
    for write in (
        lambda y: y.sign_(),
        lambda y: y.floor_(),
        lambda y: y.eq_(0.75),
        lambda y: y.gt_(x.detach()),
        lambda y: y.zero_(),
        lambda y: y.trunc_(),
    ):
        y = x * 1.5
        write(y)
        found.append((y.detach(), y.requires_grad, works(lambda y=y: (y * x).sum().backward())))
    return found, x.grad
