//===- FloatLanes.h - Floating-point operations of lanes ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An operation is a struct with functions of values, which templates here make handlers
// of: one for each format that it has.
//
//   struct Multiply {
//     template <typename T> static T apply(T a, T b) { return a * b; } // float, double
//     static double toOdd(double a, double b) { return a * b; }        // of f16
//   };
//
// What the wave's MODE register and the instruction's modifiers ask for is done around
// it: subnormals that are flushed, the rounding, `mul:2`, `clamp`. The usual setting
// costs nothing. A NaN is the first source that is one, made quiet; an operation that
// makes one makes the positive quiet NaN without a payload.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_FLOATLANES_H
#define TILEWRIGHT_EMULATORS_AMDGPU_FLOATLANES_H

#include "emulators/amdgpu/HalfLanes.h"
#include "emulators/amdgpu/VectorAlu.h"
#include "emulators/common/Float.h"

namespace tilewright::amdgpu {

using emulator::bitCast;
using emulator::Rounding;

/// Of Instruction::flags.
enum FloatFlags : uint32_t {
  Clamps = 1,
  omodShift = 1, ///< two bits: 1 doubles, 2 makes four times as much, 3 halves
  omodMask = 3 << omodShift,
  /// Of gfx12, whose MODE has neither IEEE nor DX10_CLAMP.
  IsModern = 8,
};

struct Single {
  using Bits = uint32_t;
  using Value = float;
  static constexpr bool isSingle = true;
  static constexpr const emulator::Format &format = emulator::formats::f32;
  static constexpr Type type = Type::F32;
};
struct Double {
  using Bits = uint64_t;
  using Value = double;
  static constexpr bool isSingle = false;
  static constexpr const emulator::Format &format = emulator::formats::f64;
  static constexpr Type type = Type::F64;
};
/// Computed in double, exactly or rounded to odd, and rounded once.
struct Half {
  using Bits = uint16_t;
  using Value = double;
  static constexpr bool isSingle = false;
  static constexpr const emulator::Format &format = emulator::formats::f16;
  static constexpr Type type = Type::F16;
};

template <typename F>
constexpr typename F::Bits signBit = typename F::Bits(F::format.signBit());
template <typename F>
constexpr typename F::Bits infinity = typename F::Bits(F::format.infinity());
template <typename F>
constexpr typename F::Bits quietBit =
    typename F::Bits(uint64_t(1) << (F::format.mantissaBits - 1));
template <typename F> constexpr typename F::Bits defaultNan = infinity<F> | quietBit<F>;
template <typename F>
constexpr typename F::Bits oneBits =
    typename F::Bits(uint64_t(F::format.bias) << F::format.mantissaBits);

template <typename F> constexpr typename F::Bits magnitudeOf(typename F::Bits bits) {
  return bits & typename F::Bits(~signBit<F>);
}
template <typename F> constexpr bool isNan(typename F::Bits bits) {
  return magnitudeOf<F>(bits) > infinity<F>;
}
template <typename F> constexpr bool isSignalling(typename F::Bits bits) {
  return isNan<F>(bits) && !(bits & quietBit<F>);
}
template <typename F> constexpr bool isSubnormal(typename F::Bits bits) {
  return magnitudeOf<F>(bits) != 0 && !(bits & infinity<F>);
}
template <typename F> constexpr bool isZero(typename F::Bits bits) {
  return magnitudeOf<F>(bits) == 0;
}
template <typename F> double valueOf(typename F::Bits bits) {
  return emulator::toDouble(F::format, bits);
}

/// What MODE and the modifiers ask for, for results of one format.
struct Environment {
  Environment(const Wave &wave, uint32_t flags, bool isSingle);
  Rounding rounding;
  bool flushesSources, flushesResults;
  bool isIeee, clampsNan, clamps;
  /// Results of f16 and shorter that are too large are the largest value.
  bool saturates;
  double factor; ///< 1 where there is none
  bool changesResults() const { return flushesResults || clamps || factor != 1; }
};

/// A subnormal becomes a zero of its sign.
template <typename F> constexpr typename F::Bits flush(typename F::Bits bits) {
  using Bits = typename F::Bits;
  return bits & Bits(bits & infinity<F> ? ~Bits(0) : signBit<F>);
}

template <typename F> void flushLanes(LaneArray<typename F::Bits> &lanes);
/// `mul:2` and the like, flushing, `clamp`: of results.
template <typename F>
void finishLanes(const Environment &environment, LaneArray<typename F::Bits> &lanes);
/// Makes each NaN among `results` the NaN that it should be.
template <typename F>
void chooseNans(LaneArray<typename F::Bits> &results,
                const typename F::Bits *const *sources, unsigned count);

/// Rounds the lanes' values to f16.
void roundToHalf(const Environment &environment, const LaneArray<double> &values,
                 LaneArray<uint16_t> &results);

template <typename Bits> const Bits *valuesOf(const ReadSource<Bits> &source) {
  if constexpr (std::is_same_v<Bits, uint16_t>)
    return source.values.v;
  else
    return source.values;
}

/// A bit for each byte of the result where any source has one; null where none has.
template <typename Bits, size_t count>
const uint8_t *anyPoison(const ReadSource<Bits> (&sources)[count], LanePoison &buffer) {
  bool any = false;
  for (const auto &source : sources)
    any |= source.poison != nullptr;
  if (!any)
    return nullptr;
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    buffer[lane] = 0;
  for (const auto &source : sources)
    for (unsigned lane = 0; source.poison && lane < maxLanes; ++lane)
      buffer[lane] |= source.poison[lane] ? 0xff : 0;
  return buffer.v;
}

template <typename Bits>
void writeResult(Wave &wave, const Instruction &instruction, LaneArray<Bits> &result,
                 const uint8_t *poison) {
  if constexpr (std::is_same_v<Bits, uint16_t>)
    writeLanes(wave, instruction, result, poison);
  else
    wave.write(instruction.destination[0], result.v, poison);
}

/// Operations that never keep subnormals (v_exp_f32) say so with `flushes`, those that
/// always round to nearest with `ignoresRounding`.
template <typename Operation, typename = void> struct Flushes : std::false_type {};
template <typename Operation>
struct Flushes<Operation, std::void_t<decltype(Operation::flushes)>> : std::true_type {};
template <typename Operation, typename = void>
struct IgnoresRounding : std::false_type {};
template <typename Operation>
struct IgnoresRounding<Operation, std::void_t<decltype(Operation::ignoresRounding)>>
    : std::true_type {};

// The pointers are parameters of their own, so that compilers see that they do not alias.
template <typename F, typename Operation, typename... Sources>
[[gnu::noinline]] void computeLanes(const Environment &environment,
                                    LaneArray<typename F::Bits> &__restrict result,
                                    const Sources *__restrict... in) {
  using Bits = typename F::Bits;
  using Value = typename F::Value;
  if constexpr (std::is_same_v<F, Half>) {
    LaneArray<double> values;
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      values[lane] = Operation::toOdd(emulator::halfToDouble<emulator::F16>(in[lane])...);
    roundToHalf(environment, values, result);
  } else {
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      result[lane] = bitCast<Bits>(Value(Operation::apply(bitCast<Value>(in[lane])...)));
  }
}

/// The results of an operation on sources that were read, which it may change.
template <typename F, typename Operation, size_t... index>
void applyLanes(Environment environment, LaneArray<typename F::Bits> &result,
                const typename F::Bits **in, std::index_sequence<index...>) {
  using Bits = typename F::Bits;
  constexpr size_t count = sizeof...(index);
  if constexpr (Flushes<Operation>::value)
    environment.flushesSources = environment.flushesResults = true;
  if constexpr (IgnoresRounding<Operation>::value)
    environment.rounding = Rounding::NearestEven;
  LaneArray<Bits> copies[count];
  if (environment.flushesSources)
    for (size_t i = 0; i < count; ++i) {
      memcpy(copies[i].v, in[i], sizeof(copies[i].v));
      flushLanes<F>(copies[i]);
      in[i] = copies[i].v;
    }
  if (std::is_same_v<F, Half> || environment.rounding == Rounding::NearestEven) {
    computeLanes<F, Operation>(environment, result, in[index]...);
  } else {
    emulator::RoundingScope scope(environment.rounding);
    computeLanes<F, Operation>(environment, result, in[index]...);
  }
  chooseNans<F>(result, in, count);
  if (environment.changesResults())
    finishLanes<F>(environment, result);
}

template <typename F, typename Operation, size_t... index>
Step runFloatSources(Wave &wave, const Instruction &instruction,
                     std::index_sequence<index...> indices) {
  using Bits = typename F::Bits;
  ReadSource<Bits> sources[] = {ReadSource<Bits>(wave, instruction.source[index])...};
  const Bits *in[] = {valuesOf(sources[index])...};
  LaneArray<Bits> result;
  applyLanes<F, Operation>({wave, instruction.flags, F::isSingle}, result, in, indices);
  LanePoison buffer;
  writeResult(wave, instruction, result, anyPoison(sources, buffer));
  return Step::Next;
}

/// The handler of an operation with `count` sources, all of the result's format.
template <typename F, typename Operation, unsigned count>
Step runFloat(Wave &wave, const Instruction &instruction) {
  return runFloatSources<F, Operation>(wave, instruction,
                                       std::make_index_sequence<count>());
}

/// How an operation is written and decoded.
struct FloatEntry {
  std::string_view name;
  Handler handler;
  Type result;
  Type sources[3];
  unsigned count;
  enum Kind : uint8_t {
    Plain,
    Accumulates,  ///< the destination is the last source as well
    ZeroesHalf,   ///< on gfx9 the other half of the register becomes zero
    NoOutputs,    ///< its result is no float: neither `clamp` nor `mul:2`
    ZeroesNoMods, ///< both
  } kind = Plain;
};

/// `clamp`, `mul:2`, `mul:4`, `div:2`, and what generation it is.
bool decodeFloatModifiers(Decoder &decoder, bool hasOutputModifiers = true);
/// op_sel of an operation whose sources and result are of these types.
bool decodeHalves(Decoder &decoder, const Type *types, unsigned count, Type result);
bool decodeFloatEntry(Decoder &decoder, const FloatEntry &entry);

template <size_t size>
Decoded decodeFloats(Decoder &decoder, const FloatEntry (&entries)[size]) {
  for (const FloatEntry &entry : entries)
    if (entry.name == decoder.mnemonic())
      return decodedIf(decodeFloatEntry(decoder, entry));
  return Decoded::NotMine;
}

// The families' parts.
Decoded decodeFloatArithmetic(Decoder &decoder);
Decoded decodeFloatFunctions(Decoder &decoder);
Decoded decodeFloatSelect(Decoder &decoder);
Decoded decodeFloatScale(Decoder &decoder);
Decoded decodeFloatDivide(Decoder &decoder);
Decoded decodeFloatCompare(Decoder &decoder);
Decoded decodeFloatConvert(Decoder &decoder);
Decoded decodeFloatPack(Decoder &decoder);
Decoded decodeFloatPacked(Decoder &decoder);
Decoded decodeFloatMixed(Decoder &decoder);
Decoded decodeFloat8(Decoder &decoder);
Decoded decodeFloatScaled(Decoder &decoder);

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_FLOATLANES_H
