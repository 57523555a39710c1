//===- Mbarrier.cpp - The mbarrier state machine ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Mbarrier.h"
#include "emulators/ptx/Fences.h"

#include <algorithm>
#include <cstring>

using namespace tilewright::ptx;

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

void Mbarrier::completeIfDone() {
  if (pending != 0 || bytes != 0)
    return;
  ++phase;
  pending = total = expected;
  completed.join(arriving);
  owner.cluster.noteProgress();
}

std::string Mbarrier::arrive(int64_t count) {
  if (count > pending)
    return std::to_string(count) + " arrivals are too many: " + describe();
  pending -= count;
  owner.cluster.noteProgress();
  completeIfDone();
  return "";
}

std::string Mbarrier::arriveAndDrop(int64_t count) {
  if (count > expected)
    return std::to_string(count) + " arrivals cannot be dropped: later phases expect " +
           std::to_string(expected);
  if (count > pending)
    return std::to_string(count) + " arrivals are too many: " + describe();
  expected -= count;
  return arrive(count);
}

std::string Mbarrier::expectTx(int64_t added) {
  if (added < 0 || bytes + added > mbarrierLimit)
    return std::to_string(added) + " more bytes are over the limit of " +
           std::to_string(mbarrierLimit) + ": " + describe();
  bytes += added;
  owner.cluster.noteProgress();
  completeIfDone();
  return "";
}

std::string Mbarrier::completeTx(int64_t done) {
  if (done < 0 || bytes - done < -mbarrierLimit)
    return std::to_string(done) + " completed bytes are over the limit of " +
           std::to_string(mbarrierLimit) + ": " + describe();
  bytes -= done;
  owner.cluster.noteProgress();
  completeIfDone();
  return "";
}

std::string Mbarrier::addPending(int64_t count) {
  if (pending + count > mbarrierLimit)
    return std::to_string(count) + " more pending arrivals are over the limit of " +
           std::to_string(mbarrierLimit) + ": " + describe();
  pending += count;
  total += count;
  return "";
}

void Mbarrier::defer(DeferredOperation operation) {
  deferred.push_back(std::move(operation));
  owner.cluster.noteProgress();
}

bool Mbarrier::hasCopies() const {
  return std::any_of(deferred.begin(), deferred.end(),
                     [](const DeferredOperation &one) { return one.bytes != 0; });
}

bool Mbarrier::pollsAgain(uint32_t agent) {
  uint32_t mark = static_cast<uint32_t>(phase) + 1;
  if (polls[agent] == mark)
    return true;
  polls.raise(agent, mark);
  return false;
}

std::string Mbarrier::landDeferred() {
  if (deferred.empty())
    return "";
  int64_t arrivals = 0;
  for (const DeferredOperation &operation : deferred)
    arrivals += operation.arrivals;
  if (pending > arrivals)
    return "";
  std::vector<DeferredOperation> landing = std::move(deferred);
  deferred.clear();
  uint64_t before = phase;
  for (size_t i = 0; i < landing.size(); ++i) {
    if (phase != before) {
      // What the phase did not expect belongs to the next one.
      deferred.insert(deferred.end(), std::make_move_iterator(landing.begin() + i),
                      std::make_move_iterator(landing.end()));
      break;
    }
    DeferredOperation &operation = landing[i];
    if (operation.land)
      operation.land();
    arriving.join(operation.clock);
    std::string error;
    if (operation.bytes)
      error = completeTx(operation.bytes);
    if (error.empty() && operation.arrivals)
      error = arrive(operation.arrivals);
    if (!error.empty())
      return error;
  }
  return "";
}

std::string Mbarrier::describe() const {
  std::string text = "phase " + std::to_string(phase) + " of the mbarrier at " +
                     std::to_string(offset + sharedStart) + ": " +
                     std::to_string(pending) + " of " + std::to_string(total) +
                     " arrivals and " + std::to_string(bytes) + " bytes are pending";
  if (!deferred.empty()) {
    uint64_t sum = 0;
    for (const DeferredOperation &operation : deferred)
      sum += operation.bytes;
    text += ", " + std::to_string(deferred.size()) + " copies of " + std::to_string(sum) +
            " bytes under way";
  }
  return text;
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

Mbarrier *MbarrierTable::find(uint32_t offset) {
  auto found = barriers.find(offset);
  return found == barriers.end() ? nullptr : &found->second;
}

Mbarrier &MbarrierTable::add(Block &owner, uint32_t offset, uint32_t count) {
  return barriers.try_emplace(offset, owner, offset, count).first->second;
}

const Mbarrier *MbarrierTable::findUnfinished() const {
  for (const auto &[offset, barrier] : barriers)
    if (barrier.hasCopies())
      return &barrier;
  return nullptr;
}

Mbarrier *MbarrierTable::findOverlap(uint32_t offset, uint32_t size) {
  auto after = barriers.lower_bound(offset + size);
  if (after == barriers.begin())
    return nullptr;
  Mbarrier &before = std::prev(after)->second;
  return before.offset + 8 > offset ? &before : nullptr;
}

Mbarrier *tilewright::ptx::findMbarrier(Warp &warp, Block &owner, uint32_t offset,
                                        unsigned lane) {
  std::string place = "the mbarrier at " + std::to_string(offset + sharedStart);
  if (&owner != &warp.block)
    place += " of rank " + std::to_string(owner.rank);
  Mbarrier *found = owner.state<MbarrierTable>().find(offset);
  if (!found) {
    warp.stop(Rule::Uninitialised, place + " was not initialised", lane);
    return nullptr;
  }
  uint32_t own = warp.block.agentOf(warp);
  if (owner.history && own != found->initAgent) {
    auto sees = [&](View view) {
      return visibleClock(warp, view, found->initAgent) >= found->initClock;
    };
    std::string by = "warp " + std::to_string(found->initAgent % owner.warps.size());
    if (!sees(View::Generic) && !sees(View::MbarrierInit)) {
      warp.report(Rule::Race,
                  place + " is used, and nothing orders its mbarrier.init by " + by +
                      " before this",
                  lane);
      found->initClock = 0; // once is enough
    }
  }
  found->uses.raise(own, warp.block.clockOf(warp)[own] + 1);
  return found;
}

Mbarrier *tilewright::ptx::findMbarrier(Warp &warp, Space space, uint64_t address,
                                        unsigned lane) {
  Place place = warp.find(space, address, 8, 8, lane, Access::Sync);
  if (!place)
    return nullptr;
  if (!place.owner) {
    warp.stop(Rule::OutOfBounds,
              "an mbarrier lies in shared memory, and this address does not", lane);
    return nullptr;
  }
  return findMbarrier(warp, *place.owner, place.offset, lane);
}
