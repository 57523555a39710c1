//===- MemoryAccess.cpp - Where the lanes of an access go ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/MemoryAccess.h"
#include "emulators/ptx/GlobalRaces.h"
#include "emulators/ptx/GlobalWrites.h"

using namespace tilewright::ptx;
using tilewright::emulator::Allocation;

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

/// Whether `variable` is one of the parameters of entry `syntax`.
static bool isEntryParameter(const Function &syntax, const Variable *variable) {
  return syntax.isEntry && !syntax.params.empty() && variable >= &syntax.params.front() &&
         variable <= &syntax.params.back();
}

/// An address's offset may be any 64 bits.
static int64_t wrappingAdd(int64_t left, uint64_t right) {
  return static_cast<int64_t>(static_cast<uint64_t>(left) + right);
}

/// The address of variable `base` is known when the module is decoded.
static void decodeNamedAddress(Decoder &d, const Operand &base) {
  Instruction &result = d.result;
  for (const Placement &placement : d.function.placements) {
    if (placement.variable->name != base.name)
      continue;
    result.immediate = wrappingAdd(result.immediate, placement.offset);
    bool fits = result.space == placement.space;
    switch (placement.space) {
    case Space::Param:
      result.flags |= isEntryParameter(*d.function.syntax, placement.variable)
                          ? inKernelParams
                          : inFrameParams;
      break;
    case Space::Local:
      result.flags |= inFrameLocals;
      break;
    case Space::Shared:
      fits |= result.space == Space::SharedCluster;
      break;
    default:
      fits |= result.space == Space::Generic;
      break;
    }
    if (!fits)
      d.fail(std::string(base.name) + " lies in ." +
             std::string(getName(placement.space)));
    return;
  }
  auto global = d.program.globals.find(std::string(base.name));
  if (global == d.program.globals.end())
    return d.fail("no variable is named " + std::string(base.name));
  Space home = global->second->readOnlyBytes ? Space::Const : Space::Global;
  if (result.space != home && result.space != Space::Generic)
    return d.fail(std::string(base.name) + " lies in ." + std::string(getName(home)));
  result.immediate = wrappingAdd(result.immediate, global->second->base);
}

void tilewright::ptx::decodeAddress(Decoder &d, const Operand &operand) {
  if (operand.kind != Operand::Address || operand.items.size() != 1)
    return d.fail("an address in brackets is expected");
  const Operand &base = operand.items[0];
  d.result.immediate = wrappingAdd(operand.offset, static_cast<uint64_t>(base.offset));
  switch (base.kind) {
  case Operand::Name:
    return decodeNamedAddress(d, base);
  case Operand::Integer:
    d.result.immediate = wrappingAdd(operand.offset, base.bits);
    break;
  case Operand::Register:
    d.result.operand[0] = d.source(base, Type::B64);
    if (base.reg < d.function.syntax->registers.size() &&
        getBits(d.function.syntax->registers[base.reg].type) == 32)
      d.result.flags |= narrowAddress;
    break;
  default:
    return d.fail("an address is a register, a name or an integer");
  }
  if (d.result.space == Space::Param)
    d.result.flags |= inFrameParams; // an entry's own are told apart when it runs
}

void tilewright::ptx::decodeOrder(Decoder &d, bool isAtomic) {
  enum { Weak, Volatile, Relaxed, Acquire, Release, AcquireRelease };
  std::optional<unsigned> order =
      d.takeOneOf({"weak", "volatile", "relaxed", "acquire", "release", "acq_rel"});
  if (d.take("mmio") && order != Relaxed)
    return d.fail(".mmio goes with .relaxed");
  std::optional<unsigned> scope = d.takeOneOf({"cta", "cluster", "gpu", "sys"});
  bool needsScope = order && *order >= Relaxed;
  if (!isAtomic && needsScope != scope.has_value())
    return d.fail(needsScope ? "a scope is missing"
                             : "a scope goes with .relaxed and up");
  if (isAtomic && order && *order < Relaxed)
    return d.fail("an atomic operation is neither weak nor volatile");
  if (isAtomic || order.value_or(Weak) != Weak)
    d.result.flags |= strongAccess;
  if (scope && *scope < 2)
    d.result.flags |= narrowScope;
  if (order == Acquire || order == AcquireRelease)
    d.result.flags |= acquiring;
  if (order == Release || order == AcquireRelease)
    d.result.flags |= releasing;
}

bool tilewright::ptx::decodeCachePolicy(Decoder &d, size_t operands) {
  bool hasPolicy = d.take("L2::cache_hint");
  d.takeCacheHints();
  if (!d.expectOperands(operands + hasPolicy, operands + hasPolicy))
    return false;
  if (hasPolicy)
    d.source(operands, Type::B64);
  return true;
}

