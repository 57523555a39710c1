//===- BulkCopyOps.cpp - cp.async.bulk and cp.reduce.async.bulk ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/AsyncCopy.h"

#include <cstring>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

/// What addresses and sizes of bulk copies are multiples of.
static constexpr uint32_t bulkAlign = 16;

namespace {
struct BulkOperands {
  CopyAddress to, from, barrier;
  uint32_t size = noRegister, mask = noRegister;
  Combine combine = nullptr; ///< null: a copy
  unsigned width = 1;        ///< bytes of an element that is combined
};
} // namespace

/// Copies bytes and what is known of them; sources that nobody wrote give undefined data.
static void copyBytes(uint8_t *to, uint8_t *toShadow, const uint8_t *from,
                      const uint8_t *fromShadow, size_t bytes) {
  memcpy(to, from, bytes);
  copyShadow(toShadow, fromShadow, bytes);
}

static bool expectSoundOperands(Warp &warp, const BulkOperands &operands) {
  return warp.expectSound(operands.to.reg, "the destination's address") &&
         warp.expectSound(operands.from.reg, "the source's address") &&
         warp.expectSound(operands.size, "the size") &&
         warp.expectSound(operands.barrier.reg, "the mbarrier's address") &&
         warp.expectSound(operands.mask, "the mask of blocks");
}

/// The number of bytes that `lane` copies; false where it is no multiple of 16.
static bool getSize(Warp &warp, const BulkOperands &operands, unsigned lane,
                    uint32_t &size) {
  size = static_cast<uint32_t>(warp.values(operands.size)[lane]);
  if (size % bulkAlign == 0)
    return true;
  warp.stop(Rule::Misaligned,
            "the size, " + std::to_string(size) + " bytes, is no multiple of 16", lane);
  return false;
}

/// Calls `copy` with the operands, each active lane and how many bytes it copies, as long
/// as it is true.
template <typename Copy>
static Step forEachCopy(Warp &warp, const Instruction &instruction, Copy copy) {
  const auto &operands = *static_cast<const BulkOperands *>(instruction.extra);
  if (!expectSoundOperands(warp, operands))
    return Step::Stop;
  return forEachLane(warp, [&](unsigned lane) {
    uint32_t size;
    return getSize(warp, operands, lane, size) && copy(operands, lane, size);
  });
}

/// From global memory to shared memory, of one block or several.
static Step loadBulk(Warp &warp, const Instruction &instruction) {
  return forEachCopy(
      warp, instruction, [&](const BulkOperands &operands, unsigned lane, uint32_t size) {
        Place from = warp.find(Space::Global, operands.from.of(warp, lane), size,
                               bulkAlign, lane, Access::Read);
        if (!from)
          return false;
        beginGlobal(warp, from, size, Access::Read, lane);
        GlobalReader reader(warp, instruction, lane);
        std::optional<uint32_t> mask;
        if (operands.mask != noRegister)
          mask = static_cast<uint16_t>(warp.values(operands.mask)[lane]);
        std::vector<LoadTarget> targets =
            findTargets(warp, operands.to, operands.barrier, size, bulkAlign, lane,
                        Access::Write, mask, Proxy::Async);
        for (const LoadTarget &target : targets)
          defer(warp, *target.barrier, size, [to = target.place, from, size, reader] {
            reader.check(from, size);
            copyBytes(to.data, to.shadow, from.data, from.shadow, size);
          });
        warp.block.cluster.getStatistics()->globalRead += size;
        return !targets.empty();
      });
}

/// From shared memory to that of a block of the cluster, copied or combined.
static Step sendBulk(Warp &warp, const Instruction &instruction) {
  return forEachCopy(
      warp, instruction, [&](const BulkOperands &operands, unsigned lane, uint32_t size) {
        Place from = warp.find(operands.from.space, operands.from.of(warp, lane), size,
                               bulkAlign, lane, Access::Sync);
        if (!from)
          return false;
        std::vector<LoadTarget> targets =
            findTargets(warp, operands.to, operands.barrier, size, bulkAlign, lane,
                        operands.combine ? Access::Atomic : Access::Write, std::nullopt,
                        Proxy::Async);
        if (targets.empty())
          return false;
        SharedSource source(warp, from, size, lane);
        defer(warp, *targets[0].barrier, size,
              [to = targets[0].place, source, combine = operands.combine,
               width = operands.width]() mutable {
                if (combine)
                  reduceElements(combine, width, to.data, to.shadow, source.data(),
                                 source.shadow(), source.bytes);
                else
                  copyBytes(to.data, to.shadow, source.data(), source.shadow(),
                            source.bytes);
                source.release();
              });
        return true;
      });
}

