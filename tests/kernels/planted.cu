// Kernels with one bug each: what the emulator must find. The comment says the bug.
#include "common.cuh"

using ag::i64;

// <= where < is meant
extern "C" __global__ void one_too_far(const float* in, float* out, i64 n) {
  i64 i = ag::first_element();
  if (i <= n) out[i] = in[i] * 2;
}

// reads one element too many
extern "C" __global__ void reads_too_far(const float* in, float* out, int n) {
  int i = threadIdx.x;
  if (i < n) out[i] = in[i] + in[i + 1];
}

// writes before the first element
extern "C" __global__ void writes_before(float* out) { out[(int)threadIdx.x - 1] = 1; }

// a null pointer is followed
extern "C" __global__ void follows_null(const float* in, float* out) { out[0] = in[0]; }

// no barrier between the warps' sums and their reader
extern "C" __global__ void no_barrier(const float* in, float* out) {
  __shared__ float partial[32];
  float sum = ag::warp_reduce<ag::Sum>(in[threadIdx.x]);
  if ((threadIdx.x & 31) == 0) partial[threadIdx.x >> 5] = sum;
  if (threadIdx.x == 0) {
    float total = 0;
    for (int w = 0; w < (int)blockDim.x / 32; ++w) total += partial[w];
    out[0] = total;
  }
}

// no barrier before the next row writes what this row still reads
extern "C" __global__ void no_second_barrier(const float* in, float* out, int rows) {
  __shared__ float partial[32];
  for (int row = 0; row < rows; ++row) {
    float sum = ag::warp_reduce<ag::Sum>(in[row * blockDim.x + threadIdx.x]);
    if ((threadIdx.x & 31) == 0) partial[threadIdx.x >> 5] = sum;
    __syncthreads();
    float total = 0;
    for (int w = 0; w < (int)blockDim.x / 32; ++w) total += partial[w];
    if (threadIdx.x == 0) out[row] = total;
  }
}

// += where atomicAdd is needed
extern "C" __global__ void no_atomic(const float* in, const int* index, float* out, int n) {
  int i = (int)ag::first_element();
  if (i < n) out[index[i]] += in[i];
}

// every block writes the same element
extern "C" __global__ void blocks_collide(float* out) {
  if (threadIdx.x == 0) out[0] = (float)blockIdx.x;
}

// half of the shared array was never written
extern "C" __global__ void uninitialised(const float* in, float* out) {
  __shared__ float copy[64];
  if (threadIdx.x < 32) copy[threadIdx.x] = in[threadIdx.x];
  __syncthreads();
  out[threadIdx.x] = copy[threadIdx.x];
}

// some threads leave before the barrier
extern "C" __global__ void leaves_early(const float* in, float* out, int n) {
  __shared__ float copy[128];
  int i = threadIdx.x;
  if (i >= n) return;
  copy[i] = in[i];
  __syncthreads();
  out[i] = copy[n - 1 - i];
}

// the two halves of a block wait at two barriers
extern "C" __global__ void two_barriers(float* out) {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  out[threadIdx.x] = 1;
}

// a shuffle with a full mask where some lanes have left
extern "C" __global__ void shuffles_alone(const float* in, float* out, int n) {
  int i = threadIdx.x;
  if (i >= n) return;
  out[i] = in[i] + __shfl_down_sync(0xffffffffu, in[i], 1);
}

// 16 bytes at once from an address that is a multiple of 4
extern "C" __global__ void misaligned(const float* in, float4* out, int shift) {
  out[threadIdx.x] = *reinterpret_cast<const float4*>(in + shift);
}

// an atomic on an odd address
extern "C" __global__ void misaligned_atomic(char* out) {
  atomicAdd(reinterpret_cast<int*>(out + 1), 1);
}

// more dynamic shared memory than the launch asked for
extern "C" __global__ void too_little_shared(float* out) {
  extern __shared__ float buffer[];
  buffer[threadIdx.x] = 1;
  __syncthreads();
  out[threadIdx.x] = buffer[threadIdx.x];
}

// reads one element too many, through the read-only cache
extern "C" __global__ void loads_too_far(const float* in, float* out, int n) {
  int i = threadIdx.x;
  if (i < n) out[i] = in[i] + __ldg(in + i + 1);
}

// no __syncwarp between what a lane writes and its neighbour reads
extern "C" __global__ void no_syncwarp(const float* in, float* out) {
  __shared__ float copy[32];
  copy[threadIdx.x] = in[threadIdx.x];
  out[threadIdx.x] = copy[threadIdx.x ^ 1];
}

// reads a sum that other threads still add to
extern "C" __global__ void reads_a_sum_too_early(const float* in, float* sum, float* out) {
  atomicAdd(sum, in[threadIdx.x]);
  out[threadIdx.x] = *sum;
}

// one lane of each pair is not in the mask that the other reads through
extern "C" __global__ void reads_outside_its_mask(const int* in, int* out) {
  int i = threadIdx.x;
  if (i % 2 == 0) out[i] = __shfl_sync(0x55555555u, in[i], i + 1);
}

// the lanes of a warp meet with two different masks
extern "C" __global__ void two_masks(const int* in, int* out) {
  int i = threadIdx.x;
  out[i] = __shfl_xor_sync(i < 16 ? 0xffffffffu : 0xfffffffeu, in[i], 1);
}

// an index of 32 bits where 64 are needed: row * n is beyond 2^31
extern "C" __global__ void index_overflows(const float* in, float* out, int row, int n) {
  int at = row * n + (int)threadIdx.x;
  out[threadIdx.x] = in[at < 0 ? 0 : at % 8];
}

// an index beyond an array of fixed size, with another array behind it
extern "C" __global__ void beyond_fixed_size(const float* in, float* out, int n) {
  __shared__ float first[32], second[32];
  first[threadIdx.x] = second[threadIdx.x] = in[threadIdx.x];
  __syncthreads();
  out[threadIdx.x] = first[threadIdx.x + n];
}

// the last term is never set where there is none
extern "C" __global__ void uninitialised_local(const float* in, float* out, int n) {
  float last;
  for (int i = 0; i < n; ++i) last = in[i];
  out[threadIdx.x] = last;
}

// a remainder by an empty dimension
extern "C" __global__ void divides_by_zero(int* out, int n) { out[threadIdx.x] = 7 % n; }

// an expression that is zero only where the product is rounded before the difference
extern "C" __global__ void hangs_on_rounding(const float* a, const float* b, float* out) {
  int i = threadIdx.x;
  out[i] = a[i] * b[i] - __fmul_rn(a[i], b[i]);
}

// a condition that the kernel itself states
extern "C" __global__ void asserts(const int* index, int n) { assert(index[threadIdx.x] < n); }
