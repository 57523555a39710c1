//===- LayoutMap.cpp - Arithmetic on layouts ----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/tile/LayoutMap.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

using namespace tilewright::tile;
using llvm::ArrayRef;
using llvm::SmallVector;

//===----------------------------------------------------------------------===//
// Making
//===----------------------------------------------------------------------===//

LayoutMap LayoutMap::get(LayoutAttr layout) {
  LayoutMap map;
  map.shape = layout.getShape();
  for (int64_t dim = 0; dim < layout.getRank(); ++dim)
    map.dims.emplace_back(layout.getDim(dim));
  map.replicate.assign(layout.getReplicate().begin(), layout.getReplicate().end());
  map.canonicalize();
  return map;
}

LayoutMap LayoutMap::get(SharedLayoutAttr layout, ArrayRef<int64_t> shape,
                         int64_t elementBytes) {
  ArrayRef<int64_t> box = layout.getBox();
  assert(box.size() == shape.size() && "a box has the rank of the tile");
  LayoutMap map;
  map.shape.assign(shape.begin(), shape.end());
  map.dims.resize(shape.size());
  map.elementBytes = elementBytes;
  map.swizzleBits = layout.getBits();
  map.swizzleBase = layout.getBase();
  map.swizzleShift = layout.getShift();
  int64_t stride = 1;
  for (int64_t dim = shape.size() - 1; dim >= 0; stride *= box[dim--])
    map.dims[dim].push_back({FactorKind::Vector, box[dim], stride});
  for (int64_t dim = shape.size() - 1; dim >= 0; --dim) {
    int64_t boxes = llvm::divideCeil(shape[dim], box[dim]);
    map.dims[dim].insert(map.dims[dim].begin(), {FactorKind::Vector, boxes, stride});
    stride *= boxes;
  }
  map.canonicalize();
  return map;
}

LayoutMap LayoutMap::get(PanelAttr layout, int64_t k, int64_t n) {
  int64_t interleave = layout.getInterleave(), columns = layout.getColumns();
  int64_t groups = llvm::divideCeil(k, interleave), blocks = llvm::divideCeil(n, columns);
  FactorKind v = FactorKind::Vector;
  LayoutMap map;
  map.shape = {k, n};
  map.dims = {{{v, groups, columns * interleave}, {v, interleave, 1}},
              {{v, blocks, groups * columns * interleave}, {v, columns, interleave}}};
  map.canonicalize();
  return map;
}

void LayoutMap::canonicalize() {
  auto merge = [](Factors &factors) {
    Factors merged;
    for (const Factor &factor : factors) {
      if (factor.extent == 1)
        continue;
      if (!merged.empty() && merged.back().kind == factor.kind &&
          merged.back().stride == factor.extent * factor.stride)
        merged.back() = {factor.kind, merged.back().extent * factor.extent,
                         factor.stride};
      else
        merged.push_back(factor);
    }
    factors = std::move(merged);
  };
  // The order of replicas means nothing.
  llvm::sort(replicate, [](const Factor &a, const Factor &b) {
    return std::pair(a.kind, -a.stride) < std::pair(b.kind, -b.stride);
  });
  llvm::for_each(dims, merge);
  merge(replicate);
  // Address bits that are always zero swizzle nothing.
  int64_t bytes = getExtent(FactorKind::Vector) * elementBytes;
  while (swizzleBits > 0 &&
         (1LL << (swizzleBase + swizzleShift + swizzleBits - 1)) >= bytes)
    --swizzleBits;
  if (swizzleBits == 0)
    swizzleBase = swizzleShift = 0;
}

//===----------------------------------------------------------------------===//
// Asking
//===----------------------------------------------------------------------===//

int64_t LayoutMap::getExtent(FactorKind kind) const {
  int64_t extent = 1;
  auto multiply = [&](const Factors &factors) {
    for (const Factor &factor : factors)
      extent *= factor.kind == kind ? factor.extent : 1;
  };
  llvm::for_each(dims, multiply);
  multiply(replicate);
  return extent;
}

int64_t LayoutMap::getReplicas() const {
  int64_t replicas = 1;
  for (const Factor &factor : replicate)
    replicas *= factor.extent;
  return replicas;
}

