//===- FloatScaledOps.cpp - Conversions with a scale --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// gfx950's v_cvt_scalef32_[sr_][pk_|pk32_|2xpk16_]TO_FROM: values of f32, f16 or bf16 are
// divided by the scale and rounded to fp8, bf8, fp6, bf6 or fp4, or such are multiplied
// by it. The scale is the power of two that the exponent of a f32 is.
//
// op_sel picks the byte or the word of the register that holds the small values.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Float8.h"
#include "emulators/amdgpu/FloatLanes.h"

#include <cmath>
#include <memory>

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

namespace {
struct Scaled {
  const Format *from, *to;
  unsigned count = 1;
  bool isStochastic = false;
  bool isInterleaved = false; ///< 2xpk16: of two sources by turns
  unsigned part = 0;          ///< in units of the small values' bits, together
  bool isHigh = false;        ///< a single result of 16 bits goes to the upper half
  Source values[2], seed, scale;
};

/// Registers that hold values of any width next to each other, with what is undefined.
struct Packed {
  Packed(Wave &wave, const Source &source) : count(source.count ? source.count : 1) {
    for (unsigned i = 0; i < count; ++i) {
      Source one = source;
      if (source.kind == Operand::Vector || source.kind == Operand::Scalar)
        one.reg = static_cast<uint16_t>(one.reg + i);
      one.count = 1;
      LanePoison buffer;
      const uint32_t *from = wave.read(one, words[i]);
      if (from != words[i].v)
        memcpy(words[i].v, from, sizeof(words[i].v));
      const uint8_t *undefined = wave.readPoison(one, buffer);
      if (undefined)
        memcpy(poison[i].v, undefined, sizeof(buffer.v));
      else
        memset(poison[i].v, 0, sizeof(buffer.v));
    }
  }
  uint32_t get(unsigned lane, unsigned bit, unsigned bits) const {
    uint64_t word = words[bit / 32][lane];
    if (bit % 32 + bits > 32)
      word |= uint64_t(words[bit / 32 + 1][lane]) << 32;
    return static_cast<uint32_t>(word >> bit % 32 & ((uint64_t(1) << bits) - 1));
  }
  bool isPoisoned(unsigned lane, unsigned bit, unsigned bits) const {
    for (unsigned byte = bit / 8; byte <= (bit + bits - 1) / 8; ++byte)
      if (poison[byte / 4][lane] >> byte % 4 & 1)
        return true;
    return false;
  }
  void set(unsigned lane, unsigned bit, unsigned bits, uint32_t value, bool undefined) {
    uint64_t mask = ((uint64_t(1) << bits) - 1) << bit % 32;
    uint64_t shifted = uint64_t(value) << bit % 32;
    for (unsigned i = 0; i < 2 && mask; ++i, mask >>= 32, shifted >>= 32) {
      uint32_t &word = words[bit / 32 + i][lane];
      word = (word & ~uint32_t(mask)) | (uint32_t(shifted) & uint32_t(mask));
    }
    for (unsigned byte = bit / 8; byte <= (bit + bits - 1) / 8; ++byte) {
      uint8_t &state = poison[byte / 4][lane];
      uint8_t flag = static_cast<uint8_t>(1 << byte % 4);
      // A byte that two values share stays undefined where the first is.
      bool isShared = byte * 8 < bit;
      if (undefined)
        state |= flag;
      else if (!isShared)
        state &= static_cast<uint8_t>(~flag);
    }
  }
  unsigned count;
  Lanes32 words[32];
  LanePoison poison[32];
};

Step convertScaled(Wave &wave, const Instruction &instruction) {
  const Scaled &scaled = *static_cast<const Scaled *>(instruction.extra);
  const Environment environment(wave, instruction.flags, true);
  const bool narrows = scaled.to->bits() < 16;
  const unsigned fromBits = scaled.from->bits(), toBits = scaled.to->bits();
  auto values = std::make_unique<Packed>(wave, scaled.values[0]);
  std::unique_ptr<Packed> second, seeds;
  if (scaled.values[1])
    second = std::make_unique<Packed>(wave, scaled.values[1]);
  if (scaled.isStochastic)
    seeds = std::make_unique<Packed>(wave, scaled.seed);
  auto scales = std::make_unique<Packed>(wave, scaled.scale);
  auto result = std::make_unique<Packed>(wave, instruction.destination[0]);
  const unsigned partBits = scaled.part * scaled.count * (narrows ? toBits : fromBits);
  for (uint64_t left = wave.active; left; left &= left - 1) {
    const unsigned lane = __builtin_ctzll(left);
    const unsigned exponent = scales->words[0][lane] >> 23 & 0xff;
    const double scale = exponent == 0xff ? NAN : std::ldexp(1.0, int(exponent) - 127);
    bool isUndefined = scales->poison[0][lane] || (seeds && seeds->poison[0][lane]);
    for (unsigned i = 0; i < scaled.count; ++i) {
      // Two sources have a value each, or theirs by turns.
      const Packed &from = second && i % 2 ? *second : *values;
      const unsigned at = (second ? i / 2 : i) * fromBits + (narrows ? 0 : partBits);
      double value = toDouble(*scaled.from, from.get(lane, at, fromBits));
      bool undefined = isUndefined || from.isPoisoned(lane, at, fromBits);
      uint32_t bits;
      if (!narrows) {
        value *= scale;
        bits =
            static_cast<uint32_t>(fromDouble(*scaled.to, value, Rounding::NearestEven));
        if (std::isnan(value))
          bits = static_cast<uint32_t>(scaled.to->infinity() |
                                       uint64_t(1) << (scaled.to->mantissaBits - 1));
      } else if (scaled.isStochastic) {
        bits = roundStochastically(*scaled.to, value / scale, seeds->words[0][lane],
                                   environment.saturates);
      } else {
        bits = roundToSmall(*scaled.to, value / scale, environment.saturates);
      }
      unsigned to = i * toBits + (narrows ? partBits : scaled.isHigh ? 16 : 0);
      result->set(lane, to, toBits, bits, undefined);
    }
  }
  for (unsigned i = 0; i < result->count; ++i) {
    Source one = instruction.destination[0];
    one.reg = static_cast<uint16_t>(one.reg + i);
    one.count = 1;
    wave.write(one, result->words[i].v, result->poison[i].v);
  }
  return Step::Next;
}

struct Named {
  std::string_view name;
  const Format *format;
};
constexpr Named formatNames[] = {
    {"fp8", &formats::e4m3}, {"bf8", &formats::e5m2},  {"fp6", &formats::e2m3},
    {"bf6", &formats::e3m2}, {"fp4", &formats::e2m1},  {"f32", &formats::f32},
    {"f16", &formats::f16},  {"bf16", &formats::bf16},
};
const Format *findFormat(std::string_view name) {
  for (const Named &named : formatNames)
    if (named.name == name)
      return named.format;
  return nullptr;
}
bool consume(std::string_view &text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix)
    return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// A source of `bits` bits in registers.
bool sourceOfBits(Decoder &decoder, size_t operand, unsigned bits, Source &source) {
  if (decoder.operand(operand).negate || decoder.operand(operand).absolute)
    return decoder.fail("neg or abs of a packed operand");
  if (bits <= 32)
    return decoder.source(operand, Type::B32, source);
  return decoder.source(operand, Type::B64, source, bits / 32);
}

/// The part of a register that op_sel says, in the two bits from `at` on.
bool decodePart(Decoder &decoder, Scaled &scaled, size_t at, unsigned partBits) {
  std::vector<int64_t> select;
  if (!decoder.integers("op_sel", select))
    return decoder.getError().empty();
  select.resize(4);
  bool hasBytes = partBits == 8, hasWords = partBits == 16;
  size_t word = at == 2 ? 3 : 0; // of a destination it is the last bit
  for (size_t i = 0; i < 4; ++i) {
    if (!select[i])
      continue;
    if (select[i] != 1)
      return decoder.fail("op_sel has neither 0 nor 1");
    if (hasBytes && (i == at || i == at + 1))
      scaled.part |= 1u << (i - at);
    else if (hasWords && (i == word || (at == 2 && i == decoder.count() - 1)))
      scaled.part = 1;
    else if (at == 0 && i == 2 && scaled.count == 1 && scaled.to->bits() == 16)
      scaled.isHigh = true;
    else
      return decoder.fail("op_sel is not modelled so");
  }
  return true;
}

bool decodeScaled(Decoder &decoder, Scaled &scaled) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = convertScaled;
  const bool narrows = scaled.to->bits() < 16;
  const unsigned fromBits = scaled.from->bits() * scaled.count;
  const unsigned toBits = scaled.to->bits() * scaled.count;
  // Two f32 are in two operands, but for stochastic rounding.
  const bool isSplit =
      scaled.isInterleaved || (narrows && fromBits == 64 && !scaled.isStochastic);
  const unsigned operands = 3 + isSplit + scaled.isStochastic;
  if (!decoder.expect(operands) ||
      !decoder.destination(0, instruction.destination[0], toBits > 32 ? toBits / 32 : 1))
    return false;
  size_t next = 1;
  for (unsigned i = 0; i < 1u + isSplit; ++i)
    if (fromBits == 64 && isSplit
            ? !decoder.source(next++, Type::F32, scaled.values[i])
            : !sourceOfBits(decoder, next++, fromBits >> isSplit, scaled.values[i]))
      return false;
  if (scaled.isStochastic && !decoder.source(next++, Type::B32, scaled.seed))
    return false;
  if (!decoder.source(next, Type::F32, scaled.scale))
    return false;
  const unsigned smallBits = narrows ? toBits : fromBits;
  if (smallBits < 32 && !decodePart(decoder, scaled, narrows ? 2 : 0, smallBits))
    return false;
  instruction.extra = decoder.keep(scaled);
  return true;
}
} // namespace

Decoded tilewright::amdgpu::decodeFloatScaled(Decoder &decoder) {
  std::string_view name = decoder.mnemonic();
  if (!consume(name, "v_cvt_scalef32_"))
    return Decoded::NotMine;
  Scaled scaled;
  scaled.isStochastic = consume(name, "sr_");
  if (consume(name, "pk32_"))
    scaled.count = 32;
  else if (consume(name, "2xpk16_")) {
    scaled.count = 32;
    scaled.isInterleaved = true;
  } else if (consume(name, "pk_"))
    scaled.count = 2;
  size_t underscore = name.find('_');
  if (underscore == std::string_view::npos)
    return Decoded::NotMine;
  scaled.to = findFormat(name.substr(0, underscore));
  scaled.from = findFormat(name.substr(underscore + 1));
  if (!scaled.to || !scaled.from)
    return Decoded::NotMine;
  return decodedIf(decodeScaled(decoder, scaled));
}
