//===- MmaQuadOps.cpp - mma.m8n8k4 of halves ----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The form that sm_70 began with. A warp computes four products of 8 x 4 by 4 x 8, one
// for each pair of quads: lanes 0 to 3 with 16 to 19, 4 to 7 with 20 to 23, and so on.
// Its fragments are like those of no other instruction. Of a lane, `low` says that it is
// one of the first 16; element i of its fragment is
//
//   A by rows        row lane % 4 (+ 4 unless low), column i
//   A by columns     row i (+ 4 unless low), column lane % 4
//   B by rows        row lane % 4, column i (+ 4 unless low)
//   B by columns     row i, column lane % 4 (+ 4 unless low)
//   C, D of f16      row lane % 4 (+ 4 unless low), column i
//   C, D of f32      row lane % 2 + (i & 2) (+ 4 unless low),
//                    column (i & 4) + (lane & 2) + i % 2
//
//===----------------------------------------------------------------------===//

#include "emulators/common/Float.h"
#include "emulators/ptx/Block.h"
#include "emulators/ptx/FloatLanes.h"
#include "emulators/ptx/MatrixOps.h"

using namespace tilewright::ptx;
using namespace tilewright::emulator;

namespace {
constexpr unsigned edge = 8, depth = 4, pairs = 4;

struct QuadShape {
  bool aByRows = true, bByRows = false;
  bool cIsHalf = false, dIsHalf = false;
  unsigned accumulators(bool isHalf) const { return isHalf ? 4 : 8; }
};

/// An element, and whether it is undefined.
struct Element {
  float value = 0;
  bool isUndefined = false;
};
struct Product {
  Element a[edge][depth], b[depth][edge], c[edge][edge];
};

unsigned pairOf(unsigned lane) { return lane % 16 / 4; }
unsigned upper(unsigned lane) { return lane < 16 ? 0 : 4; }

/// Element `i` of a fragment of packed halves.
Element readHalf(Warp &warp, const uint32_t *registers, unsigned i, unsigned lane) {
  uint64_t word = warp.values(registers[i / 2])[lane];
  uint8_t poison = warp.poison(registers[i / 2])[lane];
  unsigned shift = i % 2 * 16;
  return {f16ToFloat(static_cast<uint16_t>(word >> shift)),
          (poison >> (i % 2 * 2) & 3) != 0};
}

/// Where element `i` of a lane's part of C or D is.
void place(bool isHalf, unsigned lane, unsigned i, unsigned &row, unsigned &column) {
  row = upper(lane) + (isHalf ? lane % 4 : lane % 2 + (i & 2));
  column = isHalf ? i : (i & 4) + (lane & 2) + i % 2;
}

void gatherAll(Warp &warp, const QuadShape &shape, const uint32_t *a, const uint32_t *b,
               const uint32_t *c, Product *products) {
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    Product &product = products[pairOf(lane)];
    const unsigned quad = lane % 4, high = upper(lane);
    for (unsigned i = 0; i < depth; ++i) {
      Element one = readHalf(warp, a, i, lane), other = readHalf(warp, b, i, lane);
      (shape.aByRows ? product.a[quad + high][i] : product.a[i + high][quad]) = one;
      (shape.bByRows ? product.b[quad][i + high] : product.b[i][quad + high]) = other;
    }
    for (unsigned i = 0; i < edge; ++i) {
      unsigned row, column;
      place(shape.cIsHalf, lane, i, row, column);
      Element &to = product.c[row][column];
      if (shape.cIsHalf)
        to = readHalf(warp, c, i, lane);
      else
        to = {bitCast<float>(static_cast<uint32_t>(warp.values(c[i])[lane])),
              warp.poison(c[i])[lane] != 0};
    }
  }
}

/// As an H100 does what came before its units: products are added up one after the other,
/// each sum rounded, and the addend last. For f16 they start from -0, for f32 from +0.
Element dot(const Product &product, bool isHalf, unsigned row, unsigned column) {
  Element sum;
  sum.value = isHalf ? -0.0f : 0.0f;
  for (unsigned k = 0; k < depth; ++k) {
    const Element &a = product.a[row][k], &b = product.b[k][column];
    sum.value += a.value * b.value;
    sum.isUndefined |= a.isUndefined || b.isUndefined;
  }
  const Element &addend = product.c[row][column];
  return {sum.value + addend.value, sum.isUndefined || addend.isUndefined};
}

