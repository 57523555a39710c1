//===- AsyncCopyOps.cpp - cp.async --------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/AsyncCopies.h"

#include <cstring>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

namespace {
struct CopyOperands {
  CopyAddress to, from;
  uint32_t bytes = 0;
  uint32_t sourceBytes = noRegister; ///< how many of them are read; the rest is zero
  uint32_t ignore = noRegister;      ///< predicate: nothing is read
  bool ignoreNegated = false;
};
} // namespace

//===----------------------------------------------------------------------===//
// Handlers
//===----------------------------------------------------------------------===//

/// Where `lane`'s copy goes. The write is not noted yet where `isNoted` stays false.
static Place findDestination(Warp &warp, const CopyOperands &operands, unsigned lane,
                             bool &isNoted) {
  uint64_t address = operands.to.of(warp, lane);
  Bytes &shared = warp.block.shared;
  Place place;
  if (address < sharedStart || address - sharedStart + operands.bytes > shared.size() ||
      address & (operands.bytes - 1)) {
    isNoted = true;
    return warp.find(Space::Shared, address, operands.bytes, operands.bytes, lane,
                     Access::Write);
  }
  place.space = Space::Shared;
  place.owner = &warp.block;
  place.offset = static_cast<uint32_t>(address - sharedStart);
  place.data = shared.data() + place.offset;
  place.shadow = shared.shadow() + place.offset;
  return place;
}

/// Reads `bytes` bytes for `lane`; the rest of its 16 is zero. `last` is where the lane
/// before read from. False where a fault was reported.
static bool readSource(Warp &warp, const CopyOperands &operands, uint32_t bytes,
                       unsigned lane, CopyBatch &batch, Allocation *&last) {
  if (bytes) {
    uint64_t address = operands.from.of(warp, lane);
    Place from;
    if (last && address >= last->base && address - last->base + bytes <= last->size &&
        !(address & (operands.bytes - 1))) {
      from.allocation = last;
      from.data = last->memory.data() + (address - last->base);
      from.shadow = last->memory.shadow() + (address - last->base);
    } else {
      from = warp.find(Space::Global, address, bytes, operands.bytes, lane, Access::Read);
      if (!from)
        return false;
      last = from.allocation;
    }
    noteGlobal(warp, from, bytes, Access::Read, lane);
    memcpy(batch.data[lane], from.data, bytes);
    copyShadow(batch.shadow[lane], from.shadow, bytes);
  }
  if (bytes < 16) {
    memset(batch.data[lane] + bytes, 0, 16 - bytes);
    memset(batch.shadow[lane] + bytes, Sound, 16 - bytes);
  }
  return true;
}

/// Copies of 16 bytes of a warp as most are: from one allocation to the block's own
/// memory, inside both and aligned.
class PlainCopies {
public:
  PlainCopies(Warp &warp, const CopyOperands &operands, CopyBatch &batch)
      : operands(operands), batch(batch), shared(warp.block.shared.data()),
        shadows(warp.block.shared.shadow()), sharedBytes(warp.block.shared.size()),
        isUsable(operands.bytes == sizeof(batch.data[0]) &&
                 !warp.block.launch.globalRaces) {}

  /// The one of `lane` from `source`: copies what it reads and marks what it will write;
  /// the destination, or a place without data, with nothing done, where it is no such
  /// one.
  Place copy(Warp &warp, unsigned lane, Allocation *source) {
    if (!isUsable || !source)
      return {};
    uint64_t to = operands.to.of(warp, lane) - sharedStart;
    uint64_t from = operands.from.of(warp, lane);
    uint64_t at = from - source->base;
    if ((to | from) % bytes || sharedBytes < bytes || to > sharedBytes - bytes ||
        source->size < bytes || at > source->size - bytes || source->freed)
      return {};
    memcpy(batch.data[lane], source->memory.data() + at, bytes);
    copyShadow(batch.shadow[lane], source->memory.shadow() + at, bytes);
    Place place;
    place.owner = &warp.block;
    place.offset = static_cast<uint32_t>(to);
    place.data = shared + to;
    place.shadow = shadows + to;
    uint64_t marks[2];
    memcpy(marks, place.shadow, bytes);
    constexpr uint64_t everyByte = 0x0101010101010101;
    if ((marks[0] | marks[1]) & everyByte * (Pending | Opaque))
      checkSettled(warp, place, bytes, lane);
    memset(place.shadow, Pending, bytes);
    return place;
  }

private:
  static constexpr uint32_t bytes = sizeof(CopyBatch::data[0]);
  static_assert(sharedStart % bytes == 0);

  const CopyOperands &operands;
  CopyBatch &batch;
  uint8_t *const shared, *const shadows;
  const uint64_t sharedBytes;
  const bool isUsable;
};

