// A matrix product by specialised warp groups: one warp of the first loads by TMA and gives
// registers away, two others multiply, and store their tile by TMA. A persistent grid.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "wgmma.cuh"

constexpr int BM = 128, BN = 128, BK = 64, Stages = 3;

struct Storage {
  alignas(1024) uint16_t a[Stages][BM * BK];
  alignas(1024) uint16_t b[Stages][BK * BN]; // two panels of 64 columns
  alignas(1024) uint16_t c[2][2][64 * 64];   // of each consumer, two panels
  uint64_t full[Stages], empty[Stages];
};

// c = a @ b: a [m, k], b [k, n], c [m, n], all f16 and row-major, ragged everywhere.
extern "C" __global__ void __launch_bounds__(384)
    product(const __grid_constant__ CUtensorMap a, const __grid_constant__ CUtensorMap b,
            const __grid_constant__ CUtensorMap c, int m, int n, int k) {
  extern __shared__ __align__(1024) unsigned char bytes[];
  Storage &s = *(Storage *)bytes;
  int group = threadIdx.x / 128, lane = threadIdx.x % 32, warp = threadIdx.x % 128 / 32;
  if (threadIdx.x == 0) {
    for (int i = 0; i < Stages; ++i) {
      barrier_init(&s.full[i], 1);
      barrier_init(&s.empty[i], 8); // the consumers' warps
    }
    barrier_fence();
  }
  __syncthreads();
  int across = (n + BN - 1) / BN, tiles = (m + BM - 1) / BM * across, depth = (k + BK - 1) / BK;
  int stage = 0, phase = 0;
  auto advance = [&] {
    if (++stage == Stages) {
      stage = 0;
      phase ^= 1;
    }
  };
  if (group == 0) {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
    if (warp == 0 && elect_one())
      for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x)
        for (int step = 0; step < depth; ++step, advance()) {
          barrier_wait(&s.empty[stage], phase ^ 1);
          barrier_expect(&s.full[stage], (BM + BN) * BK * 2);
          int row = tile / across * BM, column = tile % across * BN;
          tma_load_2d(s.a[stage], &a, &s.full[stage], step * BK, row);
          tma_load_2d(s.b[stage], &b, &s.full[stage], column, step * BK);
          tma_load_2d(s.b[stage] + BK * 64, &b, &s.full[stage], column + 64, step * BK);
        }
    return;
  }
  asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
  int consumer = group - 1;
  for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    float d[64];
    for (int step = 0; step < depth; ++step, advance()) {
      barrier_wait(&s.full[stage], phase);
      wgmma_fence();
      uint32_t left = shared_address(s.a[stage]) + consumer * 64 * 128;
      uint32_t right = shared_address(s.b[stage]);
      for (int part = 0; part < BK / 16; ++part)
        WGMMA_SHARED_64("m64n128k16.f32.f16.f16", ", 1, 1, 0, 1", "f", d,
                        descriptor(left + part * 32, 16, 1024, 128),
                        descriptor(right + part * 2048, 64 * 128, 1024, 128), int(step + part > 0));
      wgmma_commit();
      wgmma_wait<0>();
      if (lane == 0)
        barrier_arrive(&s.empty[stage]);
    }
    // The panels of the last tile must have been read before they are written again.
    if (threadIdx.x % 128 == 0)
      bulk_wait_read<0>();
    asm volatile("bar.sync %0, 128;" ::"r"(1 + consumer) : "memory");
    for (int i = 0; i < 64; i += 8) {
      // Four matrices of 8 x 8: rows 0 and 8, columns 0 and 8 of the 16 x 16 at column i * 2.
      unsigned x[4];
      for (int j = 0; j < 4; ++j)
        asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(x[j]) : "f"(d[i + 2 * j + 1]), "f"(d[i + 2 * j]));
      int row = warp * 16 + lane % 16, column = i * 2 + lane / 16 * 8;
      int at = row * 128 + column % 64 * 2;
      uint32_t to = shared_address(s.c[consumer][column / 64]) + (at ^ row % 8 << 4);
      asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(to),
                   "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3])
                   : "memory");
    }
    proxy_fence();
    asm volatile("bar.sync %0, 128;" ::"r"(1 + consumer) : "memory");
    if (threadIdx.x % 128 == 0) {
      int row = tile / across * BM + consumer * 64, column = tile % across * BN;
      tma_store_2d(&c, s.c[consumer][0], column, row);
      tma_store_2d(&c, s.c[consumer][1], column + 64, row);
      bulk_commit();
    }
  }
  if (threadIdx.x % 128 == 0)
    bulk_wait<0>();
}
