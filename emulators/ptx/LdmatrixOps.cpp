//===- LdmatrixOps.cpp - ldmatrix, stmatrix, movmatrix ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Matrices of 8 by 8 elements of 16 bits. Row r of matrix i is the 16 bytes at the
// address that lane 8i + r has; lane l holds elements 2(l % 4) and 2(l % 4) + 1 of row l
// / 4 of matrix i in register i, or with .trans of column l / 4.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Block.h"
#include "emulators/ptx/FloatVectors.h"
#include "emulators/ptx/MatrixOps.h"
#include "emulators/ptx/MemoryAccess.h"

#include <cstring>

using namespace tilewright::ptx;
using namespace tilewright::ptx::vectors;

static constexpr unsigned edge = 8;
static constexpr unsigned rowBytes = 16;
enum Flags : uint32_t { Transposed = 1 };

namespace {
/// A matrix with the poison of its elements' bytes.
struct Matrix {
  uint16_t value[edge][edge];
  bool hasPoison = false;
  uint8_t poison[edge][edge]; // two bits each; set only if there is any
};

/// Where element `e` of the two that `lane` holds lies.
struct Place8 {
  unsigned row, column;
};
} // namespace

static Place8 placeOf(unsigned lane, unsigned e, bool transposed) {
  unsigned outer = lane / 4, inner = lane % 4 * 2 + e;
  return transposed ? Place8{inner, outer} : Place8{outer, inner};
}

/// Gives each lane the two elements of its column.
static void storeColumns(const Matrix &matrix, uint64_t *values) {
  // Four words of a pair of rows are two elements of four columns.
  FourWords pairs[2][edge / 2];
  for (unsigned i = 0; i < edge / 2; ++i) {
    HalfVector a, b;
    load(a, matrix.value[2 * i]);
    load(b, matrix.value[2 * i + 1]);
    HalfVector low = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    HalfVector high = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
    memcpy(&pairs[0][i], &low, sizeof(low));
    memcpy(&pairs[1][i], &high, sizeof(high));
  }
  for (const auto &rows : pairs) {
    FourWords a = __builtin_shufflevector(rows[0], rows[1], 0, 4, 1, 5);
    FourWords b = __builtin_shufflevector(rows[2], rows[3], 0, 4, 1, 5);
    FourWords c = __builtin_shufflevector(rows[0], rows[1], 2, 6, 3, 7);
    FourWords d = __builtin_shufflevector(rows[2], rows[3], 2, 6, 3, 7);
    const FourWords columns[] = {__builtin_shufflevector(a, b, 0, 1, 4, 5),
                                 __builtin_shufflevector(a, b, 2, 3, 6, 7),
                                 __builtin_shufflevector(c, d, 0, 1, 4, 5),
                                 __builtin_shufflevector(c, d, 2, 3, 6, 7)};
    for (const FourWords &column : columns) {
      store(__builtin_convertvector(column, ValueVector), values);
      values += edge / 2;
    }
  }
}

static void toRegister(Warp &warp, uint32_t reg, const Matrix &matrix, bool transposed) {
  if (reg == noRegister)
    return;
  uint64_t *values = warp.values(reg);
  uint8_t *poison = warp.poison(reg);
  memset(poison, soundValue, lanesPerWarp);
  if (transposed)
    storeColumns(matrix, values);
  else
    // Row by row, the matrix is the lanes' words in order.
    for (unsigned row = 0; row < edge; ++row) {
      FourWords words;
      load(words, matrix.value[row]);
      store(__builtin_convertvector(words, ValueVector), values + row * edge / 2);
    }
  if (!matrix.hasPoison)
    return;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    for (unsigned e = 0; e < 2; ++e) {
      Place8 at = placeOf(lane, e, transposed);
      poison[lane] |= static_cast<uint8_t>(matrix.poison[at.row][at.column] << (2 * e));
    }
}

static void fromRegister(Warp &warp, uint32_t reg, Matrix &matrix, bool transposed) {
  const uint64_t *values = warp.values(reg);
  const uint8_t *poison = warp.poison(reg);
  matrix.hasPoison = true;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    for (unsigned e = 0; e < 2; ++e) {
      Place8 at = placeOf(lane, e, transposed);
      matrix.value[at.row][at.column] = static_cast<uint16_t>(values[lane] >> (16 * e));
      matrix.poison[at.row][at.column] = poison[lane] >> (2 * e) & 3;
    }
}

