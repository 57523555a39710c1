//===- AsyncCopy.cpp - What asynchronous copies share -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/AsyncCopy.h"
#include "emulators/ptx/Fences.h"
#include "emulators/ptx/GlobalRaces.h"
#include "emulators/ptx/GlobalWrites.h"
#include "emulators/ptx/MemoryAccess.h"

#include <cstring>
#include <new>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

/// Bytes that a warp's copies to global memory keep between wait_group.read and
/// wait_group; beyond them the oldest are written early.
static constexpr size_t bufferLimit = 8 << 20;

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

static std::string describe(const Block &owner, const Block &asking, uint32_t offset) {
  std::string text = "shared memory at " + std::to_string(offset + sharedStart);
  if (&owner != &asking)
    text += " of rank " + std::to_string(owner.rank);
  return text;
}

void tilewright::ptx::checkSettled(Warp &warp, const Place &place, uint32_t bytes,
                                   unsigned lane) {
  // Sizes are multiples of four.
  uint32_t marks = 0;
  for (uint32_t at = 0; at < bytes; at += 4) {
    uint32_t four;
    memcpy(&four, place.shadow + at, 4);
    marks |= four;
  }
  if (!(marks & 0x01010101 * (Pending | Opaque)))
    return;
  uint32_t at = 0;
  while (!(place.shadow[at] & (Pending | Opaque)))
    ++at;
  std::string where =
      place.owner ? describe(*place.owner, warp.block, place.offset + at) : "its memory";
  warp.report(Rule::InFlight,
              place.shadow[at] & Pending
                  ? "the copy uses " + where + ", which another copy has yet to write"
                  : "the copy uses " + where + ", which is part of an mbarrier",
              lane);
}

namespace {
/// Which writes what a warp starts now in the async proxy does not see.
class AsyncView {
public:
  explicit AsyncView(const Warp &warp)
      : warp(warp), now(warp.block.clockOf(warp)), own(warp.block.agentOf(warp)),
        visible(visibleClock(warp, View::Async, writer)) {}

  bool misses(const AccessHistory::LastWrite &last) {
    if (last.clock == 0 || (last.bytes & AccessHistory::asyncMark))
      return false;
    // Neighbours often have the same writer.
    if (last.agent != writer) {
      writer = last.agent;
      visible = visibleClock(warp, View::Async, writer);
    }
    if (last.clock <= visible)
      return false;
    // What nothing orders at all is a race, which is reported as such.
    return last.agent == own || last.clock <= now[last.agent];
  }

private:
  const Warp &warp;
  const VectorClock &now;
  const uint32_t own;
  uint32_t writer = 0, visible;
};
} // namespace

static bool isVisibilityChecked(const Warp &warp, const Block &owner) {
  return owner.history && warp.block.launch.options.checks.proxyFences;
}

void tilewright::ptx::checkVisibleToAsync(Warp &warp, const Block &owner, uint32_t offset,
                                          uint32_t bytes, unsigned lane) {
  if (!isVisibilityChecked(warp, owner))
    return;
  AsyncView view(warp);
  using LastWrite = AccessHistory::LastWrite;
  owner.history->forLastWrites(offset, bytes, [&](size_t at, const LastWrite &last) {
    if (!view.misses(last))
      return false;
    warp.report(Rule::ProxyFence,
                "it uses " + describe(owner, warp.block, static_cast<uint32_t>(at)) +
                    ", which warp " + std::to_string(last.agent % owner.warps.size()) +
                    " wrote at line " + std::to_string(last.tag) +
                    ", and no fence.proxy.async lies between the two",
                lane);
    return true;
  });
}

bool tilewright::ptx::areVisibleToAsync(const Warp &warp, const Block &owner,
                                        const std::vector<uint32_t> &offsets,
                                        uint32_t bytes) {
  if (!isVisibilityChecked(warp, owner))
    return true;
  AsyncView view(warp);
  bool areVisible = true;
  for (uint32_t offset : offsets)
    owner.history->forLastWrites(offset, bytes,
                                 [&](size_t, const AccessHistory::LastWrite &last) {
                                   areVisible &= !view.misses(last);
                                   return false;
                                 });
  return areVisible;
}

void tilewright::ptx::beginWrite(Warp &warp, const Place &place, uint32_t bytes,
                                 unsigned lane, Access access, Proxy proxy) {
  checkSettled(warp, place, bytes, lane);
  if (proxy == Proxy::Async)
    checkVisibleToAsync(warp, *place.owner, place.offset, bytes, lane);
  place.owner->note(warp, place.offset, bytes, access, lane);
  if (place.owner->history && proxy == Proxy::Async)
    place.owner->history->markAsync(place.offset, bytes);
  if (access == Access::Write)
    memset(place.shadow, Pending, bytes);
  warp.block.cluster.getStatistics()->sharedWritten += bytes;
}

