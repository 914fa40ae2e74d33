// Fills, copies and conversions between types. The result of a strided form may have any strides:
// its strides are the layout's last.
#include "elementwise.cuh"

namespace ag {

// ---- one number as another type: fractions are cut off, what is not 0 is true

// The float on the way from a double to half: where it is not exact, its last bit is set, so that
// rounding it again is rounding once.
__device__ __forceinline__ float sticky(double x) {
  float near = (float)x;
  if (x != x || (double)near == x) return near;
  int bits = __float_as_int(near);
  if (fabs((double)near) > fabs(x)) --bits;
  return __int_as_float(bits | 1);
}

template <class U> struct Converted {
  template <class A> static __device__ __forceinline__ wide<U> of(A x) { return (wide<U>)x; }
};
template <> struct Converted<bool> {
  template <class A> static __device__ __forceinline__ bool of(A x) { return x != A(0); }
};
template <> struct Converted<__half> {
  template <class A> static __device__ __forceinline__ float of(A x) { return (float)x; }
  static __device__ __forceinline__ float of(double x) { return sticky(x); }
};
template <> struct Converted<unsigned char> {  // C leaves negative floats to unsigned open
  template <class A> static __device__ __forceinline__ int of(A x) { return (int)(i64)x; }
};

// cast: x in another type; the same type: a copy
struct Cast {};

// Elements in 16 bytes of the larger type.
template <class T, class U> constexpr int both_fit() {
  return 16 / (int)(sizeof(T) > sizeof(U) ? sizeof(T) : sizeof(U));
}
template <class T, class U> __global__ void cast_packed(U* out, i64 n, const T* x) {
  compute_packed<Converted<U>, U, both_fit<T, U>()>(out, n, x);
}

// out[where layout says] = x[where layout says]
template <class T, class U>
__global__ void cast_strided(U* out, i64 n, Layout layout, const T* x) {
  i64 i = first_element(), offsets[2];
  if (i >= n) return;
  places_of(layout, (unsigned)i, offsets);
  out[offsets[1]] = narrow<U>(Converted<U>::of(widen(x[offsets[0]])));
}

// fill: v
struct Fill { FORMULA(A v) { return v; } };

template <class T> __global__ void fill_strided(T* out, i64 n, Layout layout, wide<T> v) {
  i64 i = first_element(), offsets[1];
  if (i >= n) return;
  places_of(layout, (unsigned)i, offsets);
  out[offsets[0]] = narrow<T>(v);
}

}  // namespace ag
