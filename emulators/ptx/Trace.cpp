//===- Trace.cpp - Following a warp as it executes ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Trace.h"
#include "emulators/ptx/Block.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

using namespace tilewright::ptx;

static constexpr size_t registersShown = 4;
static constexpr unsigned lanesShown = 4;

bool Tracer::follows(const Warp &one) const {
  const emulator::Dim3 &id = one.block.id;
  return one.index == warp && id.x == block.x && id.y == block.y && id.z == block.z;
}

/// The registers that an operand names, in order, each once.
static void collect(const Operand &operand, std::vector<uint32_t> &found) {
  if (operand.kind == Operand::Register &&
      std::find(found.begin(), found.end(), operand.reg) == found.end())
    found.push_back(operand.reg);
  for (const Operand &item : operand.items)
    collect(item, found);
}

static std::string formatValue(Type type, uint64_t bits) {
  char text[40];
  if (type == Type::F32) {
    uint32_t low = static_cast<uint32_t>(bits);
    float value;
    memcpy(&value, &low, sizeof(value));
    snprintf(text, sizeof(text), "%.9g", value);
  } else if (type == Type::F64) {
    double value;
    memcpy(&value, &bits, sizeof(value));
    snprintf(text, sizeof(text), "%.17g", value);
  } else if (isSigned(type)) {
    unsigned unused = 64 - std::min(getBits(type), 64u);
    snprintf(text, sizeof(text), "%lld",
             static_cast<long long>(static_cast<int64_t>(bits << unused) >> unused));
  } else if (isUnsigned(type)) {
    snprintf(text, sizeof(text), "%llu", static_cast<unsigned long long>(bits));
  } else {
    snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(bits));
  }
  return text;
}

static std::string formatLanes(Warp &warp, const DecodedFunction &function, uint32_t reg,
                               uint32_t lanes) {
  Type type = function.syntax->registers[reg].type;
  uint32_t number = function.registerNumber[reg];
  if (type == Type::Pred) {
    const Predicate &predicate = warp.predicate(number);
    char text[48];
    snprintf(text, sizeof(text), "%08x", predicate.value & lanes);
    if (predicate.poison & lanes)
      snprintf(text + 8, sizeof(text) - 8, " undefined in %08x",
               predicate.poison & lanes);
    return text;
  }
  std::string text;
  unsigned shown = 0;
  for (uint32_t left = lanes; left; left &= left - 1) {
    if (shown++ == lanesShown)
      return text + " ...";
    unsigned lane = __builtin_ctz(left);
    text += shown > 1 ? " " : "";
    text +=
        warp.poison(number)[lane] ? "?" : formatValue(type, warp.values(number)[lane]);
  }
  return text;
}

void TextTracer::executed(Warp &one, const Instruction &instruction, uint32_t lanes,
                          bool isHere) {
  const Statement &statement = *instruction.statement;
  char mask[16];
  snprintf(mask, sizeof(mask), "%08x ", lanes);
  std::string text = mask + statement.oneLine();
  std::vector<uint32_t> found;
  for (const Operand &operand : statement.operands)
    collect(operand, found);
  if (isHere && one.group) {
    const DecodedFunction &function = *one.frame().function;
    for (size_t i = 0; i < found.size() && i < registersShown; ++i)
      text += (i ? ", " : "  // ") +
              std::string(function.syntax->registers[found[i]].name) + " = " +
              formatLanes(one, function, found[i], lanes);
  }
  write(context, statement.line, text.c_str());
}
