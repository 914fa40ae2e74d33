// Losses of classes: cross-entropy and the negative log likelihood, forward and backward. An item
// (see there) is a sample, `size` the number of classes. A target that is `ignore` does not count;
// the place of the first that is no class goes to `bad`, one number a block.
#include "groups.cuh"

namespace ag {

enum Reduction { NONE, MEAN, SUM };
constexpr i64 NOWHERE = 0x7fffffffffffffffLL;

// ---- what a loss is summed up in

template <class A> struct Tally {
  A loss, weight;
  i64 bad;
};
template <class A> __device__ __forceinline__ Tally<A> from_lane(const Tally<A>& value, int bit) {
  return {from_lane(value.loss, bit), from_lane(value.weight, bit), from_lane(value.bad, bit)};
}
struct AddTally {
  template <class A> static __device__ __forceinline__ Tally<A> none() { return {0, 0, NOWHERE}; }
  template <class A>
  static __device__ __forceinline__ Tally<A> of(const Tally<A>& a, const Tally<A>& b) {
    return {a.loss + b.loss, a.weight + b.weight, a.bad < b.bad ? a.bad : b.bad};
  }
};

__device__ __forceinline__ i64 this_block() { return (i64)blockIdx.y * gridDim.x + blockIdx.x; }
__device__ __forceinline__ bool first_thread() { return threadIdx.x == 0 && threadIdx.y == 0; }

// Every thread gets the block's tally, whose sums go to `partial` for a second launch; a single
// block ends the loss itself.
template <class T>
__device__ __forceinline__ Tally<wide<T>> end_block(const Tally<wide<T>>& mine, T* out,
                                                    wide<T>* partial, i64* bad, int reduction) {
  typedef wide<T> A;
  const Tally<A> all = whole_block<AddTally>(mine, AddTally::none<A>());
  if (first_thread()) {
    bad[this_block()] = all.bad;
    if (partial) {
      partial[this_block()] = all.loss;
      partial[gridDim.x * gridDim.y + this_block()] = all.weight;
    } else if (reduction != NONE) {
      out[0] = narrow<T>(reduction == MEAN ? all.loss / all.weight : all.loss);
    }
  }
  return all;
}

// The tally of all blocks of a first launch; every thread of a block gets it.
template <class A> __device__ __forceinline__ Tally<A> tally_of(const A* partial, i64 blocks) {
  Tally<A> mine = AddTally::none<A>();
  for (i64 k = threadIdx.x; k < blocks; k += blockDim.x) {
    mine.loss += partial[k];
    mine.weight += partial[blocks + k];
  }
  return whole_block<AddTally>(mine, AddTally::none<A>());
}

// The weight of a class in the loss; NaN where it is no class.
template <class T>
__device__ __forceinline__ wide<T> weight_of(const T* weight, i64 target, i64 size) {
  typedef wide<T> A;
  if ((unsigned long long)target >= (unsigned long long)size) return A(0) / A(0);
  return weight ? widen(weight[target]) : A(1);
}

// ---- cross-entropy

// The loss of one item, known to all threads of its group; `own`: the weight of its class.
template <class G, class T>
__device__ __forceinline__ wide<T> entropy(const Item<G>& item, const T* x, i64 target,
                                           const T* weight, const Powers<wide<T>>& all,
                                           wide<T> own, wide<T> smoothing) {
  typedef wide<T> A;
  const A log_sum = log(all.sum);
  A others = 0;
  if (smoothing != A(0)) {
    item.each([&](i64 c, i64 at) {
      others += (all.top - widen(x[at]) + log_sum) * (weight ? widen(weight[c]) : A(1));
    });
    others = G::template reduce<Sum>(others, A(0)) * (smoothing / A(item.size));
  }
  if (target < 0 || target >= item.size) return own;
  const A loss = (all.top - widen(x[item.begin + target * item.stride]) + log_sum) * own;
  return smoothing != A(0) ? (A(1) - smoothing) * loss + others : loss;
}

// cross_entropy: w_t (1 - e) (ln sum e^x - x_t) + e / n sum w (ln sum e^x - x), summed or averaged
template <class G, class T>
__global__ void __launch_bounds__(MOST_THREADS, 1)
    cross_entropy(const T* x, const i64* target, const T* weight, T* out, wide<T>* tops,
                  wide<T>* sums, wide<T>* total, wide<T>* partial, i64* bad, i64 slabs, i64 size,
                  i64 across, i64 ignore, wide<T> smoothing, int reduction) {
  typedef wide<T> A;
  Tally<A> tally = AddTally::none<A>();
#pragma unroll 1
  for (i64 slab = blockIdx.y; slab < slabs; slab += gridDim.y)
#pragma unroll 1
    for (i64 first = G::first(); first < across; first += G::step()) {
      const Item<G> item(slab, first, size, across);
      Powers<A> all = PowerSum::none<A>();
      item.each([&](i64, i64 at) { PowerSum::put(all, widen(x[at])); });
      all = G::template reduce<PowerSum>(all, PowerSum::none<A>());
      all.sum += all.top - all.top;  // NaN if an x is infinite
      const i64 t = item.live ? target[item.number] : ignore;
      const A own = t == ignore ? A(0) : weight_of(weight, t, size);
      A loss = entropy(item, x, t == ignore ? -1 : t, weight, all, own, smoothing);
      if (!item.live || G::member() != 0) continue;
      if (t == ignore) loss = 0;  // not the smoothed part either
      tops[item.number] = all.top;
      sums[item.number] = all.sum;
      if (reduction == NONE) out[item.number] = narrow<T>(loss);
      if (t != ignore && (t < 0 || t >= size) && item.number < tally.bad) tally.bad = item.number;
      tally.loss += loss;
      tally.weight += own;
    }
  tally = end_block(tally, out, partial, bad, reduction);
  if (total && !partial && first_thread()) total[0] = tally.weight;
}

template <class T>
__global__ void cross_entropy_total(const wide<T>* partial, T* out, wide<T>* total, i64 blocks,
                                    int reduction) {
  const Tally<wide<T>> all = tally_of(partial, blocks);
  if (threadIdx.x) return;
  if (total) total[0] = all.weight;
  out[0] = narrow<T>(reduction == MEAN ? all.loss / all.weight : all.loss);
}

// cross_entropy_backward: g w_t (1 - e) (p - 1 at t) + g e / n (p sum w - w), p the softmax of x
template <class G, class T>
__global__ void __launch_bounds__(MOST_THREADS, 1)
    cross_entropy_backward(const T* g, const T* x, const i64* target, const T* weight,
                           const wide<T>* tops, const wide<T>* sums, const wide<T>* total, T* out,
                           i64 slabs, i64 size, i64 across, i64 ignore, wide<T> smoothing,
                           int reduction) {
  typedef wide<T> A;
#pragma unroll 1
  for (i64 slab = blockIdx.y; slab < slabs; slab += gridDim.y)
#pragma unroll 1
    for (i64 first = G::first(); first < across; first += G::step()) {
      const Item<G> item(slab, first, size, across);
      A weights = A(size);
      if (smoothing != A(0) && weight) {
        weights = 0;
        item.each([&](i64 c, i64) { weights += widen(weight[c]); });
        weights = G::template reduce<Sum>(weights, A(0));
      }
      if (!item.live) continue;
      const i64 t = target[item.number];
      const A top = tops[item.number], sum = sums[item.number];
      A grad = widen(g[reduction == NONE ? item.number : 0]);
      if (reduction == MEAN) grad = total[0] == A(0) ? A(0) : grad / total[0];
      if (t == ignore) grad = 0;
      const A own = t == ignore ? A(0) : grad * weight_of(weight, t, size) * (A(1) - smoothing);
      const A others = grad * (smoothing / A(size));
      item.each([&](i64 c, i64 at) {
        const A p = exp(widen(x[at]) - top) / sum;
        A value = own * (c == t ? p - A(1) : p);
        if (smoothing != A(0)) value += others * (p * weights - (weight ? widen(weight[c]) : A(1)));
        out[at] = narrow<T>(value);
      });
    }
}

// ---- the negative log likelihood

// Where the score of a sample of a class lies in an array (outer, size, inner).
__device__ __forceinline__ i64 place_of(i64 item, i64 target, i64 size, i64 inner) {
  const i64 outer = inner == 1 ? item : item / inner;
  return item + (outer * (size - 1) + target) * inner;
}

// nll_loss: -w_t x_t, summed or averaged
template <class T>
__global__ void __launch_bounds__(MOST_THREADS, 1)
    nll_loss(const T* x, const i64* target, const T* weight, T* out, i64* index, wide<T>* factor,
             wide<T>* partial, i64* bad, i64 items, i64 size, i64 inner, i64 ignore,
             int reduction) {
  typedef wide<T> A;
  Tally<A> tally = AddTally::none<A>();
#pragma unroll 1
  for (i64 i = first_element(); i < items; i += element_step()) {
    const i64 t = target[i];
    const bool counts = t != ignore, known = t >= 0 && t < size;
    const A own = counts ? weight_of(weight, t, size) : A(0);
    A loss = own;
    if (counts && known) loss = -widen(x[place_of(i, t, size, inner)]) * own;
    if (counts && !known && i < tally.bad) tally.bad = i;
    if (reduction == NONE) out[i] = narrow<T>(loss);
    index[i] = counts && known ? t : 0;
    factor[i] = -own;
    tally.loss += loss;
    tally.weight += own;
  }
  tally = end_block(tally, out, partial, bad, reduction);
  if (partial || reduction != MEAN) return;
#pragma unroll 1
  for (i64 i = first_element(); i < items; i += element_step())
    factor[i] = tally.weight == A(0) ? A(0) : factor[i] / tally.weight;
}

template <class T>
__global__ void nll_loss_total(const wide<T>* partial, T* out, wide<T>* factor, i64 blocks,
                               i64 items, int reduction) {
  typedef wide<T> A;
  const Tally<A> all = tally_of(partial, blocks);
  if (blockIdx.x == 0 && threadIdx.x == 0)
    out[0] = narrow<T>(reduction == MEAN ? all.loss / all.weight : all.loss);
  if (reduction == MEAN)
#pragma unroll 1
    for (i64 i = first_element(); i < items; i += element_step())
      factor[i] = all.weight == A(0) ? A(0) : factor[i] / all.weight;
}

// nll_loss_backward: g f at t, 0 elsewhere; f = -w_t, divided by the sum of w for the mean
template <class T>
__global__ void nll_loss_backward(const T* g, const i64* index, const wide<T>* factor, T* out,
                                  i64 n, i64 size, i64 inner, wide<T> number, bool each) {
#pragma unroll 1
  for (i64 k = first_element(); k < n; k += element_step()) {
    const i64 before = inner == 1 ? k : k / inner, outer = before / size;
    const i64 item = outer * inner + (k - before * inner);
    T value = narrow<T>(0);
    if (index[item] == before - outer * size)
      value = narrow<T>(widen(g[each ? item : 0]) * (factor ? factor[item] : number));
    out[k] = value;
  }
}

}  // namespace ag
