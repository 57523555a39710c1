//===- FloatMixedOps.cpp - Mixed precision and dot products -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// v_fma_mix: each source is f32, or where op_sel_hi has a bit for it the half of it that
// op_sel says. The sum is rounded to f32, and then to f16 for v_fma_mixlo and
// v_fma_mixhi.
//
// A dot product adds its exact products to the accumulator one after another, each sum
// rounded to the result's format; what hardware does in between is not published.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/FloatConvert.h"
#include "emulators/amdgpu/FloatOps.h"
#include "emulators/amdgpu/FloatPacked.h"

using namespace tilewright::amdgpu;
namespace emulator = tilewright::emulator;
namespace formats = tilewright::emulator::formats;

namespace {
enum MixedFlags : uint32_t {
  isHalfShift = 16, ///< three bits: which sources are f16
  GivesHalf = 1 << 19,
};

/// A source of v_fma_mix as f32, and what of it is undefined.
struct MixedSource {
  MixedSource(Wave &wave, const Source &source, bool isHalf, bool flushes) {
    if (isHalf) {
      ReadSource<uint16_t> read(wave, source);
      for (unsigned lane = 0; lane < maxLanes; ++lane)
        values[lane] = bitCast<uint32_t>(float(emulator::halfToDouble<emulator::F16>(
            flushes ? flush<Half>(read.values[lane]) : read.values[lane])));
      convertNans<Half, Single>(read.values.v, values);
      copyPoison(read.poison);
    } else {
      ReadSource<uint32_t> read(wave, source);
      memcpy(values.v, read.values, sizeof(values.v));
      copyPoison(read.poison);
    }
  }
  void copyPoison(const uint8_t *from) {
    isPoisoned = from != nullptr;
    if (from)
      memcpy(poison.v, from, sizeof(poison.v));
  }
  Lanes32 values;
  LanePoison poison;
  bool isPoisoned;
};

Step fmaMix(Wave &wave, const Instruction &instruction) {
  const uint32_t flags = instruction.flags;
  const bool givesHalf = flags & GivesHalf;
  const Environment wide(wave, flags, false);
  // `clamp` is of the last result.
  const Environment single(wave, givesHalf ? flags & ~uint32_t(Clamps) : flags, true);
  auto read = [&](unsigned i) {
    return MixedSource(wave, instruction.source[i], flags >> (isHalfShift + i) & 1,
                       wide.flushesSources);
  };
  MixedSource sources[] = {read(0), read(1), read(2)};
  const uint32_t *in[] = {sources[0].values.v, sources[1].values.v, sources[2].values.v};
  Lanes32 sum;
  applyLanes<Single, Fma>(single, sum, in, std::make_index_sequence<3>());
  LanePoison poison = {};
  bool isPoisoned = false;
  for (const MixedSource &source : sources) {
    isPoisoned |= source.isPoisoned;
    for (unsigned lane = 0; source.isPoisoned && lane < maxLanes; ++lane)
      poison[lane] |= source.poison[lane] ? 0xff : 0;
  }
  const uint8_t *undefined = isPoisoned ? poison.v : nullptr;
  if (!givesHalf) {
    wave.write(instruction.destination[0], sum.v, undefined);
    return Step::Next;
  }
  LaneArray<double> values;
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    values[lane] = double(bitCast<float>(sum[lane]));
  LaneArray<uint16_t> result;
  roundToHalf(wide, values, result);
  convertNans<Single, Half>(sum.v, result);
  if (wide.changesResults())
    finishLanes<Half>(wide, result);
  writeLanes(wave, instruction, result, undefined);
  return Step::Next;
}

bool decodeMixed(Decoder &decoder) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = fmaMix;
  std::vector<int64_t> select, isHalf;
  decoder.integers("op_sel", select);
  decoder.integers("op_sel_hi", isHalf);
  select.resize(3);
  isHalf.resize(3);
  if (!decoder.expect(4) || !decoder.destination(0, instruction.destination[0]) ||
      !decodeFloatModifiers(decoder))
    return false;
  for (unsigned i = 0; i < 3; ++i) {
    Source &source = instruction.source[i];
    if (!decoder.source(i + 1, isHalf[i] ? Type::F16 : Type::F32, source))
      return false;
    if (select[i] && (!isHalf[i] || source.kind == Operand::Integer))
      return decoder.fail("op_sel of what has no halves");
    source.isHigh = select[i];
    instruction.flags |= isHalf[i] ? 1u << (isHalfShift + i) : 0;
  }
  if (decoder.mnemonic() != "v_fma_mix_f32")
    instruction.flags |= GivesHalf;
  instruction.destination[0].isHigh = decoder.mnemonic() == "v_fma_mixhi_f16";
  return true;
}

