//===- BitOps.cpp - Logic, shifts and bit fields ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Programs take values apart and put them together with these, so undefined bytes are
// followed one by one where that is simple: logic, shifts and prmt. A byte of `and` is
// defined where one side is a defined zero, of `or` where one is all ones.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/BitFieldOps.h"
#include "emulators/ptx/Elementwise.h"

using namespace tilewright::ptx;

namespace {

//===----------------------------------------------------------------------===//
// Undefined bytes
//===----------------------------------------------------------------------===//

/// 0xff in each byte whose bit is set.
uint64_t expandPoison(uint8_t poison) {
  uint64_t bytes = 0;
  for (unsigned i = 0; i < 8; ++i)
    if (poison >> i & 1)
      bytes |= uint64_t(0xff) << (8 * i);
  return bytes;
}
/// The bit of each byte that has any bit set.
uint8_t collapsePoison(uint64_t bits) {
  uint8_t poison = 0;
  for (unsigned i = 0; i < 8; ++i)
    if (bits >> (8 * i) & 0xff)
      poison |= 1u << i;
  return poison;
}

/// Writes the poison of a result that `poisonOf(lane)` tells bit by bit; `any` is its
/// sources'.
template <typename Function>
void writeBitwisePoison(Warp &warp, uint32_t result, const PoisonWords &any,
                        Function poisonOf) {
  uint8_t poison[lanesPerWarp] = {};
  if (!any.isSound())
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      if (any[lane])
        poison[lane] = collapsePoison(poisonOf(lane));
  writePoison(warp, result, poison);
}

//===----------------------------------------------------------------------===//
// Logic
//===----------------------------------------------------------------------===//

enum class Logic : uint8_t { And, Or, Xor };

template <Logic Kind> uint64_t logic(uint64_t a, uint64_t b) {
  return Kind == Logic::And ? a & b : Kind == Logic::Or ? a | b : a ^ b;
}

/// The undefined bits of a result, of those of its sources.
template <Logic Kind>
uint64_t logicPoison(uint64_t a, uint64_t poisonA, uint64_t b, uint64_t poisonB) {
  // What decides the result alone: zeros of `and`, ones of `or`.
  uint64_t decidesA = (Kind == Logic::And ? ~a : a) & ~poisonA;
  uint64_t decidesB = (Kind == Logic::And ? ~b : b) & ~poisonB;
  if (Kind == Logic::Xor)
    decidesA = decidesB = 0;
  return (poisonA & ~decidesB) | (poisonB & ~decidesA);
}

template <Logic Kind, typename T>
Step logicHandler(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  const uint64_t *a = warp.values(reg[1]), *b = warp.values(reg[2]);
  PoisonWords any;
  for (unsigned i = 1; i <= 2; ++i)
    any.add(warp, {reg[i], poisonOfBytes(sizeof(T))});
  LaneBuffer results;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    results.lane[lane] = T(logic<Kind>(a[lane], b[lane]));
  const uint8_t *poisonA = warp.poison(reg[1]), *poisonB = warp.poison(reg[2]);
  writeBitwisePoison(warp, reg[0], any, [&](unsigned lane) {
    return T(logicPoison<Kind>(a[lane], expandPoison(poisonA[lane]), b[lane],
                               expandPoison(poisonB[lane])));
  });
  writeValues(warp, reg[0], results);
  return Step::Next;
}

template <typename T> Step notHandler(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  const uint64_t *a = warp.values(reg[1]);
  LaneBuffer results;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    results.lane[lane] = T(~a[lane]);
  uint8_t poison[lanesPerWarp];
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    poison[lane] = warp.poison(reg[1])[lane] & poisonOfBytes(sizeof(T));
  writePoison(warp, reg[0], poison);
  writeValues(warp, reg[0], results);
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// Logic of predicates
//===----------------------------------------------------------------------===//

/// Operands 1 and 2 are predicates or, by flags, constants.
enum PredicateFlags : uint32_t {
  NegatesFirst = 1,
  NegatesSecond = 2,
  ConstantFirst = 4, ///< whose value is the flag that negates it
  ConstantSecond = 8,
};

Predicate readPredicate(Warp &warp, uint32_t number, bool negated, bool constant) {
  Predicate read;
  if (!constant)
    read = warp.predicate(number);
  if (negated)
    read.value = ~read.value;
  return read;
}

template <Logic Kind>
Step predicateLogicHandler(Warp &warp, const Instruction &instruction) {
  uint32_t flags = instruction.flags;
  Predicate a = readPredicate(warp, instruction.operand[1], flags & NegatesFirst,
                              flags & ConstantFirst);
  Predicate b = readPredicate(warp, instruction.operand[2], flags & NegatesSecond,
                              flags & ConstantSecond);
  Predicate &to = warp.predicate(instruction.operand[0]);
  uint32_t active = warp.active;
  uint32_t value = static_cast<uint32_t>(logic<Kind>(a.value, b.value));
  uint32_t poison =
      static_cast<uint32_t>(logicPoison<Kind>(a.value, a.poison, b.value, b.poison));
  to.value = (to.value & ~active) | (value & active);
  to.poison = (to.poison & ~active) | (poison & active);
  return Step::Next;
}

void decodePredicateLogic(Decoder &decoder, std::string_view opcode) {
  bool isNot = opcode == "not";
  if (!decoder.expectOperands(isNot ? 2 : 3, isNot ? 2 : 3))
    return;
  Instruction &result = decoder.result;
  result.operand[0] = decoder.predicate(size_t(0));
  if (result.operand[0] == noRegister)
    decoder.fail("the result may not be a sink");
  for (unsigned i = 1; i < decoder.operandCount(); ++i) {
    const Operand &operand = decoder.at(i);
    bool negated = operand.negated;
    if (auto constant = decoder.integer(operand)) {
      result.flags |= ConstantFirst << (i - 1);
      negated = *constant != 0;
    } else {
      result.operand[i] = decoder.predicate(operand);
      if (result.operand[i] == noRegister)
        decoder.fail("a predicate is expected");
    }
    if (negated)
      result.flags |= NegatesFirst << (i - 1);
  }
  if (isNot) {
    // a xor true.
    result.flags |= ConstantSecond | NegatesSecond;
    result.execute = predicateLogicHandler<Logic::Xor>;
  } else if (opcode == "and") {
    result.execute = predicateLogicHandler<Logic::And>;
  } else if (opcode == "or") {
    result.execute = predicateLogicHandler<Logic::Or>;
  } else if (opcode == "xor") {
    result.execute = predicateLogicHandler<Logic::Xor>;
  }
}

//===----------------------------------------------------------------------===//
// Shifts
//===----------------------------------------------------------------------===//

/// Shifts by `amount`, of which what exceeds the width counts as the width.
template <typename T, bool Left> uint64_t shift(uint64_t value, uint64_t amount) {
  constexpr unsigned bits = 8 * sizeof(T);
  using U = std::make_unsigned_t<T>;
  uint32_t by = static_cast<uint32_t>(amount);
  if (Left)
    return by < bits ? U(U(value) << by) : 0;
  if (std::is_signed_v<T>)
    return U(T(value) >> (by < bits ? by : bits - 1));
  return by < bits ? U(U(value) >> by) : 0;
}

template <typename T, bool Left>
Step shiftHandler(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  const uint64_t *a = warp.values(reg[1]), *b = warp.values(reg[2]);
  PoisonWords any;
  any.add(warp, {reg[1], poisonOfBytes(sizeof(T))});
  any.add(warp, {reg[2], poisonOfBytes(4)});
  LaneBuffer results;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    results.lane[lane] = shift<T, Left>(a[lane], b[lane]);
  const uint8_t *poisonA = warp.poison(reg[1]), *poisonB = warp.poison(reg[2]);
  writeBitwisePoison(warp, reg[0], any, [&](unsigned lane) {
    if (poisonB[lane] & poisonOfBytes(4))
      return ~uint64_t(0);
    // As the bits themselves move; a sign that is undefined fills with undefined bits.
    return shift<T, Left>(expandPoison(poisonA[lane]), b[lane]);
  });
  writeValues(warp, reg[0], results);
  return Step::Next;
}

void decodeLogic(Decoder &decoder, std::string_view opcode, Type type) {
  if (!isBits(type))
    return decoder.fail("one of .b16, .b32, .b64 or .pred is expected");
  decodeOperands(decoder, opcode == "not" ? 1 : 2, type);
  withIntegerType(type, [&](auto tag) {
    using T = decltype(tag);
    if constexpr (std::is_unsigned_v<T>)
      decoder.result.execute = opcode == "and"   ? logicHandler<Logic::And, T>
                               : opcode == "or"  ? logicHandler<Logic::Or, T>
                               : opcode == "xor" ? logicHandler<Logic::Xor, T>
                                                 : notHandler<T>;
  });
}

void decodeShift(Decoder &decoder, bool left, Type type) {
  if (left ? !isBits(type) : !isBits(type) && !isSigned(type) && !isUnsigned(type))
    return decoder.fail("a type of bits is expected");
  if (!decodeOperands(decoder, 1 + 1, type))
    return;
  decoder.result.operand[2] = decoder.source(size_t(2), Type::U32);
  withIntegerType(type, [&](auto tag) {
    using T = decltype(tag);
    decoder.result.execute = left ? shiftHandler<T, true> : shiftHandler<T, false>;
  });
}

//===----------------------------------------------------------------------===//
// prmt
//===----------------------------------------------------------------------===//

enum class Permute : uint8_t { Each, F4e, B4e, Rc8, Ecl, Ecr, Rc16 };

/// What modes other than Each select by the low bits of their operand, as Each would say
/// it: four bits for each byte, of which the upper asks for the byte's sign instead.
constexpr uint16_t permuteSelects[][4] = {{0, 0, 0, 0},
                                          {0x3210, 0x4321, 0x5432, 0x6543},
                                          {0x5670, 0x6701, 0x7012, 0x0123},
                                          {0x0000, 0x1111, 0x2222, 0x3333},
                                          {0x3210, 0x3211, 0x3222, 0x3333},
                                          {0x0000, 0x1110, 0x2210, 0x3210},
                                          {0x1010, 0x3232, 0x1010, 0x3232}};

Step permuteHandler(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  const uint64_t *a = warp.values(reg[1]), *b = warp.values(reg[2]),
                 *c = warp.values(reg[3]);
  LaneBuffer select, results;
  if (static_cast<Permute>(instruction.flags) == Permute::Each)
    memcpy(select.lane, c, sizeof(select.lane));
  else
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      select.lane[lane] = permuteSelects[instruction.flags][c[lane] & 3];
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    uint64_t bytes = (a[lane] & 0xffffffff) | b[lane] << 32, by = select.lane[lane];
    auto choose = [&](unsigned i) {
      uint64_t byte = bytes >> ((by >> (4 * i) & 7) * 8) & 0xff;
      uint64_t takesSign = -(by >> (4 * i + 3) & 1), sign = -(byte >> 7) & 0xff;
      return ((byte & ~takesSign) | (sign & takesSign)) << (8 * i);
    };
    results.lane[lane] = choose(0) | choose(1) | choose(2) | choose(3);
  }
  PoisonWords any;
  for (unsigned i = 1; i <= 3; ++i)
    any.add(warp, {reg[i], 0x0f});
  uint8_t poison[lanesPerWarp] = {};
  if (!any.isSound())
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
      unsigned undefined =
          (warp.poison(reg[1])[lane] & 0xf) | (warp.poison(reg[2])[lane] & 0xf) << 4;
      for (unsigned i = 0; i < 4; ++i)
        poison[lane] |= (undefined >> (select.lane[lane] >> (4 * i) & 7) & 1) << i;
      if (warp.poison(reg[3])[lane] & 0xf)
        poison[lane] = undefinedValue;
    }
  writeValues(warp, reg[0], results);
  writePoison(warp, reg[0], poison);
  return Step::Next;
}

void decodePermute(Decoder &decoder) {
  if (decoder.takeType() != Type::B32)
    return decoder.fail(".b32 is expected");
  if (auto mode = decoder.takeOneOf({"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"}))
    decoder.result.flags = *mode + 1;
  if (decodeOperands(decoder, 3, Type::B32))
    decoder.result.execute = permuteHandler;
}

} // namespace

void tilewright::ptx::decodeBits(Decoder &decoder) {
  std::string_view opcode = decoder.statement.opcode;
  if (opcode == "prmt")
    return decodePermute(decoder);
  if (opcode == "and" || opcode == "or" || opcode == "xor" || opcode == "not") {
    Type type = decoder.takeType();
    if (type == Type::Pred)
      return decodePredicateLogic(decoder, opcode);
    return decodeLogic(decoder, opcode, type);
  }
  if (opcode == "shl" || opcode == "shr")
    return decodeShift(decoder, opcode == "shl", decoder.takeType());
  decodeBitField(decoder);
}
