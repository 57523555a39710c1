//===- WaitCounters.cpp - Memory operations under way -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/WaitCounters.h"

#include <algorithm>

using namespace tilewright::amdgpu;
using tilewright::emulator::Pending;

/// What the widest counter holds: one more operation is not issued before one has ended.
static constexpr unsigned mostUnderWay = 63;

void WaitCounters::issue(const Outstanding &operation) {
  if (operations.size() >= mostUnderWay)
    wait(1u << unsigned(operation.counter), mostUnderWay - 1);
  operations.push_back(operation);
  countRegisters(operation, 1);
}

void WaitCounters::countRegisters(const Outstanding &operation, int by) {
  uint8_t *counts = &pending[(operation.isVector ? scalarRegisters : 0) + operation.reg];
  for (unsigned i = 0; i < operation.count; ++i)
    counts[i] = static_cast<uint8_t>(counts[i] + by);
}

/// What it wrote to registers and to LDS is there now.
void WaitCounters::finish(const Outstanding &operation) {
  countRegisters(operation, -1);
  for (uint64_t left = operation.ldsLanes; left; left &= left - 1) {
    size_t begin =
        operation.ldsBegin + __builtin_ctzll(left) * size_t(operation.ldsBytes);
    for (size_t i = 0; i < operation.ldsBytes; ++i)
      lds.shadow()[begin + i] &= static_cast<uint8_t>(~Pending);
  }
}

Ended WaitCounters::wait(uint32_t mask, unsigned most) {
  Ended ended;
  unsigned under = 0;
  bool anyOrder = false;
  for (const Outstanding &one : operations)
    if (mask >> unsigned(one.counter) & 1) {
      ++under;
      anyOrder |= one.counter == Counter::Scalar || one.anyOrder;
    }
  if (under <= most)
    return ended;
  // Where some end in any order, which ones have ended is known only when all have.
  if (most && anyOrder)
    return ended;
  unsigned over = under - most;
  auto covered = [&](const Outstanding &one) {
    if (!over || !(mask >> unsigned(one.counter) & 1))
      return false;
    --over;
    ++(one.count || one.ldsLanes     ? ended.loads
       : one.counter == Counter::Lds ? ended.ldsStores
                                     : ended.stores);
    finish(one);
    return true;
  };
  operations.erase(std::remove_if(operations.begin(), operations.end(), covered),
                   operations.end());
  return ended;
}

const Outstanding *WaitCounters::find(bool isVector, uint16_t reg, unsigned count,
                                      uint8_t halves, uint32_t except) const {
  for (const Outstanding &one : operations)
    if (one.isVector == isVector && one.reg < reg + count && reg < one.reg + one.count &&
        one.halves & halves && !(except >> unsigned(one.counter) & 1))
      return &one;
  return nullptr;
}

uint32_t WaitCounters::getOldestLdsClock(bool isLdsUnit) const {
  uint32_t oldest = 0;
  for (const Outstanding &one : operations)
    if (one.ldsClock && one.isLdsUnit == isLdsUnit && (!oldest || one.ldsClock < oldest))
      oldest = one.ldsClock;
  return oldest;
}
