// Where the strided form of elementwise kernels looks for its operands.
#include "elementwise.cuh"

using namespace ag;

extern "C" __global__ void places(Layout layout, i64* out, i64 first, i64 n) {
  for (i64 i = first_element(); i < n; i += element_step()) {
    i64 found[2];
    places_of(layout, (unsigned)(first + i), found);
    out[2 * i] = found[0];
    out[2 * i + 1] = found[1];
  }
}
