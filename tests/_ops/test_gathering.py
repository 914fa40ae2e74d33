"""gather, scatter, index_* and masked_* against PyTorch: values, nodes, two derivatives, errors."""

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._ops.accumulate import add_rows

from .calls import cases, check

CALLS = """
x.index_select(0, T([0, 0])); x.index_select(0, T([2])); x.index_select(0, T([-1]));
x.index_select(0, T([0.0])); x.index_select(0, T([[0]])); x.index_select(0, T(1));
x.index_select(1, T([0], dtype=m.int32)); w.index_select(0, T([0])); x.index_select(5, T([0]));
x.T.index_select(0, T([2, 2])); c.index_select(2, T([3, 3, 0])); e.index_select(1, T([0, 0]));
x.gather(0, i); x.gather(1, i); x.gather(0, T([[5, 0, 0]])); x.gather(0, T([[-1, 0, 0]]));
x.gather(1, T([0])); x.gather(0, i.int()); x.gather(0, T([[0, 0, 0, 0]]));
x.gather(1, T([[0, 0, 0, 0]])); x.gather(0, T([[0.0]])); w.gather(0, T([0])); v.gather(0, T(1));
x.gather(1, m.zeros(0, dtype=m.int64)); x.gather(2, i); x.T.gather(0, i.T);
c.gather(1, T([[[0], [2]], [[1], [1]]])); x.gather(0, i.short()); x.take(T([0, 5, -1]));
x.take(T([6])); x.take(T([-7])); x.take(T([0.0])); x.take(T(2)); x.take(T([[0, 0], [5, -6]]));
x.T.take(T([1])); m.take_along_dim(x, i, 1); m.take_along_dim(x, T([0, 5]));
m.take_along_dim(x, T([[0], [1]]), 1); m.take_along_dim(x, T([0]), 1); x.take_along_dim(i.int(), 1);
m.take_along_dim(x, x.argsort(1), 1); x.scatter(0, i, s); x.scatter(0, i, 2.0);
x.scatter(0, i, value=2); x.scatter(0, i, src=s); x.scatter(0, i, w);
x.scatter(0, i, s, reduce='foo'); x.scatter(0, T([[5, 0, 0]]), s); x.scatter(0, i, s.float());
x.scatter(0, i, s[:1]); x.scatter(0, T([[0, 0, 0, 0]]), 1.0); x.scatter(1, T([[-1]]), 1.0);
x.scatter(0, i.int(), 1.0); x.scatter(0, i[0], s); v.scatter(0, T(0), 1.0);
w.scatter(0, T([0]), v[:1]); (x * 2).scatter_(0, i, s); (x * 2).T.scatter_(1, i.T, s.T);
x.detach().scatter(0, i, s.detach(), reduce='multiply'); x.detach().scatter(0, i, 2, reduce='add');
x.scatter_add(0, i, s); x.scatter_add(0, T([[7, 0, 0]]), s); x.scatter_add(0, i, s.float());
(x * 2).scatter_add_(1, i, s); x.scatter_reduce(0, i, s, 'foo');
(x * 0 + 1).scatter_reduce(0, i, s * 0 + 1, 'amax'); (x * 2).scatter_reduce_(1, i, s, 'amax');
m.ones(3).int().scatter_reduce(0, T([0, 0, 0]), T([2, 2, 2]).int(), 'mean');
x.index_add(0, T([0, 0]), s); x.index_add(0, T([0, 0]), s, alpha=2); x.index_add(0, T([2]), s[:1]);
x.index_add(0, T([0]), s); x.index_add(0, T([-1]), s[:1]); x.index_add(0, T([0, 0]), s.float());
x.index_add(0, T([0.0, 0]), s); x.index_add(1, T([0, 0]), s);
v.index_add(0, T([0]), T(1.0, dtype=m.float64)); (x * 2).index_add_(0, T([1, 1]), s, alpha=0.5);
(x * 2).T.index_add_(1, T([1, 1]), s.T); v.half().index_add(0, T([0, 0, 0]), v.half());
x.index_copy(0, T([1]), s[:1]); x.index_copy(1, T([2, 0]), s[:, :2]);
x.index_copy(0, T([5]), s[:1]); x.index_copy(0, T([0]), s);
x.index_copy(0, T([0], dtype=m.int32), s[:1]); x.index_copy(0, T([0]), s[:1].float());
(x * 2).index_copy_(0, T([1]), v[None]); x.index_fill(0, T([1]), 5.0); x.index_fill(0, T([1]), w);
x.index_fill(0, T([5]), 1.0); x.index_fill(0, T([-1]), 1.0); x.index_fill(0, T([1]), s);
x.index_fill(0, T([1.0]), 1); x.index_fill(0, T(1), 1); x.index_fill(0, T([[1]]), 1);
(x * 2).index_fill_(1, T([1]), w); w.index_fill(0, T([0]), 2.0); x.put(T([1, 5]), v[:2] * w);
x.put(T([0, 0]), v[:2], accumulate=True); x.put(T([9]), v[:1]); (x * 2).put_(T([0, 3]), v[:2]);
(x * 2).T.put_(T([0, 3]), v[:2]) * 1; x.masked_select(mask); x.masked_select(mask[0]);
x[0].masked_select(mask); x.masked_select(i); x.masked_select(T([True]));
x.masked_select(T([True, False])); c.masked_select(mask[:, :, None]); x.masked_scatter(mask, s);
x.masked_scatter(mask[0], s); x[0].masked_scatter(mask, s); x.masked_scatter(mask, s[0, :1]);
(x * 2).masked_scatter_(mask, s); x.masked_fill(mask, w); x.masked_fill(mask, s);
x.masked_fill(mask, 2); (x * 2).masked_fill_(mask, w);
(c * 1)[:, 0].masked_fill_(T([True, False, False, True]), w) * 1; v.masked_fill(mask, 1.0);
(v * 1).masked_fill_(mask, 1.0); T([1, 2]).masked_fill(T([True, False]), 1.5);
T([1, 2]).masked_fill(T([True, False]), 1j); m.nonzero(x); x.nonzero(as_tuple=True); w.nonzero();
w.nonzero(as_tuple=True); T(0.0).nonzero(); x.argwhere(); m.where(mask); m.nonzero(m.zeros(0, 3));
m.nonzero(T([0, 2, 0, nan])); m.index_select(x, 0, T([0]), out=m.empty(0));
"""


