//===- MatrixOps.cpp - What the matrix instructions of a warp share -----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/MatrixOps.h"
#include "emulators/ptx/Block.h"
#include "emulators/ptx/MatrixSum.h"

#include <cstring>
#include <optional>

using namespace tilewright::ptx;

void tilewright::ptx::decodeMatrix(Decoder &decoder) {
  std::string_view opcode = decoder.statement.opcode;
  if (opcode == "ldmatrix")
    decodeLdmatrix(decoder);
  else if (opcode == "stmatrix")
    decodeStmatrix(decoder);
  else if (opcode == "movmatrix")
    decodeMovmatrix(decoder);
  else if (opcode == "mma")
    decodeMma(decoder);
  else
    decodeWmma(decoder);
}

void tilewright::ptx::takeSyncAligned(Decoder &decoder) {
  if (!decoder.take("sync") || !decoder.take("aligned"))
    decoder.fail(".sync.aligned is missing");
}

void tilewright::ptx::requireArchitecture(Decoder &decoder, unsigned least) {
  if (decoder.program.architecture < least)
    decoder.fail("it needs sm_" + std::to_string(least));
}

/// Reads "m16n8k16"; false if it is none.
static bool parseShape(std::string_view text, MatrixSize &size) {
  auto number = [&](char letter, unsigned &value) {
    if (text.empty() || text[0] != letter)
      return false;
    text.remove_prefix(1);
    size_t digits = 0;
    value = 0;
    while (digits < text.size() && digits < 4 && text[digits] >= '0' &&
           text[digits] <= '9')
      value = value * 10 + (text[digits++] - '0');
    text.remove_prefix(digits);
    return digits > 0;
  };
  return number('m', size.m) && number('n', size.n) && number('k', size.k) &&
         text.empty();
}

MatrixSize tilewright::ptx::takeShape(Decoder &decoder) {
  for (std::string_view modifier : decoder.statement.modifiers) {
    MatrixSize size;
    if (parseShape(modifier, size) && decoder.take(modifier))
      return size;
  }
  decoder.fail("the shape is missing");
  return {};
}