/// The lanes whose source is ignored; nothing if that is undefined.
static std::optional<uint32_t> getIgnored(Warp &warp, const CopyOperands &operands) {
  if (operands.ignore == noRegister)
    return 0;
  const Predicate &ignore = warp.predicate(operands.ignore);
  uint32_t undefined = ignore.poison & warp.active;
  if (undefined && warp.block.launch.options.checks.uninitialised) {
    warp.stop(Rule::Uninitialised, "ignore-src depends on undefined data",
              __builtin_ctz(undefined));
    return std::nullopt;
  }
  return operands.ignoreNegated ? ~ignore.value : ignore.value;
}

static Step issueCopy(Warp &warp, const Instruction &instruction) {
  const auto &operands = *static_cast<const CopyOperands *>(instruction.extra);
  if (!warp.expectSound(operands.to.reg, "the destination's address") ||
      !warp.expectSound(operands.from.reg, "the source's address") ||
      !warp.expectSound(operands.sourceBytes, "the source's size"))
    return Step::Stop;
  std::optional<uint32_t> ignored = getIgnored(warp, operands);
  if (!ignored)
    return Step::Stop;
  AsyncCopies &copies = warp.state<AsyncCopies>();
  CopyBatch &batch = copies.add(operands.bytes);
  Statistics &statistics = *warp.block.cluster.getStatistics();
  uint32_t unnoted = 0;
  Allocation *last = nullptr;
  PlainCopies plain(warp, operands, batch);
  Step step = forEachLane(warp, [&](unsigned lane) {
    uint32_t bytes = operands.bytes;
    if (operands.sourceBytes != noRegister)
      bytes = static_cast<uint32_t>(warp.values(operands.sourceBytes)[lane]);
    if (bytes > operands.bytes) {
      warp.stop(Rule::OutOfBounds,
                "the source's size, " + std::to_string(bytes) + ", exceeds the copy's " +
                    std::to_string(operands.bytes),
                lane);
      return false;
    }
    if (*ignored >> lane & 1)
      bytes = 0;
    bool isNoted = false;
    Place to;
    if (bytes == operands.bytes)
      to = plain.copy(warp, lane, last);
    if (!to) {
      to = findDestination(warp, operands, lane, isNoted);
      if (!to || !readSource(warp, operands, bytes, lane, batch, last))
        return false;
      checkSettled(warp, to, operands.bytes, lane);
      memset(to.shadow, Pending, operands.bytes);
    }
    batch.offset[lane] = to.offset;
    batch.group[lane] = copies.open[lane];
    batch.lanes |= 1u << lane;
    if (!isNoted)
      unnoted |= 1u << lane;
    statistics.globalRead += bytes;
    statistics.sharedWritten += operands.bytes;
    return true;
  });
  warp.block.noteInWarp(warp, batch.offset, operands.bytes, LaneHistory::Kind::Write,
                        batch.lanes);
  warp.block.noteLanes(warp, batch.offset, operands.bytes, Access::Write, unnoted);
  return step;
}

static Step commitGroup(Warp &warp, const Instruction &) {
  warp.state<AsyncCopies>().commit(warp.active);
  return Step::Next;
}

static Step waitGroup(Warp &warp, const Instruction &instruction) {
  warp.state<AsyncCopies>().wait(warp, warp.active,
                                 static_cast<uint64_t>(instruction.immediate));
  return Step::Next;
}

static Step waitAll(Warp &warp, const Instruction &) {
  AsyncCopies &copies = warp.state<AsyncCopies>();
  copies.commit(warp.active);
  copies.wait(warp, warp.active, 0);
  return Step::Next;
}

