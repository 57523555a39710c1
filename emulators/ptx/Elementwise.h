//===- Elementwise.h - Handlers that treat each lane alike --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An operation is a function of a lane's values. It is computed for all 32 lanes into a
// buffer, whatever the active ones are, and written to those: loops of fixed length with
// no branch, which compilers vectorise, and no question of registers that are both source
// and result. So an operation must be harmless for any values.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_ELEMENTWISE_H
#define TILEWRIGHT_EMULATORS_PTX_ELEMENTWISE_H

#include "emulators/ptx/Decode.h"
#include "emulators/ptx/Warp.h"

#include <cstring>

namespace tilewright::ptx {

/// Values of 32 lanes on their way to a register.
struct alignas(32) LaneBuffer {
  uint64_t lane[lanesPerWarp];
};

/// The poison bits of a value's low `bytes` bytes.
constexpr uint8_t poisonOfBytes(unsigned bytes) {
  return bytes >= 8 ? 0xff : uint8_t((1u << bytes) - 1);
}

/// Writes the active lanes of a value register.
inline void writeValues(Warp &warp, uint32_t reg, const LaneBuffer &results) {
  uint64_t *to = warp.values(reg);
  if (warp.active == allLanes) {
    memcpy(to, results.lane, sizeof(results.lane));
    return;
  }
  LaneBuffer mixed;
  uint64_t active = warp.active;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    uint64_t mask = -(active >> lane & 1);
    mixed.lane[lane] = (results.lane[lane] & mask) | (to[lane] & ~mask);
  }
  memcpy(to, mixed.lane, sizeof(mixed.lane));
}

/// Writes the active lanes' poison of a value register.
inline void writePoison(Warp &warp, uint32_t reg, const uint8_t *poison) {
  uint8_t *to = warp.poison(reg);
  if (warp.active == allLanes) {
    memcpy(to, poison, lanesPerWarp);
    return;
  }
  for (unsigned i = 0; i < lanesPerWarp; i += 8) {
    // A byte of ones for each active lane: its own bit of a copy of the eight, then that
    // bit carried to the top of the byte and down.
    constexpr uint64_t ones = 0x0101010101010101;
    uint64_t bits = ((warp.active >> i & 0xff) * ones) & 0x8040201008040201;
    uint64_t mask = ((((bits & 0x7f * ones) + 0x7f * ones) | bits) >> 7 & ones) * 0xff;
    uint64_t from, old;
    memcpy(&from, poison + i, sizeof(from));
    memcpy(&old, to + i, sizeof(old));
    old = (from & mask) | (old & ~mask);
    memcpy(to + i, &old, sizeof(old));
  }
}

/// A register that a result depends on, by the bytes that `poison` names.
struct PoisonSource {
  uint32_t reg;
  uint8_t poison;
};

/// The poison of 32 lanes, as four words that the common test for none is made on.
struct PoisonWords {
  uint64_t word[lanesPerWarp / 8] = {};

  void add(Warp &warp, PoisonSource source) {
    uint64_t from[lanesPerWarp / 8];
    memcpy(from, warp.poison(source.reg), sizeof(from));
    for (unsigned i = 0; i < lanesPerWarp / 8; ++i)
      word[i] |= from[i] & (source.poison * uint64_t(0x0101010101010101));
  }
  bool isSound() const { return (word[0] | word[1] | word[2] | word[3]) == 0; }
  uint8_t operator[](unsigned lane) const {
    return static_cast<uint8_t>(word[lane / 8] >> (lane % 8 * 8));
  }
};

/// Makes the active lanes of `result` undefined where a source's are, and sound
/// elsewhere.
template <typename... Sources>
inline void spreadPoison(Warp &warp, uint32_t result, Sources... sources) {
  PoisonWords any;
  (any.add(warp, sources), ...);
  uint8_t poison[lanesPerWarp] = {};
  if (!any.isSound())
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      poison[lane] = any[lane] ? undefinedValue : soundValue;
  writePoison(warp, result, poison);
}

