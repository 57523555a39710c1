//===- IntegerPackedOps.cpp - Two integers in a register ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// op_sel says which half of each source the result's low half is made of, op_sel_hi which
// the high half.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/IntegerArithmetic.h"

using namespace tilewright::amdgpu;

namespace {
using U16 = uint16_t;
using I16 = int16_t;
using U32 = uint32_t;
using U64 = uint64_t;

/// Instruction::flags: bit i for the low result's half of source i, 8 + i for the high's.
template <typename Operation, size_t... index>
Step mapHalves(Wave &wave, const Instruction &instruction,
               std::index_sequence<index...>) {
  std::tuple<ReadSource<std::conditional_t<index == index, U32, void>>...> sources(
      ToRead{wave, instruction.source[index]}...);
  Lanes32 result = {};
  LanePoison poison = {};
  const bool any = (std::get<index>(sources).poison || ...);
  for (unsigned half = 0; half < 2; ++half) {
    const unsigned shift[] = {(instruction.flags >> (8 * half + index) & 1) * 16 ...};
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      result[lane] |= U32(Operation::apply(static_cast<U16>(
                          std::get<index>(sources).values[lane] >> shift[index])...))
                      << (16 * half);
    for (unsigned lane = 0; any && lane < maxLanes; ++lane) {
      auto of = [&](const uint8_t *all, unsigned at) {
        return static_cast<uint8_t>(all ? all[lane] >> (at / 8) & 3 : 0);
      };
      uint8_t bits;
      if constexpr (HasUndefined<Operation>::value)
        bits = bytesOf(Operation::undefined(
            static_cast<U16>(std::get<index>(sources).values[lane] >> shift[index])...,
            bitsOf(of(std::get<index>(sources).poison, shift[index]))...));
      else if constexpr (HasPoison<Operation>::value)
        bits = Operation::poison(
            static_cast<U16>(std::get<index>(sources).values[lane] >> shift[index])...,
            of(std::get<index>(sources).poison, shift[index])...);
      else
        bits = wholeIf((of(std::get<index>(sources).poison, shift[index]) | ...));
      poison[lane] |= static_cast<uint8_t>((bits & 3) << (2 * half));
    }
  }
  wave.write(instruction.destination[0], result.v, any ? poison.v : nullptr);
  return Step::Next;
}
template <typename Operation, size_t count>
Step packed(Wave &wave, const Instruction &instruction) {
  return mapHalves<Operation>(wave, instruction, std::make_index_sequence<count>());
}
template <typename Operation> constexpr Handler two = packed<Operation, 2>;
template <typename Operation> constexpr Handler three = packed<Operation, 3>;

struct PackedEntry {
  std::string_view name;
  unsigned count;
  Handler handler, clamped;
};
constexpr Extreme Min = Extreme::Min, Max = Extreme::Max;
constexpr PackedEntry entries[] = {
    {"v_pk_add_u16", 2, two<Add>, two<AddClamped<U16>>},
    {"v_pk_add_i16", 2, two<Add>, two<AddClamped<I16>>},
    {"v_pk_sub_u16", 2, two<Subtract>, two<SubtractClamped<U16>>},
    {"v_pk_sub_i16", 2, two<Subtract>, two<SubtractClamped<I16>>},
    {"v_pk_mul_lo_u16", 2, two<Multiply>, nullptr},
    {"v_pk_mad_u16", 3, three<MultiplyAdd>, three<MultiplyAddClamped<U16>>},
    {"v_pk_mad_i16", 3, three<MultiplyAdd>, three<MultiplyAddClamped<I16>>},
    {"v_pk_lshlrev_b16", 2, two<ReversedShift<ShiftLeft<U16>>>, nullptr},
    {"v_pk_lshrrev_b16", 2, two<ReversedShift<ShiftRight<U16>>>, nullptr},
    {"v_pk_ashrrev_i16", 2, two<ReversedShift<ShiftRightSigned<U16>>>, nullptr},
    {"v_pk_min_u16", 2, two<Select2<U16, Min>>, nullptr},
    {"v_pk_max_u16", 2, two<Select2<U16, Max>>, nullptr},
    {"v_pk_min_i16", 2, two<Select2<I16, Min>>, nullptr},
    {"v_pk_max_i16", 2, two<Select2<I16, Max>>, nullptr},
};

/// Bits of op_sel or op_sel_hi; `otherwise` where it is absent.
bool readSelect(Decoder &decoder, std::string_view name, unsigned count,
                uint32_t otherwise, uint32_t &bits) {
  std::vector<int64_t> values;
  bits = otherwise;
  if (!decoder.integers(name, values))
    return decoder.getError().empty();
  if (values.size() != count)
    return decoder.fail(std::string(name) + " has another length than the sources");
  bits = 0;
  for (unsigned i = 0; i < count; ++i)
    bits |= static_cast<uint32_t>(values[i] & 1) << i;
  return true;
}

bool decodePacked(Decoder &decoder, const PackedEntry &entry) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = entry.handler;
  if (entry.clamped && decoder.flag("clamp"))
    instruction.execute = entry.clamped;
  uint32_t low, high;
  if (!decoder.expect(entry.count + 1) ||
      !decoder.destination(0, instruction.destination[0]) ||
      !readSelect(decoder, "op_sel", entry.count, 0, low) ||
      !readSelect(decoder, "op_sel_hi", entry.count, ~0u, high))
    return false;
  instruction.flags = (low & 0xff) | (high & 0xff) << 8;
  for (unsigned i = 0; i < entry.count; ++i)
    if (!decoder.source(i + 1, Type::B32, instruction.source[i]))
      return false;
  return true;
}

