//===- MoveOps.cpp - Moves ----------------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A move carries undefined bytes as they are.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/AddressOps.h"
#include "emulators/ptx/Elementwise.h"
#include "emulators/ptx/SpecialRegisters.h"

using namespace tilewright::ptx;

namespace {

uint64_t maskOfBits(unsigned bits) {
  return bits >= 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
}

//===----------------------------------------------------------------------===//
// Moves of values
//===----------------------------------------------------------------------===//

template <typename T> Step moveHandler(Warp &warp, const Instruction &instruction) {
  const uint32_t to = instruction.operand[0], from = instruction.operand[1];
  const uint64_t *a = warp.values(from);
  LaneBuffer results;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    results.lane[lane] = T(a[lane]);
  PoisonWords poison;
  poison.add(warp, {from, poisonOfBytes(sizeof(T))});
  writeValues(warp, to, results);
  uint8_t bytes[lanesPerWarp];
  memcpy(bytes, poison.word, sizeof(bytes));
  writePoison(warp, to, bytes);
  return Step::Next;
}

Handler getMove(unsigned bits) {
  switch (bits) {
  case 8:
    return moveHandler<uint8_t>;
  case 16:
    return moveHandler<uint16_t>;
  case 32:
    return moveHandler<uint32_t>;
  case 64:
    return moveHandler<uint64_t>;
  default:
    return nullptr;
  }
}

/// Both halves of a 128-bit register, which are neighbours.
Step moveWideHandler(Warp &warp, const Instruction &instruction) {
  Instruction half = instruction;
  for (unsigned i = 0; i < 2; ++i) {
    half.operand[0] = instruction.operand[0] + i;
    half.operand[1] = instruction.operand[1] + i;
    moveHandler<uint64_t>(warp, half);
  }
  return Step::Next;
}

/// A register that reads differently each time; its number is in `flags`.
Step readSpecialHandler(Warp &warp, const Instruction &instruction) {
  SpecialRegister special = static_cast<SpecialRegister>(instruction.flags);
  uint64_t mask = maskOfBits(getBits(instruction.type));
  LaneBuffer results{};
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    if (warp.active >> lane & 1)
      results.lane[lane] = readSpecialRegister(warp, special, lane) & mask;
  writeValues(warp, instruction.operand[0], results);
  const uint8_t sound[lanesPerWarp] = {};
  writePoison(warp, instruction.operand[0], sound);
  return Step::Next;
}

/// The address of a variable in local memory: `immediate` in the function's frame.
Step localAddressHandler(Warp &warp, const Instruction &instruction) {
  uint64_t address =
      warp.frame().localBase + static_cast<uint64_t>(instruction.immediate);
  LaneBuffer results;
  for (uint64_t &lane : results.lane)
    lane = address & maskOfBits(getBits(instruction.type));
  writeValues(warp, instruction.operand[0], results);
  const uint8_t sound[lanesPerWarp] = {};
  writePoison(warp, instruction.operand[0], sound);
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// Packing and unpacking
//===----------------------------------------------------------------------===//

// `flags` are the bits of an element; the elements' registers are the list.

Step packHandler(Warp &warp, const Instruction &instruction) {
  const unsigned bits = instruction.flags;
  const uint64_t mask = maskOfBits(bits);
  LaneBuffer results{};
  uint8_t poison[lanesPerWarp] = {};
  for (unsigned i = 0; i < instruction.listSize; ++i) {
    const uint64_t *part = warp.values(instruction.list[i]);
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      results.lane[lane] |= (part[lane] & mask) << (i * bits);
    PoisonWords any;
    any.add(warp, {instruction.list[i], poisonOfBytes(bits / 8)});
    if (!any.isSound())
      for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
        poison[lane] |= any[lane] << (i * bits / 8);
  }
  writeValues(warp, instruction.operand[0], results);
  writePoison(warp, instruction.operand[0], poison);
  return Step::Next;
}

Step unpackHandler(Warp &warp, const Instruction &instruction) {
  const unsigned bits = instruction.flags;
  const uint64_t mask = maskOfBits(bits);
  // The source may be one of the results.
  LaneBuffer whole;
  uint8_t undefined[lanesPerWarp];
  memcpy(whole.lane, warp.values(instruction.operand[1]), sizeof(whole.lane));
  memcpy(undefined, warp.poison(instruction.operand[1]), sizeof(undefined));
  for (unsigned i = 0; i < instruction.listSize; ++i) {
    if (instruction.list[i] == noRegister)
      continue;
    LaneBuffer results;
    uint8_t poison[lanesPerWarp];
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      results.lane[lane] = whole.lane[lane] >> (i * bits) & mask;
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      poison[lane] = undefined[lane] >> (i * bits / 8) & poisonOfBytes(bits / 8);
    writeValues(warp, instruction.list[i], results);
    writePoison(warp, instruction.list[i], poison);
  }
  return Step::Next;
}

/// Two registers of 64 bits into or out of one of 128, all of which are read before any
/// is written. Sources are operands 2 and 3, results 0 and 1.
Step movePairHandler(Warp &warp, const Instruction &instruction) {
  LaneBuffer values[2];
  uint8_t poison[2][lanesPerWarp];
  for (unsigned i = 0; i < 2; ++i) {
    memcpy(values[i].lane, warp.values(instruction.operand[2 + i]),
           sizeof(values[i].lane));
    memcpy(poison[i], warp.poison(instruction.operand[2 + i]), lanesPerWarp);
  }
  for (unsigned i = 0; i < 2; ++i) {
    if (instruction.operand[i] == noRegister)
      continue;
    writeValues(warp, instruction.operand[i], values[i]);
    writePoison(warp, instruction.operand[i], poison[i]);
  }
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// Predicates
//===----------------------------------------------------------------------===//

/// From the predicate of operand 1, negated where `flags` is 1; without one, from
/// `flags`.
Step movePredicateHandler(Warp &warp, const Instruction &instruction) {
  Predicate from;
  if (instruction.operand[1] != noRegister)
    from = warp.predicate(instruction.operand[1]);
  if (instruction.flags & 1)
    from.value = ~from.value;
  Predicate &to = warp.predicate(instruction.operand[0]);
  to.value = (to.value & ~warp.active) | (from.value & warp.active);
  to.poison = (to.poison & ~warp.active) | (from.poison & warp.active);
  return Step::Next;
}

/// From operand 2, a value that is the same for all lanes.
Step moveSpecialPredicateHandler(Warp &warp, const Instruction &instruction) {
  Predicate &to = warp.predicate(instruction.operand[0]);
  uint32_t value = warp.values(instruction.operand[2])[0] ? allLanes : 0;
  to.value = (to.value & ~warp.active) | (value & warp.active);
  to.poison &= ~warp.active;
  return Step::Next;
}

void decodeMovePredicate(Decoder &decoder) {
  Instruction &result = decoder.result;
  result.operand[0] = decoder.predicate(size_t(0));
  if (auto constant = decoder.integer(decoder.at(1))) {
    result.flags = *constant != 0;
  } else if (decoder.at(1).kind == Operand::Special) {
    // %is_explicit_cluster alone is a predicate, the same for the whole launch.
    if (decoder.at(1).name != "%is_explicit_cluster")
      return decoder.fail("a predicate is expected");
    result.operand[2] = decoder.source(1, Type::B32);
    result.execute = moveSpecialPredicateHandler;
    return;
  } else {
    result.operand[1] = decoder.predicate(size_t(1));
    if (result.operand[1] == noRegister)
      decoder.fail("a predicate is expected");
    result.flags = decoder.at(1).negated;
  }
  if (result.operand[0] == noRegister)
    decoder.fail("the result may not be a sink");
  result.execute = movePredicateHandler;
}

//===----------------------------------------------------------------------===//
// Decoding mov
//===----------------------------------------------------------------------===//

bool isVector(const Operand &operand) {
  return operand.kind == Operand::Vector && operand.items.size() > 1;
}

bool isRegisterOf(const Decoder &decoder, const Operand &operand, Type type) {
  const auto &registers = decoder.function.syntax->registers;
  return operand.kind == Operand::Register && operand.reg < registers.size() &&
         registers[operand.reg].type == type;
}

void decodeMoveWide(Decoder &decoder) {
  Instruction &result = decoder.result;
  const Operand &to = decoder.at(0), &from = decoder.at(1);
  auto halves = [&](const Operand &operand, uint32_t *registers, bool isSource) {
    if (isVector(operand) && operand.items.size() == 2) {
      for (unsigned i = 0; i < 2; ++i)
        registers[i] = isSource ? decoder.source(operand.items[i], Type::B64)
                                : decoder.destination(operand.items[i]);
      return;
    }
    if (!isRegisterOf(decoder, operand, Type::B128))
      return decoder.fail("a .b128 register or two of 64 bits are expected");
    registers[0] = decoder.function.registerNumber[operand.reg];
    registers[1] = registers[0] + 1;
  };
  halves(to, &result.operand[0], false);
  halves(from, &result.operand[2], true);
  if (isVector(to) || isVector(from)) {
    result.execute = movePairHandler;
    return;
  }
  result.operand[1] = result.operand[2];
  result.execute = moveWideHandler;
}

/// Elements of a vector of `type` in all; false where they do not fit.
bool decodeElements(Decoder &decoder, const Operand &vector, Type type, bool isSource) {
  size_t count = vector.items.size();
  unsigned bits = getBits(type) / static_cast<unsigned>(count);
  if ((count != 2 && count != 4) || bits < 8) {
    decoder.fail("so many elements do not make its type");
    return false;
  }
  static constexpr Type ofBytes[] = {Type::None, Type::B8,   Type::B16,  Type::None,
                                     Type::B32,  Type::None, Type::None, Type::None};
  decoder.addList(vector, ofBytes[bits / 8], isSource);
  decoder.result.flags = bits;
  return true;
}

void decodeMoveValue(Decoder &decoder, Type type) {
  Instruction &result = decoder.result;
  const Operand &to = decoder.at(0), &from = decoder.at(1);
  result.type = type;
  if (isVector(to) && isVector(from))
    return decoder.fail("one vector is expected, not two");
  if (isVector(to)) {
    if (!decodeElements(decoder, to, type, false))
      return;
    result.operand[1] = decoder.source(from, type);
    result.execute = unpackHandler;
    return;
  }
  result.operand[0] = decoder.destination(to);
  if (result.operand[0] == noRegister)
    return decoder.fail("the result may not be a sink");
  if (isVector(from)) {
    if (decodeElements(decoder, from, type, true))
      result.execute = packHandler;
    return;
  }
  if (from.kind == Operand::Special) {
    auto special = parseSpecialRegister(from.name);
    if (special && isVolatile(*special)) {
      result.flags = static_cast<uint32_t>(*special);
      result.execute = readSpecialHandler;
      return;
    }
  }
  if (from.kind == Operand::Name)
    if (const Placement *local = findLocal(decoder, from.name)) {
      result.immediate =
          static_cast<int64_t>(local->offset + static_cast<uint64_t>(from.offset));
      result.execute = localAddressHandler;
      return;
    }
  result.operand[1] = decoder.source(from, type);
  result.execute = getMove(getBits(type));
}

} // namespace

void tilewright::ptx::decodeMove(Decoder &decoder) {
  if (decoder.statement.opcode == "cvta")
    return decodeAddressConversion(decoder);
  if (decoder.statement.opcode == "isspacep")
    return decodeIsInSpace(decoder);
  Type type = decoder.takeType();
  if (!decoder.expectOperands(2, 2))
    return;
  if (type == Type::Pred)
    return decodeMovePredicate(decoder);
  if (type == Type::B128)
    return decodeMoveWide(decoder);
  decodeMoveValue(decoder, type);
}
