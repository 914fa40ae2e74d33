// Fibers: one stack for each thread of a block, the switch between them, and how a launch fails.
#include "fibers.h"

#include <cstdarg>
#include <cstdio>
#include <sys/mman.h>

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace emulator {

Run now;

#if !defined(__x86_64__)
#error "the emulator switches stacks for x86-64 only"
#endif
// Saves what a function call must preserve on this stack, then goes on where the other one stopped.
asm(R"(
.text
.hidden emulator_switch
.globl emulator_switch
.type emulator_switch,@function
emulator_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
)");
extern "C" void emulator_switch(void** save, void* go);

void pause() { emulator_switch(&now.current->stack_pointer, now.home); }

static void live() {
  now.kernel(now.call);
  now.current->state = State::done;
  pause();
  __builtin_unreachable();
}

// Stacks, each with a page below it that faults. A thread takes one when it first runs and gives it
// back when it has finished, so threads that never wait for another all use the same.
static std::vector<char*> stacks, free_stacks;

void reset_stacks() { free_stacks = stacks; }

static char* take_stack() {
  if (free_stacks.empty()) {
    void* p = mmap(nullptr, STACK_BYTES + PAGE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) fail("no memory for the stack of a thread");
    mprotect(p, PAGE, PROT_NONE);
    stacks.push_back(static_cast<char*>(p) + PAGE);
    return stacks.back();
  }
  char* stack = free_stacks.back();
  free_stacks.pop_back();
  return stack;
}

void prepare(Fiber& fiber, int number) {
  fiber = Fiber{};
  fiber.number = number;
  fiber.lane = number % 32;
  fiber.warp = number / 32;
  fiber.index = {number % blockDim.x, number / blockDim.x % blockDim.y,
                 number / blockDim.x / blockDim.y};
  fiber.state = State::ready;
}

static void begin(Fiber& fiber) {
  fiber.stack = take_stack();
  void** top = reinterpret_cast<void**>(fiber.stack + STACK_BYTES);
  *--top = nullptr;  // where `live` would return to: keeps the stack aligned as a call does
  *--top = reinterpret_cast<void*>(live);
  for (int i = 0; i < 6; ++i) *--top = nullptr;  // the six registers that the switch restores
  fiber.stack_pointer = top;
}

void select(Fiber& fiber) {
  now.current = &fiber;
  threadIdx = fiber.index;
}

void resume(Fiber& fiber) {
  select(fiber);
  if (!fiber.stack) begin(fiber);
  now.in_kernel = true;
  emulator_switch(&now.home, fiber.stack_pointer);
  now.in_kernel = false;
  if (fiber.state == State::done) free_stacks.push_back(fiber.stack);
}

int lane() { return now.current->lane; }

void fail(const char* format, ...) {
  now.in_kernel = now.checking = false;
  int n = snprintf(now.message, sizeof now.message, "block (%u, %u, %u), thread (%u, %u, %u): ",
                   blockIdx.x, blockIdx.y, blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z);
  va_list values;
  va_start(values, format);
  vsnprintf(now.message + n, sizeof now.message - n, format, values);
  va_end(values);
  siglongjmp(now.failed, 1);
}

}  // namespace emulator
