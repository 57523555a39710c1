//===- VideoOps.cpp - Arithmetic on the four bytes of a word ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// vOP4.dtype.atype.btype d, a, b, c works on bytes, signed or not as atype and btype say.
// Results are cut to a byte of d, with .sat clamped to dtype's range; with .add their sum
// is added to c instead. Selectors and masks of bytes are not modelled.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Elementwise.h"

#include <algorithm>
#include <cstdlib>

using namespace tilewright::ptx;

namespace {
enum class Video : uint8_t {
  Add,
  Subtract,
  Average,
  AbsoluteDifference,
  Minimum,
  Maximum
};

/// Bits of Instruction::flags above the operation's.
constexpr uint32_t signedResult = 1 << 8, signedA = 1 << 9, signedB = 1 << 10,
                   saturates = 1 << 11, accumulates = 1 << 12;
} // namespace

static int32_t getByte(uint64_t word, unsigned byte, bool isSigned) {
  uint8_t bits = static_cast<uint8_t>(word >> 8 * byte);
  return isSigned ? static_cast<int8_t>(bits) : bits;
}

static int32_t combine(Video video, int32_t a, int32_t b) {
  switch (video) {
  case Video::Add:
    return a + b;
  case Video::Subtract:
    return a - b;
  case Video::Average: // to nearest, halves away from zero
    return (a + b + (a + b >= 0)) >> 1;
  case Video::AbsoluteDifference:
    return std::abs(a - b);
  case Video::Minimum:
    return std::min(a, b);
  case Video::Maximum:
    return std::max(a, b);
  }
  return 0;
}

static Step executeVideo(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  uint32_t flags = instruction.flags;
  auto video = static_cast<Video>(flags & 0xff);
  bool isSigned = flags & signedResult;
  const uint64_t *a = warp.values(reg[1]), *b = warp.values(reg[2]),
                 *c = warp.values(reg[3]);
  LaneBuffer results;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    uint32_t packed = 0, sum = static_cast<uint32_t>(c[lane]);
    for (unsigned byte = 0; byte < 4; ++byte) {
      int32_t value = combine(video, getByte(a[lane], byte, flags & signedA),
                              getByte(b[lane], byte, flags & signedB));
      if (flags & saturates)
        value = isSigned ? std::clamp(value, -128, 127) : std::clamp(value, 0, 255);
      packed |= static_cast<uint32_t>(value & 0xff) << 8 * byte;
      sum += static_cast<uint32_t>(value);
    }
    results.lane[lane] = flags & accumulates ? sum : packed;
  }
  writeValues(warp, reg[0], results);
  constexpr uint8_t word = poisonOfBytes(4);
  if (flags & accumulates)
    spreadPoison(warp, reg[0], PoisonSource{reg[1], word}, PoisonSource{reg[2], word},
                 PoisonSource{reg[3], word});
  else
    spreadPoison(warp, reg[0], PoisonSource{reg[1], word}, PoisonSource{reg[2], word});
  return Step::Next;
}

void tilewright::ptx::decodeVideo(Decoder &d) {
  static constexpr std::string_view names[] = {"vadd4",     "vsub4", "vavrg4",
                                               "vabsdiff4", "vmin4", "vmax4"};
  for (unsigned i = 0; i < std::size(names); ++i)
    if (d.statement.opcode == names[i])
      d.result.flags = i;
  if (d.take("add"))
    d.result.flags |= accumulates;
  if (d.take("sat"))
    d.result.flags |= saturates;
  Type types[] = {d.takeType(), d.takeType(), d.takeType()};
  constexpr uint32_t signs[] = {signedResult, signedA, signedB};
  for (unsigned i = 0; i < 3; ++i) {
    if (types[i] != Type::S32 && types[i] != Type::U32)
      return d.fail("it takes three types, each .s32 or .u32");
    if (types[i] == Type::S32)
      d.result.flags |= signs[i];
  }
  if (!d.expectOperands(4, 4))
    return;
  d.result.operand[0] = d.destination(size_t(0));
  if (d.result.operand[0] == noRegister)
    return d.fail("the result may not be a sink");
  for (unsigned i = 1; i < 4; ++i)
    d.result.operand[i] = d.source(i, Type::U32);
  d.result.execute = executeVideo;
}
