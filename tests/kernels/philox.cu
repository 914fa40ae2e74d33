// The words of philox.cuh for any counter and key, for the known answers.
#include "philox.cuh"

__global__ void philox_words(const unsigned* counters, const unsigned* keys, unsigned* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const unsigned* c = counters + 4 * i;
  const ag::Words words =
      ag::philox({{c[0], c[1], c[2], c[3]}}, keys[2 * i], keys[2 * i + 1]);
  for (int k = 0; k < 4; ++k) out[4 * i + k] = words.x[k];
}
