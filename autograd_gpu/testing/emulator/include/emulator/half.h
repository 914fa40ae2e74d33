// What both 16-bit types share: arithmetic in float, rounded after each operation.
#pragma once
#include <cstdint>

#define EMULATOR_OPERATOR(type, op)                                                          \
  inline type operator op(type a, type b) { return type(float(a) op float(b)); }             \
  inline type& operator op##=(type& a, type b) { return a = a op b; }
#define EMULATOR_COMPARISON(type, op) \
  inline bool operator op(type a, type b) { return float(a) op float(b); }

// The sum of two 16-bit floats, rounded to float and then to 16 bits, is the sum rounded once:
// float has more than twice the digits. So it is for the other three operations.
#define EMULATOR_HALF_ARITHMETIC(type)                                                       \
  EMULATOR_OPERATOR(type, +)                                                                 \
  EMULATOR_OPERATOR(type, -)                                                                 \
  EMULATOR_OPERATOR(type, *)                                                                 \
  EMULATOR_OPERATOR(type, /)                                                                 \
  EMULATOR_COMPARISON(type, ==)                                                              \
  EMULATOR_COMPARISON(type, !=)                                                              \
  EMULATOR_COMPARISON(type, <)                                                               \
  EMULATOR_COMPARISON(type, <=)                                                              \
  EMULATOR_COMPARISON(type, >)                                                               \
  EMULATOR_COMPARISON(type, >=)                                                              \
  inline type operator-(type a) { return type(-float(a)); }

namespace emulator {
// Round to nearest, ties to even; see runtime/half.cpp.
uint16_t float_to_half(float value);
float half_to_float(uint16_t bits);
uint16_t float_to_bfloat(float value);
float bfloat_to_float(uint16_t bits);
}  // namespace emulator