@pytest.mark.parametrize("expression", cases(CALLS))
def test_as_pytorch(expression, torch):
    check(torch, expression)


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
def test_scatter_reduce(reduce, include_self, torch):
    check(torch, f"x.scatter_reduce(0, i, s, '{reduce}', include_self={include_self})")
    check(
        torch,
        f"(x * 1).scatter_reduce_(1, i[:, :2], s[:, :2], '{reduce}', include_self={include_self})",
    )


def test_product_with_zeros():
    x, s = ag.zeros(2, requires_grad=True), ag.tensor([2.0, 0.0, 3.0, 0.0], requires_grad=True)
    x.scatter_reduce(0, ag.tensor([0, 0, 0, 1]), s, "prod", include_self=False).sum().backward()
    assert s.grad.tolist() == [0.0, 6.0, 0.0, 1.0] and x.grad.tolist() == [0.0, 0.0]


def test_a_longer_source_gets_zeros_where_it_was_not_used():
    x, s = ag.zeros(2, 2, requires_grad=True), ag.ones(3, 4, requires_grad=True)
    x.scatter(0, ag.tensor([[0, 1]]), s).sum().backward()
    assert s.grad.sum() == 2 and s.grad[0].tolist() == [1.0, 1.0, 0.0, 0.0]


def test_index_fill_counts_an_index_that_comes_twice_once():
    v = ag.tensor(2.0, requires_grad=True)
    ag.zeros(3).index_fill(0, ag.tensor([1, 1, -2]), v).sum().backward()
    assert v.grad.item() == 1.0


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "int32"])
@pytest.mark.parametrize(
    "rows, width, count",
    [(7, 1, 5), (7, 3, 5), (50, 4, 300), (3, 2, 500), (400, 1, 20), (40, 1, 900)],
)
def test_rows_that_come_repeatedly_are_added(rows, width, count, dtype):
    rng = np.random.default_rng(count)
    index = rng.integers(0, rows, count)
    values = rng.integers(-3, 4, (count, width)).astype(dtype)
    out, expected = np.ones((rows, width), dtype), np.ones((rows, width), dtype)
    add_rows(out, index, values)
    np.add.at(expected, index, values)
    np.testing.assert_array_equal(out, expected)


def test_a_gradient_that_is_not_finite_stays_in_its_row():
    x = ag.ones(40, 3, requires_grad=True)
    index = ag.arange(200) % 40
    g = ag.ones(200, 3)
    g[7, 1] = float("inf")
    g[8, 0] = float("nan")
    x[index].backward(g)
    assert x.grad.isfinite().sum() == 40 * 3 - 2
    assert x.grad[0].tolist() == [5.0] * 3
