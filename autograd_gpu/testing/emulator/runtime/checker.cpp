// The checker: every access of the kernel to memory, as g++'s instrumentation reports it.
// Kernels are compiled with -fsanitize=thread, but not linked with its library: the callbacks at
// the end of this file take its place.
#include "runtime.h"

namespace emulator {

namespace {

struct Stamp {  // who touched a cell, and when
  int thread = -1;
  long block = -1;
  unsigned barriers = 0, warp_syncs = 0;
  bool atomic = false;
  bool by(const Stamp& other) const { return thread == other.thread && block == other.block; }
};

struct Cell {  // the last write, and the last reads by two different threads
  Stamp write, read, other_read;
};

struct Region {
  Span span;
  size_t grain, first_cell;
  bool shared;
  const char* name() const { return shared ? "shared" : "global"; }
};

std::vector<Region> regions;
std::vector<Cell> cells;

struct Access {
  const void* address;
  int bytes;
  bool write, atomic;
  const void* pc;
  const char* verb() const { return write ? "write" : "read"; }
};

void add_region(Span span, size_t grain, bool shared) {
  if (span.begin >= span.end) return;
  regions.push_back({span, grain, cells.size(), shared});
  cells.resize(cells.size() + (span.bytes() + grain - 1) / grain);
}

// Does a barrier or a warp's operation lie between what a stamp notes and now?
bool ordered(const Stamp& then, const Stamp& me, const Region& region) {
  if (then.thread < 0 || then.by(me)) return true;
  if (then.block != me.block) return region.shared;  // each block has its own shared memory
  if (then.barriers < me.barriers) return true;
  return then.thread / 32 == me.thread / 32 && then.warp_syncs < me.warp_syncs;
}

[[noreturn]] void race(const Access& access, const Region& region, const Stamp& then,
                       const char* verb) {
  long offset = static_cast<const char*>(access.address) - region.span.begin;
  fail("race in %s memory: %s at byte %ld after a %s by thread %d of block %ld, no barrier between"
       " pc=%p", region.name(), access.verb(), offset, verb, then.thread, then.block, access.pc);
}

void check_cell(Cell& cell, const Access& access, const Region& region, const Stamp& me) {
  bool written = cell.write.thread >= 0 && cell.write.block == me.block;
  if (region.shared && !access.write && !written)
    fail("read of uninitialised shared memory pc=%p", access.pc);
  bool both_atomic = access.atomic && cell.write.atomic;
  if (!both_atomic && !ordered(cell.write, me, region)) race(access, region, cell.write, "write");
  if (access.write) {
    for (const Stamp* read : {&cell.read, &cell.other_read})
      if (!ordered(*read, me, region)) race(access, region, *read, "read");
    cell.write = me;
  } else {
    if (!cell.read.by(me)) cell.other_read = cell.read;
    cell.read = me;
  }
}

void check(const Access& access, const Region& region) {
  const char* at = static_cast<const char*>(access.address);
  size_t first = at - region.span.begin, last = first + access.bytes - 1;
  if (at + access.bytes > region.span.end)
    fail("out of bounds: %s of %d bytes at byte %zu of %s memory of %zu bytes pc=%p",
         access.verb(), access.bytes, first, region.name(), region.span.bytes(), access.pc);
  const Fiber& fiber = *now.current;
  Stamp me{fiber.number, now.block, now.barriers, fiber.warp_syncs, access.atomic};
  for (size_t i = first / region.grain; i <= last / region.grain; ++i)
    check_cell(cells[region.first_cell + i], access, region, me);
}

void find_and_check(const Access& access) {
  for (const Region& region : regions)
    if (region.span.holds(access.address)) return check(access, region);
  Span stack{now.current->stack, now.current->stack + STACK_BYTES};
  if (stack.holds(access.address)) return;
  bool in_shared = now.shared.holds(access.address);  // dynamic, but beyond what was asked for
  if (now.library.holds(access.address) && !in_shared) return;  // threadIdx, constant tables
  fail("out of bounds: %s of %d bytes at %p, %s pc=%p", access.verb(), access.bytes,
       access.address,
       in_shared ? "beyond the dynamic shared memory of this launch"
                 : "outside every array given to this launch",
       access.pc);
}

}  // namespace

void start_checker(const Config& config) {
  regions.clear();
  cells.clear();
  if (!now.checked) return;
  for (uint64_t i = 0; i < config.buffer_count; ++i) {
    const Buffer& buffer = config.buffers[i];
    char* begin = reinterpret_cast<char*>(buffer.address);
    add_region({begin, begin + buffer.bytes}, buffer.grain, false);
  }
  add_region({now.shared.begin, emulator_dynamic}, 1, true);
  add_region(now.dynamic, 1, true);
  add_region({emulator_dynamic + MAX_SHARED, now.shared.end}, 1, true);
}

void on_access(const void* address, int bytes, bool write, bool atomic, const void* pc) {
  if (!now.in_kernel || !now.checked || now.checking) return;
  now.checking = true;
  find_and_check({address, bytes, write, atomic, pc});
  now.checking = false;
}

}  // namespace emulator

