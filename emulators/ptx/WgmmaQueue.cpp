//===- WgmmaQueue.cpp - Multiplications in flight -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/AsyncCopy.h"
#include "emulators/ptx/Wgmma.h"

#include <algorithm>
#include <cstring>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

static constexpr unsigned chunkBytes = MatrixDescriptor::chunkBytes;

static std::string lineOf(const Instruction &instruction) {
  return std::to_string(instruction.statement->line);
}

//===----------------------------------------------------------------------===//
// Accumulators
//===----------------------------------------------------------------------===//

/// Accumulators have 32 bits. The upper half of a register's 64 says that it is in
/// flight: whatever writes to it clears that, even where the result is undefined as well.
static constexpr uint64_t inFlightMark = uint64_t(0x57474d4d) << 32;

void WgmmaChain::markInFlight() {
  for (unsigned i = 0; i < count; ++i) {
    size_t first = size_t(registers[i]) * lanesPerWarp;
    memset(&frame->registers->poison[first], undefinedValue, lanesPerWarp);
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      frame->registers->values[first + lane] =
          (frame->registers->values[first + lane] & 0xffffffff) | inFlightMark;
  }
}

bool WgmmaChain::isUntouched() const {
  uint64_t different = 0;
  for (unsigned i = 0; i < count; ++i)
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      different |= (frame->registers->values[size_t(registers[i]) * lanesPerWarp + lane] ^
                    inFlightMark) >>
                   32;
  return different == 0;
}

/// Whether two lists of registers have one in common.
static bool overlap(const uint32_t *a, size_t aCount, const uint32_t *b, size_t bCount) {
  return std::any_of(a, a + aCount, [&](uint32_t reg) {
    return std::find(b, b + bCount, reg) != b + bCount;
  });
}

/// The chain of `one`'s accumulators, or a new one; false if they are in flight
/// otherwise.
bool WgmmaQueue::findChain(Warp &warp, PendingWgmma &one) {
  const Instruction &instruction = *one.instruction;
  const WgmmaShape &shape = one.shape();
  unsigned count = shape.dFragment.registers();
  const uint32_t *a = instruction.list + count;
  size_t aCount = instruction.listSize - count;
  auto found = chains.end();
  for (auto chain = chains.begin(); chain != chains.end(); ++chain) {
    if (chain->frame != warp.group->frame)
      continue;
    if (overlap(a, aCount, chain->registers, chain->count)) {
      warp.stop(Rule::InFlight,
                "registers of A are accumulators of a wgmma that no wgmma.wait_group has "
                "waited for",
                0);
      return false;
    }
    if (chain->count == count && chain->type == shape.d &&
        std::equal(instruction.list, instruction.list + count, chain->registers)) {
      found = chain;
    } else if (overlap(instruction.list, count, chain->registers, chain->count)) {
      warp.stop(Rule::InFlight,
                "its accumulators are in part those of a wgmma of another shape that no "
                "wgmma.wait_group has waited for",
                0);
      return false;
    }
  }
  if (found == chains.end()) {
    found = chains.insert(chains.end(), WgmmaChain());
    found->frame = warp.group->frame;
    found->registers = instruction.list;
    found->count = count;
    found->type = shape.d;
    found->poison.resize(size_t(count) * lanesPerWarp);
    for (unsigned i = 0; i < count; ++i)
      memcpy(&found->poison[size_t(i) * lanesPerWarp], warp.poison(instruction.list[i]),
             lanesPerWarp);
    found->markInFlight();
  }
  ++found->pending;
  one.chain = found;
  return true;
}

