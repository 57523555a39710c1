// Votes, matches, warp reductions, shuffles in pieces of a warp, and barriers that count.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_runtime.h>

__device__ unsigned lanemask_lt() {
  unsigned mask;
  asm volatile("mov.u32 %0, %%lanemask_lt;" : "=r"(mask));
  return mask;
}

// 16 results per thread.
extern "C" __global__ void votes(const int *x, unsigned *out) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  int v = x[i];
  unsigned *o = out + i * 16;
  o[0] = __ballot_sync(~0u, v > 0);
  o[1] = __any_sync(~0u, v > 90);
  o[2] = __all_sync(~0u, v > -90);
  o[3] = __match_any_sync(~0u, v & 7);
  int same;
  o[4] = __match_all_sync(~0u, v, &same);
  o[5] = same;
  o[6] = __reduce_add_sync(~0u, (unsigned)v);
  o[7] = __reduce_min_sync(~0u, v);
  o[8] = __reduce_max_sync(~0u, (unsigned)v);
  o[9] = __reduce_and_sync(~0u, (unsigned)v | 0xf0);
  o[10] = __reduce_or_sync(~0u, (unsigned)v & 0xff);
  o[11] = __reduce_xor_sync(~0u, (unsigned)v);
  o[12] = __popc(__ballot_sync(~0u, v & 1) & lanemask_lt());
  o[13] = __syncthreads_count(v > 0);
  o[14] = __syncthreads_and(v > -100);
  o[15] = __syncthreads_or(v == 77);
}

// Parts of a warp vote among themselves while the others are elsewhere.
extern "C" __global__ void divergent_votes(const int *x, unsigned *out) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  int v = x[i];
  unsigned odd = __ballot_sync(~0u, v & 1);
  unsigned result;
  if (v & 1) {
    result = __ballot_sync(odd, v > 0);
    result += __shfl_sync(odd, v, __ffs(odd) - 1);
    result ^= __reduce_add_sync(odd, (unsigned)v);
  } else {
    result = __match_any_sync(~odd, (unsigned long long)v / 4);
    __syncwarp(~odd);
  }
  out[i] = result;
}

// Shuffles of 8, 32 and 64 bits with width 4, 8, 16; reading past the piece gives your own.
extern "C" __global__ void shuffles(const int *x, int *out, const double *d, double *dout) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  int v = x[i];
  int *o = out + i * 8;
  o[0] = __shfl_sync(~0u, v, i + 1, 4);
  o[1] = __shfl_up_sync(~0u, v, 3, 8);
  o[2] = __shfl_down_sync(~0u, v, 5, 16);
  o[3] = __shfl_xor_sync(~0u, v, 6, 8);
  o[4] = __shfl_xor_sync(~0u, v, 9, 8); // crosses pieces: the xor goes above, own value
  o[5] = __shfl_sync(~0u, v, v);
  o[6] = __shfl_down_sync(~0u, v, 31);
  unsigned predicate, value;
  asm volatile("{ .reg .pred p; shfl.sync.up.b32 %0|p, %2, 2, 0x1800, -1;"
               " selp.u32 %1, 1, 0, p; }"
               : "=r"(value), "=r"(predicate)
               : "r"(v));
  o[7] = (int)(value * 2 + predicate);
  dout[i] = __shfl_xor_sync(~0u, d[i], 17);
}
