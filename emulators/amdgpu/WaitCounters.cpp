//===- WaitCounters.cpp - Memory operations under way -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/WaitCounters.h"

#include <algorithm>

using namespace tilewright::amdgpu;

/// What the widest counter holds: one more operation is not issued before one has ended.
static constexpr unsigned mostUnderWay = 63;

void WaitCounters::issue(const Outstanding &operation) {
  if (operations.size() >= mostUnderWay)
    wait(1u << unsigned(operation.counter), mostUnderWay - 1);
  operations.push_back(operation);
}

void WaitCounters::wait(uint32_t mask, unsigned most) {
  unsigned under = 0;
  bool anyOrder = false;
  for (const Outstanding &one : operations)
    if (mask >> unsigned(one.counter) & 1) {
      ++under;
      anyOrder |= one.counter == Counter::Scalar;
    }
  if (under <= most)
    return;
  // Where some end in any order, which ones have ended is known only when all have.
  if (most && anyOrder)
    return;
  unsigned over = under - most;
  auto covered = [&](const Outstanding &one) {
    return over && mask >> unsigned(one.counter) & 1 && over--;
  };
  operations.erase(std::remove_if(operations.begin(), operations.end(), covered),
                   operations.end());
}

const Outstanding *WaitCounters::find(bool isVector, uint16_t reg, unsigned count) const {
  for (const Outstanding &one : operations)
    if (one.isVector == isVector && one.reg < reg + count && reg < one.reg + one.count)
      return &one;
  return nullptr;
}

uint32_t WaitCounters::getOldestLdsClock() const {
  uint32_t oldest = 0;
  for (const Outstanding &one : operations)
    if (one.ldsClock && (!oldest || one.ldsClock < oldest))
      oldest = one.ldsClock;
  return oldest;
}
