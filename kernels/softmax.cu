// Backward formulas of softmax and log-softmax along one dimension. The arrays are contiguous, of
// shape (outer, size, inner), and `size` is the dimension; g is the gradient, y the output.
#include "common.cuh"

namespace ag {

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

// The last dimension (inner = 1): one block a row.
template <class F, class T>
__global__ void softmax_rows(const T* g, const T* y, T* out, i64 rows, i64 size) {
  typedef wide<T> A;
  for (i64 row = blockIdx.x; row < rows; row += gridDim.x) {
    const i64 begin = row * size, end = begin + size;
    A sum = 0;
    for (i64 i = begin + threadIdx.x; i < end; i += blockDim.x)
      sum += F::term(widen(g[i]), widen(y[i]));
    sum = block_reduce<Sum>(sum, A(0));
    for (i64 i = begin + threadIdx.x; i < end; i += blockDim.x)
      out[i] = narrow<T>(F::of(widen(g[i]), widen(y[i]), sum));
  }
}

// Any other dimension: one thread a column, so that neighbours read neighbours.
template <class F, class T>
__global__ void softmax_columns(const T* g, const T* y, T* out, i64 outer, i64 size, i64 inner) {
  typedef wide<T> A;
  for (i64 k = first_element(); k < outer * inner; k += element_step()) {
    const i64 begin = k / inner * size * inner + k % inner, end = begin + size * inner;
    A sum = 0;
    for (i64 i = begin; i < end; i += inner) sum += F::term(widen(g[i]), widen(y[i]));
    for (i64 i = begin; i < end; i += inner)
      out[i] = narrow<T>(F::of(widen(g[i]), widen(y[i]), sum));
  }
}

}  // namespace ag
