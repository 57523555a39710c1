//===- SystemOps.cpp - Addresses in a cluster, registers, local stack ---------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/BarrierOps.h"

#include <algorithm>
#include <cstring>

using namespace tilewright::ptx;
using tilewright::emulator::Bytes;

/// Sleeps of a cluster, with nothing else happening in it, that count as progress: a
/// thread that polls and sleeps may do so for a limited number of times.
static constexpr uint64_t patientSleeps = 20000;
/// Registers of a multiprocessor, and the most that a thread may have.
static constexpr uint32_t registerFile = 65536;
static constexpr uint32_t mostRegisters = 256;

static Step nothing(Warp &, const Instruction &) { return Step::Next; }

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

static constexpr uint64_t offsetMask = (uint64_t(1) << sharedRankBits) - 1;

/// mapa: operands are the result, the address and the rank; the space is that of the
/// result.
static Step mapAddress(Warp &warp, const Instruction &instruction) {
  uint32_t result = instruction.operand[0], address = instruction.operand[1],
           rank = instruction.operand[2];
  if (!warp.expectSound(rank, "the block's rank"))
    return Step::Stop;
  uint64_t blocks = warp.block.cluster.blocks.size();
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    uint64_t target = static_cast<uint32_t>(warp.values(rank)[lane]);
    uint64_t value = warp.values(address)[lane];
    if (target >= blocks)
      return warp.stop(Rule::OutOfBounds,
                       "rank " + std::to_string(target) + " in a cluster of " +
                           std::to_string(blocks) + " blocks",
                       lane);
    bool isGeneric = instruction.space == Space::Generic;
    if (isGeneric && value - sharedWindow >= windowBytes && !warp.poison(address)[lane])
      return warp.stop(Rule::OutOfBounds, "the generic address is not of shared memory",
                       lane);
    if (result == noRegister)
      continue;
    uint64_t offset = value & offsetMask;
    warp.values(result)[lane] = isGeneric
                                    ? sharedWindow + (target << sharedRankBits) + offset
                                    : (target + 1) << sharedRankBits | offset;
    warp.poison(result)[lane] = warp.poison(address)[lane] ? undefinedValue : soundValue;
  }
  return Step::Next;
}

static Step getRank(Warp &warp, const Instruction &instruction) {
  uint32_t result = instruction.operand[0], address = instruction.operand[1];
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    uint64_t value = warp.values(address)[lane];
    uint64_t rank;
    if (instruction.space == Space::Generic) {
      if (value - sharedWindow >= windowBytes && !warp.poison(address)[lane])
        return warp.stop(Rule::OutOfBounds, "the generic address is not of shared memory",
                         lane);
      rank = (value - sharedWindow) >> sharedRankBits;
    } else {
      uint64_t named = (value & 0xffffffff) >> sharedRankBits;
      rank = named ? named - 1 : warp.block.rank;
    }
    if (result == noRegister)
      continue;
    warp.values(result)[lane] = static_cast<uint32_t>(rank);
    warp.poison(result)[lane] = warp.poison(address)[lane] ? undefinedValue : soundValue;
  }
  return Step::Next;
}

static void decodeAddress(Decoder &d, bool maps) {
  d.result.space = d.takeSpace();
  if (d.result.space != Space::Generic && d.result.space != Space::SharedCluster)
    return d.fail("the space is .shared::cluster or none");
  Type type = d.takeType();
  bool isGeneric = d.result.space == Space::Generic;
  if (type != Type::U64 && (type != Type::U32 || isGeneric))
    return d.fail("the type is .u64, of addresses in shared::cluster also .u32");
  if (!d.expectOperands(maps ? 3 : 2, maps ? 3 : 2))
    return;
  d.result.execute = maps ? mapAddress : getRank;
  d.result.operand[0] = d.destination(0);
  d.result.operand[1] = d.source(1, type);
  if (maps)
    d.result.operand[2] = d.source(2, Type::U32);
}

//===----------------------------------------------------------------------===//
// Sleep
//===----------------------------------------------------------------------===//

namespace {
struct Sleeps : BlockState {
  uint64_t idle = 0, seen = 0;
};
} // namespace

