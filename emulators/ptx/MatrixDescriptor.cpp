//===- MatrixDescriptor.cpp - Matrices in shared memory, for wgmma ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/MatrixDescriptor.h"

using namespace tilewright::ptx;

std::string MatrixDescriptor::parse(uint64_t bits) {
  static constexpr uint32_t widths[] = {0, 128, 64, 32};
  auto field = [&](unsigned at) {
    return static_cast<uint32_t>(bits >> at & 0x3fff) << 4;
  };
  start = field(0);
  leading = field(16);
  stride = field(32);
  width = widths[bits >> 62];
  // Bits that belong to no field.
  constexpr uint64_t reserved =
      uint64_t(3) << 14 | uint64_t(3) << 30 | uint64_t(7) << 46 | uint64_t(0x3ff) << 52;
  if (bits & reserved)
    return "bits are set that belong to no field";
  if (bits >> 49 & 7)
    return width ? "a base offset other than 0 is not modelled"
                 : "without a swizzle there is no base offset";
  // Rows of a pattern are `width` bytes, and it has eight.
  if (width && start % (8 * width) >= width)
    return "the address " + std::to_string(start) + " is in row " +
           std::to_string(start % (8 * width) / width) + " of the " +
           std::to_string(width) +
           "-byte swizzle's pattern, which starts at multiples of " +
           std::to_string(8 * width);
  return "";
}

std::string MatrixDescriptor::check(bool isKMajor, uint32_t chunks,
                                    uint32_t across) const {
  if (width == 0)
    return "";
  uint32_t perRow = width / chunkBytes, first = start % width / chunkBytes;
  uint32_t here = isKMajor ? chunks : chunks < perRow ? chunks : perRow;
  if (first + here > perRow)
    return "from " + std::to_string(start % width) + " on, " +
           std::to_string(here * chunkBytes) + " bytes do not fit in a row of the " +
           std::to_string(width) + "-byte swizzle";
  // Whole patterns lie apart, or one on the other.
  auto isBad = [&](uint32_t bytes) { return bytes % (8 * width) != 0; };
  if (across > 8 && isBad(stride))
    return "the stride of " + std::to_string(stride) +
           " bytes from eight rows to the next is no multiple of " +
           std::to_string(8 * width) + ", the bytes of the " + std::to_string(width) +
           "-byte swizzle's pattern";
  if (!isKMajor && chunks > perRow && isBad(leading))
    return "the leading dimension's " + std::to_string(leading) +
           " bytes are no multiple of " + std::to_string(8 * width) +
           ", the bytes of the " + std::to_string(width) + "-byte swizzle's pattern";
  return "";
}
