// Prefix sums: within a block, and over blocks by waiting for the block before.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_runtime.h>

__device__ int scan_block(int value, int *warps, int *total) {
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  for (int step = 1; step < 32; step *= 2) {
    int below = __shfl_up_sync(~0u, value, step);
    if (lane >= step)
      value += below;
  }
  if (lane == 31)
    warps[warp] = value;
  __syncthreads();
  if (warp == 0) {
    int sum = lane < blockDim.x / 32 ? warps[lane] : 0;
    for (int step = 1; step < 32; step *= 2) {
      int below = __shfl_up_sync(~0u, sum, step);
      if (lane >= step)
        sum += below;
    }
    warps[lane] = sum;
  }
  __syncthreads();
  *total = warps[blockDim.x / 32 - 1];
  return warp ? value + warps[warp - 1] : value;
}

// Each block scans its own piece.
extern "C" __global__ void scan_pieces(const int *x, int *out, int n) {
  __shared__ int warps[32];
  int total;
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  int sum = scan_block(i < n ? x[i] : 0, warps, &total);
  if (i < n)
    out[i] = sum;
}

// One pass over everything: blocks take tickets, publish their sums with a flag, and look
// back until they meet a block that knows its prefix. status: 0 nothing, 1 sum, 2 prefix.
extern "C" __global__ void scan_all(const int *x, int *out, int n, unsigned *ticket,
                                    volatile int *status, volatile int *sums,
                                    volatile int *prefixes) {
  __shared__ int warps[32];
  __shared__ unsigned block;
  __shared__ int before;
  if (threadIdx.x == 0)
    block = atomicAdd(ticket, 1u);
  __syncthreads();
  int b = block, total;
  int i = b * blockDim.x + threadIdx.x;
  int sum = scan_block(i < n ? x[i] : 0, warps, &total);
  if (threadIdx.x == 0) {
    int prefix = 0;
    if (b) {
      sums[b] = total;
      __threadfence();
      status[b] = 1;
      for (int at = b - 1;;) {
        int seen = status[at];
        if (seen == 0)
          continue; // spins until the other block has published
        __threadfence();
        prefix += seen == 2 ? prefixes[at] : sums[at];
        if (seen == 2)
          break;
        --at;
      }
    }
    prefixes[b] = prefix + total;
    __threadfence();
    status[b] = 2;
    before = prefix;
  }
  __syncthreads();
  if (i < n)
    out[i] = before + sum;
}