int64_t LayoutMap::swizzle(int64_t offset) const {
  int64_t address = offset * elementBytes, mask = (1LL << swizzleBits) - 1;
  address ^= ((address >> (swizzleBase + swizzleShift)) & mask) << swizzleBase;
  return address / elementBytes;
}

/// Splits `index` into the digits of `factors` and adds what they count to `place`.
static void addDigits(ArrayRef<Factor> factors, int64_t index, Place &place) {
  for (const Factor &factor : llvm::reverse(factors)) {
    place[static_cast<int>(factor.kind)] += index % factor.extent * factor.stride;
    index /= factor.extent;
  }
  assert(index == 0 && "index outside the layout");
}

/// The index whose digits in `factors` are those of `place`.
static int64_t readDigits(ArrayRef<Factor> factors, const Place &place) {
  int64_t index = 0;
  for (const Factor &factor : factors)
    index = index * factor.extent +
            place[static_cast<int>(factor.kind)] / factor.stride % factor.extent;
  return index;
}

Place LayoutMap::locate(ArrayRef<int64_t> index, int64_t replica) const {
  Place place{};
  for (auto [factors, position] : llvm::zip_equal(dims, index))
    addDigits(factors, position, place);
  addDigits(replicate, replica, place);
  place[0] = swizzle(place[0]);
  return place;
}

std::optional<SmallVector<int64_t>> LayoutMap::getIndexAt(Place place) const {
  place[0] = swizzle(place[0]); // its own inverse, since bits <= shift
  SmallVector<int64_t> index;
  for (auto [factors, extent] : llvm::zip_equal(dims, shape)) {
    index.push_back(readDigits(factors, place));
    if (index.back() >= extent)
      return std::nullopt;
  }
  return index;
}

int64_t LayoutMap::getVectorWidth(int64_t dim) const {
  const Factors &factors = dims[dim];
  if (factors.empty() || factors.back().kind != FactorKind::Vector ||
      factors.back().stride != 1)
    return 1;
  int64_t width = factors.back().extent;
  if (swizzleBits > 0)
    width = std::min(width, std::max<int64_t>(1, (1LL << swizzleBase) / elementBytes));
  return width;
}

bool LayoutMap::operator==(const LayoutMap &other) const {
  bool sameSwizzle = swizzleBits == 0 || elementBytes == other.elementBytes;
  return shape == other.shape && dims == other.dims && replicate == other.replicate &&
         swizzleBits == other.swizzleBits && swizzleBase == other.swizzleBase &&
         swizzleShift == other.swizzleShift && sameSwizzle;
}

int64_t LayoutMap::countBankConflicts(const LayoutMap &fragment, int64_t dim,
                                      Banks banks) const {
  assert(shape == fragment.shape && "layouts of one tile");
  constexpr int64_t widestAccess = 16;
  int64_t width = std::min(getVectorWidth(dim), fragment.getVectorWidth(dim));
  width = std::max<int64_t>(1, std::min(width, widestAccess / elementBytes));
  while (fragment.getVectorWidth(dim) % width != 0)
    --width;
  // The lanes of one pass are those that together fill the banks at most once.
  int64_t lanes = fragment.getExtent(FactorKind::Lane);
  int64_t perPass = std::max<int64_t>(1, banks.count * banks.bytes /
                                             std::max(width * elementBytes, banks.bytes));
  int64_t conflicts = 0;
  for (int64_t reg = 0; reg < fragment.getExtent(FactorKind::Vector); reg += width) {
    for (int64_t first = 0; first < lanes; first += perPass) {
      llvm::DenseMap<int64_t, llvm::DenseSet<int64_t>> wordsOfBank;
      for (int64_t lane = first; lane < std::min(first + perPass, lanes); ++lane) {
        int64_t begin = locate(*fragment.getIndexAt({reg, lane, 0, 0}))[0] * elementBytes;
        for (int64_t byte = begin; byte < begin + width * elementBytes; ++byte)
          wordsOfBank[byte / banks.bytes % banks.count].insert(byte / banks.bytes);
      }
      int64_t passes = 0;
      for (const auto &[bank, words] : wordsOfBank)
        passes = std::max<int64_t>(passes, words.size());
      conflicts += passes - 1;
    }
  }
  return conflicts;
}
