//===- Float8Ops.cpp - Conversions of fp8 and bf8 -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Float8.h"

#include <algorithm>
#include <cmath>

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

const Format &tilewright::amdgpu::fp8Of(const Target &target) {
  return target.gpu == Gpu::Gfx942 ? formats::e4m3fnuz : formats::e4m3;
}
const Format &tilewright::amdgpu::bf8Of(const Target &target) {
  return target.gpu == Gpu::Gfx942 ? formats::e5m2fnuz : formats::e5m2;
}

/// NaN keeps its sign in formats that have it twice.
static uint32_t smallNan(const Format &format, double value) {
  uint64_t sign = format.specials == Specials::NanAsMinusZero ? 0 : format.signBit();
  return static_cast<uint32_t>(format.nan() | (std::signbit(value) ? sign : 0));
}

uint32_t tilewright::amdgpu::roundToSmall(const Format &format, double value,
                                          bool saturates) {
  if (std::isnan(value))
    return smallNan(format, value);
  return static_cast<uint32_t>(
      fromDouble(format, value, Rounding::NearestEven, saturates));
}

uint32_t tilewright::amdgpu::roundStochastically(const Format &format, double value,
                                                 uint32_t seed, bool saturates) {
  if (!std::isfinite(value) || value == 0)
    return roundToSmall(format, value, saturates);
  int exponent;
  double fraction = std::frexp(std::fabs(value), &exponent);
  // In units of the format's last place, with 32 bits behind the point.
  int unit = std::max(exponent - 1, 1 - format.bias) - format.mantissaBits;
  double inUnits = std::ldexp(fraction, exponent - unit + 32);
  uint64_t fixed = static_cast<uint64_t>(inUnits);
  uint64_t whole = (fixed + seed) >> 32;
  return roundToSmall(format, std::copysign(std::ldexp(double(whole), unit), value),
                      saturates);
}

namespace {
enum Float8Flags : uint32_t {
  partShift = 16, ///< two bits: which byte, or which word in the upper one
};

/// What a conversion knows of its format.
struct Small {
  const Format *format;
  std::array<uint32_t, 256> values; ///< f32 of each encoding
};

/// Encodings by table: v_cvt_f32_fp8, of a byte of the source.
Step widenByte(Wave &wave, const Instruction &instruction) {
  const Small &small = *static_cast<const Small *>(instruction.extra);
  const unsigned part = instruction.flags >> partShift & 3;
  ReadSource<uint32_t> source(wave, instruction.source[0]);
  Lanes32 result;
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    result[lane] = small.values[source.values[lane] >> (8 * part) & 0xff];
  const Environment environment(wave, instruction.flags, true);
  if (environment.changesResults())
    finishLanes<Single>(environment, result);
  LanePoison poison;
  for (unsigned lane = 0; source.poison && lane < maxLanes; ++lane)
    poison[lane] = source.poison[lane] >> part & 1 ? 0xf : 0;
  wave.write(instruction.destination[0], result.v, source.poison ? poison.v : nullptr);
  return Step::Next;
}

/// v_cvt_pk_f32_fp8: two bytes into a pair of registers.
Step widenWord(Wave &wave, const Instruction &instruction) {
  const Small &small = *static_cast<const Small *>(instruction.extra);
  ReadSource<uint16_t> source(wave, instruction.source[0]);
  const Environment environment(wave, instruction.flags, true);
  for (unsigned i = 0; i < 2; ++i) {
    Lanes32 result;
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      result[lane] = small.values[source.values[lane] >> (8 * i) & 0xff];
    if (environment.changesResults())
      finishLanes<Single>(environment, result);
    LanePoison poison;
    for (unsigned lane = 0; source.poison && lane < maxLanes; ++lane)
      poison[lane] = source.poison[lane] >> i & 1 ? 0xf : 0;
    Source to = instruction.destination[0];
    to.reg = static_cast<uint16_t>(to.reg + i);
    to.count = 1;
    wave.write(to, result.v, source.poison ? poison.v : nullptr);
  }
  return Step::Next;
}

/// What `roundToSmall` makes of all lanes, without branches: as doubleToSmall of Float.h
/// does it, of a format that is known when it runs.
void roundLanes(const Format &format, const uint32_t *values, bool saturates,
                Lanes32 &result) {
  const bool hasMinusZero = format.specials != Specials::NanAsMinusZero;
  const unsigned shift = 52 - format.mantissaBits;
  const uint64_t half = (uint64_t(1) << (shift - 1)) - 1;
  const uint64_t rebias = uint64_t(1023 - format.bias) << format.mantissaBits;
  const uint64_t anchor = uint64_t(1023 + 1 - format.bias + shift) << 52;
  const int64_t smallest = int64_t(1023 + 1 - format.bias) << 52;
  const uint64_t largest = format.largest(), nan = format.nan();
  const uint64_t tooLarge = saturates                                 ? largest
                            : format.specials == Specials::Infinities ? largest + 1
                                                                      : nan;
  const uint64_t signBit = format.signBit(), signOfNan = hasMinusZero ? signBit : 0;
  const unsigned signShift = 63 - format.magnitudeBits();
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    uint64_t bits = bitCast<uint64_t>(double(bitCast<float>(values[lane])));
    uint64_t magnitude = bits & ~(uint64_t(1) << 63);
    uint64_t sign = bits >> signShift & signBit;
    uint64_t normal = ((magnitude + half + (magnitude >> shift & 1)) >> shift) - rebias;
    uint64_t subnormal =
        bitCast<uint64_t>(bitCast<double>(magnitude) + bitCast<double>(anchor)) - anchor;
    uint64_t rounded = select(int64_t(magnitude) < smallest, subnormal, normal);
    rounded = select(int64_t(rounded) > int64_t(largest), tooLarge, rounded);
    // Without -0 a zero has no sign.
    uint64_t kept = select(hasMinusZero | (rounded != 0), sign, 0);
    uint64_t ofNan = nan | (sign & signOfNan);
    result[lane] = static_cast<uint32_t>(
        select(int64_t(magnitude) > int64_t(doubleInfinity), ofNan, rounded | kept));
  }
}