/// Whether the addresses of the `count` first lanes are defined; reports if not.
static bool haveAddresses(Warp &warp, uint32_t reg, unsigned count) {
  if (!warp.block.launch.options.checks.uninitialised)
    return true;
  const uint8_t *poison = warp.poison(reg);
  uint64_t eights[lanesPerWarp / 8];
  memcpy(eights, poison, sizeof(eights));
  if (!(eights[0] | eights[1] | eights[2] | eights[3]))
    return true;
  for (unsigned lane = 0; lane < count; ++lane)
    if (poison[lane]) {
      warp.stop(Rule::Uninitialised, "the address depends on undefined data", lane);
      return false;
    }
  return true;
}

/// Finds the rows in the block's shared memory that the first `count` lanes have the
/// addresses of, and notes the access; false where a fault was reported.
static bool findRows(Warp &warp, const Instruction &instruction, unsigned count,
                     Access access, uint32_t *offsets) {
  Block &block = warp.block;
  const uint64_t *addresses = warp.values(instruction.operand[0]);
  const uint64_t size = block.shared.size();
  // What is plainly right goes together; all else Warp::find judges.
  bool isPlain = instruction.space == Space::Shared && size >= rowBytes;
  uint8_t shadows = 0;
  for (unsigned lane = 0; isPlain && lane < count; ++lane) {
    uint64_t address = addresses[lane] + static_cast<uint64_t>(instruction.immediate);
    uint64_t offset = address - sharedStart;
    isPlain = address % rowBytes == 0 && offset <= size - rowBytes;
    if (!isPlain)
      break;
    offsets[lane] = static_cast<uint32_t>(offset);
    // Objects lie at multiples of eight.
    const uint8_t *shadow = block.shared.shadow() + offset;
    shadows |= shadow[0] | shadow[rowBytes - 1];
  }
  if (isPlain && !(shadows & tilewright::emulator::Opaque)) {
    const uint32_t lanes = count == lanesPerWarp ? allLanes : (1u << count) - 1;
    using Kind = LaneHistory::Kind;
    block.noteInWarp(warp, offsets, rowBytes,
                     isRead(access) ? Kind::ReadRows : Kind::WriteRows, lanes);
    block.noteLanes(warp, offsets, rowBytes, access, lanes);
    return true;
  }
  for (unsigned lane = 0; lane < count; ++lane) {
    uint64_t address = addresses[lane] + static_cast<uint64_t>(instruction.immediate);
    Place place = warp.find(instruction.space, address, rowBytes, rowBytes, lane, access);
    if (!place)
      return false;
    if (place.space != Space::Shared || place.owner != &block) {
      warp.stop(Rule::OutOfBounds, "the address is not of the block's shared memory",
                lane);
      return false;
    }
    offsets[lane] = place.offset;
  }
  return true;
}

static Step executeLdmatrix(Warp &warp, const Instruction &instruction) {
  Step step;
  if (!haveAllLanes(warp, step))
    return step;
  unsigned count = instruction.listSize;
  uint32_t offsets[lanesPerWarp];
  if (!haveAddresses(warp, instruction.operand[0], count * edge) ||
      !findRows(warp, instruction, count * edge, Access::Read, offsets))
    return Step::Stop;
  Busy busy;
  Matrix matrices[4];
  const uint8_t *data = warp.block.shared.data(), *shadow = warp.block.shared.shadow();
  for (unsigned lane = 0; lane < count * edge; ++lane) {
    Matrix &matrix = matrices[lane / edge];
    memcpy(matrix.value[lane % edge], data + offsets[lane], rowBytes);
    const uint8_t *bytes = shadow + offsets[lane];
    uint64_t words[2];
    memcpy(words, bytes, rowBytes);
    if (!(words[0] | words[1]))
      continue;
    if (!matrix.hasPoison)
      memset(matrix.poison, 0, sizeof(matrix.poison));
    matrix.hasPoison = true;
    busy.add(orBytes(bytes, rowBytes), lane);
    uint8_t *poison = matrix.poison[lane % edge];
    for (unsigned i = 0; i < rowBytes; ++i)
      poison[i / 2] |= (bytes[i] != 0) << (i % 2);
  }
  if (busy.shadow)
    reportBusy(warp, busy.shadow, /*isRead=*/true, busy.lane);
  for (unsigned i = 0; i < count; ++i)
    toRegister(warp, instruction.list[i], matrices[i], instruction.flags & Transposed);
  warp.block.cluster.getStatistics()->sharedRead += count * edge * rowBytes;
  return Step::Next;
}

