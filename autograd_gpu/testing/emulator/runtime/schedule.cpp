// The order in which threads run, the barriers, and the operations of a warp.
#include <algorithm>
#include <cstdio>

#include "fibers.h"

namespace emulator {

uint64_t draw() {  // xorshift64: Marsaglia, Journal of Statistical Software 8(14), 2003
  uint64_t& x = now.random;
  x ^= x << 13;
  x ^= x >> 7;
  return x ^= x << 17;
}

int sync_block(const char* file, int line, int vote) {
  now.current->state = State::at_barrier;
  now.current->barrier = {file, line};
  now.current->value = vote;
  pause();
  return now.votes;
}

// ---- a warp's operations

static bool in(unsigned mask, int lane) { return mask >> lane & 1; }

static int warp_size(const Fiber& me) {
  return std::min<int>(32, now.fibers.size() - me.warp * 32);
}

// Have all lanes of a mask arrived at the same operation? Fails where they never can.
static bool all_arrived(const Fiber& me, Fiber* warp, int size) {
  bool all = true;
  for (int l = 0; l < 32; ++l) {
    if (!in(me.mask, l)) continue;
    if (l >= size) fail("warp operation: mask %08x names lane %d beyond the block", me.mask, l);
    const Fiber& other = warp[l];
    if (other.state == State::done)
      fail("warp operation: lane %d of mask %08x has exited", l, me.mask);
    if (other.state != State::at_warp_op) all = false;
    else if (other.mask != me.mask || other.op != me.op)
      fail("warp operation: lanes %d and %d meet with different masks or operations", me.lane, l);
  }
  return all;
}

static void complete(WarpOp op, unsigned mask, Fiber* warp) {
  uint64_t votes = 0;
  for (int l = 0; l < 32; ++l)
    if (in(mask, l) && warp[l].value) votes |= uint64_t(1) << l;
  for (int l = 0; l < 32; ++l) {
    if (!in(mask, l)) continue;
    Fiber& fiber = warp[l];
    if (op == WarpOp::shuffle) {
      if (!in(mask, fiber.source))
        fail("shuffle: lane %d reads lane %d outside mask %08x", l, fiber.source, mask);
      fiber.result = warp[fiber.source].value;
    } else {
      fiber.result = votes;
    }
    ++fiber.warp_syncs;
    fiber.state = State::ready;
  }
}

uint64_t sync_warp(WarpOp op, unsigned mask, uint64_t value, int source) {
  Fiber& me = *now.current;
  if (!in(mask, me.lane)) fail("warp operation: lane %d is not in its mask %08x", me.lane, mask);
  me.state = State::at_warp_op;
  me.op = op, me.mask = mask, me.value = value, me.source = source;
  Fiber* warp = &now.fibers[me.warp * 32];
  if (all_arrived(me, warp, warp_size(me))) complete(op, mask, warp);
  else pause();
  return me.result;
}

// ---- a block

// Which warp runs first where a schedule is not fair: the last, or a new random order.
static std::vector<uint64_t> priorities() {
  std::vector<uint64_t> rank((now.fibers.size() + 31) / 32);
  for (size_t w = 0; w < rank.size(); ++w) rank[w] = now.schedule == REVERSE ? w : draw();
  return rank;
}

// The fibers that run next: all that can, or one warp's, so that it gets as far as it can alone.
static std::vector<Fiber*> next_ones(const std::vector<uint64_t>& rank) {
  std::vector<Fiber*> ready;
  for (Fiber& fiber : now.fibers)
    if (fiber.state == State::ready) ready.push_back(&fiber);
  if (now.schedule == FORWARD || ready.empty()) return ready;
  auto before = [&](Fiber* a, Fiber* b) { return rank[a->warp] < rank[b->warp]; };
  int warp = (*std::max_element(ready.begin(), ready.end(), before))->warp;
  std::erase_if(ready, [&](Fiber* f) { return f->warp != warp; });
  if (now.schedule == RANDOM)
    for (size_t i = ready.size(); i > 1; --i) std::swap(ready[i - 1], ready[draw() % i]);
  return ready;
}

static size_t count(State state) {
  return std::count_if(now.fibers.begin(), now.fibers.end(),
                       [&](const Fiber& f) { return f.state == state; });
}

// Some threads wait, and nothing can wake them.
[[noreturn]] static void stuck() {
  for (Fiber& fiber : now.fibers) {
    if (fiber.state != State::at_warp_op) continue;
    select(fiber);
    all_arrived(fiber, &now.fibers[fiber.warp * 32], warp_size(fiber));  // names an absent lane
  }
  size_t done = count(State::done), waiting = count(State::at_barrier);
  for (Fiber& fiber : now.fibers)
    if (fiber.state != State::done) select(fiber);
  fail("barrier divergence: %zu threads wait at __syncthreads, %zu at a warp operation, "
       "%zu have exited", waiting, now.fibers.size() - waiting - done, done);
}

// Lets the block pass its barrier. False when it has finished; fails when it is stuck.
static bool release() {
  if (count(State::done) == now.fibers.size()) return false;
  if (count(State::at_barrier) < now.fibers.size()) stuck();
  const Place first = now.fibers[0].barrier;
  now.votes = 0;
  for (Fiber& fiber : now.fibers) {
    if (!(fiber.barrier == first)) {
      select(fiber);
      fail("barrier divergence: threads of one block wait at the __syncthreads of line %d and "
           "of line %d", first.line, fiber.barrier.line);
    }
    fiber.state = State::ready;
    now.votes += fiber.value != 0;
  }
  ++now.barriers;
  return true;
}

void run_block(const Config& config, long block) {
  now.block = block;
  now.barriers = 0;
  const unsigned *grid = config.grid;
  blockIdx = {unsigned(block % grid[0]), unsigned(block / grid[0] % grid[1]),
              unsigned(block / grid[0] / grid[1])};
  // Poison: NaN as a float, -1 as an integer.
  memset(now.shared.begin, 0xff, emulator_dynamic - now.shared.begin);
  memset(emulator_dynamic, 0xff, now.dynamic.bytes());
  char* behind = emulator_dynamic + MAX_SHARED;
  memset(behind, 0xff, now.shared.end - behind);
  for (size_t i = 0; i < now.fibers.size(); ++i) prepare(now.fibers[i], int(i));
  do {
    std::vector<uint64_t> rank = priorities();
    for (;;) {
      std::vector<Fiber*> ready = next_ones(rank);
      if (ready.empty()) break;
      for (Fiber* fiber : ready)
        if (fiber->state == State::ready) resume(*fiber);
    }
  } while (release());
}

}  // namespace emulator
