//===- WgmmaExecution.cpp - What wgmma.mma_async computes ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/MatrixSum.h"
#include "emulators/ptx/Wgmma.h"

#include <cstring>
#include <numeric>

using namespace tilewright::ptx;

static constexpr unsigned chunkBytes = MatrixDescriptor::chunkBytes;
static constexpr unsigned maxColumns = 256;
static constexpr unsigned maxDepth = 32; // elements of k, or words of bits

/// 0, 1, 2, ...: registers that are numbered by their place in a list.
static const uint32_t *getCounting() {
  static const std::array<uint32_t, maxColumns / 2> counting = [] {
    std::array<uint32_t, maxColumns / 2> numbers{};
    std::iota(numbers.begin(), numbers.end(), 0);
    return numbers;
  }();
  return counting.data();
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

namespace {
/// A matrix in shared memory: its `outer` rows of A or columns of B, and k.
template <typename Raw> struct SharedMatrix {
  const Block &block;
  const std::vector<uint32_t> &chunks;
  unsigned outer, depth;
  bool transposed; ///< outer is the major dimension, not k

  static constexpr unsigned perChunk = chunkBytes / sizeof(Raw);

  /// Calls `use(data, shadow, outer, k)` for each chunk with its first element's place.
  template <typename Use> void forChunks(Use use) const {
    unsigned along = (transposed ? outer : depth) / perChunk;
    for (size_t i = 0; i < chunks.size(); ++i) {
      unsigned across = static_cast<unsigned>(i / along);
      unsigned first = static_cast<unsigned>(i % along) * perChunk;
      const uint8_t *data = block.shared.data() + chunks[i];
      const uint8_t *shadow = block.shared.shadow() + chunks[i];
      use(data, shadow, transposed ? first : across, transposed ? across : first);
    }
  }
  /// Copies the elements to their places.
  void copy(Raw *to, Strides strides) const {
    size_t step = transposed ? strides.outer : strides.inner;
    forChunks([&](const uint8_t *data, const uint8_t *, unsigned row, unsigned k) {
      Raw elements[perChunk];
      memcpy(elements, data, chunkBytes);
      Raw *at = to + row * strides.outer + k * strides.inner;
      for (unsigned i = 0; i < perChunk; ++i)
        at[i * step] = elements[i];
    });
  }
  /// Unpacks halves to rows of an array, `stride` apart: chunks lie along its rows, or
  /// across them.
  void unpackRows(Type type, float *to, size_t stride, bool isAlong) const {
    const uint8_t *data = block.shared.data();
    const unsigned along = (transposed ? outer : depth) / perChunk;
    const unsigned across = static_cast<unsigned>(chunks.size()) / along;
    for (unsigned i = 0; i < across; i += perChunk)
      for (unsigned j = 0; j < along; ++j) {
        const uint8_t *eight[perChunk];
        for (unsigned r = 0; r < perChunk; ++r)
          eight[r] = data + chunks[(i + r) * along + j];
        if (isAlong)
          tilewright::ptx::unpackRows(type, eight, perChunk,
                                      to + i * stride + j * perChunk, stride);
        else
          unpackColumns(type, eight, to + j * perChunk * stride + i, stride);
      }
  }
  /// Calls `mark` with the outer index of elements that are undefined.
  template <typename Mark> void forUndefined(Mark mark) const {
    forChunks([&](const uint8_t *, const uint8_t *shadow, unsigned row, unsigned) {
      uint64_t words[2];
      memcpy(words, shadow, chunkBytes);
      if (!(words[0] | words[1]))
        return;
      for (unsigned i = 0; i < chunkBytes; ++i)
        if (shadow[i])
          mark(transposed ? row + i / sizeof(Raw) : row);
    });
  }
};
} // namespace

/// Collects A (16 x depth) and B (depth x n) as they lie in registers or shared memory,
/// and which of their elements are undefined.
template <typename Raw>
static void collect(const Block &block, const PendingWgmma &one, unsigned depth, Raw *a,
                    Raw *b, Undefined &undefined) {
  const WgmmaShape &shape = one.shape();
  if (shape.aInRegisters) {
    RegisterFile file(const_cast<uint64_t *>(one.aValues.data()),
                      const_cast<uint8_t *>(one.aPoison.data()));
    gather(file, getCounting(), shape.aFragment, a, {depth, 1});
    markRows(file, getCounting(), shape.aFragment, undefined);
  } else {
    SharedMatrix<Raw> matrix{block, one.operands->aChunks, warpRows, depth,
                             shape.aTransposed};
    matrix.copy(a, {depth, 1});
    matrix.forUndefined([&](unsigned row) {
      undefined.any = true;
      undefined.row[row] = true;
    });
  }
  SharedMatrix<Raw> matrix{block, one.operands->bChunks, shape.n, depth,
                           shape.bTransposed};
  matrix.copy(b, {1, shape.n});
  matrix.forUndefined([&](unsigned column) {
    undefined.any = true;
    undefined.column[column] = true;
  });
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Unpacks A (16 x depth) of halves, and notes which rows are undefined.
static void unpackHalvesA(const Block &block, const PendingWgmma &one, float *a,
                          Undefined &undefined) {
  const WgmmaShape &shape = one.shape();
  if (shape.aInRegisters) {
    RegisterFile file(const_cast<uint64_t *>(one.aValues.data()),
                      const_cast<uint8_t *>(one.aPoison.data()));
    gatherHalfRows(file, getCounting(), shape.aFragment, shape.a, a, shape.k);
    markRows(file, getCounting(), shape.aFragment, undefined);
    return;
  }
  SharedMatrix<uint16_t> matrix{block, one.operands->aChunks, warpRows, shape.k,
                                shape.aTransposed};
  matrix.unpackRows(shape.a, a, shape.k, !shape.aTransposed);
  matrix.forUndefined([&](unsigned row) {
    undefined.any = true;
    undefined.row[row] = true;
  });
}

/// The same of B (depth x n).
static void unpackHalvesB(const Block &block, const PendingWgmma &one, float *b,
                          Undefined &undefined) {
  const WgmmaShape &shape = one.shape();
  SharedMatrix<uint16_t> matrix{block, one.operands->bChunks, shape.n, shape.k,
                                shape.bTransposed};
  matrix.unpackRows(shape.b, b, shape.n, shape.bTransposed);
  matrix.forUndefined([&](unsigned column) {
    undefined.any = true;
    undefined.column[column] = true;
  });
}

template <typename Raw>
static void collectFloats(const Block &block, const PendingWgmma &one, float *a, float *b,
                          Undefined &undefined) {
  const WgmmaShape &shape = one.shape();
  Raw rawA[warpRows * maxDepth], rawB[maxDepth * maxColumns];
  collect(block, one, shape.k, rawA, rawB, undefined);
  unpack(shape.a, rawA, warpRows * shape.k, a);
  unpack(shape.b, rawB, shape.k * shape.n, b);
}

void WgmmaExecution::multiplyFloats(const PendingWgmma &one, Undefined &operands) {
  alignas(32) float a[warpRows * maxDepth], b[maxDepth * maxColumns];
  switch (getBits(shape->a)) {
  case 8:
    collectFloats<uint8_t>(block, one, a, b, operands);
    break;
  case 16:
    unpackHalvesA(block, one, a, operands);
    unpackHalvesB(block, one, b, operands);
    break;
  default:
    collectFloats<uint32_t>(block, one, a, b, operands);
  }
  unsigned count = warpRows * shape->n;
  if (!one.adds)
    memset(floats, 0, count * sizeof(*floats));
  // A product has the sign of both scales.
  if (one.shape().aNegated != one.shape().bNegated)
    for (unsigned i = 0; i < warpRows * shape->k; ++i)
      a[i] = -a[i];
  sumProducts({warpRows, shape->n, shape->k},
              getSum(one.shape().a, one.shape().b, shape->d, /*isAsync=*/true), a, b,
              floats);
  if (shape->d == Type::F16) {
    // Each instruction rounds.
    uint16_t halves[warpRows * maxColumns];
    pack(floats, count, halves);
    unpack(Type::F16, halves, count, floats);
  }
}

void WgmmaExecution::multiplyWords(const PendingWgmma &one, Undefined &operands) {
  alignas(32) uint32_t a[warpRows * maxDepth], b[maxDepth * maxColumns];
  unsigned count = warpRows * shape->n;
  if (!one.adds)
    memset(words, 0, count * sizeof(*words));
  if (shape->a == Type::B1) {
    unsigned depth = shape->k / 32;
    collect(block, one, depth, a, b, operands);
    multiplyAddBits({warpRows, shape->n, depth}, /*isAnd=*/true, a, b, words);
    return;
  }
  uint8_t rawA[warpRows * maxDepth], rawB[maxDepth * maxColumns];
  collect(block, one, shape->k, rawA, rawB, operands);
  // The types of the instruction, not of the chain's first.
  unpack(one.shape().a, rawA, warpRows * shape->k, a);
  unpack(one.shape().b, rawB, shape->k * shape->n, b);
  MatrixSize size{warpRows, shape->n, shape->k};
  if (!one.shape().clamps) {
    multiplyAdd(size, a, b, words);
    return;
  }
  alignas(32) uint32_t sums[warpRows * maxColumns] = {};
  multiplyAdd(size, a, b, sums);
  addClamped(words, sums, count);
  memcpy(words, sums, count * sizeof(*words));
}

//===----------------------------------------------------------------------===//
// Accumulators
//===----------------------------------------------------------------------===//

void WgmmaExecution::load() {
  RegisterFile file(*chain->frame);
  Strides strides{shape->n, 1};
  unsigned count = warpRows * shape->n;
  if (shape->d == Type::S32) {
    gather(file, chain->registers, shape->dFragment, words, strides);
  } else if (shape->d == Type::F16) {
    uint16_t halves[warpRows * maxColumns];
    gather(file, chain->registers, shape->dFragment, halves, strides);
    unpack(Type::F16, halves, count, floats);
  } else {
    gatherFloatRows(file, chain->registers, shape->dFragment, floats, shape->n);
  }
  undefined = Undefined();
  markElements(RegisterFile(nullptr, chain->poison.data()), getCounting(),
               shape->dFragment, warpRows, shape->n, undefined);
}

void WgmmaExecution::flush() {
  if (!chain)
    return;
  RegisterFile file(*chain->frame);
  Strides strides{shape->n, 1};
  unsigned count = warpRows * shape->n;
  if (shape->d == Type::F16) {
    uint16_t halves[warpRows * maxColumns];
    pack(floats, count, halves);
    scatter(file, chain->registers, shape->dFragment, halves, strides);
  } else if (shape->d == Type::F32) {
    scatterFloatRows(file, chain->registers, shape->dFragment, floats, shape->n);
  } else {
    scatter(file, chain->registers, shape->dFragment, words, strides);
  }
  std::fill(chain->poison.begin(), chain->poison.end(), soundValue);
  if (undefined.any)
    poisonElements(RegisterFile(nullptr, chain->poison.data()), getCounting(),
                   shape->dFragment, shape->n, undefined);
  for (unsigned i = 0; i < chain->count; ++i)
    memcpy(file.poison + size_t(chain->registers[i]) * lanesPerWarp,
           &chain->poison[size_t(i) * lanesPerWarp], lanesPerWarp);
  // Others of the chain may be in flight still.
  if (chain->pending)
    chain->markInFlight();
  chain = nullptr;
}

void WgmmaExecution::execute(const PendingWgmma &one) {
  if (chain != &*one.chain) {
    flush();
    chain = &*one.chain;
    shape = &one.shape();
    load();
  }
  shape = &one.shape();
  if (!one.adds)
    undefined = Undefined();
  Undefined operands;
  if (getArithmetic(shape->a) == Arithmetic::Float)
    multiplyFloats(one, operands);
  else
    multiplyWords(one, operands);
  --chain->pending;
  if (!operands.any)
    return;
  undefined.any = true;
  undefined.element.resize(warpRows * shape->n, false);
  for (unsigned row = 0; row < warpRows; ++row)
    for (unsigned column = 0; column < shape->n; ++column)
      if (operands.row[row] || operands.column[column])
        undefined.element[row * shape->n + column] = true;
}
