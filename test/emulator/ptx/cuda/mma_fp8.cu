// mma.sync of 8-bit floats, which sm_89 brought: m16n8k32, all four pairs of formats.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_runtime.h>

__device__ unsigned word(const unsigned char *at) { return *(const unsigned *)at; }

#define KERNEL(name, types)                                                                    \
  extern "C" __global__ void name(const unsigned char *a, const unsigned char *b, float *d,    \
                                  int n, int k) {                                              \
    int group = threadIdx.x / 4, thread = threadIdx.x % 4;                                     \
    const unsigned char *top = a + (blockIdx.y * 16 + group) * k + thread * 4;                 \
    const unsigned char *low = top + 8 * k;                                                    \
    const unsigned char *right = b + (blockIdx.x * 8 + group) * k + thread * 4;                \
    float sum[4] = {0, 0, 0, 0};                                                               \
    for (int at = 0; at < k; at += 32)                                                         \
      asm volatile("mma.sync.aligned.m16n8k32.row.col.f32." types ".f32 {%0,%1,%2,%3},"        \
                   " {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"                                   \
                   : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])                    \
                   : "r"(word(top + at)), "r"(word(low + at)), "r"(word(top + at + 16)),       \
                     "r"(word(low + at + 16)), "r"(word(right + at)),                          \
                     "r"(word(right + at + 16)));                                              \
    float *out = d + (blockIdx.y * 16 + group) * n + blockIdx.x * 8 + thread * 2;              \
    out[0] = sum[0];                                                                           \
    out[1] = sum[1];                                                                           \
    out[8 * n] = sum[2];                                                                       \
    out[8 * n + 1] = sum[3];                                                                   \
  }
KERNEL(e4m3_e4m3, "e4m3.e4m3")
KERNEL(e5m2_e5m2, "e5m2.e5m2")
KERNEL(e4m3_e5m2, "e4m3.e5m2")
KERNEL(e5m2_e4m3, "e5m2.e4m3")
