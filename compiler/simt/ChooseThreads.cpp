//===- ChooseThreads.cpp - How many threads a block has -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Fragments of 48 KiB, which products accumulate in, are 384 bytes of each of 128
// threads:
//
//   tile.kernel (%bx) in (%n) {             tile.kernel (%bx) in (%n) threads(128) {
//     %c = tile.alloc "c" : 128x64xf32   ->   ...
//     %p = tile.alloc "p" : 128x64xbf16
//     tile.gemm ..
//
// The more of a product is one warp's, the less often operands are read: each of 4 warps
// with 64 x 64 elements of C reads half of what each of 8 with 32 x 64 does for the same
// work, and shared memory is what bounds products of whole tiles. So there are as few as
// registers allow. Where nothing is multiplied, more warps hide more of the latency.
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/Passes.h"
#include "dialects/simt/Simt.h"
#include "dialects/tile/Tile.h"

#include "llvm/Support/MathExtras.h"

namespace tilewright::simt {
#define GEN_PASS_DEF_CHOOSETHREADS
#include "compiler/simt/Passes.h.inc"
} // namespace tilewright::simt

using namespace mlir;
using namespace tilewright;
using namespace tilewright::tile;

/// Bytes of fragments that a thread has at most. Of 255 registers, 224: the rest are
/// addresses and operands.
static constexpr int64_t kMultiplying = 224 * 4, kOther = 32 * 4;
/// A multiprocessor has four parts, each with a warp or wave at a time.
static constexpr int64_t kLeastWarps = 4, kMostThreads = 1024;

namespace {
struct ChooseThreadsPass : simt::impl::ChooseThreadsBase<ChooseThreadsPass> {
  using ChooseThreadsBase::ChooseThreadsBase;
  void runOnOperation() override;
};
} // namespace

/// Bytes of a kernel's fragments. Those that have a value for each row of others are few
/// enough to leave out.
static int64_t getFragmentBytes(KernelOp kernel) {
  SmallVector<int64_t> sizes;
  kernel.walk([&](AllocOp alloc) {
    auto type = cast<MemRefType>(alloc.getResult().getType());
    if (getSpace(type) == Space::Fragment)
      sizes.push_back(
          llvm::divideCeil(type.getNumElements() * type.getElementTypeBitWidth(), 8));
  });
  int64_t largest = sizes.empty() ? 0 : *llvm::max_element(sizes), sum = 0;
  for (int64_t size : sizes)
    if (size > largest / 16)
      sum += size;
  return sum;
}

void ChooseThreadsPass::runOnOperation() {
  getOperation().walk([&](KernelOp kernel) {
    if (kernel.getThreads())
      return;
    bool multiplies = false;
    kernel.walk([&](GemmOp) { multiplies = true; });
    int64_t bytes = getFragmentBytes(kernel), threads = kLeastWarps * lanes;
    while (threads < kMostThreads &&
           bytes > (multiplies ? kMultiplying : kOther) * threads)
      threads *= 2;
    kernel.setThreads(threads);
  });
}
