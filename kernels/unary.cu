// Functions of one number, element by element. The name before a formula is that of the kernel in
// @op(kernel=...); x is the input.
#include "elementwise.cuh"

namespace ag {

// ---- exponentials, logarithms, roots

// exp: e^x
struct Exp { FORMULA(A x) { return exp(x); } };

// exp2: 2^x
struct Exp2 { FORMULA(A x) { return exp2(x); } };

// expm1: e^x - 1
struct Expm1 { FORMULA(A x) { return expm1(x); } };

// log: ln x
struct Log { FORMULA(A x) { return log(x); } };

// log2: log_2 x
struct Log2 { FORMULA(A x) { return log2(x); } };

// log10: log_10 x
struct Log10 { FORMULA(A x) { return log10(x); } };

// log1p: ln(1 + x)
struct Log1p { FORMULA(A x) { return log1p(x); } };

// sqrt: x^(1/2)
struct Sqrt { FORMULA(A x) { return sqrt(x); } };

// rsqrt: x^(-1/2)
struct Rsqrt { FORMULA(A x) { return A(1) / sqrt(x); } };

// reciprocal: 1 / x
struct Reciprocal { FORMULA(A x) { return A(1) / x; } };

// square: x^2
struct Square { FORMULA(A x) { return times(x, x); } };

// ---- trigonometric and hyperbolic

// sin: sin x
struct Sin { FORMULA(A x) { return sin(x); } };

// cos: cos x
struct Cos { FORMULA(A x) { return cos(x); } };

// tan: tan x
struct Tan { FORMULA(A x) { return tan(x); } };

// asin: arcsin x
struct Asin { FORMULA(A x) { return asin(x); } };

// acos: arccos x
struct Acos { FORMULA(A x) { return acos(x); } };

// atan: arctan x
struct Atan { FORMULA(A x) { return atan(x); } };

// sinh: sinh x
struct Sinh { FORMULA(A x) { return sinh(x); } };

// cosh: cosh x
struct Cosh { FORMULA(A x) { return cosh(x); } };

// tanh: tanh x
struct Tanh { FORMULA(A x) { return tanh(x); } };

// asinh: arsinh x
struct Asinh { FORMULA(A x) { return asinh(x); } };

// acosh: arcosh x
struct Acosh { FORMULA(A x) { return acosh(x); } };

// atanh: artanh x
struct Atanh { FORMULA(A x) { return atanh(x); } };

// deg2rad: x pi / 180
struct Deg2rad { FORMULA(A x) { return x * A(0.017453292519943295); } };

// rad2deg: x 180 / pi
struct Rad2deg { FORMULA(A x) { return x * A(57.29577951308232); } };

// ---- sign, size, rounding

// neg: -x
struct Neg { FORMULA(A x) { return minus(A(-0.0), x); } };

// abs: |x|
struct Abs {
  FORMULA(A x) { return x < A(0) ? minus(A(0), x) : plus(x, A(0)); }
};

// sign: -1, 0 or 1; 0 of NaN
struct Sign { FORMULA(A x) { return sign_of(x); } };

// floor: the largest integer not above x
struct Floor { FORMULA(A x) { return floor(x); } };

// ceil: the smallest integer not below x
struct Ceil { FORMULA(A x) { return ceil(x); } };

// trunc: x without its fraction
struct Trunc { FORMULA(A x) { return trunc(x); } };

// round: the nearest integer, halves to even
struct Round { FORMULA(A x, A) { return rint(x); } };

// frac: x - trunc x
struct Frac { FORMULA(A x) { return x - trunc(x); } };

// ---- special functions

// sigmoid: 1 / (1 + e^-x)
struct Sigmoid { FORMULA(A x) { return logistic(x); } };

// logit: ln(x / (1 - x)), x first brought into [e, 1 - e] where e is not negative
struct Logit {
  FORMULA(A x, A e) {
    if (e >= A(0)) x = smaller(larger(x, e), A(1) - e);
    return log(x / (A(1) - x));
  }
};

// sinc: sin(pi x) / (pi x), and 1 where x = 0
struct Sinc {
  FORMULA(A x) {
    A angle = x * A(3.141592653589793);
    return x == A(0) ? A(1) : sin(angle) / angle;
  }
};

// entr: -x ln x, 0 where x = 0, -infinity below
struct Entr {
  FORMULA(A x) { return x < A(0) ? -infinity<A>() : x == A(0) ? A(0) : -x * log(x); }
};

// erf: 2 / pi^(1/2) times the integral of e^(-t^2) from 0 to x
struct Erf { FORMULA(A x) { return erf(x); } };

// erfc: 1 - erf x
struct Erfc { FORMULA(A x) { return erfc(x); } };

// erfinv: the y with erf y = x
struct Erfinv { FORMULA(A x) { return erfinv(x); } };

// ndtr: erfc(-x / 2^(1/2)) / 2
struct Ndtr { FORMULA(A x) { return erfc(x * A(-0.7071067811865476)) * A(0.5); } };

// lgamma: ln |G(x)|
struct Lgamma { FORMULA(A x) { return lgamma(x); } };

}  // namespace ag
