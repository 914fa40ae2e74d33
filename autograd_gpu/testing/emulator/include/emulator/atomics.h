// Atomics: nothing interrupts a fiber, so a plain update is one; the checker is told that it is.
#pragma once

namespace emulator {

template <class T, class F> inline __attribute__((always_inline)) T
    update(T* address, F next, const void* pc) {
  if (reinterpret_cast<uintptr_t>(address) % sizeof(T))
    fail("misaligned atomic on %zu bytes pc=%p", sizeof(T), pc);
  on_access(address, sizeof(T), true, true, pc);
  T old = *address;
  *address = next(old);
  return old;
}

template <class T> struct Same { typedef T type; };

}  // namespace emulator

// The second operand takes the first one's type, as CUDA's overloads do.
#define EMULATOR_ATOMIC(name, expression)                                                   \
  template <class T>                                                                        \
  EMULATOR_UNCHECKED T name(T* address, typename emulator::Same<T>::type value) {           \
    return emulator::update(                                                                \
        address, [&](T old) __attribute__((always_inline)) -> T { return expression; },     \
        __builtin_return_address(0));                                                       \
  }

EMULATOR_ATOMIC(atomicAdd, old + value)
EMULATOR_ATOMIC(atomicSub, old - value)
EMULATOR_ATOMIC(atomicExch, value)
EMULATOR_ATOMIC(atomicMin, value < old ? value : old)
EMULATOR_ATOMIC(atomicMax, old < value ? value : old)
EMULATOR_ATOMIC(atomicAnd, old & value)
EMULATOR_ATOMIC(atomicOr, old | value)
EMULATOR_ATOMIC(atomicXor, old ^ value)
EMULATOR_ATOMIC(atomicInc, old >= value ? T(0) : T(old + 1))
EMULATOR_ATOMIC(atomicDec, old == 0 || old > value ? value : T(old - 1))
#undef EMULATOR_ATOMIC

template <class T>
EMULATOR_UNCHECKED T atomicCAS(T* address, typename emulator::Same<T>::type compare,
                               typename emulator::Same<T>::type value) {
  return emulator::update(
      address, [&](T old) __attribute__((always_inline)) { return old == compare ? value : old; },
      __builtin_return_address(0));
}
