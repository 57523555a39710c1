// grid.sync() of cooperative groups, whose workspace envreg1:envreg2 point to.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cooperative_groups.h>

extern "C" __global__ void rounds(int *even, int *odd, int n) {
  auto grid = cooperative_groups::this_grid();
  int i = grid.thread_rank();
  for (int round = 0; round < 3; ++round) {
    int *from = round % 2 ? odd : even, *to = round % 2 ? even : odd;
    to[i] = from[(i + 1) % n] + from[(i + n - 1) % n];
    grid.sync();
  }
}
