//===- FloatPackOps.cpp - Two floats converted into one word ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Float8.h"
#include "emulators/amdgpu/FloatConvert.h"

using namespace tilewright::amdgpu;
namespace emulator = tilewright::emulator;
namespace formats = tilewright::emulator::formats;

namespace {
/// v_cvt_pk of two sources into the low half and the high one. `Conversion` converts all
/// lanes of one.
template <typename Conversion>
Step packLanes(Wave &wave, const Instruction &instruction) {
  using Bits = typename Conversion::Bits;
  LaneArray<uint16_t> half[2];
  Lanes32 result;
  LanePoison poison = {};
  bool isPoisoned = false;
  for (unsigned i = 0; i < 2; ++i) {
    ReadSource<Bits> source(wave, instruction.source[i]);
    Conversion::convert(wave, instruction.flags, valuesOf(source), half[i]);
    isPoisoned |= source.poison != nullptr;
    for (unsigned lane = 0; source.poison && lane < maxLanes; ++lane)
      poison[lane] |= source.poison[lane] ? 3 << (2 * i) : 0;
  }
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    result[lane] = half[0][lane] | uint32_t(half[1][lane]) << 16;
  wave.write(instruction.destination[0], result.v, isPoisoned ? poison.v : nullptr);
  return Step::Next;
}

/// To f16: towards zero (pkrtz) or as MODE has it.
template <bool towardsZero> struct ToHalf {
  using Bits = uint32_t;
  static void convert(const Wave &wave, uint32_t flags, const uint32_t *values,
                      LaneArray<uint16_t> &result) {
    Environment in(wave, flags, true), out(wave, flags, false);
    if (towardsZero)
      out.rounding = Rounding::Zero;
    LaneArray<double> wide;
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      wide[lane] =
          widen<Single>(in.flushesSources ? flush<Single>(values[lane]) : values[lane]);
    roundToHalf(out, wide, result);
    convertNans<Single, Half>(values, result);
    if (out.changesResults())
      finishLanes<Half>(out, result);
  }
};

/// To bf16, to nearest even.
struct ToBf16 {
  using Bits = uint32_t;
  static void convert(const Wave &wave, uint32_t flags, const uint32_t *values,
                      LaneArray<uint16_t> &result) {
    const Environment environment(wave, flags, true);
    Lanes32 flushed;
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      flushed[lane] =
          environment.flushesSources ? flush<Single>(values[lane]) : values[lane];
    // In place of the value's upper half, so that `clamp` is of f32.
    for (unsigned lane = 0; lane < maxLanes; ++lane) {
      uint32_t bits = flushed[lane];
      uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1);
      flushed[lane] = magnitudeOf<Single>(bits) > infinity<Single>
                          ? bits | quietBit<Single>
                          : rounded;
      flushed[lane] &= 0xffff0000;
    }
    if (environment.changesResults())
      finishLanes<Single>(environment, flushed);
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      result[lane] = static_cast<uint16_t>(flushed[lane] >> 16);
  }
};

template <typename From, typename Integer> struct ToNormalised {
  using Bits = typename From::Bits;
  static void convert(const Wave &wave, uint32_t flags, const Bits *values,
                      LaneArray<uint16_t> &result) {
    const Environment in(wave, flags, From::isSingle);
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      result[lane] = toNormalised<Integer>(
          widen<From>(in.flushesSources ? flush<From>(values[lane]) : values[lane]));
  }
};

/// v_cvt_pk_i16_f32: truncated and clamped.
template <typename Integer> struct ToInteger16 {
  using Bits = uint32_t;
  static void convert(const Wave &, uint32_t, const uint32_t *values,
                      LaneArray<uint16_t> &result) {
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      result[lane] = static_cast<uint16_t>(
          toInteger<Integer>(std::trunc(widen<Single>(values[lane]))));
  }
};

