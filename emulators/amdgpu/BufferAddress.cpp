//===- BufferAddress.cpp - Addresses by a buffer's descriptor -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/BufferAddress.h"

#include <cstring>

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

bool BufferAddresses::readDescriptor(Wave &wave, const Source &source) {
  uint64_t words[2];
  for (unsigned i = 0; i < 2; ++i) {
    Source pair = registerOf(source, 2 * i);
    pair.count = 2;
    ScalarValue value = wave.readScalar(pair);
    if (value.poison) {
      wave.report(Rule::Uninitialised, "the descriptor of a buffer is undefined",
                  wave.firstLane());
      return false;
    }
    words[i] = value.bits;
  }
  const Target &target = wave.group.launch.device.target;
  base = words[0] & ((uint64_t(1) << 48) - 1);
  stride = static_cast<uint32_t>(words[0] >> 48 & 0x3fff);
  bool isSwizzled = target.isCdna() ? words[0] >> 63 & 1 : words[0] >> 62 & 3;
  records = words[1] & 0xffffffff;
  select = static_cast<unsigned>(words[1] >> 60 & 3);
  bool addsThread = words[1] >> 55 & 1;
  if (words[1] >> 62) {
    wave.report(Rule::Descriptor, "the descriptor is of no buffer", wave.firstLane());
    return false;
  }
  // What a wave gets for its private memory; see InitialState.cpp.
  if (words[0] == (privateAperture | uint64_t(1) << 63)) {
    space = Space::Private;
    return true;
  }
  if (isSwizzled || addsThread) {
    wave.report(Rule::Unsupported, "a buffer that is swizzled or adds the lane's number",
                wave.firstLane());
    return false;
  }
  return true;
}

bool BufferAddresses::find(Wave &wave, const Instruction &instruction,
                           const BufferMode &mode) {
  active = wave.active;
  if ((mode.hasOffset && !wave.expectSound(instruction.source[0], "a buffer's offset")) ||
      (mode.hasIndex && !wave.expectSound(instruction.source[1], "a buffer's index")) ||
      !readDescriptor(wave, instruction.source[2]))
    return false;
  uint64_t scalar = wave.expectScalar(instruction.source[3], "a buffer's scalar offset");
  const Target &target = wave.group.launch.device.target;
  if (mode.hasOffset) {
    Lanes32 buffer;
    const uint32_t *values = wave.read(instruction.source[0], buffer);
    // The sum has 32 bits, so that a negative offset and a larger immediate are in range:
    // LLVM takes constants out of sums on all targets up to gfx12.0, and checks for an
    // overflow from gfx1250 on alone, which extends both first.
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      offsets[lane] = values[lane] + static_cast<uint32_t>(mode.offset);
  } else {
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      offsets[lane] = mode.offset;
  }
  if (space == Space::Private) {
    // The scalar offset is of the whole wave's memory, in which dwords of all lanes
    // alternate.
    if (scalar % (4 * maxLanes) || mode.hasIndex) {
      wave.report(Rule::Unsupported, "an offset in private memory of part of a wave",
                  wave.firstLane());
      return false;
    }
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      at[lane] = static_cast<uint32_t>(offsets[lane] + scalar / maxLanes);
    check = Always;
    return true;
  }
  if (mode.hasIndex) {
    Lanes32 buffer;
    const uint32_t *values = wave.read(instruction.source[1], buffer);
    memcpy(indices.v, values, sizeof(indices.v));
  } else {
    memset(indices.v, 0, sizeof(indices.v));
  }
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    at[lane] = base + scalar + offsets[lane] + uint64_t(stride) * indices[lane];
  if (target.isCdna()) {
    check = mode.hasIndex && stride ? Index : RawStart;
    // The scalar offset counts there.
    if (check == RawStart)
      records = records > scalar ? records - scalar : 0;
  } else {
    static constexpr Check checks[] = {IndexAndOffset, Index, Always, Raw};
    check = checks[select];
    if (select == 2 && !records)
      active = 0;
  }
  if (check == Raw || check == RawStart)
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      offsets[lane] += uint64_t(stride) * indices[lane];
  return true;
}

uint64_t BufferAddresses::inRange(unsigned extra, unsigned bytes) const {
  uint64_t in = 0;
  switch (check) {
  case Always:
    return active;
  case Raw:
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      in |= uint64_t(offsets[lane] + extra + bytes <= records) << lane;
    break;
  case RawStart:
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      in |= uint64_t(offsets[lane] + extra < records) << lane;
    break;
  case Index:
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      in |= uint64_t(indices[lane] < records) << lane;
    break;
  case IndexAndOffset:
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      in |= uint64_t(indices[lane] < records && offsets[lane] + extra + bytes <= stride)
            << lane;
    break;
  }
  return in & active;
}

bool tilewright::amdgpu::decodeBufferAddress(Decoder &decoder, size_t first,
                                             BufferMode &mode) {
  Instruction &instruction = decoder.instruction;
  mode.hasOffset = decoder.flag("offen");
  mode.hasIndex = decoder.flag("idxen");
  int64_t offset = 0;
  decoder.integer("offset", offset);
  mode.offset = static_cast<uint32_t>(offset);
  unsigned registers = mode.hasOffset + mode.hasIndex;
  // `off` stands where there is no address; with `lds` it does as well.
  if (registers) {
    Source both;
    if (!decoder.source(first, Type::B32, both, registers))
      return false;
    if (mode.hasIndex)
      instruction.source[1] = registerOf(both, 0);
    if (mode.hasOffset)
      instruction.source[0] = registerOf(both, mode.hasIndex);
  } else if (decoder.count() <= first || decoder.operand(first).kind != Operand::Off) {
    return decoder.fail("a buffer's address that is neither offset nor index");
  }
  return decoder.source(first + 1, Type::B32, instruction.source[2], 4) &&
         decoder.source(first + 2, Type::B32, instruction.source[3]);
}