/// From shared memory to global memory, copied or combined.
static Step storeBulk(Warp &warp, const Instruction &instruction) {
  BulkGroups &groups = warp.state<BulkGroups>();
  GlobalMemory &memory = warp.block.launch.device.memory;
  return forEachCopy(
      warp, instruction, [&](const BulkOperands &operands, unsigned lane, uint32_t size) {
        uint64_t address = operands.to.of(warp, lane);
        Access access = operands.combine ? Access::Atomic : Access::Write;
        Place to = warp.find(Space::Global, address, size, bulkAlign, lane, Access::Sync);
        if (!to)
          return false;
        Place from = warp.find(operands.from.space, operands.from.of(warp, lane), size,
                               bulkAlign, lane, Access::Sync);
        if (!from)
          return false;
        beginGlobal(warp, to, size, access, lane);
        WriteBack write;
        if (operands.combine)
          write = [&memory, &operands, address, to, size](const uint8_t *data,
                                                          const uint8_t *shadow) {
            reduceGlobal(memory, operands.combine, operands.width, address, to.data,
                         to.shadow, data, shadow, size);
          };
        else
          write = [to, size](const uint8_t *data, const uint8_t *shadow) {
            copyBytes(to.data, to.shadow, data, shadow, size);
          };
        groups.add(lane, SharedSource(warp, from, size, lane), std::move(write));
        warp.block.cluster.getStatistics()->globalWritten += size;
        return true;
      });
}

static Step prefetchBulk(Warp &warp, const Instruction &instruction) {
  return forEachCopy(warp, instruction,
                     [&](const BulkOperands &operands, unsigned lane, uint32_t size) {
                       return bool(warp.find(Space::Global, operands.from.of(warp, lane),
                                             size, bulkAlign, lane, Access::Read));
                     });
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

void tilewright::ptx::decodeBulkCopy(Decoder &decoder, bool reduces) {
  BulkOperands operands;
  // The destination's space comes first; the source's is the other one.
  const auto &modifiers = decoder.statement.modifiers;
  auto isSpace = [](std::string_view name) {
    return name == "global" || name.substr(0, 6) == "shared";
  };
  size_t first = 0;
  while (first < modifiers.size() && !isSpace(modifiers[first]))
    ++first;
  if (first == modifiers.size())
    return decoder.fail("it names no destination");
  bool toGlobal = modifiers[first] == "global";
  bool fromGlobal = false;
  if (toGlobal) {
    decoder.take("global");
    operands.to.space = Space::Global;
    operands.from.space = takeSharedSpace(decoder, false);
    if (operands.from.space == Space::Generic || !decoder.take("bulk_group"))
      return decoder.fail("a copy to global memory is .global.shared::cta.bulk_group");
  } else {
    operands.to.space = decoder.take("shared::cluster") ? Space::SharedCluster
                                                        : takeSharedSpace(decoder, false);
    fromGlobal = decoder.take("global");
    operands.from.space = fromGlobal ? Space::Global : takeSharedSpace(decoder, false);
    if (operands.from.space == Space::Generic ||
        !decoder.take("mbarrier::complete_tx::bytes"))
      return decoder.fail("a copy to shared memory names its source and "
                          ".mbarrier::complete_tx::bytes");
    if (!fromGlobal && operands.to.space != Space::SharedCluster)
      return decoder.fail("a copy of shared memory is to .shared::cluster");
  }
  if (reduces) {
    Reduction reduction = takeReduction(decoder);
    Type type = decoder.takeType();
    bool isHalf = type == Type::F16 || type == Type::BF16;
    if (decoder.take("noftz") != (isHalf && reduction == Reduction::Add))
      return decoder.fail(".noftz belongs to .add of f16 and bf16");
    // Bitwise reductions are of .b types; other blocks' memory takes integers of 32 bits
    // and sums of 64.
    operands.combine = getCombine(reduction, type);
    bool fits = toGlobal || type == Type::U32 || type == Type::S32 || type == Type::B32 ||
                (type == Type::U64 && reduction == Reduction::Add);
    if (!operands.combine || fromGlobal || !fits)
      return decoder.fail("there is no such reduction");
    operands.width = getBytes(type);
  }
  bool multicasts = fromGlobal && decoder.take("multicast::cluster");
  bool hasPolicy = decoder.take("L2::cache_hint");
  size_t count = 3 + !toGlobal + multicasts + hasPolicy;
  if (!decoder.expectOperands(count, count))
    return;
  operands.to = takeAddress(decoder, decoder.at(0), operands.to.space);
  operands.from = takeAddress(decoder, decoder.at(1), operands.from.space);
  operands.size = decoder.source(2, Type::U32);
  // The mbarrier lies where the destination does.
  if (!toGlobal)
    operands.barrier = takeAddress(decoder, decoder.at(3), operands.to.space);
  if (multicasts)
    operands.mask = decoder.source(4, Type::U16);
  decoder.program.copiesGlobal |= toGlobal || fromGlobal;
  decoder.result.extra = decoder.keep(operands);
  decoder.result.execute = toGlobal ? storeBulk : fromGlobal ? loadBulk : sendBulk;
}

void tilewright::ptx::decodeBulkPrefetch(Decoder &decoder) {
  BulkOperands operands;
  if (!decoder.take("L2") || !decoder.take("global"))
    return decoder.fail("its form is cp.async.bulk.prefetch.L2.global");
  bool hasPolicy = decoder.take("L2::cache_hint");
  if (!decoder.expectOperands(2 + hasPolicy, 2 + hasPolicy))
    return;
  operands.from = takeAddress(decoder, decoder.at(0), Space::Global);
  operands.size = decoder.source(1, Type::U32);
  decoder.result.extra = decoder.keep(operands);
  decoder.result.execute = prefetchBulk;
}
