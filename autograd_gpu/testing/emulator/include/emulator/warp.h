// What the lanes of a warp do together: shuffles, votes, the warp's barrier.
#pragma once

namespace emulator {

template <class T> inline T shuffle(unsigned mask, T value, int source) {
  static_assert(sizeof(T) <= 8, "a shuffle moves at most 8 bytes");
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof value);
  bits = sync_warp(WarpOp::shuffle, mask, bits, source);
  memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace emulator

inline void __syncwarp(unsigned mask = 0xffffffffu) {
  emulator::sync_warp(emulator::WarpOp::sync, mask, 0, 0);
}

// In each: `width` lanes form a group; a lane that would read beyond its group reads itself.
template <class T> inline T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
  int first = emulator::lane() & ~(width - 1);
  return emulator::shuffle(mask, value, first + (source & (width - 1)));
}
template <class T> inline T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32) {
  int me = emulator::lane(), source = me ^ bits;
  return emulator::shuffle(mask, value, source / width > me / width ? me : source);
}
template <class T> inline T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32) {
  int me = emulator::lane(), source = me + int(by);
  return emulator::shuffle(mask, value, source / width != me / width ? me : source);
}
template <class T> inline T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32) {
  int me = emulator::lane(), source = me - int(by);
  return emulator::shuffle(mask, value, source < (me & ~(width - 1)) ? me : source);
}

inline unsigned __ballot_sync(unsigned mask, int vote) {
  return unsigned(emulator::sync_warp(emulator::WarpOp::ballot, mask, vote != 0, 0));
}
inline int __any_sync(unsigned mask, int vote) { return __ballot_sync(mask, vote) != 0; }
inline int __all_sync(unsigned mask, int vote) { return __ballot_sync(mask, vote) == mask; }
