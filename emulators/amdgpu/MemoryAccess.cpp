//===- MemoryAccess.cpp - From an address to the bytes there ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/MemoryAccess.h"

#include "emulators/amdgpu/GlobalRaces.h"

#include <cstdio>

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

static std::string hexadecimal(uint64_t value) {
  char text[32];
  snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

static const char *verb(Access access) {
  return access == Access::Read    ? "reads "
         : access == Access::Write ? "writes "
                                   : "updates ";
}

Place tilewright::amdgpu::findGlobal(Wave &wave, uint64_t address, uint32_t bytes,
                                     uint32_t align, unsigned lane, Access access) {
  GlobalMemory &memory = wave.group.launch.device.memory;
  Allocation *allocation = memory.find(address);
  auto what = [&] {
    return verb(access) + std::to_string(bytes) + " bytes at " + hexadecimal(address);
  };
  if (!allocation || address - allocation->base > allocation->size - bytes ||
      bytes > allocation->size) {
    Allocation *near = allocation ? allocation : memory.findNear(address);
    std::string where;
    if (near)
      where = ", byte " + std::to_string(address - near->base) + " of " + near->name +
              ", which has " + std::to_string(near->size);
    wave.report(Rule::OutOfBounds, "it " + what() + (near ? where : ", where nothing is"),
                lane);
    return {};
  }
  if (allocation->freed) {
    wave.report(Rule::UseAfterFree, "it " + what() + " of " + allocation->name, lane);
    return {};
  }
  if (address % align) {
    wave.report(Rule::Misaligned,
                "it " + what() + ", which is no multiple of " + std::to_string(align),
                lane);
    return {};
  }
  if (access != Access::Read && address - allocation->base < allocation->readOnlyBytes) {
    wave.report(Rule::ReadOnly, "it " + what() + " of " + allocation->name, lane);
    return {};
  }
  uint64_t offset = address - allocation->base;
  if (auto *races = wave.group.launch.globalRaces.get())
    races->note(wave, *allocation, offset, bytes, access, lane);
  return {allocation->memory.data() + offset, allocation->memory.shadow() + offset};
}

Place tilewright::amdgpu::findLds(Wave &wave, uint64_t offset, uint32_t bytes,
                                  uint32_t align, unsigned lane, Access access) {
  Bytes &lds = wave.group.lds;
  if (offset + bytes > lds.size() || offset + bytes < offset) {
    wave.report(Rule::OutOfBounds,
                std::string("it ") + verb(access) + std::to_string(bytes) +
                    " bytes of LDS at " + std::to_string(offset) +
                    ", and the work-group has " + std::to_string(lds.size()),
                lane);
    return {};
  }
  if (offset % align) {
    wave.report(Rule::Misaligned,
                std::string("it ") + verb(access) + std::to_string(bytes) +
                    " bytes of LDS at " + std::to_string(offset) +
                    ", which is no multiple of " + std::to_string(align),
                lane);
    return {};
  }
  const uint8_t *shadow = lds.shadow() + offset;
  for (uint32_t i = 0; i < bytes; ++i)
    if (shadow[i] & Pending) {
      wave.report(Rule::InFlight,
                  std::string("it ") + verb(access) + std::to_string(bytes) +
                      " bytes of LDS at " + std::to_string(offset) +
                      ", which a load to LDS has yet to write: no wait covers it",
                  lane);
      return {};
    }
  wave.group.note(wave, static_cast<uint32_t>(offset), bytes, access, lane);
  return {lds.data() + offset, lds.shadow() + offset};
}

uint8_t tilewright::amdgpu::poisonFromShadow(const uint8_t *shadow, unsigned bytes) {
  uint8_t poison = 0;
  for (unsigned i = 0; i < bytes; ++i)
    poison |= (shadow[i] != Sound) << i;
  return poison;
}

void tilewright::amdgpu::poisonToShadow(uint8_t poison, uint8_t *shadow, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i)
    shadow[i] = poison >> i & 1 ? Undefined : Sound;
}
