//===- MatrixPoison.cpp - Undefined data in matrix instructions ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Matrix.h"
#include "emulators/amdgpu/Wave.h"

#include <cstring>

using namespace tilewright::amdgpu;

namespace {
bool isAnyPoisoned(const Wave &wave, const Source &source) {
  if (source.kind != Operand::Vector)
    return false;
  for (unsigned i = 0; i < source.count; ++i)
    if (wave.isPoisoned(static_cast<uint16_t>(source.reg + i)))
      return true;
  return false;
}

/// Whether anything of a source is undefined, by lane.
void findLanes(Wave &wave, const Source &source, uint8_t mask, uint8_t *lanes) {
  LanePoison buffer;
  for (unsigned i = 0; i < source.count; ++i) {
    Source one = source;
    one.reg = static_cast<uint16_t>(source.reg + i);
    one.count = 1;
    const uint8_t *poison = wave.readPoison(one, buffer);
    for (unsigned lane = 0; poison && lane < maxLanes; ++lane)
      lanes[lane] |= (poison[lane] & mask) != 0;
  }
}
} // namespace

bool tilewright::amdgpu::areOperandsDefined(Wave &wave, const Instruction &instruction,
                                            const Matrix &matrix) {
  uint64_t all = matrix.lanes == 64 ? ~uint64_t(0) : 0xffffffff;
  return !isAnyPoisoned(wave, instruction.source[0]) &&
         !isAnyPoisoned(wave, instruction.source[1]) &&
         !isAnyPoisoned(wave, instruction.source[2]) &&
         !isAnyPoisoned(wave, matrix.a.scale) && !isAnyPoisoned(wave, matrix.b.scale) &&
         !isAnyPoisoned(wave, matrix.sparseIndex) &&
         !(matrix.isHalf() && isAnyPoisoned(wave, instruction.destination[0])) &&
         wave.present == all;
}

void tilewright::amdgpu::findPoison(Wave &wave, const Instruction &instruction,
                                    const Matrix &matrix, uint8_t *poison) {
  const Source &c = instruction.source[2], &d = instruction.destination[0];
  uint8_t absent[maxLanes], a[maxLanes], raw[maxLanes], b[maxLanes];
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    absent[lane] = lane < matrix.lanes && !(wave.present >> lane & 1);
  memcpy(a, absent, sizeof(a));
  memcpy(raw, absent, sizeof(raw));
  findLanes(wave, instruction.source[0], 0xf, a);
  findLanes(wave, instruction.source[1], 0xf, raw);
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    b[lane] = raw[getLaneOfGroups(matrix.laneGroups, lane)];
  if (matrix.isScaled) {
    findLanes(wave, matrix.a.scale, uint8_t(1 << matrix.a.scaleByte), a);
    findLanes(wave, matrix.b.scale, uint8_t(1 << matrix.b.scaleByte), b);
  }
  if (matrix.sparseIndex)
    findLanes(wave, matrix.sparseIndex, 0xf, a);

  // By result: a bit for each byte.
  static thread_local uint8_t results[Matrix::mostResults * maxLanes];
  unsigned count = matrix.countResults();
  bool isPacked = matrix.isPacked(), isHalf = matrix.isHalf();
  bool isDouble = matrix.accumulator == Accumulator::F64;
  uint8_t half = matrix.isHigh ? 0xc : 0x3;
  memset(results, 0, sizeof(results));
  for (unsigned i = 0; i < count && c.kind == Operand::Vector; ++i) {
    unsigned first = isDouble ? 2 * i : isPacked ? i / 2 : i;
    uint8_t mask = isPacked ? (i % 2 ? 0xc : 0x3) : isHalf ? half : 0xf;
    for (unsigned part = 0; part < (isDouble ? 2u : 1u); ++part) {
      const uint8_t *from =
          wave.vectorPoison(static_cast<uint16_t>(c.reg + first + part));
      for (unsigned lane = 0; lane < maxLanes; ++lane)
        results[i * maxLanes + lane] |= (from[lane] & mask) != 0 || absent[lane];
    }
  }
  const MatrixShape &shape = matrix.shape;
  for (unsigned block = 0; block < shape.blocks; ++block) {
    uint8_t rows[maxLanes] = {}, columns[maxLanes] = {};
    for (unsigned k = 0; k < shape.k; ++k)
      for (unsigned i = 0; i < shape.m; ++i) {
        rows[i] |= a[matrix.places.a[block * shape.k + k] % maxLanes + i];
        columns[i] |= b[matrix.places.b[block * shape.k + k] % maxLanes + i];
      }
    for (unsigned row = 0; row < shape.m; ++row) {
      uint8_t *to = results + matrix.places.d[block * shape.m + row];
      for (unsigned column = 0; column < shape.n; ++column)
        to[column] |= rows[row] | columns[column];
    }
  }
  if (isHalf) // the other half stays
    for (unsigned i = 0; i < d.count; ++i)
      for (unsigned lane = 0; lane < maxLanes; ++lane)
        poison[i * maxLanes + lane] =
            wave.vectorPoison(static_cast<uint16_t>(d.reg + i))[lane] & (half ^ 0xf);
  else
    memset(poison, 0, size_t(d.count) * maxLanes);
  for (unsigned i = 0; i < count; ++i)
    for (unsigned lane = 0; lane < maxLanes; ++lane) {
      if (!results[i * maxLanes + lane])
        continue;
      if (isDouble)
        poison[2 * i * maxLanes + lane] = poison[(2 * i + 1) * maxLanes + lane] = 0xf;
      else if (isPacked)
        poison[i / 2 * maxLanes + lane] |= i % 2 ? 0xc : 0x3;
      else
        poison[i * maxLanes + lane] |= isHalf ? half : 0xf;
    }
}
