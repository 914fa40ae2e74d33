// Reductions over any dimensions of an array of any strides: where the elements lie, and what one
// thread finds among those of its share.
#pragma once
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

// ---- what one thread reduces

// What one thread finds among the elements begin + member, begin + member + members, ... < end,
// less `shift`: in four states at a time, for the memory's sake, and at most 128 elements each, for
// the digits'.
template <class F, class G, class T>
__device__ __forceinline__ auto gathered(const T* x, const Axes& axes, i64 begin, i64 end,
                                         typename Adds<T>::type shift = 0) {
  typedef typename Adds<T>::type A;
  const i64 step = G::members();
  auto all = F::template none<A>();
  for (i64 r = begin + G::member(); r < end;) {
    auto a = F::template none<A>(), b = a, c = a, d = a;
#pragma unroll 1
    for (int k = 0; k < 128 && r < end; ++k, r += 4 * step) {
      F::put(a, Adds<T>::of(x[place(axes, r)]) - shift);
      if (r + step < end) F::put(b, Adds<T>::of(x[place(axes, r + step)]) - shift);
      if (r + 2 * step < end) F::put(c, Adds<T>::of(x[place(axes, r + 2 * step)]) - shift);
      if (r + 3 * step < end) F::put(d, Adds<T>::of(x[place(axes, r + 3 * step)]) - shift);
    }
    all = F::of(all, F::of(F::of(a, b), F::of(c, d)));
  }
  return all;
}

}  // namespace ag
