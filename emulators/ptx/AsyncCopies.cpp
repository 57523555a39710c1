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
  warp.block.noteInWarp(warp, batch.offset, batch.bytes, LaneHistory::Kind::Write,
                        lanes & ~batch.tracked);
  warp.block.noteLanes(warp, batch.offset, batch.bytes, Access::Write,
                       lanes & ~batch.tracked);
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
