//===- OverlapTest.cpp - Overlap of strided tensors --------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/src/Overlap.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

using namespace tilewright;

namespace {

struct Tensor {
  uint64_t address;
  int64_t itemSize;
  std::vector<int64_t> extents;
  std::vector<int64_t> strides;

  Extent extent() const {
    return {address, itemSize, int64_t(extents.size()), extents.data(), strides.data()};
  }
};

/// How often each byte belongs to an element.
std::map<uint64_t, int> bytesOf(const Tensor &tensor) {
  std::map<uint64_t, int> bytes;
  std::vector<int64_t> index(tensor.extents.size());
  for (int64_t extent : tensor.extents)
    if (extent == 0)
      return bytes;
  for (;;) {
    uint64_t address = tensor.address;
    for (size_t d = 0; d < index.size(); ++d)
      address += index[d] * tensor.strides[d] * tensor.itemSize;
    for (int64_t i = 0; i < tensor.itemSize; ++i)
      ++bytes[address + i];
    size_t d = index.size();
    while (d > 0 && ++index[d - 1] == tensor.extents[d - 1])
      index[--d] = 0;
    if (d == 0)
      return bytes;
  }
}

bool reallyOverlap(const Tensor &a, const Tensor &b) {
  auto bytes = bytesOf(a);
  for (const auto &entry : bytesOf(b))
    if (bytes.count(entry.first))
      return true;
  return false;
}

TEST(Overlap, SlicesOfOneArrayAreTold) {
  constexpr uint64_t base = 1 << 20;
  // Of a 10 x 64 array of floats: column ranges, and rows of a 3-d view of it.
  Tensor left{base, 4, {10, 32}, {64, 1}}, right{base + 128, 4, {10, 32}, {64, 1}};
  Tensor middle{base + 64, 4, {10, 32}, {64, 1}};
  Tensor evenRows{base, 4, {5, 64}, {128, 1}}, oddRows{base + 256, 4, {5, 64}, {128, 1}};
  Tensor evenColumns{base, 4, {10, 32}, {64, 2}},
      oddColumns{base + 4, 4, {10, 32}, {64, 2}};
  EXPECT_FALSE(mayOverlap(left.extent(), right.extent()));
  EXPECT_FALSE(mayOverlap(right.extent(), left.extent()));
  EXPECT_TRUE(mayOverlap(left.extent(), middle.extent()));
  EXPECT_TRUE(mayOverlap(middle.extent(), right.extent()));
  EXPECT_FALSE(mayOverlap(evenRows.extent(), oddRows.extent()));
  EXPECT_TRUE(mayOverlap(left.extent(), evenRows.extent()));
  EXPECT_FALSE(mayOverlap(evenColumns.extent(), oddColumns.extent()));
}

TEST(Overlap, SlicesRunningBackwards) {
  constexpr uint64_t base = 1 << 20;
  Tensor forward{base, 4, {8}, {1}}, backward{base + 60, 4, {8}, {-1}};
  EXPECT_FALSE(mayOverlap(forward.extent(), backward.extent()));
  backward.address -= 4;
  EXPECT_TRUE(mayOverlap(forward.extent(), backward.extent()));
}

/// What is called disjoint is so, for any strides.
TEST(Overlap, NeverMissesAnOverlap) {
  std::mt19937 random(7);
  auto pick = [&](int low, int high) {
    return low + int(random() % unsigned(high - low + 1));
  };
  int told = 0;
  for (int round = 0; round < 20000; ++round) {
    auto draw = [&] {
      Tensor tensor{uint64_t(1000 + pick(0, 60)), 1 << pick(0, 2), {}, {}};
      for (int d = pick(0, 3); d > 0; --d) {
        tensor.extents.push_back(pick(0, 4));
        tensor.strides.push_back(pick(-12, 12));
      }
      return tensor;
    };
    Tensor a = draw(), b = draw();
    if (!mayOverlap(a.extent(), b.extent())) {
      ++told;
      ASSERT_FALSE(reallyOverlap(a, b)) << "round " << round;
    }
    if (!mayOverlapItself(a.extent())) {
      for (const auto &entry : bytesOf(a))
        ASSERT_EQ(entry.second, 1) << "round " << round;
    }
  }
  EXPECT_GT(told, 2000);
}

TEST(Overlap, WithinOneTensor) {
  Tensor contiguous{64, 4, {3, 4}, {4, 1}}, transposed{64, 4, {4, 3}, {1, 4}};
  Tensor broadcast{64, 4, {3, 4}, {0, 1}}, sliding{64, 4, {3, 4}, {1, 1}};
  Tensor one{64, 4, {1, 4}, {0, 1}}, empty{64, 4, {0, 4}, {0, 0}};
  EXPECT_FALSE(mayOverlapItself(contiguous.extent()));
  EXPECT_FALSE(mayOverlapItself(transposed.extent()));
  EXPECT_TRUE(mayOverlapItself(broadcast.extent()));
  EXPECT_TRUE(mayOverlapItself(sliding.extent()));
  EXPECT_FALSE(mayOverlapItself(one.extent()));
  EXPECT_FALSE(mayOverlapItself(empty.extent()));
}

} // namespace
