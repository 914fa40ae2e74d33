// Softmax and log-softmax along one dimension, and their backward formulas. The arrays are
// contiguous, of shape (outer, size, inner), and `size` is the dimension; inner = 1 for rows. g is
// the gradient, x the input, y the output.
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
__global__ void __launch_bounds__(MOST_THREADS)
    softmax(const T* x, T* out, i64 items, i64 size, i64 inner) {
  typedef wide<T> A;
  const i64 stride = G::ROWS ? 1 : inner, step = G::members() * stride;
  for (i64 first = G::first(); first < items; first += G::step()) {
    const bool live = first + G::item() < items;
    const i64 begin = live ? begin_of<G>(first + G::item(), size, inner) : 0;
    const i64 from = begin + G::member() * stride, end = live ? begin + size * stride : 0;
    Powers<A> all = PowerSum::none<A>();
#pragma unroll 4
    for (i64 i = from; i < end; i += step) PowerSum::put(all, widen(x[i]));
    all = G::template reduce<PowerSum>(all, PowerSum::none<A>());
    all.sum += all.top - all.top;  // NaN if an x is infinite
    const A log_sum = log(all.sum);
#pragma unroll 4
    for (i64 i = from; i < end; i += step) out[i] = narrow<T>(F::of(widen(x[i]), all, log_sum));
  }
}

template <class F, class G, class T>
__global__ void __launch_bounds__(MOST_THREADS)
    softmax_backward(const T* g, const T* y, T* out, i64 items, i64 size, i64 inner) {
  typedef wide<T> A;
  const i64 stride = G::ROWS ? 1 : inner, step = G::members() * stride;
  for (i64 first = G::first(); first < items; first += G::step()) {
    const bool live = first + G::item() < items;
    const i64 begin = live ? begin_of<G>(first + G::item(), size, inner) : 0;
    const i64 from = begin + G::member() * stride, end = live ? begin + size * stride : 0;
    A sum = 0;
#pragma unroll 4
    for (i64 i = from; i < end; i += step) sum += F::term(widen(g[i]), widen(y[i]));
    sum = G::template reduce<Sum>(sum, A(0));
#pragma unroll 4
    for (i64 i = from; i < end; i += step)
      out[i] = narrow<T>(F::of(widen(g[i]), widen(y[i]), sum));
  }
}

}  // namespace ag
