"""Products by the GEMM wrapper against NumPy's in double precision: layouts, dtypes, sizes."""

import itertools

import numpy as np
import pytest

from autograd_gpu._core import library
from autograd_gpu._cuda.gemm import gemm_of
from autograd_gpu._cuda.products import batch_plan, plan

from .layouts import DTYPES, FITTING, OTHERS, close, laid, random

N, K, M = 3, 4, 5
FORMS = ("nn", "nt", "nh", "hn")


def shapes(form, n=N, k=K, m=M):
    return (n, k) if form[0] == "n" else (k, n), (k, m) if form[1] == "n" else (m, k)


def turned(letter, values):
    if letter == "n":
        return values
    values = values.swapaxes(-1, -2)
    return values.conj() if letter == "h" else values


def exact(form, a, b):
    """The product, and that of absolute values, in double precision."""
    wide = np.complex128 if a.dtype.kind == "c" else np.float64
    a, b = turned(form[0], a.astype(wide)), turned(form[1], b.astype(wide))
    return a @ b, np.abs(a) @ np.abs(b)


def agree(gemm, form, a, b, planned=plan):
    result = gemm.general(planned, form, a, b)
    wanted, scale = exact(form, a.get(), b.get())
    assert result.shape == wanted.shape and result.dtype == a.dtype
    assert close(result.get(), wanted, scale, a.dtype, a.shape[-1] + b.shape[-1])
    return result


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_every_pair_of_layouts(cuda, gemm, form, dtype):
    rng = np.random.default_rng(0)
    first, second = (random(rng, s, DTYPES[dtype]) for s in shapes(form))
    for one, two in itertools.product(FITTING + OTHERS, repeat=2):
        agree(gemm, form, laid(cuda, first, one), laid(cuda, second, two))


@pytest.mark.parametrize("form", FORMS)
def test_fitting_layouts_are_not_copied(cuda, gemm, asked, form):
    rng = np.random.default_rng(1)
    first, second = (random(rng, s, "f4") for s in shapes(form))
    for one, two in itertools.product(FITTING, repeat=2):
        a, b = laid(cuda, first, one), laid(cuda, second, two)
        asked.clear()
        agree(gemm, form, a, b)
        assert [name for name, _ in asked] == ["gemmEx"], (one, two)


@pytest.mark.parametrize("layout", OTHERS)
def test_other_layouts_are_copied_once(cuda, gemm, asked, layout):
    rng = np.random.default_rng(2)
    first, second = (random(rng, s, "f4") for s in shapes("nn"))
    a, b = laid(cuda, first, layout), laid(cuda, second, "columns")
    asked.clear()
    agree(gemm, "nn", a, b)
    assert [name for name, _ in asked] == ["copy", "gemmEx"]


def test_a_conjugate_is_read_from_a_row_major_factor_only(cuda, gemm, asked):
    rng = np.random.default_rng(3)
    first, second = (random(rng, s, "c8") for s in shapes("nh"))
    for layout, names in (("rows", ["gemmEx"]), ("columns", ["copy", "gemmEx"])):
        a, b = laid(cuda, first, "columns"), laid(cuda, second, layout)
        asked.clear()
        agree(gemm, "nh", a, b)
        assert [name for name, _ in asked] == names
        assert asked[-1][1][:2] == (2, 1)  # the conjugate transpose of B, A as it is


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", FORMS)
def test_dtypes_are_added_up_widely(cuda, gemm, form, dtype):
    rng = np.random.default_rng(4)
    for n, k, m in ((17, 600, 9), (1, 600, 1)):
        a, b = (cuda.asarray(random(rng, s, DTYPES[dtype])) for s in shapes(form, n, k, m))
        agree(gemm, form, a, b)


@pytest.mark.parametrize("form", FORMS)
def test_all_small_sizes(cuda, gemm, form):
    rng = np.random.default_rng(5)
    for n, k, m in itertools.product(range(4), repeat=3):
        one, two = shapes(form, n, k, m)
        for layouts in itertools.product(("rows", "columns", "part of rows"), repeat=2):
            a, b = (laid(cuda, random(rng, s, "f4"), x) for s, x in zip((one, two), layouts, strict=True))
            agree(gemm, form, a, b)
        a, b = (cuda.asarray(random(rng, (2, *s), "f4")) for s in (one, two))
        agree(gemm, form, a, b, batch_plan)


