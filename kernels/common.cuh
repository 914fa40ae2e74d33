// What every kernel shares: scalar types, layouts, reductions.
// Compiles with NVRTC, with nvcc, and with g++ through autograd_gpu.testing.emulator.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>

namespace ag {

typedef long long i64;

// ---- scalar types: half and bfloat16 are read and written, and computed with in float; integers
// of one and two bytes in int

template <class T> struct Wide { typedef T type; };
template <> struct Wide<__half> { typedef float type; };
template <> struct Wide<__nv_bfloat16> { typedef float type; };
template <> struct Wide<signed char> { typedef int type; };
template <> struct Wide<unsigned char> { typedef int type; };
template <> struct Wide<short> { typedef int type; };
template <class T> using wide = typename Wide<T>::type;

__device__ __forceinline__ float widen(float value) { return value; }
__device__ __forceinline__ double widen(double value) { return value; }
__device__ __forceinline__ int widen(int value) { return value; }
__device__ __forceinline__ i64 widen(i64 value) { return value; }
__device__ __forceinline__ bool widen(bool value) { return value; }
__device__ __forceinline__ int widen(signed char value) { return value; }
__device__ __forceinline__ int widen(unsigned char value) { return value; }
__device__ __forceinline__ int widen(short value) { return value; }
__device__ __forceinline__ float widen(__half value) { return __half2float(value); }
__device__ __forceinline__ float widen(__nv_bfloat16 value) { return __bfloat162float(value); }

template <class T> struct Narrow {
  static __device__ __forceinline__ T of(wide<T> value) { return (T)value; }
};
template <> struct Narrow<__half> {
  static __device__ __forceinline__ __half of(float value) { return __float2half(value); }
};
template <> struct Narrow<__nv_bfloat16> {
  static __device__ __forceinline__ __nv_bfloat16 of(float value) {
    return __float2bfloat16(value);
  }
};
template <class T> __device__ __forceinline__ T narrow(wide<T> value) {
  return Narrow<T>::of(value);
}

// ---- which elements a thread computes: first, first + step, ...

__device__ __forceinline__ i64 first_element() {
  return (i64)blockIdx.x * blockDim.x + threadIdx.x;
}
__device__ __forceinline__ i64 element_step() { return (i64)gridDim.x * blockDim.x; }

// ---- layouts

constexpr int MAX_DIMS = 8, MAX_OPERANDS = 6;

// The shape of a result and the strides, in elements, of the operands; 0 where one broadcasts.
struct Layout {
  i64 ndim;
  i64 shape[MAX_DIMS];
  i64 strides[MAX_OPERANDS][MAX_DIMS];
};

// Where the operands hold what belongs to element `index` of the result. I is int where every
// index and offset fits into 31 bits (a 64-bit division costs several times more), else i64.
template <class I, int N>
__device__ __forceinline__ void find_offsets(const Layout& layout, I index, I (&offsets)[N]) {
#pragma unroll
  for (int k = 0; k < N; ++k) offsets[k] = 0;
  for (int d = (int)layout.ndim - 1; d >= 0; --d) {
    I size = (I)layout.shape[d], rest = index / size, place = index - rest * size;
#pragma unroll
    for (int k = 0; k < N; ++k) offsets[k] += place * (I)layout.strides[k][d];
    index = rest;
  }
}

// ---- reductions

struct Sum {
  template <class A> static __device__ __forceinline__ A of(A a, A b) { return a + b; }
};

// Every lane gets R of all lanes' values; all 32 lanes call it.
template <class R, class A> __device__ __forceinline__ A warp_reduce(A value) {
#pragma unroll
  for (int bit = 16; bit > 0; bit >>= 1)
    value = R::of(value, __shfl_xor_sync(0xffffffffu, value, bit));
  return value;
}

// Every thread gets R of all threads' values; all threads of a block call it, whose size is a
// multiple of 32. `none` is R's neutral value.
template <class R, class A> __device__ __forceinline__ A block_reduce(A value, A none) {
  __shared__ A partial[32];
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
  value = warp_reduce<R>(value);
  if (lane == 0) partial[warp] = value;
  __syncthreads();
  value = warp_reduce<R>(lane < warps ? partial[lane] : none);
  __syncthreads();  // the next call writes to `partial`
  return value;
}

}  // namespace ag
