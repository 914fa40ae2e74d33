"""Batches of products by the GEMM wrapper: strides, broadcasting, how many calls, what is copied."""

import numpy as np
import pytest

from autograd_gpu._cuda.products import MOST_CALLS, batch_plan

from .layouts import FITTING, OTHERS, laid, random
from .test_gemm import FORMS, agree, shapes


def batch(cuda, rng, lead, matrix, layout="rows"):
    return laid(cuda, random(rng, (*lead, *matrix), "f4"), layout)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("layout", FITTING + OTHERS)
def test_layouts_of_the_matrices(cuda, gemm, form, layout):
    rng = np.random.default_rng(0)
    one, two = shapes(form)
    for lead in ((1,), (3,), (2, 3)):
        a, b = batch(cuda, rng, lead, one, layout), batch(cuda, rng, lead, two)
        agree(gemm, form, a, b, batch_plan)
        a, b = batch(cuda, rng, lead, one), batch(cuda, rng, lead, two, layout)
        agree(gemm, form, a, b, batch_plan)


@pytest.mark.parametrize("lead", [
    ((2,), (2,)), ((2,), (1,)), ((1,), (2,)), ((2, 3), (2, 3)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 1), (1, 3)),
    ((2, 3), (2, 1)), ((2, 1, 3), (4, 1)), ((1, 1), (3, 1)), ((), (3,)), ((3,), ()), ((0,), (1,)), ((2, 0), (2, 1)),
    ((2, 1, 2, 1), (1, 3, 1, 2)),
])  # fmt: skip
def test_batches_broadcast(cuda, gemm, lead):
    rng = np.random.default_rng(1)
    for form in FORMS:
        one, two = shapes(form)
        result = agree(gemm, form, batch(cuda, rng, lead[0], one), batch(cuda, rng, lead[1], two), batch_plan)
        assert result.shape[:-2] == np.broadcast_shapes(*lead)


def views(cuda, rng):
    """(batch, may be read without a copy, how many calls) of views of (4, 3, 5, 6)."""
    x = batch(cuda, rng, (4, 3), (5, 6))
    heads = batch(cuda, rng, (4, 5), (3, 6)).transpose(0, 2, 1, 3)
    return [
        (x, 1), (x[:, 1:], 3 - 1), (x[::2], 2), (heads, 3), (x.transpose(1, 0, 2, 3), 3),
        (cuda.broadcast_to(x[:1], x.shape), 3), (cuda.broadcast_to(x[:, :1], x.shape), 3),
        (cuda.broadcast_to(x[0, 0], x.shape), 1), (x[::-1], 0), (x[:, ::-1], 3),
    ]  # fmt: skip


@pytest.mark.parametrize("place", range(10))
def test_views_of_batches(cuda, gemm, asked, place):
    rng = np.random.default_rng(2)
    x, calls = views(cuda, rng)[place]
    y = batch(cuda, rng, x.shape[:2], (6, 2))
    asked.clear()
    agree(gemm, "nn", x, y, batch_plan)
    names = [name for name, _ in asked]
    wanted = ["gemmStridedBatchedEx"] * calls if calls else ["copy", "gemmStridedBatchedEx"]
    assert names == wanted


def test_many_uneven_batches_are_copied_rather_than_called(cuda, gemm, asked):
    rng = np.random.default_rng(3)
    n = MOST_CALLS + 1
    x, y = batch(cuda, rng, (n, n), (2, 2)), batch(cuda, rng, (n, n), (2, 2))
    for a, b, copies in (
        (x.transpose(1, 0, 2, 3), y, 1), (x, y.transpose(1, 0, 2, 3), 1), (x[:, :1], y[:1], 2),
        (x.transpose(1, 0, 2, 3), y.transpose(1, 0, 2, 3), 2), (x, y, 0), (x, y[0, 0], 0),
    ):  # fmt: skip
        asked.clear()
        agree(gemm, "nn", a, b, batch_plan)
        assert [name for name, _ in asked] == ["copy"] * copies + ["gemmStridedBatchedEx"]


def test_batches_that_do_not_fit_are_declined(cuda, gemm):
    x, y = (cuda.asarray(np.ones(s, "f4")) for s in ((2, 3, 4), (3, 4, 5)))
    assert gemm.batch("nn", x, y) is NotImplemented
    assert gemm.batch("nn", x[:1], y[:, 1:]) is NotImplemented
    assert gemm.batch("nn", x[:1, 0, 0], y) is NotImplemented


def test_into_an_array(cuda, gemm):
    rng = np.random.default_rng(4)
    x, y = batch(cuda, rng, (2,), (3, 4)), batch(cuda, rng, (2,), (4, 5))
    out = cuda.empty((2, 3, 5), "f4")
    assert gemm.matmul(x, y, out) is out
    np.testing.assert_allclose(out.get(), x.get() @ y.get(), rtol=1e-5)
    assert gemm.matmul(x[..., :0], y[:, :0], out) is out and not out.get().any()
    for wrong in (cuda.empty((2, 3, 4), "f4"), cuda.empty((2, 3, 5), "f8"), cuda.empty((2, 5, 3), "f4").swapaxes(1, 2)):
        assert gemm.matmul(x, y, wrong) is NotImplemented
        assert gemm.matmul(x[..., :0], y[:, :0], wrong) is NotImplemented
