// Random words, and the elementary functions that turn them into numbers. Every operation here is
// rounded on its own (no fused multiply-add), as NumPy rounds in _core/random/elementary.py: so the
// same words give the same numbers on every device.
#pragma once
#include "common.cuh"

namespace ag {

typedef unsigned long long u64;

// ---- Philox4x32-10 (Salmon, Moraes, Dror and Shaw, 2011)

struct Words {
  unsigned x[4];
};

__device__ __forceinline__ Words philox(Words c, unsigned k0, unsigned k1) {
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    const unsigned high = __umulhi(0xD2511F53u, c.x[0]), low = 0xD2511F53u * c.x[0];
    c.x[0] = __umulhi(0xCD9E8D57u, c.x[2]) ^ c.x[1] ^ k0;
    c.x[1] = 0xCD9E8D57u * c.x[2];
    c.x[2] = high ^ c.x[3] ^ k1;
    c.x[3] = low;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return c;
}

// The four words at a place of the stream of a seed.
__device__ __forceinline__ Words philox(u64 counter, u64 seed) {
  return philox({(unsigned)counter, (unsigned)(counter >> 32), 0, 0}, (unsigned)seed,
                (unsigned)(seed >> 32));
}

// ---- numbers whose operations are rounded one by one

#define AG_EXACT(op, name)                                                                         \
  static __device__ __forceinline__ float name(float a, float b) { return __f##name##_rn(a, b); }  \
  static __device__ __forceinline__ double name(double a, double b) {                              \
    return __d##name##_rn(a, b);                                                                   \
  }                                                                                                \
  friend __device__ __forceinline__ Exact operator op(Exact a, Exact b) {                          \
    return {name(a.value, b.value)};                                                               \
  }                                                                                                \
  friend __device__ __forceinline__ Exact operator op(Exact a, A b) { return {name(a.value, b)}; } \
  friend __device__ __forceinline__ Exact operator op(A a, Exact b) { return {name(a, b.value)}; }

template <class A> struct Exact {
  A value;
  AG_EXACT(+, add)
  AG_EXACT(-, sub)
  AG_EXACT(*, mul)
  AG_EXACT(/, div)
};
#undef AG_EXACT

__device__ __forceinline__ Exact<float> root(Exact<float> x) { return {__fsqrt_rn(x.value)}; }
__device__ __forceinline__ Exact<double> root(Exact<double> x) { return {__dsqrt_rn(x.value)}; }

// What differs between the two types: bits, digits of ln 2, lengths of series.
template <class A> struct Format;
template <> struct Format<float> {
  typedef int Bits;
  static constexpr int mantissa = 23, bias = 127, log_terms = 4, sin_terms = 4, exp_terms = 7;
  static constexpr int half = 0x3F3504F3;  // the square root of 1/2
  static constexpr float ln2_high = 0.693145751953125f, ln2_low = 1.4286068203094173e-06f;
  static constexpr float largest_exponent = 120;
  static __device__ __forceinline__ int bits(float x) { return __float_as_int(x); }
  static __device__ __forceinline__ float number(int x) { return __int_as_float(x); }
  static __device__ __forceinline__ float nearest(float x) { return rintf(x); }
};
template <> struct Format<double> {
  typedef i64 Bits;
  static constexpr int mantissa = 52, bias = 1023, log_terms = 10, sin_terms = 8, exp_terms = 14;
  static constexpr i64 half = 0x3FE6A09E667F3BCDll;
  static constexpr double ln2_high = 0.6931471805601177, ln2_low = -1.7239444525614835e-13;
  static constexpr double largest_exponent = 800;
  static __device__ __forceinline__ i64 bits(double x) { return __double_as_longlong(x); }
  static __device__ __forceinline__ double number(i64 x) { return __longlong_as_double(x); }
  static __device__ __forceinline__ double nearest(double x) { return rint(x); }
};

// ---- elementary functions: series of Taylor after an exact reduction of the argument

// The logarithm of a normal number above 0: x = 2^k (1 + f), s = f / (2 + f), and
// ln(1 + f) = f - (f^2/2 - s (f^2/2 + R)), R = 2 s^2 / 3 + 2 s^4 / 5 + ...
template <class A> __device__ __forceinline__ Exact<A> log_of(Exact<A> x) {
  typedef Format<A> F;
  const typename F::Bits bits = F::bits(x.value), k = (bits - F::half) >> F::mantissa;
  const Exact<A> f = Exact<A>{F::number(bits - (k << F::mantissa))} - A(1);
  const Exact<A> s = f / (f + A(2)), z = s * s, half = f * f * A(0.5);
  Exact<A> sum = {A(2.0 / (2 * F::log_terms + 1))};
#pragma unroll
  for (int i = F::log_terms - 1; i > 0; --i) sum = sum * z + A(2.0 / (2 * i + 1));
  const Exact<A> e = {A(k)};
  return e * F::ln2_high - ((half - (s * (half + sum * z) + e * F::ln2_low)) - f);
}

// Sine and cosine of 2 pi w.
template <class A>
__device__ __forceinline__ void turn(Exact<A> w, Exact<A>& sine, Exact<A>& cosine) {
  typedef Format<A> F;
  const A SIN[] = {A(-1.0 / 6), A(1.0 / 120), A(-1.0 / 5040), A(1.0 / 362880),
                   A(-1.0 / 39916800), A(1.0 / 6227020800.0), A(-1.0 / 1307674368000.0),
                   A(1.0 / 355687428096000.0)};
  const A COS[] = {A(1.0 / 24), A(-1.0 / 720), A(1.0 / 40320), A(-1.0 / 3628800),
                   A(1.0 / 479001600), A(-1.0 / 87178291200.0), A(1.0 / 20922789888000.0),
                   A(-1.0 / 6402373705728000.0)};
  const A quarters = F::nearest(w.value * A(4));
  const Exact<A> t = (w - Exact<A>{quarters} * A(0.25)) * A(6.283185307179586), z = t * t;
  Exact<A> s = {SIN[F::sin_terms - 1]}, c = {COS[F::sin_terms - 1]};
#pragma unroll
  for (int i = F::sin_terms - 2; i >= 0; --i) {
    s = s * z + SIN[i];
    c = c * z + COS[i];
  }
  s = s * z * t + t;
  c = (c * z * z - z * A(0.5)) + A(1);
  const int quadrant = (int)quarters & 3;
  sine = quadrant & 1 ? c : s;
  cosine = quadrant & 1 ? s : c;
  if (quadrant & 2) sine.value = -sine.value;
  if (quadrant == 1 || quadrant == 2) cosine.value = -cosine.value;
}

// e^x = 2^k e^r, r = x - k ln 2.
template <class A> __device__ __forceinline__ Exact<A> exp_of(Exact<A> x) {
  typedef Format<A> F;
  const A inverse[] = {A(1), A(1), A(1.0 / 2), A(1.0 / 6), A(1.0 / 24), A(1.0 / 120), A(1.0 / 720),
                       A(1.0 / 5040), A(1.0 / 40320), A(1.0 / 362880), A(1.0 / 3628800),
                       A(1.0 / 39916800), A(1.0 / 479001600), A(1.0 / 6227020800.0),
                       A(1.0 / 87178291200.0)};
  if (x.value > F::largest_exponent) x.value = F::largest_exponent;
  if (x.value < -F::largest_exponent) x.value = -F::largest_exponent;
  const Exact<A> k = {F::nearest((x * A(1.4426950408889634)).value)};
  const Exact<A> r = (x - k * F::ln2_high) - k * F::ln2_low;
  Exact<A> sum = {inverse[F::exp_terms]};
#pragma unroll
  for (int i = F::exp_terms - 1; i >= 0; --i) sum = sum * r + inverse[i];
  const typename F::Bits whole = x.value == x.value ? (typename F::Bits)k.value : 0;
  const typename F::Bits first = whole >> 1, second = whole - first;
  return sum * F::number((first + F::bias) << F::mantissa)
         * F::number((second + F::bias) << F::mantissa);
}

}  // namespace ag
