//===- MatrixOps.cpp - Execution of matrix instructions -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// They take no notice of EXEC. An element of the result is undefined where anything of
// its row of A, its column of B or its element of C is.
//
// Sums go up in k, each rounded to f32 (f64 where factors scale the products); hardware
// adds several products at once, in an order that nobody promises.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Matrix.h"
#include "emulators/amdgpu/WorkGroup.h"
#include "emulators/common/Float.h"

#include <cmath>
#include <cstring>
#include <type_traits>

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

namespace {
constexpr unsigned mostElements = 32; // of a lane: A and B of f8f6f4

/// Registers of A or B as they are multiplied, copied to `buffer` where neg or blgp
/// change them.
const uint32_t *prepare(const uint32_t *words, const MatrixOperand &operand,
                        unsigned laneGroups, uint32_t *buffer) {
  if (!operand.flip[0] && !operand.flip[1] && !laneGroups)
    return words;
  for (unsigned i = 0; i < operand.registers; ++i)
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      buffer[i * maxLanes + lane] =
          words[i * maxLanes + getLaneOfGroups(laneGroups, lane)] ^ operand.flip[i % 2];
  return buffer;
}

/// Multiplies what was unpacked by its factors.
void scale(Wave &wave, const Matrix &matrix, const MatrixOperand &operand,
           const std::vector<uint32_t> &places, double *values) {
  Lanes32 buffer;
  const uint32_t *scales = wave.read(operand.scale, buffer);
  double factors[maxLanes];
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    factors[lane] =
        toDouble(formats::ue8m0, scales[lane] >> (8 * operand.scaleByte) & 0xff);
  unsigned rows = matrix.shape.m;
  for (unsigned k = 0; k < matrix.shape.k; ++k)
    for (unsigned row = 0; row < rows; ++row)
      values[places[k] + row] *= factors[k / 32 * rows + row];
}

/// A of which two of four k are there, as one that has all.
template <typename T>
void expandSparse(Wave &wave, const Matrix &matrix, unsigned count, const T *values,
                  T *to) {
  Lanes32 buffer;
  const uint32_t *index = wave.read(matrix.sparseIndex, buffer);
  memset(to, 0, 2 * count * maxLanes * sizeof(T));
  for (unsigned i = 0; i < count; ++i)
    for (unsigned lane = 0; lane < maxLanes; ++lane) {
      unsigned place = index[lane] >> (matrix.sparseBit + 2 * i) & 3;
      to[(i / 2 * 4 + place) * maxLanes + lane] += values[i * maxLanes + lane];
    }
}

//===----------------------------------------------------------------------===//
// C and D
//===----------------------------------------------------------------------===//

/// `count` halves, each in the low bits of a word, to floats and back.
template <typename Half> void widen(const uint32_t *halves, size_t count, float *to) {
  for (size_t i = 0; i < count; ++i)
    to[i] = static_cast<float>(halfToDouble<Half>(halves[i] & 0xffff));
}
template <typename Half> void narrow(const float *from, size_t count, uint32_t *halves) {
  // NaNs are quiet, and nothing else of them is told.
  constexpr uint64_t nan = Half::format.infinity() | Half::format.infinity() >> 1;
  for (size_t i = 0; i < count; ++i) {
    double value = from[i];
    uint64_t isNan = (bitCast<uint64_t>(value) << 1) > doubleInfinity << 1;
    halves[i] = static_cast<uint32_t>(select(isNan, nan, doubleToHalf<Half>(value)));
  }
}

bool isF16(const Matrix &matrix) {
  return matrix.accumulator == Accumulator::HalfF16 ||
         matrix.accumulator == Accumulator::PackedF16;
}

/// C of sixteen bits.
void readHalves(const Matrix &matrix, const uint32_t *words, float *to) {
  size_t count = size_t(matrix.countResults()) * maxLanes;
  uint32_t halves[Matrix::mostResults * maxLanes];
  for (size_t i = 0; i < count; ++i) {
    size_t element = i / maxLanes, lane = i % maxLanes;
    halves[i] = matrix.isHalf()
                    ? words[i] >> (matrix.isHigh ? 16 : 0)
                    : words[element / 2 * maxLanes + lane] >> (element % 2 * 16);
  }
  isF16(matrix) ? widen<F16>(halves, count, to) : widen<BF16>(halves, count, to);
}

/// D of sixteen bits; where it takes half a register, the other half stays.
void packHalves(Wave &wave, const Matrix &matrix, const Source &destination,
                const float *from, uint32_t *words) {
  size_t count = size_t(matrix.countResults()) * maxLanes;
  uint32_t halves[Matrix::mostResults * maxLanes];
  isF16(matrix) ? narrow<F16>(from, count, halves) : narrow<BF16>(from, count, halves);
  if (matrix.isHalf()) {
    const uint32_t *old = wave.vector(destination.reg);
    unsigned shift = matrix.isHigh ? 16 : 0;
    for (size_t i = 0; i < count; ++i)
      words[i] = (old[i] & ~(0xffffu << shift)) | halves[i] << shift;
    return;
  }
  for (unsigned i = 0; i < count / maxLanes; i += 2)
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      words[i / 2 * maxLanes + lane] =
          halves[i * maxLanes + lane] | halves[(i + 1) * maxLanes + lane] << 16;
}

float flushed(float value) {
  uint32_t bits = bitCast<uint32_t>(value);
  uint32_t keep = 0u - uint32_t((bits & 0x7f800000) != 0);
  return bitCast<float>(bits & (keep | 0x80000000));
}

/// C to what is summed up in.
template <typename T>
void readC(Wave &wave, const Matrix &matrix, const Source &source, T *to) {
  size_t count = size_t(matrix.countResults()) * maxLanes;
  if (source.kind != Operand::Vector) {
    T value;
    if constexpr (std::is_same_v<T, int32_t>)
      value = static_cast<int32_t>(source.bits);
    else if (matrix.accumulator == Accumulator::F64)
      value = static_cast<T>(bitCast<double>(source.bits));
    else
      value = static_cast<T>(bitCast<float>(static_cast<uint32_t>(source.bits)));
    for (size_t i = 0; i < count; ++i)
      to[i] = value;
  } else {
    Lanes32 buffer;
    const uint32_t *words = wave.read(source, buffer);
    if constexpr (std::is_same_v<T, int32_t>) {
      memcpy(to, words, count * sizeof(T));
      return;
    } else {
      if (matrix.accumulator == Accumulator::F64)
        for (unsigned i = 0; i < matrix.countResults(); ++i) {
          const uint32_t *low = words + 2 * i * maxLanes, *high = low + maxLanes;
          for (unsigned lane = 0; lane < maxLanes; ++lane)
            to[i * maxLanes + lane] =
                static_cast<T>(bitCast<double>(low[lane] | uint64_t(high[lane]) << 32));
        }
      else if (matrix.accumulator == Accumulator::F32)
        for (size_t i = 0; i < count; ++i)
          to[i] = bitCast<float>(words[i]);
      else if constexpr (std::is_same_v<T, float>)
        readHalves(matrix, words, to);
    }
  }
  if constexpr (!std::is_same_v<T, int32_t>) {
    if (matrix.flushes)
      for (size_t i = 0; i < count; ++i)
        to[i] = flushed(static_cast<float>(to[i]));
    if (matrix.absoluteC)
      for (size_t i = 0; i < count; ++i)
        to[i] = std::fabs(to[i]);
    if (matrix.negatesC)
      for (size_t i = 0; i < count; ++i)
        to[i] = -to[i];
  }
}

constexpr uint32_t nanF32 = 0x7fc00000;
constexpr uint64_t nanF64 = uint64_t(0x7ff80000) << 32;

/// D's registers, after one another.
template <typename T>
void packD(Wave &wave, const Matrix &matrix, const Source &destination, const T *from,
           uint32_t *words) {
  size_t count = size_t(matrix.countResults()) * maxLanes;
  if constexpr (std::is_same_v<T, int32_t>) {
    memcpy(words, from, count * sizeof(T));
    return;
  } else {
    if (matrix.accumulator == Accumulator::F64) {
      for (unsigned i = 0; i < matrix.countResults(); ++i) {
        uint32_t *low = words + 2 * i * maxLanes, *high = low + maxLanes;
        for (unsigned lane = 0; lane < maxLanes; ++lane) {
          double value = static_cast<double>(from[i * maxLanes + lane]);
          uint64_t bits = select(value != value, nanF64, bitCast<uint64_t>(value));
          low[lane] = static_cast<uint32_t>(bits);
          high[lane] = static_cast<uint32_t>(bits >> 32);
        }
      }
    } else if (matrix.accumulator == Accumulator::F32) {
      for (size_t i = 0; i < count; ++i) {
        float value = static_cast<float>(from[i]);
        value = matrix.flushes ? flushed(value) : value;
        uint32_t isNan = 0u - uint32_t(value != value);
        words[i] = (bitCast<uint32_t>(value) & ~isNan) | (nanF32 & isNan);
      }
    } else if constexpr (std::is_same_v<T, float>) {
      packHalves(wave, matrix, destination, from, words);
    }
  }
}

//===----------------------------------------------------------------------===//
// Execution
//===----------------------------------------------------------------------===//

/// gfx11 computes some rows in one half-wave and some in the other, each from its own
/// copy of the operands. Where one is undefined, what depends on it is.
void expectTwofold(Wave &wave, const Source &source, const uint32_t *words,
                   const char *name) {
  for (unsigned i = 0; i < source.count; ++i) {
    const uint32_t *lower = words + i * maxLanes, *upper = lower + 16;
    if (!memcmp(lower, upper, 16 * sizeof(uint32_t)))
      continue;
    const uint8_t *poison = wave.vectorPoison(static_cast<uint16_t>(source.reg + i));
    for (unsigned lane = 0; lane < 16; ++lane)
      if (lower[lane] != upper[lane] && !poison[lane] && !poison[lane + 16]) {
        wave.report(Rule::Convergence,
                    "lanes " + std::to_string(lane) + " and " +
                        std::to_string(lane + 16) + " differ in register " +
                        std::to_string(i) + " of " + name +
                        ", which both half-waves must hold",
                    lane);
        return;
      }
  }
}

template <typename T>
Step execute(Wave &wave, const Instruction &instruction, const Matrix &matrix) {
  const Source &c = instruction.source[2], &d = instruction.destination[0];
  alignas(64) T a[mostElements * maxLanes], b[mostElements * maxLanes];
  alignas(64) T sums[Matrix::mostResults * maxLanes];
  uint32_t flippedA[8 * maxLanes], flippedB[8 * maxLanes],
      words[Matrix::mostResults * maxLanes];
  Lanes32 buffer;
  const uint32_t *wordsA = wave.read(instruction.source[0], buffer);
  const uint32_t *wordsB = wave.read(instruction.source[1], buffer);
  bool isDefined = areOperandsDefined(wave, instruction, matrix);
  if (matrix.isTwofold) {
    expectTwofold(wave, instruction.source[0], wordsA, "A");
    expectTwofold(wave, instruction.source[1], wordsB, "B");
  }
  unpack(matrix.a.element, prepare(wordsA, matrix.a, 0, flippedA), matrix.a.count,
         matrix.flushes, a);
  unpack(matrix.b.element, prepare(wordsB, matrix.b, matrix.laneGroups, flippedB),
         matrix.b.count, matrix.flushes, b);
  if constexpr (std::is_same_v<T, double>)
    if (matrix.isScaled) {
      scale(wave, matrix, matrix.a, matrix.places.a, a);
      scale(wave, matrix, matrix.b, matrix.places.b, b);
    }
  const T *left = a;
  alignas(64) T dense[mostElements * maxLanes];
  if (matrix.sparseIndex) {
    expandSparse(wave, matrix, matrix.a.count, a, dense);
    left = dense;
  }
  bool isFused = matrix.a.element == Element::F32 || matrix.a.element == Element::F64;
  if (std::is_same_v<T, int32_t> && matrix.clamps) {
    alignas(64) T addend[Matrix::mostResults * maxLanes];
    readC(wave, matrix, c, addend);
    size_t count = size_t(matrix.countResults()) * maxLanes;
    memset(sums, 0, count * sizeof(T));
    multiplyAdd(matrix.shape, matrix.places, isFused, left, b, sums);
    for (size_t i = 0; i < count; ++i) {
      int64_t sum = int64_t(addend[i]) + int64_t(sums[i]);
      sum = sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum;
      sums[i] = static_cast<T>(sum);
    }
  } else {
    readC(wave, matrix, c, sums);
    multiplyAdd(matrix.shape, matrix.places, isFused, left, b, sums);
  }
  packD(wave, matrix, d, sums, words);

  uint8_t poison[Matrix::mostResults * maxLanes];
  if (!isDefined)
    findPoison(wave, instruction, matrix, poison);
  uint64_t active = wave.active;
  wave.active = ~uint64_t(0);
  for (unsigned i = 0; i < d.count; ++i) {
    Source one = d;
    one.reg = static_cast<uint16_t>(d.reg + i);
    one.count = 1;
    wave.write(one, words + i * maxLanes, isDefined ? nullptr : poison + i * maxLanes);
  }
  wave.active = active;
  wave.group.statistics.multiplyAdds += matrix.shape.multiplyAdds();
  return Step::Next;
}
} // namespace

Step tilewright::amdgpu::multiplyMatrices(Wave &wave, const Instruction &instruction) {
  const auto &matrix = *static_cast<const Matrix *>(instruction.extra);
  emulator::ProductTimer timer(wave.group.statistics);
  if (wave.lanes != matrix.lanes)
    return wave.stop(
        Rule::Unsupported,
        "a matrix instruction of a wave of " + std::to_string(wave.lanes) + " lanes", 0);
  if (matrix.accumulator == Accumulator::I32)
    return execute<int32_t>(wave, instruction, matrix);
  if (matrix.accumulator == Accumulator::F64 || matrix.isScaled)
    return execute<double>(wave, instruction, matrix);
  return execute<float>(wave, instruction, matrix);
}
