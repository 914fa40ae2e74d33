"""Sorts, order statistics, running extremes, distinct elements, bins: ties, NaN, errors."""

import math

import numpy as np
import pytest

import autograd_gpu as ag

inf, nan = math.inf, math.nan
T = ag.tensor


def gradient(f, values):
    x = ag.tensor(values, dtype=ag.float64, requires_grad=True)
    f(x).sum().backward()
    return x.grad.tolist()


WEIGHTS = ag.tensor([1.0, 2.0, 3.0], dtype=ag.float64)


def test_gradients_go_to_the_first_of_equals():
    assert gradient(lambda x: x.sort().values * WEIGHTS, [2.0, 2.0, 1.0]) == [2.0, 3.0, 1.0]
    assert gradient(lambda x: x.topk(2).values, [3.0, 3.0, 3.0]) == [1.0, 1.0, 0.0]
    assert gradient(lambda x: x.kthvalue(2).values, [1.0, 1.0, 3.0]) == [1.0, 0.0, 0.0]
    assert gradient(lambda x: x.median(0).values, [4.0, 2.0, 2.0]) == [0.0, 1.0, 0.0]


def test_running_extremes_take_the_last_of_equals():
    assert gradient(lambda x: x.cummax(0).values, [1.0, 1.0, 0.0]) == [1.0, 2.0, 0.0]
    assert gradient(lambda x: x.cummin(0).values, [1.0, 1.0, 0.0]) == [1.0, 1.0, 1.0]
    r = T([1.0, 3.0, 3.0, 2.0, nan, 1.0, nan]).cummax(0)
    assert r.indices.tolist() == [0, 1, 2, 2, 4, 4, 6]


def test_running_product_at_zeros():
    assert gradient(lambda x: x.cumprod(0), [2.0, 0.0, 3.0]) == [1.0, 8.0, 0.0]


def test_running_logsumexp_does_not_overflow():
    y = T([1000.0, -1000.0, 1000.0]).logcumsumexp(0)
    np.testing.assert_allclose(y.numpy(), [1000, 1000, 1000 + math.log(2)], rtol=1e-7)
    assert gradient(lambda x: x.logcumsumexp(0), [1000.0, -1000.0]) == [2.0, 0.0]


def test_nan_is_the_largest():
    r = T([nan, 1.0, -inf, nan, inf]).sort()
    assert r.indices.tolist() == [2, 1, 4, 0, 3]
    assert T([nan, 1.0, -inf, nan, inf]).sort(descending=True).indices.tolist() == [0, 3, 4, 1, 2]
    assert T([nan, 1.0, 3.0]).topk(2).indices.tolist() == [0, 2]
    assert T([nan, 1.0, 3.0]).topk(2, largest=False).values.tolist() == [1.0, 3.0]
    assert T([1.0, nan, 2.0]).argmax().item() == 1 and T([1.0, nan, 2.0]).argmin().item() == 1
    assert math.isnan(T([1.0, nan, 2.0]).median().item())
    assert T([1.0, nan, 2.0]).nanmedian().item() == 1.0


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int32", "int64", "uint8"])
@pytest.mark.parametrize("n", [1, 7, 17, 300])
def test_sorts_are_stable(dtype, n):
    values = np.random.default_rng(n).integers(0, 9, (3, n))
    if dtype.startswith("float"):
        values = np.where(values == 0, -0.0, values - 4.0)
    x = T(values).to(getattr(ag, dtype))
    array = x.numpy()
    assert x.sort().indices.tolist() == array.argsort(-1, kind="stable").tolist()
    down = (-array.astype(np.float64)).argsort(-1, kind="stable")
    assert x.sort(descending=True).indices.tolist() == down.tolist()
    assert x.sort().values.tolist() == np.sort(array, -1).tolist()


def test_topk_of_many_is_that_of_a_sort():
    x = ag.tensor(np.random.default_rng(0).integers(0, 50, (4, 999)).astype("float32"))
    for largest in (True, False):
        few, all_ = x.topk(20, largest=largest), x.sort(descending=largest, stable=True)
        assert few.values.tolist() == all_.values[:, :20].tolist()
        assert few.indices.tolist() == all_.indices[:, :20].tolist()


def test_quantiles():
    x = T([3.0, 1.0, 2.0])
    assert x.quantile(0.5).item() == 2.0 and math.isnan(T([1.0, nan]).quantile(0.5).item())
    assert T([1.0, nan, 2.0]).nanquantile(0.5).item() == 1.5
    grid = ag.arange(12.0).reshape(3, 4)
    q = T([0.25, 0.5])
    assert grid.quantile(q, dim=1).shape == (2, 3)
    assert grid.quantile(q, dim=0, keepdim=True).shape == (2, 1, 4)
    assert grid.quantile(0.3, dim=0, interpolation="nearest").tolist() == [4.0, 5.0, 6.0, 7.0]
    assert gradient(lambda x: x.quantile(0.5), [3.0, 1.0, 2.0, 5.0]) == [0.5, 0.0, 0.5, 0.0]


def test_mode_is_the_smallest_of_the_most_frequent():
    r = T([2, 1, 1, 2, 3]).mode()
    assert r.values.item() == 1 and r.indices.item() == 2


