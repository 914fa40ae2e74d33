// Threads that reduce together: groups along rows, groups down columns, and whole blocks.
#pragma once
#include "common.cuh"

namespace ag {

constexpr int MOST_THREADS = 512;

// ---- what is reduced: an operation R has `of` of two states, and a state that changes nothing

// The sum of e^(x - top), as softmax and its relatives need it. The first top is a finite number,
// so that -infinity adds 0.
template <class A> struct Powers { A top, sum; };

template <class A> struct Lowest;
template <> struct Lowest<float> { static constexpr float value = -3.402823466e+38f; };
template <> struct Lowest<double> { static constexpr double value = -1.7976931348623157e+308; };

struct PowerSum {
  template <class A> static __device__ __forceinline__ Powers<A> none() {
    return {Lowest<A>::value, A(0)};
  }
  template <class A> static __device__ __forceinline__ void put(Powers<A>& state, A x) {
    const A above = x == state.top ? A(0) : x - state.top, power = exp(-fabs(above));
    if (above > A(0)) {
      state.sum = state.sum * power + A(1);
      state.top = x;
    } else {
      state.sum += power;  // NaN if x is
    }
  }
  template <class A>
  static __device__ __forceinline__ Powers<A> of(const Powers<A>& a, const Powers<A>& b) {
    const bool first = a.top >= b.top;
    const A high = first ? a.top : b.top, low = first ? b.top : a.top;
    const A more = first ? a.sum : b.sum, less = first ? b.sum : a.sum;
    return {high, more + less * (high == low ? A(1) : exp(low - high))};
  }
};

template <class A> __device__ __forceinline__ A from_lane(A value, int bit) {
  return __shfl_xor_sync(0xffffffffu, value, bit);
}
template <class A> __device__ __forceinline__ Powers<A> from_lane(const Powers<A>& value, int bit) {
  return {from_lane(value.top, bit), from_lane(value.sum, bit)};
}

// ---- groups. An item is what a group computes; all threads of a block call `reduce` alike.

// Items are rows: blockDim.x threads share one, blockDim.y groups make a block. blockDim.x is a
// power of two up to 32, or blockDim.y is 1 and blockDim.x a multiple of 32.
struct Rows {
  static constexpr bool ROWS = true;
  static __device__ __forceinline__ i64 first() { return (i64)blockIdx.x * blockDim.y; }
  static __device__ __forceinline__ i64 step() { return (i64)gridDim.x * blockDim.y; }
  static __device__ __forceinline__ int item() { return threadIdx.y; }
  static __device__ __forceinline__ int member() { return threadIdx.x; }
  static __device__ __forceinline__ int members() { return blockDim.x; }

  template <class R, class S> static __device__ __forceinline__ S reduce(S value, S none) {
    const int lanes = blockDim.x < 32 ? blockDim.x : 32;
    for (int bit = lanes >> 1; bit > 0; bit >>= 1) value = R::of(value, from_lane(value, bit));
    if (blockDim.x <= 32) return value;
    __shared__ S partial[32];
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
    if (lane == 0) partial[warp] = value;
    __syncthreads();
    value = lane < warps ? partial[lane] : none;
#pragma unroll
    for (int bit = 16; bit > 0; bit >>= 1) value = R::of(value, from_lane(value, bit));
    __syncthreads();  // the next call writes to `partial`
    return value;
  }
};

// Items are columns: neighbours in x are neighbours in memory, and the blockDim.y threads of one x,
// a power of two, share a column.
struct Columns {
  static constexpr bool ROWS = false;
  static __device__ __forceinline__ i64 first() { return (i64)blockIdx.x * blockDim.x; }
  static __device__ __forceinline__ i64 step() { return (i64)gridDim.x * blockDim.x; }
  static __device__ __forceinline__ int item() { return threadIdx.x; }
  static __device__ __forceinline__ int member() { return threadIdx.y; }
  static __device__ __forceinline__ int members() { return blockDim.y; }

  template <class R, class S> static __device__ __forceinline__ S reduce(S value, S) {
    if (blockDim.y == 1) return value;
    __shared__ S partial[MOST_THREADS];
    const int at = threadIdx.y * blockDim.x + threadIdx.x;
    partial[at] = value;
    __syncthreads();
    for (int half = blockDim.y >> 1; half > 0; half >>= 1) {
      if (threadIdx.y < half) partial[at] = R::of(partial[at], partial[at + half * blockDim.x]);
      __syncthreads();
    }
    value = partial[threadIdx.x];
    __syncthreads();  // the next call writes to `partial`
    return value;
  }
};

// One item of a contiguous array, seen by one thread of its group. Rows: the array is
// (across, size), and slabs = 1; columns: it is (slabs, size, across).
template <class G> struct Item {
  i64 number, begin, stride, size;
  bool live;

  __device__ __forceinline__ Item(i64 slab, i64 first, i64 size, i64 across) : size(size) {
    const i64 k = first + G::item();
    live = k < across;
    stride = G::ROWS ? 1 : across;
    number = slab * across + k;
    begin = slab * size * across + (G::ROWS ? k * size : k);
  }
  // f(index, place) for this thread's share of the elements.
  template <class F> __device__ __forceinline__ void each(F f) const {
    if (!live) return;
    const i64 step = G::members() * stride;
    i64 at = begin + G::member() * stride;
#pragma unroll 2
    for (i64 c = G::member(); c < size; c += G::members(), at += step) f(c, at);
  }
};

// Every thread of a block of two dimensions gets R of all threads' values.
template <class R, class S> __device__ __forceinline__ S whole_block(S value, S none) {
  __shared__ S partial[32];
  const int thread = threadIdx.y * blockDim.x + threadIdx.x, lane = thread & 31;
  const int warps = (blockDim.x * blockDim.y) >> 5;
#pragma unroll
  for (int bit = 16; bit > 0; bit >>= 1) value = R::of(value, from_lane(value, bit));
  if (lane == 0) partial[thread >> 5] = value;
  __syncthreads();
  value = lane < warps ? partial[lane] : none;
#pragma unroll
  for (int bit = 16; bit > 0; bit >>= 1) value = R::of(value, from_lane(value, bit));
  __syncthreads();  // the next call writes to `partial`
  return value;
}

}  // namespace ag
