// Teams of threads that go over a row together: a block is teams of blockDim.x threads, one warp
// each, or a single team of several warps.
#pragma once
#include "common.cuh"

namespace ag {

__device__ __forceinline__ i64 smaller(i64 a, i64 b) { return b < a ? b : a; }

// V elements that are read and written at once, in words of up to 16 bytes.
template <class T, int V> struct alignas(sizeof(T) * V < 16 ? sizeof(T) * V : 16) Chunk {
  T at[V];
};

// Does an array lie so that chunks of it can be read at once? Also a null pointer does.
template <int V, class T> __device__ __forceinline__ bool whole_chunks(const T* array) {
  return reinterpret_cast<unsigned long long>(array) % alignof(Chunk<T, V>) == 0;
}

// How many of the V elements from i on lie before the end.
template <int V> __device__ __forceinline__ int left(i64 i, i64 end) {
  return (int)smaller(end - i, V);
}

// The values at from[0], from[1], ...; 0 for those that are not among the first `some`. `whole`:
// the chunk is aligned, and all of it is there.
template <int V, class T>
__device__ __forceinline__ void fetch(wide<T> (&values)[V], const T* from, int some, bool whole) {
  if (whole) {
    Chunk<T, V> chunk = *reinterpret_cast<const Chunk<T, V>*>(from);
#pragma unroll
    for (int j = 0; j < V; ++j) values[j] = widen(chunk.at[j]);
  } else {
#pragma unroll
    for (int j = 0; j < V; ++j) values[j] = j < some ? widen(from[j]) : wide<T>(0);
  }
}

// to[j] = values[j] for the first `some`.
template <int V, class T>
__device__ __forceinline__ void store(const wide<T> (&values)[V], T* to, int some, bool whole) {
  if (whole) {
    Chunk<T, V> chunk;
#pragma unroll
    for (int j = 0; j < V; ++j) chunk.at[j] = narrow<T>(values[j]);
    *reinterpret_cast<Chunk<T, V>*>(to) = chunk;
  } else {
#pragma unroll
    for (int j = 0; j < V; ++j)
      if (j < some) to[j] = narrow<T>(values[j]);
  }
}

// Every thread of a team gets R of all its threads' values, N at a time; all of them call it.
template <class R, class A, int N>
__device__ __forceinline__ void team_reduce(A (&value)[N], A none = A(0)) {
  __shared__ A partial[N][32];
#pragma unroll
  for (int k = 0; k < N; ++k) value[k] = warp_reduce<R>(value[k]);
  if (blockDim.x == 32) return;
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
  if (lane == 0)
#pragma unroll
    for (int k = 0; k < N; ++k) partial[k][warp] = value[k];
  __syncthreads();
#pragma unroll
  for (int k = 0; k < N; ++k)
    value[k] = warp_reduce<R>(lane < warps ? partial[k][lane] : none);
  __syncthreads();  // the next call writes to `partial`
}

// Threads of a block (32, 8): every thread (x, y) gets the sums over y.
template <class A, int N> __device__ __forceinline__ void sum_over_y(A (&value)[N]) {
  __shared__ A partial[N][8][33];
#pragma unroll
  for (int k = 0; k < N; ++k) partial[k][threadIdx.y][threadIdx.x] = value[k];
  __syncthreads();
#pragma unroll
  for (int k = 0; k < N; ++k) {
    value[k] = 0;
    for (int y = 0; y < 8; ++y) value[k] += partial[k][y][threadIdx.x];
  }
  __syncthreads();  // the next call writes to `partial`
}

// The rows of N matrices of one shape, seen by one thread of a team: the first chunks stay in its
// registers, what lies behind is read anew in each pass.
template <class T, int V, int N> struct Row {
  typedef wide<T> A;
  static constexpr int KEPT = V * N < 16 ? 16 / (V * N) : 1;

  const T* from[N];
  i64 size;
  bool whole;
  A kept[KEPT][N][V];

  __device__ __forceinline__ void load() {
#pragma unroll
    for (int k = 0; k < KEPT; ++k) read(kept[k], place(k));
  }

  // f(i, some, values): values[k][j] is element i + j of matrix k, or 0 where j >= some.
  template <class F> __device__ __forceinline__ void each(F f) {
#pragma unroll
    for (int k = 0; k < KEPT; ++k)
      if (place(k) < size) f(place(k), left<V>(place(k), size), kept[k]);
    for (i64 i = place(KEPT); i < size; i += (i64)blockDim.x * V) {
      A values[N][V];
      read(values, i);
      f(i, left<V>(i, size), values);
    }
  }

  __device__ __forceinline__ i64 place(int k) const {
    return ((i64)k * blockDim.x + threadIdx.x) * V;
  }
  __device__ __forceinline__ void read(A (&values)[N][V], i64 i) const {
#pragma unroll
    for (int k = 0; k < N; ++k)
      fetch<V>(values[k], from[k] + i, left<V>(i, size), whole && i < size);
  }
};

}  // namespace ag
