//===- MemoryOperands.cpp - Registers of loads and stores ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/VectorMemory.h"
#include "emulators/amdgpu/WorkGroup.h"

#include <algorithm>
#include <cstring>

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

bool tilewright::amdgpu::consumePrefix(std::string_view &text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix)
    return false;
  text.remove_prefix(prefix.size());
  return true;
}

namespace {
struct NamedWidth {
  std::string_view name;
  Width width;
};
constexpr Width::Half None = Width::None, Low = Width::Low, High = Width::High;
constexpr NamedWidth loads[] = {
    {"dword", {4}},
    {"b32", {4}},
    {"dwordx2", {8}},
    {"b64", {8}},
    {"dwordx3", {12}},
    {"b96", {12}},
    {"dwordx4", {16}},
    {"b128", {16}},
    {"ubyte", {1}},
    {"u8", {1}},
    {"sbyte", {1, true}},
    {"i8", {1, true}},
    {"ushort", {2}},
    {"u16", {2}},
    {"sshort", {2, true}},
    {"i16", {2, true}},
    {"ubyte_d16", {1, false, Low}},
    {"u8_d16", {1, false, Low}},
    {"d16_u8", {1, false, Low}},
    {"ubyte_d16_hi", {1, false, High}},
    {"u8_d16_hi", {1, false, High}},
    {"d16_hi_u8", {1, false, High}},
    {"sbyte_d16", {1, true, Low}},
    {"i8_d16", {1, true, Low}},
    {"d16_i8", {1, true, Low}},
    {"sbyte_d16_hi", {1, true, High}},
    {"i8_d16_hi", {1, true, High}},
    {"d16_hi_i8", {1, true, High}},
    {"short_d16", {2, false, Low}},
    {"u16_d16", {2, false, Low}},
    {"d16_b16", {2, false, Low}},
    {"short_d16_hi", {2, false, High}},
    {"u16_d16_hi", {2, false, High}},
    {"d16_hi_b16", {2, false, High}},
};
constexpr NamedWidth stores[] = {
    {"dword", {4}},
    {"b32", {4}},
    {"dwordx2", {8}},
    {"b64", {8}},
    {"dwordx3", {12}},
    {"b96", {12}},
    {"dwordx4", {16}},
    {"b128", {16}},
    {"byte", {1}},
    {"b8", {1}},
    {"short", {2}},
    {"b16", {2}},
    {"byte_d16_hi", {1, false, High}},
    {"b8_d16_hi", {1, false, High}},
    {"d16_hi_b8", {1, false, High}},
    {"short_d16_hi", {2, false, High}},
    {"b16_d16_hi", {2, false, High}},
    {"d16_hi_b16", {2, false, High}},
};

template <size_t size>
bool find(const NamedWidth (&named)[size], std::string_view text, Width &width) {
  for (const NamedWidth &one : named)
    if (one.name == text) {
      width = one.width;
      return true;
    }
  return false;
}

/// The bytes of `data.poison` and of `data.values` as an extension makes them.
void extend(const Width &width, LaneData &data) {
  unsigned bits = width.bytes * 8;
  uint32_t *values = data.values[0].v;
  if (width.isSigned)
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      values[lane] = static_cast<uint32_t>(
          static_cast<int32_t>(values[lane] << (32 - bits)) >> (32 - bits));
  if (!data.isPoisoned)
    return;
  // Copies of an undefined sign are undefined; zeros never are.
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    uint8_t &poison = data.poison[0][lane];
    bool sign = poison >> (width.bytes - 1) & 1;
    uint8_t own = static_cast<uint8_t>((1u << width.bytes) - 1);
    poison =
        static_cast<uint8_t>((poison & own) | (width.isSigned && sign ? 0xf & ~own : 0));
  }
}

/// Puts a half beside what the register holds already.
void merge(Wave &wave, const Source &destination, const Width &width, LaneData &data) {
  // With error correction (all of CDNA's memories of registers have it) a half cannot be
  // written alone: compilers take the other as lost.
  bool keeps = wave.group.launch.device.target.isRdna();
  const uint32_t *old = wave.vector(destination.reg);
  const uint8_t *oldPoison = wave.vectorPoison(destination.reg);
  bool wasPoisoned = wave.isPoisoned(destination.reg);
  unsigned shift = width.half == Width::High ? 16 : 0;
  uint32_t kept = width.half == Width::High ? 0xffff : 0xffff0000;
  uint8_t keptBytes = width.half == Width::High ? 0x3 : 0xc;
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    uint32_t half = (data.values[0][lane] & 0xffff) << shift;
    data.values[0][lane] = half | (keeps ? old[lane] & kept : 0);
    uint8_t rest = keeps ? (wasPoisoned ? oldPoison[lane] : 0) : 0xf;
    data.poison[0][lane] = static_cast<uint8_t>(
        (data.poison[0][lane] & 0x3) << (shift / 8) | (rest & keptBytes));
  }
  data.isPoisoned = true;
}
} // namespace

bool tilewright::amdgpu::parseLoadWidth(std::string_view text, Width &width) {
  return find(loads, text, width);
}

bool tilewright::amdgpu::loadDestination(Decoder &decoder, const Width &width,
                                         unsigned registers) {
  Source &to = decoder.instruction.destination[0];
  if (!decoder.destination(0, to, registers))
    return false;
  if (decoder.target.isRdna() && width.half != Width::None)
    to.halves = width.half == Width::High ? 2 : 1;
  return true;
}

