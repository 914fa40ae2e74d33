// Threads that reduce together: groups along rows, groups down columns, and whole blocks.
#pragma once
#include "common.cuh"

namespace ag {

constexpr int MOST_THREADS = 512;

// A quotient of numbers that are not negative; the division of 32 bits costs a fraction.
__device__ __forceinline__ i64 quotient(i64 a, i64 b) {
  return (a | b) >> 32 ? a / b : (i64)((unsigned)a / (unsigned)b);
}

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

// Where the first element of an item of a contiguous array (outer, size, inner) lies; for rows
// inner = 1.
template <class G> __device__ __forceinline__ i64 begin_of(i64 item, i64 size, i64 inner) {
  if (G::ROWS) return item * size;
  const i64 before = quotient(item, inner);
  return before * size * inner + (item - before * inner);
}

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