//===----------------------------------------------------------------------===//
// Dot products
//===----------------------------------------------------------------------===//

struct Dot {
  double sign[2][4]; ///< of the factors of the first source and the second
};

// The factors that stand in a word.
struct OfF16 {
  static constexpr unsigned count = 2;
  static double get(uint32_t word, unsigned i) {
    return emulator::halfToDouble<emulator::F16>(word >> (16 * i) & 0xffff);
  }
};
struct OfBf16 {
  static constexpr unsigned count = 2;
  static double get(uint32_t word, unsigned i) {
    return double(bitCast<float>(word >> (16 * i) << 16));
  }
};
template <const emulator::Format &format> struct OfByte {
  static constexpr unsigned count = 4;
  static double get(uint32_t word, unsigned i) {
    return double(emulator::getValues8(format)[word >> (8 * i) & 0xff]);
  }
};
using OfFp8 = OfByte<formats::e4m3>;
using OfBf8 = OfByte<formats::e5m2>;

// Sums, as double has them.
struct InSingle {
  using Bits = uint32_t;
  static constexpr const emulator::Format &format = formats::f32;
  static double widen(Bits bits) { return double(bitCast<float>(bits)); }
  static Bits round(double value) { return bitCast<uint32_t>(float(value)); }
};
template <typename Small> struct InHalf {
  using Bits = uint16_t;
  static constexpr const emulator::Format &format = Small::format;
  static double widen(Bits bits) { return emulator::halfToDouble<Small>(bits); }
  static Bits round(double value) {
    return static_cast<Bits>(emulator::doubleToHalf<Small>(value));
  }
};

template <typename A, typename B, typename Sum>
Step dotLanes(Wave &wave, const Instruction &instruction) {
  using Bits = typename Sum::Bits;
  const Dot &dot = *static_cast<const Dot *>(instruction.extra);
  ReadSource<uint32_t> factors[] = {ReadSource<uint32_t>(wave, instruction.source[0]),
                                    ReadSource<uint32_t>(wave, instruction.source[1])};
  ReadSource<Bits> start[] = {ReadSource<Bits>(wave, instruction.source[2])};
  const Bits *starts = valuesOf(start[0]);
  LaneArray<Bits> result;
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    result[lane] = starts[lane];
  for (unsigned i = 0; i < A::count; ++i)
    for (unsigned lane = 0; lane < maxLanes; ++lane) {
      double a = A::get(factors[0].values[lane], i) * dot.sign[0][i];
      double b = B::get(factors[1].values[lane], i) * dot.sign[1][i];
      result[lane] = Sum::round(emulator::fusedToOdd(a, b, Sum::widen(result[lane])));
    }
  constexpr Bits top = static_cast<Bits>(Sum::format.infinity());
  constexpr Bits nan = top | Bits(1u << (Sum::format.mantissaBits - 1));
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    result[lane] = Bits(result[lane] << 1) > Bits(top << 1) ? nan : result[lane];
  const Environment environment(wave, instruction.flags, sizeof(Bits) == 4);
  if constexpr (sizeof(Bits) == 4) {
    if (environment.clamps)
      finishLanes<Single>(environment, result);
  }
  LanePoison buffer, second;
  const uint8_t *poison = anyPoison(factors, buffer), *other = anyPoison(start, second);
  if (poison && other)
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      buffer[lane] |= second[lane];
  writeResult(wave, instruction, result, poison ? poison : other);
  return Step::Next;
}