/// The same for values of two halves of `half` bytes, each of which depends on the same
/// half of each source.
template <typename... Sources>
inline void spreadPoisonByHalves(Warp &warp, uint32_t result, unsigned half,
                                 Sources... regs) {
  PoisonWords any;
  uint8_t low = poisonOfBytes(half), high = static_cast<uint8_t>(low << half);
  (any.add(warp, {regs, static_cast<uint8_t>(low | high)}), ...);
  uint8_t poison[lanesPerWarp] = {};
  if (!any.isSound())
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      poison[lane] = static_cast<uint8_t>((any[lane] & low ? low : 0) |
                                          (any[lane] & high ? high : 0));
  writePoison(warp, result, poison);
}

/// Handlers of the result in operand 0 and sources in operands 1 and up, of which the
/// function reads so many bytes.
template <uint64_t (*Function)(uint64_t), unsigned Bytes>
Step unaryHandler(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  const uint64_t *a = warp.values(reg[1]);
  LaneBuffer results;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    results.lane[lane] = Function(a[lane]);
  writeValues(warp, reg[0], results);
  spreadPoison(warp, reg[0], PoisonSource{reg[1], poisonOfBytes(Bytes)});
  return Step::Next;
}

template <uint64_t (*Function)(uint64_t, uint64_t), unsigned BytesA,
          unsigned BytesB = BytesA>
Step binaryHandler(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  const uint64_t *a = warp.values(reg[1]), *b = warp.values(reg[2]);
  LaneBuffer results;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    results.lane[lane] = Function(a[lane], b[lane]);
  writeValues(warp, reg[0], results);
  spreadPoison(warp, reg[0], PoisonSource{reg[1], poisonOfBytes(BytesA)},
               PoisonSource{reg[2], poisonOfBytes(BytesB)});
  return Step::Next;
}

template <uint64_t (*Function)(uint64_t, uint64_t, uint64_t), unsigned BytesA,
          unsigned BytesB = BytesA, unsigned BytesC = BytesA>
Step ternaryHandler(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  const uint64_t *a = warp.values(reg[1]), *b = warp.values(reg[2]),
                 *c = warp.values(reg[3]);
  LaneBuffer results;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    results.lane[lane] = Function(a[lane], b[lane], c[lane]);
  writeValues(warp, reg[0], results);
  spreadPoison(warp, reg[0], PoisonSource{reg[1], poisonOfBytes(BytesA)},
               PoisonSource{reg[2], poisonOfBytes(BytesB)},
               PoisonSource{reg[3], poisonOfBytes(BytesC)});
  return Step::Next;
}

/// Operand 0 as the result, which may not be a sink, and the rest as sources of `type`.
/// False where that failed.
inline bool decodeOperands(Decoder &decoder, unsigned sources, Type type) {
  if (!decoder.expectOperands(sources + 1, sources + 1))
    return false;
  decoder.result.operand[0] = decoder.destination(size_t(0));
  if (decoder.result.operand[0] == noRegister)
    decoder.fail("the result may not be a sink");
  for (unsigned i = 1; i <= sources; ++i)
    decoder.result.operand[i] = decoder.source(size_t(i), type);
  decoder.result.type = type;
  return !decoder.failed();
}

/// Calls `function` with a value of the C++ type of an integer or bit type of 16 to 64
/// bits; false where `type` is no such one.
template <typename Function> bool withIntegerType(Type type, Function function) {
  switch (type) {
  case Type::B16:
  case Type::U16:
    function(uint16_t());
    return true;
  case Type::B32:
  case Type::U32:
    function(uint32_t());
    return true;
  case Type::B64:
  case Type::U64:
    function(uint64_t());
    return true;
  case Type::S16:
    function(int16_t());
    return true;
  case Type::S32:
    function(int32_t());
    return true;
  case Type::S64:
    function(int64_t());
    return true;
  default:
    return false;
  }
}

/// Fails unless the program's architecture is at least `least`.
inline void expectArchitecture(Decoder &decoder, unsigned least) {
  if (decoder.program.architecture && decoder.program.architecture < least)
    decoder.fail("it needs sm_" + std::to_string(least) + " or later");
}

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_ELEMENTWISE_H
