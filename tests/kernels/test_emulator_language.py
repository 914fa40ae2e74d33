"""More of CUDA's language on the emulator: atomics of every type, voting barriers, half types."""

import ml_dtypes
import numpy as np
import pytest

from autograd_gpu.testing.emulator import CompileError, KernelError, Module

from .conftest import require_emulator, require_nvrtc

ATOMICS = {
    "int": np.int32, "unsigned": np.uint32, "long long": np.int64, "unsigned long long": np.uint64,
}  # fmt: skip
TEXT = """
#include <cuda_bf16.h>
#include <cuda_fp16.h>
template <class T> __global__ void extremes(const T* in, T* out) {
  T x = in[threadIdx.x];
  atomicMin(out, x), atomicMax(out + 1, x), atomicOr(out + 2, x), atomicAnd(out + 3, x);
  atomicXor(out + 4, x);
}
template <class T> __global__ void locked_sum(const T* in, T* sum, unsigned short* low) {
  T old = *sum, seen;
  do {
    seen = old;
    old = atomicCAS(sum, seen, T(seen + in[threadIdx.x]));
  } while (old != seen);
  atomicCAS(low, (unsigned short)7, (unsigned short)9);
}
extern "C" __global__ void exchange(float* slot, unsigned* turn, float* out) {
  out[threadIdx.x] = atomicExch(slot, (float)threadIdx.x);
  atomicInc(turn, 4), atomicDec(turn + 1, 4), atomicSub(turn + 2, 1u);
}
extern "C" __global__ void votes(const int* in, int* out) {
  int i = threadIdx.x, n = blockDim.x;
  out[i] = __syncthreads_count(in[i] > 0);
  out[n + i] = __syncthreads_or(in[i] == 5);
  out[2 * n + i] = __syncthreads_and(in[i] < 9);
}
template <class T> __global__ void from_double(const double* in, T* out) {
  out[threadIdx.x] = T(in[threadIdx.x]);
}
template <class T> __global__ void half_words(const T* a, const T* b, T* out) {
  int i = threadIdx.x, n = blockDim.x;
  out[i] = __hfma(a[i], b[i], a[i]);
  out[n + i] = __hmax(a[i], b[i]);
  out[2 * n + i] = __hadd(__hmul(a[i], b[i]), __habs(__hsub(a[i], b[i])));
  out[3 * n + i] = __hisnan(a[i]) ? T(1) : T(__hlt(a[i], b[i]) ? 2.0f : 3.0f);
}
extern "C" __global__ void vectors(const float4* in, double2* out, ushort4* small) {
  float4 v = in[threadIdx.x];
  out[threadIdx.x] = make_double2(v.x + v.y, v.z * v.w);
  small[threadIdx.x] = make_ushort4(1, 2, 3, (unsigned short)v.x);
}
extern "C" __global__ void traps(int n) { if ((int)threadIdx.x == n) __trap(); }
"""
HALVES = {"__half": np.float16, "__nv_bfloat16": ml_dtypes.bfloat16}
NAMES = (
    [f"{k}<{t}>" for t in ATOMICS for k in ("extremes",)]
    + [f"locked_sum<{t}>" for t in ("int", "unsigned", "unsigned long long")]
    + [f"{k}<{t}>" for t in HALVES for k in ("from_double", "half_words")]
    + ["exchange", "votes", "vectors", "traps"]
)


@pytest.fixture(scope="module", params=["plain", "checked"])
def kernel(request):
    require_emulator()
    return Module(TEXT, NAMES, checked=request.param == "checked").get_function


@pytest.mark.parametrize("kind", ATOMICS)
def test_atomics_of_integers(kernel, kind):
    dtype = np.dtype(ATOMICS[kind])
    limits = np.iinfo(dtype)
    x = np.random.default_rng(0).integers(limits.min, limits.max, 64, dtype, endpoint=True)
    out = np.array([limits.max, limits.min, 0, np.array(-1).astype(dtype), 0], dtype)
    kernel(f"extremes<{kind}>")((1,), (64,), (x, out), schedule="random")
    ufuncs = (np.bitwise_or, np.bitwise_and, np.bitwise_xor)
    assert out.tolist() == [x.min(), x.max(), *(u.reduce(x) for u in ufuncs)]


@pytest.mark.parametrize("kind", ["int", "unsigned", "unsigned long long"])
def test_compare_and_swap(kernel, kind):
    x, low = np.arange(96).astype(ATOMICS[kind]), np.array([7], np.uint16)
    total = np.zeros(1, x.dtype)
    if kernel.__self__.checked:  # the first read, which is no atomic, races with the others' swaps
        with pytest.raises(KernelError, match="race in global memory"):
            kernel(f"locked_sum<{kind}>")((1,), (96,), (x, total, low))
        return
    for schedule in ("forward", "reverse", "random"):
        total[:], low[:] = 0, 7
        kernel(f"locked_sum<{kind}>")((1,), (96,), (x, total, low), schedule=schedule)
        assert total[0] == x.sum() and low[0] == 9


