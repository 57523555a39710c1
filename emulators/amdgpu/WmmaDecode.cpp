//===- WmmaDecode.cpp - Decoding of RDNA's matrix instructions ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   v_wmma_f16_16x16x16_f16 v[0:7], v[8:15], v[16:23], v[0:7] op_sel:[0,0,1]    gfx11
//   v_wmma_i32_16x16x32_iu4 v[0:7], v[8:9], v[10:11], v[0:7] neg_lo:[1,0,0]     gfx12
//
// What neg_lo says of A and B of integers is whether they are signed.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Matrix.h"

using namespace tilewright::amdgpu;

namespace {
enum class Result : uint8_t { F32, F16, BF16, I32 };

struct Entry {
  std::string_view name;
  Result result;
  Element a, b;
  unsigned k;
};
constexpr Entry entries[] = {
    {"v_wmma_f32_16x16x16_f16", Result::F32, Element::F16, Element::F16, 16},
    {"v_wmma_f32_16x16x16_bf16", Result::F32, Element::BF16, Element::BF16, 16},
    {"v_wmma_f16_16x16x16_f16", Result::F16, Element::F16, Element::F16, 16},
    {"v_wmma_bf16_16x16x16_bf16", Result::BF16, Element::BF16, Element::BF16, 16},
    {"v_wmma_i32_16x16x16_iu8", Result::I32, Element::U8, Element::U8, 16},
    {"v_wmma_i32_16x16x16_iu4", Result::I32, Element::U4, Element::U4, 16},
    {"v_wmma_i32_16x16x32_iu4", Result::I32, Element::U4, Element::U4, 32},
    {"v_wmma_f32_16x16x16_fp8_fp8", Result::F32, Element::E4M3, Element::E4M3, 16},
    {"v_wmma_f32_16x16x16_fp8_bf8", Result::F32, Element::E4M3, Element::E5M2, 16},
    {"v_wmma_f32_16x16x16_bf8_fp8", Result::F32, Element::E5M2, Element::E4M3, 16},
    {"v_wmma_f32_16x16x16_bf8_bf8", Result::F32, Element::E5M2, Element::E5M2, 16},
};

Accumulator getAccumulator(Result result, bool isHalf) {
  switch (result) {
  case Result::F32:
    return Accumulator::F32;
  case Result::F16:
    return isHalf ? Accumulator::HalfF16 : Accumulator::PackedF16;
  case Result::BF16:
    return isHalf ? Accumulator::HalfBF16 : Accumulator::PackedBF16;
  case Result::I32:
    break;
  }
  return Accumulator::I32;
}

Element getSigned(Element element, bool isSigned) {
  if (!isSigned)
    return element;
  return element == Element::U8 ? Element::S8 : Element::S4;
}

/// A list of three; zeros where it is absent.
bool triple(Decoder &decoder, std::string_view name, std::vector<int64_t> &values) {
  values.clear();
  decoder.integers(name, values);
  if (values.empty())
    values = {0, 0, 0};
  return values.size() == 3 || decoder.fail(std::string(name) + " has not three parts");
}

bool decodeModifiers(Decoder &decoder, const Entry &entry, Matrix &matrix) {
  std::vector<int64_t> negLow, negHigh, select;
  if (!triple(decoder, "neg_lo", negLow) || !triple(decoder, "neg_hi", negHigh) ||
      !triple(decoder, "op_sel", select))
    return false;
  if (select[0] || select[1] || (select[2] && !matrix.isHalf()))
    return decoder.fail("op_sel is not modelled of this operand");
  matrix.isHigh = select[2];
  if (entry.result == Result::I32) {
    if (negLow[2] || negHigh[0] || negHigh[1] || negHigh[2])
      return decoder.fail("neg of integers");
    matrix.a.element = getSigned(entry.a, negLow[0]);
    matrix.b.element = getSigned(entry.b, negLow[1]);
    matrix.clamps = decoder.flag("clamp");
    return true;
  }
  MatrixOperand *factors[] = {&matrix.a, &matrix.b};
  for (unsigned i = 0; i < 2; ++i) {
    if (!negLow[i] && !negHigh[i])
      continue;
    if (getBits(factors[i]->element) != 16)
      return decoder.fail("neg of elements of eight bits");
    uint32_t flip = (negLow[i] ? 0x8000u : 0) | (negHigh[i] ? 0x80000000u : 0);
    factors[i]->flip[0] = factors[i]->flip[1] = flip;
  }
  matrix.negatesC = negLow[2];
  matrix.absoluteC = negHigh[2];
  return true;
}

bool decodeFactor(Decoder &decoder, size_t index, MatrixOperand &operand,
                  Source &source) {
  operand.registers = operand.count * getBits(operand.element) / 32;
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
  bool isInteger = matrix.accumulator == Accumulator::I32;
  if (!decoder.source(3, isInteger ? Type::B32 : Type::F32, source))
    return false;
  if (source.kind != Operand::Integer)
    return decoder.fail("an addend of this kind");
  bool isWide = isInteger || matrix.accumulator == Accumulator::F32;
  return isWide || !source.bits ||
         decoder.fail("a constant other than zero as an addend of sixteen bits");
}

bool decode(Decoder &decoder, const Entry &entry) {
  Instruction &instruction = decoder.instruction;
  bool isTwofold = decoder.target.generation < 12;
  Matrix matrix;
  matrix.shape = {16, 16, entry.k, 1};
  matrix.lanes = 32;
  matrix.isTwofold = isTwofold;
  matrix.accumulator = getAccumulator(entry.result, isTwofold);
  matrix.places = placeWmma(matrix.shape, decoder.target.generation);
  matrix.a.element = entry.a;
  matrix.b.element = entry.b;
  matrix.a.count = matrix.b.count = isTwofold ? entry.k : entry.k / 2;
  unsigned registers = matrix.isPacked() ? 4 : 8;
  instruction.execute = multiplyMatrices;
  instruction.isMatrix = true;
  bool good = decoder.expect(4) && decodeModifiers(decoder, entry, matrix) &&
              decoder.destination(0, instruction.destination[0], registers) &&
              decodeFactor(decoder, 1, matrix.a, instruction.source[0]) &&
              decodeFactor(decoder, 2, matrix.b, instruction.source[1]) &&
              decodeAddend(decoder, matrix, registers);
  if (good)
    instruction.extra = decoder.keep(std::move(matrix));
  return good;
}
} // namespace

Decoded tilewright::amdgpu::decodeWmma(Decoder &decoder) {
  for (const Entry &entry : entries)
    if (entry.name == decoder.mnemonic())
      return decodedIf(decode(decoder, entry));
  return Decoded::NotMine;
}
