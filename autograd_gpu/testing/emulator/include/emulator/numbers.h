// CUDA's arithmetic on bits and integers that C++ lacks, mixed min and max, conversions.
#pragma once
#include <math.h>

#include <type_traits>

// As on a GPU: of a number and NaN, the number.
template <class A, class B> inline std::common_type_t<A, B> min(A a, B b) {
  typedef std::common_type_t<A, B> C;
  if constexpr (std::is_floating_point_v<C>) return fmin(C(a), C(b));
  else return C(b) < C(a) ? C(b) : C(a);
}
template <class A, class B> inline std::common_type_t<A, B> max(A a, B b) {
  typedef std::common_type_t<A, B> C;
  if constexpr (std::is_floating_point_v<C>) return fmax(C(a), C(b));
  else return C(a) < C(b) ? C(b) : C(a);
}

// ---- the bits of numbers

namespace emulator {

template <class To, class From> inline To same_bits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}

// A GPU's conversion: what is too large gives the largest; NaN gives 0, or where either type has
// 8 bytes the number whose highest bit alone is set.
template <class I, class F> inline I saturate(F x) {
  constexpr I top = I(1) << (8 * sizeof(I) - 1);
  constexpr I least = std::is_signed_v<I> ? top : I(0), most = ~least;
  if (x != x) return sizeof(I) + sizeof(F) == 8 ? I(0) : top;
  if (x >= F(most)) return most;
  return x <= F(least) ? least : I(x);
}

}  // namespace emulator

inline unsigned __float_as_uint(float x) { return emulator::same_bits<unsigned>(x); }
inline int __float_as_int(float x) { return emulator::same_bits<int>(x); }
inline float __uint_as_float(unsigned x) { return emulator::same_bits<float>(x); }
inline float __int_as_float(int x) { return emulator::same_bits<float>(x); }
inline long long __double_as_longlong(double x) { return emulator::same_bits<long long>(x); }
inline double __longlong_as_double(long long x) { return emulator::same_bits<double>(x); }
inline int __double2loint(double x) { return int(__double_as_longlong(x)); }
inline int __double2hiint(double x) { return int(__double_as_longlong(x) >> 32); }
inline double __hiloint2double(int high, int low) {
  return __longlong_as_double((long long)high << 32 | (unsigned)low);
}

// Rounded to nearest with ties to even (rn), towards zero (rz), down (rd), up (ru).
#define EMULATOR_CONVERSION(from, F, to, I)                                                    \
  inline I __##from##2##to##_rn(F x) { return emulator::saturate<I>(nearbyint(x)); }           \
  inline I __##from##2##to##_rz(F x) { return emulator::saturate<I>(trunc(x)); }               \
  inline I __##from##2##to##_rd(F x) { return emulator::saturate<I>(floor(x)); }               \
  inline I __##from##2##to##_ru(F x) { return emulator::saturate<I>(ceil(x)); }
EMULATOR_CONVERSION(float, float, int, int)
EMULATOR_CONVERSION(float, float, uint, unsigned)
EMULATOR_CONVERSION(float, float, ll, long long)
EMULATOR_CONVERSION(float, float, ull, unsigned long long)
EMULATOR_CONVERSION(double, double, int, int)
EMULATOR_CONVERSION(double, double, uint, unsigned)
EMULATOR_CONVERSION(double, double, ll, long long)
EMULATOR_CONVERSION(double, double, ull, unsigned long long)
#undef EMULATOR_CONVERSION
inline float __int2float_rn(int x) { return float(x); }
inline float __uint2float_rn(unsigned x) { return float(x); }
inline float __ll2float_rn(long long x) { return float(x); }
inline float __ull2float_rn(unsigned long long x) { return float(x); }
inline double __int2double_rn(int x) { return x; }
inline double __ll2double_rn(long long x) { return double(x); }
inline double __ull2double_rn(unsigned long long x) { return double(x); }
inline float __double2float_rn(double x) { return float(x); }

// ---- integers

inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned(uint64_t(a) * b >> 32); }
inline int __mulhi(int a, int b) { return int(int64_t(a) * b >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return (unsigned long long)((unsigned __int128)a * b >> 64);
}
inline long long __mul64hi(long long a, long long b) { return (long long)((__int128)a * b >> 64); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x ? __builtin_clz(x) : 32; }
inline int __clzll(long long x) { return x ? __builtin_clzll(x) : 64; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline unsigned long long __brevll(unsigned long long x) {
  x = (x >> 1 & 0x5555555555555555u) | (x & 0x5555555555555555u) << 1;
  x = (x >> 2 & 0x3333333333333333u) | (x & 0x3333333333333333u) << 2;
  x = (x >> 4 & 0x0f0f0f0f0f0f0f0fu) | (x & 0x0f0f0f0f0f0f0f0fu) << 4;
  return __builtin_bswap64(x);
}
inline unsigned __brev(unsigned x) { return unsigned(__brevll(x) >> 32); }
// Of the 64 bits high:low, moved by shift % 32: the upper half (l), the lower half (r).
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
  return unsigned(((uint64_t)high << 32 | low) << (shift & 31) >> 32);
}
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
  return unsigned(((uint64_t)high << 32 | low) >> (shift & 31));
}
// Four of the eight bytes of y:x, each chosen by 4 bits of s (the fourth repeats the sign).
inline unsigned __byte_perm(unsigned x, unsigned y, unsigned s) {
  uint64_t bytes = (uint64_t)y << 32 | x;
  unsigned out = 0;
  for (int k = 0; k < 4; ++k) {
    unsigned pick = s >> (4 * k), byte = bytes >> (8 * (pick & 7)) & 255;
    if (pick & 8) byte = byte & 128 ? 255 : 0;
    out |= byte << (8 * k);
  }
  return out;
}

// Loads and stores with a hint to the caches.
template <class T> __forceinline__ T __ldg(const T* address) { return *address; }
template <class T> __forceinline__ T __ldca(const T* address) { return *address; }
template <class T> __forceinline__ T __ldcg(const T* address) { return *address; }
template <class T> __forceinline__ T __ldcs(const T* address) { return *address; }
template <class T> __forceinline__ void __stcg(T* address, T value) { *address = value; }
template <class T> __forceinline__ void __stcs(T* address, T value) { *address = value; }
template <class T> __forceinline__ void __stwb(T* address, T value) { *address = value; }