bool tilewright::ptx::haveAllLanes(Warp &warp, Step &step) {
  if (warp.active == allLanes)
    return true;
  uint32_t lacking = allLanes & ~warp.active;
  if (warp.alive == allLanes && warp.active == warp.group->lanes) {
    step = warp.waitForLanes(Rule::Convergence, lacking);
    return false;
  }
  step = warp.stop(Rule::Convergence,
                   "all 32 lanes of a warp must execute it together, and lane " +
                       std::to_string(__builtin_ctz(lacking)) +
                       (warp.alive & lacking & ~warp.group->lanes ? " is elsewhere"
                        : warp.alive & lacking                    ? "'s guard is false"
                        : warp.present & lacking                  ? " has exited"
                                                                  : " does not exist"),
                   warp.firstLane());
  return false;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

// The largest operands: wmma.m32n8k16, mma.m16n8k64 and C of 16 by 16.
static constexpr unsigned maxA = 1024, maxB = 1024, maxC = 256;

namespace {
/// The registers of an instruction by operand.
struct ProductRegisters {
  const uint32_t *d, *a, *b, *c;
};

/// How elements of each arithmetic are unpacked, and which product is formed of them.
template <Arithmetic arithmetic> struct Operands;

template <> struct Operands<Arithmetic::Float> {
  alignas(32) float a[maxA], b[maxB], d[maxC];

  static void load(RegisterFile file, const uint32_t *registers, Type type,
                   const Fragment &fragment, unsigned count, Strides strides, float *to) {
    union {
      uint8_t bytes[maxA];
      uint16_t halves[maxA];
      uint32_t words[maxA];
    } raw;
    if (fragment.bits == 16) {
      gather(file, registers, fragment, raw.halves, strides);
      unpack(type, raw.halves, count, to);
    } else if (fragment.bits == 32) {
      gather(file, registers, fragment, raw.words, strides);
      unpack(type, raw.words, count, to);
    } else {
      gather(file, registers, fragment, raw.bytes, strides);
      unpack(type, raw.bytes, count, to);
    }
  }
  void multiply(RegisterFile file, const ProductRegisters &registers,
                const MmaShape &shape) {
    const MatrixSize &size = shape.size;
    if (shape.aFragment.bits == 16)
      gatherHalfRows(file, registers.a, shape.aFragment, shape.a, a, size.k);
    else
      load(file, registers.a, shape.a, shape.aFragment, size.m * size.k, {size.k, 1}, a);
    if (shape.bFragment.bits == 16 && size.n == 8)
      gatherHalfColumns(file, registers.b, shape.bFragment, shape.b, b);
    else
      load(file, registers.b, shape.b, shape.bFragment, size.k * size.n, {1, size.n}, b);
    if (shape.c == Type::F32)
      gatherFloatRows(file, registers.c, shape.cFragment, d, size.n);
    else
      load(file, registers.c, shape.c, shape.cFragment, size.m * size.n, {size.n, 1}, d);
    if (getBits(shape.a) == 8)
      sumEighths(size, shape.d, a, b, d);
    else if (shape.a == Type::TF32 && size.n == 16)
      sumHalves(size, getSum(shape.a, shape.b, shape.d, /*isAsync=*/false), a, b, d);
    else
      sumProducts(size, getSum(shape.a, shape.b, shape.d, /*isAsync=*/false), a, b, d);
  }
  void store(RegisterFile file, const uint32_t *registers, const MmaShape &shape) {
    unsigned count = shape.size.m * shape.size.n;
    if (shape.d == Type::F16) {
      uint16_t halves[maxC];
      pack(d, count, halves);
      scatter(file, registers, shape.dFragment, halves, {shape.size.n, 1});
      return;
    }
    scatterFloatRows(file, registers, shape.dFragment, d, shape.size.n);
  }
};

template <> struct Operands<Arithmetic::Double> {
  alignas(32) double a[maxA], b[maxB], d[maxC];

  static void load(RegisterFile file, const uint32_t *registers, const Fragment &fragment,
                   unsigned count, Strides strides, double *to) {
    uint64_t raw[maxA];
    gather(file, registers, fragment, raw, strides);
    memcpy(to, raw, count * sizeof(double));
  }
  void multiply(RegisterFile file, const ProductRegisters &registers,
                const MmaShape &shape) {
    const MatrixSize &size = shape.size;
    load(file, registers.a, shape.aFragment, size.m * size.k, {size.k, 1}, a);
    load(file, registers.b, shape.bFragment, size.k * size.n, {1, size.n}, b);
    load(file, registers.c, shape.cFragment, size.m * size.n, {size.n, 1}, d);
    multiplyAdd(size, a, b, d);
  }
  void store(RegisterFile file, const uint32_t *registers, const MmaShape &shape) {
    unsigned count = shape.size.m * shape.size.n;
    uint64_t raw[maxC];
    memcpy(raw, d, count * sizeof(double));
    scatter(file, registers, shape.dFragment, raw, {shape.size.n, 1});
  }
};

/// Integers, and words of bits.
struct WordOperands {
  alignas(32) uint32_t a[maxA], b[maxB], c[maxC], d[maxC];

  static void load(RegisterFile file, const uint32_t *registers, Type type,
                   const Fragment &fragment, unsigned count, Strides strides,
                   uint32_t *to) {
    if (type == Type::B1) {
      gather(file, registers, fragment, to, strides);
      return;
    }
    uint8_t raw[maxA];
    gather(file, registers, fragment, raw, strides);
    unpack(type, raw, count, to);
  }
  void multiply(RegisterFile file, const ProductRegisters &registers,
                const MmaShape &shape) {
    const MatrixSize &size = shape.size;
    unsigned count = size.m * size.n;
    load(file, registers.a, shape.a, shape.aFragment, size.m * size.k, {size.k, 1}, a);
    load(file, registers.b, shape.b, shape.bFragment, size.k * size.n, {1, size.n}, b);
    gather(file, registers.c, shape.cFragment, c, {size.n, 1});
    if (shape.clamps)
      memset(d, 0, count * sizeof(*d));
    else
      memcpy(d, c, count * sizeof(*d));
    if (shape.a == Type::B1)
      multiplyAddBits(size, shape.isAnd, a, b, d);
    else
      multiplyAdd(size, a, b, d);
    if (shape.clamps)
      addClamped(c, d, count);
  }
  void store(RegisterFile file, const uint32_t *registers, const MmaShape &shape) {
    scatter(file, registers, shape.dFragment, d, {shape.size.n, 1});
  }
};
template <> struct Operands<Arithmetic::Integer> : WordOperands {};
template <> struct Operands<Arithmetic::Bits> : WordOperands {};
} // namespace

template <Arithmetic arithmetic>
static Step executeProduct(Warp &warp, const Instruction &instruction) {
  Step step;
  if (!haveAllLanes(warp, step))
    return step;
  ProductTimer timer(*warp.block.cluster.getStatistics());
  const auto &shape = *static_cast<const MmaShape *>(instruction.extra);
  RegisterFile file(warp);
  ProductRegisters registers;
  registers.d = instruction.list;
  registers.a = registers.d + shape.dFragment.registers();
  registers.b = registers.a + shape.aFragment.registers();
  registers.c = registers.b + shape.bFragment.registers();

  // D's registers may be those of an operand: read everything first.
  std::optional<Undefined> undefined;
  const MatrixSize &size = shape.size;
  if (hasPoison(file, registers.a, shape.aFragment) ||
      hasPoison(file, registers.b, shape.bFragment) ||
      hasPoison(file, registers.c, shape.cFragment)) {
    undefined.emplace();
    markRows(file, registers.a, shape.aFragment, *undefined);
    markColumns(file, registers.b, shape.bFragment, *undefined);
    markElements(file, registers.c, shape.cFragment, size.m, size.n, *undefined);
  }
  Operands<arithmetic> operands;
  operands.multiply(file, registers, shape);
  operands.store(file, registers.d, shape);
  if (undefined)
    poisonElements(file, registers.d, shape.dFragment, size.n, *undefined);
  warp.block.cluster.getStatistics()->multiplyAdds +=
      uint64_t(size.m) * size.n * size.k * (shape.a == Type::B1 ? 32 : 1);
  return Step::Next;
}

/// Adds the registers of operand `index`; fails unless they are `count`.
static void addRegisters(Decoder &decoder, size_t index, const Fragment &fragment,
                         bool isSource) {
  const Operand &operand = decoder.at(index);
  size_t count = operand.kind == Operand::Vector ? operand.items.size() : 1;
  if (count != fragment.registers())
    decoder.fail("operand " + std::to_string(index + 1) + " has " +
                 std::to_string(count) + " registers, not " +
                 std::to_string(fragment.registers()));
  Type type = fragment.registerBits == 64 ? Type::B64 : Type::B32;
  decoder.addList(operand, type, isSource);
}

void tilewright::ptx::decodeProduct(Decoder &decoder, MmaShape shape, unsigned aCopies,
                                    unsigned bCopies) {
  decoder.expectOperands(4, 4);
  if (decoder.failed()) // types without fragments, say
    return;
  MatrixSize &size = shape.size;
  shape.aFragment = makeMultiplicand(shape.a, size.m, size.k);
  shape.bFragment = makeMultiplicand(shape.b, size.n, size.k);
  shape.cFragment = makeAccumulator(shape.c, size.m, size.n);
  shape.dFragment = makeAccumulator(shape.d, size.m, size.n);
  shape.aFragment.copies = static_cast<uint8_t>(aCopies);
  shape.bFragment.copies = static_cast<uint8_t>(bCopies);
  if (shape.a == Type::B1)
    size.k /= 32;
  addRegisters(decoder, 0, shape.dFragment, /*isSource=*/false);
  addRegisters(decoder, 1, shape.aFragment, /*isSource=*/true);
  addRegisters(decoder, 2, shape.bFragment, /*isSource=*/true);
  addRegisters(decoder, 3, shape.cFragment, /*isSource=*/true);
  decoder.result.type = shape.d;
  decoder.result.source = shape.a;
  switch (getArithmetic(shape.a)) {
  case Arithmetic::Float:
    decoder.result.execute = executeProduct<Arithmetic::Float>;
    break;
  case Arithmetic::Double:
    decoder.result.execute = executeProduct<Arithmetic::Double>;
    break;
  case Arithmetic::Integer:
    decoder.result.execute = executeProduct<Arithmetic::Integer>;
    break;
  case Arithmetic::Bits:
    decoder.result.execute = executeProduct<Arithmetic::Bits>;
    break;
  }
  decoder.result.extra = decoder.keep(std::move(shape));
}
