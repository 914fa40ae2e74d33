// Functions of two and three numbers, element by element. The name before a formula is that of the
// kernel in @op(kernel=...); a, b, c are the operands in their order, n an option.
#include "elementwise.cuh"

namespace ag {

// ---- arithmetic

// add: a + n b
struct Add { FORMULA(A a, A b, A n) { return plus(a, times(n, b)); } };

// sub: a - n b
struct Sub { FORMULA(A a, A b, A n) { return minus(a, times(n, b)); } };

// rsub: b - n a
struct Rsub { FORMULA(A a, A b, A n) { return minus(b, times(n, a)); } };

// mul: a b
struct Mul { FORMULA(A a, A b) { return times(a, b); } };

// true_div: a / b
struct TrueDiv { FORMULA(A a, A b) { return a / b; } };

// div_rounded: a / b rounded towards 0, or down where n = 1
struct DivRounded {
  FORMULA(A a, A b, A n) { return n != A(0) ? quotient_down(a, b) : trunc(a / b); }
};

// floor_divide: a / b rounded down
struct FloorDivide { FORMULA(A a, A b) { return quotient_down(a, b); } };

// remainder: a - b floor(a / b)
struct Remainder {
  FORMULA(A a, A b) {
    A rest = fmod(a, b);
    if (rest == A(0)) return copysign(A(0), b);
    return (b < A(0)) != (rest < A(0)) ? rest + b : rest;
  }
};

// fmod: a - b trunc(a / b)
struct Fmod { FORMULA(A a, A b) { return fmod(a, b); } };

// ---- larger and smaller

// maximum: max(a, b), NaN beside NaN
struct Maximum { FORMULA(A a, A b) { return larger(a, b); } };

// minimum: min(a, b), NaN beside NaN
struct Minimum { FORMULA(A a, A b) { return smaller(a, b); } };

// fmax: max(a, b), beside NaN the other one
struct Fmax { FORMULA(A a, A b) { return fmax(a, b); } };

// fmin: min(a, b), beside NaN the other one
struct Fmin { FORMULA(A a, A b) { return fmin(a, b); } };

// ---- powers

// pow_number: a^n
struct PowNumber {
  FORMULA(A a, A n) {
    if (n == A(2)) return a * a;
    if (n == A(0.5)) return sqrt(a);
    if (n == A(3)) return a * a * a;
    return pow(a, n);
  }
};

// pow_tensor: a^b
struct PowTensor { FORMULA(A a, A b) { return pow(a, b); } };

// rpow: n^a
struct Rpow { FORMULA(A a, A n) { return pow(n, a); } };

// ---- angles, logarithms of sums

// atan2: the angle of the point (b, a)
struct Atan2 { FORMULA(A a, A b) { return atan2(a, b); } };

// hypot: (a^2 + b^2)^(1/2)
struct Hypot { FORMULA(A a, A b) { return hypot(a, b); } };

// logaddexp: ln(e^a + e^b)
struct Logaddexp {
  FORMULA(A a, A b) {
    if (a == b) return a + A(0.6931471805599453);
    return larger(a, b) + log1p(exp(-fabs(a - b)));
  }
};

// logaddexp2: log_2(2^a + 2^b)
struct Logaddexp2 {
  FORMULA(A a, A b) {
    if (a == b) return a + A(1);
    return larger(a, b) + log1p(exp2(-fabs(a - b))) * A(1.4426950408889634);
  }
};

// xlogy: a ln b, and 0 where a = 0 unless b is NaN
struct Xlogy { FORMULA(A a, A b) { return a == A(0) && b == b ? A(0) : a * log(b); } };

// xlog1py: a ln(1 + b), and 0 where a = 0 unless b is NaN
struct Xlog1py { FORMULA(A a, A b) { return a == A(0) && b == b ? A(0) : a * log1p(b); } };

// copysign: |a| with the sign of b
struct Copysign { FORMULA(A a, A b) { return copysign(a, b); } };

// heaviside: 0 where a < 0, b where a = 0, 1 where a > 0
struct Heaviside { FORMULA(A a, A b) { return a == A(0) ? b : A(a > A(0)); } };

// ---- of three numbers

// lerp: a + c (b - a), counted from the nearer end
struct Lerp {
  FORMULA(A a, A b, A c) {
    return fabs(c) < A(0.5) ? a + c * (b - a) : b - (b - a) * (A(1) - c);
  }
};

// addcmul: a + n b c
struct Addcmul { FORMULA(A a, A b, A c, A n) { return a + n * b * c; } };

// addcdiv: a + n b / c
struct Addcdiv { FORMULA(A a, A b, A c, A n) { return a + n * (b / c); } };

}  // namespace ag
