// Pooling of planes, the last two dimensions of an array; `planes` is how many there are. Each
// thread computes one element, and what it adds up comes in a fixed order.
#include "common.cuh"

namespace ag {

// The windows along one dimension of n elements: window i begins at i stride - pad. Where `kernel`
// is 0 they are adaptive: window i takes [floor(i n / fit), ceil((i + 1) n / fit)).
struct PoolLine { int n, fit, kernel, stride, pad, dilation; };

// Elements of a window that lie in the array: begin, begin + step, ... before end.
struct Taps { int begin, end, step; };

__device__ __forceinline__ Taps taps_of(const PoolLine& line, int i) {
  if (line.kernel == 0) {
    i64 from = (i64)i * line.n / line.fit, to = ((i64)(i + 1) * line.n + line.fit - 1) / line.fit;
    return {(int)from, (int)to, 1};
  }
  int begin = i * line.stride - line.pad, end = begin + (line.kernel - 1) * line.dilation + 1;
  if (begin < 0) begin += (-begin + line.dilation - 1) / line.dilation * line.dilation;
  return {begin, min(end, line.n), line.dilation};
}

// How many elements a window has; with `padding` those that lie in the padding count too.
__device__ __forceinline__ int count_of(const PoolLine& line, int i, bool padding) {
  Taps taps = taps_of(line, i);
  if (!padding || line.kernel == 0) return taps.end - taps.begin;
  int begin = i * line.stride - line.pad;
  return min(begin + line.kernel, line.n + line.pad) - begin;
}

// The windows that may hold element r: first, ..., last.
struct Windows { int first, last; };

__device__ __forceinline__ Windows windows_of(const PoolLine& line, int r) {
  if (line.kernel == 0) {
    i64 from = (i64)r * line.fit / line.n, to = ((i64)(r + 1) * line.fit + line.n - 1) / line.n;
    return {(int)from, (int)to - 1};
  }
  int from = r + line.pad - (line.kernel - 1) * line.dilation;
  return {from <= 0 ? 0 : (from + line.stride - 1) / line.stride,
          min((r + line.pad) / line.stride, line.fit - 1)};
}

// Element i of (planes, height, width): its plane, row and column.
struct Spot { i64 plane; int row, column; };

__device__ __forceinline__ Spot spot_of(i64 i, int height, int width) {
  if (i <= 0xffffffffll) {  // divisions of 32 bits are several times as fast
    unsigned at = (unsigned)i, line = at / (unsigned)width, plane = line / (unsigned)height;
    return {(i64)plane, (int)(line - plane * (unsigned)height), (int)(at - line * (unsigned)width)};
  }
  i64 line = i / width, plane = line / height;
  return {plane, (int)(line - plane * height), (int)(i - line * width)};
}

// ---- the maximum

// max_pool: the first maximum of each window, and its place r W + c; NaN is larger than all
template <class T>
__global__ void max_pool(const T* x, T* out, i64* places, i64 planes, PoolLine rows,
                         PoolLine columns) {
  const i64 n = planes * rows.fit * columns.fit, size = (i64)rows.n * columns.n;
  for (i64 k = first_element(); k < n; k += element_step()) {
    Spot to = spot_of(k, rows.fit, columns.fit);
    Taps down = taps_of(rows, to.row), along = taps_of(columns, to.column);
    const T* plane = x + to.plane * size;
    i64 best = (i64)down.begin * columns.n + along.begin;
    wide<T> most = widen(plane[best]);
    for (int r = down.begin; r < down.end; r += down.step)
      for (int c = along.begin; c < along.end; c += along.step) {
        i64 place = (i64)r * columns.n + c;
        wide<T> value = widen(plane[place]);
        if (value > most || (value != value && most == most)) most = value, best = place;
      }
    out[k] = narrow<T>(most);
    if (places) places[k] = best;
  }
}

// max_pool_backward: the sum of g over the windows whose maximum is at x's place
template <class T>
__global__ void max_pool_backward(const T* g, const i64* places, T* out, i64 planes, PoolLine rows,
                                  PoolLine columns) {
  const i64 n = planes * rows.n * columns.n, size = (i64)rows.fit * columns.fit;
  for (i64 k = first_element(); k < n; k += element_step()) {
    Spot at = spot_of(k, rows.n, columns.n);
    Windows down = windows_of(rows, at.row), along = windows_of(columns, at.column);
    const i64 place = (i64)at.row * columns.n + at.column;
    wide<T> sum = 0;
    for (int i = down.first; i <= down.last; ++i)
      for (int j = along.first; j <= along.last; ++j) {
        i64 window = at.plane * size + (i64)i * columns.fit + j;
        if (places[window] == place) sum += widen(g[window]);
      }
    out[k] = narrow<T>(sum);
  }
}

// max_blocks_backward: g at the first element of a window that is its maximum y, else 0
template <class T>
__global__ void max_blocks_backward(const T* g, const T* x, const T* y, T* out, i64 planes,
                                    PoolLine rows, PoolLine columns) {
  const i64 n = planes * rows.fit * columns.fit, size = (i64)rows.n * columns.n;
  for (i64 k = first_element(); k < n; k += element_step()) {
    Spot at = spot_of(k, rows.fit, columns.fit);
    i64 corner = at.plane * size + (i64)at.row * rows.kernel * columns.n +
                 (i64)at.column * columns.kernel;
    const wide<T> best = widen(y[k]);
    bool found = false;
    for (int r = 0; r < rows.kernel; ++r)
      for (int c = 0; c < columns.kernel; ++c) {
        i64 place = corner + (i64)r * columns.n + c;
        wide<T> value = widen(x[place]);
        bool hit = !found && (value == best || value != value);
        out[place] = hit ? g[k] : narrow<T>(0);
        found |= hit;
      }
  }
}

// ---- the mean

__device__ __forceinline__ double divisor_of(const PoolLine& rows, int i, const PoolLine& columns,
                                             int j, bool padding, double divisor) {
  if (divisor != 0) return divisor;
  return (double)count_of(rows, i, padding) * count_of(columns, j, padding);
}

// avg_pool: the sum of each window / n, n its size (also of what is padding) or a given number
template <class T>
__global__ void avg_pool(const T* x, T* out, i64 planes, PoolLine rows, PoolLine columns,
                         bool padding, double divisor) {
  const i64 n = planes * rows.fit * columns.fit, size = (i64)rows.n * columns.n;
  for (i64 k = first_element(); k < n; k += element_step()) {
    Spot to = spot_of(k, rows.fit, columns.fit);
    Taps down = taps_of(rows, to.row), along = taps_of(columns, to.column);
    const T* plane = x + to.plane * size;
    wide<T> sum = 0;
    for (int r = down.begin; r < down.end; r += down.step)
      for (int c = along.begin; c < along.end; c += along.step)
        sum += widen(plane[(i64)r * columns.n + c]);
    out[k] = narrow<T>(
        sum / (wide<T>)divisor_of(rows, to.row, columns, to.column, padding, divisor));
  }
}

// avg_pool_backward: the sum of g / n over the windows that hold x
template <class T>
__global__ void avg_pool_backward(const T* g, T* out, i64 planes, PoolLine rows, PoolLine columns,
                                  bool padding, double divisor) {
  const i64 n = planes * rows.n * columns.n, size = (i64)rows.fit * columns.fit;
  for (i64 k = first_element(); k < n; k += element_step()) {
    Spot at = spot_of(k, rows.n, columns.n);
    Windows down = windows_of(rows, at.row), along = windows_of(columns, at.column);
    wide<T> sum = 0;
    for (int i = down.first; i <= down.last; ++i)
      for (int j = along.first; j <= along.last; ++j)
        sum += widen(g[at.plane * size + (i64)i * columns.fit + j]) /
               (wide<T>)divisor_of(rows, i, columns, j, padding, divisor);
    out[k] = narrow<T>(sum);
  }
}

}  // namespace ag
