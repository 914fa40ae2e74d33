// Special functions that CUDA has and the C++ library has not, in double.
#include <cmath>
#include <limits>

namespace emulator {

static constexpr double SQRT_PI = 1.77245385090551602730, PI = 3.14159265358979323846;

// y with erfc(y) = x for 0 < x <= 1, by Halley's steps from the first terms at both ends.
static double inverse_of_small(double x) {
  double y = (1 - x) * SQRT_PI / 2;
  if (x < 0.1) {
    double w = -std::log(x * SQRT_PI);
    y = std::sqrt(w - 0.5 * std::log(w));
  }
  for (int k = 0; k < 12; ++k) {
    double error = std::erfc(y) - x, slope = -2 / SQRT_PI * std::exp(-y * y);
    double step = error / slope, next = y - step / (1 + y * step);
    if (next == y) break;
    y = next;
  }
  return y;
}

double erfcinv(double x) {
  if (!(x >= 0 && x <= 2)) return NAN;
  if (x == 0 || x == 2) return x == 0 ? INFINITY : -INFINITY;
  return x <= 1 ? inverse_of_small(x) : -inverse_of_small(2 - x);
}

double erfinv(double x) {
  double size = std::fabs(x);
  if (!(size <= 1)) return NAN;
  if (size == 1) return std::copysign(INFINITY, x);
  if (size >= 0.5) return std::copysign(inverse_of_small(1 - size), x);
  double y = x * SQRT_PI / 2;
  for (int k = 0; k < 12; ++k) {
    double step = (std::erf(y) - x) * SQRT_PI / 2 * std::exp(y * y);
    double next = y - step / (1 + y * step);
    if (next == y) break;
    y = next;
  }
  return y;
}

// e^(x^2) erfc(x); for large x its asymptotic series.
double erfcx(double x) {
  if (x > 25) {
    double t = 1 / (2 * x * x);
    return (1 - t * (1 - 3 * t * (1 - 5 * t * (1 - 7 * t)))) / (x * SQRT_PI);
  }
  if (x < -27) return INFINITY;
  double square = x * x, rest = std::fma(x, x, -square);
  return std::exp(square) * std::erfc(x) * (1 + rest);
}

// I_n(x) for n = 0 and 1: the power series, beyond 30 the asymptotic one.
static double bessel(int n, double x) {
  double size = std::fabs(x), sum = 1, term = 1;
  if (std::isnan(x) || std::isinf(x)) return n ? x : size;
  if (size < 30) {
    for (int k = 1; term > 1e-18 * sum; ++k) sum += term *= size * size / 4 / (k * double(k + n));
    sum *= n ? size / 2 : 1;
  } else {
    for (int k = 1; k < 30; ++k) {
      double odd = 2 * k - 1;
      sum += term *= (odd * odd - 4 * n * n) / (8 * size * k);
    }
    double root = std::exp(size / 2);
    sum *= root / std::sqrt(2 * PI * size) * root;
  }
  return n && x < 0 ? -sum : sum;
}
double bessel_i0(double x) { return bessel(0, x); }
double bessel_i1(double x) { return bessel(1, x); }

// Exact at multiples of a half: the angle is reduced before it is multiplied by pi.
double sinpi(double x) {
  if (std::isinf(x)) return NAN;
  double turn = std::remainder(x, 2), size = std::fabs(turn);  // within [-1, 1]
  if (size > 0.5) size = 1 - size;
  return std::copysign(size > 0.25 ? std::cos(PI * (0.5 - size)) : std::sin(PI * size), turn);
}
double cospi(double x) {
  if (std::isinf(x)) return NAN;
  double size = std::fabs(std::remainder(x, 2));
  if (size < 0.25) return std::cos(PI * size);
  if (size > 0.75) return -std::cos(PI * (1 - size));
  return std::sin(PI * (0.5 - size));
}

}  // namespace emulator
