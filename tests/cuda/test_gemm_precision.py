"""How exact products are: TF32 and partial sums of half types, by `backends.cuda.matmul`."""

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu._core.precision import PRECISION

FINE = np.float32(1 + 2**-12)  # TF32 has 10 bits of mantissa, and drops this
matmul = ag.backends.cuda.matmul


@pytest.fixture(autouse=True)
def as_before():
    yield
    PRECISION.choose("highest")
    PRECISION.full = frozenset()


def used(asked):
    """The compute types that cuBLAS was asked for."""
    return {args[8] for name, args in asked if name == "gemmEx"}


def test_float32_is_exact_unless_tf32_is_allowed(cuda, gemm, asked):
    a, b = cuda.asarray(np.full((2, 1), FINE)), cuda.asarray(np.ones((1, 2), "f4"))
    assert (gemm.product("nn", a, b).get() == FINE).all() and used(asked) == {68}
    matmul.allow_tf32 = True
    asked.clear()
    assert (gemm.product("nn", a, b).get() == 1).all() and used(asked) == {77}
    assert (gemm.batch("nn", a[None], b[None]).get() == 1).all()
    matmul.allow_tf32 = False
    assert (gemm.product("nn", a, b).get() == FINE).all()


@pytest.mark.parametrize("dtype", ["f2", "f8", "c16"])
def test_tf32_is_for_float32_only(cuda, gemm, asked, dtype):
    a = cuda.asarray(np.ones((2, 2), dtype))
    before = gemm.product("nn", a, a).get()
    exact = used(asked)
    matmul.allow_tf32 = True
    asked.clear()
    assert (gemm.product("nn", a, a).get() == before).all() and used(asked) == exact
    assert exact == {68 if dtype == "f2" else 70}


def test_products_with_vectors_are_exact_always(cuda, gemm):
    matmul.allow_tf32 = True
    a, v = cuda.asarray(np.full((2, 1), FINE)), cuda.asarray(np.ones(1, "f4"))
    assert (gemm.product("nt", a, v).get() == FINE).all()
    assert gemm.dot(a[:, 0][:1], v).get() == FINE


def modes(gemm, run):
    """cuBLAS's math modes during the products of `run`."""
    module, seen = gemm.blas.module, []
    right = gemm.blas

    def spy(function):
        return lambda handle, *rest: (seen.append(module.getMathMode(handle)), function(handle, *rest))

    gemm._blas = right._replace(gemm=spy(right.gemm), batched=spy(right.batched))
    run()
    gemm._blas = right
    assert module.getMathMode(right.handle()) == 0
    return seen


@pytest.mark.parametrize(("name", "dtype"), [("fp16", "float16"), ("bf16", "bfloat16")])
def test_partial_sums_in_a_half_type_can_be_forbidden(cuda, gemm, name, dtype):
    from .layouts import DTYPES

    a = cuda.asarray(np.ones((2, 2, 2), DTYPES[dtype]))
    other = cuda.asarray(np.ones((2, 2), "f4"))

    def run():
        gemm.product("nn", a[0], a[0])
        gemm.batch("nn", a, a)
        gemm.product("nn", other, other)

    assert modes(gemm, run) == [0, 0, 0]
    setattr(matmul, f"allow_{name}_reduced_precision_reduction", False)
    assert modes(gemm, run) == [16, 16, 0]


def test_the_mode_is_restored_after_an_error(cuda, gemm):
    a = cuda.asarray(np.ones((2, 2), "f2"))
    matmul.allow_fp16_reduced_precision_reduction = False
    right = gemm.blas

    def broken(*args):
        raise RuntimeError("CUBLAS_STATUS_EXECUTION_FAILED")

    gemm._blas = right._replace(gemm=broken)
    with pytest.raises(RuntimeError, match="EXECUTION_FAILED"):
        gemm.product("nn", a, a)
    assert right.module.getMathMode(right.handle()) == 0