/// v_pack_b32_f16: the bits as they are, so undefined bytes stay where they are.
Step packHalves(Wave &wave, const Instruction &instruction) {
  ReadSource<uint16_t> low(wave, instruction.source[0]),
      high(wave, instruction.source[1]);
  Lanes32 result;
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    result[lane] = low.values[lane] | uint32_t(high.values[lane]) << 16;
  LanePoison poison;
  if (low.poison || high.poison)
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      poison[lane] =
          static_cast<uint8_t>((low.poison ? low.poison[lane] & 3 : 0) |
                               (high.poison ? (high.poison[lane] & 3) << 2 : 0));
  wave.write(instruction.destination[0], result.v,
             low.poison || high.poison ? poison.v : nullptr);
  return Step::Next;
}

/// v_cvt_sr_f16_f32 and v_cvt_sr_bf16_f32: the second source is the seed.
template <const emulator::Format &format>
Step roundHalf(Wave &wave, const Instruction &instruction) {
  const Environment single(wave, instruction.flags, true);
  ReadSource<uint32_t> sources[] = {ReadSource<uint32_t>(wave, instruction.source[0]),
                                    ReadSource<uint32_t>(wave, instruction.source[1])};
  LaneArray<uint16_t> result;
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    uint32_t bits = sources[0].values[lane];
    double value = widen<Single>(single.flushesSources ? flush<Single>(bits) : bits);
    result[lane] = static_cast<uint16_t>(
        roundStochastically(format, value, sources[1].values[lane], single.saturates));
  }
  LanePoison buffer;
  writeLanes(wave, instruction, result, anyPoison(sources, buffer));
  return Step::Next;
}

constexpr Type B32 = Type::B32, F16 = Type::F16, BF16 = Type::BF16, F32 = Type::F32;
constexpr auto Plain = FloatEntry::Plain, NoOutputs = FloatEntry::NoOutputs;
template <typename Conversion>
constexpr FloatEntry pack(std::string_view name, Type source, FloatEntry::Kind kind) {
  return {name, packLanes<Conversion>, B32, {source, source}, 2, kind};
}
constexpr FloatEntry entries[] = {
    pack<ToHalf<true>>("v_cvt_pkrtz_f16_f32", F32, Plain),
    pack<ToHalf<true>>("v_cvt_pk_rtz_f16_f32", F32, Plain),
    pack<ToHalf<false>>("v_cvt_pk_f16_f32", F32, Plain),
    pack<ToBf16>("v_cvt_pk_bf16_f32", F32, Plain),
    {"v_cvt_sr_f16_f32", roundHalf<formats::f16>, F16, {F32, B32}, 2, NoOutputs},
    {"v_cvt_sr_bf16_f32", roundHalf<formats::bf16>, BF16, {F32, B32}, 2, NoOutputs},
    {"v_pack_b32_f16", packHalves, B32, {F16, F16}, 2, NoOutputs},
    pack<ToNormalised<Single, int16_t>>("v_cvt_pknorm_i16_f32", F32, NoOutputs),
    pack<ToNormalised<Single, uint16_t>>("v_cvt_pknorm_u16_f32", F32, NoOutputs),
    pack<ToNormalised<Half, int16_t>>("v_cvt_pknorm_i16_f16", F16, NoOutputs),
    pack<ToNormalised<Half, uint16_t>>("v_cvt_pknorm_u16_f16", F16, NoOutputs),
    pack<ToNormalised<Single, int16_t>>("v_cvt_pk_norm_i16_f32", F32, NoOutputs),
    pack<ToNormalised<Single, uint16_t>>("v_cvt_pk_norm_u16_f32", F32, NoOutputs),
    pack<ToNormalised<Half, int16_t>>("v_cvt_pk_norm_i16_f16", F16, NoOutputs),
    pack<ToNormalised<Half, uint16_t>>("v_cvt_pk_norm_u16_f16", F16, NoOutputs),
    pack<ToInteger16<int16_t>>("v_cvt_pk_i16_f32", F32, NoOutputs),
    pack<ToInteger16<uint16_t>>("v_cvt_pk_u16_f32", F32, NoOutputs),
};
} // namespace

Decoded tilewright::amdgpu::decodeFloatPack(Decoder &decoder) {
  return decodeFloats(decoder, entries);
}
