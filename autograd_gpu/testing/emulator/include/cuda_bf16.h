// __nv_bfloat16, as far as kernels here need it.
#pragma once
#include "emulator/half.h"

struct __nv_bfloat16 {
  uint16_t bits;
  __nv_bfloat16() = default;
  explicit __nv_bfloat16(float value) : bits(emulator::float_to_bfloat(value)) {}
  explicit operator float() const { return emulator::bfloat_to_float(bits); }
};
EMULATOR_HALF_ARITHMETIC(__nv_bfloat16)

struct alignas(4) __nv_bfloat162 { __nv_bfloat16 x, y; };
inline float __bfloat162float(__nv_bfloat16 value) { return float(value); }
inline __nv_bfloat16 __float2bfloat16(float value) { return __nv_bfloat16(value); }
inline __nv_bfloat16 __float2bfloat16_rn(float value) { return __nv_bfloat16(value); }
