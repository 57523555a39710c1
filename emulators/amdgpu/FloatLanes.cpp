//===- FloatLanes.cpp - Floating-point operations of lanes --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/FloatLanes.h"

#include <cmath>

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

Environment::Environment(const Wave &wave, uint32_t flags, bool isSingle) {
  constexpr Rounding roundings[] = {Rounding::NearestEven, Rounding::Up, Rounding::Down,
                                    Rounding::Zero};
  constexpr double factors[] = {1, 2, 4, 0.5};
  const uint32_t mode = wave.mode;
  const bool isModern = flags & IsModern;
  rounding = roundings[mode >> (isSingle ? 0 : 2) & 3];
  uint32_t subnormals = mode >> (isSingle ? 4 : 6) & 3;
  flushesSources = !(subnormals & 1);
  flushesResults = !(subnormals & 2);
  isIeee = isModern || (mode >> 9 & 1);
  clampsNan = isModern || (mode >> 8 & 1);
  clamps = flags & Clamps;
  saturates = mode >> 23 & 1;
  // Output modifiers do nothing where results keep subnormals, nor with the IEEE bit.
  bool hasFactor = flushesResults && (isModern || !isIeee);
  factor = hasFactor ? factors[(flags & omodMask) >> omodShift] : 1;
}

template <typename F>
void tilewright::amdgpu::flushLanes(LaneArray<typename F::Bits> &lanes) {
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    lanes[lane] = flush<F>(lanes[lane]);
}

template <typename F>
void tilewright::amdgpu::finishLanes(const Environment &environment,
                                     LaneArray<typename F::Bits> &lanes) {
  using Bits = typename F::Bits;
  if (environment.factor != 1) {
    for (unsigned lane = 0; lane < maxLanes; ++lane) {
      Bits bits = lanes[lane];
      if (isNan<F>(bits))
        continue;
      // -0 becomes +0.
      double value = valueOf<F>(flush<F>(bits)) * environment.factor + 0.0;
      lanes[lane] = static_cast<Bits>(fromDouble(F::format, value, environment.rounding));
    }
  }
  if (environment.flushesResults)
    flushLanes<F>(lanes);
  if (environment.clamps) {
    const Bits nan = environment.clampsNan ? 0 : ~Bits(0);
    for (unsigned lane = 0; lane < maxLanes; ++lane) {
      Bits bits = lanes[lane], magnitude = magnitudeOf<F>(bits);
      Bits clamped = bits > signBit<F> ? Bits(0) : bits;
      clamped = magnitude > oneBits<F> && !(bits & signBit<F>) ? oneBits<F> : clamped;
      lanes[lane] = magnitude > infinity<F> ? bits & nan : clamped;
    }
  }
}

template <typename F>
void tilewright::amdgpu::chooseNans(LaneArray<typename F::Bits> &results,
                                    const typename F::Bits *const *sources,
                                    unsigned count) {
  using Bits = typename F::Bits;
  Bits any = 0;
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    any |= Bits(magnitudeOf<F>(results[lane]) > infinity<F>);
  if (!any)
    return;
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    if (!isNan<F>(results[lane]))
      continue;
    Bits nan = defaultNan<F>;
    for (unsigned i = count; i-- > 0;)
      if (isNan<F>(sources[i][lane]))
        nan = sources[i][lane] | quietBit<F>;
    results[lane] = nan;
  }
}

namespace tilewright::amdgpu {
template void flushLanes<Single>(LaneArray<uint32_t> &);
template void flushLanes<Double>(LaneArray<uint64_t> &);
template void flushLanes<Half>(LaneArray<uint16_t> &);
template void finishLanes<Single>(const Environment &, LaneArray<uint32_t> &);
template void finishLanes<Double>(const Environment &, LaneArray<uint64_t> &);
template void finishLanes<Half>(const Environment &, LaneArray<uint16_t> &);
template void chooseNans<Single>(LaneArray<uint32_t> &, const uint32_t *const *,
                                 unsigned);
template void chooseNans<Double>(LaneArray<uint64_t> &, const uint64_t *const *,
                                 unsigned);
template void chooseNans<Half>(LaneArray<uint16_t> &, const uint16_t *const *, unsigned);
} // namespace tilewright::amdgpu