/// v_cvt_pk_fp8_f32: into a word of the destination.
Step packBytes(Wave &wave, const Instruction &instruction) {
  const Format &format = *static_cast<const Small *>(instruction.extra)->format;
  const Environment environment(wave, instruction.flags, true);
  LaneArray<uint16_t> result = {};
  LanePoison poison = {};
  bool isPoisoned = false;
  for (unsigned i = 0; i < 2; ++i) {
    ReadSource<uint32_t> source(wave, instruction.source[i]);
    Lanes32 bytes;
    roundLanes(format, source.values, environment.saturates, bytes);
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      result[lane] |= static_cast<uint16_t>(bytes[lane] << (8 * i));
    isPoisoned |= source.poison != nullptr;
    for (unsigned lane = 0; source.poison && lane < maxLanes; ++lane)
      poison[lane] |= source.poison[lane] ? 1 << i : 0;
  }
  writeLanes(wave, instruction, result, isPoisoned ? poison.v : nullptr);
  return Step::Next;
}

/// v_cvt_sr_fp8_f32: into a byte of the destination, the second source is the seed.
Step roundByte(Wave &wave, const Instruction &instruction) {
  const Format &format = *static_cast<const Small *>(instruction.extra)->format;
  const Environment environment(wave, instruction.flags, true);
  const unsigned part = instruction.flags >> partShift & 3;
  ReadSource<uint32_t> sources[] = {ReadSource<uint32_t>(wave, instruction.source[0]),
                                    ReadSource<uint32_t>(wave, instruction.source[1]),
                                    ReadSource<uint32_t>(wave, instruction.source[2])};
  Lanes32 result;
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    double value = double(bitCast<float>(sources[0].values[lane]));
    uint32_t bits = roundStochastically(format, value, sources[1].values[lane],
                                        environment.saturates);
    result[lane] = (sources[2].values[lane] & ~(0xffu << (8 * part))) | bits
                                                                            << (8 * part);
  }
  LanePoison poison;
  bool isPoisoned = sources[0].poison || sources[1].poison || sources[2].poison;
  for (unsigned lane = 0; isPoisoned && lane < maxLanes; ++lane) {
    auto of = [&](unsigned i) { return sources[i].poison ? sources[i].poison[lane] : 0; };
    poison[lane] = static_cast<uint8_t>((of(2) & ~(1u << part)) |
                                        (of(0) || of(1) ? 1u << part : 0u));
  }
  wave.write(instruction.destination[0], result.v, isPoisoned ? poison.v : nullptr);
  return Step::Next;
}