void tilewright::ptx::noteGlobal(Warp &warp, const Place &place, uint64_t bytes,
                                 Access access, unsigned lane) {
  uint64_t offset = place.data - place.allocation->memory.data();
  if (GlobalRaces *races = warp.block.launch.globalRaces.get())
    races->note(warp, *place.allocation, offset, static_cast<uint32_t>(bytes), access,
                lane);
  if (orBytes(place.shadow, bytes) & Pending)
    warp.report(Rule::InFlight,
                "the copy uses bytes of " + place.allocation->name + " from " +
                    std::to_string(offset) +
                    " on, which another copy has yet to write: a wait_group comes first, "
                    "without .read",
                lane);
}

void tilewright::ptx::beginGlobal(Warp &warp, const Place &place, uint64_t bytes,
                                  Access access, unsigned lane) {
  noteGlobal(warp, place, bytes, access, lane);
  if (GlobalWrites *writes = warp.block.launch.globalWrites.get()) {
    uint64_t offset = place.data - place.allocation->memory.data();
    writes->check(warp, *place.allocation, offset, bytes, lane);
    if (!isRead(access))
      writes->noteAsync(*place.allocation, offset, bytes);
  }
  if (access == Access::Write)
    memset(place.shadow, Pending, bytes);
}

static uint32_t getMoment(Warp &warp) {
  GlobalWrites *writes = warp.block.launch.globalWrites.get();
  return writes ? writes->getMoment() : 0;
}

GlobalReader::GlobalReader(Warp &warp, const Instruction &instruction, unsigned lane)
    : warp(warp), instruction(instruction), lane(lane), since(getMoment(warp)) {}

void GlobalReader::check(const Place &place, uint64_t bytes) const {
  if (GlobalWrites *writes = warp.block.launch.globalWrites.get())
    writes->checkUnchanged(warp, instruction, lane, *place.allocation,
                           place.data - place.allocation->memory.data(), bytes, since);
}

SharedSource::SharedSource(Warp &warp, const Place &place, uint32_t bytes, unsigned lane)
    : owner(*place.owner), offset(place.offset), bytes(bytes) {
  checkSettled(warp, place, bytes, lane);
  checkVisibleToAsync(warp, owner, offset, bytes, lane);
  owner.note(warp, offset, bytes, Access::Read, lane);
  const Instruction *position = warp.getPosition();
  entry = owner.asyncSources.insert(
      owner.asyncSources.end(),
      {offset, offset + bytes, position ? position->statement->line : 0});
  warp.block.cluster.getStatistics()->sharedRead += bytes;
}

//===----------------------------------------------------------------------===//
// Copies that an mbarrier is told of
//===----------------------------------------------------------------------===//

std::vector<LoadTarget> tilewright::ptx::findTargets(Warp &warp, const CopyAddress &to,
                                                     const CopyAddress &barrier,
                                                     uint32_t bytes, uint32_t align,
                                                     unsigned lane, Access access,
                                                     std::optional<uint32_t> mask,
                                                     Proxy proxy, TensorLayout layout) {
  std::vector<LoadTarget> targets;
  Cluster &cluster = warp.block.cluster;
  uint64_t address = to.of(warp, lane), barrierAddress = barrier.of(warp, lane);
  if (!mask) {
    Place place = warp.find(to.space, address, bytes, align, lane, Access::Sync);
    Place at = place ? warp.find(barrier.space, barrierAddress, 8, 8, lane, Access::Sync)
                     : Place();
    if (!at)
      return {};
    // Generic addresses may be of other memory.
    if (!place.owner || !at.owner || place.owner != at.owner) {
      warp.stop(Rule::OutOfBounds,
                !place.owner
                    ? "the destination lies in shared memory, and this address does not"
                : !at.owner
                    ? "an mbarrier lies in shared memory, and this address does not"
                    : "the destination and the mbarrier are in different blocks' shared "
                      "memory",
                lane);
      return {};
    }
    Mbarrier *found = findMbarrier(warp, *at.owner, at.offset, lane);
    if (!found)
      return {};
    targets.push_back({place, found});
  } else {
    if (*mask == 0 || *mask >> cluster.blocks.size()) {
      warp.stop(Rule::OutOfBounds,
                "multicast to blocks of mask " + std::to_string(*mask) +
                    ", and the cluster has " + std::to_string(cluster.blocks.size()) +
                    " blocks",
                lane);
      return {};
    }
    constexpr uint64_t inBlock = (uint64_t(1) << sharedRankBits) - 1;
    for (auto &block : cluster.blocks) {
      if (!(*mask >> block->rank & 1))
        continue;
      uint64_t window = uint64_t(block->rank + 1) << sharedRankBits;
      Place place = warp.find(Space::SharedCluster, window | (address & inBlock), bytes,
                              align, lane, Access::Sync);
      Place at;
      if (place)
        at = warp.find(Space::SharedCluster, window | (barrierAddress & inBlock), 8, 8,
                       lane, Access::Sync);
      Mbarrier *found = at ? findMbarrier(warp, *block, at.offset, lane) : nullptr;
      if (!found)
        return {};
      targets.push_back({place, found});
    }
  }
  for (const LoadTarget &target : targets) {
    beginWrite(warp, target.place, bytes, lane, access, proxy);
    setLayout(*target.place.owner, target.place.offset, bytes, layout);
  }
  return targets;
}

