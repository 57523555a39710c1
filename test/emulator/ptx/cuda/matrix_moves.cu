// ldmatrix, movmatrix and stmatrix: which lane gets which element.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_runtime.h>

__device__ unsigned shared_address(const void *p) { return (unsigned)__cvta_generic_to_shared(p); }

// Four 8 x 8 matrices, rows of 8 halfwords at places that `order` permutes. Each lane writes
// the registers it was given: x1, x2, x4, then the same transposed, 14 in all, and two more
// of movmatrix.
extern "C" __global__ void loads(const unsigned *in, const int *order, unsigned *out) {
  __shared__ __align__(16) unsigned tiles[32 * 4];
  int lane = threadIdx.x;
  for (int i = 0; i < 4; ++i)
    tiles[lane * 4 + i] = in[lane * 4 + i];
  __syncthreads();
  unsigned row = shared_address(tiles + order[lane] * 4);
  unsigned *o = out + lane * 16;
  unsigned r[14];
#define LOAD(at, trans)                                                                        \
  asm volatile("ldmatrix.sync.aligned.m8n8.x1" trans ".shared.b16 {%0}, [%1];"                 \
               : "=r"(r[at])                                                                   \
               : "r"(row));                                                                    \
  asm volatile("ldmatrix.sync.aligned.m8n8.x2" trans ".shared.b16 {%0,%1}, [%2];"              \
               : "=r"(r[at + 1]), "=r"(r[at + 2])                                              \
               : "r"(row));                                                                    \
  asm volatile("ldmatrix.sync.aligned.m8n8.x4" trans ".shared.b16 {%0,%1,%2,%3}, [%4];"        \
               : "=r"(r[at + 3]), "=r"(r[at + 4]), "=r"(r[at + 5]), "=r"(r[at + 6])            \
               : "r"(row));
  LOAD(0, "")
  LOAD(7, ".trans")
  for (int i = 0; i < 14; ++i)
    o[i] = r[i];
  asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(o[14]) : "r"(r[0]));
  asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(o[15]) : "r"(r[10]));
}

#if __CUDA_ARCH__ >= 900
// Each lane stores its registers: x1, x2, x4, and transposed; 14 matrices one after another.
extern "C" __global__ void stores(const unsigned *in, const int *order, unsigned *out) {
  __shared__ __align__(16) unsigned tiles[14 * 32];
  int lane = threadIdx.x;
  const unsigned *r = in + lane * 14;
  for (int at = 0; at < 14; at += 7) {
    unsigned base = shared_address(tiles + at * 32);
    unsigned one = base + order[lane % 8] * 16;
    unsigned two = base + 128 + (lane % 16 / 8 * 8 + order[lane % 8]) * 16;
    unsigned four = base + 384 + (lane / 8 * 8 + order[lane % 8]) * 16;
#define STORE(trans)                                                                           \
  asm volatile("stmatrix.sync.aligned.m8n8.x1" trans ".shared.b16 [%0], {%1};"                 \
               :                                                                               \
               : "r"(one), "r"(r[at])                                                          \
               : "memory");                                                                    \
  asm volatile("stmatrix.sync.aligned.m8n8.x2" trans ".shared.b16 [%0], {%1,%2};"              \
               :                                                                               \
               : "r"(two), "r"(r[at + 1]), "r"(r[at + 2])                                      \
               : "memory");                                                                    \
  asm volatile("stmatrix.sync.aligned.m8n8.x4" trans ".shared.b16 [%0], {%1,%2,%3,%4};"        \
               :                                                                               \
               : "r"(four), "r"(r[at + 3]), "r"(r[at + 4]), "r"(r[at + 5]), "r"(r[at + 6])     \
               : "memory");
    if (at == 0) {
      STORE("")
    } else {
      STORE(".trans")
    }
  }
  __syncthreads();
  for (int i = lane; i < 14 * 32; i += 32)
    out[i] = tiles[i];
}
#endif
