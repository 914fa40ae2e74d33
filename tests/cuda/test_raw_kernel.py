"""RawKernel: users' CUDA source, launched with arguments checked against declared parameters."""

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu.cuda import RawKernel
from autograd_gpu.testing import nvrtc
from autograd_gpu.testing.emulator import CompileError

from ..kernels.conftest import require_emulator, require_nvrtc

SOURCE = """
#include "common.cuh"
template <class T, class U> __global__ void scaled(const T* x, const U* by, T* y, size_t n,
                                                   ag::wide<T> factor, bool negative) {
  for (long long i = ag::first_element(); i < (long long)n; i += ag::element_step()) {
    ag::wide<T> value = ag::widen(x[i]) * factor * (by ? (ag::wide<T>)by[i] : 1);
    y[i] = ag::narrow<T>(negative ? -value : value);
  }
}
extern "C" __global__ void numbers(double* out, int a, unsigned char b, float c, long d) {
  if (threadIdx.x == 0 && blockIdx.x == 0) out[0] = a, out[1] = b, out[2] = c, out[3] = d;
}
extern "C" __global__ void where(int* out) {
  extern __shared__ int copy[];
  copy[threadIdx.y] = blockIdx.x + 10 * blockIdx.y;
  __syncthreads();
  out[(blockIdx.y * gridDim.x + blockIdx.x) * blockDim.y + threadIdx.y] = copy[threadIdx.y];
}
"""
PARAMETERS = "x: const T*, by: const U*?, y: T*, n: u64, factor: A, negative: bool"
scaled = RawKernel(SOURCE, "scaled<{T}, {U}>", PARAMETERS)
numbers = RawKernel(SOURCE, "numbers", "out: float64*, a: i32, b: uint8, c: f32, d: int64")
where = RawKernel(SOURCE, "where", "out: i32*")


@pytest.fixture(scope="module", autouse=True)
def device(standin_device):
    require_emulator()


def cuda(values, dtype=ag.float32):
    return ag.tensor(values, dtype=dtype, device="cuda")


@pytest.mark.parametrize("dtype", [ag.float32, ag.float64, ag.float16, ag.bfloat16])
@pytest.mark.parametrize("second", [ag.int64, ag.float32])
def test_types_are_found_from_the_arrays(dtype, second):
    x, by = cuda([1, 2, 3], dtype), cuda([4, 5, 6], second)
    y = ag.empty_like(x)
    scaled(x, by, y, 3, 0.5, True, threads=3)
    assert y.tolist() == [-2, -5, -9]
    scaled(x, None, y, 3, 2, False, threads=3)
    assert y.tolist() == [2, 4, 6]


def test_raw_arrays_are_taken_as_well():
    x = cuda([1, 2])
    y = ag.empty_like(x)
    scaled(x._array, None, y._array, 2, 3, False, threads=2)
    assert y.tolist() == [3, 6]


def test_numbers_become_the_declared_type():
    out = cuda([0] * 4, ag.float64)
    numbers(out, np.int64(-7), 200, 0.1, 2**40, threads=1)
    assert out.tolist() == [-7, 200, float(np.float32(0.1)), 2**40]


def test_grid_block_and_shared_memory():
    out = cuda([0] * 12, ag.int32)
    where(out, grid=(2, 3), block=(1, 2), shared_mem=8)
    assert out.tolist() == [0, 0, 1, 1, 10, 10, 11, 11, 20, 20, 21, 21]
    with pytest.raises(ValueError, match="shared_mem may be at most 49152"):
        where(out, grid=1, shared_mem=50_000)


def test_threads_and_grid_exclude_each_other():
    for options in ({}, {"threads": 1, "grid": 1}):
        with pytest.raises(TypeError, match="either threads= or grid="):
            where(cuda([0], ag.int32), **options)


def test_nothing_is_launched_for_no_threads(standin_device):
    x = cuda([])
    with standin_device.launches() as seen:
        scaled(x, None, ag.empty_like(x), 0, 1, False, threads=0)
        assert not seen
        with pytest.raises(TypeError, match="expected an integer"):
            scaled(x, None, ag.empty_like(x), 0.0, 1, False, threads=0)


def test_a_kernel_is_compiled_once_a_type(standin_device):
    from autograd_gpu._core.library import installed

    x = cuda([1.0, 2.0])
    count = lambda: sum(key[0] is kernel for key in installed().instances)
    kernel = RawKernel(SOURCE, "scaled<{T}, {U}>", PARAMETERS)
    for _ in range(2):
        kernel(x, None, ag.empty_like(x), 2, 1, False, threads=2)
    assert count() == 1
    kernel(x.double(), None, x.double(), 2, 1, False, threads=2)
    assert count() == 2


GOOD = [0, 1, 1, 0.5, 0]


