//===- FloatCompareOps.cpp - Comparisons and classes of floats ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// v_cmp_OP_f32 s[0:1], v0, v1. v_cmpx sets EXEC: on gfx9 besides its destination, on
// gfx11 and gfx12 instead of one.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/FloatLanes.h"

using namespace tilewright::amdgpu;

namespace {
/// What a comparison holds for, as a bit for each relation of the operands.
enum Relation : uint8_t { Less = 1, Equal = 2, Greater = 4, Unordered = 8 };
struct Comparison {
  std::string_view name;
  uint8_t relations;
};
constexpr Comparison comparisons[] = {
    {"f", 0},
    {"lt", Less},
    {"eq", Equal},
    {"le", Less | Equal},
    {"gt", Greater},
    {"lg", Less | Greater},
    {"ge", Greater | Equal},
    {"o", Less | Equal | Greater},
    {"u", Unordered},
    {"nge", Less | Unordered},
    {"nlg", Equal | Unordered},
    {"ngt", Less | Equal | Unordered},
    {"nle", Greater | Unordered},
    {"neq", Less | Greater | Unordered},
    {"nlt", Equal | Greater | Unordered},
    {"tru", Less | Equal | Greater | Unordered},
    {"t", Less | Equal | Greater | Unordered},
};

enum CompareFlags : uint32_t {
  relationShift = 16, ///< four bits
  SetsExec = 1 << 20,
  HasNoDestination = 1 << 21,
};

/// Writes a comparison's bit of each active lane, undefined where `poison` is.
void writeLaneMask(Wave &wave, const Instruction &instruction, uint64_t bits,
                   const uint8_t *poison) {
  ScalarValue result;
  result.bits = bits & wave.active;
  for (unsigned lane = 0; poison && lane < maxLanes; ++lane)
    result.poison |= uint64_t(poison[lane] != 0) << lane;
  result.poison &= wave.active;
  if (!(instruction.flags & HasNoDestination))
    wave.writeMask(instruction.destination[0], result);
  if (instruction.flags & SetsExec) {
    Source exec;
    exec.kind = Operand::Scalar;
    exec.reg = Exec;
    exec.count = static_cast<uint8_t>(wave.lanes / 32);
    wave.writeMask(exec, result);
  }
}

/// A bit for each lane that is not zero.
template <typename Bits> uint64_t packLanes(const LaneArray<Bits> &lanes) {
  uint64_t bits = 0;
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    bits |= uint64_t(lanes[lane] != 0) << lane;
  return bits;
}

template <typename F> Step compareFloats(Wave &wave, const Instruction &instruction) {
  using Bits = typename F::Bits;
  using Signed = std::make_signed_t<Bits>;
  ReadSource<Bits> sources[] = {ReadSource<Bits>(wave, instruction.source[0]),
                                ReadSource<Bits>(wave, instruction.source[1])};
  const Environment environment(wave, instruction.flags, F::isSingle);
  LaneArray<Bits> ordered[2], nan, held;
  // Values as integers of the same order, both zeroes 0.
  const Bits smallest =
      environment.flushesSources ? Bits(uint64_t(1) << F::format.mantissaBits) : Bits(1);
  for (unsigned i = 0; i < 2; ++i) {
    const Bits *in = valuesOf(sources[i]);
    for (unsigned lane = 0; lane < maxLanes; ++lane) {
      Bits magnitude = magnitudeOf<F>(in[lane]);
      magnitude = magnitude < smallest ? Bits(0) : magnitude;
      ordered[i][lane] = in[lane] & signBit<F> ? Bits(0 - magnitude) : magnitude;
    }
  }
  const Bits *a = valuesOf(sources[0]), *b = valuesOf(sources[1]);
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    nan[lane] = Bits(magnitudeOf<F>(a[lane]) > infinity<F>) |
                Bits(magnitudeOf<F>(b[lane]) > infinity<F>);
  const uint32_t relations = instruction.flags >> relationShift;
  const Bits less = relations & Less ? 1 : 0, equal = relations & Equal ? 1 : 0,
             greater = relations & Greater ? 1 : 0,
             unordered = relations & Unordered ? 1 : 0;
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    Signed x = static_cast<Signed>(ordered[0][lane]);
    Signed y = static_cast<Signed>(ordered[1][lane]);
    Bits of = x < y ? less : x == y ? equal : greater;
    held[lane] = nan[lane] ? unordered : of;
  }
  LanePoison buffer;
  writeLaneMask(wave, instruction, packLanes(held), anyPoison(sources, buffer));
  return Step::Next;
}

