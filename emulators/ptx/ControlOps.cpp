//===- ControlOps.cpp - Branches, calls and ends ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A call copies its argument variables, bytes and shadow, into the parameters of the
// callee's frame, and at the return results back into the caller's variables. What a
// program declares and the driver provides, such as vprintf, is in LibraryCalls.cpp.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Block.h"
#include "emulators/ptx/LibraryCalls.h"

#include <cstring>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

/// The deepest nesting of calls.
static constexpr uint32_t deepest = 512;

namespace {
struct BranchTable {
  std::vector<uint32_t> targets;
};
} // namespace

//===----------------------------------------------------------------------===//
// Branches
//===----------------------------------------------------------------------===//

static Step branchAlways(Warp &warp, const Instruction &instruction) {
  return warp.jump(static_cast<uint32_t>(instruction.immediate));
}

static Step branchIndexed(Warp &warp, const Instruction &instruction) {
  const auto &table = *static_cast<const BranchTable *>(instruction.extra);
  if (!warp.expectSound(instruction.operand[0], "the branch index"))
    return Step::Stop;
  const uint64_t *index = warp.values(instruction.operand[0]);
  uint32_t first = static_cast<uint32_t>(index[warp.firstLane()]);
  if (first >= table.targets.size())
    return warp.stop(Rule::OutOfBounds,
                     "branch index " + std::to_string(first) + " of a table of " +
                         std::to_string(table.targets.size()) + " targets",
                     warp.firstLane());
  // One target at a time: lanes with another index stay and execute the branch again.
  uint32_t same = 0;
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    if (static_cast<uint32_t>(index[lane]) == first)
      same |= 1u << lane;
  }
  return warp.branchSome(table.targets[first], same);
}

static void decodeBranch(Decoder &d) {
  d.take("uni");
  if (!d.expectOperands(1, 1))
    return;
  const Operand &target = d.at(0);
  if (target.kind != Operand::Label)
    return d.fail("a label is expected");
  d.result.immediate = d.function.syntax->labels[target.reg];
  d.result.execute = branchAlways;
}

static void decodeIndexedBranch(Decoder &d) {
  d.take("idx");
  d.take("uni");
  if (!d.expectOperands(2, 2))
    return;
  d.result.operand[0] = d.source(0, Type::U32);
  BranchTable table;
  for (const Function::Table &candidate : d.function.syntax->tables)
    if (candidate.name == d.at(1).name)
      for (const Operand &target : candidate.targets)
        if (target.kind == Operand::Label)
          table.targets.push_back(d.function.syntax->labels[target.reg]);
  if (table.targets.empty())
    return d.fail("the second operand names no .branchtargets");
  d.result.extra = d.keep(std::move(table));
  d.result.execute = branchIndexed;
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

static void copySpan(Bytes &from, uint64_t fromBase, Bytes &to, uint64_t toBase,
                     uint64_t size) {
  if (size == 0) // where a frame may have no bytes at all
    return;
  memcpy(to.data() + toBase, from.data() + fromBase, size);
  memcpy(to.shadow() + toBase, from.shadow() + fromBase, size);
}

static Step enter(Warp &warp, const DecodedFunction &function,
                  const std::vector<Span> &arguments) {
  auto refuse = [&](const std::string &what) {
    return warp.stop(Rule::Limit, "the call of " + function.syntax->name + ": " + what,
                     warp.firstLane());
  };
  if (warp.frame().depth >= deepest)
    return refuse("calls are nested " + std::to_string(deepest) + " deep");
  uint64_t local = (warp.frame().localEnd() + 15) / 16 * 16 + function.localBytes;
  if (local > localLimit)
    return refuse("the thread's frames need " + std::to_string(local) +
                  " bytes of local memory, and it has " + std::to_string(localLimit));
  std::atomic<uint64_t> &frameBytes = warp.block.launch.frameBytes;
  // Values and poison of registers, predicates, parameters and their shadow.
  uint64_t bytes =
      uint64_t(lanesPerWarp) * (function.registers * 9ull + function.paramBytes * 2) +
      function.predicates * sizeof(Predicate);
  const uint64_t most = warp.block.launch.device.frameLimit;
  if (frameBytes + bytes > most)
    return refuse("the frames of the calls that are under way take more than " +
                  std::to_string(most >> 20) + " MiB");
  std::shared_ptr<Frame> callee = warp.makeFrame(function);
  callee->charge.put(&frameBytes, bytes);
  for (const Span &span : arguments)
    for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
      unsigned lane = __builtin_ctz(lanes);
      copySpan(warp.frame().params,
               lane * warp.frame().function->paramBytes + span.caller, callee->params,
               lane * function.paramBytes + span.callee, span.size);
    }
  return warp.call(std::move(callee));
}

static Step callDirect(Warp &warp, const Instruction &instruction) {
  const auto &target = *static_cast<const CallTarget *>(instruction.extra);
  return enter(warp, *target.function, target.arguments);
}

/// The parts of `places`, variables of the caller, that correspond to the callee's
/// `variables` at `offsets`. False where their number or sizes differ.
static bool matchVariables(const std::vector<Placement> &places,
                           const std::vector<Variable> &variables,
                           const std::vector<uint64_t> &offsets,
                           std::vector<Span> &spans) {
  if (places.size() != variables.size())
    return false;
  for (size_t i = 0; i < places.size(); ++i) {
    if (places[i].variable->size != variables[i].size)
      return false;
    spans.push_back({places[i].offset, offsets[i], variables[i].size});
  }
  return true;
}

