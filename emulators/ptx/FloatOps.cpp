//===- FloatOps.cpp - Sums and products of floating point ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each is rounded once. f32 and f64 are the host's, under its rounding mode where that is
// not to nearest; halves are computed in double, rounded to odd and then to nearest
// (Float.h). An f32 or half NaN becomes the canonical one; of f64's, an operand's stays.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/DoubleNan.h"
#include "emulators/ptx/FloatLanes.h"

#include <cmath>
#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#endif

using namespace tilewright::ptx;
using namespace tilewright::emulator;

//===----------------------------------------------------------------------===//
// Steps around kernels
//===----------------------------------------------------------------------===//

/// `bits` with what is subnormal at `shift`, in a format of such an exponent and sign,
/// made zero.
static uint64_t flushAt(uint64_t bits, uint64_t exponent, uint64_t magnitude) {
  return bits & ~select((bits & exponent) == 0, magnitude, 0);
}

void tilewright::ptx::flushLanes(Type type, const uint64_t *from, LaneBuffer &to) {
  auto flush = [&](auto function) {
    LaneBuffer flushed;
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      flushed.lane[lane] = function(from[lane]);
    to = flushed;
  };
  switch (type) {
  case Type::F32:
    return flush([](uint64_t x) { return flushAt(x, 0x7f800000, 0x7fffffff); });
  case Type::F32x2:
    return flush([](uint64_t x) {
      return flushAt(flushAt(x, 0x7f800000, 0x7fffffff), uint64_t(0x7f800000) << 32,
                     uint64_t(0x7fffffff) << 32);
    });
  case Type::F16:
    return flush([](uint64_t x) { return flushAt(x, 0x7c00, 0x7fff); });
  case Type::F16x2:
    return flush([](uint64_t x) {
      return flushAt(flushAt(x, 0x7c00, 0x7fff), 0x7c000000, 0x7fff0000);
    });
  case Type::BF16:
    return flush([](uint64_t x) { return flushAt(x, 0x7f80, 0x7fff); });
  case Type::BF16x2:
    return flush([](uint64_t x) {
      return flushAt(flushAt(x, 0x7f80, 0x7fff), 0x7f800000, 0x7fff0000);
    });
  case Type::F64:
    return flush(
        [](uint64_t x) { return flushAt(x, doubleInfinity, ~(uint64_t(1) << 63)); });
  default:
    to = *reinterpret_cast<const LaneBuffer *>(from);
  }
}

/// One value of `width` bits clamped: negative ones and, by .sat, NaN become zero, those
/// above `one` become it; by .relu NaN stays.
static uint64_t clamp(uint64_t bits, unsigned width, uint64_t infinity, uint64_t one,
                      uint32_t flags) {
  uint64_t sign = uint64_t(1) << (width - 1), magnitude = bits & (sign - 1);
  bool isNan = magnitude > infinity;
  if (flags & Rectifies)
    return isNan ? sign - 1 : bits & sign ? 0 : bits;
  return isNan || (bits & sign) ? 0 : bits > one ? one : bits;
}

/// The same for all values in a lane of `count` such.
static void clampLanes(LaneBuffer &lanes, unsigned count, unsigned width,
                       uint64_t infinity, uint64_t one, uint32_t flags) {
  uint64_t mask = width == 64 ? ~uint64_t(0) : (uint64_t(1) << width) - 1;
  for (uint64_t &lane : lanes.lane) {
    uint64_t clamped = 0;
    for (unsigned i = 0; i < count; ++i)
      clamped |= clamp(lane >> (i * width) & mask, width, infinity, one, flags)
                 << (i * width);
    lane = clamped;
  }
}

void tilewright::ptx::finishLanes(Type type, uint32_t flags, LaneBuffer &lanes) {
  if (flags & FlushesSubnormals)
    flushLanes(type, lanes.lane, lanes);
  if (!(flags & (Saturates | Rectifies)))
    return;
  switch (type) {
  case Type::F32:
    return clampLanes(lanes, 1, 32, f32Infinity, 0x3f800000, flags);
  case Type::F32x2:
    return clampLanes(lanes, 2, 32, f32Infinity, 0x3f800000, flags);
  case Type::F16:
    return clampLanes(lanes, 1, 16, 0x7c00, 0x3c00, flags);
  case Type::F16x2:
    return clampLanes(lanes, 2, 16, 0x7c00, 0x3c00, flags);
  case Type::BF16:
    return clampLanes(lanes, 1, 16, 0x7f80, 0x3f80, flags);
  case Type::BF16x2:
    return clampLanes(lanes, 2, 16, 0x7f80, 0x3f80, flags);
  default:
    return clampLanes(lanes, 1, 64, doubleInfinity, uint64_t(1023) << 52, flags);
  }
}

