//===- IntegerCompareOps.cpp - Comparisons of integers, lane by lane ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/IntegerAlu.h"

using namespace tilewright::amdgpu;

namespace {
/// Bits of a relation: whether it holds where a < b, a = b, a > b.
enum : unsigned { less = 1, equal = 2, greater = 4 };

/// Of Instruction::flags: v_cmpx, which also sets EXEC, or on RDNA sets nothing else.
constexpr uint32_t setsExec = 1;

template <typename T, unsigned relation>
Step compareLanes(Wave &wave, const Instruction &instruction) {
  using Bits = std::make_unsigned_t<T>;
  ReadSource<Bits> a(wave, instruction.source[0]), b(wave, instruction.source[1]);
  ScalarValue result;
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    T x = static_cast<T>(a.values[lane]), y = static_cast<T>(b.values[lane]);
    bool holds = relation == 0                   ? false
                 : relation == less              ? x < y
                 : relation == equal             ? x == y
                 : relation == (less | equal)    ? x <= y
                 : relation == greater           ? x > y
                 : relation == (less | greater)  ? x != y
                 : relation == (greater | equal) ? x >= y
                                                 : true;
    result.bits |= uint64_t(holds) << lane;
  }
  if (relation != 0 && relation != 7 && (a.poison || b.poison))
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      result.poison |=
          uint64_t((a.poison && a.poison[lane]) || (b.poison && b.poison[lane])) << lane;
  result.bits &= wave.active;
  result.poison &= wave.active;
  if (instruction.destination[0])
    wave.writeMask(instruction.destination[0], result);
  if (instruction.flags & setsExec)
    wave.writeMask(instruction.destination[1], result);
  return Step::Next;
}

template <typename T> Handler findHandler(unsigned relation) {
  constexpr Handler handlers[] = {
      compareLanes<T, 0>, compareLanes<T, 1>, compareLanes<T, 2>, compareLanes<T, 3>,
      compareLanes<T, 4>, compareLanes<T, 5>, compareLanes<T, 6>, compareLanes<T, 7>,
  };
  return handlers[relation];
}

struct Relation {
  std::string_view name;
  unsigned relation;
};
constexpr Relation relations[] = {
    {"f", 0},
    {"lt", less},
    {"eq", equal},
    {"le", less | equal},
    {"gt", greater},
    {"ne", less | greater},
    {"lg", less | greater},
    {"ge", greater | equal},
    {"t", less | equal | greater},
};

struct TypeEntry {
  std::string_view name;
  Type type;
  Handler (*find)(unsigned relation);
};
constexpr TypeEntry types[] = {
    {"i16", Type::B16, findHandler<int16_t>}, {"u16", Type::B16, findHandler<uint16_t>},
    {"i32", Type::B32, findHandler<int32_t>}, {"u32", Type::B32, findHandler<uint32_t>},
    {"i64", Type::I64, findHandler<int64_t>}, {"u64", Type::B64, findHandler<uint64_t>},
};

bool decodeCompare(Decoder &decoder, Handler handler, Type type, bool isX) {
  Instruction &instruction = decoder.instruction;
  const uint8_t maskRegisters = static_cast<uint8_t>(decoder.target.waveSize / 32);
  instruction.execute = handler;
  instruction.flags = isX ? setsExec : 0;
  Source &exec = instruction.destination[1];
  exec.kind = Operand::Scalar;
  exec.reg = Exec;
  exec.count = maskRegisters;
  const bool hasDestination = !isX || decoder.target.isCdna();
  const size_t first = hasDestination ? 1 : 0;
  if (!decoder.expect(first + 2) ||
      (hasDestination &&
       !decoder.destination(0, instruction.destination[0], maskRegisters)) ||
      !decoder.source(first, type, instruction.source[0]) ||
      !decoder.source(first + 1, type, instruction.source[1]))
    return false;
  const Type both[] = {type, type};
  return type != Type::B16 || decodeHalfSelect(decoder, both, 2, false);
}
} // namespace

/// v_cmp_RELATION_TYPE, v_cmpx_RELATION_TYPE.
Decoded tilewright::amdgpu::decodeIntegerCompare(Decoder &decoder) {
  std::string_view name = decoder.mnemonic();
  bool isX = name.substr(0, 7) == "v_cmpx_";
  if (!isX && name.substr(0, 6) != "v_cmp_")
    return Decoded::NotMine;
  name.remove_prefix(isX ? 7 : 6);
  size_t at = name.find('_');
  if (at == std::string_view::npos)
    return Decoded::NotMine;
  for (const Relation &relation : relations)
    for (const TypeEntry &type : types)
      if (name.substr(0, at) == relation.name && name.substr(at + 1) == type.name)
        return decodedIf(
            decodeCompare(decoder, type.find(relation.relation), type.type, isX));
  return Decoded::NotMine;
}