def test_distinct_elements():
    values, inverse, counts = T([3, 1, 2, 3, 1]).unique(return_inverse=True, return_counts=True)
    assert values.tolist() == [1, 2, 3] and inverse.tolist() == [2, 0, 1, 2, 0]
    assert counts.tolist() == [2, 1, 2]
    assert T([[1, 2], [1, 2], [0, 3]]).unique(dim=0).tolist() == [[0, 3], [1, 2]]
    values, counts = T([1, 1, 2, 2, 1]).unique_consecutive(return_counts=True)
    assert values.tolist() == [1, 2, 1] and counts.tolist() == [2, 2, 1]
    assert len(T([nan, nan, 1.0]).unique()) == 3
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(NotImplementedError, match="derivative"):
        x.unique().sum().backward()


def test_places_among_boundaries():
    edges = T([1.0, 2.0, 3.0])
    assert ag.searchsorted(edges, T([2.0, 2.5, nan])).tolist() == [1, 2, 3]
    assert ag.searchsorted(edges, 2.0, right=True).item() == 2
    assert ag.searchsorted(T([3.0, 1.0, 2.0]), T([2.0]), sorter=T([1, 2, 0])).tolist() == [1]
    rows = ag.arange(12.0).reshape(3, 4)
    assert ag.searchsorted(rows, T([[2.0], [3.0], [4.0]])).tolist() == [[2], [0], [0]]
    assert ag.bucketize(T([1.0, 2.5]), edges, out_int32=True).dtype is ag.int32


def test_counts():
    assert T([1, 2, 1]).bincount(minlength=5).tolist() == [0, 2, 1, 0, 0]
    assert T([1, 2, 1]).bincount(T([0.5, 1.0, 1.0])).tolist() == [0.0, 1.5, 1.0]
    assert ag.arange(12.0).histc(4, 2, 8).tolist() == [2.0, 1.0, 2.0, 2.0]
    assert T([1.0, 1.0]).histc(3).tolist() == [0.0, 2.0, 0.0]


def test_differences():
    assert ag.arange(4.0).square().diff(n=2).tolist() == [2.0, 2.0]
    assert T([True, False, True]).diff().tolist() == [True, True]
    assert ag.arange(3).diff(n=5).shape == (0,)


def test_in_place_forms():
    x = T([1.0, 2.0, 3.0])
    assert x.cumsum_(0) is x and x.tolist() == [1.0, 3.0, 6.0]
    assert x.cumprod_(0).tolist() == [1.0, 3.0, 18.0]
    assert gradient(lambda x: x.clone().cumsum_(0), [1.0, 2.0, 3.0]) == [3.0, 2.0, 1.0]


ERRORS = [
    (lambda: ag.ones(3).topk(5), RuntimeError, "out of range"),
    (lambda: ag.ones(3).kthvalue(0), RuntimeError, "out of range"),
    (lambda: T([True]).topk(1), RuntimeError, "does not support bool"),
    (lambda: T([1j]).sort(), RuntimeError, "complex"),
    (lambda: ag.ones(3).sort(4), IndexError, "out of range"),
    (lambda: ag.ones(3).quantile(1.5), RuntimeError, r"range \[0, 1\]"),
    (lambda: T([1]).quantile(0.5), RuntimeError, "float or double"),
    (lambda: ag.ones(3).quantile(0.5, interpolation="foo"), RuntimeError, "interpolation"),
    (lambda: ag.empty(0).median(0), IndexError, "non-zero size"),
    (lambda: T([1]).logcumsumexp(0), NotImplementedError, "not implemented"),
    (lambda: T(1.0).diff(), RuntimeError, "one-dimensional"),
    (lambda: T([-1]).bincount(), RuntimeError, "non-negative"),
    (lambda: T([1.0]).bincount(), NotImplementedError, "not implemented"),
    (lambda: ag.ones(3).histc(0), RuntimeError, "bins must be > 0"),
    (lambda: T([nan]).histc(2), RuntimeError, "not finite"),
    (lambda: ag.searchsorted(ag.ones(2, 2), T([1.0])), RuntimeError, "must match"),
    (lambda: ag.searchsorted(ag.ones(2), 1.0, side="x"), RuntimeError, "side can only be"),
    (lambda: ag.empty(2, 0).unique(dim=0), RuntimeError, "0 sized dimensions"),
]


@pytest.mark.parametrize("case", range(len(ERRORS)))
def test_errors(case):
    f, kind, words = ERRORS[case]
    with pytest.raises(kind, match=words):
        f()


def test_out_is_refused_before_any_is_written():
    """Of several outputs, the second does not fit."""
    x, values = ag.tensor([[1.0, 5.0], [3.0, 2.0]]), ag.zeros(2)
    with pytest.raises(RuntimeError, match="can't be cast to the desired output type Bool"):
        ag.max(x, 0, out=(values, ag.zeros(2, dtype=ag.bool)))
    assert values.tolist() == [0.0, 0.0] and values._version == 0


def test_the_warning_of_resizing_names_the_callers_line():
    ag.add(ag.ones(2), 1)  # on its first call an op writes its code, one frame further in
    with pytest.warns(UserWarning, match="was resized") as caught:
        ag.add(ag.ones(2), 1, out=ag.zeros(3))
    assert caught[0].filename == __file__