static Step callIndirect(Warp &warp, const Instruction &instruction) {
  const auto &target = *static_cast<const CallTarget *>(instruction.extra);
  if (!warp.expectSound(instruction.operand[0], "the called address"))
    return Step::Stop;
  const uint64_t *address = warp.values(instruction.operand[0]);
  uint64_t first = address[warp.firstLane()];
  const auto &functions = warp.block.launch.program.functions;
  uint64_t number = (first >> 4) - 1;
  if (first & 15 || number >= functions.size())
    return warp.stop(Rule::OutOfBounds, "the called address is no function's",
                     warp.firstLane());
  const DecodedFunction &function = functions[number];
  std::vector<Span> arguments, results;
  if (function.syntax->isEntry || function.syntax->isDeclaration ||
      !matchVariables(target.argumentPlaces, function.syntax->params,
                      function.paramOffsets, arguments) ||
      !matchVariables(target.resultPlaces, function.syntax->results,
                      function.resultOffsets, results))
    return warp.stop(Rule::Unsupported,
                     "it calls " + function.syntax->name +
                         ", whose parameters are not those of the call",
                     warp.firstLane());
  uint32_t same = 0;
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    if (address[lane] == first)
      same |= 1u << lane;
  }
  // Lanes that call another function stay and execute the call again.
  if (same != warp.active && !warp.split(same))
    return Step::Stop;
  return enter(warp, function, arguments);
}

Step tilewright::ptx::returnWithResults(Warp &warp) {
  Frame &frame = warp.frame();
  if (frame.caller && frame.call) {
    const auto &target = *static_cast<const CallTarget *>(frame.call->extra);
    const DecodedFunction &callee = *frame.function;
    for (size_t i = 0; i < target.resultPlaces.size(); ++i)
      for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
        unsigned lane = __builtin_ctz(lanes);
        copySpan(frame.params, lane * callee.paramBytes + callee.resultOffsets[i],
                 frame.caller->params,
                 lane * frame.caller->function->paramBytes +
                     target.resultPlaces[i].offset,
                 target.resultPlaces[i].variable->size);
      }
  }
  return warp.ret();
}

static Step executeReturn(Warp &warp, const Instruction &) {
  return returnWithResults(warp);
}

/// The .param variables that a list of a call names.
static bool findPlaces(Decoder &d, const Operand &list, std::vector<Placement> &places) {
  for (const Operand &item : list.items) {
    const Placement *found = nullptr;
    for (const Placement &placement : d.function.placements)
      if (placement.space == Space::Param && placement.variable->name == item.name)
        found = &placement;
    if (item.kind != Operand::Name || !found) {
      d.fail("arguments and results of a call are .param variables");
      return false;
    }
    places.push_back(*found);
  }
  return true;
}

/// call (results), name, (arguments), prototype; the lists and the prototype may be
/// absent.
static void decodeCall(Decoder &d) {
  d.take("uni");
  CallTarget target;
  size_t next = 0;
  if (d.operandCount() && d.at(0).kind == Operand::List)
    if (!findPlaces(d, d.at(next++), target.resultPlaces))
      return;
  const Operand &callee = d.at(next++);
  if (next < d.operandCount() && d.at(next).kind == Operand::List)
    if (!findPlaces(d, d.at(next++), target.argumentPlaces))
      return;
  if (callee.kind == Operand::Register) {
    d.result.operand[0] = d.source(callee, Type::U64);
    d.result.extra = d.keep(std::move(target));
    d.result.execute = callIndirect;
    return;
  }
  const DecodedFunction *function = d.program.find(callee.name);
  if (!function)
    return d.fail("no function is named " + std::string(callee.name));
  if (function->syntax->isEntry)
    return d.fail(std::string(callee.name) + " is a kernel, which nothing calls");
  if (function->syntax->isDeclaration) {
    d.result.execute = getLibraryCall(d, callee.name, target);
    d.result.extra = d.keep(std::move(target));
    return;
  }
  target.function = function;
  if (!matchVariables(target.argumentPlaces, function->syntax->params,
                      function->paramOffsets, target.arguments) ||
      !matchVariables(target.resultPlaces, function->syntax->results,
                      function->resultOffsets, target.results))
    return d.fail("the arguments are not those of " + std::string(callee.name));
  d.result.extra = d.keep(std::move(target));
  d.result.execute = callDirect;
}

//===----------------------------------------------------------------------===//
// Ends
//===----------------------------------------------------------------------===//

static Step executeExit(Warp &warp, const Instruction &) { return warp.exit(); }

static Step executeTrap(Warp &warp, const Instruction &) {
  return warp.stop(Rule::Trap, "it executed a trap", warp.firstLane());
}

static Step executeBreakpoint(Warp &warp, const Instruction &) {
  return warp.stop(Rule::Trap, "it executed a breakpoint", warp.firstLane());
}

void tilewright::ptx::decodeControl(Decoder &d) {
  std::string_view opcode = d.statement.opcode;
  if (opcode == "bra")
    return decodeBranch(d);
  if (opcode == "brx")
    return decodeIndexedBranch(d);
  if (opcode == "call")
    return decodeCall(d);
  if (opcode == "ret")
    d.take("uni");
  d.result.execute = opcode == "ret"    ? executeReturn
                     : opcode == "exit" ? executeExit
                     : opcode == "trap" ? executeTrap
                                        : executeBreakpoint;
}