bool tilewright::amdgpu::parseStoreWidth(std::string_view text, Width &width) {
  return find(stores, text, width);
}

void tilewright::amdgpu::takeCachePolicy(Decoder &decoder) {
  std::string_view scope;
  decoder.text("scope", scope);
  decoder.instruction.isDeviceScope = decoder.flag("sc1") | decoder.flag("glc") |
                                      (scope == "SCOPE_DEV" || scope == "SCOPE_SYS");
  decoder.ignore({"sc0", "nt", "slc", "dlc", "scc", "th", "nv"});
}

StoreData::StoreData(Wave &wave, const Source &from, const Width &width) {
  for (unsigned i = 0; i < width.registers(); ++i) {
    Source one = registerOf(from, i);
    if (width.bytes < 4)
      one.halves = width.half == Width::High ? 2 : 1;
    source.values[i] = wave.read(one, buffers[i]);
    source.poison[i] = wave.readPoison(one, poisonBuffers[i]);
  }
  if (width.half != Width::High)
    return;
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    buffers[0][lane] = source.values[0][lane] >> 16;
  source.values[0] = buffers[0].v;
  if (!source.poison[0])
    return;
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    poisonBuffers[0][lane] = source.poison[0][lane] >> 2;
  source.poison[0] = poisonBuffers[0].v;
}

void tilewright::amdgpu::land(Wave &wave, const Source &destination, const Width &width,
                              LaneData &data, uint32_t counters) {
  if (width.bytes < 4)
    extend(width, data);
  if (width.half != Width::None)
    merge(wave, destination, width, data);
  wave.landing = counters;
  for (unsigned i = 0; i < width.registers(); ++i)
    wave.write(registerOf(destination, i), data.values[i].v,
               data.isPoisoned ? data.poison[i].v : nullptr);
  wave.landing = 0;
}

void tilewright::amdgpu::issue(Wave &wave, Counter counter, const Source &destination,
                               uint32_t ldsClock, bool anyOrder, bool isLdsUnit,
                               std::shared_ptr<const LdsRead> reads) {
  Outstanding operation;
  operation.reads = std::move(reads);
  operation.counter = counter;
  operation.reg = destination.reg;
  operation.count = destination ? destination.count : 0;
  operation.halves = destination.halves;
  operation.line = static_cast<uint32_t>(wave.pc);
  operation.ldsClock = ldsClock;
  operation.anyOrder = anyOrder;
  operation.isLdsUnit = isLdsUnit;
  wave.waits.issue(operation);
}

void tilewright::amdgpu::issueLds(Wave &wave, const Source &destination,
                                  uint32_t storeClock,
                                  std::shared_ptr<const LdsRead> reads) {
  issue(wave, Counter::Lds, destination, storeClock, false, storeClock != 0,
        std::move(reads));
}

void LdsReads::add(const Wave &wave, const Lanes64 &at, unsigned bytes) {
  if (!wave.group.checksRaces())
    return;
  const size_t size = wave.group.lds.size();
  uint64_t inside = 0; // the others were reported, or read zero
  for (uint64_t left = wave.active; left; left &= left - 1)
    if (uint64_t offset = at[__builtin_ctzll(left)];
        offset < size && bytes <= size - offset)
      inside |= left & -left;
  auto read = std::make_shared<LdsRead>();
  std::copy(std::begin(at.v), std::end(at.v), read->at.begin());
  read->lanes = inside;
  read->bytes = bytes;
  read->other = std::move(last);
  last = std::move(read);
}

uint32_t tilewright::amdgpu::readM0(Wave &wave) {
  Source m0;
  m0.kind = Operand::Scalar;
  m0.reg = M0;
  m0.count = 1;
  return static_cast<uint32_t>(wave.expectScalar(m0, "M0"));
}

void tilewright::amdgpu::landInLds(Wave &wave, const Width &width, uint32_t offset,
                                   LaneData &data) {
  if (width.bytes < 4)
    extend(width, data);
  const Target &target = wave.group.launch.device.target;
  unsigned bytes = width.registers() * 4;
  Outstanding operation;
  operation.line = static_cast<uint32_t>(wave.pc);
  operation.ldsBegin =
      (readM0(wave) & (target.ldsBytes > 0x10000 ? 0x3ffff : 0xffff)) + offset;
  operation.ldsBytes = static_cast<uint8_t>(bytes);
  for (uint64_t left = wave.active; left; left &= left - 1) {
    unsigned lane = __builtin_ctzll(left);
    Place place = findLds(wave, operation.ldsBegin + uint64_t(lane) * bytes, bytes, 4,
                          lane, Access::Write);
    if (!place)
      continue;
    operation.ldsLanes |= uint64_t(1) << lane;
    for (unsigned i = 0; i < width.registers(); ++i) {
      memcpy(place.data + 4 * i, &data.values[i][lane], 4);
      poisonToShadow(data.isPoisoned ? data.poison[i][lane] : 0, place.shadow + 4 * i, 4);
    }
    for (unsigned i = 0; i < bytes; ++i)
      place.shadow[i] |= Pending;
  }
  operation.ldsClock = wave.group.tickLate(wave);
  wave.waits.issue(operation);
}
