// Steps of optimizers and the clipping of gradients: each launch works on many tensors, of which it
// gets the addresses. p is a parameter, g its gradient, l the learning rate, d the weight decay; g
// stands for -g where the step maximizes.
#include "team.cuh"

namespace ag {

typedef unsigned long long u64;

// ---- which tensors, and which part of which is a block's

constexpr int MAX_TENSORS = 64, MAX_LISTS = 5;

// Tensor k consists of size[k] elements in each list that has an address for it. `first[k]` is the
// number of its first block; a block has `chunk` elements, a multiple of 16.
struct Tensors {
  u64 at[MAX_LISTS][MAX_TENSORS];
  i64 size[MAX_TENSORS];
  i64 chunk;
  int first[MAX_TENSORS + 1];
  int count;
};

struct Part {
  int tensor;
  i64 begin, end;

  __device__ __forceinline__ Part(const Tensors& tensors) : tensor(0) {
    const int block = (int)blockIdx.x;
    for (int high = tensors.count; high - tensor > 1;) {
      int middle = (tensor + high) / 2;
      if (tensors.first[middle] <= block) tensor = middle;
      else high = middle;
    }
    begin = (block - tensors.first[tensor]) * tensors.chunk;
    end = smaller(tensors.size[tensor], begin + tensors.chunk);
  }
};

template <class T> __device__ __forceinline__ T* address(const Tensors& tensors, int list, int k) {
  return reinterpret_cast<T*>(tensors.at[list][k]);
}

// ---- steps; the last three operands are states, unused where a method needs fewer

struct Most {  // as NumPy's maximum: NaN if one is
  template <class A> static __device__ __forceinline__ A of(A a, A b) {
    return a > b || a != a ? a : b;
  }
};

// m = (1 - k) m + k g, with k = weight, or with 1 - k = weight if `old`: whichever is smaller
template <class A> __device__ __forceinline__ A moved(A m, A g, A weight, bool old) {
  A part = (g - m) * weight;
  return old ? g - part : m + part;
}

template <class A>
__device__ __forceinline__ A with_decay(A p, A g, A decay, bool maximize) {
  if (maximize) g = -g;
  return decay != A(0) ? g + p * decay : g;
}

// sgd: p - l b, b = k b + (1 - q) (g + d p), in the first step b = g + d p; nesterov: g + k b for b
struct Sgd {
  template <class A>
  static __device__ __forceinline__ void of(A& p, A g, A& b, A&, A&, A lr, A momentum, A share,
                                            A decay, bool nesterov, bool maximize, bool first) {
    g = with_decay(p, g, decay, maximize);
    if (momentum != A(0)) {
      b = first ? g : b * momentum + g * share;
      g = nesterov ? g + b * momentum : b;
    }
    p -= g * lr;
  }
};

// adam: p - l m / (v^(1/2) + e), m and v the running means of g and g^2; amsgrad: the largest v
struct Adam {
  template <class A>
  static __device__ __forceinline__ void of(A& p, A g, A& m, A& v, A& most, A size, A eps, A weight,
                                            bool old, A beta, A rest, A shrink, A decay,
                                            bool maximize, bool amsgrad) {
    p *= shrink;
    g = with_decay(p, g, decay, maximize);
    m = moved(m, g, weight, old);
    v = v * beta + g * rest * g;
    if (amsgrad) most = Most::of(most, v);
    p -= m / (sqrt(amsgrad ? most : v) + eps) * size;
  }
};

// rmsprop: p - l b, b = k b + g / (v^(1/2) + e), v the running mean of g^2; centered: v - m^2
struct Rmsprop {
  template <class A>
  static __device__ __forceinline__ void of(A& p, A g, A& v, A& b, A& m, A lr, A alpha, A rest,
                                            A weight, bool old, A eps, A decay, A momentum,
                                            bool centered, bool maximize) {
    g = with_decay(p, g, decay, maximize);
    v = v * alpha + g * rest * g;
    A spread = v;
    if (centered) {
      m = moved(m, g, weight, old);
      spread = v - m * m;
    }
    A step = g / (sqrt(spread) + eps);
    if (momentum != A(0)) step = b = b * momentum + step;
    p -= step * lr;
  }
};

// One step of all tensors: list 0 are the parameters, 1 the gradients, 2 to 4 the states.
template <class F, class T, int V, class... P>
__global__ void optimizer_step(Tensors tensors, P... options) {
  const Part part(tensors);
  T* at[MAX_LISTS];
  bool whole = true;
#pragma unroll
  for (int k = 0; k < MAX_LISTS; ++k) {
    at[k] = address<T>(tensors, k, part.tensor);
    whole = whole && whole_chunks<V>(at[k]);
  }
  for (i64 i = part.begin + threadIdx.x * V; i < part.end; i += blockDim.x * V) {
    const int some = left<V>(i, part.end);
    const bool inside = whole && some == V;
    wide<T> values[MAX_LISTS][V] = {};
#pragma unroll
    for (int k = 0; k < MAX_LISTS; ++k)
      if (at[k] != nullptr) fetch<V>(values[k], at[k] + i, some, inside);
#pragma unroll
    for (int j = 0; j < V; ++j)
      F::of(values[0][j], values[1][j], values[2][j], values[3][j], values[4][j], options...);
#pragma unroll
    for (int k = 0; k < MAX_LISTS; ++k)
      if (k != 1 && at[k] != nullptr) store<V>(values[k], at[k] + i, some, inside);
  }
}

// ---- norms; in double, so that no square overflows or vanishes

struct Two {
  typedef Sum Join;
  static __device__ __forceinline__ double term(double x) { return x * x; }
  static __device__ __forceinline__ double root(double x) { return sqrt(x); }
};
struct One {
  typedef Sum Join;
  static __device__ __forceinline__ double term(double x) { return fabs(x); }
  static __device__ __forceinline__ double root(double x) { return x; }
};
struct Infinite {
  typedef Most Join;
  static __device__ __forceinline__ double term(double x) { return fabs(x); }
  static __device__ __forceinline__ double root(double x) { return x; }
};

// total_norm: (sum x^2)^(1/2), sum |x| or max |x| over the elements of all tensors
struct TotalNorm {};

// The share of each block, in partial[start + its number]; the tensors are those of list 0.
template <class F, class T, int V>
__global__ void norm_parts(Tensors tensors, double* partial, i64 start) {
  const Part part(tensors);
  const T* x = address<T>(tensors, 0, part.tensor);
  const bool whole = whole_chunks<V>(x);
  double sum[1] = {0};
  for (i64 i = part.begin + threadIdx.x * V; i < part.end; i += blockDim.x * V) {
    wide<T> values[V];
    const int some = left<V>(i, part.end);
    fetch<V>(values, x + i, some, whole && some == V);
#pragma unroll
    for (int j = 0; j < V; ++j) sum[0] = F::Join::of(sum[0], F::term((double)values[j]));
  }
  team_reduce<typename F::Join>(sum);
  if (threadIdx.x == 0) partial[start + blockIdx.x] = sum[0];
}

// The norm from the shares of all blocks; one block.
template <class F, class T> __global__ void norm_whole(const double* partial, T* out, i64 n) {
  double sum[1] = {0};
  for (i64 i = threadIdx.x; i < n; i += blockDim.x) sum[0] = F::Join::of(sum[0], partial[i]);
  team_reduce<typename F::Join>(sum);
  if (threadIdx.x == 0) out[0] = narrow<T>((wide<T>)F::root(sum[0]));
}

// clip_by_norm: x min(1, c / (norm + 1e-6)), c the largest norm that is allowed
struct ClipByNorm {};

// The tensors of list 0 are scaled in place; what is not computed in T is rounded to it each time.
template <class T, int V>
__global__ void scale_by_norm(Tensors tensors, const T* norm, wide<T> most) {
  typedef wide<T> A;
  const A below = widen(narrow<T>(widen(norm[0]) + widen(narrow<T>(A(1e-6)))));
  A factor = widen(narrow<T>(widen(narrow<T>(most)) / below));
  if (factor >= A(1)) return;
  const Part part(tensors);
  T* x = address<T>(tensors, 0, part.tensor);
  const bool whole = whole_chunks<V>(x);
  for (i64 i = part.begin + threadIdx.x * V; i < part.end; i += blockDim.x * V) {
    const int some = left<V>(i, part.end);
    const bool inside = whole && some == V;
    A values[V];
    fetch<V>(values, x + i, some, inside);
#pragma unroll
    for (int j = 0; j < V; ++j) values[j] *= factor;
    store<V>(values, x + i, some, inside);
  }
}

}  // namespace ag
