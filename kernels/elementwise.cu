// Backward formulas of functions of one number and of activations, element by element. The name
// before a formula is that of the kernel in @composite(kernel=...); the operands are that body's,
// in its order: g is the gradient, x an input, y the output. A NaN or an infinity goes the same way
// as through the body.
#include "elementwise.cuh"

namespace ag {

// ---- exponentials, logarithms, roots

// exp2_backward: g y ln 2
struct Exp2Backward { FORMULA(A g, A y) { return g * (y * A(0.6931471805599453)); } };

// expm1_backward: g (y + 1)
struct Expm1Backward { FORMULA(A g, A y) { return g * (y + A(1)); } };

// log2_backward: g / (x ln 2)
struct Log2Backward { FORMULA(A g, A x) { return g / (x * A(0.6931471805599453)); } };

// log10_backward: g / (x ln 10)
struct Log10Backward { FORMULA(A g, A x) { return g / (x * A(2.302585092994046)); } };

// log1p_backward: g / (1 + x)
struct Log1pBackward { FORMULA(A g, A x) { return g / (x + A(1)); } };

// sqrt_backward: g / (2 y)
struct SqrtBackward { FORMULA(A g, A y) { return g / (y * A(2)); } };

// rsqrt_backward: -g y^3 / 2
struct RsqrtBackward { FORMULA(A g, A y) { return g * (y * y * y) * A(-0.5); } };

// reciprocal_backward: -g y^2
struct ReciprocalBackward { FORMULA(A g, A y) { return -g * (y * y); } };

// square_backward: 2 g x
struct SquareBackward { FORMULA(A g, A x) { return g * (x * A(2)); } };

// rpow_backward: g y ln n; for n = 0, 0 where y <= 1
struct RpowBackward {
  FORMULA(A g, A y, A n) {
    if (n == A(0)) return y <= A(1) ? A(0) : g * (y * -infinity<A>());
    return g * (y * (n > A(0) ? log(n) : not_a_number<A>()));
  }
};

// ---- trigonometric and hyperbolic

// sin_backward: g cos x
struct SinBackward { FORMULA(A g, A x) { return g * cos(x); } };

// cos_backward: -g sin x
struct CosBackward { FORMULA(A g, A x) { return g * -sin(x); } };

// tan_backward: g (1 + y^2)
struct TanBackward { FORMULA(A g, A y) { return g * (y * y + A(1)); } };

// asin_backward: g / (1 - x^2)^(1/2)
struct AsinBackward { FORMULA(A g, A x) { return g * (A(1) / sqrt(A(1) - x * x)); } };

// acos_backward: -g / (1 - x^2)^(1/2)
struct AcosBackward { FORMULA(A g, A x) { return g * -(A(1) / sqrt(A(1) - x * x)); } };

// atan_backward: g / (1 + x^2)
struct AtanBackward { FORMULA(A g, A x) { return g / (x * x + A(1)); } };

// sinh_backward: g cosh x
struct SinhBackward { FORMULA(A g, A x) { return g * cosh(x); } };

// cosh_backward: g sinh x
struct CoshBackward { FORMULA(A g, A x) { return g * sinh(x); } };

// tanh_backward: g (1 - y^2)
struct TanhBackward { FORMULA(A g, A y) { return g * (A(1) - y * y); } };

// asinh_backward: g / (x^2 + 1)^(1/2)
struct AsinhBackward { FORMULA(A g, A x) { return g * (A(1) / sqrt(x * x + A(1))); } };

// acosh_backward: g / (x^2 - 1)^(1/2)
struct AcoshBackward { FORMULA(A g, A x) { return g * (A(1) / sqrt(x * x - A(1))); } };

// atanh_backward: g / (1 - x^2)
struct AtanhBackward { FORMULA(A g, A x) { return g / (A(1) - x * x); } };

// ---- special functions

// abs_backward: g sign x
struct AbsBackward { FORMULA(A g, A x) { return g * sign_of(x); } };

// nan_to_num_backward: g where x is finite, else 0
struct NanToNumBackward { FORMULA(A g, A x) { return x - x == A(0) ? g : A(0); } };

// sigmoid_backward: g y (1 - y)
struct SigmoidBackward { FORMULA(A g, A y) { return g * ((A(1) - y) * y); } };

// logit_backward: g / (x (1 - x)); where x < e or x > 1 - e, 0; without e, NaN outside [0, 1]
struct LogitBackward {
  FORMULA(A g, A x) {
    return x < A(0) || x > A(1) ? not_a_number<A>() : g / (x * (A(1) - x));
  }
  FORMULA(A g, A x, A e) { return x < e || x > A(1) - e ? A(0) : g / (x * (A(1) - x)); }
};

// sinc_backward: g (a cos a - sin a) / (a x), a = pi x, and 0 where x = 0
struct SincBackward {
  FORMULA(A g, A x) {
    A a = x * A(3.141592653589793);
    return x == A(0) ? A(0) : g * ((a * cos(a) - sin(a)) / (a * x));
  }
};

// entr_backward: -g (1 + ln x)
struct EntrBackward { FORMULA(A g, A x) { return g * -(log(x) + A(1)); } };

// erf_backward: g s e^(-x^2), s = 2 / pi^(1/2) or its opposite
struct ErfBackward { FORMULA(A g, A x, A s) { return g * s * exp(-(x * x)); } };

// erfinv_backward: g pi^(1/2) / 2 e^(y^2)
struct ErfinvBackward { FORMULA(A g, A y) { return g * A(0.886226925452758) * exp(y * y); } };

// erfcx_backward: g (2 x y - 2 / pi^(1/2))
struct ErfcxBackward {
  FORMULA(A g, A x, A y) { return g * (y * x * A(2) - A(1.1283791670955126)); }
};

// ndtr_backward: g (2 pi)^(-1/2) e^(-x^2 / 2)
struct NdtrBackward {
  FORMULA(A g, A x) { return g * A(0.3989422804014327) * exp(x * x * A(-0.5)); }
};

// ndtri_backward: g (2 pi)^(1/2) e^(y^2 / 2)
struct NdtriBackward {
  FORMULA(A g, A y) { return g * A(2.5066282746310002) * exp(y * y * A(0.5)); }
};

// ---- activations of straight pieces

// relu_backward: g where y is not 0, else 0
struct ReluBackward { FORMULA(A g, A y) { return y != A(0) ? g : A(0); } };

// leaky_relu_backward: g where x > 0, else g s
struct LeakyReluBackward { FORMULA(A g, A x, A s) { return g * (x > A(0) ? A(1) : s); } };

// prelu_backward: g where x > 0, else g w
struct PreluBackward { FORMULA(A g, A x, A w) { return x > A(0) ? g : g * w; } };

// prelu_backward_weight: 0 where x > 0, else g x
struct PreluBackwardWeight { FORMULA(A g, A x) { return x > A(0) ? A(0) : g * x; } };

// threshold_backward: 0 where x <= t, else g
struct ThresholdBackward : Rounded { FORMULA(A g, A x, A t) { return x <= t ? A(0) : g; } };

// hardtanh_backward: 0 where x <= a or x >= b, else g
struct HardtanhBackward : Rounded {
  FORMULA(A g, A x, A a, A b) { return x <= a || x >= b ? A(0) : g; }
};

// hardsigmoid_backward: g / 6 where -3 < x < 3, else 0
struct HardsigmoidBackward {
  FORMULA(A g, A x) { return (x > A(-3) && x < A(3) ? g : A(0)) * A(0.16666666666666667); }
};

// hardswish_backward: g (2 x + 3) / 6 where -3 < x < 3, 0 below, g above
struct HardswishBackward {
  FORMULA(A g, A x) {
    if (x <= A(-3)) return A(0);
    return x < A(3) ? g * (x * A(0.33333333333333333) + A(0.5)) : g;
  }
};

// shrink_backward: 0 where -l <= x <= l, else g
struct ShrinkBackward : Rounded {
  FORMULA(A g, A x, A l) { return x >= -l && x <= l ? A(0) : g; }
};

// ---- smooth activations

// elu_backward: g s a c e^(c x) where x <= 0, else g s
struct EluBackward {
  FORMULA(A g, A x, A a, A s, A c) { return g * (x <= A(0) ? exp(x * c) * (c * a * s) : s); }
};

// silu_backward: g t (1 + x (1 - t)), t = 1 / (1 + e^-x)
struct SiluBackward {
  FORMULA(A g, A x) {
    A t = logistic(x);
    return g * t * (x * (A(1) - t) + A(1));
  }
};

// mish_backward: g (t + x (1 - t^2) / (1 + e^-x)), t = tanh(ln(1 + e^x))
struct MishBackward {
  FORMULA(A g, A x) {
    A t = tanh(x > A(20) ? x : log1p(exp(x)));
    return g * (t + x * logistic(x) * (A(1) - t * t));
  }
};

// logsigmoid_backward: g / (1 + e^x)
struct LogsigmoidBackward { FORMULA(A g, A x) { return g * logistic(-x); } };

// softplus_backward: g where b x > t, else g / (1 + e^(-b x))
struct SoftplusBackward {
  FORMULA(A g, A x, A b, A t) { return g * (x * b > t ? A(1) : logistic(x * b)); }
};

// gelu_backward: g (P + x p(x)), p the normal density, P its integral; P approximated if m = 1
struct GeluBackward {
  FORMULA(A g, A x, A m) {
    if (m != A(0)) {  // P = (1 + tanh(r (x + c x^3))) / 2, r = (2 / pi)^(1/2)
      const A r = A(0.7978845608028654), c = A(0.044715);
      A t = tanh((x + x * x * x * c) * r), slope = (x * x * (A(3) * c) + A(1)) * r;
      return g * ((t + A(1)) * A(0.5) + x * (A(1) - t * t) * slope * A(0.5));
    }
    return of(g, x, (erf(x * A(0.7071067811865476)) + A(1)) * A(0.5), m);
  }
  FORMULA(A g, A x, A P, A) {
    return g * (P + x * (exp(x * x * A(-0.5)) * A(0.3989422804014327)));
  }
};

// glu_backward: g / (1 + e^-x)
struct GluBackward { FORMULA(A g, A x) { return g * logistic(x); } };

// glu_backward_gate: g a t (1 - t), t = 1 / (1 + e^-x)
struct GluBackwardGate {
  FORMULA(A g, A a, A x) {
    A t = logistic(x);
    return g * a * (t * (A(1) - t));
  }
};

}  // namespace ag
