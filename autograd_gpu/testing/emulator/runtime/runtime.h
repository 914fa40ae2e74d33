// What the parts of the runtime share. One launch at a time: blocks run one after another, and the
// threads of a block are fibers of one system thread.
#pragma once
#include <csetjmp>
#include <vector>

#include "emulator/language.h"

namespace emulator {

enum class State : uint8_t { ready, at_barrier, at_warp_op, done };

struct Place {  // of a __syncthreads() in the kernel's text
  const char* file = nullptr;
  int line = 0;
  bool operator==(const Place& other) const { return line == other.line && file == other.file; }
};

struct Fiber {
  void* stack_pointer;
  char* stack;
  uint3 index;
  int number, lane, warp;
  State state;
  Place barrier;
  // A warp operation under way, and how many this thread has been through.
  WarpOp op;
  unsigned mask;
  int source;
  uint64_t value, result;
  unsigned warp_syncs;
};

// Mirrored in module.py.
struct Buffer { uint64_t address, bytes, grain; };
struct Config {
  unsigned grid[3], block[3];
  uint64_t shared_bytes, seed;
  int schedule, checked;
  uint64_t buffer_count;
  const Buffer* buffers;
  uint64_t chosen_count;  // of the blocks that run; 0 for all
  const int64_t* chosen;
};
enum Schedule { FORWARD, REVERSE, RANDOM };

constexpr size_t STACK_BYTES = 128 * 1024, PAGE = 4096, MAX_SHARED = 232448;

struct Span {
  char *begin = nullptr, *end = nullptr;
  bool holds(const void* p) const { return p >= begin && p < end; }
  size_t bytes() const { return end - begin; }
};

struct Run {
  bool in_kernel = false, checked = false, checking = false;
  int schedule = FORWARD;
  uint64_t random = 1;
  long block = 0;
  unsigned barriers = 0;  // that this block has passed
  int votes = 0;          // at the last of them
  std::vector<Fiber> fibers;
  Fiber* current = nullptr;
  void* home = nullptr;  // the scheduler's stack pointer while a fiber runs
  void (*kernel)(void*) = nullptr;
  void* call = nullptr;
  sigjmp_buf failed;
  char message[1024] = "";
  Span library, shared, dynamic;  // `shared`: static and dynamic; `dynamic`: what this launch asked
};
extern Run now;

uint64_t draw();
void run_block(const Config& config, long block);
void start_checker(const Config& config);

}  // namespace emulator

// The place of dynamic shared memory, defined by the build within the thread-local segment.
extern "C" thread_local char emulator_dynamic[];
