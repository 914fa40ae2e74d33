// What all elementwise kernels share: operands that are arrays or numbers, packed and strided form.
//
// A formula is a functor F with `of(x0, x1, ...)` in the type that T is computed in; the result is
// rounded once to R, which is T but for masks. Rounded: numbers are rounded to T first, where they
// are compared with arrays.
#pragma once
#include "common.cuh"

namespace ag {

struct Rounded {};

#define FORMULA template <class A> static __device__ __forceinline__ A of
#define TEST template <class A> static __device__ __forceinline__ bool of

// ---- integers wrap around, which C++ leaves open for signed ones

template <class A> struct Wrapping { typedef A type; };
template <> struct Wrapping<int> { typedef unsigned type; };
template <> struct Wrapping<i64> { typedef unsigned long long type; };
template <class A> using wrapping = typename Wrapping<A>::type;
template <class A> __device__ __forceinline__ A plus(A a, A b) {
  return (A)((wrapping<A>)a + (wrapping<A>)b);
}
template <class A> __device__ __forceinline__ A minus(A a, A b) {
  return (A)((wrapping<A>)a - (wrapping<A>)b);
}
template <class A> __device__ __forceinline__ A times(A a, A b) {
  return (A)((wrapping<A>)a * (wrapping<A>)b);
}

// ---- functions that several formulas use

template <class A> __device__ __forceinline__ A not_a_number() { return A(0) / A(0); }
template <class A> __device__ __forceinline__ A infinity() { return A(1) / A(0); }
template <class A> __device__ __forceinline__ A logistic(A x) { return A(1) / (A(1) + exp(-x)); }
template <class A> __device__ __forceinline__ A sign_of(A x) {
  return A(x > A(0)) - A(x < A(0));
}

// Unlike fmax and fmin, these let NaN spread.
template <class A> __device__ __forceinline__ A larger(A a, A b) {
  return a != a || a > b ? a : b;
}
template <class A> __device__ __forceinline__ A smaller(A a, A b) {
  return a != a || a < b ? a : b;
}

// ln(1 + e^x) without overflow
template <class A> __device__ __forceinline__ A log1p_exp(A x) {
  return log1p(exp(-fabs(x))) + larger(x, A(0));
}

// The quotient rounded down, corrected by the exact remainder; by 0 the quotient itself.
template <class A> __device__ __forceinline__ A quotient_down(A a, A b) {
  if (b == A(0)) return a / b;
  A rest = fmod(a, b), quotient = (a - rest) / b;
  if (rest != A(0) && (b < A(0)) != (rest < A(0))) quotient -= A(1);
  if (quotient == A(0)) return copysign(A(0), a / b);
  A whole = floor(quotient);
  return quotient - whole > A(0.5) ? whole + A(1) : whole;
}

// ---- operands

template <class T, int V> struct alignas(sizeof(T) * V) Pack { T at[V]; };

template <class F, class T, class U>
__device__ __forceinline__ const U* operand(const U* array) { return array; }
template <class F, class T, class N> __device__ __forceinline__ N operand(N number) {
  if constexpr (__is_base_of(Rounded, F)) return widen(narrow<T>(number));
  else return number;
}

template <int V, class U> __device__ __forceinline__ Pack<U, V> load_pack(const U* array, i64 k) {
  return reinterpret_cast<const Pack<U, V>*>(array)[k];
}
template <int V, class N> __device__ __forceinline__ N load_pack(N number, i64) { return number; }

template <class U, int V>
__device__ __forceinline__ wide<U> element(const Pack<U, V>& pack, int j) {
  return widen(pack.at[j]);
}
template <class U> __device__ __forceinline__ wide<U> element(const U* array, i64 index) {
  return widen(array[index]);
}
template <class N> __device__ __forceinline__ N element(N number, i64) { return number; }

template <int V, class U> __device__ __forceinline__ bool aligned(const U* array) {
  return reinterpret_cast<unsigned long long>(array) % (sizeof(U) * V) == 0;
}
template <int V, class N> __device__ __forceinline__ bool aligned(N) { return true; }

// ---- packed: every array is contiguous and of the result's shape; an operand is an array or a
// number. No pointer is __restrict__: the result may be written over an operand. No loop over the
// grid, which covers any array: it would be unrolled, and double the time that compiling takes.

template <class F, class R, int V, class... P>
__device__ __forceinline__ Pack<R, V> compute_pack(const P&... packs) {
  Pack<R, V> out;
#pragma unroll
  for (int j = 0; j < V; ++j) out.at[j] = narrow<R>(F::of(element(packs, j)...));
  return out;
}

// The k-th thread computes V elements, at once where all arrays are aligned to that.
template <class F, class R, int V, class... P>
__device__ __forceinline__ void compute_packed(R* out, i64 n, P... operands) {
  i64 k = first_element(), i = k * V;
  if (i + V <= n && aligned<V>((const R*)out) && (aligned<V>(operands) && ...)) {
    reinterpret_cast<Pack<R, V>*>(out)[k] = compute_pack<F, R, V>(load_pack<V>(operands, k)...);
    return;
  }
#pragma unroll 1
  for (i64 end = i + V < n ? i + V : n; i < end; ++i)
    out[i] = narrow<R>(F::of(element(operands, i)...));
}

// out[i] = F(operands[i]...)
template <class F, class T, class R, int V, class... P>
__global__ void packed(R* out, i64 n, P... operands) {
  compute_packed<F, R, V>(out, n, operand<F, T>(operands)...);
}

// ---- strided: any strides, broadcasting by stride 0; the result is contiguous

template <int... K> struct Places {};
template <int N, int... K> struct Count : Count<N - 1, N - 1, K...> {};
template <int... K> struct Count<0, K...> { typedef Places<K...> type; };

// Where the operands hold what belongs to element `index` of the result, which has fewer than 2^31
// elements: a division of 64-bit numbers costs several times more, and the host can split what is
// larger. Offsets may be as large as memory.
template <int N>
__device__ __forceinline__ void
places_of(const Layout& layout, unsigned index, i64 (&offsets)[N]) {
#pragma unroll
  for (int k = 0; k < N; ++k) offsets[k] = 0;
#pragma unroll 1
  for (int d = (int)layout.ndim - 1; d >= 0; --d) {
    unsigned size = (unsigned)layout.shape[d], rest = index / size, place = index - rest * size;
#pragma unroll
    for (int k = 0; k < N; ++k) offsets[k] += (i64)place * layout.strides[k][d];
    index = rest;
  }
}

template <class F, class R, int... K, class... P>
__device__ __forceinline__ void
compute_strided(R* out, i64 n, const Layout& layout, Places<K...>, P... operands) {
  i64 i = first_element(), offsets[sizeof...(P)];
  if (i >= n) return;
  places_of(layout, (unsigned)i, offsets);
  out[i] = narrow<R>(F::of(element(operands, offsets[K])...));
}

// out[i] = F(operands[where layout says]...)
template <class F, class T, class R, class... P>
__global__ void strided(R* out, i64 n, Layout layout, P... operands) {
  typedef typename Count<sizeof...(P)>::type Every;
  compute_strided<F, R>(out, n, layout, Every(), operand<F, T>(operands)...);
}

}  // namespace ag