static Step sleep(Warp &warp, const Instruction &) {
  Cluster &cluster = warp.block.cluster;
  auto &sleeps = cluster.state<Sleeps>();
  sleeps.idle = cluster.getProgress() == sleeps.seen ? sleeps.idle + 1 : 0;
  if (sleeps.idle < patientSleeps)
    cluster.noteProgress();
  sleeps.seen = cluster.getProgress();
  return Step::Yield;
}

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

namespace {
/// The registers of a block that its warps give up and take.
struct RegisterPool : BlockState {
  uint32_t free = 0;
  std::vector<uint32_t> perThread; // of each warp
};
} // namespace

/// The pool, made when it is first asked for: what a thread starts with is .maxnreg, or
/// what the register file has for a block of this size.
static RegisterPool &getPool(Block &block) {
  auto &pool = block.state<RegisterPool>();
  if (!pool.perThread.empty())
    return pool;
  uint32_t threads = static_cast<uint32_t>(block.warps.size()) * lanesPerWarp;
  uint32_t start = block.launch.entry.syntax->maxRegisters;
  if (!start)
    start = std::min(registerFile / threads / 8 * 8, mostRegisters);
  pool.perThread.assign(block.warps.size(), start);
  return pool;
}

template <bool increases>
static Step setRegisters(Warp &warp, const Instruction &instruction) {
  Step step = Step::Next;
  if (!isAligned(warp, step))
    return step;
  const Function &entry = *warp.block.launch.entry.syntax;
  if (!entry.maxRegisters && !entry.maxThreads[0] && !entry.requiredThreads[0])
    return warp.stop(Rule::Limit,
                     "the registers that a thread starts with are not known: the kernel "
                     "declares none of .maxnreg, .maxntid and .reqntid",
                     warp.firstLane());
  RegisterPool &pool = getPool(warp.block);
  uint32_t wanted = static_cast<uint32_t>(instruction.immediate);
  uint32_t &own = pool.perThread[warp.index];
  // Without .maxnreg the assembler chooses; what is known then is the most that fits.
  if (increases && wanted < own && !entry.maxRegisters) {
    own = wanted;
    return Step::Next;
  }
  if (increases ? wanted < own : wanted > own)
    return warp.stop(Rule::Limit,
                     "a thread has " + std::to_string(own) + " registers, and " +
                         (increases ? "an increase to " : "a decrease to ") +
                         std::to_string(wanted) + " is none",
                     warp.firstLane());
  if (increases) {
    uint32_t needed = (wanted - own) * lanesPerWarp;
    if (needed > pool.free) {
      warp.waitsFor = std::to_string(needed) +
                      " registers of the block's pool, which has " +
                      std::to_string(pool.free);
      warp.group->waitRule = Rule::Limit;
      return Step::Wait;
    }
    pool.free -= needed;
  } else {
    pool.free += (own - wanted) * lanesPerWarp;
  }
  own = wanted;
  warp.waitsFor.clear();
  warp.block.cluster.noteProgress();
  return Step::Next;
}

static void decodeSetRegisters(Decoder &d) {
  std::optional<unsigned> kind = d.takeOneOf({"inc", "dec"});
  if (!kind || !d.take("sync") || !d.take("aligned") || d.takeType() != Type::U32)
    return d.fail("it is .inc or .dec, .sync.aligned.u32");
  if (!d.expectOperands(1, 1))
    return;
  std::optional<int64_t> count = d.integer(d.at(0));
  if (!count || *count < 24 || *count > 256 || *count % 8)
    return d.fail("the count is a multiple of 8 from 24 to 256");
  d.result.immediate = *count;
  d.result.execute = *kind == 0 ? setRegisters<true> : setRegisters<false>;
}

//===----------------------------------------------------------------------===//
// Local stack
//===----------------------------------------------------------------------===//

