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
    memset(&frame->poison[first], undefinedValue, lanesPerWarp);
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      frame->values[first + lane] =
          (frame->values[first + lane] & 0xffffffff) | inFlightMark;
  }
}

bool WgmmaChain::isUntouched() const {
  uint64_t different = 0;
  for (unsigned i = 0; i < count; ++i)
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      different |=
          (frame->values[size_t(registers[i]) * lanesPerWarp + lane] ^ inFlightMark) >>
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

/// Finds the ranges that the chunks of A and B make up, checks them and marks them as in
/// flight.
void WgmmaQueue::findSources(Warp &warp, PendingWgmma &one) {
  Block &block = warp.block;
  constexpr unsigned bits = 64;
  size_t units = block.shared.size() / chunkBytes + 1;
  sourceBits.resize((units + bits - 1) / bits, 0);
  for (const std::vector<uint32_t> *chunks : {&one.aChunks, &one.bChunks})
    for (uint32_t offset : *chunks)
      sourceBits[offset / chunkBytes / bits] |= uint64_t(1)
                                                << (offset / chunkBytes % bits);
  for (size_t word = 0; word < sourceBits.size(); ++word) {
    uint64_t left = sourceBits[word];
    sourceBits[word] = 0;
    while (left) {
      unsigned first = __builtin_ctzll(left);
      uint64_t after = ~(left >> first);
      unsigned count = after ? __builtin_ctzll(after) : bits - first;
      uint64_t run = count < bits ? (uint64_t(1) << count) - 1 : ~uint64_t(0);
      left &= ~(run << first);
      one.sources.push_back(
          {static_cast<uint32_t>(word * bits + first) * chunkBytes, count * chunkBytes});
    }
  }
  if (block.matrixSources.size() < units)
    block.matrixSources.resize(units);
  uint32_t line = one.instruction->statement->line;
  uint8_t marks = 0;
  for (const SourceRange &range : one.sources) {
    for (uint32_t i = 0; i < range.size; i += 8) {
      uint64_t shadow;
      memcpy(&shadow, block.shared.shadow() + range.offset + i, sizeof(shadow));
      if (shadow)
        for (unsigned byte = 0; byte < 8; ++byte)
          marks |= static_cast<uint8_t>(shadow >> (8 * byte));
    }
    checkVisibleToAsync(warp, block, range.offset, range.size, 0);
    block.note(warp, range.offset, range.size, Access::Read, 0);
    for (uint32_t unit = range.offset / chunkBytes;
         unit < (range.offset + range.size) / chunkBytes; ++unit) {
      ++block.matrixSources[unit].readers;
      block.matrixSources[unit].line = line;
    }
    block.cluster.getStatistics()->sharedRead += range.size;
  }
  if (marks & Pending)
    warp.report(Rule::InFlight,
                "a matrix lies in shared memory that a copy has yet to write", 0);
  else if (marks & Opaque)
    warp.report(Rule::InFlight, "a matrix lies in shared memory that holds an mbarrier",
                0);
  one.issued = block.clockOf(warp)[block.agentOf(warp)];
}

void WgmmaQueue::releaseSources(Warp &warp, const PendingWgmma &one) {
  Block &block = warp.block;
  // Who writes there next must have synchronised with this wait, not only with the issue.
  bool again = block.clockOf(warp)[block.agentOf(warp)] != one.issued;
  for (const SourceRange &range : one.sources) {
    if (again)
      block.note(warp, range.offset, range.size, Access::Read, 0);
    for (uint32_t unit = range.offset / chunkBytes;
         unit < (range.offset + range.size) / chunkBytes; ++unit)
      --block.matrixSources[unit].readers;
  }
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
  findSources(warp, one);
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
