// Softmax and log-softmax along one dimension of `size` elements, and their backward formulas. The
// arrays are contiguous: see Item. g is the gradient, x the input, y the output.
#include "groups.cuh"

namespace ag {

// softmax: e^(x - t) / sum e^(x - t), t the largest x
struct Softmax {
  template <class A> static __device__ __forceinline__ A of(A x, const Powers<A>& all, A) {
    return exp(x - all.top) / all.sum;
  }
};

// log_softmax: x - t - ln sum e^(x - t), t the largest x
struct LogSoftmax {
  template <class A> static __device__ __forceinline__ A of(A x, const Powers<A>& all, A log_sum) {
    return x - all.top - log_sum;
  }
};

// softmax_backward: y (g - sum g y)
struct SoftmaxBackward {
  template <class A> static __device__ __forceinline__ A term(A g, A y) { return g * y; }
  template <class A> static __device__ __forceinline__ A of(A g, A y, A sum) {
    return g * y - y * sum;
  }
};

// log_softmax_backward: g - e^y sum g
struct LogSoftmaxBackward {
  template <class A> static __device__ __forceinline__ A term(A g, A) { return g; }
  template <class A> static __device__ __forceinline__ A of(A g, A y, A sum) {
    return g - exp(y) * sum;
  }
};

template <class F, class G, class T>
__global__ void __launch_bounds__(MOST_THREADS, 1)
    softmax(const T* x, T* out, i64 slabs, i64 size, i64 across) {
  typedef wide<T> A;
  for (i64 slab = blockIdx.y; slab < slabs; slab += gridDim.y)
    for (i64 first = G::first(); first < across; first += G::step()) {
      const Item<G> item(slab, first, size, across);
      Powers<A> all = PowerSum::none<A>();
      item.each([&](i64, i64 at) { PowerSum::put(all, widen(x[at])); });
      all = G::template reduce<PowerSum>(all, PowerSum::none<A>());
      all.sum += all.top - all.top;  // NaN if an x is infinite
      const A log_sum = log(all.sum);
      item.each([&](i64, i64 at) { out[at] = narrow<T>(F::of(widen(x[at]), all, log_sum)); });
    }
}

template <class F, class G, class T>
__global__ void __launch_bounds__(MOST_THREADS, 1)
    softmax_backward(const T* g, const T* y, T* out, i64 slabs, i64 size, i64 across) {
  typedef wide<T> A;
  for (i64 slab = blockIdx.y; slab < slabs; slab += gridDim.y)
    for (i64 first = G::first(); first < across; first += G::step()) {
      const Item<G> item(slab, first, size, across);
      A sum = 0;
      item.each([&](i64, i64 at) { sum += F::term(widen(g[at]), widen(y[at])); });
      sum = G::template reduce<Sum>(sum, A(0));
      item.each([&](i64, i64 at) { out[at] = narrow<T>(F::of(widen(g[at]), widen(y[at]), sum)); });
    }
}

}  // namespace ag
