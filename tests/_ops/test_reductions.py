"""Sums, products, variances, extremes, norms: kinks, empties, accuracy, names of results."""

import math
import pickle
from itertools import combinations

import numpy as np
import pytest

import autograd_gpu as ag
import autograd_gpu.linalg
import autograd_gpu.nn.functional as F
from autograd_gpu import return_types
from autograd_gpu._ops.summing import add_reduce

inf, nan = math.inf, math.nan


def leaf(values):
    return ag.tensor(values, dtype=ag.float64, requires_grad=True)


def grad_of(f, values):
    """The value, and the gradient of its sum."""
    x = leaf(values)
    y = f(x)
    y.sum().backward()
    return y.detach().tolist(), x.grad.tolist()


def second(f, values, weights):
    """The gradient of a weighted sum of the first gradient."""
    x = leaf(values)
    (g,) = ag.autograd.grad(f(x).sum(), x, create_graph=True)
    return ag.autograd.grad((g * ag.tensor(weights, dtype=ag.float64)).sum(), x)[0].tolist()


KINKS = [
    (lambda x: x.max(), [1.0, 3.0, 3.0], 3.0, [0.0, 0.5, 0.5]),
    (lambda x: x.min(), [1.0, 1.0, 3.0], 1.0, [0.5, 0.5, 0.0]),
    (lambda x: x.min(0).values, [3.0, 1.0, 1.0], 1.0, [0.0, 1.0, 0.0]),
    (lambda x: x.amax(), [3.0, 3.0, 1.0], 3.0, [0.5, 0.5, 0.0]),
    (lambda x: x.max(), [1.0, nan, nan], nan, [0.0, 0.5, 0.5]),
    (lambda x: x.median(), [1.0, 2.0, 2.0, 3.0], 2.0, [0.0, 0.5, 0.5, 0.0]),
    (lambda x: x.prod(), [0.0, 2.0, 3.0], 0.0, [6.0, 0.0, 0.0]),
    (lambda x: x.prod(0), [0.0, 2.0], 0.0, [2.0, 0.0]),
    (lambda x: x.prod(), [0.0, 0.0, 3.0], 0.0, [0.0, 0.0, 0.0]),
    (lambda x: x.var(correction=0), [5.0], 0.0, [0.0]),
    (lambda x: x.std(unbiased=False), [5.0], 0.0, [0.0]),
    (lambda x: x.var(), [2.0, 2.0], 0.0, [0.0, 0.0]),
    (lambda x: x.std(), [2.0, 2.0], 0.0, [0.0, 0.0]),
    (lambda x: ag.logsumexp(x, 0), [-inf, -inf], -inf, [nan, nan]),
    (lambda x: ag.logsumexp(x, 0), [inf, inf], inf, [nan, nan]),
    (lambda x: ag.logsumexp(x, 0), [-inf, 0.0], 0.0, [0.0, 1.0]),
    (lambda x: ag.nansum(x), [nan, 1.0], 1.0, [0.0, 1.0]),
    (lambda x: x.norm(), [0.0, 0.0], 0.0, [0.0, 0.0]),
    (lambda x: x.norm(1), [0.0, 1.0, -2.0], 3.0, [0.0, 1.0, -1.0]),
    (lambda x: x.norm(0), [0.0, 1.0, -2.0], 2.0, [0.0, 0.0, 0.0]),
    (lambda x: x.norm(inf), [2.0, -2.0, 1.0], 2.0, [0.5, -0.5, 0.0]),
    (lambda x: F.normalize(x, dim=0), [0.0, 0.0], [0.0, 0.0], [1e12, 1e12]),
]


@pytest.mark.parametrize("case", range(len(KINKS)))
def test_kinks(case):
    f, values, value, gradient = KINKS[case]
    got, grad = grad_of(f, values)
    np.testing.assert_allclose(got, value, rtol=1e-12)
    np.testing.assert_allclose(grad, gradient, rtol=1e-12)


