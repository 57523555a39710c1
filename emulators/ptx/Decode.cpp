//===- Decode.cpp - From statements to instructions ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Decode.h"
#include "emulators/ptx/Block.h"
#include "emulators/ptx/SpecialRegisters.h"

#include <cstring>
#include <unordered_set>

using namespace tilewright::ptx;
using tilewright::emulator::Allocation;
using tilewright::emulator::GlobalMemory;

//===----------------------------------------------------------------------===//
// Modifiers
//===----------------------------------------------------------------------===//

Decoder::Decoder(Program &program, DecodedFunction &function, const Statement &statement,
                 Instruction &result)
    : result(result), statement(statement), program(program), function(function) {
  if (statement.modifiers.size() > 64)
    fail("more modifiers than an instruction can have");
}

bool Decoder::take(std::string_view name) {
  for (size_t i = 0; i < statement.modifiers.size() && i < 64; ++i)
    if (!(taken >> i & 1) && statement.modifiers[i] == name) {
      taken |= uint64_t(1) << i;
      return true;
    }
  return false;
}

std::optional<unsigned>
Decoder::takeOneOf(std::initializer_list<std::string_view> names) {
  unsigned index = 0;
  for (std::string_view name : names) {
    if (take(name))
      return index;
    ++index;
  }
  return std::nullopt;
}

Type Decoder::takeType() {
  for (size_t i = 0; i < statement.modifiers.size() && i < 64; ++i) {
    if (taken >> i & 1)
      continue;
    Type type = parseType(statement.modifiers[i]);
    if (type == Type::None)
      continue;
    taken |= uint64_t(1) << i;
    return type;
  }
  return Type::None;
}

Space Decoder::takeSpace() {
  struct Row {
    std::string_view name;
    Space space;
  };
  static constexpr Row rows[] = {
      {"global", Space::Global},      {"shared", Space::Shared},
      {"shared::cta", Space::Shared}, {"shared::cluster", Space::SharedCluster},
      {"local", Space::Local},        {"param", Space::Param},
      {"param::entry", Space::Param}, {"param::func", Space::Param},
      {"const", Space::Const}};
  for (const Row &row : rows)
    if (take(row.name))
      return row.space;
  return Space::Generic;
}

void Decoder::takeCacheHints() {
  for (size_t i = 0; i < statement.modifiers.size() && i < 64; ++i) {
    std::string_view name = statement.modifiers[i];
    static const std::unordered_set<std::string_view> hints = {
        "ca", "cg", "cs", "lu", "cv", "wb", "wt", "nc", "evict_last", "evict_normal"};
    if (hints.count(name) || name.substr(0, 4) == "L1::" || name.substr(0, 4) == "L2::" ||
        name.substr(0, 10) == "level::eviction")
      taken |= uint64_t(1) << i;
  }
}

std::string_view Decoder::getLeftOver() const {
  for (size_t i = 0; i < statement.modifiers.size() && i < 64; ++i)
    if (!(taken >> i & 1))
      return statement.modifiers[i];
  return {};
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

const Operand &Decoder::at(size_t index) {
  static const Operand none;
  if (index < statement.operands.size())
    return statement.operands[index];
  fail("operand " + std::to_string(index + 1) + " is missing");
  return none;
}

bool Decoder::expectOperands(size_t least, size_t most) {
  size_t count = statement.operands.size();
  if (count >= least && count <= most)
    return true;
  fail("it has " + std::to_string(count) + " operands, not " + std::to_string(least) +
       (least == most ? "" : " to " + std::to_string(most)));
  return false;
}

bool Decoder::isPredicate(const Operand &operand) const {
  return operand.kind == Operand::Register &&
         operand.reg < function.syntax->registers.size() &&
         function.syntax->registers[operand.reg].type == Type::Pred;
}

uint32_t Decoder::valueRegister(const Operand &operand) {
  if (function.syntax->registers[operand.reg].type == Type::B128)
    fail("a register of 128 bits holds .b128 only");
  return function.registerNumber[operand.reg];
}

uint32_t Decoder::destination(const Operand &operand) {
  if (operand.kind == Operand::Sink)
    return noRegister;
  if (operand.kind == Operand::Vector && operand.items.size() == 1)
    return destination(operand.items[0]);
  if (operand.kind != Operand::Register || isPredicate(operand)) {
    fail("a register is expected as the result");
    return noRegister;
  }
  return valueRegister(operand);
}

uint32_t Decoder::predicate(const Operand &operand) {
  if (operand.kind == Operand::Sink)
    return noRegister;
  if (!isPredicate(operand)) {
    fail("a predicate is expected");
    return noRegister;
  }
  return function.registerNumber[operand.reg];
}

uint32_t Decoder::condition(const Operand &operand) {
  std::optional<int64_t> constant = integer(operand);
  if (!constant) {
    if (operand.kind == Operand::Sink)
      fail("a predicate is expected");
    return predicate(operand);
  }
  uint32_t &number = function.constantPredicates[*constant != 0];
  if (number == noRegister)
    number = function.predicates++;
  return number;
}

uint32_t Decoder::poolRegister(const PoolEntry &entry) {
  uint32_t first = function.registers - static_cast<uint32_t>(function.pool.size());
  for (size_t i = 0; i < function.pool.size(); ++i) {
    const PoolEntry &other = function.pool[i];
    if (other.isSpecial == entry.isSpecial && other.special == entry.special &&
        other.bits == entry.bits)
      return first + static_cast<uint32_t>(i);
  }
  function.pool.push_back(entry);
  return function.registers++;
}

/// The bits of `operand`, a literal, as a value of `type`.
static uint64_t getLiteral(const Operand &operand, Type type) {
  if (operand.kind == Operand::Integer) {
    // An integer where a float belongs is its bits, except in a float of 64 bits' decimal
    // form, which the parser has made a Float.
    unsigned bits = getBits(type);
    return bits >= 64 || bits == 0 ? operand.bits
                                   : operand.bits & ((uint64_t(1) << bits) - 1);
  }
  double value;
  if (operand.isDouble) {
    memcpy(&value, &operand.bits, sizeof(value));
  } else {
    float narrow;
    uint32_t bits = static_cast<uint32_t>(operand.bits);
    memcpy(&narrow, &bits, sizeof(narrow));
    // The bits themselves, which a NaN's payload would lose by a conversion.
    if (getBits(type) == 32)
      return bits;
    value = narrow;
  }
  if (getBits(type) == 64) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
  }
  float narrow = static_cast<float>(value);
  uint32_t bits;
  memcpy(&bits, &narrow, sizeof(bits));
  return bits;
}