void tilewright::ptx::widenLanes(uint32_t flags, const uint64_t *from, LaneBuffer &to) {
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    uint16_t half = static_cast<uint16_t>(from[lane]);
    to.lane[lane] =
        bitCast<uint32_t>(flags & WidensF16 ? f16ToFloat(half) : bf16ToFloat(half));
  }
}

// Not inlined: what a kernel reads and writes is memory that others see, so that
// compilers leave it between the two changes of the mode.
__attribute__((noinline)) void
tilewright::ptx::runRounded(FloatKernel kernel, Rounding rounding, LaneBuffer &result,
                            const uint64_t *a, const uint64_t *b, const uint64_t *c) {
  RoundingScope scope(rounding);
  kernel(result, a, b, c);
}

std::optional<uint32_t> tilewright::ptx::takeRounding(Decoder &decoder) {
  auto taken = decoder.takeOneOf({"rn", "rz", "rm", "rp"});
  if (!taken)
    return std::nullopt;
  static constexpr Rounding roundings[] = {Rounding::NearestEven, Rounding::Zero,
                                           Rounding::Down, Rounding::Up};
  return static_cast<uint32_t>(roundings[*taken]) << roundingShift;
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

namespace {
enum class Sum : uint8_t { Add, Subtract, Multiply, Fuse };

/// x = x op y (op z) for `count` floats, a multiple of 8.
template <Sum Kind>
void combine(float *x, const float *y, const float *z, unsigned count) {
#if defined(__AVX2__) && defined(__FMA__)
  if (Kind == Sum::Fuse) {
    for (unsigned i = 0; i < count; i += 8)
      _mm256_storeu_ps(x + i,
                       _mm256_fmadd_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i),
                                       _mm256_loadu_ps(z + i)));
    return;
  }
#endif
  for (unsigned i = 0; i < count; ++i)
    x[i] = Kind == Sum::Add        ? x[i] + y[i]
           : Kind == Sum::Subtract ? x[i] - y[i]
           : Kind == Sum::Multiply ? x[i] * y[i]
                                   : std::fma(x[i], y[i], z[i]);
}

template <Sum Kind>
void kernelF32(LaneBuffer &__restrict result, const uint64_t *a, const uint64_t *b,
               const uint64_t *c) {
  alignas(32) float x[lanesPerWarp], y[lanesPerWarp], z[lanesPerWarp];
  for (unsigned i = 0; i < lanesPerWarp; ++i)
    x[i] = bitCast<float>(uint32_t(a[i]));
  for (unsigned i = 0; i < lanesPerWarp; ++i)
    y[i] = bitCast<float>(uint32_t(b[i]));
  if (Kind == Sum::Fuse)
    for (unsigned i = 0; i < lanesPerWarp; ++i)
      z[i] = bitCast<float>(uint32_t(c[i]));
  combine<Kind>(x, y, z, lanesPerWarp);
  for (unsigned i = 0; i < lanesPerWarp; ++i)
    result.lane[i] = canonicalF32(x[i]);
}

template <Sum Kind>
void kernelF32x2(LaneBuffer &__restrict result, const uint64_t *a, const uint64_t *b,
                 const uint64_t *c) {
  constexpr unsigned count = 2 * lanesPerWarp;
  alignas(32) float x[count], y[count], z[count];
  memcpy(x, a, sizeof(x));
  memcpy(y, b, sizeof(y));
  memcpy(z, c, sizeof(z));
  combine<Kind>(x, y, z, count);
  for (unsigned i = 0; i < lanesPerWarp; ++i)
    result.lane[i] = canonicalF32(x[2 * i]) | canonicalF32(x[2 * i + 1]) << 32;
}

template <Sum Kind>
void kernelF64(LaneBuffer &__restrict result, const uint64_t *a, const uint64_t *b,
               const uint64_t *c) {
  for (unsigned i = 0; i < lanesPerWarp; ++i) {
    double x = bitCast<double>(a[i]), y = bitCast<double>(b[i]);
    double z = Kind == Sum::Fuse ? bitCast<double>(c[i]) : 0;
    double value = Kind == Sum::Add        ? x + y
                   : Kind == Sum::Subtract ? x - y
                   : Kind == Sum::Multiply ? x * y
                                           : std::fma(x, y, z);
    result.lane[i] = keptNan(value, a[i], b[i], bitCast<uint64_t>(z));
  }
}

template <typename Half, Sum Kind> uint64_t half(uint64_t a, uint64_t b, uint64_t c) {
  double x = halfToDouble<Half>(a), y = halfToDouble<Half>(b);
  double exact = Kind == Sum::Add        ? addToOdd(x, y)
                 : Kind == Sum::Subtract ? addToOdd(x, -y)
                 : Kind == Sum::Multiply ? x * y
                                         : fusedToOdd(x, y, halfToDouble<Half>(c));
  return doubleToHalf<Half>(exact);
}

