// Atomics: nothing interrupts a fiber, so a plain update is one; the checker is told that it is.
#pragma once

struct __half;
struct __half2;
struct __nv_bfloat16;
struct __nv_bfloat162;

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
template <class T, class... Types> constexpr bool among = (std::is_same_v<T, Types> || ...);
typedef unsigned long long u64;

}  // namespace emulator

// The second operand takes the first one's type, as CUDA's overloads do; `...` are the types that
// CUDA has the function for (on GPUs of compute capability 7.5 and later).
#define EMULATOR_ATOMIC_AS(name, expression, ...)                                           \
  template <class T>                                                                        \
  EMULATOR_UNCHECKED T name(T* address, typename emulator::Same<T>::type value) {           \
    static_assert(emulator::among<T, __VA_ARGS__>, "CUDA has no " #name " of this type");   \
    return emulator::update(                                                                \
        address, [&](T old) __attribute__((always_inline)) -> T { return expression; },     \
        __builtin_return_address(0));                                                       \
  }
#define EMULATOR_ATOMIC(name, expression, ...)                   \
  EMULATOR_ATOMIC_AS(name, expression, __VA_ARGS__)              \
  EMULATOR_ATOMIC_AS(name##_block, expression, __VA_ARGS__)      \
  EMULATOR_ATOMIC_AS(name##_system, expression, __VA_ARGS__)

#define EMULATOR_INTEGERS int, unsigned, long long, emulator::u64
EMULATOR_ATOMIC(atomicAdd, old + value, int, unsigned, emulator::u64, float, double, __half,
                __half2, __nv_bfloat16, __nv_bfloat162)
EMULATOR_ATOMIC(atomicSub, old - value, int, unsigned)
EMULATOR_ATOMIC(atomicExch, value, int, unsigned, emulator::u64, float)
EMULATOR_ATOMIC(atomicMin, value < old ? value : old, EMULATOR_INTEGERS)
EMULATOR_ATOMIC(atomicMax, old < value ? value : old, EMULATOR_INTEGERS)
EMULATOR_ATOMIC(atomicAnd, old & value, EMULATOR_INTEGERS)
EMULATOR_ATOMIC(atomicOr, old | value, EMULATOR_INTEGERS)
EMULATOR_ATOMIC(atomicXor, old ^ value, EMULATOR_INTEGERS)
EMULATOR_ATOMIC(atomicInc, old >= value ? T(0) : T(old + 1), unsigned)
EMULATOR_ATOMIC(atomicDec, old == 0 || old > value ? value : T(old - 1), unsigned)
#undef EMULATOR_ATOMIC
#undef EMULATOR_ATOMIC_AS
#undef EMULATOR_INTEGERS

template <class T>
EMULATOR_UNCHECKED T atomicCAS(T* address, typename emulator::Same<T>::type compare,
                               typename emulator::Same<T>::type value) {
  static_assert(emulator::among<T, int, unsigned, unsigned short, emulator::u64>,
                "CUDA has no atomicCAS of this type");
  return emulator::update(
      address, [&](T old) __attribute__((always_inline)) { return old == compare ? value : old; },
      __builtin_return_address(0));
}