std::optional<uint64_t> tilewright::ptx::getAddress(const Program &program,
                                                    const DecodedFunction &function,
                                                    std::string_view name) {
  for (const Placement &placement : function.placements)
    if (placement.variable->name == name)
      return placement.offset;
  auto global = program.globals.find(std::string(name));
  if (global != program.globals.end())
    return global->second->base;
  for (size_t i = 0; i < program.module->functions.size(); ++i)
    if (program.module->functions[i].name == name)
      return (i + 1) << 4;
  return std::nullopt;
}

uint32_t Decoder::source(const Operand &operand, Type type) {
  switch (operand.kind) {
  case Operand::Register:
    if (isPredicate(operand)) {
      fail("a value is expected, not a predicate");
      return noRegister;
    }
    return valueRegister(operand);
  case Operand::Vector:
    if (operand.items.size() == 1)
      return source(operand.items[0], type);
    break;
  case Operand::Integer:
  case Operand::Float: {
    if (operand.kind == Operand::Float && getBits(type) == 16) {
      fail("a literal of 32 or 64 bits is no value of 16 bits");
      return noRegister;
    }
    PoolEntry entry;
    entry.bits = getLiteral(operand, type);
    return poolRegister(entry);
  }
  case Operand::Special: {
    if (operand.name == "WARP_SZ") {
      PoolEntry entry;
      entry.bits = lanesPerWarp;
      return poolRegister(entry);
    }
    std::optional<SpecialRegister> special = parseSpecialRegister(operand.name);
    if (!special) {
      fail("special register " + std::string(operand.name) + " is not modelled");
      return noRegister;
    }
    if (special >= SpecialRegister::ReservedSmemBegin &&
        special <= SpecialRegister::ReservedSmemOffset1)
      program.usesReservedShared = true;
    if (isVolatile(*special)) {
      fail("only mov reads " + std::string(operand.name) +
           ", which changes all the time");
      return noRegister;
    }
    PoolEntry entry;
    entry.isSpecial = true;
    entry.special = *special;
    return poolRegister(entry);
  }
  case Operand::Name: {
    std::optional<uint64_t> address = getAddress(program, function, operand.name);
    if (!address) {
      fail("nothing is named " + std::string(operand.name));
      return noRegister;
    }
    PoolEntry entry;
    entry.bits = *address + operand.offset;
    return poolRegister(entry);
  }
  default:
    break;
  }
  fail("an operand has a form that does not fit here");
  return noRegister;
}

uint32_t Decoder::address(const Operand &operand, Space) {
  if (operand.kind != Operand::Address || operand.items.empty()) {
    fail("an address in brackets is expected");
    return noRegister;
  }
  result.immediate = operand.offset;
  return source(operand.items[0], Type::B64);
}

void Decoder::addList(const Operand &operand, Type type, bool isSource) {
  if (operand.kind == Operand::Vector) {
    for (const Operand &item : operand.items)
      list.push_back(isSource ? source(item, type) : destination(item));
    return;
  }
  list.push_back(isSource ? source(operand, type) : destination(operand));
}

std::optional<int64_t> Decoder::integer(const Operand &operand) const {
  if (operand.kind != Operand::Integer)
    return std::nullopt;
  return static_cast<int64_t>(operand.bits);
}

void Decoder::fail(std::string message) {
  if (error.empty())
    error = std::move(message);
}

void Decoder::finish() {
  if (list.empty())
    return;
  const auto *kept = keep(std::move(list));
  result.list = kept->data();
  result.listSize = static_cast<uint16_t>(kept->size());
}
