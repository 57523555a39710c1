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
#include "emulators/ptx/MatrixOps.h"
#include "emulators/ptx/MemoryAccess.h"

#include <cstring>

using namespace tilewright::ptx;

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

static void toRegister(Warp &warp, uint32_t reg, const Matrix &matrix, bool transposed) {
  if (reg == noRegister)
    return;
  uint64_t *values = warp.values(reg);
  uint8_t *poison = warp.poison(reg);
  memset(poison, soundValue, lanesPerWarp);
  if (transposed) {
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      values[lane] = matrix.value[lane % 4 * 2][lane / 4] |
                     uint32_t(matrix.value[lane % 4 * 2 + 1][lane / 4]) << 16;
  } else {
    // Row by row, the matrix is the lanes' words in order.
    uint32_t words[lanesPerWarp];
    memcpy(words, matrix.value, sizeof(words));
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      values[lane] = words[lane];
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
  for (unsigned lane = 0; lane < count; ++lane)
    if (poison[lane]) {
      warp.stop(Rule::Uninitialised, "the address depends on undefined data", lane);
      return false;
    }
  return true;
}

namespace {
/// Finds the rows that lanes have the addresses of.
class RowFinder {
public:
  RowFinder(Warp &warp, const Instruction &instruction, Access access)
      : warp(warp), block(warp.block), instruction(instruction), access(access),
        addresses(warp.values(instruction.operand[0])), agent(block.agentOf(warp)),
        now(block.clockOf(warp)) {}

  /// The memory of `lane`'s row, if it is shared memory of the block; else a place
  /// without data, and a fault is reported.
  Place find(unsigned lane) {
    uint64_t address = addresses[lane] + static_cast<uint64_t>(instruction.immediate);
    uint64_t offset = address - sharedStart;
    // What is plainly right is read on a way of its own; all else Warp::find judges.
    if (access == Access::Read && instruction.space == Space::Shared && block.history &&
        address % rowBytes == 0 && address >= sharedStart &&
        offset + rowBytes <= block.shared.size() &&
        !block.history
             ->noteRead(offset, rowBytes, agent, now, instruction.statement->line)
             .found) {
      Place place;
      place.data = block.shared.data() + offset;
      place.shadow = block.shared.shadow() + offset;
      return place;
    }
    Place place = warp.find(instruction.space, address, rowBytes, rowBytes, lane, access);
    if (place && (place.space != Space::Shared || place.owner != &block)) {
      warp.stop(Rule::OutOfBounds, "the address is not of the block's shared memory",
                lane);
      return {};
    }
    return place;
  }

private:
  Warp &warp;
  Block &block;
  const Instruction &instruction;
  Access access;
  const uint64_t *addresses;
  uint32_t agent;
  const tilewright::emulator::VectorClock &now;
};
} // namespace

static Step executeLdmatrix(Warp &warp, const Instruction &instruction) {
  Step step;
  if (!haveAllLanes(warp, step))
    return step;
  unsigned count = instruction.listSize;
  if (!haveAddresses(warp, instruction.operand[0], count * edge))
    return Step::Stop;
  RowFinder rows(warp, instruction, Access::Read);
  Busy busy;
  Matrix matrices[4];
  for (unsigned lane = 0; lane < count * edge; ++lane) {
    Place place = rows.find(lane);
    if (!place)
      return Step::Stop;
    Matrix &matrix = matrices[lane / edge];
    memcpy(matrix.value[lane % edge], place.data, rowBytes);
    uint64_t shadow[2];
    memcpy(shadow, place.shadow, rowBytes);
    if (!(shadow[0] | shadow[1]))
      continue;
    if (!matrix.hasPoison)
      memset(matrix.poison, 0, sizeof(matrix.poison));
    matrix.hasPoison = true;
    busy.add(orBytes(place.shadow, rowBytes), lane);
    uint8_t *poison = matrix.poison[lane % edge];
    for (unsigned i = 0; i < rowBytes; ++i)
      poison[i / 2] |= (place.shadow[i] != 0) << (i % 2);
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
  if (!haveAddresses(warp, instruction.operand[0], count * edge))
    return Step::Stop;
  RowFinder rows(warp, instruction, Access::Write);
  Busy busy;
  for (unsigned i = 0; i < count; ++i) {
    Matrix matrix;
    fromRegister(warp, instruction.list[i], matrix, instruction.flags & Transposed);
    for (unsigned row = 0; row < edge; ++row) {
      Place place = rows.find(i * edge + row);
      if (!place)
        return Step::Stop;
      memcpy(place.data, matrix.value[row], rowBytes);
      uint8_t before = orBytes(place.shadow, rowBytes);
      busy.add(before, i * edge + row);
      if (before & busyShadow)
        continue;
      for (unsigned column = 0; column < edge; ++column)
        Warp::poisonToShadow(matrix.poison[row][column], place.shadow + column * 2, 2);
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
