//===- FloatConvertOps.cpp - Conversions between formats ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Integers are truncated and clamped to their range, NaN is 0. Results of f32 are rounded
// as MODE has it for f32, others as for f16 and f64; so is v_cvt_f32_f64.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/FloatConvert.h"

#include <cmath>

using namespace tilewright::amdgpu;
namespace emulator = tilewright::emulator;

namespace {
/// What MODE says for f32 and for the other formats.
struct Environments {
  Environments(const Wave &wave, uint32_t flags)
      : single(wave, flags, true), wide(wave, flags, false) {}
  Environment single, wide;
  template <typename F> const Environment &of() const {
    return F::isSingle ? single : wide;
  }
};

/// The handler of a conversion, a struct with a function `convert` of all lanes.
template <typename Conversion, typename From, typename To>
Step convertLanes(Wave &wave, const Instruction &instruction) {
  ReadSource<From> source[] = {ReadSource<From>(wave, instruction.source[0])};
  LaneArray<To> result;
  Conversion::convert(Environments(wave, instruction.flags), valuesOf(source[0]), result);
  LanePoison buffer;
  writeResult(wave, instruction, result, anyPoison(source, buffer));
  return Step::Next;
}

/// From one format to another. `Rounds` says whose rounding it is.
template <typename From, typename To, typename Rounds> struct FloatToFloat {
  static void convert(const Environments &environments, const typename From::Bits *values,
                      LaneArray<typename To::Bits> &result) {
    using Bits = typename To::Bits;
    const Environment &in = environments.of<From>(), &out = environments.of<To>();
    Environment rounds = environments.of<Rounds>();
    LaneArray<double> wide;
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      wide[lane] =
          widen<From>(in.flushesSources ? flush<From>(values[lane]) : values[lane]);
    if constexpr (std::is_same_v<To, Half>) {
      roundToHalf(rounds, wide, result);
    } else if (std::is_same_v<To, Single> && rounds.rounding == Rounding::NearestEven) {
      for (unsigned lane = 0; lane < maxLanes; ++lane)
        result[lane] = Bits(bitCast<uint32_t>(float(wide[lane])));
    } else {
      for (unsigned lane = 0; lane < maxLanes; ++lane)
        result[lane] = static_cast<Bits>(
            emulator::fromDouble(To::format, wide[lane], rounds.rounding));
    }
    convertNans<From, To>(values, result);
    if (out.changesResults())
      finishLanes<To>(out, result);
  }
};

/// Integers of up to 32 bits, all of which double has.
template <typename Integer, typename To> struct IntegerToFloat {
  using From = std::make_unsigned_t<Integer>;
  static void convert(const Environments &environments, const From *values,
                      LaneArray<typename To::Bits> &result) {
    const Environment &out = environments.of<To>();
    if constexpr (std::is_same_v<To, Half>) {
      LaneArray<double> wide;
      for (unsigned lane = 0; lane < maxLanes; ++lane)
        wide[lane] = double(static_cast<Integer>(values[lane]));
      roundToHalf(out, wide, result);
    } else {
      emulator::RoundingScope scope(out.rounding);
      fill(values, result);
    }
    if (out.changesResults())
      finishLanes<To>(out, result);
  }
  [[gnu::noinline]] static void fill(const From *values,
                                     LaneArray<typename To::Bits> &result) {
    using Value = typename To::Value;
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      result[lane] = bitCast<typename To::Bits>(
          static_cast<Value>(static_cast<Integer>(values[lane])));
  }
};

/// Byte `index` of a register.
template <unsigned index> struct ByteToFloat {
  static void convert(const Environments &environments, const uint32_t *values,
                      LaneArray<uint32_t> &result) {
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      result[lane] = bitCast<uint32_t>(float(values[lane] >> (8 * index) & 0xff));
    if (environments.single.changesResults())
      finishLanes<Single>(environments.single, result);
  }
};
template <unsigned index> Step convertByte(Wave &wave, const Instruction &instruction) {
  ReadSource<uint32_t> source(wave, instruction.source[0]);
  LaneArray<uint32_t> result;
  ByteToFloat<index>::convert(Environments(wave, instruction.flags), source.values,
                              result);
  // Only that byte matters.
  LanePoison poison;
  for (unsigned lane = 0; source.poison && lane < maxLanes; ++lane)
    poison[lane] = source.poison[lane] >> index & 1 ? 0xf : 0;
  wave.write(instruction.destination[0], result.v, source.poison ? poison.v : nullptr);
  return Step::Next;
}

/// The low four bits, signed, in sixteenths.
struct OffsetToFloat {
  static void convert(const Environments &environments, const uint32_t *values,
                      LaneArray<uint32_t> &result) {
    for (unsigned lane = 0; lane < maxLanes; ++lane) {
      int32_t value = static_cast<int32_t>(values[lane] << 28) >> 28;
      result[lane] = bitCast<uint32_t>(float(value) * 0.0625f);
    }
    if (environments.single.changesResults())
      finishLanes<Single>(environments.single, result);
  }
};

double truncate(double a) { return std::trunc(a); }
double roundDown(double a) { return std::floor(a); }
/// Ties go up.
double roundNearest(double a) { return std::floor(a + 0.5); }

/// `toWhole` of the value, clamped to the integer's range.
template <typename From, typename Integer, double (*toWhole)(double)>
struct FloatToInteger {
  static void convert(const Environments &environments, const typename From::Bits *values,
                      LaneArray<std::make_unsigned_t<Integer>> &result) {
    const bool flushes = environments.of<From>().flushesSources;
    for (unsigned lane = 0; lane < maxLanes; ++lane) {
      auto bits = flushes ? flush<From>(values[lane]) : values[lane];
      result[lane] = static_cast<std::make_unsigned_t<Integer>>(
          toInteger<Integer>(toWhole(widen<From>(bits))));
    }
  }
};

/// v_cvt_norm: [-1, 1] or [0, 1] becomes all of the integer's range.
template <typename Integer> struct HalfToNormalised {
  static void convert(const Environments &environments, const uint16_t *values,
                      LaneArray<uint16_t> &result) {
    const bool flushes = environments.wide.flushesSources;
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      result[lane] = toNormalised<Integer>(
          widen<Half>(flushes ? flush<Half>(values[lane]) : values[lane]));
  }
};

struct Bf16ToFloat {
  static void convert(const Environments &environments, const uint16_t *values,
                      LaneArray<uint32_t> &result) {
    for (unsigned lane = 0; lane < maxLanes; ++lane) {
      uint32_t bits = uint32_t(values[lane]) << 16;
      result[lane] = isNan<Single>(bits) ? bits | quietBit<Single> : bits;
    }
    if (environments.single.changesResults())
      finishLanes<Single>(environments.single, result);
  }
};

using U16 = uint16_t;
using U32 = uint32_t;
using U64 = uint64_t;
template <double (*toWhole)(double)>
using SingleToI32 = FloatToInteger<Single, int32_t, toWhole>;

constexpr Type B16 = Type::B16, B32 = Type::B32, F16 = Type::F16, BF16 = Type::BF16,
               F32 = Type::F32, F64 = Type::F64;
constexpr auto Plain = FloatEntry::Plain, NoOutputs = FloatEntry::NoOutputs,
               ZeroesHalf = FloatEntry::ZeroesHalf,
               ZeroesNoMods = FloatEntry::ZeroesNoMods;

template <typename Conversion, typename From, typename To>
constexpr FloatEntry one(std::string_view name, Type result, Type source,
                         FloatEntry::Kind kind = Plain) {
  return {name, convertLanes<Conversion, From, To>, result, {source}, 1, kind};
}

constexpr FloatEntry entries[] = {
    one<FloatToFloat<Half, Single, Single>, U16, U32>("v_cvt_f32_f16", F32, F16),
    one<FloatToFloat<Single, Half, Half>, U32, U16>("v_cvt_f16_f32", F16, F32,
                                                    ZeroesHalf),
    one<FloatToFloat<Single, Double, Double>, U32, U64>("v_cvt_f64_f32", F64, F32),
    one<FloatToFloat<Double, Single, Double>, U64, U32>("v_cvt_f32_f64", F32, F64),
    one<Bf16ToFloat, U16, U32>("v_cvt_f32_bf16", F32, BF16),

    one<IntegerToFloat<int32_t, Single>, U32, U32>("v_cvt_f32_i32", F32, B32),
    one<IntegerToFloat<uint32_t, Single>, U32, U32>("v_cvt_f32_u32", F32, B32),
    one<IntegerToFloat<int32_t, Double>, U32, U64>("v_cvt_f64_i32", F64, B32),
    one<IntegerToFloat<uint32_t, Double>, U32, U64>("v_cvt_f64_u32", F64, B32),
    one<IntegerToFloat<int16_t, Half>, U16, U16>("v_cvt_f16_i16", F16, B16, ZeroesHalf),
    one<IntegerToFloat<uint16_t, Half>, U16, U16>("v_cvt_f16_u16", F16, B16, ZeroesHalf),
    {"v_cvt_f32_ubyte0", convertByte<0>, F32, {B32}, 1},
    {"v_cvt_f32_ubyte1", convertByte<1>, F32, {B32}, 1},
    {"v_cvt_f32_ubyte2", convertByte<2>, F32, {B32}, 1},
    {"v_cvt_f32_ubyte3", convertByte<3>, F32, {B32}, 1},
    one<OffsetToFloat, U32, U32>("v_cvt_off_f32_i4", F32, B32),

    one<SingleToI32<truncate>, U32, U32>("v_cvt_i32_f32", B32, F32, NoOutputs),
    one<SingleToI32<roundDown>, U32, U32>("v_cvt_flr_i32_f32", B32, F32, NoOutputs),
    one<SingleToI32<roundDown>, U32, U32>("v_cvt_floor_i32_f32", B32, F32, NoOutputs),
    one<SingleToI32<roundNearest>, U32, U32>("v_cvt_rpi_i32_f32", B32, F32, NoOutputs),
    one<SingleToI32<roundNearest>, U32, U32>("v_cvt_nearest_i32_f32", B32, F32,
                                             NoOutputs),
    one<FloatToInteger<Single, uint32_t, truncate>, U32, U32>("v_cvt_u32_f32", B32, F32,
                                                              NoOutputs),
    one<FloatToInteger<Double, int32_t, truncate>, U64, U32>("v_cvt_i32_f64", B32, F64,
                                                             NoOutputs),
    one<FloatToInteger<Double, uint32_t, truncate>, U64, U32>("v_cvt_u32_f64", B32, F64,
                                                              NoOutputs),
    one<FloatToInteger<Half, int16_t, truncate>, U16, U16>("v_cvt_i16_f16", B16, F16,
                                                           ZeroesNoMods),
    one<FloatToInteger<Half, uint16_t, truncate>, U16, U16>("v_cvt_u16_f16", B16, F16,
                                                            ZeroesNoMods),
    one<HalfToNormalised<int16_t>, U16, U16>("v_cvt_norm_i16_f16", B16, F16,
                                             ZeroesNoMods),
    one<HalfToNormalised<uint16_t>, U16, U16>("v_cvt_norm_u16_f16", B16, F16,
                                              ZeroesNoMods),
};
} // namespace

Decoded tilewright::amdgpu::decodeFloatConvert(Decoder &decoder) {
  // An integer is in range after truncation: `clamp` says nothing new.
  for (const FloatEntry &entry : entries)
    if (entry.name == decoder.mnemonic() &&
        (entry.kind == NoOutputs || entry.kind == ZeroesNoMods))
      decoder.flag("clamp");
  return decodeFloats(decoder, entries);
}
