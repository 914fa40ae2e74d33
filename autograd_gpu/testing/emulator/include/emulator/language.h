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


#define EMULATOR_VECTORS(T, name, a2, a4)                                                          \
  struct alignas(a2) name##2 { T x, y; };                                                          \
  struct name##3 { T x, y, z; };                                                                   \
  struct alignas(a4) name##4 { T x, y, z, w; };                                                    \
  inline name##2 make_##name##2(T x, T y) { return {x, y}; }                                       \
  inline name##3 make_##name##3(T x, T y, T z) { return {x, y, z}; }                               \
  inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
EMULATOR_VECTORS(signed char, char, 2, 4)
EMULATOR_VECTORS(unsigned char, uchar, 2, 4)
EMULATOR_VECTORS(short, short, 4, 8)
EMULATOR_VECTORS(unsigned short, ushort, 4, 8)
EMULATOR_VECTORS(int, int, 8, 16)
EMULATOR_VECTORS(unsigned, uint, 8, 16)
EMULATOR_VECTORS(float, float, 8, 16)
EMULATOR_VECTORS(double, double, 16, 16)
EMULATOR_VECTORS(long long, longlong, 16, 16)
EMULATOR_VECTORS(unsigned long long, ulonglong, 16, 16)
#undef EMULATOR_VECTORS

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
constexpr int warpSize = 32;

namespace emulator {

enum class WarpOp : uint8_t { sync, shuffle, ballot };

// The number of threads of the block whose `vote` is not 0.
int sync_block(const char* file, int line, int vote);
uint64_t sync_warp(WarpOp op, unsigned mask, uint64_t value, int source);
void on_access(const void* address, int size, bool write, bool atomic, const void* pc);
[[noreturn]] void fail(const char* format, ...);
int lane();

}  // namespace emulator

#define __syncthreads() ((void)emulator::sync_block(__FILE__, __LINE__, 0))
#define __syncthreads_count(vote) emulator::sync_block(__FILE__, __LINE__, (vote) != 0)
#define __syncthreads_or(vote) int(__syncthreads_count(vote) != 0)
#define __syncthreads_and(vote) int(__syncthreads_count(!(vote)) == 0)
#define __trap() emulator::fail("trap at line %d of %s", __LINE__, __FILE__)
#define assert(condition) \
  ((condition) ? (void)0 : emulator::fail("assertion failed: %s (line %d)", #condition, __LINE__))
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}
inline void __nanosleep(unsigned) {}
