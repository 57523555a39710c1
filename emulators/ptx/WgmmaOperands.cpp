//===- WgmmaOperands.cpp - Where wgmma's matrices lie -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/AsyncCopy.h"
#include "emulators/ptx/Wgmma.h"

#include <algorithm>
#include <array>
#include <tuple>

using namespace tilewright::ptx;

/// The offsets of the chunks of a matrix, `rows` rows from `firstRow` on of A or columns
/// of B; false if a fault was reported.
static bool findChunks(Warp &warp, uint64_t bits, const char *what, Type type,
                       unsigned firstRow, unsigned rows, unsigned allRows, unsigned k,
                       bool transposed, std::vector<uint32_t> &chunks, uint32_t &width) {
  unsigned perChunk = MatrixDescriptor::chunkBytes * 8 / getBits(type);
  unsigned along = (transposed ? allRows : k) / perChunk;
  MatrixDescriptor descriptor;
  std::string wrong = descriptor.parse(bits);
  if (wrong.empty())
    wrong = descriptor.check(/*isKMajor=*/!transposed, along, transposed ? k : allRows);
  if (!wrong.empty()) {
    warp.stop(Rule::Descriptor, std::string(what) + ": " + wrong, 0);
    return false;
  }
  unsigned firstAcross = transposed ? 0 : firstRow, across = transposed ? k : rows;
  unsigned first = transposed ? firstRow / perChunk : 0;
  unsigned count = transposed ? rows / perChunk : along;
  chunks.reserve(size_t(across) * count);
  size_t size = warp.block.shared.size();
  for (unsigned i = 0; i < across; ++i)
    for (unsigned j = 0; j < count; ++j) {
      uint32_t address = descriptor.addressOf(!transposed, firstAcross + i, first + j);
      uint32_t offset = address - sharedStart;
      if (address < sharedStart || offset + MatrixDescriptor::chunkBytes > size) {
        warp.stop(Rule::OutOfBounds,
                  std::string(what) + " leads to 16 bytes at " + std::to_string(address) +
                      " of shared memory, and the block has " + std::to_string(size) +
                      " bytes from " + std::to_string(sharedStart) + " on",
                  0);
        return false;
      }
      chunks.push_back(offset);
    }
  width = descriptor.width;
  return true;
}

namespace {
/// What says where a multiplication's operands lie.
struct OperandsKey {
  uint64_t a = 0, b = 0; ///< descriptors; `a` 0 where A is in registers
  uint64_t sharedBytes = 0;
  unsigned n = 0, k = 0, firstRow = 0;
  Type aType = Type::None, bType = Type::None;
  bool aInRegisters = false, aTransposed = false, bTransposed = false;

  bool operator==(const OperandsKey &other) const {
    auto all = [](const OperandsKey &key) {
      return std::tie(key.a, key.b, key.sharedBytes, key.n, key.k, key.firstRow,
                      key.aType, key.bType, key.aInRegisters, key.aTransposed,
                      key.bTransposed);
    };
    return all(*this) == all(other);
  }
};

/// The operands of a host thread's latest multiplications. Blocks come back to the same
/// stages of a pipeline again and again.
class OperandsCache {
public:
  struct Entry {
    OperandsKey key;
    std::shared_ptr<const WgmmaOperands> operands;
  };
  Entry &find(const OperandsKey &key) {
    uint64_t hash = (key.a ^ key.b << 7 ^ key.firstRow << 3) * 0x9e3779b97f4a7c15;
    return entries[hash >> 56];
  }

private:
  std::array<Entry, 256> entries;
};
} // namespace

static thread_local OperandsCache operandsCache;

/// As findOperands, of the descriptors alone.
static std::shared_ptr<const WgmmaOperands> lookUp(Warp &warp, uint64_t a, uint64_t b,
                                                   const WgmmaShape &shape) {
  unsigned firstRow = warp.index % warpsPerWarpgroup * warpRows;
  OperandsKey key{a,
                  b,
                  warp.block.shared.size(),
                  shape.n,
                  shape.k,
                  firstRow,
                  shape.a,
                  shape.b,
                  shape.aInRegisters,
                  shape.aTransposed,
                  shape.bTransposed};
  OperandsCache::Entry &entry = operandsCache.find(key);
  if (entry.operands && entry.key == key)
    return entry.operands;
  auto found = std::make_shared<WgmmaOperands>();
  if (!shape.aInRegisters &&
      !findChunks(warp, a, "the descriptor of A", shape.a, firstRow, warpRows,
                  warpsPerWarpgroup * warpRows, shape.k, shape.aTransposed,
                  found->aChunks, found->aWidth))
    return nullptr;
  if (!findChunks(warp, b, "the descriptor of B", shape.b, 0, shape.n, shape.n, shape.k,
                  shape.bTransposed, found->bChunks, found->bWidth))
    return nullptr;
  std::vector<uint32_t> &sources = found->sources;
  sources = found->aChunks;
  sources.insert(sources.end(), found->bChunks.begin(), found->bChunks.end());
  std::sort(sources.begin(), sources.end());
  sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
  entry = {key, found};
  return found;
}

std::shared_ptr<const WgmmaOperands>
tilewright::ptx::findOperands(Warp &warp, uint64_t a, uint64_t b,
                              const WgmmaShape &shape) {
  auto found = lookUp(warp, a, b, shape);
  if (!found)
    return nullptr;
  if (!shape.aInRegisters)
    checkLayout(warp, found->aChunks, found->aWidth, "the descriptor of A");
  checkLayout(warp, found->bChunks, found->bWidth, "the descriptor of B");
  return found;
}