// ---- what the instrumentation calls

#define CALLER __builtin_return_address(0)
#define CALLBACK(name, bytes, write) \
  extern "C" void name(void* p) { emulator::on_access(p, bytes, write, false, CALLER); }
#define CALLBACKS(bytes)                                  \
  CALLBACK(__tsan_read##bytes, bytes, false)              \
  CALLBACK(__tsan_write##bytes, bytes, true)              \
  CALLBACK(__tsan_unaligned_read##bytes, bytes, false)    \
  CALLBACK(__tsan_unaligned_write##bytes, bytes, true)    \
  CALLBACK(__tsan_volatile_read##bytes, bytes, false)     \
  CALLBACK(__tsan_volatile_write##bytes, bytes, true)

CALLBACKS(1)
CALLBACKS(2)
CALLBACKS(4)
CALLBACKS(8)
CALLBACKS(16)
extern "C" void __tsan_read_range(void* p, size_t bytes) {
  emulator::on_access(p, int(bytes), false, false, CALLER);
}
extern "C" void __tsan_write_range(void* p, size_t bytes) {
  emulator::on_access(p, int(bytes), true, false, CALLER);
}
extern "C" void __tsan_init() {}
extern "C" void __tsan_func_entry(void*) {}
extern "C" void __tsan_func_exit() {}
extern "C" void __tsan_vptr_update(void**, void*) {}

// What -fsanitize=alignment, bounds and signed-integer-overflow call. The first argument describes
// the place in the kernel's text; the runtime finds it by the address of the instruction.
#define FOUND(name, values, ...)                               \
  extern "C" void __ubsan_handle_##name##_abort values {       \
    if (emulator::now.in_kernel) emulator::fail(__VA_ARGS__, CALLER); \
  }
FOUND(type_mismatch_v1, (const void*, const void* address),
      "misaligned access to %p pc=%p", address)
FOUND(out_of_bounds, (const void*, const void* index),
      "out of bounds: index %ld of an array of fixed size pc=%p", reinterpret_cast<long>(index))
#define OVERFLOW(name, sign)                                                                 \
  FOUND(name##_overflow, (const void*, const void* a, const void* b),                        \
        "overflow of a signed integer: %ld " sign " %ld pc=%p", reinterpret_cast<long>(a),   \
        reinterpret_cast<long>(b))
OVERFLOW(add, "+")
OVERFLOW(sub, "-")
OVERFLOW(mul, "*")
OVERFLOW(divrem, "/")
FOUND(negate_overflow, (const void*, const void* a),
      "overflow of a signed integer: -(%ld) pc=%p", reinterpret_cast<long>(a))
