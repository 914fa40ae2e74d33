// What both 16-bit types share: conversions, and arithmetic in float, rounded after each operation.
#pragma once
#include <cmath>
#include <cstdint>
#include <type_traits>

namespace emulator {
// Round to nearest, ties to even; see runtime/half.cpp.
uint16_t float_to_half(float value);
float half_to_float(uint16_t bits);
uint16_t float_to_bfloat(float value);
float bfloat_to_float(uint16_t bits);
float to_odd(double value);  // a float that rounds to 16 bits as `value` itself does

template <class N> inline float number(N value) {
  if constexpr (std::is_same_v<N, float> || sizeof(N) <= 2) return float(value);
  else return to_odd(double(value));
}
}  // namespace emulator

#define EMULATOR_OPERATOR(type, op)                                                          \
  inline type operator op(type a, type b) { return type(float(a) op float(b)); }             \
  inline type& operator op##=(type& a, type b) { return a = a op b; }
#define EMULATOR_COMPARISON(type, op) \
  inline bool operator op(type a, type b) { return float(a) op float(b); }

// A type of 16 bits, and two of it. Conversions are implicit, as CUDA's are. The sum of two such
// numbers, rounded to float and then to 16 bits, is the sum rounded once: float has more than twice
// the digits. So it is for the other three operations.
#define EMULATOR_HALF(type, pair, from, to)                                                  \
  struct type {                                                                              \
    uint16_t bits;                                                                           \
    type() = default;                                                                        \
    template <class N, class = std::enable_if_t<std::is_arithmetic_v<N>>>                    \
    type(N value) : bits(emulator::from(emulator::number(value))) {}                         \
    operator float() const { return emulator::to(bits); }                                    \
  };                                                                                         \
  struct alignas(4) pair {                                                                   \
    type x, y;                                                                               \
    pair() = default;                                                                        \
    pair(type x, type y) : x(x), y(y) {}                                                     \
  };                                                                                         \
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
  inline type operator-(type a) { return type(-float(a)); }                                  \
  inline pair operator+(pair a, pair b) { return {a.x + b.x, a.y + b.y}; }                   \
  inline pair operator*(pair a, pair b) { return {a.x * b.x, a.y * b.y}; }                   \
  inline type __hadd(type a, type b) { return a + b; }                                       \
  inline type __hsub(type a, type b) { return a - b; }                                       \
  inline type __hmul(type a, type b) { return a * b; }                                       \
  inline type __hdiv(type a, type b) { return a / b; }                                       \
  inline type __hfma(type a, type b, type c) {                                               \
    return type(double(float(a)) * double(float(b)) + double(float(c)));                     \
  }                                                                                          \
  inline type __hmax(type a, type b) { return type(fmaxf(float(a), float(b))); }             \
  inline type __hmin(type a, type b) { return type(fminf(float(a), float(b))); }             \
  inline type __habs(type a) { return type(fabsf(float(a))); }                               \
  inline bool __hisnan(type a) { return std::isnan(float(a)); }                              \
  inline bool __hlt(type a, type b) { return a < b; }                                        \
  inline bool __hgt(type a, type b) { return a > b; }                                        \
  inline bool __heq(type a, type b) { return a == b; }
