// Every atomic operation of the CUDA headers, on global and on shared memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

// cells: add, sub, min, max, and, or, xor, inc, dec, exch (of equal values), cas (count).
extern "C" __global__ void integers(const unsigned *x, unsigned *cells, int *signed_cells,
                                    unsigned long long *wide, int n) {
  __shared__ unsigned local[4];
  if (threadIdx.x < 4)
    local[threadIdx.x] = threadIdx.x == 1 ? ~0u : 0;
  __syncthreads();
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    unsigned v = x[i];
    atomicAdd(&cells[0], v);
    atomicSub(&cells[1], v);
    atomicMin(&cells[2], v);
    atomicMax(&cells[3], v);
    atomicAnd(&cells[4], v | 0xff);
    atomicOr(&cells[5], v & 0xff00ff);
    atomicXor(&cells[6], v);
    atomicInc(&cells[7], 36);
    atomicDec(&cells[8], 41);
    atomicExch(&cells[9], 77u);
    for (unsigned old = cells[10], seen;; old = seen) { // an addition by compare and swap
      seen = atomicCAS(&cells[10], old, old + (v & 7));
      if (seen == old)
        break;
    }
    atomicMin(&signed_cells[0], (int)v);
    atomicMax(&signed_cells[1], (int)v);
    atomicAdd(&wide[0], (unsigned long long)v << 20);
    atomicMin(&wide[1], (unsigned long long)v << 20);
    atomicMax((long long *)&wide[2], (long long)(int)v);
    atomicXor(&wide[3], (unsigned long long)v * 0x100000001ull);
    atomicCAS(&wide[4], 0ull, 5ull);
    atomicAdd_block(&local[0], v);
    atomicMin_block(&local[1], v);
    atomicMax_block(&local[2], v);
    atomicXor_block(&local[3], v);
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    atomicAdd_system(&cells[11], local[0]);
    atomicMin(&cells[12], local[1]);
    atomicMax(&cells[13], local[2]);
    atomicXor(&cells[14], local[3]);
  }
}

// Sums of small integers: exact in any order.
extern "C" __global__ void floats(const float *x, float *f, double *d, __half2 *h,
                                  __nv_bfloat162 *b, __half *h1, __nv_bfloat16 *b1) {
  __shared__ float local;
  __shared__ __half2 local_half;
  if (threadIdx.x == 0) {
    local = 0;
    local_half = __floats2half2_rn(0, 0);
  }
  __syncthreads();
  float v = x[blockIdx.x * blockDim.x + threadIdx.x];
  atomicAdd(&f[0], v);
  atomicAdd(&local, v);
  atomicAdd(&d[0], (double)v);
  if (threadIdx.x % 4 == 0) { // few enough for the sums to be exact in 16 bits
    atomicAdd(h, __floats2half2_rn(v, -v));
    atomicAdd(b, __floats2bfloat162_rn(v, 1.0f));
    atomicAdd(&local_half, __floats2half2_rn(1.0f, v));
    atomicAdd(h1, __float2half(v));
    atomicAdd(b1, __float2bfloat16(v));
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    atomicAdd(&f[1], local);
    atomicAdd(h + 1, local_half);
    atomicExch(&f[2], 2.5f);
  }
}

// What an atomic returns: each thread gets a ticket of its own.
extern "C" __global__ void tickets(unsigned *counter, unsigned *seen) {
  unsigned mine = atomicAdd(counter, 1u);
  seen[mine] = 1 + atomicAdd(&seen[mine], 0u);
}
