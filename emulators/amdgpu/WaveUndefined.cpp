//===- WaveUndefined.cpp - Which bits of registers are undefined ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/UndefinedBits.h"

#include <algorithm>
#include <cstring>

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

const uint8_t *Wave::readPoison(const Source &source, LanePoison &buffer) {
  if (source.kind == Operand::Vector) {
    if (source.count < 2)
      return mayBePoisoned[source.reg] ? vectorPoison(source.reg) : nullptr;
    if (!mayBePoisoned[source.reg] && !mayBePoisoned[source.reg + 1])
      return nullptr;
    const uint8_t *low = vectorPoison(source.reg), *high = vectorPoison(source.reg + 1);
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      buffer[lane] = static_cast<uint8_t>(low[lane] | high[lane] << 4);
    return buffer.v;
  }
  if (source.kind == Operand::Buffer)
    return bufferPoison[source.reg].v;
  if (source.kind == Operand::Integer)
    return nullptr;
  uint64_t bits = readScalar(source).poison;
  if (!bits)
    return nullptr;
  memset(buffer.v, bytesOf(bits), sizeof(buffer.v));
  return buffer.v;
}

bool Wave::readUndefined(const Source &source, Lanes32 &bits) {
  LanePoison buffer;
  const uint8_t *state = readPoison(source, buffer);
  if (!state)
    return false;
  if (source.kind == Operand::Vector && partlyUndefined[source.reg])
    bits = *partlyUndefined[source.reg];
  else if (source.kind == Operand::Scalar)
    std::fill(bits.v, bits.v + maxLanes, scalarPoison[source.reg]);
  else
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      bits[lane] = static_cast<uint32_t>(bitsOf(state[lane]));
  return true;
}

bool Wave::readUndefined(const Source &source, Lanes64 &bits) {
  if (source.kind != Operand::Vector) {
    uint64_t undefined = readScalar(source).poison;
    std::fill(bits.v, bits.v + maxLanes, undefined);
    return undefined != 0;
  }
  bits = {};
  bool any = false;
  for (unsigned part = 0; part < 2; ++part) {
    Source one = source;
    one.reg = static_cast<uint16_t>(one.reg + part);
    one.count = 1;
    Lanes32 half;
    if (!readUndefined(one, half))
      continue;
    any = true;
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      bits[lane] |= uint64_t(half[lane]) << (32 * part);
  }
  return any;
}

void Wave::keepUndefined(const Source &destination, const Lanes32 &bits) {
  const uint8_t *state = vectorPoison(destination.reg);
  auto kept = std::make_unique<Lanes32>(bits);
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    if (!(active >> lane & 1))
      (*kept)[lane] = static_cast<uint32_t>(bitsOf(state[lane]));
  partlyUndefined[destination.reg] = std::move(kept);
}

void Wave::keepUndefined(const Source &destination, const Lanes64 &bits) {
  for (unsigned part = 0; part < 2; ++part) {
    Lanes32 half;
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      half[lane] = static_cast<uint32_t>(bits[lane] >> (32 * part));
    Source one = destination;
    one.reg = static_cast<uint16_t>(one.reg + part);
    keepUndefined(one, half);
  }
}

bool Wave::expectSound(const Source &source, const char *what) {
  LanePoison buffer;
  const uint8_t *state = readPoison(source, buffer);
  if (!state)
    return true;
  for (uint64_t left = active; left; left &= left - 1) {
    unsigned lane = __builtin_ctzll(left);
    if (state[lane]) {
      report(Rule::Uninitialised, std::string(what) + " is undefined", lane);
      return false;
    }
  }
  return true;
}