/// v_pk_mov_b32: the low word of the result is a word of the first source, the high one a
/// word of the second, as op_sel says; op_sel_hi has no effect.
Step movePair(Wave &wave, const Instruction &instruction) {
  Lanes32 words[2];
  LanePoison poison[2];
  for (unsigned i = 0; i < 2; ++i) {
    ReadSource<U32> source(wave, instruction.source[i]);
    std::copy(source.values, source.values + maxLanes, words[i].v);
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      poison[i][lane] = source.poison ? source.poison[lane] : 0;
  }
  for (unsigned i = 0; i < 2; ++i) {
    Source to = instruction.destination[0];
    to.reg = static_cast<uint16_t>(to.reg + i);
    to.count = 1;
    wave.write(to, words[i].v, poison[i].v);
  }
  return Step::Next;
}

bool decodeMovePair(Decoder &decoder) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = movePair;
  uint32_t select;
  decoder.ignore({"op_sel_hi"});
  if (!decoder.expect(3) || !decoder.destination(0, instruction.destination[0], 2) ||
      !readSelect(decoder, "op_sel", 2, 0, select))
    return false;
  for (unsigned i = 0; i < 2; ++i) {
    Source &source = instruction.source[i];
    if (!decoder.source(i + 1, Type::B64, source))
      return false;
    bool isHigh = select >> i & 1;
    if (source.kind == Operand::Integer) {
      if (isHigh)
        return decoder.fail("the upper half of a constant");
      source.bits &= 0xffffffff;
    } else if (source.kind == Operand::Special) {
      return decoder.fail("a special value as two words");
    } else {
      source.reg = static_cast<uint16_t>(source.reg + isHigh);
      source.count = 1;
    }
  }
  return true;
}
} // namespace

Decoded tilewright::amdgpu::decodeIntegerPacked(Decoder &decoder) {
  if (decoder.mnemonic() == "v_pk_mov_b32")
    return decodedIf(decodeMovePair(decoder));
  for (const PackedEntry &entry : entries)
    if (entry.name == decoder.mnemonic())
      return decodedIf(decodePacked(decoder, entry));
  return Decoded::NotMine;
}
