// CUDA's mathematical functions that C++'s library lacks, and the names of its intrinsics.
#pragma once
#include <math.h>

#include <utility>

namespace emulator {  // in runtime/special.cpp
double erfinv(double x);
double erfcinv(double x);
double erfcx(double x);
double bessel_i0(double x);
double bessel_i1(double x);
double sinpi(double x);
double cospi(double x);
}  // namespace emulator

// f(double), f(float) and ff(float); the latter two through double, rounded once.
#define EMULATOR_FUNCTION(name, ...)                                   \
  inline double name(double x) { return __VA_ARGS__; }                 \
  inline float name(float x) { return float(name(double(x))); }        \
  inline float name##f(float x) { return float(name(double(x))); }
EMULATOR_FUNCTION(rsqrt, 1 / sqrt(x))
EMULATOR_FUNCTION(rcbrt, 1 / cbrt(x))
EMULATOR_FUNCTION(erfinv, emulator::erfinv(x))
EMULATOR_FUNCTION(erfcinv, emulator::erfcinv(x))
EMULATOR_FUNCTION(erfcx, emulator::erfcx(x))
EMULATOR_FUNCTION(normcdf, 0.5 * erfc(x * -0.70710678118654752440))
EMULATOR_FUNCTION(normcdfinv, -1.41421356237309504880 * emulator::erfcinv(2 * x))
EMULATOR_FUNCTION(cyl_bessel_i0, emulator::bessel_i0(x))
EMULATOR_FUNCTION(cyl_bessel_i1, emulator::bessel_i1(x))
EMULATOR_FUNCTION(sinpi, emulator::sinpi(x))
EMULATOR_FUNCTION(cospi, emulator::cospi(x))
#undef EMULATOR_FUNCTION

// What the C library has for each type under a name of its own, CUDA also overloads.
#define EMULATOR_OVERLOAD(name) \
  inline float name(float x) { return name##f(x); }
EMULATOR_OVERLOAD(exp10)
EMULATOR_OVERLOAD(j0)
EMULATOR_OVERLOAD(j1)
EMULATOR_OVERLOAD(y0)
EMULATOR_OVERLOAD(y1)
#undef EMULATOR_OVERLOAD
inline float jn(int n, float x) { return jnf(n, x); }
inline float yn(int n, float x) { return ynf(n, x); }

#define EMULATOR_PAIR(name, first, second)                                             \
  template <class T> inline void name(T x, T* a, T* b) { *a = first(x), *b = second(x); }
EMULATOR_PAIR(sincos, sin, cos)
EMULATOR_PAIR(sincospi, sinpi, cospi)
#undef EMULATOR_PAIR
inline void sincospif(float x, float* s, float* c) { sincospi(x, s, c); }

#define EMULATOR_NORM(name, parameters, ...)                                                    \
  inline double name parameters(double) { return sqrt(__VA_ARGS__); }                           \
  inline double r##name parameters(double) { return 1 / sqrt(__VA_ARGS__); }                    \
  inline float name parameters(float) { return float(sqrt(__VA_ARGS__)); }                      \
  inline float r##name parameters(float) { return float(1 / sqrt(__VA_ARGS__)); }               \
  inline float name##f parameters(float) { return float(sqrt(__VA_ARGS__)); }                   \
  inline float r##name##f parameters(float) { return float(1 / sqrt(__VA_ARGS__)); }
#define EMULATOR_3(T) (T a, T b, T c)
#define EMULATOR_4(T) (T a, T b, T c, T d)
EMULATOR_NORM(norm3d, EMULATOR_3, (double)a * a + (double)b * b + (double)c * c)
EMULATOR_NORM(norm4d, EMULATOR_4, (double)a * a + (double)b * b + (double)c * c + (double)d * d)
#undef EMULATOR_NORM
#undef EMULATOR_3
#undef EMULATOR_4
inline double rhypot(double a, double b) { return 1 / hypot(a, b); }
inline float rhypot(float a, float b) { return float(1 / hypot(double(a), double(b))); }
inline float rhypotf(float a, float b) { return rhypot(a, b); }

inline float fdividef(float a, float b) { return a / b; }
inline float __expf(float x) { return expf(x); }
inline float __exp10f(float x) { return exp10f(x); }
inline float __logf(float x) { return logf(x); }
inline float __log2f(float x) { return log2f(x); }
inline float __log10f(float x) { return log10f(x); }
inline float __powf(float x, float y) { return powf(x, y); }
inline float __sinf(float x) { return sinf(x); }
inline float __cosf(float x) { return cosf(x); }
inline float __tanf(float x) { return tanf(x); }
inline void __sincosf(float x, float* s, float* c) { sincos(x, s, c); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __saturatef(float x) { return fminf(fmaxf(x, 0.0f), 1.0f); }
inline float __frcp_rn(float x) { return 1 / x; }
inline float __fsqrt_rn(float x) { return sqrtf(x); }
inline float __frsqrt_rn(float x) { return rsqrtf(x); }
inline double __drcp_rn(double x) { return 1 / x; }
inline double __dsqrt_rn(double x) { return sqrt(x); }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }

// Operations that are rounded on their own: never fused with another.
namespace emulator {
template <class T> inline T alone(T value) {
  asm("" : "+x"(value));
  return value;
}
}  // namespace emulator
#define EMULATOR_OPERATION(name, op)              \
  inline float __f##name##_rn(float a, float b) { \
    a = emulator::alone(a);                       \
    return emulator::alone(a op b);               \
  }                                               \
  inline double __d##name##_rn(double a, double b) { \
    a = emulator::alone(a);                       \
    return emulator::alone(a op b);               \
  }
EMULATOR_OPERATION(add, +)
EMULATOR_OPERATION(sub, -)
EMULATOR_OPERATION(mul, *)
EMULATOR_OPERATION(div, /)
#undef EMULATOR_OPERATION