/// cp.async.mbarrier.arrive: an arrival per lane when what it has issued has landed.
static Step arriveWhenDone(Warp &warp, const Instruction &instruction) {
  const auto &address = *static_cast<const CopyAddress *>(instruction.extra);
  const bool counts = instruction.flags; // .noinc: the arrivals are expected already
  if (!warp.expectSound(address.reg, "the mbarrier's address"))
    return Step::Stop;
  AsyncCopies &copies = warp.state<AsyncCopies>();
  // Lanes that name the same barrier go together.
  for (uint32_t left = warp.active; left;) {
    unsigned lane = __builtin_ctz(left);
    uint64_t named = address.of(warp, lane);
    uint32_t lanes = 0;
    for (uint32_t rest = left; rest; rest &= rest - 1)
      if (address.of(warp, __builtin_ctz(rest)) == named)
        lanes |= rest & -rest;
    left &= ~lanes;
    Mbarrier *barrier = findMbarrier(warp, address.space, named, lane);
    if (!barrier)
      return Step::Stop;
    uint32_t count = static_cast<uint32_t>(__builtin_popcount(lanes));
    if (!counts) {
      std::string error = barrier->addPending(count);
      if (!error.empty())
        return warp.stop(Rule::BarrierCount, error, lane);
    }
    DeferredOperation operation;
    operation.land = copies.track(warp, lanes);
    operation.arrivals = count;
    warp.block.release(warp, operation.clock);
    barrier->defer(std::move(operation));
    warp.block.cluster.noteProgress();
  }
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

CopyAddress tilewright::ptx::takeAddress(Decoder &decoder, const Operand &operand,
                                         Space space) {
  CopyAddress address;
  address.space = space;
  address.reg = decoder.address(operand, space);
  address.offset = decoder.result.immediate;
  decoder.result.immediate = 0;
  return address;
}

Space tilewright::ptx::takeSharedSpace(Decoder &decoder, bool mayBeCluster) {
  if (decoder.take("shared") || decoder.take("shared::cta"))
    return Space::Shared;
  if (mayBeCluster && decoder.take("shared::cluster"))
    return Space::SharedCluster;
  return Space::Generic;
}

static void decodeCopy(Decoder &decoder) {
  CopyOperands operands;
  std::optional<unsigned> cache = decoder.takeOneOf({"ca", "cg"});
  bool spaces =
      takeSharedSpace(decoder, false) == Space::Shared && decoder.take("global");
  bool hasPolicy = decoder.take("L2::cache_hint");
  decoder.takeOneOf({"L2::64B", "L2::128B", "L2::256B"});
  if (!cache || !spaces)
    return decoder.fail("its form is cp.async.{ca,cg}.shared.global");
  size_t last = decoder.operandCount() - hasPolicy;
  if (!decoder.expectOperands(3 + hasPolicy, 4 + hasPolicy))
    return;
  operands.to = takeAddress(decoder, decoder.at(0), Space::Shared);
  operands.from = takeAddress(decoder, decoder.at(1), Space::Global);
  std::optional<int64_t> bytes = decoder.integer(decoder.at(2));
  if (!bytes || !(*bytes == 16 || (*cache == 0 && (*bytes == 4 || *bytes == 8))))
    return decoder.fail("a copy has 4, 8 or 16 bytes, with .cg 16");
  operands.bytes = static_cast<uint32_t>(*bytes);
  if (last == 4 && decoder.isPredicate(decoder.at(3))) {
    operands.ignore = decoder.predicate(3);
    operands.ignoreNegated = decoder.at(3).negated;
  } else if (last == 4) {
    operands.sourceBytes = decoder.source(3, Type::U32);
  }
  decoder.result.extra = decoder.keep(operands);
  decoder.result.execute = issueCopy;
}

static void decodeGroups(Decoder &decoder) {
  Instruction &result = decoder.result;
  if (decoder.take("commit_group")) {
    decoder.expectOperands(0, 0);
    result.execute = commitGroup;
  } else if (decoder.take("wait_all")) {
    decoder.expectOperands(0, 0);
    result.execute = waitAll;
  } else if (decoder.take("wait_group")) {
    if (!decoder.expectOperands(1, 1))
      return;
    std::optional<int64_t> left = decoder.integer(decoder.at(0));
    if (!left || *left < 0)
      return decoder.fail("how many groups may be left is a constant");
    result.immediate = *left;
    result.execute = waitGroup;
  } else {
    decodeCopy(decoder);
  }
}

static void decodeArrive(Decoder &decoder) {
  decoder.result.flags = decoder.take("noinc");
  Space space = takeSharedSpace(decoder, false);
  if (!decoder.take("arrive") || !decoder.take("b64"))
    return decoder.fail("its form is cp.async.mbarrier.arrive.b64");
  if (!decoder.expectOperands(1, 1))
    return;
  decoder.result.extra = decoder.keep(takeAddress(decoder, decoder.at(0), space));
  decoder.result.execute = arriveWhenDone;
}

void tilewright::ptx::decodeAsyncCopy(Decoder &decoder) {
  if (decoder.statement.opcode == "tensormap")
    return decodeTensormap(decoder);
  if (decoder.statement.opcode != "cp")
    return decoder.fail("it is not modelled");
  bool reduces = decoder.take("reduce");
  if (!decoder.take("async"))
    return decoder.fail("it is not modelled");
  if (!decoder.take("bulk")) {
    if (reduces)
      return decoder.fail("only bulk copies reduce");
    if (decoder.take("mbarrier"))
      return decodeArrive(decoder);
    return decodeGroups(decoder);
  }
  if (decoder.program.architecture < 90)
    return decoder.fail("it needs sm_90");
  if (!reduces && decoder.take("commit_group"))
    return decodeBulkGroup(decoder, false);
  if (!reduces && decoder.take("wait_group"))
    return decodeBulkGroup(decoder, true);
  bool prefetches = !reduces && decoder.take("prefetch");
  if (decoder.take("tensor"))
    return decodeTensorCopy(decoder, reduces, prefetches);
  if (prefetches)
    return decodeBulkPrefetch(decoder);
  decodeBulkCopy(decoder, reduces);
}
