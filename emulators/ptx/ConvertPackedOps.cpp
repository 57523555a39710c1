//===- ConvertPackedOps.cpp - Conversions of packed types ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two values are converted alike: the second source, or the lower half of the one source,
// gives the lower half of the result. Each half is undefined by itself.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/ConvertPackedOps.h"
#include "emulators/ptx/FloatLanes.h"

#include <vector>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

namespace {

/// How the elements of a packed type lie: `stride` bits apart.
struct Layout {
  const Format *format = nullptr;
  unsigned stride = 0;
};

Layout getLayout(Type type) {
  switch (type) {
  case Type::F16x2:
    return {&formats::f16, 16};
  case Type::BF16x2:
    return {&formats::bf16, 16};
  case Type::E4M3x2:
    return {&formats::e4m3, 8};
  case Type::E5M2x2:
    return {&formats::e5m2, 8};
  case Type::E2M3x2:
    return {&formats::e2m3, 8};
  case Type::E3M2x2:
    return {&formats::e3m2, 8};
  case Type::UE8M0x2:
    return {&formats::ue8m0, 8};
  case Type::E2M1x2:
    return {&formats::e2m1, 4};
  default:
    return {};
  }
}

struct PackedConversion {
  Layout from, to; ///< from.stride is 0 where the sources are two f32
  Rounding rounding = Rounding::NearestEven;
  bool isFinite = false, rectifies = false;
  /// What each encoding of up to 8 bits becomes; empty where the source has more.
  std::vector<uint16_t> table;
};

uint64_t convert(const PackedConversion &conversion, double value) {
  if (conversion.rectifies && value <= 0)
    value = 0; // -0 too
  return fromDouble(*conversion.to.format, value, conversion.rounding,
                    conversion.isFinite);
}

uint8_t elementBytes(const Layout &layout, unsigned index) {
  if (layout.stride == 4)
    return 0x01;
  uint8_t bytes = poisonOfBytes(layout.stride / 8);
  return static_cast<uint8_t>(bytes << (index * layout.stride / 8));
}

/// Poison of a result of two elements, each from the bytes of a source.
void writePackedPoison(Warp &warp, uint32_t result, const Layout &to, PoisonSource low,
                       PoisonSource high) {
  PoisonWords lows, highs;
  lows.add(warp, low);
  highs.add(warp, high);
  uint8_t poison[lanesPerWarp] = {};
  if (!lows.isSound() || !highs.isSound())
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      poison[lane] = static_cast<uint8_t>((lows[lane] ? elementBytes(to, 0) : 0) |
                                          (highs[lane] ? elementBytes(to, 1) : 0));
  writePoison(warp, result, poison);
}

Step packHandler(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  const auto &conversion = *static_cast<const PackedConversion *>(instruction.extra);
  const uint64_t *a = warp.values(reg[1]), *b = warp.values(reg[2]);
  LaneBuffer results{};
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    if (!(warp.active >> lane & 1))
      continue;
    uint64_t high = convert(conversion, bitCast<float>(uint32_t(a[lane])));
    uint64_t low = convert(conversion, bitCast<float>(uint32_t(b[lane])));
    results.lane[lane] = low | high << conversion.to.stride;
  }
  writeValues(warp, reg[0], results);
  writePackedPoison(warp, reg[0], conversion.to, {reg[2], 0x0f}, {reg[1], 0x0f});
  return Step::Next;
}

struct E4M3 {
  static constexpr const Format &format = formats::e4m3;
};
struct E5M2 {
  static constexpr const Format &format = formats::e5m2;
};

/// The same to nearest and without .relu, for the formats that programs use most.
template <typename Small, unsigned Stride, bool Saturate>
Step packFastHandler(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  const uint64_t *a = warp.values(reg[1]), *b = warp.values(reg[2]);
  LaneBuffer high, results;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    high.lane[lane] = doubleToSmall<Small>(bitCast<float>(uint32_t(a[lane])), Saturate)
                      << Stride;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    results.lane[lane] =
        doubleToSmall<Small>(bitCast<float>(uint32_t(b[lane])), Saturate) |
        high.lane[lane];
  writeValues(warp, reg[0], results);
  const Layout to{&Small::format, Stride};
  writePackedPoison(warp, reg[0], to, {reg[2], 0x0f}, {reg[1], 0x0f});
  return Step::Next;
}

/// Null where there is none.
Handler getFastPack(Type to, const PackedConversion &conversion) {
  if (conversion.rounding != Rounding::NearestEven || conversion.rectifies)
    return nullptr;
  if (conversion.isFinite)
    return to == Type::E4M3x2   ? packFastHandler<E4M3, 8, true>
           : to == Type::E5M2x2 ? packFastHandler<E5M2, 8, true>
                                : nullptr;
  return to == Type::F16x2    ? packFastHandler<F16, 16, false>
         : to == Type::BF16x2 ? packFastHandler<BF16, 16, false>
                              : nullptr;
}

Step repackHandler(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  const auto &conversion = *static_cast<const PackedConversion *>(instruction.extra);
  const Layout &from = conversion.from, &to = conversion.to;
  const uint64_t *a = warp.values(reg[1]);
  const uint64_t mask = (uint64_t(1) << from.stride) - 1;
  LaneBuffer results{};
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    if (!(warp.active >> lane & 1))
      continue;
    for (unsigned i = 0; i < 2; ++i) {
      uint64_t bits = a[lane] >> (i * from.stride) & mask;
      uint64_t converted = conversion.table.empty()
                               ? convert(conversion, toDouble(*from.format, bits))
                               : conversion.table[bits];
      results.lane[lane] |= converted << (i * to.stride);
    }
  }
  writeValues(warp, reg[0], results);
  writePackedPoison(warp, reg[0], to, {reg[1], elementBytes(from, 0)},
                    {reg[1], elementBytes(from, 1)});
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// cvt.pack
//===----------------------------------------------------------------------===//