@pytest.mark.parametrize(
    ("place", "value", "error", "words"),
    [
        (1, 1.0, TypeError, "a: expected an integer for int32, got 1.0"),
        (1, "1", TypeError, "a: expected an integer"),
        (1, 2**31, OverflowError, "a: 2147483648 does not fit into int32"),
        (2, -1, OverflowError, "b: -1 does not fit into uint8"),
        (3, "1", TypeError, "c: expected a number for float32, got '1'"),
        (3, 1j, TypeError, "c: expected a number"),
        (4, 2**63, OverflowError, "does not fit into int64"),
        (4, None, TypeError, "d: expected an integer"),
    ],
)
def test_numbers_that_do_not_fit(place, value, error, words):
    args = [cuda([0] * 4, ag.float64), *GOOD[1:]]
    args[place] = value
    with pytest.raises(error, match=words):
        numbers(*args, threads=1)


def test_arrays_that_do_not_fit():
    x, n = cuda([1, 2, 3, 4]), 4
    bad = [
        (x.cpu(), TypeError, "expected arrays on a CUDA device, got a CPU array"),
        ([1.0], TypeError, "expected arrays on a CUDA device, got list"),
        (x[::2], ValueError, "contiguous"),
        (x.double(), TypeError, "y: expected float(32|64), got float(64|32)"),
    ]
    for value, error, words in bad:
        with pytest.raises(error, match=words):
            scaled(x, None, value, n, 1, False, threads=4)
        with pytest.raises(error, match=words):
            scaled(value, None, x, n, 1, False, threads=4)
    with pytest.raises(TypeError, match="y: expected"):
        scaled(x, None, None, n, 1, False, threads=4)
    with pytest.raises(TypeError, match="negative: expected a bool, got 1"):
        scaled(x, None, x, n, 1, 1, threads=4)
    with pytest.raises(TypeError, match=r"expected 6 arguments \(x, by, y, n, factor, negative\)"):
        scaled(x, x, n, threads=4)


def test_no_type_for_complex_arrays():
    x = cuda([1j], ag.complex64)
    with pytest.raises(TypeError, match="no kernels for arrays of complex64"):
        scaled(x, None, x, 1, 1, False, threads=1)


def test_a_written_tensor_counts_as_written():
    x = cuda([1.0, 2.0])
    weight = cuda([3.0, 4.0]).requires_grad_()
    y = weight * x
    before = x._version
    scaled(weight.detach(), None, x, 2, 1, False, threads=2)
    assert x._version == before + 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("numbers", "out: float64*, a: i64, b: uint8, c: f32, d: int64"),
        ("numbers", "out: float64*, a: i32, b: uint8, c: f64, d: int64"),
        ("numbers", "out: float32*, a: i32, b: uint8, c: f32, d: int64"),
        ("numbers", "out: const float64*, a: i32, b: uint8, c: f32, d: int64"),
        ("numbers", "out: float64*, a: i32, b: uint8, c: f32"),
    ],
)
def test_declared_parameters_are_held_against_the_source(name, parameters):
    """A driver would take any; the compiler refuses them."""
    kernel = RawKernel(SOURCE, name, parameters)
    out = cuda([0] * 4, ag.float32 if "out: float32" in parameters else ag.float64)
    args = [out, *GOOD[1:]][: len(kernel.parameters)]
    with pytest.raises(CompileError, match="numbers does not take the parameters declared for it"):
        kernel(*args, threads=1)


@pytest.mark.parametrize("declared", ["i32", "i64"])
def test_nvrtc_holds_them_against_the_source_as_well(declared):
    require_nvrtc()
    from autograd_gpu._core.declared import assertion, prelude

    kernel = RawKernel(SOURCE, "numbers", f"out: f64*, a: {declared}, b: u8, c: f32, d: i64")
    text = kernel._text + prelude + assertion("numbers", kernel.parameters)
    if declared == "i32":
        assert nvrtc.compile_for(75, text, ["numbers"]).kernels["numbers"].spills == 0
    else:
        with pytest.raises(nvrtc.CompileError, match="does not take the parameters declared"):
            nvrtc.compile_for(75, text, ["numbers"])


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ("x: float*", "'x: float' is not a type: expected T, A"),
        ("x: Layout", "is not a type"),
        ("x T*", "not a parameter: 'x T\\*'"),
        ("x: T**", "not a parameter"),
    ],
)
def test_parameters_that_cannot_be_read(parameters, words):
    with pytest.raises(ValueError, match=words):
        RawKernel(SOURCE, "scaled", parameters)


def test_source_that_does_not_compile():
    with pytest.raises(CompileError, match="nonsense"):
        RawKernel("__global__ void f(float* x) { nonsense; }", "f", "x: f32*")(cuda([1]), threads=1)


def test_arrays_on_different_devices():
    from autograd_gpu.testing import standin

    with standin.activate(devices=2):
        x, y = ag.ones(2, device="cuda:0"), ag.ones(2, device="cuda:1")
        with pytest.raises(RuntimeError, match="one CUDA device, found cuda:0 and cuda:1"):
            scaled(x, None, y, 2, 1, False, threads=2)
        z = ag.empty_like(y)
        scaled(y, None, z, 2, 5, False, threads=2)
        assert str(z.device) == "cuda:1"
        with ag.cuda.device(1):
            assert z.tolist() == [5, 5]
