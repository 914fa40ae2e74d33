// Reading and writing the parts of an array that integers name. Arrays are contiguous. Where the
// index is a vector, x and y are (blocks, length, row), of which it names lines, and v is (blocks,
// count, row). A number that names no line is checked for before; here it reads zeros and is not
// written. What is only moved has a type of its width: int for float32, short for both half types.
#include "common.cuh"

namespace ag {

// The line that a number names, from the end where it is negative; -1 where there is none.
__device__ __forceinline__ i64 line_of(i64 number, i64 length) {
  i64 line = number < 0 ? number + length : number;
  return line < length ? (line < 0 ? -1 : line) : -1;
}

// Where an element of (blocks, count, row) stands: divisions of 32 bits where they are enough.
struct LinePlace { i64 block, k, r; };
__device__ __forceinline__ LinePlace line_place(i64 i, i64 count, i64 row) {
  if (i <= 0xffffffffll && count <= 0x7fffffffll && row <= 0x7fffffffll) {
    unsigned at = (unsigned)i, line = at / (unsigned)row, block = line / (unsigned)count;
    return {(i64)block, (i64)(line - block * (unsigned)count), (i64)(at - line * (unsigned)row)};
  }
  i64 line = i / row, block = line / count;
  return {block, line - block * count, i - line * row};
}

template <class T> __device__ __forceinline__ T opened(T value) { return value; }
__device__ __forceinline__ float opened(__half value) { return widen(value); }
__device__ __forceinline__ float opened(__nv_bfloat16 value) { return widen(value); }

// ---- checking

// index_check: the smallest k with index[k] < low or index[k] >= high; n where there is none
template <class U>
__global__ void index_check(const U* index, i64* first, i64 n, i64 low, i64 high) {
  for (i64 k = first_element(); k < n; k += element_step())
    if (index[k] < low || index[k] >= high) atomicMin(first, k);
}

// ---- reading

struct alignas(16) Sixteen { unsigned long long low, high; };

template <class W>
__device__ __forceinline__ void
copy_lines(const W* x, const i64* index, W* out, i64 blocks, i64 length, i64 row, i64 count) {
  const i64 n = blocks * count * row;
  for (i64 i = first_element(); i < n; i += element_step()) {
    LinePlace to = line_place(i, count, row);
    i64 line = line_of(index[to.k], length);
    out[i] = line < 0 ? W() : x[(to.block * length + line) * row + to.r];
  }
}

// index_select: y[b, k, r] = x[b, index[k], r]
template <class T>
__global__ void index_select(const T* x, const i64* index, T* out, i64 blocks, i64 length, i64 row,
                             i64 count) {
  constexpr i64 V = 16 / sizeof(T);
  unsigned long long both = (unsigned long long)x | (unsigned long long)out;
  if (row % V == 0 && both % 16 == 0)  // 16 bytes at a time
    copy_lines((const Sixteen*)x, index, (Sixteen*)out, blocks, length, row / V, count);
  else
    copy_lines(x, index, out, blocks, length, row, count);
}

// gather: y[.., j, ..] = x[.., index[.., j, ..], ..], `layout` without x's stride along j
template <class T, class I>
__global__ void gather(const T* x, const i64* index, T* out, i64 n, Layout layout, i64 length,
                       i64 step) {
  for (i64 i = first_element(); i < n; i += element_step()) {
    I offset[1];
    find_offsets(layout, (I)i, offset);
    i64 line = line_of(index[i], length);
    out[i] = line < 0 ? T() : x[(i64)offset[0] + line * step];
  }
}

// flat_places: p[.., j, ..] = the row-major place of x[.., index[.., j, ..], ..]; as above
template <class I>
__global__ void flat_places(const i64* index, i64* out, i64 n, Layout layout, i64 step) {
  for (i64 i = first_element(); i < n; i += element_step()) {
    I offset[1];
    find_offsets(layout, (I)i, offset);
    out[i] = (i64)offset[0] + index[i] * step;
  }
}

// ---- adding and reducing

__device__ __forceinline__ void add_atomically(float* to, float value) { atomicAdd(to, value); }
__device__ __forceinline__ void add_atomically(double* to, double value) { atomicAdd(to, value); }
__device__ __forceinline__ void add_atomically(int* to, int value) { atomicAdd(to, value); }
__device__ __forceinline__ void add_atomically(i64* to, i64 value) {
  atomicAdd((unsigned long long*)to, (unsigned long long)value);
}

// index_add: y[b, index[k], r] += v[b, k, r]; the order of additions varies but in sorted form
template <class T>
__global__ void index_add(const T* v, const i64* index, wide<T>* out, i64 blocks, i64 length,
                          i64 row, i64 count) {
  const i64 n = blocks * count * row;
  for (i64 i = first_element(); i < n; i += element_step()) {
    LinePlace from = line_place(i, count, row);
    i64 line = line_of(index[from.k], length);
    if (line >= 0) add_atomically(out + (from.block * length + line) * row + from.r, opened(v[i]));
  }
}

// index_reduce: y[index[k]] = F(y[index[k]], v[k]): F the product, the larger or the smaller one
struct Product {
  template <class A> static __device__ __forceinline__ A of(A a, A b) { return a * b; }
};
struct Larger {  // NaN wins
  template <class A> static __device__ __forceinline__ A of(A a, A b) {
    return a != a || a > b ? a : b;
  }
};
struct Smaller {
  template <class A> static __device__ __forceinline__ A of(A a, A b) {
    return a != a || a < b ? a : b;
  }
};

// The runs of equal numbers in `sorted`, whose lines of v stand in `order`; a run belongs to one
// line of y. One thread takes an element of a run's line, from the front: for long rows.
template <class F, class T>
__global__ void reduce_runs(const T* v, const i64* sorted, const i64* order, wide<T>* out,
                            i64 blocks, i64 length, i64 row, i64 count) {
  const i64 n = blocks * count * row;
  for (i64 i = first_element(); i < n; i += element_step()) {
    LinePlace at = line_place(i, count, row);
    const i64 number = sorted[at.k], line = line_of(number, length);
    if (line < 0 || (at.k > 0 && sorted[at.k - 1] == number)) continue;
    const T* from = v + at.block * count * row + at.r;
    wide<T> total = opened(from[order[at.k] * row]);
    for (i64 k = at.k + 1; k < count && sorted[k] == number; ++k)
      total = F::of(total, (wide<T>)opened(from[order[k] * row]));
    wide<T>* to = out + (at.block * length + line) * row + at.r;
    *to = F::of(*to, total);
  }
}

// One warp takes a run, so that a long one is no line of waiting: for short rows.
template <class F, class T>
__global__ void reduce_runs_by_warps(const T* v, const i64* sorted, const i64* order, wide<T>* out,
                                     i64 blocks, i64 length, i64 row, i64 count) {
  const int lane = threadIdx.x & 31;
  const i64 n = blocks * count * row;
  for (i64 i = first_element() / 32; i < n; i += element_step() / 32) {
    LinePlace at = line_place(i, count, row);
    const i64 number = sorted[at.k], line = line_of(number, length);
    if (line < 0 || (at.k > 0 && sorted[at.k - 1] == number)) continue;  // as the whole warp
    const T* from = v + at.block * count * row + at.r;
    wide<T> total = opened(from[order[at.k] * row]);
    bool any = lane == 0;  // the first lane holds the run's first value
    for (i64 k = at.k + (lane ? lane : 32); k < count && sorted[k] == number; k += 32) {
      wide<T> value = opened(from[order[k] * row]);
      total = any ? F::of(total, value) : value;
      any = true;
    }
#pragma unroll
    for (int bit = 16; bit > 0; bit >>= 1) {
      wide<T> other = __shfl_xor_sync(0xffffffffu, total, bit);
      bool others = __shfl_xor_sync(0xffffffffu, (int)any, bit);
      if (others) total = any ? (lane & bit ? F::of(other, total) : F::of(total, other)) : other;
      any |= others;
    }
    wide<T>* to = out + (at.block * length + line) * row + at.r;
    if (lane == 0) *to = F::of(*to, total);
  }
}

// ---- writing

// index_last: the largest k with index[k] = i; -1, with which y begins, where there is none
template <class U> __global__ void index_last(const U* index, int* last, i64 length, i64 count) {
  for (i64 k = first_element(); k < count; k += element_step()) {
    i64 line = line_of(index[k], length);
    if (line >= 0) atomicMax(last + line, (int)k);
  }
}

// index_put: y[b, index[k], r] = v[b, k, r], where k is the last that names its line
template <class T>
__global__ void index_put(const T* v, const i64* index, const int* last, T* out, i64 blocks,
                          i64 length, i64 row, i64 count) {
  const i64 n = blocks * count * row;
  for (i64 i = first_element(); i < n; i += element_step()) {
    LinePlace from = line_place(i, count, row);
    i64 line = line_of(index[from.k], length);
    if (line >= 0 && last[line] == from.k)
      out[(from.block * length + line) * row + from.r] = v[i];
  }
}

}  // namespace ag
