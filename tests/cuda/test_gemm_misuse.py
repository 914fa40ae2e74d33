"""The emulated cuBLAS catches a wrapper that tells it wrong lengths, strides, flags or addresses."""

import numpy as np
import pytest

from autograd_gpu._cuda.blas import KINDS
from autograd_gpu.testing.standin import blas, lifetimes

from .layouts import laid, random

GEMM = (
    "handle transa transb m n k alpha A Atype lda B Btype ldb beta C Ctype ldc computeType algo"
).split()
BATCHED = (
    "handle transa transb m n k alpha A Atype lda strideA B Btype ldb strideB beta C Ctype ldc strideC batchCount "
    "computeType algo"
).split()

MISTAKES = {
    "lda one too long": {"lda": lambda v: v["lda"] + 1},
    "lda one too short": {"lda": lambda v: v["lda"] - 1},
    "ldb one too long": {"ldb": lambda v: v["ldb"] + 1},
    "ldb one too short": {"ldb": lambda v: v["ldb"] - 1},
    "ldb in bytes": {"ldb": lambda v: v["ldb"] * 4},
    "ldc one too long": {"ldc": lambda v: v["ldc"] + 1},
    "ldc one too short": {"ldc": lambda v: v["ldc"] - 1},
    "lda and ldb exchanged": {"lda": lambda v: v["ldb"], "ldb": lambda v: v["lda"]},
    "A not turned": {"transa": lambda v: 1 - v["transa"]},
    "B not turned": {"transb": lambda v: 1 - v["transb"]},
    "m and n exchanged": {"m": lambda v: v["n"], "n": lambda v: v["m"]},
    "k too long": {"k": lambda v: v["k"] + 1},
    "k too short": {"k": lambda v: v["k"] - 1},
    "m too short": {"m": lambda v: v["m"] - 1},
    "n too long": {"n": lambda v: v["n"] + 1},
    "A and B exchanged": {"A": lambda v: v["B"], "B": lambda v: v["A"]},
    "A begins late": {"A": lambda v: v["A"] + 4},
    "B begins early": {"B": lambda v: v["B"] - 4},
    "A misaligned": {"A": lambda v: v["A"] + 2},
    "the result begins late": {"C": lambda v: v["C"] + 4},
    "the result is a factor": {"C": lambda v: v["A"]},
    "A is null": {"A": lambda v: 0},
    "alpha is null": {"alpha": lambda v: 0},
    "alpha and beta exchanged": {"alpha": lambda v: v["beta"], "beta": lambda v: v["alpha"]},
    "beta where it counts": {"beta": lambda v: v["alpha"]},
    "A of another type": {"Atype": lambda v: 1},
    "all of another type": dict.fromkeys(("Atype", "Btype", "Ctype"), lambda v: 2),
    "another compute type": {"computeType": lambda v: 70},
    "an unknown flag": {"transa": lambda v: 3},
    "an unknown algorithm": {"algo": lambda v: 7},
    "a handle of nothing": {"handle": lambda v: v["handle"] + 8},
}

BATCH_MISTAKES = {
    "strideA too long": {"strideA": lambda v: v["strideA"] + 1},
    "strideA in bytes": {"strideA": lambda v: v["strideA"] * 4},
    "strideB 0": {"strideB": lambda v: 0},
    "strides exchanged": {"strideA": lambda v: v["strideB"], "strideB": lambda v: v["strideA"]},
    "strideC 0": {"strideC": lambda v: 0},
    "strideC too short": {"strideC": lambda v: v["strideC"] - 1},
    "strideC too long": {"strideC": lambda v: v["strideC"] + 1},
    "strideC backwards": {"strideC": lambda v: -v["strideC"]},
    "a batch too many": {"batchCount": lambda v: v["batchCount"] + 1},
    "a batch too few": {"batchCount": lambda v: v["batchCount"] - 1},
}


