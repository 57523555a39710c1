//===- TableCasts.cpp - Conversions that look their results up ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Floats of 8 bits have 128 values beside their signs, of 4 bits 16 in all. AVX-512
// holds such a table in registers and looks up one in each lane, so denormals and NaNs
// cost nothing, where arithmetic that is right for them takes nine times as long:
//
//   f8 -> bf16, f16    VBMI: the low bytes of 64 results by one instruction, the high
//                      bytes by another; signs are put in, bytes interleaved
//   f4 -> bf16, f16    32 results by one instruction
//   f4 -> f32          16 results by one instruction
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/TableCasts.h"

#include "compiler/transforms/Expr.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tilewright;
using tilewright::tile::CastOp;

static constexpr int64_t registerBits = 512;

/// What each code of `from` up to `count` is in `to`, as bits. All are exact; a NaN is
/// the quiet one without a payload.
static SmallVector<APInt> makeTable(FloatType from, FloatType to, unsigned count) {
  SmallVector<APInt> table;
  for (unsigned code = 0; code < count; ++code) {
    APFloat number(from.getFloatSemantics(), APInt(from.getWidth(), code));
    bool losesInfo;
    number.convert(to.getFloatSemantics(), APFloat::rmNearestTiesToEven, &losesInfo);
    if (number.isNaN())
      number = APFloat::getQNaN(to.getFloatSemantics());
    table.push_back(number.bitcastToAPInt());
  }
  return table;
}

static Value call(OpBuilder &b, Location loc, StringRef name, Type type,
                  ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(b, loc, type, b.getStringAttr(name), operands)
      .getResult(0);
}

static Value constant(OpBuilder &b, Location loc, Type element, ArrayRef<APInt> lanes) {
  auto type = VectorType::get(lanes.size(), element);
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, lanes));
}

/// Lanes `first` to `first + count` of a vector, and some of no value where it ends.
static Value slice(OpBuilder &b, Location loc, Value vector, int64_t first,
                   int64_t count) {
  int64_t lanes = cast<VectorType>(vector.getType()).getNumElements();
  if (first == 0 && count == lanes)
    return vector;
  SmallVector<int64_t> places;
  for (int64_t lane = first; lane < first + count; ++lane)
    places.push_back(lane < lanes ? lane : vector::ShuffleOp::kPoisonIndex);
  return vector::ShuffleOp::create(b, loc, vector, vector, places);
}

/// One vector of the lanes of all `parts`, whose number is a power of two.
static Value join(OpBuilder &b, Location loc, SmallVector<Value> parts) {
  while (parts.size() > 1) {
    SmallVector<Value> pairs;
    int64_t lanes = cast<VectorType>(parts[0].getType()).getNumElements();
    auto places = llvm::to_vector(llvm::seq<int64_t>(2 * lanes));
    for (size_t i = 0; i < parts.size(); i += 2)
      pairs.push_back(vector::ShuffleOp::create(b, loc, parts[i], parts[i + 1], places));
    parts = std::move(pairs);
  }
  return parts[0];
}

//===----------------------------------------------------------------------===//
// f8
//===----------------------------------------------------------------------===//

namespace {
/// The low and the high bytes of the results for 128 codes, as one instruction takes
/// them: half of a table in a register.
class ByteTables {
public:
  ByteTables(OpBuilder &b, Location loc, FloatType from, FloatType to)
      : b(b), loc(loc), bytes(VectorType::get(registerBits / 8, b.getI8Type())) {
    SmallVector<APInt> table = makeTable(from, to, 128);
    for (unsigned byte : {0, 1})
      for (unsigned first : {0, 64}) {
        SmallVector<APInt> half;
        for (const APInt &result : ArrayRef(table).slice(first, 64))
          half.push_back(result.extractBits(8, 8 * byte));
        halves.push_back(constant(b, loc, b.getI8Type(), half));
      }
  }

  /// The results, of 16 bits, for the first `count` (32 or 64) of 64 codes.
  SmallVector<Value> lookUp(Value codes, int64_t count);

private:
  Value find(Value codes, unsigned byte) {
    return call(b, loc, "llvm.x86.avx512.vpermi2var.qi.512", bytes,
                {halves[2 * byte], codes, halves[2 * byte + 1]});
  }

  OpBuilder &b;
  Location loc;
  VectorType bytes;
  SmallVector<Value> halves;
};
} // namespace