template <typename Half, Sum Kind>
void kernelHalf(LaneBuffer &__restrict result, const uint64_t *a, const uint64_t *b,
                const uint64_t *c) {
  for (unsigned i = 0; i < lanesPerWarp; ++i)
    result.lane[i] = half<Half, Kind>(a[i], b[i], c[i]);
}
template <typename Half, Sum Kind>
void kernelHalves(LaneBuffer &__restrict result, const uint64_t *a, const uint64_t *b,
                  const uint64_t *c) {
  LaneBuffer high;
  for (unsigned i = 0; i < lanesPerWarp; ++i)
    high.lane[i] = half<Half, Kind>(a[i] >> 16, b[i] >> 16, c[i] >> 16);
  for (unsigned i = 0; i < lanesPerWarp; ++i)
    result.lane[i] = half<Half, Kind>(a[i], b[i], c[i]) | high.lane[i] << 16;
}

template <Sum Kind> Handler getHandler(Type type) {
  constexpr unsigned sources = Kind == Sum::Fuse ? 3 : 2;
  switch (type) {
  case Type::F32:
    return floatHandler<Type::F32, kernelF32<Kind>, sources>;
  case Type::F32x2:
    return floatHandler<Type::F32x2, kernelF32x2<Kind>, sources>;
  case Type::F64:
    return floatHandler<Type::F64, kernelF64<Kind>, sources>;
  case Type::F16:
    return floatHandler<Type::F16, kernelHalf<F16, Kind>, sources>;
  case Type::F16x2:
    return floatHandler<Type::F16x2, kernelHalves<F16, Kind>, sources>;
  case Type::BF16:
    return floatHandler<Type::BF16, kernelHalf<BF16, Kind>, sources>;
  case Type::BF16x2:
    return floatHandler<Type::BF16x2, kernelHalves<BF16, Kind>, sources>;
  default:
    return nullptr;
  }
}
} // namespace

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

/// Takes .ftz, .sat and .relu where `type` has them; what it has not stays and fails.
static uint32_t takeFinish(Decoder &decoder, Type type, bool isFma) {
  bool isHalf = type == Type::F16 || type == Type::F16x2;
  bool isBfloat = type == Type::BF16 || type == Type::BF16x2;
  bool isF32 = type == Type::F32;
  uint32_t flags = 0;
  if ((isF32 || isHalf || type == Type::F32x2) && decoder.take("ftz"))
    flags |= FlushesSubnormals;
  if ((isF32 || isHalf) && decoder.take("sat"))
    flags |= Saturates;
  if (isFma && (isHalf || isBfloat) && !(flags & Saturates) && decoder.take("relu"))
    flags |= Rectifies;
  return flags;
}

void tilewright::ptx::decodeFloat(Decoder &decoder) {
  std::string_view opcode = decoder.statement.opcode;
  bool fuses = opcode == "fma" || opcode == "mad";
  if (!fuses && opcode != "add" && opcode != "sub" && opcode != "mul") {
    if (opcode == "min" || opcode == "max" || opcode == "abs" || opcode == "neg")
      return decodeFloatSelect(decoder);
    return decodeFloatSpecial(decoder);
  }
  Type type = decoder.takeType(), mixed = decoder.takeType();
  auto rounding = takeRounding(decoder);
  if (fuses && !rounding)
    return decoder.fail("a rounding is missing");
  bool isHalf = type == Type::F16 || type == Type::F16x2 || type == Type::BF16 ||
                type == Type::BF16x2;
  if (isHalf && rounding.value_or(0) != 0)
    return decoder.fail("halves are rounded to nearest");
  if (opcode == "mad" && type != Type::F32 && type != Type::F64)
    return decoder.fail("its type is not modelled");
  uint32_t flags = rounding.value_or(0) | takeFinish(decoder, type, opcode == "fma");
  if (type == Type::F32x2)
    expectArchitecture(decoder, 100);
  if ((type == Type::BF16 || type == Type::BF16x2) && !fuses)
    expectArchitecture(decoder, 90);

  unsigned sources = fuses ? 3 : 2;
  if (!decodeOperands(decoder, sources, type))
    return;
  if (mixed != Type::None) {
    if (type != Type::F32 || (mixed != Type::F16 && mixed != Type::BF16) ||
        opcode == "mul" || opcode == "mad" || (flags & FlushesSubnormals))
      return decoder.fail("its types are not modelled");
    expectArchitecture(decoder, 100);
    flags |= mixed == Type::F16 ? WidensF16 : WidensBf16;
    for (unsigned i = 1; i < sources; ++i)
      decoder.result.operand[i] = decoder.source(size_t(i), mixed);
  }
  decoder.result.flags = flags;
  decoder.result.execute = fuses             ? getHandler<Sum::Fuse>(type)
                           : opcode == "add" ? getHandler<Sum::Add>(type)
                           : opcode == "sub" ? getHandler<Sum::Subtract>(type)
                                             : getHandler<Sum::Multiply>(type);
}