void tilewright::amdgpu::roundToHalf(const Environment &environment,
                                     const LaneArray<double> &values,
                                     LaneArray<uint16_t> &results) {
  if (environment.rounding == Rounding::NearestEven && !environment.saturates) {
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      results[lane] = static_cast<uint16_t>(doubleToHalf<F16>(values[lane]));
    return;
  }
  if (environment.rounding == Rounding::Zero && !environment.saturates) {
    // To nearest, and back by one where that went away from zero.
    constexpr uint64_t magnitude = ~(uint64_t(1) << 63);
    for (unsigned lane = 0; lane < maxLanes; ++lane) {
      uint64_t half = doubleToHalf<F16>(values[lane]);
      uint64_t back = bitCast<uint64_t>(halfToDouble<F16>(half)) & magnitude;
      uint64_t value = bitCast<uint64_t>(values[lane]) & magnitude;
      results[lane] = static_cast<uint16_t>(half - (int64_t(back) > int64_t(value)));
    }
    return;
  }
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    // An infinity is no overflow.
    bool saturates = environment.saturates && std::isfinite(values[lane]);
    results[lane] = static_cast<uint16_t>(
        fromDouble(formats::f16, values[lane], environment.rounding, saturates));
  }
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

bool tilewright::amdgpu::decodeFloatModifiers(Decoder &decoder, bool hasOutputModifiers) {
  uint32_t &flags = decoder.instruction.flags;
  if (decoder.target.generation >= 12)
    flags |= IsModern;
  if (!hasOutputModifiers)
    return true;
  if (decoder.flag("clamp"))
    flags |= Clamps;
  int64_t factor = 0;
  uint32_t omod = 0;
  if (decoder.integer("mul", factor)) {
    if (factor != 2 && factor != 4)
      return decoder.fail("mul by neither 2 nor 4");
    omod = factor == 2 ? 1 : 2;
  }
  if (decoder.integer("div", factor)) {
    if (factor != 2)
      return decoder.fail("div by something else than 2");
    omod = 3;
  }
  flags |= omod << omodShift;
  return decoder.getError().empty();
}

bool tilewright::amdgpu::decodeHalves(Decoder &decoder, const Type *types, unsigned count,
                                      Type result) {
  Instruction &instruction = decoder.instruction;
  std::vector<int64_t> select;
  if (!decoder.integers("op_sel", select))
    return decoder.getError().empty();
  if (select.size() > count + 1)
    return decoder.fail("op_sel is too long");
  for (size_t i = 0; i < select.size(); ++i) {
    if (select[i] == 0)
      continue;
    Type type = i < count ? types[i] : result;
    Source &source = i < count ? instruction.source[i] : instruction.destination[0];
    if (select[i] != 1 || getBits(type) != 16)
      return decoder.fail("op_sel of what has no halves");
    if (source.kind == Operand::Integer)
      return decoder.fail("op_sel of a constant");
    source.isHigh = true;
  }
  return true;
}

bool tilewright::amdgpu::decodeFloatEntry(Decoder &decoder, const FloatEntry &entry) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = entry.handler;
  bool accumulates = entry.kind == FloatEntry::Accumulates;
  unsigned written = entry.count - accumulates;
  if (!decoder.expect(written + 1) ||
      !decoder.destination(0, instruction.destination[0],
                           getBits(entry.result) == 64 ? 2 : 1))
    return false;
  for (unsigned i = 0; i < written; ++i)
    if (!decoder.source(i + 1, entry.sources[i], instruction.source[i]))
      return false;
  bool hasOutputModifiers =
      entry.kind != FloatEntry::NoOutputs && entry.kind != FloatEntry::ZeroesNoMods;
  if (!decodeFloatModifiers(decoder, hasOutputModifiers))
    return false;
  if ((entry.kind == FloatEntry::ZeroesHalf || entry.kind == FloatEntry::ZeroesNoMods) &&
      decoder.target.isCdna())
    instruction.flags |= zeroesOtherHalf;
  // op_sel has a place for the accumulator too, which is the result's half.
  if (!decodeHalves(decoder, entry.sources, entry.count, entry.result))
    return false;
  if (accumulates) {
    instruction.source[written].isHigh = false;
    instruction.source[written] = instruction.destination[0];
  }
  return true;
}