struct DotEntry {
  std::string_view name;
  Handler handler;
  Type accumulator, factors;
  bool accumulates = false;
};
constexpr Type F16 = Type::F16, BF16 = Type::BF16, B32 = Type::B32, F32 = Type::F32;
constexpr DotEntry dots[] = {
    {"v_dot2_f32_f16", dotLanes<OfF16, OfF16, InSingle>, F32, F16},
    {"v_dot2c_f32_f16", dotLanes<OfF16, OfF16, InSingle>, F32, F16, true},
    {"v_dot2acc_f32_f16", dotLanes<OfF16, OfF16, InSingle>, F32, F16, true},
    {"v_dot2_f32_bf16", dotLanes<OfBf16, OfBf16, InSingle>, F32, BF16},
    {"v_dot2c_f32_bf16", dotLanes<OfBf16, OfBf16, InSingle>, F32, BF16, true},
    {"v_dot2acc_f32_bf16", dotLanes<OfBf16, OfBf16, InSingle>, F32, BF16, true},
    {"v_dot2_f16_f16", dotLanes<OfF16, OfF16, InHalf<emulator::F16>>, F16, F16},
    {"v_dot2_bf16_bf16", dotLanes<OfBf16, OfBf16, InHalf<emulator::BF16>>, BF16, BF16},
    {"v_dot4_f32_fp8_fp8", dotLanes<OfFp8, OfFp8, InSingle>, F32, B32},
    {"v_dot4_f32_fp8_bf8", dotLanes<OfFp8, OfBf8, InSingle>, F32, B32},
    {"v_dot4_f32_bf8_fp8", dotLanes<OfBf8, OfFp8, InSingle>, F32, B32},
    {"v_dot4_f32_bf8_bf8", dotLanes<OfBf8, OfBf8, InSingle>, F32, B32},
};

bool decodeDot(Decoder &decoder, const DotEntry &entry) {
  Instruction &instruction = decoder.instruction;
  const bool isHalf = getBits(entry.accumulator) == 16;
  instruction.execute = entry.handler;
  if (!decoder.expect(entry.accumulates ? 3 : 4) ||
      !decoder.destination(0, instruction.destination[0]))
    return false;
  Dot dot;
  for (auto &signs : dot.sign)
    for (double &sign : signs)
      sign = 1;
  for (unsigned i = 0; i < 2; ++i)
    if (!packedHalf(decoder, i + 1, entry.factors, instruction.source[i]))
      return false;
  Source &start = instruction.source[2];
  if (entry.accumulates)
    start = instruction.destination[0];
  else if (!decoder.source(3, entry.accumulator, start))
    return false;
  decodeFloatModifiers(decoder, false);
  if (decoder.flag("clamp")) {
    if (isHalf)
      return decoder.fail("clamp is not modelled");
    instruction.flags |= Clamps;
  }
  if (isHalf) {
    instruction.extra = decoder.keep(dot);
    const Type types[] = {Type::B32, Type::B32, entry.accumulator};
    return decodeHalves(decoder, types, 3, entry.accumulator);
  }
  // neg_lo and neg_hi are of the factors; of the accumulator neg_lo negates.
  PackedModifiers modifiers;
  if (!decodePackedModifiers(decoder, entry.accumulates ? 2 : 3, modifiers))
    return false;
  for (unsigned i = 0; i < 3; ++i)
    if (modifiers.select[0][i] || !(modifiers.select[1][i] || entry.accumulates))
      return decoder.fail("op_sel of a dot product is not modelled");
  for (unsigned i = 0; i < 2; ++i)
    for (unsigned part = 0; part < 2; ++part) {
      if (!modifiers.negate[part][i])
        continue;
      if (entry.factors == B32)
        return decoder.fail("neg of a factor of eight bits");
      dot.sign[i][part] = -1;
    }
  if (modifiers.negate[0][2])
    start.flip ^= 0x80000000;
  if (modifiers.negate[1][2])
    return decoder.fail("neg_hi of the accumulator is not modelled");
  instruction.extra = decoder.keep(dot);
  return true;
}
} // namespace

Decoded tilewright::amdgpu::decodeFloatMixed(Decoder &decoder) {
  std::string_view name = decoder.mnemonic();
  if (name == "v_fma_mix_f32" || name == "v_fma_mixlo_f16" || name == "v_fma_mixhi_f16")
    return decodedIf(decodeMixed(decoder));
  for (const DotEntry &entry : dots)
    if (entry.name == name)
      return decodedIf(decodeDot(decoder, entry));
  return Decoded::NotMine;
}
