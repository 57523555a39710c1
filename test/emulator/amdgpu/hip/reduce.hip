// Sums of work-groups: by DPP and permutes within a wave, through LDS between waves.
#include "hip.h"

static __device__ float shuffleXor(float value, unsigned mask) {
  int lane = static_cast<int>(laneId() ^ mask);
  return __builtin_bit_cast(
      float, __builtin_amdgcn_ds_bpermute(lane << 2, __builtin_bit_cast(int, value)));
}

template <int control> static __device__ float moved(float value) {
  return __builtin_bit_cast(float, __builtin_amdgcn_update_dpp(
                                       0, __builtin_bit_cast(int, value), control, 0xf, 0xf, true));
}

extern "C" __global__ __launch_bounds__(256) void sums(const float *x, float *out, float *rows, unsigned n) {
  __shared__ float partial[8];
  unsigned i = at(), lanes = __builtin_amdgcn_wavefrontsize();
  float value = i < n ? x[i] : 0.0f;
  // Within 16 lanes: quad_perm and row rotations.
  float row = value + moved<0xb1>(value); // quad_perm:[1,0,3,2]
  row += moved<0x4e>(row);                // quad_perm:[2,3,0,1]
  row += moved<0x124>(row);               // row_ror:4
  row += moved<0x128>(row);               // row_ror:8
  if (laneId() % 16 == 0 && i < n)
    rows[i / 16] = row;
  for (unsigned mask = 16; mask < lanes; mask *= 2)
    row += shuffleXor(row, mask);
  unsigned wave = threadIdx().x / lanes;
  if (laneId() == 0)
    partial[wave] = row;
  sync();
  if (threadIdx().x == 0) {
    float total = 0;
    for (unsigned w = 0; w < blockDim().x / lanes; ++w)
      total += partial[w];
    out[blockIdx().x] = total;
  }
}

extern "C" __global__ void scan(const int *x, int *out) {
  int value = x[at()];
  // An inclusive sum of 16 lanes by row_shr.
  value += __builtin_amdgcn_update_dpp(0, value, 0x111, 0xf, 0xf, false);
  value += __builtin_amdgcn_update_dpp(0, value, 0x112, 0xf, 0xf, false);
  value += __builtin_amdgcn_update_dpp(0, value, 0x114, 0xf, 0xf, false);
  value += __builtin_amdgcn_update_dpp(0, value, 0x118, 0xf, 0xf, false);
  out[at()] = value;
}

extern "C" __global__ void votes(const int *x, uint64_t *ballots, int *first, int *swizzled) {
  int value = x[at()];
  uint64_t mask = __builtin_amdgcn_ballot_w64(value > 0);
  int of = __builtin_amdgcn_readfirstlane(value);
  if (laneId() == 0) {
    ballots[at() / __builtin_amdgcn_wavefrontsize()] = mask;
    first[at() / __builtin_amdgcn_wavefrontsize()] = of;
  }
  swizzled[at()] = __builtin_amdgcn_ds_swizzle(value, 0x041f); // lane ^ 1
}
