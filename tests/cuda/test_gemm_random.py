"""Random shapes and strides: the GEMM wrapper equals NumPy whatever memory looks like."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_gpu._core import library
from autograd_gpu._cuda.gemm import gemm_of
from autograd_gpu._cuda.products import batch_plan, plan
from autograd_gpu.testing import standin

from .layouts import DTYPES, close, random
from .test_gemm import FORMS, exact

SIZES = st.integers(0, 4)
CHOICES = st.randoms(use_true_random=False)


def view(rng, choose, shape, dtype):
    """An array of this shape: axes in any order of memory, gaps, steps, reversed or repeated."""
    axes = list(range(len(shape)))
    choose.shuffle(axes)
    repeated = [choose.random() < 0.1 for _ in shape]
    steps = [choose.choice([1, 1, 1, 2, -1]) for _ in shape]
    gaps = [choose.choice([0, 0, 1, 3]) for _ in shape]
    lengths = [1 if r else n * abs(s) + g for n, r, s, g in zip(shape, repeated, steps, gaps, strict=True)]
    whole = standin.asarray(random(rng, [lengths[a] for a in axes], dtype))
    array = whole.transpose(*np.argsort(axes)) if shape else whole
    index = tuple(
        slice(None) if r else slice(0, n * s, s) if s > 0 else slice(n - 1, None, -1) if n else slice(0, 0)
        for n, r, s in zip(shape, repeated, steps, strict=True)
    )
    return standin.broadcast_to(array[index], shape)


def equal(planned, form, a, b):
    result = gemm_of(library.installed()).general(planned, form, a, b)
    wanted, scale = exact(form, a.get(), b.get())
    assert result.shape == wanted.shape
    assert close(result.get(), wanted, scale, a.dtype, 12)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(FORMS), st.sampled_from(list(DTYPES)), SIZES, SIZES, SIZES, CHOICES)
def test_matrices(form, dtype, n, k, m, choose):
    rng = np.random.default_rng(choose.randrange(1000))
    with standin.activate():
        a = view(rng, choose, (n, k) if form[0] == "n" else (k, n), DTYPES[dtype])
        b = view(rng, choose, (k, m) if form[1] == "n" else (m, k), DTYPES[dtype])
        equal(plan, form, a, b)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(FORMS), SIZES, SIZES, SIZES, st.lists(st.integers(1, 4), max_size=3), CHOICES)
def test_batches(form, n, k, m, lead, choose):
    rng = np.random.default_rng(choose.randrange(1000))
    with standin.activate():
        one, two = ([1 if choose.random() < 0.3 else x for x in lead] for _ in range(2))
        one = one[choose.randrange(len(one) + 1):]
        a = view(rng, choose, (*one, *((n, k) if form[0] == "n" else (k, n))), np.dtype("f4"))
        b = view(rng, choose, (*two, *((k, m) if form[1] == "n" else (m, k))), np.dtype("f4"))
        equal(batch_plan, form, a, b)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 3), min_size=1, max_size=3), SIZES, SIZES, CHOICES)
def test_rows_of_any_dimensions(lead, k, m, choose):
    rng = np.random.default_rng(choose.randrange(1000))
    with standin.activate():
        gemm = gemm_of(library.installed())
        x = view(rng, choose, (*lead, k), np.dtype("f8"))
        grad, weight = view(rng, choose, (*lead, m), np.dtype("f8")), view(rng, choose, (m, k), np.dtype("f8"))
        np.testing.assert_allclose(
            gemm.product("nt", x, weight).get(), x.get() @ weight.get().T, rtol=1e-9, atol=1e-12
        )
        count = int(np.prod(lead))
        rows = grad.get().reshape(count, m).T @ x.get().reshape(count, k)
        np.testing.assert_allclose(gemm.product("hn", grad, x).get(), rows, rtol=1e-9, atol=1e-12)
