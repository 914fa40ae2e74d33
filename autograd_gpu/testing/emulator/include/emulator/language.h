// The words of CUDA C++ in plain C++: qualifiers, the launch's coordinates, the barrier.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#define __CUDA_EMULATOR__ 1

// For the emulator's own functions: the checker must not see what they read and write.
#define EMULATOR_UNCHECKED __attribute__((no_sanitize("thread", "alignment"), noinline))
#define EMULATOR_EXPORTED __attribute__((visibility("default"), used))

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __constant__ static
// A thread-local variable lies in a segment of its own (PT_TLS) of the compiled library. All CUDA
// threads are fibers of one system thread, so they share it, and the runtime can find it as a
// whole, poison it for each block and check it. `extern __shared__ T name[]` is left undefined by
// the compiler; the build defines it as the place of dynamic shared memory.
#define __shared__ thread_local

struct uint3 { unsigned x, y, z; };
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
struct alignas(4) char4 { signed char x, y, z, w; };
struct alignas(4) uchar4 { unsigned char x, y, z, w; };
struct alignas(8) int2 { int x, y; };
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) int4 { int x, y, z, w; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(16) double2 { double x, y; };
struct alignas(16) longlong2 { long long x, y; };

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
constexpr int warpSize = 32;

namespace emulator {

enum class WarpOp : uint8_t { sync, shuffle, ballot };

void sync_block(const char* file, int line);
uint64_t sync_warp(WarpOp op, unsigned mask, uint64_t value, int source);
void on_access(const void* address, int size, bool write, bool atomic, const void* pc);
[[noreturn]] void fail(const char* format, ...);
int lane();

}  // namespace emulator

#define __syncthreads() emulator::sync_block(__FILE__, __LINE__)
inline void __threadfence() {}
inline void __threadfence_block() {}
