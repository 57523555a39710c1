// Warps with different work that meet at numbered barriers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_runtime.h>

__device__ void meet(int barrier, int count) {
  asm volatile("bar.sync %0, %1;" ::"r"(barrier), "r"(count) : "memory");
}
__device__ void tell(int barrier, int count) {
  asm volatile("bar.arrive %0, %1;" ::"r"(barrier), "r"(count) : "memory");
}

// Two warps produce, two consume, by way of two buffers: "full" barriers 1 and 2, "empty"
// barriers 3 and 4, all of 128 threads.
extern "C" __global__ void pipeline(const int *in, int *out, int steps) {
  __shared__ int buffer[2][64];
  int lane = threadIdx.x % 64;
  if (threadIdx.x < 64) {
    for (int step = 0; step < steps; ++step) {
      int slot = step % 2;
      if (step >= 2)
        meet(3 + slot, 128);
      buffer[slot][lane] = in[(blockIdx.x * steps + step) * 64 + lane] * 3;
      tell(1 + slot, 128);
    }
  } else {
    for (int step = 0; step < steps; ++step) {
      int slot = step % 2;
      meet(1 + slot, 128);
      out[(blockIdx.x * steps + step) * 64 + lane] = buffer[slot][63 - lane] + step;
      if (step + 2 < steps)
        tell(3 + slot, 128);
    }
  }
}

// Pairs of warps use a barrier each, one that they count among themselves; the numbers of the
// barriers are data.
extern "C" __global__ void pairs(const int *in, int *out) {
  __shared__ int local[128];
  int pair = threadIdx.x / 64;
  int i = threadIdx.x;
  for (int round = 0; round < 1 + pair * 2; ++round) { // pairs loop differently
    local[i] = in[i] + round;
    meet(5 + pair * 7, 64);
    int other = local[i ^ 33];
    meet(5 + pair * 7, 64);
    out[round * 128 + i] = other;
  }
  // bar.red over a named barrier and a part of the block.
  int count;
  asm volatile("{ .reg .pred p; setp.gt.s32 p, %1, 0; bar.red.popc.u32 %0, %2, 64, p; }"
               : "=r"(count)
               : "r"(in[i]), "r"(5 + pair * 7)
               : "memory");
  out[3 * 128 + i] = count;
}

// Threads that have returned no longer count at barrier 0.
extern "C" __global__ void leavers(const int *in, int *out) {
  __shared__ int local[96];
  if (threadIdx.x >= 96)
    return;
  local[threadIdx.x] = in[threadIdx.x];
  asm volatile("bar.sync 0, 96;" ::: "memory");
  out[threadIdx.x] = local[95 - threadIdx.x];
}