static Step executeStmatrix(Warp &warp, const Instruction &instruction) {
  Step step;
  if (!haveAllLanes(warp, step))
    return step;
  unsigned count = instruction.listSize;
  uint32_t offsets[lanesPerWarp];
  if (!haveAddresses(warp, instruction.operand[0], count * edge) ||
      !findRows(warp, instruction, count * edge, Access::Write, offsets))
    return Step::Stop;
  Busy busy;
  uint8_t *data = warp.block.shared.data(), *shadow = warp.block.shared.shadow();
  for (unsigned i = 0; i < count; ++i) {
    Matrix matrix;
    fromRegister(warp, instruction.list[i], matrix, instruction.flags & Transposed);
    for (unsigned row = 0; row < edge; ++row) {
      uint32_t offset = offsets[i * edge + row];
      memcpy(data + offset, matrix.value[row], rowBytes);
      uint8_t before = orBytes(shadow + offset, rowBytes);
      busy.add(before, i * edge + row);
      if (before & busyShadow)
        continue;
      for (unsigned column = 0; column < edge; ++column)
        Warp::poisonToShadow(matrix.poison[row][column], shadow + offset + column * 2, 2);
    }
  }
  if (busy.shadow)
    reportBusy(warp, busy.shadow, /*isRead=*/false, busy.lane);
  warp.block.cluster.getStatistics()->sharedWritten += count * edge * rowBytes;
  return Step::Next;
}

static Step executeMovmatrix(Warp &warp, const Instruction &instruction) {
  Step step;
  if (!haveAllLanes(warp, step))
    return step;
  Matrix matrix;
  fromRegister(warp, instruction.operand[1], matrix, /*transposed=*/false);
  toRegister(warp, instruction.operand[0], matrix, /*transposed=*/true);
  return Step::Next;
}

/// What ldmatrix and stmatrix share: .sync.aligned.m8n8.x4.trans.shared.b16, in any
/// order. Operands are the address and the registers.
static void decodeRows(Decoder &decoder, size_t address, size_t registers,
                       bool isSource) {
  takeSyncAligned(decoder);
  if (!decoder.take("m8n8"))
    decoder.fail("only shape m8n8 is modelled");
  auto count = decoder.takeOneOf({"x1", "x2", "x4"});
  if (decoder.take("trans"))
    decoder.result.flags |= Transposed;
  decoder.result.space = decoder.takeSpace();
  if (decoder.result.space != Space::Shared && decoder.result.space != Space::Generic)
    decoder.fail("the matrix is in shared memory");
  if (decoder.takeType() != Type::B16)
    decoder.fail("elements of .b16 are what is modelled");
  if (!count || !decoder.expectOperands(2, 2)) {
    decoder.fail(".x1, .x2 or .x4 is missing");
    return;
  }
  const Operand &list = decoder.at(registers);
  size_t found = list.kind == Operand::Vector ? list.items.size() : 1;
  if (found != 1u << *count)
    decoder.fail("it has " + std::to_string(found) + " registers, not " +
                 std::to_string(1u << *count));
  decoder.result.operand[0] = decoder.address(decoder.at(address), decoder.result.space);
  decoder.addList(list, Type::B32, isSource);
}

void tilewright::ptx::decodeLdmatrix(Decoder &decoder) {
  decodeRows(decoder, /*address=*/1, /*registers=*/0, /*isSource=*/false);
  decoder.result.execute = executeLdmatrix;
}

void tilewright::ptx::decodeStmatrix(Decoder &decoder) {
  requireArchitecture(decoder, 90);
  decodeRows(decoder, /*address=*/0, /*registers=*/1, /*isSource=*/true);
  decoder.result.execute = executeStmatrix;
}

void tilewright::ptx::decodeMovmatrix(Decoder &decoder) {
  takeSyncAligned(decoder);
  if (!decoder.take("m8n8") || !decoder.take("trans") || decoder.takeType() != Type::B16)
    decoder.fail("movmatrix is .m8n8.trans.b16");
  if (!decoder.expectOperands(2, 2))
    return;
  decoder.result.operand[0] = decoder.destination(0);
  decoder.result.operand[1] = decoder.source(1, Type::B32);
  decoder.result.execute = executeMovmatrix;
}