struct Entry {
  std::string_view name;
  Handler handler;
  bool isBf8;
};
constexpr Entry entries[] = {
    {"v_cvt_f32_fp8", widenByte, false},    {"v_cvt_f32_bf8", widenByte, true},
    {"v_cvt_pk_f32_fp8", widenWord, false}, {"v_cvt_pk_f32_bf8", widenWord, true},
    {"v_cvt_pk_fp8_f32", packBytes, false}, {"v_cvt_pk_bf8_f32", packBytes, true},
    {"v_cvt_sr_fp8_f32", roundByte, false}, {"v_cvt_sr_bf8_f32", roundByte, true},
};

bool decodeEntry(Decoder &decoder, const Entry &entry) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = entry.handler;
  Small small;
  small.format = entry.isBf8 ? &bf8Of(decoder.target) : &fp8Of(decoder.target);
  for (unsigned bits = 0; bits < 256; ++bits) {
    double value = toDouble(*small.format, bits);
    small.values[bits] = std::isnan(value)
                             ? defaultNan<Single> | (bits >> 7 << 31)
                             : static_cast<uint32_t>(fromDouble(formats::f32, value,
                                                                Rounding::NearestEven));
  }
  instruction.extra = decoder.keep(small);
  const bool widens = entry.handler == widenByte || entry.handler == widenWord;
  const unsigned count = widens ? 1 : 2;
  if (!decoder.expect(count + 1) ||
      !decoder.destination(0, instruction.destination[0],
                           entry.handler == widenWord ? 2 : 1) ||
      !decodeFloatModifiers(decoder, widens))
    return false;
  Type first = entry.handler == widenByte   ? Type::B32
               : entry.handler == widenWord ? Type::B16
                                            : Type::F32;
  if (!decoder.source(1, first, instruction.source[0]))
    return false;
  if (count == 2 && !decoder.source(2, entry.handler == roundByte ? Type::B32 : Type::F32,
                                    instruction.source[1]))
    return false;
  if (entry.handler == roundByte)
    instruction.source[2] = instruction.destination[0];

  if (entry.handler == widenWord) {
    const Type types[] = {Type::B16};
    return decodeHalves(decoder, types, 1, Type::B32);
  }
  if (entry.handler == packBytes) {
    const Type types[] = {Type::F32, Type::F32};
    return decodeHalves(decoder, types, 2, Type::B16);
  }
  // The byte: byte_sel:2, or its bits in op_sel behind those of the sources.
  int64_t byte = 0;
  std::vector<int64_t> select;
  if (decoder.integer("byte_sel", byte) && (byte < 0 || byte > 3))
    return decoder.fail("byte_sel is out of range");
  if (decoder.integers("op_sel", select)) {
    const size_t at = entry.handler == roundByte ? 2 : 0;
    select.resize(4);
    for (size_t i = 0; i < 4; ++i)
      if (select[i] != 0 && (select[i] != 1 || i < at || i > at + 1))
        return decoder.fail("op_sel is not modelled so");
    byte = select[at] + 2 * select[at + 1];
  }
  instruction.flags |= static_cast<uint32_t>(byte) << partShift;
  return decoder.getError().empty();
}
} // namespace

Decoded tilewright::amdgpu::decodeFloat8(Decoder &decoder) {
  for (const Entry &entry : entries)
    if (entry.name == decoder.mnemonic())
      return decodedIf(decodeEntry(decoder, entry));
  return Decoded::NotMine;
}
