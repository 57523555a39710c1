//===- FloatPackedOps.cpp - Two floats at once --------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// v_pk_fma_f16 v0, v1, v2, v3 op_sel:[..] op_sel_hi:[..] neg_lo:[..] neg_hi:[..]: which
// part of each source the low and the high result are of, and which of them are negated.
// The parts of v_pk_fma_f32 are the registers of a pair.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/FloatOps.h"
#include "emulators/amdgpu/FloatPacked.h"
#include "emulators/amdgpu/FloatSelectOps.h"

using namespace tilewright::amdgpu;
namespace emulator = tilewright::emulator;

bool tilewright::amdgpu::decodePackedModifiers(Decoder &decoder, unsigned count,
                                               PackedModifiers &modifiers) {
  constexpr std::string_view names[] = {"op_sel", "op_sel_hi", "neg_lo", "neg_hi"};
  bool *const lists[] = {modifiers.select[0], modifiers.select[1], modifiers.negate[0],
                         modifiers.negate[1]};
  for (unsigned list = 0; list < 4; ++list) {
    std::vector<int64_t> values;
    if (!decoder.integers(names[list], values)) {
      if (!decoder.getError().empty())
        return false;
      // The high result is of the high parts where nothing else is said.
      values.assign(count, list == 1);
    }
    // Lists of accumulating operations may name the accumulator as well.
    if (values.size() < count || values.size() > 3)
      return decoder.fail(std::string(names[list]) + " has another length");
    for (unsigned i = 0; i < count; ++i) {
      if (values[i] != 0 && values[i] != 1)
        return decoder.fail(std::string(names[list]) + " has neither 0 nor 1");
      lists[list][i] = values[i];
    }
  }
  return true;
}

bool tilewright::amdgpu::packedHalf(Decoder &decoder, size_t operand, Type type,
                                    Source &source) {
  if (decoder.operand(operand).negate || decoder.operand(operand).absolute)
    return decoder.fail("neg or abs of a packed operand");
  // A float is of 16 bits, the upper half zero; integers and literals are words.
  bool isFloat = decoder.operand(operand).kind == Operand::Float;
  return decoder.source(operand, isFloat ? type : Type::B32, source);
}