/// The bit of v_cmp_class's mask that a value's class has.
template <typename F> constexpr unsigned classOf(typename F::Bits bits) {
  if (isNan<F>(bits))
    return isSignalling<F>(bits) ? 0 : 1;
  unsigned kind = magnitudeOf<F>(bits) == infinity<F> ? 0
                  : isZero<F>(bits)                   ? 3
                  : isSubnormal<F>(bits)              ? 2
                                                      : 1;
  return bits & signBit<F> ? 2 + kind : 9 - kind;
}

template <typename F, typename Mask>
Step compareClass(Wave &wave, const Instruction &instruction) {
  ReadSource<typename F::Bits> value[] = {
      ReadSource<typename F::Bits>(wave, instruction.source[0])};
  ReadSource<Mask> mask[] = {ReadSource<Mask>(wave, instruction.source[1])};
  const auto *bits = valuesOf(value[0]);
  const Mask *masks = valuesOf(mask[0]);
  LaneArray<uint8_t> held;
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    held[lane] = masks[lane] >> classOf<F>(bits[lane]) & 1;
  LanePoison buffer, maskBuffer, poison;
  const uint8_t *of = anyPoison(value, buffer), *ofMask = anyPoison(mask, maskBuffer);
  for (unsigned lane = 0; (of || ofMask) && lane < maxLanes; ++lane)
    poison[lane] =
        static_cast<uint8_t>((of ? of[lane] : 0) | (ofMask ? ofMask[lane] : 0));
  writeLaneMask(wave, instruction, packLanes(held), of || ofMask ? poison.v : nullptr);
  return Step::Next;
}

bool consume(std::string_view &text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix)
    return false;
  text.remove_prefix(prefix.size());
  return true;
}
} // namespace

Decoded tilewright::amdgpu::decodeFloatCompare(Decoder &decoder) {
  std::string_view name = decoder.mnemonic();
  bool setsExec = consume(name, "v_cmpx_");
  if (!setsExec && !consume(name, "v_cmp_"))
    return Decoded::NotMine;
  size_t underscore = name.find('_');
  if (underscore == std::string_view::npos)
    return Decoded::NotMine;
  std::string_view relation = name.substr(0, underscore);
  std::string_view format = name.substr(underscore + 1);
  Type type = format == "f32" ? Type::F32 : format == "f64" ? Type::F64 : Type::F16;
  if (type == Type::F16 && format != "f16")
    return Decoded::NotMine;

  Instruction &instruction = decoder.instruction;
  Type second = type;
  if (relation == "class") {
    second = type == Type::F16 ? Type::B16 : Type::B32;
    instruction.execute = type == Type::F32   ? compareClass<Single, uint32_t>
                          : type == Type::F64 ? compareClass<Double, uint32_t>
                                              : compareClass<Half, uint16_t>;
  } else {
    const Comparison *found = nullptr;
    for (const Comparison &comparison : comparisons)
      if (comparison.name == relation)
        found = &comparison;
    if (!found)
      return Decoded::NotMine;
    instruction.flags |= uint32_t(found->relations) << relationShift;
    instruction.execute = type == Type::F32   ? compareFloats<Single>
                          : type == Type::F64 ? compareFloats<Double>
                                              : compareFloats<Half>;
  }
  bool hasDestination = !setsExec || decoder.target.isCdna();
  if (setsExec)
    instruction.flags |= SetsExec;
  if (!hasDestination)
    instruction.flags |= HasNoDestination;
  // Here `clamp` only makes quiet NaNs raise exceptions.
  decoder.flag("clamp");
  const Type types[] = {type, second};
  return decodedIf(
      decoder.expect(2 + hasDestination) &&
      (!hasDestination || decoder.destination(0, instruction.destination[0],
                                              decoder.target.waveSize / 32)) &&
      decoder.source(hasDestination, type, instruction.source[0]) &&
      decoder.source(hasDestination + 1, second, instruction.source[1]) &&
      decodeFloatModifiers(decoder, false) && decodeHalves(decoder, types, 2, Type::B32));
}
