// Kernels without a bug that use every part of the language that the emulator offers.
#include "common.cuh"

using ag::i64;

// out[block] = the sum of its block of `in`, by a tree in dynamic shared memory
template <class T> __global__ void tree_sum(const T* in, T* out) {
  extern __shared__ __align__(16) unsigned char raw[];
  ag::wide<T>* buffer = reinterpret_cast<ag::wide<T>*>(raw);
  buffer[threadIdx.x] = ag::widen(in[ag::first_element()]);
  __syncthreads();
  for (int half = blockDim.x / 2; half > 0; half >>= 1) {
    if ((int)threadIdx.x < half) buffer[threadIdx.x] += buffer[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) out[blockIdx.x] = ag::narrow<T>(buffer[0]);
}

// out[block] = the sum of its block of `in`, through shuffles and static shared memory
template <class A> __global__ void block_sum(const A* in, A* out) {
  A sum = ag::block_reduce<ag::Sum>(in[ag::first_element()], A(0));
  if (threadIdx.x == blockDim.x - 1) out[blockIdx.x] = sum;
}

// out[index[i]] += in[i]
template <class T> __global__ void scatter_add(const T* in, const int* index, T* out, i64 n) {
  i64 i = ag::first_element();
  if (i < n) atomicAdd(out + index[i], in[i]);
}

// one lane's view of its warp: shuffles of all kinds, votes
extern "C" __global__ void warp_talk(const int* in, int* out) {
  int me = threadIdx.x, n = blockDim.x;
  out[me] = __shfl_sync(0xffffffffu, in[me], 3);
  out[n + me] = __shfl_up_sync(0xffffffffu, in[me], 2);
  out[2 * n + me] = __shfl_down_sync(0xffffffffu, in[me], 2, 16);
  out[3 * n + me] = __shfl_xor_sync(0xffffffffu, in[me], 5);
  out[4 * n + me] = (int)__ballot_sync(0xffffffffu, in[me] % 2);
  out[5 * n + me] = __any_sync(0xffffffffu, in[me] == 3) + 2 * __all_sync(0xffffffffu, in[me] >= 0);
}

// the upper halves of products, as Philox needs them, and other integer intrinsics
extern "C" __global__ void integers(const unsigned* a, const unsigned* b, unsigned* out) {
  int i = threadIdx.x, n = blockDim.x;
  out[i] = __umulhi(a[i], b[i]);
  out[n + i] = (unsigned)__umul64hi((unsigned long long)a[i] << 32, (unsigned long long)b[i] << 32);
  out[2 * n + i] = (unsigned)(__popc(a[i]) + 100 * __clz((int)b[i]));
  out[3 * n + i] = __float_as_uint(__uint_as_float(a[i] & 0x3fffffffu));
}

// each type of float through float and back
template <class T> __global__ void round_trip(const float* in, T* out, float* back, int n) {
  int i = (int)ag::first_element();
  if (i >= n) return;
  out[i] = ag::narrow<T>(in[i]);
  back[i] = ag::widen(out[i]);
}

// the counters of a launch, in three dimensions
extern "C" __global__ void coordinates(int* out) {
  int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  int thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  out[block * blockDim.x * blockDim.y * blockDim.z + thread] = block * 1000 + thread;
}

// a structure by value, and a table of constants
struct Line { double slope; float offset; int steps[3]; };
__constant__ float TABLE[3] = {1, 10, 100};
extern "C" __global__ void by_value(Line line, float* out) {
  int i = threadIdx.x;
  out[i] = (float)line.slope * i + line.offset + TABLE[i] * line.steps[i];
}

// pointers within a structure
struct Pair { const float* from; float* to; };
extern "C" __global__ void indirect(Pair pair) { pair.to[threadIdx.x] = pair.from[threadIdx.x]; }

// where a strided kernel looks for its operands
template <class I> __global__ void offsets(ag::Layout layout, I* out, i64 first, i64 n) {
  for (i64 i = ag::first_element(); i < n; i += ag::element_step()) {
    I found[2];
    ag::find_offsets(layout, (I)(first + i), found);
    out[2 * i] = found[0];
    out[2 * i + 1] = found[1];
  }
}
