// Sums and maxima: a loop over the grid, shuffles within a warp, shared memory between warps.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_runtime.h>

// One partial sum per block; n need not be a multiple of anything.
extern "C" __global__ void sum_blocks(const float *x, float *out, int n) {
  __shared__ float partial[32];
  float sum = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    sum += x[i];
  for (int step = 16; step; step /= 2)
    sum += __shfl_down_sync(~0u, sum, step);
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  if (lane == 0)
    partial[warp] = sum;
  __syncthreads();
  if (warp == 0) {
    sum = lane < (blockDim.x + 31) / 32 ? partial[lane] : 0.0f;
    for (int step = 16; step; step /= 2)
      sum += __shfl_xor_sync(~0u, sum, step);
    if (lane == 0)
      out[blockIdx.x] = sum;
  }
}

// The whole sum in f64, by an atomic addition per warp.
extern "C" __global__ void sum_double(const double *x, double *out, long long n) {
  double sum = 0;
  for (long long i = blockIdx.x * blockDim.x + threadIdx.x; i < n;
       i += (long long)gridDim.x * blockDim.x)
    sum += x[i];
  for (int step = 1; step < 32; step *= 2)
    sum += __shfl_xor_sync(~0u, sum, step);
  if (threadIdx.x % 32 == 0)
    atomicAdd(out, sum);
}

// The largest element and the first place where it is, packed into one 64-bit maximum.
extern "C" __global__ void argmax(const float *x, unsigned long long *out, int n) {
  unsigned long long best = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    unsigned bits = __float_as_uint(x[i]);
    bits = bits & 0x80000000u ? ~bits : bits | 0x80000000u; // ordered as the floats are
    unsigned long long key = (unsigned long long)bits << 32 | (0xffffffffu - i);
    best = max(best, key);
  }
  for (int step = 16; step; step /= 2) {
    unsigned long long other = __shfl_down_sync(~0u, best, step);
    best = max(best, other);
  }
  if (threadIdx.x % 32 == 0)
    atomicMax(out, best);
}