void tilewright::ptx::defer(Warp &warp, Mbarrier &barrier, uint32_t bytes,
                            std::function<void()> land) {
  DeferredOperation operation;
  operation.land = std::move(land);
  operation.bytes = bytes;
  warp.block.release(warp, operation.clock);
  barrier.defer(std::move(operation));
  warp.block.cluster.noteProgress();
}

//===----------------------------------------------------------------------===//
// Bulk groups
//===----------------------------------------------------------------------===//

BulkGroups::~BulkGroups() {
  // Of a run that was stopped: nobody will write what is Pending in global memory.
  for (Copy &copy : copies)
    try {
      copy.data.resize(copy.source.bytes);
      copy.shadow.assign(copy.source.bytes, Undefined);
      copy.write(copy.data.data(), copy.shadow.data());
    } catch (const std::bad_alloc &) {
      continue; // and stays Pending
    }
}

void BulkGroups::add(unsigned lane, SharedSource source, WriteBack write) {
  copies.push_back({lane, committed[lane], source, std::move(write), false, {}, {}});
}

void BulkGroups::commit(uint32_t lanes) {
  for (; lanes; lanes &= lanes - 1)
    ++committed[__builtin_ctz(lanes)];
}

void BulkGroups::read(Warp &warp, Copy &copy, bool mayNote) {
  const SharedSource &source = copy.source;
  // Who writes the source next synchronises with this.
  if (mayNote)
    source.owner.note(warp, source.offset, source.bytes, Access::Read, copy.lane);
  copy.data.assign(source.data(), source.data() + source.bytes);
  copy.shadow.assign(source.shadow(), source.shadow() + source.bytes);
  copy.source.release();
  copy.wasRead = true;
  buffered += source.bytes;
}

void BulkGroups::writeBack(Warp &warp, Copy &copy) {
  copy.write(copy.data.data(), copy.shadow.data());
  buffered -= copy.source.bytes;
  warp.block.launch.globalProgress.fetch_add(1, std::memory_order_relaxed);
  warp.block.cluster.noteProgress();
}

void BulkGroups::wait(Warp &warp, uint32_t lanes, uint64_t left, bool readsOnly) {
  for (auto copy = copies.begin(); copy != copies.end();) {
    if (!(lanes >> copy->lane & 1) || copy->group + left >= committed[copy->lane]) {
      ++copy;
      continue;
    }
    if (!copy->wasRead)
      read(warp, *copy, /*mayNote=*/true);
    if (readsOnly) {
      ++copy;
      continue;
    }
    writeBack(warp, *copy);
    copy = copies.erase(copy);
  }
  for (auto copy = copies.begin(); copy != copies.end() && buffered > bufferLimit;) {
    if (!copy->wasRead) {
      ++copy;
      continue;
    }
    writeBack(warp, *copy);
    copy = copies.erase(copy);
  }
}

void BulkGroups::exit(Warp &warp, uint32_t lanes) {
  for (auto copy = copies.begin(); copy != copies.end();) {
    if (!(lanes >> copy->lane & 1)) {
      ++copy;
      continue;
    }
    if (!copy->wasRead) {
      warp.report(
          Rule::InFlight,
          "the thread exits, and the shared memory that its copy to global memory "
          "reads with it: commit_group and wait_group.read come first",
          copy->lane);
      read(warp, *copy, /*mayNote=*/false);
    }
    writeBack(warp, *copy);
    copy = copies.erase(copy);
  }
}

static Step commitBulkGroup(Warp &warp, const Instruction &) {
  warp.state<BulkGroups>().commit(warp.active);
  return Step::Next;
}

static Step waitBulkGroup(Warp &warp, const Instruction &instruction) {
  warp.state<BulkGroups>().wait(warp, warp.active,
                                static_cast<uint64_t>(instruction.immediate),
                                /*readsOnly=*/instruction.flags);
  return Step::Next;
}

void tilewright::ptx::decodeBulkGroup(Decoder &decoder, bool isWait) {
  Instruction &result = decoder.result;
  if (!isWait) {
    decoder.expectOperands(0, 0);
    result.execute = commitBulkGroup;
    return;
  }
  result.flags = decoder.take("read");
  if (!decoder.expectOperands(1, 1))
    return;
  std::optional<int64_t> left = decoder.integer(decoder.at(0));
  if (!left || *left < 0)
    return decoder.fail("how many groups may be left is a constant");
  result.immediate = *left;
  result.execute = waitBulkGroup;
}