Step execute(Warp &warp, const Instruction &instruction) {
  Step step;
  if (!haveAllLanes(warp, step))
    return step;
  ProductTimer timer(*warp.block.cluster.getStatistics());
  const auto &shape = *static_cast<const QuadShape *>(instruction.extra);
  const uint32_t *d = instruction.list, *a = d + shape.accumulators(shape.dIsHalf);
  const uint32_t *b = a + 2, *c = b + 2;
  Product products[pairs];
  gatherAll(warp, shape, a, b, c, products);
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    for (unsigned i = 0; i < edge; ++i) {
      unsigned row, column;
      place(shape.dIsHalf, lane, i, row, column);
      Element sum = dot(products[pairOf(lane)], shape.dIsHalf, row, column);
      if (!shape.dIsHalf) {
        warp.values(d[i])[lane] = canonicalF32(sum.value);
        warp.poison(d[i])[lane] = sum.isUndefined ? undefinedValue : soundValue;
        continue;
      }
      // Two halves a register, the lower one first.
      uint64_t &word = warp.values(d[i / 2])[lane];
      uint8_t &poison = warp.poison(d[i / 2])[lane];
      uint64_t half = floatToF16(sum.value);
      word = i % 2 ? word | half << 16 : half;
      uint8_t state = sum.isUndefined ? 3 : 0;
      poison = static_cast<uint8_t>(i % 2 ? poison | state << 2 : state);
    }
  warp.block.cluster.getStatistics()->multiplyAdds += pairs * edge * edge * depth;
  return Step::Next;
}

void addRegisters(Decoder &decoder, size_t index, unsigned count, bool isSource) {
  const Operand &operand = decoder.at(index);
  if (operand.kind != Operand::Vector || operand.items.size() != count)
    return decoder.fail("operand " + std::to_string(index + 1) + " is no vector of " +
                        std::to_string(count) + " registers");
  decoder.addList(operand, Type::B32, isSource);
}
} // namespace

/// mma.sync.aligned.m8n8k4.row.col.f32.f16.f16.f32 {d}, {a}, {b}, {c}; the shape has been
/// taken.
void tilewright::ptx::decodeMmaQuad(Decoder &decoder) {
  QuadShape shape;
  // The two layouts may be the same, so they go by position.
  std::vector<std::string_view> layouts;
  for (std::string_view modifier : decoder.statement.modifiers)
    if (modifier == "row" || modifier == "col")
      layouts.push_back(modifier);
  if (layouts.size() != 2)
    return decoder.fail("A and B have a layout each, .row or .col");
  for (std::string_view layout : layouts)
    decoder.take(layout);
  shape.aByRows = layouts[0] == "row";
  shape.bByRows = layouts[1] == "row";
  Type d = decoder.takeType(), a = decoder.takeType(), b = decoder.takeType(),
       c = decoder.takeType();
  auto isFloat = [](Type type) { return type == Type::F16 || type == Type::F32; };
  if (a != Type::F16 || b != Type::F16 || !isFloat(c) || !isFloat(d) ||
      (d == Type::F16 && c == Type::F32))
    return decoder.fail("the types are .f16 of A and B, and .f32 or .f16 of C and D");
  shape.cIsHalf = c == Type::F16;
  shape.dIsHalf = d == Type::F16;
  decoder.expectOperands(4, 4);
  if (decoder.failed())
    return;
  addRegisters(decoder, 0, shape.accumulators(shape.dIsHalf), /*isSource=*/false);
  addRegisters(decoder, 1, 2, /*isSource=*/true);
  addRegisters(decoder, 2, 2, /*isSource=*/true);
  addRegisters(decoder, 3, shape.accumulators(shape.cIsHalf), /*isSource=*/true);
  decoder.result.type = d;
  decoder.result.source = a;
  decoder.result.execute = execute;
  decoder.result.extra = decoder.keep(shape);
}
