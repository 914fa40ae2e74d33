// 16-bit floats: rounded to nearest, ties to even.
#include "emulator/half.h"

#include <cmath>
#include <cstdint>
#include <cstring>

namespace emulator {

static uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

uint16_t float_to_half(float value) {
  uint16_t sign = bits_of(value) >> 16 & 0x8000;
  float size = std::fabs(value);
  if (std::isnan(size)) return 0x7fff;
  if (size >= 65520.0f) return sign | 0x7c00;  // halfway between the largest half and 2^16
  if (size == 0) return sign;
  int exponent = std::max(std::ilogb(size), -14);  // below 2^-14 halves are evenly spaced
  int steps = int(std::nearbyint(std::ldexp(size, 10 - exponent)));
  return sign | (((exponent + 14) << 10) + steps);
}

float half_to_float(uint16_t bits) {
  int exponent = bits >> 10 & 31, digits = bits & 1023;
  float size = exponent == 31 ? (digits ? NAN : INFINITY)
               : exponent     ? std::ldexp(float(1024 + digits), exponent - 25)
                              : std::ldexp(float(digits), -24);
  return bits & 0x8000 ? -size : size;
}

// Towards zero, and where that is not exact with the last bit set: so nothing that is not halfway
// between two shorter numbers looks as if it were (Boldo and Melquiond, 2008).
float to_odd(double value) {
  float near = float(value);
  if (double(near) == value || std::isnan(value) || std::isinf(near)) return near;
  if (std::fabs(double(near)) > std::fabs(value)) near = std::nextafter(near, 0.0f);
  uint32_t bits = bits_of(near) | 1;
  memcpy(&near, &bits, sizeof near);
  return near;
}

uint16_t float_to_bfloat(float value) {
  uint32_t bits = bits_of(value);
  if (std::isnan(value)) return 0x7fff;
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float bfloat_to_float(uint16_t bits) {
  uint32_t wide = uint32_t(bits) << 16;
  float value;
  memcpy(&value, &wide, sizeof value);
  return value;
}

}  // namespace emulator
