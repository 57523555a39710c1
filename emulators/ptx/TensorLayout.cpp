//===- TensorLayout.cpp - How tensor copies lay out shared memory -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A matrix that a tensor map swizzled and a matrix descriptor takes for something else is
// read in the wrong order, which no address tells. So what each copy did is remembered
// until ordinary instructions or another copy write there.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/AsyncCopy.h"

using namespace tilewright::ptx;
using namespace tilewright::emulator;

static constexpr uint32_t unitBytes = 16;

TensorLayout tilewright::ptx::getLayout(const TensorMap &map) {
  switch (map.swizzle) {
  case TensorSwizzle::Bytes32:
    return TensorLayout::Swizzle32;
  case TensorSwizzle::Bytes64:
    return TensorLayout::Swizzle64;
  case TensorSwizzle::Bytes128:
    return TensorLayout::Swizzle128;
  default:
    return map.rowBytes() > unitBytes ? TensorLayout::Rows : TensorLayout::Swizzle0;
  }
}

void tilewright::ptx::setLayout(Block &block, uint32_t offset, uint32_t bytes,
                                TensorLayout layout) {
  if (block.tensorLayouts.empty()) {
    if (layout == TensorLayout::Unknown)
      return;
    block.tensorLayouts.resize(block.shared.size() / unitBytes + 1);
  }
  for (uint32_t unit = offset / unitBytes; unit * unitBytes < offset + bytes; ++unit)
    block.tensorLayouts[unit] = static_cast<uint8_t>(layout);
}

void tilewright::ptx::checkLayout(Warp &warp, const std::vector<uint32_t> &chunks,
                                  uint32_t width, const char *what) {
  const Block &block = warp.block;
  if (block.tensorLayouts.empty() || !block.history)
    return;
  static constexpr const char *names[] = {
      "",
      "in rows of more than 16 bytes, without a swizzle",
      "without a swizzle",
      "by the 32-byte swizzle",
      "by the 64-byte swizzle",
      "by the 128-byte swizzle"};
  TensorLayout expected = width == 128  ? TensorLayout::Swizzle128
                          : width == 64 ? TensorLayout::Swizzle64
                          : width == 32 ? TensorLayout::Swizzle32
                                        : TensorLayout::Swizzle0;
  for (uint32_t offset : chunks) {
    auto layout = static_cast<TensorLayout>(block.tensorLayouts[offset / unitBytes]);
    if (layout == TensorLayout::Unknown || layout == expected ||
        !(block.history->getLastWrite(offset).bytes & AccessHistory::asyncMark))
      continue;
    return warp.report(Rule::Descriptor,
                       std::string(what) + " reads shared memory at " +
                           std::to_string(offset + sharedStart) + " as laid out " +
                           names[static_cast<size_t>(expected)] +
                           ", and a tensor copy laid it out " +
                           names[static_cast<size_t>(layout)],
                       0);
  }
}
