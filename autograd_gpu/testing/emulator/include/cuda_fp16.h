// __half, as far as kernels here need it.
#pragma once
#include "emulator/half.h"

struct __half {
  uint16_t bits;
  __half() = default;
  explicit __half(float value) : bits(emulator::float_to_half(value)) {}
  explicit operator float() const { return emulator::half_to_float(bits); }
};
typedef __half half;
EMULATOR_HALF_ARITHMETIC(__half)

struct alignas(4) __half2 { __half x, y; };
inline float __half2float(__half value) { return float(value); }
inline __half __float2half(float value) { return __half(value); }
inline __half __float2half_rn(float value) { return __half(value); }