void tilewright::ptx::addData(Decoder &d, const Operand &operand, bool isSource) {
  Type type = d.result.type;
  if (type != Type::B128)
    return d.addList(operand, type, isSource);
  if (operand.kind == Operand::Sink && !isSource) {
    d.addRegister(noRegister);
    return d.addRegister(noRegister);
  }
  if (operand.kind != Operand::Register ||
      d.function.syntax->registers[operand.reg].type != Type::B128)
    return d.fail("a register of .b128 is expected");
  d.addRegister(d.function.registerNumber[operand.reg]);
  d.addRegister(d.function.registerNumber[operand.reg] + 1);
}

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

bool Addresses::compute(Warp &warp, const Instruction &instruction) {
  uint64_t offset = static_cast<uint64_t>(instruction.immediate);
  if (instruction.flags & inFrameLocals)
    offset += warp.frame().localBase;
  if (instruction.operand[0] == noRegister) {
    for (uint64_t &address : of)
      address = offset;
    lowest = highest = bits = offset;
    return true;
  }
  if (anyPoison(warp.poison(instruction.operand[0])) &&
      !warp.expectSound(instruction.operand[0], "the address"))
    return false;
  const uint64_t *base = warp.values(instruction.operand[0]);
  uint64_t mask = instruction.flags & narrowAddress ? 0xffffffff : ~uint64_t(0);
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    of[lane] = (base[lane] + offset) & mask;
  uint64_t first = of[warp.firstLane()];
  if (warp.active != allLanes)
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      of[lane] = warp.active >> lane & 1 ? of[lane] : first;
  // Signed distances from the first, since hardware compares no unsigned 64-bit vectors.
  int64_t least = 0, most = 0;
  bits = 0;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    int64_t distance = static_cast<int64_t>(of[lane] - first);
    least = distance < least ? distance : least;
    most = distance > most ? distance : most;
    bits |= of[lane];
  }
  lowest = first + static_cast<uint64_t>(least);
  highest = first + static_cast<uint64_t>(most);
  return true;
}

Addresses::Pattern Addresses::getPattern(uint32_t active, uint32_t size) const {
  if (lowest == highest)
    return Uniform;
  if (active == allLanes && highest - lowest == 31 * uint64_t(size)) {
    uint64_t different = 0;
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      different |= of[lane] ^ (of[0] + lane * uint64_t(size));
    if (different == 0)
      return Unit;
  }
  unsigned count = __builtin_popcount(active);
  if (highest - lowest != (count - 1) * uint64_t(size))
    return Scattered;
  unsigned shift = __builtin_ctz(size);
  uint32_t tiles = 0;
  for (uint32_t lanes = active; lanes; lanes &= lanes - 1)
    tiles |= 1u << ((of[__builtin_ctz(lanes)] - lowest) >> shift);
  return unsigned(__builtin_popcount(tiles)) == count ? Dense : Scattered;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Span tilewright::ptx::findSpan(Warp &warp, Space space, uint64_t lowest, uint64_t bytes,
                               bool isRead) {
  Span span;
  uint64_t offset = lowest;
  if (space == Space::Generic) {
    if (lowest - sharedWindow < windowBytes) {
      space = Space::SharedCluster;
      offset = lowest - sharedWindow + (uint64_t(1) << sharedRankBits);
    } else if (lowest - localWindow < windowBytes || lowest - paramWindow < windowBytes) {
      return span;
    }
  }
  span.start = lowest;
  if (space == Space::Shared || space == Space::SharedCluster) {
    uint64_t rank = offset >> sharedRankBits;
    Block *owner = &warp.block;
    if (rank) {
      if (rank - 1 >= owner->cluster.blocks.size())
        return span;
      owner = owner->cluster.blocks[rank - 1].get();
      offset &= (uint64_t(1) << sharedRankBits) - 1;
      if (owner != &warp.block && (space == Space::Shared || owner->warpsAlive() == 0))
        return span;
    }
    uint64_t at = offset - sharedStart, size = owner->shared.size();
    if (offset < sharedStart || at > size || bytes > size - at)
      return span;
    span.data = owner->shared.data() + at;
    span.shadow = owner->shared.shadow() + at;
    span.space = Space::Shared;
    span.owner = owner;
    span.offset = at;
    return span;
  }
  if (space == Space::Local || space == Space::Param)
    return span;
  Allocation *found = warp.block.launch.device.memory.find(lowest);
  if (!found || found->freed || bytes > found->size - (lowest - found->base) ||
      (found->readOnlyBytes && !isRead))
    return span;
  span.offset = lowest - found->base;
  span.data = found->memory.data() + span.offset;
  span.shadow = found->memory.shadow() + span.offset;
  span.space = Space::Global;
  span.allocation = found;
  return span;
}

/// Tells the race check within the warp of its lanes' accesses.
static void noteInWarp(Warp &warp, Block &owner, Addresses::Pattern pattern,
                       const uint32_t *offsets, uint32_t size, Access access) {
  using Kind = LaneHistory::Kind;
  const uint32_t lanes = warp.active;
  switch (access) {
  case Access::Read:
    if (pattern == Addresses::Uniform && (lanes & (lanes - 1)))
      return owner.noteInWarp(warp, offsets, size, Kind::ReadByAll, lanes & -lanes);
    return owner.noteInWarp(warp, offsets, size, Kind::Read, lanes);
  case Access::Write:
    return owner.noteInWarp(warp, offsets, size, Kind::Write, lanes);
  case Access::StrongRead:
    return owner.noteInWarp(warp, offsets, size, Kind::StrongRead, lanes);
  case Access::Atomic:
    return owner.noteInWarp(warp, offsets, size, Kind::Strong, lanes);
  case Access::Rewrite:
  case Access::Sync:
    return;
  }
}

void tilewright::ptx::noteAll(Warp &warp, const Instruction &instruction,
                              const WarpAccess &all, const Addresses &addresses,
                              uint32_t size, Access access) {
  const Span &span = all.span;
  if (!span)
    return;
  GlobalRaces *races = nullptr;
  GlobalWrites *writes = nullptr;
  if (span.space == Space::Global) {
    races = warp.block.launch.globalRaces.get();
    writes = isRead(access) ? nullptr : warp.block.launch.globalWrites.get();
    if (!races && !writes)
      return;
  }
  const bool isTogether = all.pattern != Addresses::Scattered;
  const auto bytes = static_cast<uint32_t>(addresses.highest - addresses.lowest + size);
  if (span.space == Space::Shared) {
    const auto start = static_cast<uint32_t>(span.offset);
    uint32_t offsets[lanesPerWarp];
    if (!isTogether || span.owner->laneHistory)
      for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
        offsets[lane] = start + static_cast<uint32_t>(addresses.of[lane] - span.start);
    // First, since it tells where lines are that the other one replaces.
    if (span.owner->laneHistory)
      noteInWarp(warp, *span.owner, all.pattern, offsets, size, access);
    if (isTogether)
      return span.owner->note(warp, start, bytes, access, warp.firstLane());
    return span.owner->noteLanes(warp, offsets, size, access, warp.active);
  }
  Access toOthers = access;
  if (instruction.flags & narrowScope)
    toOthers = isRead(access) ? Access::Read : Access::Write;
  auto note = [&](uint64_t offset, uint32_t count, unsigned lane) {
    if (races)
      races->note(warp, *span.allocation, offset, count, toOthers, lane,
                  instruction.flags & nonCoherent);
    if (writes)
      writes->noteGeneric(warp, *span.allocation, offset, count);
  };
  if (isTogether)
    return note(span.offset, bytes, warp.firstLane());
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    note(span.offset + (addresses.of[lane] - span.start), size, lane);
  }
}

