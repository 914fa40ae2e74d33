// Backward formulas of functions of two and three numbers and of losses, element by element. The
// name before a formula is that of the kernel in @composite(kernel=...); the operands are that
// body's, in its order: g is the gradient, a, b, c, x are inputs, y the output, n an option.
#include "elementwise.cuh"

namespace ag {

// ---- division and powers

// div_backward_other: -g (a / b) / b
struct DivBackwardOther { FORMULA(A g, A a, A b) { return -g * (a / b / b); } };

// remainder_backward_other: -g floor(a / b)
struct RemainderBackwardOther { FORMULA(A g, A a, A b) { return -g * quotient_down(a, b); } };

// fmod_backward_other: -g trunc(a / b)
struct FmodBackwardOther { FORMULA(A g, A a, A b) { return -g * trunc(a / b); } };

// pow_backward: g n x^(n-1), and 0 where n = 0
struct PowBackward {
  FORMULA(A g, A x, A n) {
    if (n == A(0)) return A(0);
    return g * (n == A(2) ? x * A(2) : n * pow(x, n - A(1)));
  }
};

// pow_backward_exponent: g y ln x, and 0 where x = 0 and n >= 0
struct PowBackwardExponent {
  FORMULA(A g, A x, A n, A y) { return x == A(0) && n >= A(0) ? A(0) : g * (y * log(x)); }
};

// ---- larger and smaller

// maximum_backward: g where a > b, g / 2 where a = b, 0 where a < b; beside a NaN, g
struct MaximumBackward {
  FORMULA(A g, A a, A b) { return g * (a < b ? A(0) : a == b ? A(0.5) : A(1)); }
};

// fmax_backward: g where a >= b or b is NaN, else 0
struct FmaxBackward { FORMULA(A g, A a, A b) { return a >= b || b != b ? g : A(0); } };

// fmax_backward_other: 0 where a >= b or b is NaN, else g
struct FmaxBackwardOther { FORMULA(A g, A a, A b) { return a >= b || b != b ? A(0) : g; } };

// fmin_backward: g where a <= b or b is NaN, else 0
struct FminBackward { FORMULA(A g, A a, A b) { return a <= b || b != b ? g : A(0); } };

// fmin_backward_other: 0 where a <= b or b is NaN, else g
struct FminBackwardOther { FORMULA(A g, A a, A b) { return a <= b || b != b ? A(0) : g; } };

// ---- angles, logarithms of sums

// atan2_backward: g b / (a^2 + b^2), and 0 at (0, 0)
struct Atan2Backward {
  FORMULA(A g, A a, A b) {
    A s = a * a + b * b;
    return g * b * (s == A(0) ? A(0) : A(1) / s);
  }
};

// atan2_backward_other: -g a / (a^2 + b^2), and 0 at (0, 0)
struct Atan2BackwardOther {
  FORMULA(A g, A a, A b) {
    A s = a * a + b * b;
    return g * -a * (s == A(0) ? A(0) : A(1) / s);
  }
};

// hypot_backward: g x / y, and 0 where y = 0
struct HypotBackward { FORMULA(A g, A x, A y) { return g * (y == A(0) ? A(0) : x / y); } };

// logaddexp_backward: g / (1 + e^(b - a))
struct LogaddexpBackward { FORMULA(A g, A a, A b) { return g * logistic(a - b); } };

// logaddexp2_backward: g / (1 + 2^(b - a))
struct Logaddexp2Backward {
  FORMULA(A g, A a, A b) { return g * logistic((a - b) * A(0.6931471805599453)); }
};

// xlogy_backward: g ln b, and 0 where a = 0 and b <= 0
struct XlogyBackward {
  FORMULA(A g, A a, A b) { return a == A(0) && b <= A(0) ? A(0) : g * log(b); }
};

// xlogy_backward_other: g a / b
struct XlogyBackwardOther { FORMULA(A g, A a, A b) { return g * a / b; } };

// xlog1py_backward: g ln(1 + b), and 0 where a = 0 and b <= -1
struct Xlog1pyBackward {
  FORMULA(A g, A a, A b) { return a == A(0) && b <= A(-1) ? A(0) : g * log1p(b); }
};

// xlog1py_backward_other: g a / (1 + b)
struct Xlog1pyBackwardOther { FORMULA(A g, A a, A b) { return g * a / (b + A(1)); } };

// copysign_backward: g y / x, and 0 where x = 0
struct CopysignBackward { FORMULA(A g, A x, A y) { return g * (x == A(0) ? A(0) : y / x); } };

// heaviside_backward: g where x = 0, else 0
struct HeavisideBackward { FORMULA(A g, A x) { return x != A(0) ? A(0) : g; } };

// ---- of three numbers

// lerp_backward: g (1 - c)
struct LerpBackward { FORMULA(A g, A c) { return g * (A(1) - c); } };

// lerp_backward_weight: g (b - a)
struct LerpBackwardWeight { FORMULA(A g, A a, A b) { return g * (b - a); } };

// addcmul_backward: g x n
struct AddcmulBackward { FORMULA(A g, A x, A n) { return g * (x * n); } };

// addcdiv_backward: g n / c
struct AddcdivBackward { FORMULA(A g, A c, A n) { return g * (n / c); } };

// addcdiv_backward_divisor: -g n b / c^2
struct AddcdivBackwardDivisor { FORMULA(A g, A b, A c, A n) { return -g * (b * n / (c * c)); } };

// ---- losses; m is the share of an element: 1 / n for the mean, else 1

// mse_loss_backward: 2 g m (x - t)
struct MseLossBackward { FORMULA(A g, A x, A t, A m) { return (x - t) * (g * A(2) * m); } };

// huber_loss_backward: g m min(max(x - t, -d), d)
struct HuberLossBackward {
  FORMULA(A g, A x, A t, A m, A d) { return smaller(larger(x - t, -d), d) * (g * m); }
};

// smooth_l1_loss_backward: g m min(max((x - t) / b, -1), 1), or its limit for b = 0
struct SmoothL1LossBackward {
  FORMULA(A g, A x, A t, A m, A b) {
    A d = x - t, slope = b != A(0) ? smaller(larger(d / b, A(-1)), A(1)) : sign_of(d);
    return slope * (g * m);
  }
};

// soft_margin_loss_backward: -g m t / (1 + e^(t x))
struct SoftMarginLossBackward {
  FORMULA(A g, A x, A t, A m) { return g * m * (-t * logistic(-t * x)); }
};

// bce_backward: g m w (x - t) / max(x (1 - x), 1e-12)
struct BceBackward {
  FORMULA(A g, A x, A t, A w, A m) {
    const A least = A(9.999999960041972e-13);  // 1e-12 as a float
    A spread = (A(1) - x) * x;
    return g * m * (x - t) / (spread < least ? least : spread) * w;
  }
};

// bce_with_logits_backward: g m w ((1 - t) - (1 + (p - 1) t) / (1 + e^x)); p = 1 where not given
struct BceWithLogitsBackward {
  FORMULA(A g, A x, A t, A w, A m) { return (logistic(x) - t) * (g * m) * w; }
  FORMULA(A g, A x, A t, A w, A p, A m) {
    A slope = A(1) - t - ((p - A(1)) * t + A(1)) * logistic(-x);
    return slope * (g * m) * w;
  }
};

}  // namespace ag
