//===- AddressOps.cpp - Addresses between state spaces ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A shared address is the block's own where its upper bits are zero, and rank + 1 in them
// means another block of the cluster; in the window of generic addresses every block
// stands at its rank.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/AddressOps.h"
#include "emulators/ptx/Block.h"
#include "emulators/ptx/Elementwise.h"

using namespace tilewright::ptx;

namespace {

constexpr uint64_t rankUnit = uint64_t(1) << sharedRankBits;

uint64_t toGeneric(Space space, uint64_t address, uint64_t ownRank) {
  switch (space) {
  case Space::Shared:
  case Space::SharedCluster: {
    uint64_t rank = address >> sharedRankBits;
    if (rank == 0)
      return sharedWindow + ownRank * rankUnit + address;
    return sharedWindow + address - rankUnit;
  }
  case Space::Local:
    return localWindow + address;
  case Space::Param:
    return paramWindow + address;
  default:
    return address;
  }
}

uint64_t fromGeneric(Space space, uint64_t address, uint64_t ownRank) {
  switch (space) {
  case Space::Shared:
  case Space::SharedCluster: {
    uint64_t inWindow = address - sharedWindow;
    if (inWindow >> sharedRankBits == ownRank)
      return inWindow & (rankUnit - 1);
    return inWindow + rankUnit;
  }
  case Space::Local:
    return address - localWindow;
  case Space::Param:
    return address - paramWindow;
  default:
    return address;
  }
}

enum AddressFlags : uint32_t { ToSpace = 1 };

Step addressHandler(Warp &warp, const Instruction &instruction) {
  const uint32_t to = instruction.operand[0], from = instruction.operand[1];
  const uint64_t rank = warp.block.rank;
  const uint64_t *a = warp.values(from);
  LaneBuffer results;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    results.lane[lane] = instruction.flags & ToSpace
                             ? fromGeneric(instruction.space, a[lane], rank)
                             : toGeneric(instruction.space, a[lane], rank);
  }
  writeValues(warp, to, results);
  spreadPoison(warp, to, PoisonSource{from, poisonOfBytes(8)});
  return Step::Next;
}

/// The generic address of a local variable: `immediate` in the function's frame.
Step localVariableHandler(Warp &warp, const Instruction &instruction) {
  LaneBuffer results;
  for (uint64_t &lane : results.lane)
    lane = localWindow + warp.frame().localBase +
           static_cast<uint64_t>(instruction.immediate);
  writeValues(warp, instruction.operand[0], results);
  const uint8_t sound[lanesPerWarp] = {};
  writePoison(warp, instruction.operand[0], sound);
  return Step::Next;
}

bool isInSpace(Warp &warp, Space space, uint64_t address) {
  bool inShared = address - sharedWindow < windowBytes;
  bool inLocal = address - localWindow < windowBytes;
  bool inParam = address - paramWindow < windowBytes;
  switch (space) {
  case Space::Shared:
    return inShared && (address - sharedWindow) >> sharedRankBits == warp.block.rank;
  case Space::SharedCluster:
    return inShared &&
           (address - sharedWindow) >> sharedRankBits < warp.block.cluster.blocks.size();
  case Space::Local:
    return inLocal;
  case Space::Param:
    return inParam;
  default:
    break;
  }
  if (inShared || inLocal || inParam)
    return false;
  // Constants lie in global memory, where only they are not written.
  const auto *found = warp.block.launch.device.memory.find(address);
  bool isConst = found && found->readOnlyBytes;
  return (space == Space::Const) == isConst;
}

Step isSpaceHandler(Warp &warp, const Instruction &instruction) {
  uint32_t holds = 0, undefined = 0;
  const uint64_t *a = warp.values(instruction.operand[1]);
  const uint8_t *poison = warp.poison(instruction.operand[1]);
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    if (warp.active >> lane & 1) {
      holds |= uint32_t(isInSpace(warp, instruction.space, a[lane])) << lane;
      undefined |= uint32_t(poison[lane] != 0) << lane;
    }
  Predicate &to = warp.predicate(instruction.operand[0]);
  to.value = (to.value & ~warp.active) | holds;
  to.poison = (to.poison & ~warp.active) | undefined;
  return Step::Next;
}

} // namespace

const Placement *tilewright::ptx::findLocal(const Decoder &decoder,
                                            std::string_view name) {
  for (const Placement &placement : decoder.function.placements)
    if (placement.variable->name == name)
      return placement.space == Space::Local ? &placement : nullptr;
  return nullptr;
}

void tilewright::ptx::decodeIsInSpace(Decoder &decoder) {
  Instruction &result = decoder.result;
  result.space = decoder.takeSpace();
  if (result.space == Space::Generic || !decoder.expectOperands(2, 2))
    return decoder.fail("a state space is expected");
  result.operand[0] = decoder.predicate(size_t(0));
  if (result.operand[0] == noRegister)
    return decoder.fail("the result may not be a sink");
  result.operand[1] = decoder.source(size_t(1), Type::U64);
  result.execute = isSpaceHandler;
}

void tilewright::ptx::decodeAddressConversion(Decoder &decoder) {
  Instruction &result = decoder.result;
  if (decoder.take("to"))
    result.flags |= ToSpace;
  result.space = decoder.takeSpace();
  Type type = decoder.takeType();
  // Generic addresses have 64 bits in all that is modelled.
  if (result.space == Space::Generic || type != Type::U64)
    return decoder.fail("a state space and .u64 are expected");
  if (!decoder.expectOperands(2, 2))
    return;
  const Operand &from = decoder.at(1);
  const Placement *local =
      from.kind == Operand::Name ? findLocal(decoder, from.name) : nullptr;
  if (local) {
    if (result.space != Space::Local || result.flags)
      return decoder.fail("a local variable's address is made generic by cvta.local.u64");
    result.operand[0] = decoder.destination(size_t(0));
    if (result.operand[0] == noRegister)
      return decoder.fail("the result may not be a sink");
    result.immediate =
        static_cast<int64_t>(local->offset + static_cast<uint64_t>(from.offset));
    result.execute = localVariableHandler;
    return;
  }
  if (decodeOperands(decoder, 1, type))
    result.execute = addressHandler;
}
