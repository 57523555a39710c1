//===- AsyncCopies.cpp - What cp.async has under way --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/AsyncCopies.h"

#include <cstring>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

void tilewright::ptx::noteWrites(Warp &warp, const uint32_t *offsets, uint32_t bytes,
                                 uint32_t lanes) {
  Block &block = warp.block;
  if (!block.asyncSources.empty() || !block.matrixSources.empty()) {
    for (; lanes; lanes &= lanes - 1) {
      unsigned lane = __builtin_ctz(lanes);
      block.note(warp, offsets[lane], bytes, Access::Write, lane);
    }
    return;
  }
  if (!block.history)
    return;
  const Instruction *position = warp.getPosition();
  uint32_t line = position ? position->statement->line : 0;
  uint32_t agent = block.agentOf(warp);
  const VectorClock &now = block.clockOf(warp);
  for (; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    AccessHistory::Conflict conflict =
        block.history->noteWrite(offsets[lane], bytes, agent, now, line);
    if (conflict.found)
      block.reportConflict(warp, offsets[lane], Access::Write, conflict, lane);
  }
}

CopyBatch &AsyncCopies::add(uint32_t bytes) {
  if (free.empty()) {
    batches.push_back(std::make_shared<CopyBatch>());
  } else {
    batches.push_back(std::move(free.back()));
    free.pop_back();
  }
  CopyBatch &batch = *batches.back();
  batch.lanes = batch.tracked = 0;
  batch.bytes = bytes;
  return batch;
}

void AsyncCopies::commit(uint32_t lanes) {
  for (; lanes; lanes &= lanes - 1)
    ++open[__builtin_ctz(lanes)];
}

void AsyncCopies::land(Warp &warp, CopyBatch &batch, uint32_t lanes) {
  lanes &= batch.lanes;
  batch.lanes &= ~lanes;
  uint8_t *data = warp.block.shared.data(), *shadow = warp.block.shared.shadow();
  for (uint32_t rest = lanes; rest; rest &= rest - 1) {
    unsigned lane = __builtin_ctz(rest);
    uint32_t offset = batch.offset[lane];
    if (batch.bytes == 16) {
      memcpy(data + offset, batch.data[lane], 16);
      memcpy(shadow + offset, batch.shadow[lane], 16);
    } else {
      memcpy(data + offset, batch.data[lane], batch.bytes);
      memcpy(shadow + offset, batch.shadow[lane], batch.bytes);
    }
  }
  // Others see the data after they have synchronised with this wait. Where an mbarrier is
  // told they synchronise with that, and the write was noted when it was issued.
  noteWrites(warp, batch.offset, batch.bytes, lanes & ~batch.tracked);
}

void AsyncCopies::collect() {
  size_t kept = 0;
  for (auto &batch : batches) {
    if (batch->lanes)
      batches[kept++].swap(batch);
    else if (batch.use_count() == 1)
      free.push_back(std::move(batch));
  }
  batches.resize(kept);
}

void AsyncCopies::wait(Warp &warp, uint32_t lanes, uint64_t left) {
  if (batches.empty())
    return;
  for (auto &batch : batches) {
    uint32_t covered = 0;
    for (uint32_t rest = lanes & batch->lanes; rest; rest &= rest - 1) {
      unsigned lane = __builtin_ctz(rest);
      if (batch->group[lane] + left < open[lane])
        covered |= 1u << lane;
    }
    if (covered)
      land(warp, *batch, covered);
  }
  collect();
}

std::function<void()> AsyncCopies::track(Warp &warp, uint32_t lanes) {
  std::vector<std::shared_ptr<CopyBatch>> covered;
  for (auto &batch : batches)
    if (batch->lanes & lanes) {
      batch->tracked |= lanes;
      covered.push_back(batch);
    }
  return [this, &warp, covered = std::move(covered), lanes] {
    for (auto &batch : covered)
      land(warp, *batch, lanes);
  };
}