static Step allocate(Warp &warp, const Instruction &instruction) {
  uint32_t result = instruction.operand[0], size = instruction.operand[1];
  if (!warp.expectSound(size, "the size"))
    return Step::Stop;
  Frame &frame = warp.frame();
  uint64_t align = static_cast<uint64_t>(instruction.immediate);
  uint64_t address = (frame.localEnd() + align - 1) / align * align, most = 0;
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    most = std::max(most, warp.values(size)[lane]);
    if (result == noRegister)
      continue;
    warp.values(result)[lane] = address;
    warp.poison(result)[lane] = soundValue;
  }
  if (most > localLimit || address + most > localLimit)
    return warp.stop(Rule::Limit,
                     std::to_string(most) + " more bytes of local memory: a thread has " +
                         std::to_string(localLimit),
                     warp.firstLane());
  frame.dynamicLocal += address + most - frame.localEnd();
  for (uint32_t lanes = most ? warp.active : 0; lanes; lanes &= lanes - 1) {
    Bytes &memory = warp.localMemory(__builtin_ctz(lanes));
    memset(memory.shadow() + address, tilewright::emulator::NeverWritten, most);
  }
  return Step::Next;
}

static Step saveStack(Warp &warp, const Instruction &instruction) {
  uint32_t result = instruction.operand[0];
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    warp.values(result)[lane] = warp.frame().localEnd();
    warp.poison(result)[lane] = soundValue;
  }
  return Step::Next;
}

static Step restoreStack(Warp &warp, const Instruction &instruction) {
  uint32_t saved = instruction.operand[0];
  if (!warp.expectSound(saved, "the saved stack"))
    return Step::Stop;
  Frame &frame = warp.frame();
  uint64_t bottom = frame.localEnd() - frame.dynamicLocal, top = 0;
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    uint64_t value = warp.values(saved)[lane];
    if (value < bottom || value > frame.localEnd())
      return warp.stop(Rule::OutOfBounds, "the operand was not saved in this frame",
                       lane);
    top = std::max(top, value);
  }
  // What other lanes have allocated above stays while they are elsewhere.
  if (warp.active == warp.alive)
    frame.dynamicLocal = top - bottom;
  return Step::Next;
}

static void decodeLocalStack(Decoder &d) {
  Type type = d.takeType();
  if (type != Type::U32 && type != Type::U64)
    return d.fail("the type is .u32 or .u64");
  if (d.statement.opcode == "alloca") {
    if (!d.expectOperands(2, 3))
      return;
    d.result.execute = allocate;
    d.result.operand[0] = d.destination(0);
    d.result.operand[1] = d.source(1, type);
    d.result.immediate = 8;
    if (d.operandCount() == 3) {
      std::optional<int64_t> align = d.integer(d.at(2));
      if (!align || *align <= 0 || (*align & (*align - 1)) || *align > (1 << 20))
        return d.fail("the alignment is a power of two");
      d.result.immediate = *align;
    }
    return;
  }
  if (!d.expectOperands(1, 1))
    return;
  if (d.statement.opcode == "stacksave") {
    d.result.execute = saveStack;
    d.result.operand[0] = d.destination(0);
    if (d.result.operand[0] == noRegister)
      d.fail("the result may not be a sink");
  } else {
    d.result.execute = restoreStack;
    d.result.operand[0] = d.source(0, type);
  }
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

void tilewright::ptx::decodeSystem(Decoder &d) {
  std::string_view opcode = d.statement.opcode;
  if (opcode == "mapa" || opcode == "getctarank")
    return decodeAddress(d, opcode == "mapa");
  if (opcode == "setmaxnreg")
    return decodeSetRegisters(d);
  if (opcode == "alloca" || opcode == "stacksave" || opcode == "stackrestore")
    return decodeLocalStack(d);
  if (opcode == "nanosleep") {
    d.result.execute = sleep;
    if (d.takeType() != Type::U32)
      d.fail("the type is .u32");
    if (d.expectOperands(1, 1))
      d.source(0, Type::U32);
    return;
  }
  d.result.execute = nothing;
  if (opcode == "griddepcontrol") {
    // Grids run one after the other, so what came before has ended.
    if (!d.takeOneOf({"launch_dependents", "wait"}))
      d.fail("it is .launch_dependents or .wait");
    d.expectOperands(0, 0);
    return;
  }
  if (opcode == "pmevent") {
    d.take("mask");
    d.expectOperands(1, 1);
    return;
  }
  d.fail("it is not modelled");
}