SmallVector<Value> ByteTables::lookUp(Value codes, int64_t count) {
  // Bytes are interleaved in each 128 bits alone: eight codes go to the lower half of
  // each for the first register of results, and eight to the upper half for the second.
  auto quads = VectorType::get(8, b.getI64Type());
  bool isWhole = count == 64;
  SmallVector<int64_t> spread;
  for (int64_t quad = 0; quad < 4; ++quad) {
    spread.push_back(quad);
    spread.push_back(isWhole ? quad + 4 : vector::ShuffleOp::kPoisonIndex);
  }
  Value inQuads = vector::BitCastOp::create(b, loc, quads, codes);
  codes = vector::BitCastOp::create(
      b, loc, bytes, vector::ShuffleOp::create(b, loc, inQuads, inQuads, spread));
  Value low = find(codes, 0);
  Expr sign = Expr(b, loc, codes) & -128;
  Value high = Expr(b, loc, find(codes, 1)) | sign;
  SmallVector<Value> results;
  for (int64_t half = 0; half < (isWhole ? 2 : 1); ++half) {
    SmallVector<int64_t> places;
    for (int64_t block = 0; block < 64; block += 16)
      for (int64_t lane = 0; lane < 8; ++lane)
        for (int64_t vector : {0, 64})
          places.push_back(vector + block + 8 * half + lane);
    results.push_back(vector::ShuffleOp::create(b, loc, low, high, places));
  }
  return results;
}

static Value widenBytes(OpBuilder &b, Location loc, Value x, FloatType to) {
  auto type = cast<VectorType>(x.getType());
  ByteTables tables(b, loc, cast<FloatType>(type.getElementType()), to);
  Value codes = vector::BitCastOp::create(b, loc, type.clone(b.getI8Type()), x);
  int64_t lanes = type.getNumElements();
  SmallVector<Value> results;
  for (int64_t first = 0; first < lanes; first += 64)
    llvm::append_range(results, tables.lookUp(slice(b, loc, codes, first, 64),
                                              std::min<int64_t>(lanes - first, 64)));
  return vector::BitCastOp::create(b, loc, type.clone(to), join(b, loc, results));
}

//===----------------------------------------------------------------------===//
// f4
//===----------------------------------------------------------------------===//

static Value widenNibbles(OpBuilder &b, Location loc, Value x, FloatType to) {
  auto type = cast<VectorType>(x.getType());
  Type word = b.getIntegerType(to.getWidth());
  Value codes = arith::BitcastOp::create(b, loc, type.clone(b.getIntegerType(4)), x);
  codes = arith::ExtUIOp::create(b, loc, type.clone(word), codes);
  int64_t perRegister = registerBits / to.getWidth();
  auto from = cast<FloatType>(type.getElementType());
  SmallVector<APInt> table = makeTable(from, to, 16);
  table.resize(perRegister, APInt(to.getWidth(), 0));
  Value numbers = constant(b, loc, word, table);
  auto registers = cast<VectorType>(numbers.getType());
  SmallVector<Value> results;
  for (int64_t first = 0; first < type.getNumElements(); first += perRegister) {
    Value some = slice(b, loc, codes, first, perRegister);
    results.push_back(call(b, loc,
                           to.getWidth() == 16 ? "llvm.x86.avx512.permvar.hi.512"
                                               : "llvm.x86.avx512.permvar.si.512",
                           registers, {numbers, some}));
  }
  return vector::BitCastOp::create(b, loc, type.clone(to), join(b, loc, results));
}

//===----------------------------------------------------------------------===//
// Both
//===----------------------------------------------------------------------===//

bool cpu::hasTable(CastOp cast, bool bytes) {
  auto from = dyn_cast<VectorType>(cast.getInput().getType());
  auto to = dyn_cast<VectorType>(cast.getResult().getType());
  if (!from || !to || from.getRank() != 1)
    return false;
  Type element = to.getElementType();
  int64_t lanes = from.getNumElements();
  if (!llvm::isPowerOf2_64(lanes) ||
      !(element.isBF16() || element.isF16() || element.isF32()))
    return false;
  if (isa<Float4E2M1FNType>(from.getElementType()))
    return lanes >= registerBits / element.getIntOrFloatBitWidth();
  // The forms whose highest bit is the sign of all numbers. e5m2 is half of an f16.
  bool isSigned = isa<Float8E4M3FNType>(from.getElementType()) ||
                  (isa<Float8E5M2Type>(from.getElementType()) && element.isBF16());
  return bytes && isSigned && !element.isF32() && lanes >= 32;
}

void cpu::expandByTable(CastOp op) {
  OpBuilder b(op);
  auto to = cast<FloatType>(getElementTypeOrSelf(op.getResult()));
  bool isNibble = isa<Float4E2M1FNType>(getElementTypeOrSelf(op.getInput()));
  Value result = isNibble ? widenNibbles(b, op.getLoc(), op.getInput(), to)
                          : widenBytes(b, op.getLoc(), op.getInput(), to);
  op.getResult().replaceAllUsesWith(result);
  op.erase();
}