def test_exchange_and_counters(kernel):
    slot, turn, out = np.array([99], np.float32), np.array([0, 0, 40], np.uint32), np.zeros(12, "f4")
    kernel("exchange")((1,), (12,), (slot, turn, out), schedule="random", seed=3)
    assert sorted([*out, *slot]) == [*range(12), 99]
    assert turn.tolist() == [12 % 5, 3, 28]


def test_no_atomic_that_cuda_has_not():
    require_emulator()
    for call in ("atomicAdd((short*)p, 1)", "atomicMax((float*)p, 1.f)", "atomicAdd((long long*)p, 1)"):
        with pytest.raises(CompileError, match="CUDA has no atomic"):
            Module(f"__global__ void f(void* p) {{ {call}; }}", ["f"])


@pytest.mark.parametrize("schedule", ["forward", "reverse", "random"])
def test_barriers_that_vote(kernel, schedule):
    x, out = np.arange(-10, 54, dtype=np.int32), np.zeros((3, 64), np.int32)
    kernel("votes")((1,), (64,), (x, out), schedule=schedule)
    assert (out == np.array([[53], [1], [0]])).all()
    kernel("votes")((1,), (64,), (np.full(64, -1, np.int32), out), schedule=schedule)
    assert (out == np.array([[0], [0], [1]])).all()


@pytest.mark.parametrize("kind", HALVES)
def test_doubles_are_rounded_once(kernel, kind):
    """Not to float first: that would take what is a little off a tie for the tie."""
    step = float(ml_dtypes.finfo(HALVES[kind]).eps)
    ties = 1 + step * (np.arange(8) + 0.5)
    tiny = 2.0**-45
    x = np.concatenate([ties - tiny, ties, ties + tiny, -ties - tiny, [1e300, np.inf, 0.0, -1e-300]])
    out = np.zeros(x.size, HALVES[kind])
    kernel(f"from_double<{kind}>")((1,), (x.size,), (x, out))
    below, above = 1 + step * np.arange(8), 1 + step * (np.arange(8) + 1)
    even = np.where(np.arange(8) % 2, above, below)
    wanted = np.concatenate([below, even, above, -above, [np.inf, np.inf, 0, 0]])
    assert np.array_equal(out.astype("f8"), wanted)


@pytest.mark.parametrize("kind", HALVES)
def test_half_functions(kernel, kind):
    dtype = HALVES[kind]
    a, b = np.random.default_rng(1).standard_normal((2, 32)).astype(dtype)
    a[0] = np.nan
    out = np.zeros((4, 32), dtype)
    kernel(f"half_words<{kind}>")((1,), (32,), (a, b, out))
    assert np.isnan(out[0, 0]) and out[1, 0] == b[0] and out[3, 0] == 1
    a, b, out = a[1:], b[1:], out[:, 1:]
    wide_a, wide_b = a.astype("f8"), b.astype("f8")
    fused = (wide_a * wide_b + wide_a).astype(dtype)
    product, gap = (wide_a * wide_b).astype(dtype), np.abs((wide_a - wide_b).astype(dtype))
    assert np.array_equal(out[0], fused) and np.array_equal(out[1], np.maximum(a, b))
    assert np.array_equal(out[2], (product.astype("f8") + gap.astype("f8")).astype(dtype))
    assert out[3].tolist() == np.where(a < b, 2, 3).tolist()


def test_vectors(kernel):
    x = np.arange(16, dtype=np.float32).reshape(4, 4)
    pairs = np.zeros(4, np.dtype([("v", "f8", 2)]))
    small = np.zeros(4, np.dtype([("v", "u2", 4)]))
    kernel("vectors")((1,), (4,), (x.view(np.dtype([("v", "f4", 4)])).ravel(), pairs, small))
    assert np.array_equal(pairs["v"], np.stack([x[:, 0] + x[:, 1], x[:, 2] * x[:, 3]], 1))
    assert small["v"].tolist() == [[1, 2, 3, v] for v in (0, 4, 8, 12)]


def test_trap(kernel):
    kernel("traps")((1,), (4,), (np.int32(9),))
    with pytest.raises(KernelError, match=r"thread \(3, 0, 0\): trap"):
        kernel("traps")((1,), (4,), (np.int32(3),))


def test_nvrtc_takes_the_same_text():
    require_nvrtc()
    from autograd_gpu.testing import nvrtc

    assert set(nvrtc.compile_for(80, TEXT, NAMES).kernels) == set(NAMES)
