// A histogram: atomics on shared memory, then on global memory; and by match_any.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_runtime.h>

extern "C" __global__ void histogram(const unsigned char *data, unsigned *bins, int n) {
  __shared__ unsigned local[256];
  for (int i = threadIdx.x; i < 256; i += blockDim.x)
    local[i] = 0;
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    atomicAdd(&local[data[i]], 1u);
  __syncthreads();
  for (int i = threadIdx.x; i < 256; i += blockDim.x)
    if (local[i])
      atomicAdd(&bins[i], local[i]);
}

// The lowest lane of those with equal values counts for them all.
extern "C" __global__ void histogram_match(const unsigned char *data, unsigned *bins, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  unsigned active = __activemask();
  unsigned peers = __match_any_sync(active, (unsigned)data[i]);
  if (threadIdx.x % 32 == __ffs(peers) - 1)
    atomicAdd(&bins[data[i]], __popc(peers));
}