namespace {
/// Each result's own sources.
struct Parts {
  Source source[2][3];
};

template <typename F> struct Arithmetic {
  template <typename Operation, size_t... index>
  static void run(const Environment &environment, LaneArray<typename F::Bits> &result,
                  const typename F::Bits **in, std::index_sequence<index...> indices) {
    applyLanes<F, Operation>(environment, result, in, indices);
  }
};
template <typename F> struct Selection {
  template <typename Operation, size_t... index>
  static void run(const Environment &environment, LaneArray<typename F::Bits> &result,
                  const typename F::Bits **in, std::index_sequence<index...> indices) {
    selectLanes<F, Operation>(environment, result, in, indices);
  }
};

/// One of the two results, and what of it is undefined.
template <typename F, typename Engine, typename Operation, size_t... index>
const uint8_t *runPart(Wave &wave, const Instruction &instruction, unsigned part,
                       LaneArray<typename F::Bits> &result, LanePoison &buffer,
                       std::index_sequence<index...> indices) {
  using Bits = typename F::Bits;
  const Source *from = static_cast<const Parts *>(instruction.extra)->source[part];
  ReadSource<Bits> sources[] = {ReadSource<Bits>(wave, from[index])...};
  const Bits *in[] = {valuesOf(sources[index])...};
  Engine::template run<Operation>(Environment(wave, instruction.flags, F::isSingle),
                                  result, in, indices);
  return anyPoison(sources, buffer);
}

template <typename Engine, typename Operation, unsigned count>
Step runPackedHalves(Wave &wave, const Instruction &instruction) {
  LaneArray<uint16_t> part[2];
  LanePoison buffer[2], poison;
  const uint8_t *of[2];
  for (unsigned i = 0; i < 2; ++i)
    of[i] = runPart<Half, Engine, Operation>(wave, instruction, i, part[i], buffer[i],
                                             std::make_index_sequence<count>());
  Lanes32 result;
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    result[lane] = part[0][lane] | uint32_t(part[1][lane]) << 16;
  if (of[0] || of[1])
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      poison[lane] = static_cast<uint8_t>((of[0] ? of[0][lane] & 3 : 0) |
                                          (of[1] ? of[1][lane] & 12 : 0));
  wave.write(instruction.destination[0], result.v, of[0] || of[1] ? poison.v : nullptr);
  return Step::Next;
}

template <typename Operation, unsigned count>
Step runPackedSingles(Wave &wave, const Instruction &instruction) {
  LaneArray<uint32_t> part[2];
  LanePoison buffer[2];
  const uint8_t *of[2];
  for (unsigned i = 0; i < 2; ++i)
    of[i] = runPart<Single, Arithmetic<Single>, Operation>(
        wave, instruction, i, part[i], buffer[i], std::make_index_sequence<count>());
  for (unsigned i = 0; i < 2; ++i) {
    Source one = instruction.destination[0];
    one.reg = static_cast<uint16_t>(one.reg + i);
    one.count = 1;
    wave.write(one, part[i].v, of[i]);
  }
  return Step::Next;
}

struct PackedEntry {
  std::string_view name;
  Handler handler;
  unsigned count;
  bool isSingle = false, accumulates = false;
};
template <typename Operation, unsigned count>
constexpr Handler halves = runPackedHalves<Arithmetic<Half>, Operation, count>;
template <typename Operation>
constexpr Handler selected = runPackedHalves<Selection<Half>, Operation, 2>;
template <typename Operation>
constexpr Handler selectedOfThree = runPackedHalves<Selection<Half>, Operation, 3>;

/// The extreme of three.
template <typename Two> struct OfThree {
  template <typename F>
  static typename F::Bits apply(bool isIeee, typename F::Bits a, typename F::Bits b,
                                typename F::Bits c) {
    return Two::template apply<F>(isIeee, Two::template apply<F>(isIeee, a, b), c);
  }
};

constexpr PackedEntry entries[] = {
    {"v_pk_add_f16", halves<Add, 2>, 2},
    {"v_pk_mul_f16", halves<Multiply, 2>, 2},
    {"v_pk_fma_f16", halves<Fma, 3>, 3},
    {"v_pk_fmac_f16", halves<Fma, 3>, 3, false, true},
    {"v_pk_min_f16", selected<Old<false>>, 2},
    {"v_pk_max_f16", selected<Old<true>>, 2},
    {"v_pk_min_num_f16", selected<Number<false>>, 2},
    {"v_pk_max_num_f16", selected<Number<true>>, 2},
    {"v_pk_minimum_f16", selected<Propagating<false>>, 2},
    {"v_pk_maximum_f16", selected<Propagating<true>>, 2},
    {"v_pk_minimum3_f16", selectedOfThree<OfThree<Propagating<false>>>, 3},
    {"v_pk_maximum3_f16", selectedOfThree<OfThree<Propagating<true>>>, 3},
    {"v_pk_add_f32", runPackedSingles<Add, 2>, 2, true},
    {"v_pk_mul_f32", runPackedSingles<Multiply, 2>, 2, true},
    {"v_pk_fma_f32", runPackedSingles<Fma, 3>, 3, true},
};

bool decodePacked(Decoder &decoder, const PackedEntry &entry) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = entry.handler;
  const unsigned written = entry.count - entry.accumulates;
  PackedModifiers modifiers;
  if (!decoder.expect(written + 1) ||
      !decoder.destination(0, instruction.destination[0], entry.isSingle ? 2 : 1) ||
      !decodeFloatModifiers(decoder) ||
      !decodePackedModifiers(decoder, entry.count, modifiers))
    return false;
  Parts parts;
  for (unsigned i = 0; i < entry.count; ++i) {
    Source source;
    // The accumulator follows the written sources and is the destination.
    const size_t operand = i < written ? i + 1 : 0;
    const Operand &text = decoder.operand(operand);
    const bool isConstant = text.kind == Operand::Integer || text.kind == Operand::Float;
    if (!entry.isSingle) {
      if (!packedHalf(decoder, operand, Type::F16, source))
        return false;
    } else if (isConstant) {
      if (modifiers.select[0][i] || modifiers.select[1][i])
        return decoder.fail("the upper part of a constant is not modelled");
      if (!decoder.source(operand, Type::F32, source))
        return false;
    } else if (text.negate || text.absolute ||
               !decoder.source(operand, Type::B64, source)) {
      return decoder.fail("neg or abs of a packed operand");
    }
    for (unsigned part = 0; part < 2; ++part) {
      Source &one = parts.source[part][i];
      one = source;
      const bool isHigh = modifiers.select[part][i];
      if (!entry.isSingle) {
        one.isHigh = isHigh;
      } else if (!isConstant) {
        one.count = 1;
        if (!(one.kind == Operand::Scalar && one.reg == Null))
          one.reg = static_cast<uint16_t>(one.reg + isHigh);
      }
      if (modifiers.negate[part][i])
        one.flip = entry.isSingle ? 0x80000000 : 0x8000;
    }
  }
  instruction.extra = decoder.keep(parts);
  return true;
}
} // namespace

Decoded tilewright::amdgpu::decodeFloatPacked(Decoder &decoder) {
  for (const PackedEntry &entry : entries)
    if (entry.name == decoder.mnemonic())
      return decodedIf(decodePacked(decoder, entry));
  return Decoded::NotMine;
}
