// Asynchronous copies to shared memory: their sizes, zero fill, and a pipelined product.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_fp16.h>
#include <cuda_runtime.h>

__device__ unsigned shared_address(const void *p) { return (unsigned)__cvta_generic_to_shared(p); }

// 32 lanes copy 4, 8 and 16 bytes each; lane i takes the first min(size, i) bytes of its
// source where the last form fills with zeros. An ignored source is not even read.
extern "C" __global__ void copies(const char *in, char *out) {
  __shared__ __align__(16) char to[7][512];
  int lane = threadIdx.x;
#define COPY(slot, kind, size)                                                                 \
  asm volatile("cp.async." kind ".shared.global [%0], [%1], " #size ";" ::"r"(                 \
                   shared_address(&to[slot][lane * size])),                                    \
               "l"(in + lane * size)                                                           \
               : "memory")
#define COPY_FILL(slot, kind, size, count, from)                                               \
  asm volatile("cp.async." kind ".shared.global [%0], [%1], " #size ", %2;" ::"r"(             \
                   shared_address(&to[slot][lane * size])),                                    \
               "l"(from), "r"(count)                                                           \
               : "memory")
  COPY(0, "ca", 4);
  COPY(1, "ca", 8);
  asm volatile("cp.async.commit_group;" ::: "memory");
  COPY(2, "ca", 16);
  COPY(3, "cg", 16);
  asm volatile("cp.async.commit_group;" ::: "memory");
  COPY_FILL(4, "cg", 16, min(lane, 16), in + lane * 16);
  COPY_FILL(5, "ca", 8, min(lane, 8), in + lane * 8);
  COPY_FILL(6, "ca", 4, lane % 2 * 4, lane % 2 ? in + lane * 4 : in);
  asm volatile("cp.async.commit_group;" ::: "memory");
  // Each wait lets one group more be read.
  asm volatile("cp.async.wait_group 2;" ::: "memory");
  __syncthreads();
  for (int i = lane; i < 128; i += 32)
    out[i] = to[0][i];
  for (int i = lane; i < 256; i += 32)
    out[512 + i] = to[1][i];
  asm volatile("cp.async.wait_group 1;" ::: "memory");
  __syncthreads();
  for (int i = lane; i < 512; i += 32) {
    out[1024 + i] = to[2][i];
    out[1536 + i] = to[3][i];
  }
  asm volatile("cp.async.wait_all;" ::: "memory");
  __syncthreads();
  for (int i = lane; i < 512; i += 32)
    out[2048 + i] = to[4][i];
  for (int i = lane; i < 256; i += 32)
    out[2560 + i] = to[5][i];
  for (int i = lane; i < 128; i += 32)
    out[3072 + i] = to[6][i];
}

constexpr int BM = 64, BN = 64, BK = 32, Stages = 3, PadA = BK + 8, PadB = BN + 8;

// c = a @ b, a [m, k], b [k, n]; m and n are ragged, k a multiple of 8. Four warps, each
// 32 x 32 of the tile; ldmatrix for both, transposed for b.
extern "C" __global__ void __launch_bounds__(128) product(const half *a, const half *b,
                                                          float *c, int m, int n, int k) {
  extern __shared__ __align__(16) half stages[];
  half *as = stages, *bs = stages + Stages * BM * PadA;
  int thread = threadIdx.x, lane = thread % 32, warp = thread / 32;
  int row = blockIdx.y * BM, column = blockIdx.x * BN;
  auto fetch = [&](int tile, int stage) {
    for (int i = thread; i < BM * BK / 8; i += 128) {
      int r = i / (BK / 8), x = i % (BK / 8) * 8;
      bool inside = row + r < m && tile * BK + x < k;
      const half *from = a + (inside ? (row + r) * k + tile * BK + x : 0);
      asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(
                       shared_address(as + (stage * BM + r) * PadA + x)),
                   "l"(from), "r"(inside ? 16 : 0)
                   : "memory");
    }
    for (int i = thread; i < BK * BN / 8; i += 128) {
      int r = i / (BN / 8), x = i % (BN / 8) * 8;
      bool inside = tile * BK + r < k && column + x < n;
      const half *from = b + (inside ? (tile * BK + r) * n + column + x : 0);
      asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(
                       shared_address(bs + (stage * BK + r) * PadB + x)),
                   "l"(from), "r"(inside ? 16 : 0)
                   : "memory");
    }
  };
  float sum[2][4][4] = {};
  int tiles = (k + BK - 1) / BK;
  for (int s = 0; s < Stages - 1; ++s) {
    if (s < tiles)
      fetch(s, s);
    asm volatile("cp.async.commit_group;" ::: "memory");
  }
  for (int tile = 0; tile < tiles; ++tile) {
    asm volatile("cp.async.wait_group %0;" ::"n"(Stages - 2) : "memory");
    __syncthreads();
    int next = tile + Stages - 1;
    if (next < tiles)
      fetch(next, next % Stages);
    asm volatile("cp.async.commit_group;" ::: "memory");
    int stage = tile % Stages;
    for (int step = 0; step < BK; step += 16) {
      unsigned x[2][4], y[2][4];
      for (int i = 0; i < 2; ++i) {
        const half *at = as + (stage * BM + warp / 2 * 32 + i * 16 + lane % 16) * PadA + step +
                         lane / 16 * 8;
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(x[i][0]), "=r"(x[i][1]), "=r"(x[i][2]), "=r"(x[i][3])
                     : "r"(shared_address(at)));
      }
      for (int j = 0; j < 2; ++j) {
        const half *at = bs + (stage * BK + step + lane % 16) * PadB + warp % 2 * 32 + j * 16 +
                         lane / 16 * 8;
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(y[j][0]), "=r"(y[j][1]), "=r"(y[j][2]), "=r"(y[j][3])
                     : "r"(shared_address(at)));
      }
      for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 4; ++j) {
          float *d = sum[i][j];
          asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3},"
                       " {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                       : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                       : "r"(x[i][0]), "r"(x[i][1]), "r"(x[i][2]), "r"(x[i][3]),
                         "r"(y[j / 2][j % 2 * 2]), "r"(y[j / 2][j % 2 * 2 + 1]));
        }
    }
  }
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 4; ++j)
      for (int e = 0; e < 4; ++e) {
        int r = row + warp / 2 * 32 + i * 16 + lane / 4 + e / 2 * 8;
        int x = column + warp % 2 * 32 + j * 8 + lane % 4 * 2 + e % 2;
        if (r < m && x < n)
          c[r * n + x] = sum[i][j][e];
      }
}
