//===- FloatLanes.h - What handlers of floating point share -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel computes an operation for 32 lanes, rounded to nearest or as the host's
// rounding mode says. Around it are the steps that modifiers ask for: subnormal inputs
// and results flushed to zero (.ftz), results clamped (.sat, .relu).
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_FLOATLANES_H
#define TILEWRIGHT_EMULATORS_PTX_FLOATLANES_H

#include "emulators/common/Float.h"
#include "emulators/ptx/Elementwise.h"

namespace tilewright::ptx {

using emulator::bitCast;
using emulator::Rounding;

/// Bits of Instruction::flags.
enum FloatFlags : uint32_t {
  FlushesSubnormals = 1,
  Saturates = 2,
  Rectifies = 4,
  /// The first source, or the first two, are f16 or bf16 and the rest f32.
  WidensF16 = 8,
  WidensBf16 = 16,
  roundingShift = 8,
};

constexpr uint32_t f32Nan = 0x7fffffff, f32Infinity = 0x7f800000;

using FloatKernel = void (*)(LaneBuffer &result, const uint64_t *a, const uint64_t *b,
                             const uint64_t *c);

/// `from` with subnormals of `type` made zero of their sign.
void flushLanes(Type type, const uint64_t *from, LaneBuffer &to);
/// Clamps and flushes as `flags` say.
void finishLanes(Type type, uint32_t flags, LaneBuffer &lanes);
/// Makes f32 of halves, as `flags` say.
void widenLanes(uint32_t flags, const uint64_t *from, LaneBuffer &to);
/// Runs `kernel` while the host rounds as `rounding` says.
void runRounded(FloatKernel kernel, Rounding rounding, LaneBuffer &result,
                const uint64_t *a, const uint64_t *b, const uint64_t *c);

constexpr bool isPair(Type type) {
  return type == Type::F16x2 || type == Type::BF16x2 || type == Type::F32x2;
}
/// Bytes of a value.
constexpr unsigned bytesOf(Type type) {
  switch (type) {
  case Type::F16:
  case Type::BF16:
    return 2;
  case Type::F64:
  case Type::F32x2:
    return 8;
  default:
    return 4;
  }
}

/// NaN made canonical.
inline uint64_t canonicalF32(float value) {
  uint32_t bits = bitCast<uint32_t>(value);
  uint32_t isNan = -uint32_t((bits & 0x7fffffff) > f32Infinity);
  return (bits | isNan) & ~(isNan & 0x80000000);
}

/// A handler of values of `type`.
template <Type ValueType, FloatKernel Kernel, unsigned Sources>
Step floatHandler(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  const uint32_t flags = instruction.flags;
  const uint64_t *in[3];
  for (unsigned i = 0; i < 3; ++i)
    in[i] = warp.values(reg[1 + (i < Sources ? i : 0)]);
  LaneBuffer result;
  if (flags == 0) {
    Kernel(result, in[0], in[1], in[2]);
  } else {
    LaneBuffer copies[3];
    for (unsigned i = 0; i < Sources; ++i) {
      if ((flags & (WidensF16 | WidensBf16)) && i + 1 < Sources) {
        widenLanes(flags, in[i], copies[i]);
        in[i] = copies[i].lane;
      }
      if (flags & FlushesSubnormals) {
        flushLanes(ValueType, in[i], copies[i]);
        in[i] = copies[i].lane;
      }
    }
    if (flags >> roundingShift)
      runRounded(Kernel, static_cast<Rounding>(flags >> roundingShift), result, in[0],
                 in[1], in[2]);
    else
      Kernel(result, in[0], in[1], in[2]);
    if (flags & (FlushesSubnormals | Saturates | Rectifies))
      finishLanes(ValueType, flags, result);
  }
  writeValues(warp, reg[0], result);

  constexpr unsigned bytes = bytesOf(ValueType);
  if constexpr (isPair(ValueType)) {
    if constexpr (Sources == 1)
      spreadPoisonByHalves(warp, reg[0], bytes / 2, reg[1]);
    else if constexpr (Sources == 2)
      spreadPoisonByHalves(warp, reg[0], bytes / 2, reg[1], reg[2]);
    else
      spreadPoisonByHalves(warp, reg[0], bytes / 2, reg[1], reg[2], reg[3]);
  } else {
    constexpr uint8_t all = poisonOfBytes(bytes);
    uint8_t first = flags & (WidensF16 | WidensBf16) ? 0x03 : all;
    if constexpr (Sources == 1)
      spreadPoison(warp, reg[0], PoisonSource{reg[1], all});
    else if constexpr (Sources == 2)
      spreadPoison(warp, reg[0], PoisonSource{reg[1], first}, PoisonSource{reg[2], all});
    else
      spreadPoison(warp, reg[0], PoisonSource{reg[1], first}, PoisonSource{reg[2], first},
                   PoisonSource{reg[3], all});
  }
  return Step::Next;
}

/// Takes .rn .rz .rm .rp as flags; nothing where none is there.
std::optional<uint32_t> takeRounding(Decoder &decoder);

/// The kernel of `function` for each lane of `type`, an f32 operation in double.
template <double (*Function)(double)>
void unaryF32(LaneBuffer &__restrict result, const uint64_t *a, const uint64_t *,
              const uint64_t *) {
  // In steps, each of which vectorises by itself where it can.
  alignas(32) double x[lanesPerWarp];
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    x[lane] = bitCast<float>(uint32_t(a[lane]));
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    x[lane] = Function(x[lane]);
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    result.lane[lane] = canonicalF32(float(x[lane]));
}
template <typename Half, double (*Function)(double)>
void unaryHalf(LaneBuffer &__restrict result, const uint64_t *a, const uint64_t *,
               const uint64_t *) {
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    result.lane[lane] =
        emulator::doubleToHalf<Half>(Function(emulator::halfToDouble<Half>(a[lane])));
}
template <typename Half, double (*Function)(double)>
void unaryHalves(LaneBuffer &__restrict result, const uint64_t *a, const uint64_t *,
                 const uint64_t *) {
  using namespace emulator;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    result.lane[lane] = doubleToHalf<Half>(Function(halfToDouble<Half>(a[lane]))) |
                        doubleToHalf<Half>(Function(halfToDouble<Half>(a[lane] >> 16)))
                            << 16;
}

/// Decodes div rcp sqrt rsqrt sin cos lg2 ex2 tanh copysign testp.
void decodeFloatSpecial(Decoder &decoder);
/// Decodes min and max, abs and neg.
void decodeFloatSelect(Decoder &decoder);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_FLOATLANES_H
