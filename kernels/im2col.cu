// Windows over one, two or three dimensions as the columns of matrices, and back. The arrays are
// contiguous: x is (planes, D, H, W), y is (planes, kD kH kW, places of windows); fewer dimensions
// begin with ones. `planes` is samples times channels.
#include "common.cuh"

namespace ag {

// Sizes of an image, of the windows and how many there are; `pad` is what stands before an image.
struct Grid { int size[3], kernel[3], fit[3], stride[3], pad[3], dilation[3]; };

__device__ __forceinline__ i64 product(const int (&sizes)[3]) {
  return (i64)sizes[0] * sizes[1] * sizes[2];
}

// Element i of (planes, sizes): its plane, and where it stands in each dimension.
__device__ __forceinline__ i64 spread(i64 i, const int (&sizes)[3], int (&at)[3]) {
  if (i <= 0xffffffffll) {  // divisions of 32 bits are several times as fast
    unsigned rest = (unsigned)i;
    for (int d = 2; d >= 0; --d) {
      unsigned next = rest / (unsigned)sizes[d];
      at[d] = (int)(rest - next * (unsigned)sizes[d]);
      rest = next;
    }
    return rest;
  }
  for (int d = 2; d >= 0; --d) {
    i64 next = i / sizes[d];
    at[d] = (int)(i - next * sizes[d]);
    i = next;
  }
  return i;
}

__device__ __forceinline__ bool within(int place, int size) {
  return (unsigned)place < (unsigned)size;
}

// im2col: y[p, (u, v, w), (i, j, k)] = x[p, s i + d u - pad, ..], 0 outside of x
template <class T> __global__ void im2col(const T* x, T* out, i64 planes, Grid grid) {
  const i64 places = product(grid.fit), taps = product(grid.kernel), n = planes * places;
  for (i64 e = first_element(); e < n; e += element_step()) {
    int at[3];
    const i64 plane = spread(e, grid.fit, at);
    const T* image = x + plane * product(grid.size);
    T* to = out + plane * taps * places + (e - plane * places);
    for (int d = 0; d < 3; ++d) at[d] = at[d] * grid.stride[d] - grid.pad[d];
    for (int u = 0; u < grid.kernel[0]; ++u)
      for (int v = 0; v < grid.kernel[1]; ++v)
        for (int w = 0; w < grid.kernel[2]; ++w, to += places) {
          const int a = at[0] + u * grid.dilation[0], b = at[1] + v * grid.dilation[1],
                    c = at[2] + w * grid.dilation[2];
          const bool inside =
              within(a, grid.size[0]) && within(b, grid.size[1]) && within(c, grid.size[2]);
          *to = inside ? image[((i64)a * grid.size[1] + b) * grid.size[2] + c] : T();
        }
  }
}

// The window whose element `tap` is at `place`, counted with the padding; -1 where there is none.
__device__ __forceinline__ int window_of(int place, int tap, int stride, int dilation, int fit) {
  const int begin = place - tap * dilation, window = begin / stride;
  return begin >= 0 && window * stride == begin && window < fit ? window : -1;
}

// col2im: x[p, a, b, c] = the sum of y over all windows that hold this element
template <class T> __global__ void col2im(const T* y, T* out, i64 planes, Grid grid) {
  const i64 places = product(grid.fit), taps = product(grid.kernel);
  const i64 n = planes * product(grid.size);
  for (i64 e = first_element(); e < n; e += element_step()) {
    int at[3];
    const i64 plane = spread(e, grid.size, at);
    for (int d = 0; d < 3; ++d) at[d] += grid.pad[d];
    const T* from = y + plane * taps * places;
    wide<T> sum = 0;
    for (int u = 0; u < grid.kernel[0]; ++u) {
      const int i = window_of(at[0], u, grid.stride[0], grid.dilation[0], grid.fit[0]);
      if (i < 0) continue;
      for (int v = 0; v < grid.kernel[1]; ++v) {
        const int j = window_of(at[1], v, grid.stride[1], grid.dilation[1], grid.fit[1]);
        if (j < 0) continue;
#pragma unroll 1  // else the divisions of several windows fill the registers
        for (int w = 0; w < grid.kernel[2]; ++w) {
          const int k = window_of(at[2], w, grid.stride[2], grid.dilation[2], grid.fit[2]);
          if (k < 0) continue;
          const i64 tap = ((i64)u * grid.kernel[1] + v) * grid.kernel[2] + w;
          const i64 place = ((i64)i * grid.fit[1] + j) * grid.fit[2] + k;
          sum += widen(from[tap * places + place]);
        }
      }
    }
    out[e] = narrow<T>(sum);
  }
}

}  // namespace ag