def caught(gemm, names, mistake, run, wanted):
    """Does a wrong call raise, or give another result?"""
    field = "gemm" if names is GEMM else "batched"
    right = getattr(gemm.blas, field)

    def wrong(*args):
        values = dict(zip(names, args, strict=True))
        right(*(values | {name: change(values) for name, change in mistake.items()}).values())

    gemm._blas = gemm.blas._replace(**{field: wrong})
    try:
        result = run().get()
    except (blas.CUBLASError, blas.Misuse):
        return True
    finally:
        gemm._blas = gemm.blas._replace(**{field: right})
    return not np.allclose(result, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("layouts", [("rows", "rows"), ("columns", "part of rows"), ("part of rows", "columns")])
def test_a_wrong_product_is_caught(cuda, gemm, mistake, layouts):
    rng = np.random.default_rng(0)
    a, b = random(rng, (3, 4), "f4"), random(rng, (4, 6), "f4")
    x, y = (laid(cuda, v, layout) for v, layout in zip((a, b), layouts, strict=True))
    assert caught(gemm, GEMM, MISTAKES[mistake], lambda: gemm.product("nn", x, y), a @ b)


@pytest.mark.parametrize("mistake", MISTAKES | BATCH_MISTAKES)
@pytest.mark.parametrize("layouts", [("rows", "rows"), ("columns", "part of rows")])
def test_a_wrong_batch_is_caught(cuda, gemm, mistake, layouts):
    rng = np.random.default_rng(0)
    a, b = random(rng, (2, 3, 4), "f4"), random(rng, (2, 4, 6), "f4")
    x, y = (laid(cuda, v, layout) for v, layout in zip((a, b), layouts, strict=True))
    planted = (MISTAKES | BATCH_MISTAKES)[mistake]
    assert caught(gemm, BATCHED, planted, lambda: gemm.batch("nn", x, y), a @ b)


def test_the_right_calls_pass(cuda, gemm):
    rng = np.random.default_rng(0)
    a, b = random(rng, (3, 4), "f4"), random(rng, (4, 6), "f4")
    x, y = cuda.asarray(a), cuda.asarray(b)
    assert not caught(gemm, GEMM, {}, lambda: gemm.product("nn", x, y), a @ b)
    x, y = cuda.asarray(a[None]), cuda.asarray(b[None])
    assert not caught(gemm, BATCHED, {}, lambda: gemm.batch("nn", x, y), a[None] @ b)


def test_reading_what_was_freed_is_caught(cuda, gemm):
    x = cuda.asarray(np.ones((64, 64), "f4"))
    at = x.data.ptr
    out = cuda.empty((64, 64), "f4")
    del x
    kind, c = KINDS["f"], out.data.ptr
    with pytest.raises(blas.Misuse, match="no allocation"):
        blas.gemmEx(
            gemm.blas.handle(), 0, 0, 64, 64, 64, kind.one, at, 0, 64, at, 0, 64, kind.zero, c, 0, 64, 68, -1
        )  # fmt: skip


def test_a_handle_of_another_device_is_caught(two_devices):
    cuda = two_devices
    x, y = (cuda.asarray(np.ones((2, 2), "f4")) for _ in range(2))
    at, out, one = x.data.ptr, y.data.ptr, KINDS["f"].one
    handle = blas.get_cublas_handle()
    with cuda.cuda.Device(1), pytest.raises(blas.Misuse, match="device"):
        blas.gemmEx(handle, 0, 0, 2, 2, 2, one, at, 0, 2, at, 0, 2, one, out, 0, 2, 68, -1)


@pytest.mark.parametrize("run", [
    lambda gemm, x: gemm.product("nn", x, x), lambda gemm, x: gemm.batch("nn", x[None], x[None]),
    lambda gemm, x: gemm.dot(x[0], x[0]),
])  # fmt: skip
def test_factors_freed_while_a_stream_multiplies_them_are_noticed(cuda, gemm, run):
    with lifetimes.checked():
        x = cuda.asarray(np.ones((64, 64), "f4"))
        with cuda.cuda.Stream(non_blocking=True):
            run(gemm, x)
        del x
        with pytest.raises(lifetimes.LifetimeError):
            cuda.asarray(np.ones((64, 64), "f4"))


def test_a_dot_that_would_wait_for_the_device_is_caught(cuda):
    x = cuda.asarray(np.ones(3, "f4"))
    handle, at = blas.get_cublas_handle(), x.data.ptr
    with pytest.raises(blas.Misuse, match="waits"):
        blas.sdot(handle, 3, at, 1, at, 1, at)
    blas.setPointerMode(handle, 1)
    try:
        with pytest.raises(blas.Misuse, match="backwards"):
            blas.sdot(handle, 3, at, -1, at, 1, at)
        with pytest.raises(blas.Misuse, match="no allocation"):
            blas.sdot(handle, 3, at, 2, at, 1, at)
    finally:
        blas.setPointerMode(handle, 0)


def test_c_integers_are_refused_as_cython_refuses_them(cuda):
    handle = blas.get_cublas_handle()
    for wrong, error in ((1 << 31, OverflowError), (1.5, TypeError)):
        with pytest.raises(error):
            blas.gemmEx(handle, 0, 0, wrong, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 68, -1)
