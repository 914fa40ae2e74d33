// One launch, from the configuration to the result: 0, or 1 and a message.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <link.h>
#include <ucontext.h>
#include <utility>

#include "fibers.h"

namespace emulator {

static void on_fault(int number, siginfo_t* info, void* context) {
  auto* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  void* pc = reinterpret_cast<void*>(registers[REG_RIP] + 1);
  if (now.in_kernel && number == SIGFPE) fail("division of an integer by zero pc=%p", pc);
  if (now.in_kernel) fail("out of bounds: the access to %p faulted pc=%p", info->si_addr, pc);
  signal(number, SIG_DFL);
  raise(number);
}

constexpr int FAULTS[] = {SIGSEGV, SIGBUS, SIGFPE};

// Turns a fault into an error while it lives; the program's own handler comes back after.
class FaultGuard {
  struct sigaction old_[3];
  stack_t old_stack_;

 public:
  FaultGuard() {
    static char stack[64 * 1024];
    stack_t own{};
    own.ss_sp = stack;
    own.ss_size = sizeof stack;
    sigaltstack(&own, &old_stack_);
    struct sigaction action {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    for (int k = 0; k < 3; ++k) sigaction(FAULTS[k], &action, &old_[k]);
  }
  ~FaultGuard() {
    for (int k = 0; k < 3; ++k) sigaction(FAULTS[k], &old_[k], nullptr);
    sigaltstack(&old_stack_, nullptr);
  }
};

// Finds where this library lies and where its thread-local segment is, which is shared memory.
static int find_self(dl_phdr_info* info, size_t, void*) {
  uintptr_t here = reinterpret_cast<uintptr_t>(&find_self);
  Span library{reinterpret_cast<char*>(~uintptr_t(0)), nullptr};
  size_t shared = 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& part = info->dlpi_phdr[i];
    char* begin = reinterpret_cast<char*>(info->dlpi_addr + part.p_vaddr);
    if (part.p_type == PT_LOAD) {
      if (begin < library.begin) library.begin = begin;
      if (begin + part.p_memsz > library.end) library.end = begin + part.p_memsz;
    }
    if (part.p_type == PT_TLS) shared = part.p_memsz;
  }
  if (!library.holds(reinterpret_cast<void*>(here))) return 0;
  now.library = library;
  char* begin = static_cast<char*>(info->dlpi_tls_data);
  now.shared = {begin, begin + shared};
  return 1;
}

// What a GPU would refuse to launch.
static const char* impossible(const Config& c) {
  uint64_t threads = uint64_t(c.block[0]) * c.block[1] * c.block[2];
  if (threads < 1 || threads > 1024 || c.block[2] > 64) return "a block has 1 to 1024 threads";
  if (!c.grid[0] || !c.grid[1] || !c.grid[2]) return "a grid has at least one block";
  if (c.grid[0] > 0x7fffffff || c.grid[1] > 65535 || c.grid[2] > 65535)
    return "a grid has at most (2147483647, 65535, 65535) blocks";
  if (c.shared_bytes > MAX_SHARED) return "a block has at most 232448 bytes of shared memory";
  return nullptr;
}

static void prepare_run(const Config& config, void (*kernel)(void*), void* call) {
  gridDim = dim3(config.grid[0], config.grid[1], config.grid[2]);
  blockDim = dim3(config.block[0], config.block[1], config.block[2]);
  now.fibers.assign(blockDim.x * blockDim.y * blockDim.z, Fiber{});
  now.schedule = config.schedule;
  now.random = config.seed * 2654435761u + 88172645463325252u;
  now.checked = config.checked;
  now.kernel = kernel;
  now.call = call;
  now.message[0] = 0;
  *static_cast<volatile char*>(emulator_dynamic) = 0;  // makes the loader allocate the segment
  static char* known = nullptr;                        // another thread has another segment
  if (known != emulator_dynamic) dl_iterate_phdr(find_self, nullptr);
  known = emulator_dynamic;
  reset_stacks();
  now.dynamic = {emulator_dynamic, emulator_dynamic + config.shared_bytes};
}

static std::vector<long> block_order(const Config& config) {
  std::vector<long> order(config.chosen, config.chosen + config.chosen_count);
  if (order.empty()) {
    order.resize(long(gridDim.x) * gridDim.y * gridDim.z);
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  }
  if (now.schedule == REVERSE) std::reverse(order.begin(), order.end());
  if (now.schedule == RANDOM)
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[draw() % i]);
  return order;
}

int run(const Config* config, void (*kernel)(void*), void* call) {
  if (const char* reason = impossible(*config)) {
    snprintf(now.message, sizeof now.message, "%s", reason);
    return 1;
  }
  prepare_run(*config, kernel, call);
  FaultGuard guard;
  std::vector<long> order;
  if (sigsetjmp(now.failed, 1)) return 1;
  start_checker(*config);
  order = block_order(*config);
  for (long block : order) run_block(*config, block);
  return 0;
}

}  // namespace emulator

extern "C" EMULATOR_EXPORTED const char* emulator_message() { return emulator::now.message; }
