//===- WgmmaFence.cpp - Where a wgmma.fence is missing ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Registers that wgmma.mma_async uses must not have been written since the last
// wgmma.fence but by others of its kind. That is found in the text, once: back from the
// instruction along all ways, each until it meets a fence.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Wgmma.h"

using namespace tilewright::ptx;

namespace {
class FenceSearch {
public:
  explicit FenceSearch(const Function &function)
      : function(function), wanted(function.registers.size(), false),
        visited(function.body.size(), false) {}

  std::string run(const Statement &statement);

private:
  void want(const Operand &operand);
  const Operand *findWritten(const Operand &operand) const;
  void addPredecessors(uint32_t index);
  void addJumps(uint32_t target);

  const Function &function;
  std::vector<bool> wanted;  // registers
  std::vector<bool> visited; // statements
  std::vector<uint32_t> work;
  bool reachesStart = false;
};
} // namespace

void FenceSearch::want(const Operand &operand) {
  if (operand.kind == Operand::Register)
    wanted[operand.reg] = true;
  for (const Operand &item : operand.items)
    want(item);
}

/// A register that is wanted in a result operand; null if there is none.
const Operand *FenceSearch::findWritten(const Operand &operand) const {
  if (operand.kind == Operand::Register)
    return wanted[operand.reg] ? &operand : nullptr;
  if (operand.kind == Operand::Address)
    return nullptr;
  for (const Operand &item : operand.items)
    if (const Operand *found = findWritten(item))
      return found;
  return nullptr;
}

/// Whether control never goes on after `statement`.
static bool isTerminator(const Statement &statement) {
  return statement.guard == Statement::noGuard &&
         (statement.opcode == "bra" || statement.opcode == "brx" ||
          statement.opcode == "ret" || statement.opcode == "exit" ||
          statement.opcode == "trap");
}

void FenceSearch::addJumps(uint32_t target) {
  auto isTarget = [&](const Operand &operand) {
    return operand.kind == Operand::Label && function.labels[operand.reg] == target;
  };
  bool inTable = false;
  for (const Function::Table &table : function.tables)
    for (const Operand &operand : table.targets)
      inTable |= isTarget(operand);
  for (uint32_t i = 0; i < function.body.size(); ++i) {
    const Statement &statement = function.body[i];
    bool jumps = statement.opcode == "brx" && inTable;
    if (statement.opcode == "bra")
      for (const Operand &operand : statement.operands)
        jumps |= isTarget(operand);
    if (jumps && !visited[i])
      work.push_back(i);
  }
}

void FenceSearch::addPredecessors(uint32_t index) {
  if (index == 0)
    reachesStart = true;
  else if (!isTerminator(function.body[index - 1]) && !visited[index - 1])
    work.push_back(index - 1);
  for (uint32_t label : function.labels)
    if (label == index) {
      addJumps(index);
      break;
    }
}

std::string FenceSearch::run(const Statement &start) {
  // Accumulators, and A if it is in registers.
  for (size_t i = 0; i < 2 && i < start.operands.size(); ++i)
    if (start.operands[i].kind == Operand::Vector)
      want(start.operands[i]);
  addPredecessors(static_cast<uint32_t>(&start - function.body.data()));
  while (!work.empty()) {
    uint32_t index = work.back();
    work.pop_back();
    if (visited[index])
      continue;
    visited[index] = true;
    const Statement &statement = function.body[index];
    bool isWgmma = statement.opcode == "wgmma";
    if (isWgmma && !statement.modifiers.empty() && statement.modifiers[0] == "fence")
      continue;
    if (!isWgmma && !statement.operands.empty())
      if (const Operand *written = findWritten(statement.operands[0]))
        return "register " + std::string(function.registers[written->reg].name) +
               " is written at line " + std::to_string(statement.line) +
               ", and no wgmma.fence lies between the two";
    addPredecessors(index);
  }
  // Whoever calls a function may have fenced.
  if (reachesStart && function.isEntry)
    return "no wgmma.fence lies before it";
  return "";
}

std::string tilewright::ptx::findMissingFence(const Function &function,
                                              const Statement &statement) {
  return FenceSearch(function).run(statement);
}