/// Reports registers that were written while `one` was in flight; accumulators of
/// `lastChecked`, a chain, have been looked at.
void WgmmaQueue::checkRegisters(Warp &warp, const PendingWgmma &one,
                                const WgmmaChain *&lastChecked) {
  const uint32_t *registers = one.instruction->list;
  RegisterFile file(*one.chain->frame);
  bool isNew = &*one.chain != lastChecked;
  lastChecked = &*one.chain;
  if (isNew && !one.chain->isUntouched())
    warp.report(Rule::InFlight,
                "an accumulator of the wgmma of line " + lineOf(*one.instruction) +
                    " was written before this wait",
                0);
  registers += one.chain->count;
  for (size_t i = 0; i * lanesPerWarp < one.aValues.size(); ++i) {
    size_t now = size_t(registers[i]) * lanesPerWarp, then = i * lanesPerWarp;
    if (memcmp(file.values + now, &one.aValues[then], lanesPerWarp * sizeof(uint64_t)) ||
        memcmp(file.poison + now, &one.aPoison[then], lanesPerWarp)) {
      warp.report(Rule::InFlight,
                  "register " + std::to_string(i) + " of A of the wgmma of line " +
                      lineOf(*one.instruction) + " was written before this wait",
                  0);
      break;
    }
  }
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

/// Calls `function` with the offset and size of each run of 16 bytes at `offsets`, of a
/// kilobyte at most.
template <typename Function>
static void forRuns(const std::vector<uint32_t> &offsets, Function function) {
  constexpr uint32_t longest = 1024;
  for (size_t i = 0; i < offsets.size();) {
    size_t first = i++;
    while (i < offsets.size() && offsets[i] == offsets[i - 1] + chunkBytes &&
           offsets[i] % longest)
      ++i;
    function(offsets[first], static_cast<uint32_t>(i - first) * chunkBytes);
  }
}

/// Checks the sources of `one` and marks them as in flight.
void WgmmaQueue::beginReading(Warp &warp, PendingWgmma &one) {
  Block &block = warp.block;
  const std::vector<uint32_t> &sources = one.operands->sources;
  size_t units = block.shared.size() / chunkBytes + 1;
  if (block.matrixSources.size() < units)
    block.matrixSources.resize(units);
  uint32_t line = one.instruction->statement->line;
  const uint8_t *shadows = block.shared.shadow();
  uint64_t marks = 0;
  for (uint32_t offset : sources) {
    uint64_t shadow[2];
    memcpy(shadow, shadows + offset, sizeof(shadow));
    marks |= shadow[0] | shadow[1];
    Block::MatrixSource &source = block.matrixSources[offset / chunkBytes];
    ++source.readers;
    source.line = line;
  }
  checkSources(warp, one);
  noteSources(warp, one);
  block.cluster.getStatistics()->sharedRead += sources.size() * chunkBytes;
  constexpr uint64_t everyByte = 0x0101010101010101;
  if (marks & everyByte * Pending)
    warp.report(Rule::InFlight,
                "a matrix lies in shared memory that a copy has yet to write", 0);
  else if (marks & everyByte * Opaque)
    warp.report(Rule::InFlight, "a matrix lies in shared memory that holds an mbarrier",
                0);
  one.issued = block.clockOf(warp)[block.agentOf(warp)];
}

/// Reports sources of `one` that the async proxy does not see yet.
void WgmmaQueue::checkSources(Warp &warp, const PendingWgmma &one) {
  Block &block = warp.block;
  if (areVisibleToAsync(warp, block, one.operands->sources, chunkBytes))
    return;
  forRuns(one.operands->sources, [&](uint32_t offset, uint32_t size) {
    checkVisibleToAsync(warp, block, offset, size, 0);
  });
}

/// Notes that `one` reads its sources now.
void WgmmaQueue::noteSources(Warp &warp, const PendingWgmma &one) {
  Block &block = warp.block;
  if (!block.history)
    return;
  static_assert(chunkBytes == AccessHistory::granuleBytes);
  const Instruction *position = warp.getPosition();
  Accessor by(block.agentOf(warp), block.clockOf(warp),
              position ? position->statement->line : 0);
  bool areNoted = true;
  for (size_t i = 0; i < one.operands->sources.size(); i += lanesPerWarp) {
    size_t count = std::min<size_t>(lanesPerWarp, one.operands->sources.size() - i);
    uint32_t all = allLanes >> (lanesPerWarp - count);
    areNoted &=
        !block.history->noteLaneReads(&one.operands->sources[i], all, chunkBytes, by);
  }
  if (areNoted)
    return;
  forRuns(one.operands->sources, [&](uint32_t offset, uint32_t size) {
    block.note(warp, offset, size, Access::Read, 0);
  });
}

void WgmmaQueue::releaseSources(Warp &warp, const PendingWgmma &one) {
  Block &block = warp.block;
  // Who writes there next must have synchronised with this wait, not only with the issue.
  if (block.clockOf(warp)[block.agentOf(warp)] != one.issued)
    noteSources(warp, one);
  for (uint32_t offset : one.operands->sources)
    --block.matrixSources[offset / chunkBytes].readers;
}

//===----------------------------------------------------------------------===//
// The queue
//===----------------------------------------------------------------------===//

bool WgmmaQueue::issue(Warp &warp, PendingWgmma one) {
  const WgmmaShape &shape = one.shape();
  if (!findChain(warp, one))
    return false;
  if (shape.aInRegisters) {
    const uint32_t *a = one.instruction->list + one.chain->count;
    unsigned count = shape.aFragment.registers();
    one.aValues.resize(size_t(count) * lanesPerWarp);
    one.aPoison.resize(size_t(count) * lanesPerWarp);
    for (unsigned i = 0; i < count; ++i) {
      memcpy(&one.aValues[size_t(i) * lanesPerWarp], warp.values(a[i]),
             lanesPerWarp * sizeof(uint64_t));
      memcpy(&one.aPoison[size_t(i) * lanesPerWarp], warp.poison(a[i]), lanesPerWarp);
    }
  }
  beginReading(warp, one);
  warp.block.cluster.getStatistics()->multiplyAdds +=
      uint64_t(warpRows) * shape.n * shape.k;
  pending.push_back(std::move(one));
  ++uncommitted;
  return true;
}

void WgmmaQueue::commit() {
  groups.push_back(uncommitted);
  uncommitted = 0;
}

void WgmmaQueue::wait(Warp &warp, size_t left) {
  if (groups.size() <= left)
    return;
  WgmmaExecution execution(warp.block);
  const WgmmaChain *lastChecked = nullptr;
  for (; groups.size() > left; groups.pop_front())
    for (size_t i = 0; i < groups.front(); ++i) {
      checkRegisters(warp, pending.front(), lastChecked);
      execution.execute(pending.front());
      releaseSources(warp, pending.front());
      pending.pop_front();
    }
  execution.flush();
  chains.remove_if([](const WgmmaChain &chain) { return chain.pending == 0; });
}
