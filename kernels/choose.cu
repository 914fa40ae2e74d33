// Choosing by a mask and keeping within bounds, with their derivatives. g is the gradient, x the
// input, c a mask, other letters stand for further arguments.
#include "elementwise.cuh"

namespace ag {

// where: a where c, else b
struct Where {
  template <class A> static __device__ __forceinline__ A of(bool c, A a, A b) { return c ? a : b; }
};

// masked_fill: v where c, else x
struct MaskedFill {
  template <class A> static __device__ __forceinline__ A of(A x, bool c, A v) { return c ? v : x; }
};

// where_backward: g where c, else 0
struct WhereBackward {
  template <class A> static __device__ __forceinline__ A of(A g, bool c) { return c ? g : A(0); }
};

// clamp: min(max(x, low), high)
struct Clamp { FORMULA(A x, A low, A high) { return smaller(larger(x, low), high); } };

// clamp_min: max(x, low)
struct ClampMin { FORMULA(A x, A low) { return larger(x, low); } };

// clamp_max: min(x, high)
struct ClampMax { FORMULA(A x, A high) { return smaller(x, high); } };

// clamp_backward: g where low <= x <= high, else 0
struct ClampBackward : Rounded {
  FORMULA(A g, A x, A low, A high) { return x >= low && x <= high ? g : A(0); }
};

// clamp_backward_low: g where x < low and low < high, else 0; without high: where x < low
struct ClampBackwardLow : Rounded {
  FORMULA(A g, A x, A low) { return x < low ? g : A(0); }
  FORMULA(A g, A x, A low, A high) { return x < low && low < high ? g : A(0); }
};

// clamp_backward_high: g where x > high or high < low, else 0; without low: where x > high
struct ClampBackwardHigh : Rounded {
  FORMULA(A g, A x, A high) { return x > high ? g : A(0); }
  FORMULA(A g, A x, A low, A high) { return x > high || high < low ? g : A(0); }
};

}  // namespace ag
