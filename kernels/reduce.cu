// Reductions over any dimensions of an array of any strides, to a contiguous result. A long one is
// shared by gridDim.y blocks, whose results a second launch reduces: the order is always the same.
#include "reduction.cuh"

namespace ag {

// ---- operations

// sum: sum x
struct Total {
  template <class A> static __device__ __forceinline__ A none() { return A(0); }
  template <class A> static __device__ __forceinline__ void put(A& state, A x) { state += x; }
  template <class A> static __device__ __forceinline__ A of(A a, A b) { return a + b; }
  template <class A> static __device__ __forceinline__ A end(A state, i64) { return state; }
};

// mean: sum x / n
struct Mean : Total {
  template <class A> static __device__ __forceinline__ A end(A state, i64 count) {
    return state / A(count);
  }
};

// vector_norm: (sum x^2)^(1/2)
struct Length : Total {
  template <class A> static __device__ __forceinline__ void put(A& state, A x) { state += x * x; }
  template <class A> static __device__ __forceinline__ A end(A state, i64) { return sqrt(state); }
};

// amax: the largest x, NaN if there is one
struct Largest {
  template <class A> static __device__ __forceinline__ A none() { return -A(1) / A(0); }
  template <class A> static __device__ __forceinline__ A of(A a, A b) {
    return a > b || a != a ? a : b;
  }
  template <class A> static __device__ __forceinline__ void put(A& state, A x) {
    state = of(state, x);
  }
  template <class A> static __device__ __forceinline__ A end(A state, i64) { return state; }
};

// amin: the smallest x, NaN if there is one
struct Smallest {
  template <class A> static __device__ __forceinline__ A none() { return A(1) / A(0); }
  template <class A> static __device__ __forceinline__ A of(A a, A b) {
    return a < b || a != a ? a : b;
  }
  template <class A> static __device__ __forceinline__ void put(A& state, A x) {
    state = of(state, x);
  }
  template <class A> static __device__ __forceinline__ A end(A state, i64) { return state; }
};

// logsumexp: t + ln sum e^(x - t), t the largest x
struct LogSumExp : PowerSum {
  template <class A> static __device__ __forceinline__ A end(const Powers<A>& state, i64) {
    return log(state.sum) + state.top;
  }
};

template <class F, class G, class T, class U>
__global__ void __launch_bounds__(MOST_THREADS, 1) reduce(const T* x, U* out, Reduction r) {
  typedef typename Adds<T>::type A;
  const i64 begin = (i64)blockIdx.y * r.chunk;
  const i64 end = begin + r.chunk < r.size ? begin + r.chunk : r.size;
  for (i64 first = G::first(); first < r.outputs; first += G::step()) {
    const i64 item = first + G::item();
    auto state = F::template none<A>();
    if (item < r.outputs)
      state = gathered<F, G>(x + place(r.kept, item), r.reduced, begin, end);
    state = G::template reduce<F>(state, F::template none<A>());
    if (G::member() == 0 && item < r.outputs)
      out[blockIdx.y * r.outputs + item] = narrow<U>((wide<U>)F::end(state, r.count));
  }
}

// ---- backward, where each element's gradient follows from x and the result y

// logsumexp_backward: g e^(x - y)
struct LogsumexpBackward {
  template <class A> static __device__ __forceinline__ A of(A g, A x, A y) {
    return g * exp(x - y);
  }
};

// norm_backward: x g / y, and 0 where y is 0
struct NormBackward {
  template <class A> static __device__ __forceinline__ A of(A g, A x, A y) {
    return x * (y == A(0) ? A(0) : g / y);
  }
};

// x is contiguous, and so is out.
template <class F, class G, class T>
__global__ void __launch_bounds__(MOST_THREADS, 1)
    reduce_backward(const T* g, const T* x, const T* y, T* out, Reduction r) {
  const i64 begin = (i64)blockIdx.y * r.chunk;
  const i64 end = begin + r.chunk < r.size ? begin + r.chunk : r.size;
#pragma unroll 1
  for (i64 first = G::first(); first < r.outputs; first += G::step()) {
    const i64 item = first + G::item();
    if (item >= r.outputs) continue;
    const i64 from = place(r.kept, item);
    const wide<T> grad = widen(g[item]), result = widen(y[item]);
#pragma unroll 2
    for (i64 k = begin + G::member(); k < end; k += G::members()) {
      const i64 at = from + place(r.reduced, k);
      out[at] = narrow<T>(F::of(grad, widen(x[at]), result));
    }
  }
}

}  // namespace ag
