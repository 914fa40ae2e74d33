// Normalization of each channel over a batch, and its backward formula. The arrays are contiguous,
// of shape (samples, channels, length); T is the type of the elements, U that of the weight w and
// the bias b; m and v are a channel's mean and variance, h = (x - m) r, r = (v + e)^(-1/2).
//
// Sums over a channel are taken in two steps, always in the same order: blocks give the sums of
// ranges, which a warp a channel then puts together. Ranges are of a channel's elements ("rows",
// where `length` is large), or of the samples, for each element of a sample ("columns").
#include "team.cuh"

namespace ag {

// batch_norm: w h + b; m = mean x, v = mean (x - m)^2 over a channel, or given ones
struct BatchNorm {};
// batch_norm_backward: w r (g - mean g - h mean(g h)), with given m, v w r g; sum g h and sum g
struct BatchNormBackward {};
// batch_norm_update: (1 - k) s + k t for the statistics s; t of the batch, the variance unbiased
struct BatchNormUpdate {};

constexpr int HELD = 16;  // elements of a range that each thread holds

// One thread's share of a range of a channel's elements: chunks of V where they are whole (`length`
// is a multiple of V), else single ones.
template <int V> struct Range {
  int begin, end, channel, channels, length;
  bool whole;

  __device__ __forceinline__ Range(int size, int total, int channels, int length, bool whole)
      : begin(blockIdx.x / channels * size), channel(blockIdx.x % channels), channels(channels),
        length(length), whole(whole) {
    end = (int)smaller(total, (i64)begin + size);
  }

  // The q-th of this thread's elements, by its number in the channel; it may lie behind the end.
  __device__ __forceinline__ i64 element(int q) const {
    if (!whole) return begin + threadIdx.x + (i64)q * blockDim.x;
    return begin + (threadIdx.x + (i64)(q / V) * blockDim.x) * V + q % V;
  }
  __device__ __forceinline__ i64 address(int element) const {
    const int sample = element / length;
    return ((i64)sample * channels + channel) * length + (element - sample * length);
  }

  // All elements of this thread, 0 for those behind the end.
  template <class T>
  __device__ __forceinline__ void load(wide<T> (&values)[HELD], const T* x) const {
    if (whole) {
#pragma unroll
      for (int k = 0; k < HELD / V; ++k) {
        wide<T> some[V];
        const bool inside = element(k * V) < end;
        fetch<V>(some, x + (inside ? address((int)element(k * V)) : 0), 0, inside);
#pragma unroll
        for (int j = 0; j < V; ++j) values[k * V + j] = some[j];
      }
    } else {
#pragma unroll
      for (int q = 0; q < HELD; ++q)
        values[q] = element(q) < end ? widen(x[address((int)element(q))]) : wide<T>(0);
    }
  }
};

// Means and sums of squared deviations of ranges of `size` = 16 blockDim.x elements of a channel;
// `total`: its elements. The results are matrices (ranges, channels). With one range a channel they
// are the mean and the variance.
template <class T, int V>
__global__ void batch_norm_rows(const T* x, wide<T>* means, wide<T>* squares, int size, int total,
                                int channels, int length) {
  typedef wide<T> A;
  const Range<V> range(size, total, channels, length, length % V == 0 && whole_chunks<V>(x));
  A held[HELD], sum[1] = {0}, square[1] = {0};
  range.load(held, x);
#pragma unroll
  for (int q = 0; q < HELD; ++q) sum[0] += held[q];
  team_reduce<Sum>(sum);
  const A count = A(range.end - range.begin), mean = sum[0] / count;
#pragma unroll
  for (int q = 0; q < HELD; ++q)
    if (range.element(q) < range.end) square[0] += (held[q] - mean) * (held[q] - mean);
  team_reduce<Sum>(square);
  if (threadIdx.x == 0) {
    means[blockIdx.x] = mean;
    squares[blockIdx.x] = size < total ? square[0] : square[0] / count;
  }
}

// The same of ranges of 128 samples for each of the n = channels * length columns; blocks (32, 8).
// With one column and one range a channel, the results are the mean and the variance.
template <class T>
__global__ void batch_norm_columns(const T* x, wide<T>* means, wide<T>* squares, i64 samples,
                                   i64 n, int length) {
  typedef wide<T> A;
  const i64 column = (i64)blockIdx.x * 32 + threadIdx.x, begin = (i64)blockIdx.y * 8 * HELD;
  const i64 end = column < n ? smaller(samples, begin + 8 * HELD) : 0;
  A held[HELD], sum[1] = {0}, square[1] = {0};
#pragma unroll
  for (int q = 0; q < HELD; ++q) {
    const i64 row = begin + threadIdx.y + 8 * q;
    held[q] = row < end ? widen(x[row * n + column]) : A(0);
    sum[0] += held[q];
  }
  sum_over_y(sum);
  const A count = A(smaller(samples, begin + 8 * HELD) - begin), mean = sum[0] / count;
#pragma unroll
  for (int q = 0; q < HELD; ++q)
    if (begin + threadIdx.y + 8 * q < end) square[0] += (held[q] - mean) * (held[q] - mean);
  sum_over_y(square);
  if (threadIdx.y == 0 && column < n) {
    means[blockIdx.y * n + column] = mean;
    squares[blockIdx.y * n + column] =
        gridDim.y == 1 && length == 1 ? square[0] / count : square[0];
  }
}

// Means and variances of channels from those of ranges: `ranges` of `size` elements or samples of
// `total`, for each of `length` columns. A warp a channel.
template <class T>
__global__ void batch_norm_merge(const wide<T>* means, const wide<T>* squares, wide<T>* mean,
                                 wide<T>* variance, i64 ranges, i64 size, i64 total, int channels,
                                 int length) {
  typedef wide<T> A;
  for (i64 c = (i64)blockIdx.x * blockDim.y + threadIdx.y; c < channels;
       c += (i64)gridDim.x * blockDim.y) {
    const A count = A(total) * A(length);
    A sum = 0, square = 0;
    for (i64 e = threadIdx.x; e < ranges * length; e += 32) {
      const i64 k = e / length, at = (k * channels + c) * length + e % length;
      sum += means[at] * A(smaller(size, total - k * size));
    }
    const A m = warp_reduce<Sum>(sum) / count;
    for (i64 e = threadIdx.x; e < ranges * length; e += 32) {
      const i64 k = e / length, at = (k * channels + c) * length + e % length;
      const A d = means[at] - m, some = A(smaller(size, total - k * size));
      square += squares[at] + d * d * some;
    }
    square = warp_reduce<Sum>(square);
    if (threadIdx.x == 0) mean[c] = m, variance[c] = square / count;
  }
}

// sum g and sum g h of ranges of `size` elements of a channel, as in batch_norm_rows.
template <class T, int V>
__global__ void batch_norm_backward_rows(const T* g, const T* x, const wide<T>* mean,
                                         const wide<T>* variance, wide<T>* sums, wide<T>* products,
                                         int size, int total, int channels, int length,
                                         wide<T> eps) {
  typedef wide<T> A;
  const bool whole = length % V == 0 && whole_chunks<V>(x) && whole_chunks<V>(g);
  const Range<V> range(size, total, channels, length, whole);
  const A m = mean[range.channel], r = A(1) / sqrt(variance[range.channel] + eps);
  A grads[HELD], held[HELD], sum[2] = {0, 0};
  range.load(grads, g);
  range.load(held, x);
#pragma unroll
  for (int q = 0; q < HELD; ++q)
    if (range.element(q) < range.end) {
      sum[0] += grads[q];
      sum[1] += grads[q] * ((held[q] - m) * r);
    }
  team_reduce<Sum>(sum);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum[0], products[blockIdx.x] = sum[1];
}

// The same of every (8 gridDim.y)-th sample for each of the n columns; blocks (32, 8).
template <class T>
__global__ void batch_norm_backward_columns(const T* g, const T* x, const wide<T>* mean,
                                            const wide<T>* variance, wide<T>* sums,
                                            wide<T>* products, i64 samples, i64 n, int length,
                                            wide<T> eps) {
  typedef wide<T> A;
  const i64 column = (i64)blockIdx.x * 32 + threadIdx.x;
  A sum[2] = {0, 0};
  if (column < n) {
    const A m = mean[column / length], r = A(1) / sqrt(variance[column / length] + eps);
#pragma unroll 4
    for (i64 row = (i64)blockIdx.y * 8 + threadIdx.y; row < samples; row += (i64)gridDim.y * 8) {
      const A grad = widen(g[row * n + column]);
      sum[0] += grad;
      sum[1] += grad * ((widen(x[row * n + column]) - m) * r);
    }
  }
  sum_over_y(sum);
  if (threadIdx.y == 0 && column < n) {
    sums[blockIdx.y * n + column] = sum[0];
    products[blockIdx.y * n + column] = sum[1];
  }
}

// The sums of channels from those of ranges, as in batch_norm_merge.
template <class T>
__global__ void batch_norm_finish(const wide<T>* sums, const wide<T>* products, wide<T>* sum,
                                  wide<T>* product, i64 ranges, int channels, int length) {
  typedef wide<T> A;
  for (i64 c = (i64)blockIdx.x * blockDim.y + threadIdx.y; c < channels;
       c += (i64)gridDim.x * blockDim.y) {
    A s = 0, p = 0;
    for (i64 e = threadIdx.x; e < ranges * length; e += 32) {
      const i64 at = (e / length * channels + c) * length + e % length;
      s += sums[at];
      p += products[at];
    }
    s = warp_reduce<Sum>(s);
    p = warp_reduce<Sum>(p);
    if (threadIdx.x == 0) sum[c] = s, product[c] = p;
  }
}

// ---- element by element, once the numbers of a channel are known

// w h + b
template <class T, class U> struct Normalized {
  typedef wide<T> A;
  A m, scale, shift;

  __device__ __forceinline__ Normalized(const A* mean, const A* variance, const U* w, const U* b,
                                        const A*, const A*, A, A eps, i64 c)
      : m(mean[c]), scale(A(1) / sqrt(variance[c] + eps)), shift(b ? widen(b[c]) : A(0)) {
    if (w != nullptr) scale *= widen(w[c]);
  }
  __device__ __forceinline__ A of(A x, A) const { return (x - m) * scale + shift; }
};

// w r (g - mean g - h mean(g h)); `share`: 1 / (elements of a channel), or 0 for given statistics
template <class T, class U> struct Gradient {
  typedef wide<T> A;
  A m, r, scale, level, slope;

  __device__ __forceinline__ Gradient(const A* mean, const A* variance, const U* w, const U*,
                                      const A* sums, const A* products, A share, A eps, i64 c)
      : m(mean[c]), r(A(1) / sqrt(variance[c] + eps)), scale(r), level(0), slope(0) {
    if (w != nullptr) scale *= widen(w[c]);
    if (share != A(0)) level = sums[c] * share, slope = products[c] * share;
  }
  __device__ __forceinline__ A of(A g, A x) const {
    return (g - (x - m) * r * slope - level) * scale;
  }
};

// `second` may be missing: a team a row, one channel of one sample.
template <template <class, class> class F, class T, class U, int V>
__global__ void batch_norm_each_row(const T* first, const T* second, T* out, const wide<T>* mean,
                                    const wide<T>* variance, const U* w, const U* b,
                                    const wide<T>* sums, const wide<T>* products, i64 rows,
                                    int channels, i64 length, wide<T> share, wide<T> eps) {
  typedef wide<T> A;
  const bool whole = length % V == 0 && whole_chunks<V>(first) && whole_chunks<V>(second) &&
                     whole_chunks<V>(out);
  const i64 step = (i64)gridDim.x * blockDim.y;
  for (i64 row = (i64)blockIdx.x * blockDim.y + threadIdx.y; row < rows; row += step) {
    const F<T, U> f(mean, variance, w, b, sums, products, share, eps, row % channels);
    const i64 end = (row + 1) * length, stride = whole ? V : 1;
    for (i64 i = row * length + threadIdx.x * stride; i < end; i += blockDim.x * stride) {
      A u[V], v[V] = {};
      fetch<V>(u, first + i, 1, whole);
      if (second != nullptr) fetch<V>(v, second + i, 1, whole);
#pragma unroll
      for (int j = 0; j < V; ++j) u[j] = f.of(u[j], second != nullptr ? v[j] : f.m);
      store<V>(u, out + i, 1, whole);
    }
  }
}

// The same for short rows: a thread a column of n = channels * length, blocks (32, 8).
template <template <class, class> class F, class T, class U>
__global__ void batch_norm_each_column(const T* first, const T* second, T* out, const wide<T>* mean,
                                       const wide<T>* variance, const U* w, const U* b,
                                       const wide<T>* sums, const wide<T>* products, i64 samples,
                                       i64 n, int length, wide<T> share, wide<T> eps) {
  const i64 column = (i64)blockIdx.x * 32 + threadIdx.x;
  if (column >= n) return;
  const F<T, U> f(mean, variance, w, b, sums, products, share, eps, column / length);
  for (i64 row = (i64)blockIdx.y * 8 + threadIdx.y; row < samples; row += (i64)gridDim.y * 8) {
    const i64 i = row * n + column;
    out[i] = narrow<T>(f.of(widen(first[i]), second != nullptr ? widen(second[i]) : f.m));
  }
}

// `unbias`: n / (n - 1), n the elements of a channel. Of the statistics either may be missing.
template <class T>
__global__ void batch_norm_update(T* mean, T* variance, const wide<T>* batch_mean,
                                  const wide<T>* batch_variance, i64 n, wide<T> momentum,
                                  wide<T> unbias) {
  typedef wide<T> A;
  const A keep = A(1) - momentum;
  for (i64 c = first_element(); c < n; c += element_step()) {
    if (mean != nullptr) mean[c] = narrow<T>(widen(mean[c]) * keep + batch_mean[c] * momentum);
    if (variance != nullptr)
      variance[c] = narrow<T>(widen(variance[c]) * keep + batch_variance[c] * unbias * momentum);
  }
}

}  // namespace ag
