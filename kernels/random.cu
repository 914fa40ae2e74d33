// Random numbers: element i of an array is a function of the seed, the place in the stream and i,
// whatever the grid. One thread makes the numbers of one counter, four words. The bodies are in
// autograd_gpu/_core/random; u, v are uniform numbers.
#include "philox.cuh"

namespace ag {

// ---- uniform numbers out of words: 24 bits of one word, or 53 of two

template <class A> struct Uniform;
template <> struct Uniform<float> {
  static constexpr int count = 4;  // numbers of one counter
  static __device__ __forceinline__ Exact<float> from_zero(const Words& w, int i) {  // [0, 1)
    return Exact<float>{float(int(w.x[i] & 0xFFFFFF))} * 0x1p-24f;
  }
  static __device__ __forceinline__ Exact<float> to_one(const Words& w, int i) {  // (0, 1]
    return Exact<float>{__uint2float_rn(w.x[i])} * 0x1p-32f + 0x1p-33f;
  }
  static __device__ __forceinline__ Exact<float> centred(const Words& w, int i) {  // (-1/2, 1/2)
    return Exact<float>{float(2 * int(w.x[i] & 0xFFFFFF) + 1 - (1 << 24))} * 0x1p-25f;
  }
  static constexpr float least = 0x1p-25f;  // what stands for -log(1)
};
template <> struct Uniform<double> {
  static constexpr int count = 2;
  static __device__ __forceinline__ i64 bits(const Words& w, int i) {
    return (i64)(w.x[2 * i] & 0x1FFFFF) << 32 | w.x[2 * i + 1];
  }
  static __device__ __forceinline__ Exact<double> from_zero(const Words& w, int i) {
    return Exact<double>{double(bits(w, i))} * 0x1p-53;
  }
  static __device__ __forceinline__ Exact<double> to_one(const Words& w, int i) {
    return Exact<double>{double(bits(w, i) + 1)} * 0x1p-53;
  }
  static __device__ __forceinline__ Exact<double> centred(const Words& w, int i) {
    return Exact<double>{double(2 * bits(w, i) + 1 - (1ll << 53))} * 0x1p-54;
  }
  static constexpr double least = 0x1p-54;
};

// ---- distributions: y[i] of the words of one counter

struct Stay {
  template <class T> static __device__ __forceinline__ T settle(T y, wide<T>, wide<T>) { return y; }
};

// random_uniform: a + (b - a) u, and a where that rounds to b
struct RandomUniform {
  template <class A, int N>
  static __device__ __forceinline__ void of(const Words& w, A a, A b, Exact<A> (&y)[N]) {
    const Exact<A> low = {a}, span = Exact<A>{b} - low;
#pragma unroll
    for (int i = 0; i < N; ++i) y[i] = Uniform<A>::from_zero(w, i) * span + low;
  }
  template <class T> static __device__ __forceinline__ T settle(T y, wide<T> a, wide<T> b) {
    return widen(y) >= widen(narrow<T>(b)) ? narrow<T>(a) : y;
  }
};

// random_normal: a + b r cos t and a + b r sin t, r = (-2 log v)^(1/2), t = 2 pi u
struct RandomNormal : Stay {
  template <class A, int N>
  static __device__ __forceinline__ void of(const Words& w, A a, A b, Exact<A> (&y)[N]) {
#pragma unroll
    for (int i = 0; i < N; i += 2) {
      const Exact<A> r = root(log_of(Uniform<A>::to_one(w, i)) * A(-2));
      Exact<A> sine, cosine;
      turn(Uniform<A>::from_zero(w, i + 1), sine, cosine);
      y[i] = r * cosine * b + a;
      y[i + 1] = r * sine * b + a;
    }
  }
};

// random_log_normal: e^z, z as of random_normal
struct RandomLogNormal : Stay {
  template <class A, int N>
  static __device__ __forceinline__ void of(const Words& w, A a, A b, Exact<A> (&y)[N]) {
    RandomNormal::of(w, a, b, y);
#pragma unroll
    for (int i = 0; i < N; ++i) y[i] = exp_of(y[i]);
  }
};

// random_exponential: -log(v) / a, never 0
struct RandomExponential : Stay {
  template <class A, int N>
  static __device__ __forceinline__ void of(const Words& w, A a, A, Exact<A> (&y)[N]) {
#pragma unroll
    for (int i = 0; i < N; ++i) {
      Exact<A> e = log_of(Uniform<A>::to_one(w, i)) * A(-1);
      if (e.value < Uniform<A>::least) e.value = Uniform<A>::least;
      y[i] = e / a;
    }
  }
};

// random_cauchy: a + b tan(pi (u - 1/2))
struct RandomCauchy : Stay {
  template <class A, int N>
  static __device__ __forceinline__ void of(const Words& w, A a, A b, Exact<A> (&y)[N]) {
#pragma unroll
    for (int i = 0; i < N; ++i) {
      Exact<A> sine, cosine;
      turn(Uniform<A>::centred(w, i) * A(0.5), sine, cosine);
      y[i] = sine / cosine * b + a;
    }
  }
};

// ---- elements in packs, so that a thread reads and writes up to 16 bytes at once

template <class T, int N> struct Bytes {
  static constexpr int all = N * sizeof(T), value = all < 16 ? all : 16;
};
template <class T, int N> struct alignas(Bytes<T, N>::value) Pack { T x[N]; };

template <class T, int N> __device__ __forceinline__ bool is_packed(const T* place) {
  return (u64)place % alignof(Pack<T, N>) == 0;
}

template <class T, int N>
__device__ __forceinline__ Pack<T, N> load(const T* from, i64 i, i64 n, bool packed) {
  if (packed && i + N <= n) return *(const Pack<T, N>*)(from + i);
  Pack<T, N> out;
#pragma unroll
  for (int k = 0; k < N; ++k) out.x[k] = i + k < n ? from[i + k] : T();
  return out;
}

template <class T, int N>
__device__ __forceinline__ void store(const Pack<T, N>& pack, T* to, i64 i, i64 n, bool packed) {
  if (packed && i + N <= n) {
    *(Pack<T, N>*)(to + i) = pack;
    return;
  }
#pragma unroll
  for (int k = 0; k < N; ++k)
    if (i + k < n) to[i + k] = pack.x[k];
}

// ---- kernels

template <class F, class T>
__global__ void random_real(T* out, i64 n, u64 seed, u64 counter, double a, double b) {
  typedef wide<T> A;
  constexpr int N = Uniform<A>::count;
  const bool packed = is_packed<T, N>(out);
  const A first = A(a), second = A(b);
  for (i64 k = first_element(); k * N < n; k += element_step()) {
    Exact<A> y[N];
    F::of(philox(counter + k, seed), first, second, y);
    Pack<T, N> pack;
#pragma unroll
    for (int i = 0; i < N; ++i) pack.x[i] = F::settle(narrow<T>(y[i].value), first, second);
    store(pack, out, k * N, n, packed);
  }
}

// random_integers: a + w mod m, w a word (N = 4) or two (N = 2); m = 0 stands for 2^64
struct RandomIntegers {
  static __device__ __forceinline__ u64 of(const Words& w, int i, unsigned m, Pack<i64, 4>&) {
    return w.x[i] % m;
  }
  static __device__ __forceinline__ u64 of(const Words& w, int i, u64 m, Pack<i64, 2>&) {
    const u64 both = (u64)w.x[2 * i] << 32 | w.x[2 * i + 1];
    return m ? both % m : both;
  }
};

template <class F, class M, int N>
__global__ void random_integers(i64* out, i64 n, u64 seed, u64 counter, i64 a, u64 m) {
  const bool packed = is_packed<i64, N>(out);
  for (i64 k = first_element(); k * N < n; k += element_step()) {
    const Words words = philox(counter + k, seed);
    Pack<i64, N> pack;
#pragma unroll
    for (int i = 0; i < N; ++i) pack.x[i] = (i64)(F::of(words, i, M(m), pack) + (u64)a);
    store(pack, out, k * N, n, packed);
  }
}

// random_bernoulli: w < m, w a word
struct RandomBernoulli {
  static __device__ __forceinline__ bool of(unsigned w, u64 m) { return w < m; }
};

template <class F>
__global__ void random_bernoulli(bool* out, i64 n, u64 seed, u64 counter, u64 m) {
  const bool packed = is_packed<bool, 4>(out);
  for (i64 k = first_element(); k * 4 < n; k += element_step()) {
    const Words words = philox(counter + k, seed);
    Pack<bool, 4> pack;
#pragma unroll
    for (int i = 0; i < 4; ++i) pack.x[i] = F::of(words.x[i], m);
    store(pack, out, k * 4, n, packed);
  }
}

// dropout: x s where w < m, else x 0; and w < m itself
struct Dropout {
  template <class A> static __device__ __forceinline__ A of(A x, bool stays, A s) {
    return x * (stays ? s : A(0));
  }
};

template <class F, class T>
__global__ void dropout(const T* x, T* out, bool* mask, i64 n, u64 seed, u64 counter, u64 m,
                        wide<T> s) {
  const bool packed = is_packed<T, 4>(x) && is_packed<T, 4>(out) && is_packed<bool, 4>(mask);
  for (i64 k = first_element(); k * 4 < n; k += element_step()) {
    const Words words = philox(counter + k, seed);
    Pack<T, 4> pack = load<T, 4>(x, k * 4, n, packed);
    Pack<bool, 4> stays;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      stays.x[i] = RandomBernoulli::of(words.x[i], m);
      pack.x[i] = narrow<T>(F::of(widen(pack.x[i]), stays.x[i], s));
    }
    store(pack, out, k * 4, n, packed);
    store(stays, mask, k * 4, n, packed);
  }
}

// dropout_backward: g s where the mask is true, else g 0
struct DropoutBackward : Dropout {};

template <class F, class T>
__global__ void dropout_backward(const T* g, const bool* mask, T* out, i64 n, wide<T> s) {
  const bool packed = is_packed<T, 4>(g) && is_packed<T, 4>(out) && is_packed<bool, 4>(mask);
  for (i64 k = first_element(); k * 4 < n; k += element_step()) {
    Pack<T, 4> pack = load<T, 4>(g, k * 4, n, packed);
    const Pack<bool, 4> stays = load<bool, 4>(mask, k * 4, n, packed);
#pragma unroll
    for (int i = 0; i < 4; ++i)
      pack.x[i] = narrow<T>(F::of(widen(pack.x[i]), stays.x[i], s));
    store(pack, out, k * 4, n, packed);
  }
}

}  // namespace ag