enum PackFlags : uint32_t { widthMask = 0xff, PacksSigned = 0x100 };

uint64_t clampTo(int32_t value, unsigned bits, bool isSigned) {
  int64_t low = isSigned ? -(int64_t(1) << (bits - 1)) : 0;
  int64_t high = (int64_t(1) << (bits - isSigned)) - 1;
  int64_t clamped = value < low ? low : value > high ? high : value;
  return static_cast<uint64_t>(clamped) & ((uint64_t(1) << bits) - 1);
}

/// The result's low bits are the two clamped integers, the rest the low bits of `c`.
Step packIntegersHandler(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  unsigned bits = instruction.flags & widthMask;
  bool isSigned = instruction.flags & PacksSigned;
  LaneBuffer results;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    uint64_t a = clampTo(int32_t(warp.values(reg[1])[lane]), bits, isSigned);
    uint64_t b = clampTo(int32_t(warp.values(reg[2])[lane]), bits, isSigned);
    uint64_t c = reg[3] == noRegister ? 0 : warp.values(reg[3])[lane];
    results.lane[lane] = uint32_t(b | a << bits | c << (2 * bits));
  }
  writeValues(warp, reg[0], results);
  spreadPoison(warp, reg[0], PoisonSource{reg[1], 0x0f}, PoisonSource{reg[2], 0x0f},
               PoisonSource{reg[3] == noRegister ? reg[1] : reg[3], 0x0f});
  return Step::Next;
}

} // namespace

void tilewright::ptx::decodePackIntegers(Decoder &decoder) {
  auto kind = decoder.takeOneOf({"u16", "s16", "u8", "s8", "u4", "s4", "u2", "s2"});
  static constexpr uint32_t widths[] = {16, 16, 8, 8, 4, 4, 2, 2};
  if (!decoder.take("sat") || !kind || !decoder.take("s32"))
    return decoder.fail(".sat, a type and .s32 are expected");
  bool hasRest = widths[*kind] < 16;
  if (hasRest && !decoder.take("b32"))
    return decoder.fail(".b32 is expected");
  if (!decodeOperands(decoder, hasRest ? 3 : 2, Type::B32))
    return;
  decoder.result.flags = widths[*kind];
  if (*kind % 2)
    decoder.result.flags |= PacksSigned;
  decoder.result.execute = packIntegersHandler;
}

bool tilewright::ptx::isPackedFormat(Type type) {
  return getLayout(type).format != nullptr;
}

void tilewright::ptx::decodeConvertPacked(Decoder &decoder, Type to, Type from) {
  PackedConversion conversion;
  conversion.to = getLayout(to);
  conversion.from = getLayout(from);
  bool toHalves = to == Type::F16x2 || to == Type::BF16x2;
  bool fromHalves = from == Type::F16x2 || from == Type::BF16x2;
  bool fromFloats = from == Type::F32;
  bool isScale = to == Type::UE8M0x2 || from == Type::UE8M0x2;
  if (!conversion.to.format || (!fromFloats && !conversion.from.format) ||
      (!fromFloats && toHalves == fromHalves))
    return decoder.fail("its types are not modelled");
  if (isScale ? from == Type::F16x2 || to == Type::F16x2
              : from == Type::BF16x2 || (to == Type::BF16x2 && !fromFloats))
    expectArchitecture(decoder, 1000); // .bf16x2 goes with .ue8m0x2, in no other way yet

  auto rounding = decoder.takeOneOf({"rn", "rz", "rp"});
  static constexpr Rounding roundings[] = {Rounding::NearestEven, Rounding::Zero,
                                           Rounding::Up};
  bool fits = rounding && (to == Type::UE8M0x2      ? *rounding != 0
                           : toHalves && fromFloats ? *rounding != 2
                                                    : *rounding == 0);
  if (!fits)
    return decoder.fail("its rounding is missing or not modelled");
  conversion.rounding = roundings[*rounding];
  conversion.isFinite = !(toHalves && !fromFloats) && decoder.take("satfinite");
  conversion.rectifies = !isScale && decoder.take("relu");
  bool isSmall = !toHalves && to != Type::UE8M0x2;
  if (isSmall && !conversion.isFinite)
    return decoder.fail(".satfinite is missing");

  auto is8Bit = [](Type type) { return type == Type::E4M3x2 || type == Type::E5M2x2; };
  if (is8Bit(to) || is8Bit(from))
    expectArchitecture(decoder, 89);
  else if (!(toHalves && fromFloats))
    expectArchitecture(decoder, 100);

  if (!decodeOperands(decoder, fromFloats ? 2 : 1, fromFloats ? Type::F32 : Type::B32))
    return;
  if (conversion.from.format && conversion.from.stride <= 8)
    for (uint64_t bits = 0; bits < uint64_t(1) << conversion.from.stride; ++bits)
      conversion.table.push_back(static_cast<uint16_t>(
          convert(conversion, toDouble(*conversion.from.format, bits))));
  Instruction &result = decoder.result;
  Handler fast = getFastPack(to, conversion);
  result.execute = !fromFloats ? repackHandler : fast ? fast : packHandler;
  result.type = to;
  result.source = from;
  result.extra = decoder.keep(conversion);
}