def test_nothing_to_add_gives_zeros_without_a_call(cuda, gemm, asked):
    a, b = cuda.asarray(np.ones((3, 0), "f4")), cuda.asarray(np.ones((0, 2), "f4"))
    asked.clear()
    result = gemm.product("nn", a, b).get()
    assert not asked and result.shape == (3, 2) and not result.any()


@pytest.mark.parametrize("place", ["a", "b"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_inf_go_where_they_belong(cuda, gemm, place, value):
    a, b = np.ones((3, 4), "f4"), np.ones((4, 5), "f4")
    (a if place == "a" else b)[1, 2] = value
    for one, two in itertools.product(("rows", "columns"), repeat=2):
        result = gemm.product("nn", laid(cuda, a, one), laid(cuda, b, two)).get()
        with np.errstate(invalid="ignore"):
            np.testing.assert_array_equal(result, a @ b)


def test_more_dimensions_are_rows(cuda, gemm, asked):
    rng = np.random.default_rng(6)
    a, weight = random(rng, (2, 3, 4), "f4"), random(rng, (5, 4), "f4")
    x, w = cuda.asarray(a), cuda.asarray(weight)
    asked.clear()
    np.testing.assert_allclose(gemm.product("nt", x, w).get(), a @ weight.T, rtol=1e-5, atol=1e-6)
    grad = random(rng, (2, 3, 5), "f4")
    g = cuda.asarray(grad)
    asked.clear()
    weights = gemm.product("hn", g, x).get()
    np.testing.assert_allclose(weights, np.einsum("abi,abj->ij", grad, a), rtol=1e-5, atol=1e-6)
    assert [name for name, _ in asked] == ["gemmEx"]
    uneven = x.transpose(1, 0, 2)  # its rows lie at two distances
    agreed = gemm.product("nt", uneven, w).get()
    np.testing.assert_allclose(agreed, a.transpose(1, 0, 2) @ weight.T, rtol=1e-5, atol=1e-6)


def test_vectors(cuda, gemm):
    rng = np.random.default_rng(7)
    for dtype in DTYPES.values():
        matrix, x, y = random(rng, (3, 8), dtype), random(rng, (8,), dtype), random(rng, (3,), dtype)
        a = cuda.asarray(matrix)
        for step in (slice(None), slice(None, None, 2), slice(None, None, -1)):
            v = cuda.asarray(np.ascontiguousarray(np.repeat(x, 2)) if step.step == 2 else x[step])[step]
            host = v.get()
            for result, wanted in (
                (gemm.product("nt", a, v), exact("nn", matrix, host[:, None])),
                (gemm.product("nn", cuda.asarray(y), a), exact("nn", y[None], matrix)),
                (gemm.dot(v, cuda.asarray(x)), exact("nn", host[None], x[:, None])),
                (gemm.dot(v, cuda.asarray(x), True), exact("nn", host.conj()[None], x[:, None])),
            ):
                values, scale = (w.reshape(result.shape) for w in wanted)
                assert close(result.get(), values, scale, dtype, 8)


def test_what_cublas_cannot_multiply_is_declined(cuda, gemm, asked):
    a, b = cuda.asarray(np.ones((3, 4), "f4")), cuda.asarray(np.ones((4, 5), "f4"))
    for x, y in (
        (a.astype("i8"), b.astype("i8")), (a.astype("?"), b.astype("?")), (a, b.astype("f8")),
        (a, b.astype("f2")), (a, b[1:]), (a.reshape(3, 2, 2), b), (a[0, 0], b),
    ):  # fmt: skip
        asked.clear()
        assert gemm.product("nn", x, y) is NotImplemented
        assert gemm.batch("nn", x, y) is NotImplemented
        assert not asked
    assert gemm.dot(a[0], b[0]) is NotImplemented
    assert gemm.dot(a, a) is NotImplemented


def test_arrays_of_another_device_are_multiplied_there(two_devices):
    cuda, gemm = two_devices, gemm_of(library.installed())
    with cuda.cuda.Device(1):
        a = cuda.asarray(np.ones((3, 4), "f4"))
        v = cuda.asarray(np.ones(4, "f4"))
    assert cuda.cuda.get_device_id() == 0
    results = [
        gemm.product("nt", a, a), gemm.batch("nt", a.reshape(1, 3, 4), a.reshape(1, 3, 4)),
        gemm.product("nt", a, v), gemm.dot(v, v), gemm.product("nn", a[::-1], a.T),
    ]  # fmt: skip
    assert cuda.cuda.get_device_id() == 0
    with cuda.cuda.Device(1):
        for result in results:
            assert result.data.device_id == 1 and (result.get() == 4).all()
