// Reductions over any dimensions of an array of any strides, to a contiguous result. A long one is
// shared by gridDim.y blocks, whose results a second launch reduces: the order is always the same.
#include "groups.cuh"

namespace ag {

struct Axes {
  i64 ndim;  // at least 1
  i64 shape[MAX_DIMS], strides[MAX_DIMS];
  unsigned long long magic[MAX_DIMS];  // a division by shape[d] is a product with this, shifted:
  i64 shift[MAX_DIMS];                 // ceil(2^(64 + shift) / shape), exact below 2^62
};

// `outputs` elements of the result lie along the axes `kept`, and each is reduced from `size`
// elements along the axes `reduced`, `chunk` of them in a block; `count` divides a mean.
struct Reduction {
  i64 outputs, size, chunk, count;
  Axes kept, reduced;
};

__device__ __forceinline__ i64 place(const Axes& axes, i64 index) {
  i64 offset = 0;
#pragma unroll 1
  for (int d = (int)axes.ndim - 1; d > 0; --d) {
    const i64 rest = (i64)(__umul64hi((unsigned long long)index, axes.magic[d]) >> axes.shift[d]);
    offset += (index - rest * axes.shape[d]) * axes.strides[d];
    index = rest;
  }
  return offset + index * axes.strides[0];
}

// ---- what numbers are added in: integers as i64

template <class T> struct Adds {
  typedef wide<T> type;
  static __device__ __forceinline__ type of(T value) { return widen(value); }
};
template <class T> struct AddsIntegers {
  typedef i64 type;
  static __device__ __forceinline__ i64 of(T value) { return (i64)value; }
};
template <> struct Adds<bool> : AddsIntegers<bool> {};
template <> struct Adds<unsigned char> : AddsIntegers<unsigned char> {};
template <> struct Adds<signed char> : AddsIntegers<signed char> {};
template <> struct Adds<short> : AddsIntegers<short> {};
template <> struct Adds<int> : AddsIntegers<int> {};
template <> struct Adds<i64> : AddsIntegers<i64> {};

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

// What one thread finds among the elements begin + member, begin + member + members, ... < end: in
// four states at a time, for the memory's sake, and at most 128 elements each, for the digits'.
template <class F, class G, class T>
__device__ __forceinline__ auto gathered(const T* x, const Axes& axes, i64 begin, i64 end) {
  typedef typename Adds<T>::type A;
  const i64 step = G::members();
  auto all = F::template none<A>();
  for (i64 r = begin + G::member(); r < end;) {
    auto a = F::template none<A>(), b = a, c = a, d = a;
#pragma unroll 1
    for (int k = 0; k < 128 && r < end; ++k, r += 4 * step) {
      F::put(a, Adds<T>::of(x[place(axes, r)]));
      if (r + step < end) F::put(b, Adds<T>::of(x[place(axes, r + step)]));
      if (r + 2 * step < end) F::put(c, Adds<T>::of(x[place(axes, r + 2 * step)]));
      if (r + 3 * step < end) F::put(d, Adds<T>::of(x[place(axes, r + 3 * step)]));
    }
    all = F::of(all, F::of(F::of(a, b), F::of(c, d)));
  }
  return all;
}

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

// logsumexp_backward: g e^(x - y)
template <class G, class T>
__global__ void __launch_bounds__(MOST_THREADS, 1)
    logsumexp_backward(const T* g, const T* x, const T* y, T* out, Reduction r) {
  for (i64 first = G::first(); first < r.outputs; first += G::step()) {
    const i64 item = first + G::item();
    if (item >= r.outputs) continue;
    const i64 from = place(r.kept, item);
    const wide<T> grad = widen(g[item]), total = widen(y[item]);
    for (i64 k = G::member(); k < r.size; k += G::members()) {
      const i64 at = from + place(r.reduced, k);
      out[at] = narrow<T>(grad * exp(widen(x[at]) - total));
    }
  }
}

}  // namespace ag
