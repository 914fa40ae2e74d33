// Normalization of each row, a sample or a group of its channels, and its backward formulas. The
// arrays are contiguous. T is the type of the elements, U that of the parameters; m and r are the
// mean and 1 / (standard deviation) of a row, h = (x - m) r, w the weight, b the bias.
#include "team.cuh"

namespace ag {

// layer_norm: w h + b, r = (var x + e)^(-1/2)
struct LayerNorm {
  static constexpr bool centered = true, grouped = false;
};
// layer_norm_backward: r (g w - mean(g w) - h mean(g w h)); of w: sum g h; of b: sum g
struct LayerNormBackward : LayerNorm {};

// rms_norm: w x r, r = (mean x^2 + e)^(-1/2)
struct RmsNorm {
  static constexpr bool centered = false, grouped = false;
};
// rms_norm_backward: r (g w - h mean(g w h)), h = x r; of w: sum g h
struct RmsNormBackward : RmsNorm {};

// group_norm: w h + b, as layer_norm, with a row for each group of channels
struct GroupNorm {
  static constexpr bool centered = true, grouped = true;
};
// group_norm_backward: r (g w - mean(g w) - h mean(g w h)); of w: sum g h; of b: sum g
struct GroupNormBackward : GroupNorm {};

// Which parameters belong to the elements of a row: those of the same place, or, where rows are
// groups, that of the channel; a channel has `length` elements, and the row's first is `first`.
template <class F, class U, int V> struct Parameters {
  int first, length;
  bool whole;

  __device__ __forceinline__ void get(wide<U> (&values)[V], const U* from, i64 i, int some,
                                      wide<U> none) const {
    if (from == nullptr) {
#pragma unroll
      for (int j = 0; j < V; ++j) values[j] = none;
    } else if (F::grouped) {
      int channel = (int)i / length, end = (channel + 1) * length - (int)i;
      wide<U> value = widen(from[first + channel]);
#pragma unroll
      for (int j = 0; j < V; ++j) {
        if (j == end && j < some) {
          value = widen(from[first + ++channel]);
          end += length;
        }
        values[j] = value;
      }
    } else {
      fetch<V>(values, from + i, some, whole);
    }
  }
};

// A team a row. `channels`: of a group. `length`: elements of a channel.
template <class F, class T, class U, class S, int V>
__global__ void __launch_bounds__(512, 1)
    norm_rows(const T* x, const U* w, const U* b, T* out, wide<T>* mean, S* rstd, i64 rows, i64 n,
              int groups, int channels, int length, wide<T> eps) {
  typedef wide<T> A;
  const bool whole = n % V == 0 && whole_chunks<V>(x) && whole_chunks<V>(out);
  const bool whole_parameters = whole && whole_chunks<V>(w) && whole_chunks<V>(b);
  const i64 step = (i64)gridDim.x * blockDim.y;
  for (i64 row = (i64)blockIdx.x * blockDim.y + threadIdx.y; row < rows; row += step) {
    Row<T, V, 1> values = {{x + row * n}, n, whole};
    values.load();
    A sum[1] = {0}, m = 0;
    if (F::centered) {
      values.each([&](i64, int, const A (&v)[1][V]) {
#pragma unroll
        for (int j = 0; j < V; ++j) sum[0] += v[0][j];
      });
      team_reduce<Sum>(sum);
      m = sum[0] / A(n);
    }
    A square[1] = {0};
    values.each([&](i64, int some, const A (&v)[1][V]) {
#pragma unroll
      for (int j = 0; j < V; ++j)
        if (j < some) square[0] += (v[0][j] - m) * (v[0][j] - m);
    });
    team_reduce<Sum>(square);
    const A r = A(1) / sqrt(square[0] / A(n) + eps);
    const int first = F::grouped ? (int)(row % groups) * channels : 0;
    const Parameters<F, U, V> parameters = {first, length, whole_parameters};
    T* to = out + row * n;
    values.each([&](i64 i, int some, const A (&v)[1][V]) {
      A scale[V], shift[V], y[V];
      parameters.get(scale, w, i, some, A(1));
      parameters.get(shift, b, i, some, A(0));
#pragma unroll
      for (int j = 0; j < V; ++j) y[j] = (v[0][j] - m) * r * scale[j] + shift[j];
      store<V>(y, to + i, some, whole);
    });
    if (threadIdx.x == 0) {
      if (F::centered) mean[row] = m;
      rstd[row] = narrow<S>(r);
    }
  }
}

// The gradient of x: a team a row.
template <class F, class T, class U, class S, int V>
__global__ void __launch_bounds__(512, 1)
    norm_backward_rows(const T* g, const T* x, const U* w, const wide<T>* mean, const S* rstd,
                       T* dx, i64 rows, i64 n, int groups, int channels, int length) {
  typedef wide<T> A;
  const bool whole = n % V == 0 && whole_chunks<V>(g) && whole_chunks<V>(x) && whole_chunks<V>(dx);
  const bool whole_parameters = whole && whole_chunks<V>(w);
  const i64 step = (i64)gridDim.x * blockDim.y;
  for (i64 row = (i64)blockIdx.x * blockDim.y + threadIdx.y; row < rows; row += step) {
    Row<T, V, 2> values = {{g + row * n, x + row * n}, n, whole};
    values.load();
    const A m = F::centered ? mean[row] : A(0), r = widen(rstd[row]);
    const int first = F::grouped ? (int)(row % groups) * channels : 0;
    const Parameters<F, U, V> parameters = {first, length, whole_parameters};
    A along[2] = {0, 0};  // sum g w h, sum g w
    values.each([&](i64 i, int some, const A (&v)[2][V]) {
      A scale[V];
      parameters.get(scale, w, i, some, A(1));
#pragma unroll
      for (int j = 0; j < V; ++j)
        if (j < some) {
          along[0] += v[0][j] * scale[j] * ((v[1][j] - m) * r);
          along[1] += v[0][j] * scale[j];
        }
    });
    team_reduce<Sum>(along);
    const A slope = along[0] / A(n), level = F::centered ? along[1] / A(n) : A(0);
    T* to = dx + row * n;
    values.each([&](i64 i, int some, const A (&v)[2][V]) {
      A scale[V], d[V];
      parameters.get(scale, w, i, some, A(1));
#pragma unroll
      for (int j = 0; j < V; ++j)
        d[j] = r * (v[0][j] * scale[j] - level - (v[1][j] - m) * r * slope);
      store<V>(d, to + i, some, whole);
    });
  }
}

// The gradients of w and b: blocks (32, 8), a thread a column of every (8 gridDim.y)-th row; with
// gridDim.y > 1, dw and db are matrices of gridDim.y rows, which norm_finish adds up.
template <class F, class T, class S>
__global__ void norm_columns(const T* g, const T* x, const wide<T>* mean, const S* rstd,
                             wide<T>* dw, wide<T>* db, i64 rows, i64 n) {
  typedef wide<T> A;
  const i64 column = (i64)blockIdx.x * 32 + threadIdx.x;
  A sums[2] = {0, 0};
  if (column < n) {
#pragma unroll 4
    for (i64 row = (i64)blockIdx.y * 8 + threadIdx.y; row < rows; row += (i64)gridDim.y * 8) {
      const A grad = widen(g[row * n + column]), m = F::centered ? mean[row] : A(0);
      sums[0] += grad * ((widen(x[row * n + column]) - m) * widen(rstd[row]));
      sums[1] += grad;
    }
  }
  sum_over_y(sums);
  if (threadIdx.y == 0 && column < n) {
    if (dw != nullptr) dw[blockIdx.y * n + column] = sums[0];
    if (db != nullptr) db[blockIdx.y * n + column] = sums[1];
  }
}

// The sums over the columns of two matrices, of which one may be missing: blocks (32, 8).
template <class F, class T>
__global__ void norm_finish(const wide<T>* partial_w, const wide<T>* partial_b, wide<T>* dw,
                            wide<T>* db, i64 rows, i64 n) {
  typedef wide<T> A;
  const i64 column = (i64)blockIdx.x * 32 + threadIdx.x;
  A sums[2] = {0, 0};
  if (column < n) {
    for (i64 row = threadIdx.y; row < rows; row += 8) {
      if (partial_w != nullptr) sums[0] += partial_w[row * n + column];
      if (partial_b != nullptr) sums[1] += partial_b[row * n + column];
    }
  }
  sum_over_y(sums);
  if (threadIdx.y == 0 && column < n) {
    if (partial_w != nullptr) dw[column] = sums[0];
    if (partial_b != nullptr) db[column] = sums[1];
  }
}

// sum g h and sum g of each channel of each sample, which norm_finish adds up over the samples: a
// team a row of `length` elements, of which `channels` are a group.
template <class T>
__global__ void norm_channels(const T* g, const T* x, const wide<T>* mean, const wide<T>* rstd,
                              wide<T>* dw, wide<T>* db, i64 rows, int channels, i64 length) {
  typedef wide<T> A;
  const i64 step = (i64)gridDim.x * blockDim.y;
  for (i64 row = (i64)blockIdx.x * blockDim.y + threadIdx.y; row < rows; row += step) {
    const A m = mean[row / channels], r = rstd[row / channels];
    A sums[2] = {0, 0};
    for (i64 i = row * length + threadIdx.x; i < (row + 1) * length; i += blockDim.x) {
      const A grad = widen(g[i]);
      sums[0] += grad * ((widen(x[i]) - m) * r);
      sums[1] += grad;
    }
    team_reduce<Sum>(sums);
    if (threadIdx.x == 0) {
      if (dw != nullptr) dw[row] = sums[0];
      if (db != nullptr) db[row] = sums[1];
    }
  }
}

}  // namespace ag
