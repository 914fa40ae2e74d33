"""beta C + alpha A B by the GEMM wrapper."""

import numpy as np
import pytest

from autograd_gpu._cuda.products import batch_plan, plan

from .layouts import DTYPES, random


@pytest.fixture
def factors(cuda):
    rng = np.random.default_rng(0)
    return lambda dtype="f4": [random(rng, s, dtype) for s in ((3, 4), (4, 5), (3, 5))]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("beta", "alpha"), [(1, 1), (0, 1), (0.5, 2), (1, -3), (True, 0.25)])
def test_scaled_sums(cuda, gemm, factors, dtype, beta, alpha):
    a, b, c = factors(DTYPES[dtype])
    wide = np.result_type(a.dtype if a.dtype.kind in "fc" and a.dtype.itemsize > 2 else "f4")
    for start in (c, c[0], c[:, :1], c[0, 0]):
        result = gemm.general(plan, "nn", *map(cuda.asarray, (a, b, start)), beta, alpha).get()
        wanted = beta * start.astype(wide) + alpha * (a.astype(wide) @ b.astype(wide))
        tolerance = {"float16": 2e-3, "bfloat16": 1e-2}.get(dtype, 1e-5)
        np.testing.assert_allclose(result.astype(wide), wanted, rtol=tolerance, atol=4 * tolerance)


def test_complex_numbers_as_factors(cuda, gemm, factors):
    a, b, c = factors("c8")
    result = gemm.general(plan, "nh", *map(cuda.asarray, (a, b.T.copy(), c)), 1j, 2 - 1j).get()
    np.testing.assert_allclose(result, 1j * c + (2 - 1j) * (a @ b.conj()), rtol=1e-5, atol=1e-5)


def test_what_is_added_is_not_written(cuda, gemm, factors):
    a, b, c = map(cuda.asarray, factors())
    before = c.get()
    result = gemm.general(plan, "nn", a, b, c, 1, 1)
    assert result is not c and (c.get() == before).all()


def test_beta_0_ignores_nan(cuda, gemm, factors):
    a, b, c = factors()
    c[:] = np.nan
    result = gemm.general(plan, "nn", *map(cuda.asarray, (a, b, c)), 0, 1).get()
    np.testing.assert_allclose(result, a @ b, rtol=1e-5)


def test_batches(cuda, gemm):
    rng = np.random.default_rng(1)
    a, b, c = (random(rng, s, "f4") for s in ((2, 3, 4), (2, 4, 5), (3, 5)))
    result = gemm.general(batch_plan, "nn", *map(cuda.asarray, (a, b, c)), 2, 3).get()
    np.testing.assert_allclose(result, 2 * c + 3 * (a @ b), rtol=1e-5, atol=1e-5)


def test_what_does_not_fit_is_declined(cuda, gemm, factors):
    a, b, c = map(cuda.asarray, factors())
    for start, beta, alpha in (
        (c[:2], 1, 1), (c.reshape(1, 3, 5), 1, 1), (c.astype("f8"), 1, 1), (c, 1, 0), (c[:, :2], 0, 1),
    ):  # fmt: skip
        assert gemm.general(plan, "nn", a, b, start, beta, alpha) is NotImplemented
    empty = gemm.general(plan, "nn", a[:, :0], b[:0], c, 1, 1)
    assert empty is NotImplemented  # the body has nothing to multiply
    with pytest.raises(TypeError):
        gemm.general(plan, "nn", a, b, c, 1j, 1)
