// Groups of several warps, whose barriers lie in the shared memory that the system keeps for
// itself, and groups that values make.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>

namespace cg = cooperative_groups;

extern "C" __global__ void two_warps(const int *x, int *out) {
  __shared__ cg::block_tile_memory<256> memory;
  auto block = cg::this_thread_block(memory);
  auto tile = cg::tiled_partition<64>(block);
  int i = block.thread_rank();
  out[i] = cg::reduce(tile, x[i], cg::plus<int>());
  tile.sync();
  out[256 + i] = tile.shfl(x[i], 37);
}

extern "C" __global__ void by_value(const int *x, int *out) {
  auto warp = cg::tiled_partition<32>(cg::this_thread_block());
  int i = threadIdx.x, v = x[i];
  auto same = cg::labeled_partition(warp, v % 3);
  out[i] = cg::reduce(same, v, cg::plus<int>()) * 100 + same.thread_rank();
  out[256 + i] = -1;
  if (v % 2) {
    auto odd = cg::coalesced_threads();
    out[256 + i] = odd.size() * 100 + odd.thread_rank() + 10000 * odd.shfl(v, 0);
  }
}