def test_variance_of_one_number_is_nan_with_a_warning():
    with pytest.warns(UserWarning, match="degrees of freedom"):
        value, grad = grad_of(lambda x: x.var(), [5.0])
    assert math.isnan(value) and math.isnan(grad[0])


def test_cosine_with_zero_vector_is_finite():
    value, grad = grad_of(lambda x: F.cosine_similarity(x, leaf([1.0, 0.0]), dim=0), [0.0, 0.0])
    assert value == 0 and grad == [1e8, 0.0]


def test_product_is_twice_differentiable_at_zeros():
    assert second(lambda x: x.prod(), [0.0, 2.0, 0.0], [1, 1, 1]) == [2.0, 0.0, 2.0]
    assert second(lambda x: x.prod(), [0.0, 2.0, 3.0], [1, 2, 3]) == [12.0, 3.0, 2.0]


def test_second_derivative_of_a_norm_at_zero_is_nan():
    """As in PyTorch: there is none, and unlike the first derivative it grows without bound nearby."""
    assert np.isnan(second(lambda x: x.norm(), [0.0, 0.0], [1, 1])).all()


# ---- accuracy


def test_float32_sums_over_rows_are_accurate():
    tenth = ag.full((10**6, 2), 0.1)
    np.testing.assert_allclose(tenth.sum(0).numpy(), 1e5, rtol=2e-6)
    np.testing.assert_allclose(tenth[:, :1].sum(0).numpy(), 1e5, rtol=2e-6)
    np.testing.assert_allclose(tenth.mean(0).numpy(), 0.1, rtol=2e-6)
    np.testing.assert_allclose(tenth.T.sum(1).numpy(), 1e5, rtol=2e-6)


def test_variance_with_a_large_mean():
    assert ag.tensor([1e4, 1e4 + 1, 1e4 + 2]).var().item() == 1.0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_types_accumulate_in_float32(dtype):
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes")
    x = ag.ones(4096).to(getattr(ag, dtype))
    assert x.sum().item() == 4096 and x.sum().dtype is x.dtype
    assert x.mean().item() == 1 and x.cumsum(0)[-1].item() == 4096
    assert x.norm().item() == 64 and x.var().item() == 0


SHAPES = [(5,), (3, 0), (4, 5), (300, 3), (1000, 2, 3), (3, 4, 5, 6), (2, 300, 3), (600, 1)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("char", "fdFDl?")
def test_sums_over_any_dimensions_of_any_layout(shape, char):
    rng = np.random.default_rng(0)
    base = (rng.standard_normal(shape) * 3).astype(char)
    gaps = np.repeat(base, 2, -1)[..., ::2]
    for array in (base, np.asfortranarray(base), gaps, base.T):
        for r in range(1, array.ndim + 1):
            for dims in combinations(range(array.ndim), r):
                for keep in (False, True):
                    ours = np.asarray(add_reduce(np, array, dims, keep))
                    wide = array.astype("D" if char in "FD" else "d")
                    theirs = np.asarray(wide.sum(dims, keepdims=keep))
                    assert ours.shape == theirs.shape
                    assert ours.dtype == (np.int64 if char in "l?" else array.dtype)
                    np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-4)


# ---- results, dtypes, errors


def test_results_with_names():
    r = ag.tensor([[1.0, 3.0], [2.0, 0.0]]).max(1)
    assert isinstance(r, tuple) and type(r) is return_types.max
    assert r.values is r[0] and r.indices is r[1]
    values, indices = r
    assert values.tolist() == [3.0, 2.0] and indices.tolist() == [1, 0]
    assert repr(r) == (
        "torch.return_types.max(\nvalues=tensor([3., 2.]),\nindices=tensor([1, 0]))"
    )
    with pytest.raises(TypeError, match="2-sequence"):
        return_types.max([1])


def test_results_are_pickled():
    made = return_types.sort((1, 2))
    again = pickle.loads(pickle.dumps(made))
    assert again == (1, 2) and type(again) is return_types.sort and again.indices == 2


