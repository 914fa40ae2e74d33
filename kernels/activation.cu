// Activations, element by element. The name before a formula is that of the kernel in
// @op(kernel=...); x is the input, other letters are the op's options in their order.
#include "elementwise.cuh"

namespace ag {

// relu: max(x, 0)
struct Relu { FORMULA(A x) { return larger(x, A(0)); } };

// leaky_relu: x where x > 0, else s x
struct LeakyRelu {
  FORMULA(A x, A s) { return s <= A(1) ? larger(x, x * s) : smaller(x, x * s); }
};

// prelu: x where x > 0, else w x
struct Prelu { FORMULA(A x, A w) { return x > A(0) ? x : x * w; } };

// threshold: v where x <= t, else x
struct Threshold : Rounded { FORMULA(A x, A t, A v) { return x <= t ? v : x; } };

// hardtanh: min(max(x, a), b)
struct Hardtanh { FORMULA(A x, A a, A b) { return smaller(larger(x, a), b); } };

// relu6: min(max(x, 0), 6)
struct Relu6 { FORMULA(A x) { return smaller(larger(x, A(0)), A(6)); } };

// hardsigmoid: min(max(x + 3, 0), 6) / 6
struct Hardsigmoid {
  FORMULA(A x) { return smaller(larger(x + A(3), A(0)), A(6)) / A(6); }
};

// hardswish: x min(max(x + 3, 0), 6) / 6
struct Hardswish {
  FORMULA(A x) { return x * smaller(larger(x + A(3), A(0)), A(6)) / A(6); }
};

// hardshrink: 0 where -l <= x <= l, else x
struct Hardshrink { FORMULA(A x, A l) { return x >= -l && x <= l ? A(0) : x; } };

// softshrink: max(x - l, 0) + min(x + l, 0)
struct Softshrink {
  FORMULA(A x, A l) { return larger(x - l, A(0)) + smaller(x + l, A(0)); }
};

// elu: x where x > 0, else a (e^x - 1)
struct Elu { FORMULA(A x, A a) { return x <= A(0) ? expm1(x) * a : x; } };

// celu: x where x > 0, else a (e^(x / a) - 1)
struct Celu { FORMULA(A x, A a) { return x <= A(0) ? expm1(x * (A(1) / a)) * a : x; } };

// selu: s x where x > 0, else s a (e^x - 1)
struct Selu {
  FORMULA(A x) {
    const A s = A(1.0507009873554804934193349852946);
    return x <= A(0) ? expm1(x) * (A(1.6732632423543772848170429916717) * s) : x * s;
  }
};

// silu: x / (1 + e^-x)
struct Silu { FORMULA(A x) { return x / (A(1) + exp(-x)); } };

// mish: x tanh(ln(1 + e^x))
struct Mish { FORMULA(A x) { return x * tanh(log1p_exp(x)); } };

// logsigmoid: -ln(1 + e^-x)
struct Logsigmoid {
  FORMULA(A x) { return smaller(x, A(0)) - log1p(exp(-fabs(x))); }
};

// softplus: x where b x > t, else ln(1 + e^(b x)) / b
struct Softplus {
  FORMULA(A x, A b, A t) { return x * b > t ? x : log1p_exp(x * b) / b; }
};

// gelu: x P(x), P the normal distribution; if m = 1, P(x) = (1 + tanh(r (x + c x^3))) / 2
struct Gelu {
  FORMULA(A x, A m) {
    if (m != A(0)) {
      A t = tanh((x + x * x * x * A(0.044715)) * A(0.7978845608028654));
      return A(0.5) * x * (A(1) + t);
    }
    return x * ((erf(x * A(0.7071067811865476)) + A(1)) * A(0.5));
  }
};

}  // namespace ag
