//===- MfmaDecode.cpp - Decoding of CDNA's matrix instructions ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   v_mfma_f32_32x32x8f16 a[0:15], v[0:1], v[2:3], a[0:15]          gfx90a
//   v_mfma_f32_32x32x4_2b_f16 v[0:31], v[32:33], v[34:35], 0 cbsz:1 gfx942
//   v_mfma_scale_f32_16x16x128_f8f6f4 v[0:3], v[4:11], v[12:15], v[0:3], v16, v17
//       op_sel:[1,0,0] op_sel_hi:[0,0,0] blgp:4                     gfx950
//   v_smfmac_f32_16x16x32_f16 v[0:3], v[4:5], v[6:9], v10 abid:1    D is C
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Matrix.h"

using namespace tilewright::amdgpu;

namespace {
bool consume(std::string_view &text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix)
    return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool consumeNumber(std::string_view &text, unsigned &value) {
  size_t digits = 0;
  for (value = 0; digits < text.size() && digits < 4; ++digits) {
    char c = text[digits];
    if (c < '0' || c > '9')
      break;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  text.remove_prefix(digits);
  return digits;
}

struct TypeEntry {
  std::string_view name;
  Element a, b;
  bool hasLaneGroups; ///< takes blgp as a pattern of lanes
};
/// What stands at the end of a mnemonic.
constexpr TypeEntry types[] = {
    {"f32", Element::F32, Element::F32, true},
    {"xf32", Element::XF32, Element::XF32, false},
    {"f16", Element::F16, Element::F16, true},
    {"bf16", Element::BF16, Element::BF16, true},
    {"bf16_1k", Element::BF16, Element::BF16, true},
    {"i8", Element::S8, Element::S8, true},
    {"f64", Element::F64, Element::F64, false},
    {"fp8_fp8", Element::E4M3, Element::E4M3, false},
    {"fp8_bf8", Element::E4M3, Element::E5M2, false},
    {"bf8_fp8", Element::E5M2, Element::E4M3, false},
    {"bf8_bf8", Element::E5M2, Element::E5M2, false},
};

/// Element formats by the number in cbsz and blgp of f8f6f4.
constexpr Element mixedElements[] = {Element::E4M3, Element::E5M2, Element::E2M3,
                                     Element::E3M2, Element::E2M1};

/// gfx942 has other formats of eight bits than OCP's.
Element getElement(const Target &target, Element element) {
  if (target.gpu == Gpu::Gfx942 && element == Element::E4M3)
    return Element::E4M3Fnuz;
  if (target.gpu == Gpu::Gfx942 && element == Element::E5M2)
    return Element::E5M2Fnuz;
  return element;
}

unsigned countRegisters(Accumulator accumulator, const MatrixShape &shape) {
  unsigned results = shape.m * shape.n * shape.blocks / 64;
  return accumulator == Accumulator::F64 ? 2 * results : results;
}

/// A and B, which must be vector registers.
bool decodeFactor(Decoder &decoder, size_t index, unsigned count, Element element,
                  MatrixOperand &operand, Source &source) {
  unsigned bits = count * getBits(element);
  if (!bits || bits % 32)
    return decoder.fail("a shape that no lane holds");
  operand.element = element;
  operand.count = count;
  operand.registers = bits / 32;
  return decoder.source(index, Type::B32, source, operand.registers) &&
         (source.kind == Operand::Vector ||
          decoder.fail("a factor that is no vector register"));
}

bool decodeAddend(Decoder &decoder, const Matrix &matrix, unsigned registers) {
  Source &source = decoder.instruction.source[2];
  if (decoder.operand(3).isRegister())
    return decoder.source(3, Type::B32, source, registers) &&
           (source.kind == Operand::Vector ||
            decoder.fail("an addend that is no vector register"));
  Type type = matrix.accumulator == Accumulator::F64   ? Type::F64
              : matrix.accumulator == Accumulator::I32 ? Type::B32
                                                       : Type::F32;
  return decoder.source(3, type, source) &&
         (source.kind == Operand::Integer || decoder.fail("an addend of this kind"));
}

/// cbsz and abid: one block of A for several of B. blgp: a pattern of lanes for B, or of
/// f64 neg of A, B and C.
bool decodeModifiers(Decoder &decoder, const TypeEntry &type, Matrix &matrix) {
  int64_t broadcast = 0, from = 0, groups = 0;
  decoder.integer("cbsz", broadcast);
  decoder.integer("abid", from);
  decoder.integer("blgp", groups);
  if (broadcast < 0 || (1 << broadcast) > int(matrix.shape.blocks) || from < 0 ||
      from >= 1 << broadcast)
    return decoder.fail("cbsz and abid name a block that is not there");
  if (groups && !type.hasLaneGroups)
    return decoder.fail("blgp is not modelled of this type");
  matrix.laneGroups = static_cast<unsigned>(groups & 7);
  std::vector<int64_t> negates;
  if (decoder.integers("neg", negates)) {
    if (matrix.accumulator != Accumulator::F64 || negates.size() != 3)
      return decoder.fail("neg is not modelled of this type");
    matrix.a.flip[1] = negates[0] ? 0x80000000 : 0;
    matrix.b.flip[1] = negates[1] ? 0x80000000 : 0;
    matrix.negatesC = negates[2];
  }
  matrix.places =
      placeMfma(matrix.shape, matrix.accumulator, static_cast<unsigned>(broadcast),
                static_cast<unsigned>(from));
  return true;
}

bool decodeDense(Decoder &decoder, const TypeEntry &type, Matrix &matrix) {
  Instruction &instruction = decoder.instruction;
  const MatrixShape &shape = matrix.shape;
  unsigned count = shape.m * shape.k * shape.blocks / 64;
  unsigned registers = countRegisters(matrix.accumulator, shape);
  matrix.flushes = decoder.target.gpu == Gpu::Gfx90a && getBits(type.a) == 16;
  return decoder.expect(4) &&
         decoder.destination(0, instruction.destination[0], registers) &&
         decodeFactor(decoder, 1, count, getElement(decoder.target, type.a), matrix.a,
                      instruction.source[0]) &&
         decodeFactor(decoder, 2, count, getElement(decoder.target, type.b), matrix.b,
                      instruction.source[1]) &&
         decodeAddend(decoder, matrix, registers) &&
         decodeModifiers(decoder, type, matrix);
}

/// f8f6f4: formats of A and B by cbsz and blgp, perhaps with factors, of which op_sel and
/// op_sel_hi choose the byte.
bool decodeMixed(Decoder &decoder, Matrix &matrix) {
  Instruction &instruction = decoder.instruction;
  int64_t formatA = 0, formatB = 0;
  decoder.integer("cbsz", formatA);
  decoder.integer("blgp", formatB);
  if (formatA < 0 || formatA > 4 || formatB < 0 || formatB > 4)
    return decoder.fail("cbsz or blgp names no format");
  Element a = mixedElements[formatA], b = mixedElements[formatB];
  unsigned count = matrix.shape.m * matrix.shape.k / 64;
  unsigned registers = countRegisters(matrix.accumulator, matrix.shape);
  matrix.places = placeMixedMfma(matrix.shape, getBits(a) == 8, getBits(b) == 8);
  if (!decoder.expect(matrix.isScaled ? 6 : 4) ||
      !decoder.destination(0, instruction.destination[0], registers) ||
      !decodeFactor(decoder, 1, count, a, matrix.a, instruction.source[0]) ||
      !decodeFactor(decoder, 2, count, b, matrix.b, instruction.source[1]) ||
      !decodeAddend(decoder, matrix, registers))
    return false;
  if (!matrix.isScaled)
    return true;
  std::vector<int64_t> low, high;
  decoder.integers("op_sel", low);
  decoder.integers("op_sel_hi", high);
  if (low.empty())
    low = {0, 0};
  if (high.empty())
    high = {1, 1};
  if (low.size() < 2 || high.size() < 2)
    return decoder.fail("op_sel has too few parts");
  matrix.a.scaleByte = static_cast<unsigned>(low[0] + 2 * high[0]);
  matrix.b.scaleByte = static_cast<unsigned>(low[1] + 2 * high[1]);
  return decoder.source(4, Type::B32, matrix.a.scale) &&
         decoder.source(5, Type::B32, matrix.b.scale) &&
         ((matrix.a.scale.kind == Operand::Vector &&
           matrix.b.scale.kind == Operand::Vector) ||
          decoder.fail("factors that are no vector registers"));
}

/// smfmac: abid chooses the part of the index that holds this instruction's bits, where
/// cbsz is zero.
bool decodeSparse(Decoder &decoder, const TypeEntry &type, Matrix &matrix) {
  Instruction &instruction = decoder.instruction;
  const MatrixShape &shape = matrix.shape;
  unsigned count = shape.m * shape.k / 64;
  // Where gfx950's longer ones have their k is not published.
  if (count * getBits(type.b) > 128)
    return decoder.fail("a sparse product of this length");
  unsigned registers = countRegisters(matrix.accumulator, shape);
  int64_t broadcast = 0, part = 0;
  decoder.integer("cbsz", broadcast);
  decoder.integer("abid", part);
  unsigned bits = count; // two for each of the half of the elements that are there
  unsigned parts = 32 / bits;
  matrix.sparseBit = broadcast ? 0 : bits * (static_cast<unsigned>(part) % parts);
  matrix.places = placeMfma(shape, matrix.accumulator, 0, 0);
  bool good = decoder.expect(4) &&
              decoder.destination(0, instruction.destination[0], registers) &&
              decodeFactor(decoder, 1, count / 2, getElement(decoder.target, type.a),
                           matrix.a, instruction.source[0]) &&
              decodeFactor(decoder, 2, count, getElement(decoder.target, type.b),
                           matrix.b, instruction.source[1]) &&
              decoder.source(3, Type::B32, matrix.sparseIndex);
  instruction.source[2] = instruction.destination[0];
  return good;
}

bool decode(Decoder &decoder, std::string_view name, bool isSparse) {
  Matrix matrix;
  matrix.isScaled = consume(name, "scale_");
  if (consume(name, "f32_"))
    matrix.accumulator = Accumulator::F32;
  else if (consume(name, "i32_"))
    matrix.accumulator = Accumulator::I32;
  else if (consume(name, "f64_"))
    matrix.accumulator = Accumulator::F64;
  else
    return decoder.fail("its result is of an unknown type");
  MatrixShape &shape = matrix.shape;
  if (!consumeNumber(name, shape.m) || !consume(name, "x") ||
      !consumeNumber(name, shape.n) || !consume(name, "x") ||
      !consumeNumber(name, shape.k) || shape.m != shape.n ||
      (shape.m != 4 && shape.m != 16 && shape.m != 32))
    return decoder.fail("its shape is unknown");
  consume(name, "_");
  // How many blocks: gfx90a's names do not say, the result's size does.
  unsigned results = decoder.count() ? decoder.operand(0).count : 0;
  if (matrix.accumulator == Accumulator::F64)
    results /= 2;
  shape.blocks = results * 64 / (shape.m * shape.n);
  std::string_view rest = name;
  unsigned written;
  if (consumeNumber(rest, written) && consume(rest, "b_")) {
    if (written != shape.blocks)
      return decoder.fail("its blocks do not fit its result");
    name = rest;
  }
  decoder.instruction.execute = multiplyMatrices;
  decoder.instruction.isMatrix = true;
  bool good = false, isKnown = false;
  if (name == "f8f6f4" && !isSparse) {
    isKnown = true;
    good = shape.blocks == 1 && decodeMixed(decoder, matrix);
  } else if (!matrix.isScaled) {
    for (const TypeEntry &type : types)
      if (type.name == name) {
        isKnown = true;
        good = isSparse ? shape.blocks == 1 && decodeSparse(decoder, type, matrix)
                        : decodeDense(decoder, type, matrix);
      }
  }
  if (!isKnown)
    return decoder.fail("its factors are of an unknown type");
  if (good)
    decoder.instruction.extra = decoder.keep(std::move(matrix));
  return good;
}
} // namespace

Decoded tilewright::amdgpu::decodeMfma(Decoder &decoder) {
  std::string_view name = decoder.mnemonic();
  bool isSparse = consume(name, "v_smfmac_");
  if (!isSparse && !consume(name, "v_mfma_"))
    return Decoded::NotMine;
  return decodedIf(decode(decoder, name, isSparse));
}
