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

static float of_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

uint16_t float_to_half(float value) {
  uint32_t sign = bits_of(value) >> 16 & 0x8000;
  float size = std::fabs(value);
  if (std::isnan(size)) return 0x7fff;
  if (size >= 65520.0f) return sign | 0x7c00;  // halfway between the largest half and 2^16
  // Below 2^-14 halves are 2^-24 apart, as are floats above 1/2.
  if (size < 0x1p-14f) return sign | (bits_of(size + 0.5f) - bits_of(0.5f));
  uint32_t bits = bits_of(size);
  bits += 0xfff + (bits >> 13 & 1);
  return sign | (bits - (112u << 23)) >> 13;  // exponents begin 112 later
}

float half_to_float(uint16_t bits) {
  float size = of_bits(uint32_t(bits & 0x7fff) << 13) * 0x1p112f;
  if (size >= 65536.0f) size = bits & 1023 ? NAN : INFINITY;
  return bits & 0x8000 ? -size : size;
}

// Towards zero, and where that is not exact with the last bit set: so nothing that is not halfway
// between two shorter numbers looks as if it were (Boldo and Melquiond, 2008).
float to_odd(double value) {
  float near = float(value);
  if (double(near) == value || std::isnan(value) || std::isinf(near)) return near;
  if (std::fabs(double(near)) > std::fabs(value)) near = std::nextafter(near, 0.0f);
  return of_bits(bits_of(near) | 1);
}

uint16_t float_to_bfloat(float value) {
  uint32_t bits = bits_of(value);
  if (std::isnan(value)) return 0x7fff;
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float bfloat_to_float(uint16_t bits) {
  return of_bits(uint32_t(bits) << 16);
}

}  // namespace emulator
