// Cooperative groups: tiles of a warp, lanes that happen to be together, and the whole grid.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cooperative_groups/scan.h>
#include <cuda/atomic>

namespace cg = cooperative_groups;

extern "C" __global__ void tiles(const int *in, int *out, int n) {
  cg::thread_block block = cg::this_thread_block();
  auto warp = cg::tiled_partition<32>(block);
  auto half = cg::tiled_partition<16>(warp);
  auto four = cg::tiled_partition<4>(half);
  int i = block.group_index().x * block.size() + block.thread_rank();
  int v = i < n ? in[i] : 0;
  int *o = out + i * 8;
  int results[8];
  results[0] = cg::reduce(warp, v, cg::plus<int>());
  results[1] = cg::reduce(half, v, cg::greater<int>());
  results[2] = four.shfl(v, 2) + four.meta_group_rank();
  results[3] = cg::inclusive_scan(half, v);
  results[4] = cg::exclusive_scan(warp, v, cg::plus<int>());
  results[5] = four.ballot(v > 0) | four.any(v > 50) << 8;
  results[6] = 0;
  if (v % 3 == 0) { // those that come here form a group
    auto together = cg::coalesced_threads();
    results[6] = together.size() * 1000 + together.thread_rank();
  }
  auto sign = cg::binary_partition(warp, v > 0);
  results[7] = sign.size();
  block.sync();
  if (i < n)
    for (int j = 0; j < 8; ++j)
      o[j] = results[j];
}

// A barrier of all blocks made by hand: each block adds one, the last opens the gate. Three
// rounds of neighbours' sums, each of which needs all of the last.
extern "C" __global__ void grid_rounds(int *even, int *odd, unsigned *arrived,
                                       unsigned *generation, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  for (int round = 0; round < 3; ++round) {
    int *from = round % 2 ? odd : even, *to = round % 2 ? even : odd;
    to[i] = from[(i + 1) % n] + from[(i + n - 1) % n];
    __syncthreads();
    if (threadIdx.x == 0) {
      cuda::atomic_ref<unsigned, cuda::thread_scope_device> count(*arrived), gate(*generation);
      unsigned seen = gate.load(cuda::memory_order_relaxed);
      if (count.fetch_add(1, cuda::memory_order_acq_rel) == gridDim.x - 1) {
        count.store(0, cuda::memory_order_relaxed);
        gate.store(seen + 1, cuda::memory_order_release);
      } else {
        while (gate.load(cuda::memory_order_acquire) == seen)
          __nanosleep(20);
      }
    }
    __syncthreads();
  }
}
