// Backward formulas, element by element. The name before a formula is that of the kernel in
// @composite(kernel=...); the operands are that body's, in its order: g is the gradient, x an
// input, y the output. A NaN or an infinity goes the same way as through the body.
#include "common.cuh"

namespace ag {

// ---- formulas

template <class A> __device__ __forceinline__ A not_a_number() { return A(0) / A(0); }
template <class A> __device__ __forceinline__ A logistic(A x) { return A(1) / (A(1) + exp(-x)); }

// tanh_backward: g (1 - y^2)
struct TanhBackward {
  template <class A> static __device__ __forceinline__ A of(A g, A y) {
    return g * (A(1) - y * y);
  }
};

// relu_backward: g where y is not 0, else 0
struct ReluBackward {
  template <class A> static __device__ __forceinline__ A of(A g, A y) {
    return y != A(0) ? g : A(0);
  }
};

// leaky_relu_backward: g where x > 0, else g s
struct LeakyReluBackward {
  template <class A> static __device__ __forceinline__ A of(A g, A x, A s) {
    return g * (x > A(0) ? A(1) : s);
  }
};

// elu_backward: g s a c e^(c x) where x <= 0, else g s
struct EluBackward {
  template <class A> static __device__ __forceinline__ A of(A g, A x, A a, A s, A c) {
    return g * (x <= A(0) ? exp(x * c) * (c * a * s) : s);
  }
};

// silu_backward: g t (1 + x (1 - t)), t = 1 / (1 + e^-x)
struct SiluBackward {
  template <class A> static __device__ __forceinline__ A of(A g, A x) {
    A t = logistic(x);
    return g * t * (x * (A(1) - t) + A(1));
  }
};

// mish_backward: g (t + x (1 - t^2) / (1 + e^-x)), t = tanh(ln(1 + e^x))
struct MishBackward {
  template <class A> static __device__ __forceinline__ A of(A g, A x) {
    A t = tanh(x > A(20) ? x : log1p(exp(x)));
    return g * (t + x * logistic(x) * (A(1) - t * t));
  }
};

// gelu_backward: g (P + x p(x)), p the normal density, P its integral; P approximated if m = 1
struct GeluBackward {
  template <class A> static __device__ __forceinline__ A of(A g, A x, A m) {
    if (m != A(0)) {  // P = (1 + tanh(r (x + c x^3))) / 2, r = (2 / pi)^(1/2)
      const A r = A(0.7978845608028654), c = A(0.044715);
      A t = tanh((x + x * x * x * c) * r), slope = (x * x * (A(3) * c) + A(1)) * r;
      return g * ((t + A(1)) * A(0.5) + x * (A(1) - t * t) * slope * A(0.5));
    }
    return of(g, x, (erf(x * A(0.7071067811865476)) + A(1)) * A(0.5), m);
  }
  template <class A> static __device__ __forceinline__ A of(A g, A x, A P, A) {
    return g * (P + x * (exp(x * x * A(-0.5)) * A(0.3989422804014327)));
  }
};

// softplus_backward: g where b x > t, else g / (1 + e^(-b x))
struct SoftplusBackward {
  template <class A> static __device__ __forceinline__ A of(A g, A x, A b, A t) {
    return g * (x * b > t ? A(1) : logistic(x * b));
  }
};

// sigmoid_backward: g y (1 - y)
struct SigmoidBackward {
  template <class A> static __device__ __forceinline__ A of(A g, A y) {
    return g * ((A(1) - y) * y);
  }
};

// logit_backward: g / (x (1 - x)); where x < e or x > 1 - e, 0; without e, NaN outside [0, 1]
struct LogitBackward {
  template <class A> static __device__ __forceinline__ A of(A g, A x) {
    return x < A(0) || x > A(1) ? not_a_number<A>() : g / (x * (A(1) - x));
  }
  template <class A> static __device__ __forceinline__ A of(A g, A x, A e) {
    return x < e || x > A(1) - e ? A(0) : g / (x * (A(1) - x));
  }
};

// sinc_backward: g (a cos a - sin a) / (a x), a = pi x, and 0 where x = 0
struct SincBackward {
  template <class A> static __device__ __forceinline__ A of(A g, A x) {
    A a = x * A(3.141592653589793);
    return x == A(0) ? A(0) : g * ((a * cos(a) - sin(a)) / (a * x));
  }
};

// pow_backward: g n x^(n-1), and 0 where n = 0
struct PowBackward {
  template <class A> static __device__ __forceinline__ A of(A g, A x, A n) {
    if (n == A(0)) return A(0);
    return g * (n == A(2) ? x * A(2) : n * pow(x, n - A(1)));
  }
};

// pow_backward_exponent: g y ln x, and 0 where x = 0 and n >= 0
struct PowBackwardExponent {
  template <class A> static __device__ __forceinline__ A of(A g, A x, A n, A y) {
    return x == A(0) && n >= A(0) ? A(0) : g * (y * log(x));
  }
};

// clamp_backward: g where low <= x <= high, else 0
struct ClampBackward {
  template <class A> static __device__ __forceinline__ A of(A g, A x, A low, A high) {
    return x >= low && x <= high ? g : A(0);
  }
};

// clamp_backward_low: g where x < low and low < high, else 0; without high: where x < low
struct ClampBackwardLow {
  template <class A> static __device__ __forceinline__ A of(A g, A x, A low) {
    return x < low ? g : A(0);
  }
  template <class A> static __device__ __forceinline__ A of(A g, A x, A low, A high) {
    return x < low && low < high ? g : A(0);
  }
};

// clamp_backward_high: g where x > high or high < low, else 0; without low: where x > high
struct ClampBackwardHigh {
  template <class A> static __device__ __forceinline__ A of(A g, A x, A high) {
    return x > high ? g : A(0);
  }
  template <class A> static __device__ __forceinline__ A of(A g, A x, A low, A high) {
    return x > high || high < low ? g : A(0);
  }
};

// ---- losses; m is the share of an element: 1 / n for the mean, else 1

// mse_loss_backward: 2 g m (x - t)
struct MseLossBackward {
  template <class A> static __device__ __forceinline__ A of(A g, A x, A t, A m) {
    return (x - t) * (g * A(2) * m);
  }
};

// bce_with_logits_backward: g m w ((1 - t) - (1 + (p - 1) t) / (1 + e^x)); p = 1 where not given
struct BceWithLogitsBackward {
  template <class A> static __device__ __forceinline__ A of(A g, A x, A t, A w, A m) {
    return (logistic(x) - t) * (g * m) * w;
  }
  template <class A> static __device__ __forceinline__ A of(A g, A x, A t, A w, A p, A m) {
    A slope = A(1) - t - ((p - A(1)) * t + A(1)) * logistic(-x);
    return slope * (g * m) * w;
  }
};

// ---- packed: every array is contiguous and of the result's shape; an operand is an array or a
// number. No pointer is __restrict__: the result may be written over an operand.

template <class T, int V> struct alignas(sizeof(T) * V) Pack { T at[V]; };

template <int V, class T>
__device__ __forceinline__ Pack<T, V> load_pack(const T* array, i64 index) {
  return reinterpret_cast<const Pack<T, V>*>(array)[index];
}
template <int V> __device__ __forceinline__ float load_pack(float number, i64) { return number; }
template <int V> __device__ __forceinline__ double load_pack(double number, i64) { return number; }

template <class T, int V>
__device__ __forceinline__ wide<T> element(const Pack<T, V>& pack, int j) {
  return widen(pack.at[j]);
}
template <class T> __device__ __forceinline__ wide<T> element(const T* array, i64 index) {
  return widen(array[index]);
}
__device__ __forceinline__ float element(float number, i64) { return number; }
__device__ __forceinline__ double element(double number, i64) { return number; }

template <int BYTES, class T> __device__ __forceinline__ bool aligned(const T* array) {
  return reinterpret_cast<unsigned long long>(array) % BYTES == 0;
}
template <int BYTES> __device__ __forceinline__ bool aligned(float) { return true; }
template <int BYTES> __device__ __forceinline__ bool aligned(double) { return true; }

template <class F, class T, int V, class... P>
__device__ __forceinline__ Pack<T, V> compute_pack(const P&... packs) {
  Pack<T, V> out;
#pragma unroll
  for (int j = 0; j < V; ++j) out.at[j] = narrow<T>(F::of(element(packs, j)...));
  return out;
}

// out[i] = F(operands[i]...), V elements at a time where all arrays are aligned to that
template <class F, class T, int V, class... P>
__global__ void packed(T* out, i64 n, P... operands) {
  constexpr int BYTES = sizeof(T) * V;
  bool all_aligned = aligned<BYTES>((const T*)out) && (aligned<BYTES>(operands) && ...);
  i64 packs = all_aligned ? n / V : 0;
  for (i64 k = first_element(); k < packs; k += element_step())
    reinterpret_cast<Pack<T, V>*>(out)[k] = compute_pack<F, T, V>(load_pack<V>(operands, k)...);
  for (i64 i = packs * V + first_element(); i < n; i += element_step())
    out[i] = narrow<T>(F::of(element(operands, i)...));
}

// ---- strided: any strides, broadcasting by stride 0; the result is contiguous

template <int... K> struct Places {};
template <int N, int... K> struct Count : Count<N - 1, N - 1, K...> {};
template <int... K> struct Count<0, K...> { typedef Places<K...> type; };

template <class F, class T, class I, int... K, class... P>
__device__ __forceinline__ T
compute_at(const Layout& layout, I index, Places<K...>, P... operands) {
  I offsets[sizeof...(P)];
  find_offsets(layout, index, offsets);
  return narrow<T>(F::of(element(operands, (i64)offsets[K])...));
}

// out[i] = F(operands[where layout says]...)
template <class F, class T, class I, class... P>
__global__ void strided(T* out, i64 n, Layout layout, P... operands) {
  typedef typename Count<sizeof...(P)>::type Every;
  for (i64 i = first_element(); i < n; i += element_step())
    out[i] = compute_at<F, T, I>(layout, (I)i, Every(), operands...);
}

}  // namespace ag