def test_dtypes():
    small = ag.tensor([200, 100], dtype=ag.uint8)
    assert small.sum().item() == 300 and small.sum().dtype is ag.int64
    assert small.prod().dtype is ag.int64 and small.cumsum(0).tolist() == [200, 300]
    assert small.any().dtype is ag.uint8 and ag.tensor([0.0, nan]).any().dtype is ag.bool
    assert ag.tensor([True, True]).sum().item() == 2
    assert ag.tensor([1, 2]).sum(dtype=ag.float64).dtype is ag.float64
    assert ag.tensor([1, 2]).mean(dtype=ag.float32).item() == 1.5
    assert ag.tensor([1 + 2j, 3.0]).var().dtype is ag.float32
    assert ag.tensor([1, 2]).logsumexp(0).dtype is ag.float32


def test_out_is_written():
    values, indices = ag.empty(0), ag.empty(0, dtype=ag.int64)
    ag.max(ag.tensor([[1.0, 3.0]]), 1, out=(values, indices))
    assert values.tolist() == [3.0] and indices.tolist() == [1]
    total = ag.empty(())
    assert ag.sum(ag.ones(3), out=total) is total and total.item() == 3


EMPTY = ag.empty(0)
ERRORS = [
    (lambda: ag.tensor([1, 2]).mean(), RuntimeError, "could not infer output dtype"),
    (lambda: ag.tensor([1, 2]).var(), RuntimeError, "only support floating point"),
    (lambda: ag.tensor([1, 2]).norm(), RuntimeError, "floating point or complex"),
    (lambda: ag.ones(2).sum(3), IndexError, r"range of \[-1, 0\], but got 3"),
    (lambda: ag.ones(2, 2).sum((0, 0)), RuntimeError, "appears multiple times"),
    (lambda: ag.ones(2, 2).prod((0, 1)), TypeError, "must be int"),
    (lambda: EMPTY.max(), RuntimeError, "Expected reduction dim"),
    (lambda: EMPTY.max(0), IndexError, "non-zero size"),
    (lambda: EMPTY.amax(), RuntimeError, "Expected reduction dim"),
    (lambda: EMPTY.argmax(), IndexError, "Expected reduction dim"),
    (lambda: EMPTY.aminmax(), RuntimeError, "no identity"),
    (lambda: EMPTY.norm(inf), RuntimeError, "does not have an identity"),
    (lambda: ag.tensor([True]).argmax(), RuntimeError, "does not support bool"),
    (lambda: ag.tensor([1j]).max(), NotImplementedError, "not implemented"),
    (lambda: ag.ones(2).norm("foo"), RuntimeError, "Order foo"),
    (lambda: ag.ones(2).var(0, unbiased=True, correction=1), TypeError, "correction"),
    (lambda: ag.linalg.vector_norm(ag.ones(2), dtype=ag.float16), RuntimeError, "narrowing"),
    (lambda: ag.cdist(ag.ones(2, 3), ag.ones(2, 2)), RuntimeError, "number of columns"),
]


@pytest.mark.parametrize("case", range(len(ERRORS)))
def test_errors(case):
    f, kind, words = ERRORS[case]
    with pytest.raises(kind, match=words):
        f()


def test_empties():
    assert EMPTY.sum().item() == 0 and EMPTY.prod().item() == 1 and math.isnan(EMPTY.mean().item())
    assert EMPTY.logsumexp(0).item() == -inf and EMPTY.any().item() is False
    assert EMPTY.all().item() is True and EMPTY.norm().item() == 0
    assert ag.empty(2, 0).sum(1).tolist() == [0.0, 0.0]
    assert ag.empty(2, 0).max(0).values.shape == (0,)


def test_nothing_is_reduced_over_no_dimensions_by_any():
    x = ag.tensor([[0, 1], [2, 0]])
    assert x.any(()).tolist() == [[False, True], [True, False]]
    assert x.sum(()).item() == 3