WarpAccess tilewright::ptx::findAll(Warp &warp, const Instruction &instruction,
                                    const Addresses &addresses, uint32_t size,
                                    bool isRead) {
  WarpAccess found;
  if ((addresses.bits & (size - 1)) || (instruction.flags & inFrameParams))
    return found;
  found.span = findSpan(warp, instruction.space, addresses.lowest,
                        addresses.highest - addresses.lowest + size, isRead);
  if (!found.span)
    return found;
  found.pattern = addresses.getPattern(warp.active, size);
  return found;
}

Place tilewright::ptx::getPlace(const Span &span, uint64_t address) {
  Place place;
  uint64_t at = address - span.start;
  place.data = span.data + at;
  place.shadow = span.shadow + at;
  place.space = span.space;
  place.owner = span.owner;
  place.offset = static_cast<uint32_t>(span.offset + at);
  place.allocation = span.allocation;
  return place;
}

Place tilewright::ptx::findLane(Warp &warp, const Instruction &instruction,
                                uint64_t address, uint32_t size, unsigned lane,
                                Access access) {
  if (!(instruction.flags & inFrameParams))
    return warp.find(instruction.space, address, size, size, lane, access);
  Frame &frame = warp.frame();
  // A register may hold the address of an entry's own parameter.
  if (frame.function->syntax->isEntry && address < warp.block.launch.params.size())
    return warp.find(Space::Param, address, size, size, lane, access);
  uint64_t bytes = frame.function->paramBytes;
  Place place;
  if (address % size) {
    warp.stop(Rule::Misaligned,
              "parameter offset " + std::to_string(address) + " is no multiple of " +
                  std::to_string(size),
              lane);
  } else if (address > bytes || size > bytes - address) {
    warp.stop(Rule::OutOfBounds,
              "it accesses " + std::to_string(size) + " bytes at " +
                  std::to_string(address) + " of the " + std::to_string(bytes) +
                  " bytes of parameters",
              lane);
  } else {
    uint64_t at = lane * bytes + address;
    place.data = frame.params.data() + at;
    place.shadow = frame.params.shadow() + at;
    place.space = Space::Param;
  }
  return place;
}

void tilewright::ptx::reportBusy(Warp &warp, uint8_t shadow, bool isRead, unsigned lane) {
  std::string verb = isRead ? "it reads" : "it writes";
  if (shadow & emulator::Pending)
    return warp.report(Rule::InFlight,
                       verb +
                           " bytes that an asynchronous operation will write, before a "
                           "wait for it",
                       lane);
  warp.report(Rule::InFlight,
              verb + " bytes of an mbarrier, which only mbarrier instructions may use",
              lane);
}
