// The variance over any dimensions of an array of any strides, with the mean, and its backward
// formula. Distances are taken from the first element, and from the mean of these distances, which
// is found on the way: so large means cost no digits.
#include "reduction.cuh"

namespace ag {

// The mean of n numbers and the sum of the squares of their distances from it.
template <class A> struct Moments { A mean, squares, n; };

template <class A> __device__ __forceinline__ Moments<A> from_lane(const Moments<A>& v, int bit) {
  return {from_lane(v.mean, bit), from_lane(v.squares, bit), from_lane(v.n, bit)};
}

struct AddMoments {
  template <class A> static __device__ __forceinline__ Moments<A> none() { return {0, 0, 0}; }
  template <class A> static __device__ __forceinline__ void put(Moments<A>& state, A x) {
    const A apart = x - state.mean;
    state.n += A(1);
    state.mean += apart / state.n;
    state.squares += apart * (x - state.mean);
  }
  template <class A>
  static __device__ __forceinline__ Moments<A> of(const Moments<A>& a, const Moments<A>& b) {
    const A n = a.n + b.n, share = n == A(0) ? A(0) : b.n / n, apart = b.mean - a.mean;
    if (b.n == A(0)) return a;
    if (a.n == A(0)) return b;
    return {a.mean + apart * share, a.squares + b.squares + apart * apart * (a.n * share), n};
  }
};

// var: sum (x - mean)^2 / (n - c), its root, and the mean
template <class G, class T>
__global__ void __launch_bounds__(MOST_THREADS, 1)
    var(const T* x, T* out, T* mean, Reduction r, double correction, bool root) {
  typedef wide<T> A;
#pragma unroll 1
  for (i64 first = G::first(); first < r.outputs; first += G::step()) {
    const i64 item = first + G::item();
    const i64 from = item < r.outputs ? place(r.kept, item) : 0;
    const A origin = widen(x[from]);
    Moments<A> state = AddMoments::none<A>();
    if (item < r.outputs)
      state = gathered<AddMoments, G>(x + from, r.reduced, 0, r.size, origin);
    state = G::template reduce<AddMoments>(state, AddMoments::none<A>());
    if (item >= r.outputs || G::member() != 0) continue;
    const A value = state.squares / (A)(r.size - correction);
    out[item] = narrow<T>(root ? sqrt(value) : value);
    if (mean) mean[item] = narrow<T>(origin + state.mean);
  }
}

struct Adding {
  template <class A> static __device__ __forceinline__ A none() { return A(0); }
  template <class A> static __device__ __forceinline__ void put(A& state, A x) { state += x; }
  template <class A> static __device__ __forceinline__ A of(A a, A b) { return a + b; }
};

// var_backward: 2 g (x - mean) / (n - c)
template <class G, class T>
__global__ void __launch_bounds__(MOST_THREADS, 1)
    var_backward(const T* g, const T* x, T* out, Reduction r, double correction) {
  typedef wide<T> A;
#pragma unroll 1
  for (i64 first = G::first(); first < r.outputs; first += G::step()) {
    const i64 item = first + G::item();
    const i64 from = item < r.outputs ? place(r.kept, item) : 0;
    const A origin = widen(x[from]);
    A mean = 0;
    if (item < r.outputs) mean = gathered<Adding, G>(x + from, r.reduced, 0, r.size, origin);
    mean = G::template reduce<Adding>(mean, A(0)) / A(r.size);
    if (item >= r.outputs) continue;
    const A factor = widen(g[item]) * (A)(2 / (r.size - correction));
#pragma unroll 2
    for (i64 k = G::member(); k < r.size; k += G::members()) {
      const i64 at = from + place(r.reduced, k);
      out[at] = narrow<T>(factor * (widen(x[at]) - origin - mean));
    }
  }
}

}  // namespace ag
