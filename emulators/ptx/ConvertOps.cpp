//===- ConvertOps.cpp - Conversions between scalar types ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every source but a 64-bit integer is a double exactly. So a conversion reads 32
// doubles, rounds them to integral values where a modifier asks for it, and writes them
// rounded once; each of these steps has a loop for each type. Packed types are in
// ConvertPackedOps.cpp.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/ConvertPackedOps.h"
#include "emulators/ptx/FloatLanes.h"

#include <cmath>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

namespace {

bool isInteger(Type type) { return isSigned(type) || isUnsigned(type); }

enum ConvertFlags : uint32_t {
  FlushesSource = 1,
  FlushesResult = 2,
  SaturatesResult = 4,
  IsFinite = 8,
  RectifiesResult = 16,
  RoundsToIntegral = 32,
  NanIsMiddle = 64, ///< to integers: NaN gives 1 << (bits - 1) rather than 0
};

/// Of an instruction, in its `extra`.
struct Conversion {
  Rounding rounding = Rounding::NearestEven, integral = Rounding::Zero;
  unsigned registerBits = 64; ///< the width that a signed result is extended to
};

const Conversion &conversionOf(const Instruction &instruction) {
  return *static_cast<const Conversion *>(instruction.extra);
}

/// A sign bit and a mask by which (x & mask ^ sign) - sign extends x as its type says.
struct Extension {
  explicit Extension(Type type) {
    unsigned bits = getBits(type);
    mask = bits == 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
    sign = isSigned(type) ? uint64_t(1) << (bits - 1) : 0;
  }
  uint64_t operator()(uint64_t x) const { return ((x & mask) ^ sign) - sign; }
  uint64_t mask, sign;
};

uint64_t maskOf(unsigned bits) {
  return bits >= 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
}

//===----------------------------------------------------------------------===//
// Integers to integers
//===----------------------------------------------------------------------===//

/// The bytes of a result that come from undefined ones, of a conversion that cuts and
/// extends.
uint8_t convertPoison(uint8_t poison, Type from, Type to, unsigned registerBytes) {
  auto extend = [](uint8_t bytes, Type type, unsigned upTo) {
    unsigned size = getBytes(type);
    bytes &= poisonOfBytes(size);
    if (isSigned(type) && (bytes >> (size - 1) & 1))
      bytes |= poisonOfBytes(upTo) & ~poisonOfBytes(size);
    return bytes;
  };
  uint8_t wide = extend(poison, from, 8);
  return extend(wide, to, registerBytes);
}

Step integerHandler(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  const Type from = instruction.source, to = instruction.type;
  const Extension source(from), result(to);
  const uint64_t registerMask = maskOf(conversionOf(instruction).registerBits);
  const uint64_t *a = warp.values(reg[1]);
  LaneBuffer results;
  if (instruction.flags & SaturatesResult) {
    // In 128 bits there is room for the values of all types.
    __int128 low = isSigned(to) ? -static_cast<__int128>(result.sign) : 0;
    __int128 high = static_cast<__int128>(isSigned(to) ? result.mask >> 1 : result.mask);
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
      uint64_t bits = source(a[lane]);
      __int128 value = isSigned(from) ? static_cast<__int128>(int64_t(bits))
                                      : static_cast<__int128>(bits);
      value = value < low ? low : value > high ? high : value;
      results.lane[lane] = static_cast<uint64_t>(value) & registerMask;
    }
  } else {
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      results.lane[lane] = result(source(a[lane])) & registerMask;
  }
  uint8_t poison[lanesPerWarp] = {};
  PoisonWords any;
  any.add(warp, {reg[1], poisonOfBytes(getBytes(from))});
  if (!any.isSound())
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      if (any[lane])
        poison[lane] = instruction.flags & SaturatesResult
                           ? undefinedValue
                           : convertPoison(any[lane], from, to,
                                           conversionOf(instruction).registerBits / 8);
  writeValues(warp, reg[0], results);
  writePoison(warp, reg[0], poison);
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// Through double
//===----------------------------------------------------------------------===//

struct alignas(32) Doubles {
  double lane[lanesPerWarp];
};

/// The exact values of a type that is not a 64-bit integer.
void readDoubles(Type type, const uint64_t *from, Doubles &to) {
  switch (type) {
  case Type::F64:
    memcpy(to.lane, from, sizeof(to.lane));
    return;
  case Type::F32:
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      to.lane[lane] = bitCast<float>(uint32_t(from[lane]));
    return;
  case Type::F16:
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      to.lane[lane] = halfToDouble<F16>(from[lane]);
    return;
  case Type::BF16:
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      to.lane[lane] = halfToDouble<BF16>(from[lane]);
    return;
  default:
    const Extension extension(type);
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      to.lane[lane] = static_cast<double>(static_cast<int64_t>(extension(from[lane])));
  }
}

const Format *getFormat(Type type) {
  switch (type) {
  case Type::F64:
    return &formats::f64;
  case Type::F32:
    return &formats::f32;
  case Type::TF32:
    return &formats::tf32;
  case Type::F16:
    return &formats::f16;
  case Type::BF16:
    return &formats::bf16;
  default:
    return nullptr;
  }
}

/// Rounds to `type`. An f64 keeps a NaN's payload.
void writeDoubles(Type type, const Doubles &from, Rounding rounding, bool isFinite,
                  LaneBuffer &to) {
  bool simple = rounding == Rounding::NearestEven && !isFinite;
  if (type == Type::F64) {
    memcpy(to.lane, from.lane, sizeof(to.lane));
  } else if (simple && type == Type::F32) {
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      to.lane[lane] = canonicalF32(static_cast<float>(from.lane[lane]));
  } else if (simple && type == Type::F16) {
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      to.lane[lane] = doubleToHalf<F16>(from.lane[lane]);
  } else if (simple && type == Type::BF16) {
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      to.lane[lane] = doubleToHalf<BF16>(from.lane[lane]);
  } else {
    const Format &format = *getFormat(type);
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      to.lane[lane] = fromDouble(format, from.lane[lane], rounding, isFinite);
  }
  if (type == Type::TF32)
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      to.lane[lane] =
          to.lane[lane] == formats::tf32.nan() ? uint64_t(f32Nan) : to.lane[lane] << 13;
}

void makeIntegral(Doubles &values, Rounding rounding) {
  auto each = [&](auto function) {
    for (double &value : values.lane)
      value = function(value);
  };
  if (rounding == Rounding::Zero)
    each([](double x) { return std::trunc(x); });
  else if (rounding == Rounding::Down)
    each([](double x) { return std::floor(x); });
  else if (rounding == Rounding::Up)
    each([](double x) { return std::ceil(x); });
  else
    each([](double x) { return std::nearbyint(x); });
}

/// Integral values as integers of `type`, clamped; `nan` is what NaN becomes.
void writeIntegers(Type type, const Doubles &values, uint64_t nan, LaneBuffer &to) {
  unsigned bits = getBits(type);
  if (bits == 64) {
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      to.lane[lane] = std::isnan(values.lane[lane])
                          ? nan
                          : toInteger(values.lane[lane], bits, isSigned(type));
    return;
  }
  const double low = isSigned(type) ? -double(int64_t(1) << (bits - 1)) : 0;
  const double high = double((int64_t(1) << (bits - isSigned(type))) - 1);
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    double value = values.lane[lane];
    bool isNan = value != value;
    value = value > low ? value : low;
    value = value < high ? value : high;
    to.lane[lane] = isNan ? nan : static_cast<uint64_t>(static_cast<int64_t>(value));
  }
}

/// .rna.tf32: half a unit of the kept bits added, the rest cut off.
Step tf32Handler(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  const uint64_t *a = warp.values(reg[1]);
  LaneBuffer results;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    uint64_t magnitude = a[lane] & 0x7fffffff;
    uint64_t rounded = ((magnitude + 0x1000) & 0x7fffe000) | (a[lane] & 0x80000000);
    results.lane[lane] = tilewright::emulator::select(
        int64_t(magnitude) > int64_t(f32Infinity), f32Nan, rounded);
  }
  writeValues(warp, reg[0], results);
  spreadPoison(warp, reg[0], PoisonSource{reg[1], 0x0f});
  return Step::Next;
}

/// Clamps and flushes results, which are `type`.
void finishResults(Type type, uint32_t flags, LaneBuffer &results) {
  uint32_t finish = 0;
  if (flags & FlushesResult)
    finish |= FlushesSubnormals;
  if (flags & SaturatesResult)
    finish |= Saturates;
  if (flags & RectifiesResult)
    finish |= Rectifies;
  if (finish)
    finishLanes(type == Type::TF32 ? Type::F32 : type, finish, results);
}

Step doubleHandler(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  const uint32_t flags = instruction.flags;
  const Type from = instruction.source, to = instruction.type;
  const Conversion &conversion = conversionOf(instruction);
  const uint64_t *a = warp.values(reg[1]);
  LaneBuffer results;
  if (flags & FlushesSource) {
    flushLanes(from, a, results);
    a = results.lane;
  }
  Doubles values;
  readDoubles(from, a, values);
  if (flags & RoundsToIntegral)
    makeIntegral(values, conversion.integral);
  if (isInteger(to)) {
    const Extension extension(to);
    const uint64_t registerMask = maskOf(conversion.registerBits);
    unsigned bits = getBits(to);
    uint64_t nan = flags & NanIsMiddle ? uint64_t(1) << (bits - 1) : 0;
    writeIntegers(to, values, nan, results);
    for (uint64_t &lane : results.lane)
      lane = extension(lane) & registerMask;
  } else {
    writeDoubles(to, values, conversion.rounding, flags & IsFinite, results);
    finishResults(to, flags, results);
  }
  writeValues(warp, reg[0], results);
  spreadPoison(warp, reg[0], PoisonSource{reg[1], poisonOfBytes(getBytes(from))});
  return Step::Next;
}

/// From 64-bit integers, which double does not hold.
Step wideIntegerHandler(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  const Format &format = *getFormat(instruction.type);
  const uint64_t *a = warp.values(reg[1]);
  const bool isNegatable = isSigned(instruction.source);
  LaneBuffer results;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    bool negative = isNegatable && a[lane] >> 63;
    results.lane[lane] = fromFixed(format, negative, negative ? -a[lane] : a[lane], 0,
                                   conversionOf(instruction).rounding);
  }
  finishResults(instruction.type, instruction.flags, results);
  writeValues(warp, reg[0], results);
  spreadPoison(warp, reg[0], PoisonSource{reg[1], 0xff});
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

/// Bits of the register that an operand writes.
unsigned getRegisterBits(const Decoder &decoder, const Operand &operand) {
  const Operand *item = &operand;
  if (item->kind == Operand::Vector && item->items.size() == 1)
    item = &item->items[0];
  const auto &registers = decoder.function.syntax->registers;
  if (item->kind != Operand::Register || item->reg >= registers.size())
    return 64;
  unsigned bits = getBits(registers[item->reg].type);
  return bits > 64 ? 64 : bits;
}

bool isHalf(Type type) { return type == Type::F16 || type == Type::BF16; }

/// Whether a value of `from` may lie outside what .sat clamps to: the range of an integer
/// type, 0 to 1 of a floating one.
bool maySaturate(Type to, Type from) {
  if (to == Type::BF16 || from == Type::BF16 || to == Type::TF32)
    return false;
  if (!isInteger(to) || !isInteger(from))
    return true;
  if (isSigned(from) && !isSigned(to))
    return true;
  unsigned sign = isSigned(to) && !isSigned(from);
  return getBits(to) < getBits(from) + sign;
}

void decodeScalar(Decoder &decoder, Type to, Type from) {
  Instruction &result = decoder.result;
  Conversion conversion;
  auto integral = decoder.takeOneOf({"rni", "rzi", "rmi", "rpi"});
  auto rounding = decoder.takeOneOf({"rn", "rna", "rz", "rm", "rp"});
  static constexpr Rounding integrals[] = {Rounding::NearestEven, Rounding::Zero,
                                           Rounding::Down, Rounding::Up};
  static constexpr Rounding roundings[] = {Rounding::NearestEven, Rounding::NearestAway,
                                           Rounding::Zero, Rounding::Down, Rounding::Up};
  if (integral)
    conversion.integral = integrals[*integral];
  if (rounding)
    conversion.rounding = roundings[*rounding];
  if (rounding && *rounding == 1 && to != Type::TF32)
    return decoder.fail(".rna is for .tf32");
  if (rounding && *rounding > 2 && to == Type::TF32)
    return decoder.fail(".tf32 is not rounded up or down");
  if (rounding && integral)
    return decoder.fail("it has two roundings");

  bool toInt = isInteger(to), fromInt = isInteger(from);
  const Format *toFormat = getFormat(to), *fromFormat = getFormat(from);
  if ((!toInt && !toFormat) || (!fromInt && !fromFormat) || from == Type::TF32 ||
      getBits(to) < 8 || getBits(from) < 8 || isPair(to) || to == Type::U16x2 ||
      to == Type::S16x2 || from == Type::U16x2 || from == Type::S16x2)
    return decoder.fail("its types are not modelled");
  // Which rounding is needed, and which may be there.
  bool narrows =
      toFormat && (fromInt || fromFormat->mantissaBits > toFormat->mantissaBits ||
                   fromFormat->exponentBits > toFormat->exponentBits);
  if (integral ? fromInt || (!toInt && to != from) : !fromInt && toInt)
    return decoder.fail(".rni, .rzi, .rmi and .rpi are for conversions from floating "
                        "point to integers or to the same type");
  // Between the two halves rounding to nearest needs no saying.
  if (rounding ? !narrows : narrows && !integral && !(isHalf(to) && isHalf(from)))
    return decoder.fail("a conversion to floating point that may round, and no other, "
                        "says how");

  // Modifiers, where the types have them; those left fail.
  uint32_t flags = 0;
  if (integral)
    flags |= RoundsToIntegral;
  if (to != Type::TF32 && (from == Type::F32 || to == Type::F32) && decoder.take("ftz")) {
    if (from == Type::F32)
      flags |= FlushesSource;
    if (to == Type::F32)
      flags |= FlushesResult;
  }
  if (maySaturate(to, from) && decoder.take("sat"))
    flags |= SaturatesResult;
  // These two go with neither of those, nor with a rounding up or down.
  bool isPlain = !(flags & (FlushesSource | SaturatesResult)) && rounding &&
                 conversion.rounding != Rounding::Down &&
                 conversion.rounding != Rounding::Up;
  bool special = isPlain && from == Type::F32 && (isHalf(to) || to == Type::TF32);
  if (special && decoder.take("satfinite"))
    flags |= IsFinite;
  if (special && conversion.rounding != Rounding::NearestAway && decoder.take("relu"))
    flags |= RectifiesResult;
  if (from == Type::F64 || getBits(to) == 64)
    flags |= NanIsMiddle;

  bool usesBfloat = to == Type::BF16 || from == Type::BF16;
  bool early =
      (to == Type::BF16 && from == Type::F32 && conversion.rounding != Rounding::Down &&
       conversion.rounding != Rounding::Up) ||
      (to == Type::F32 && from == Type::BF16 && !(flags & FlushesResult));
  if (usesBfloat && !early)
    expectArchitecture(decoder, 90);
  if (to == Type::TF32) {
    if (from != Type::F32)
      return decoder.fail(".tf32 is made of .f32");
    if (conversion.rounding != Rounding::NearestAway)
      expectArchitecture(decoder, flags & IsFinite ? 100 : 90);
  }

  if (!decodeOperands(decoder, 1, from))
    return;
  conversion.registerBits =
      isSigned(to) ? getRegisterBits(decoder, decoder.at(0)) : getBits(to);
  if (conversion.registerBits < getBits(to))
    return decoder.fail("the result's register is too narrow");
  result.type = to;
  result.source = from;
  result.flags = flags;
  result.extra = decoder.keep(conversion);
  result.execute =
      toInt && fromInt                 ? integerHandler
      : fromInt && getBits(from) == 64 ? wideIntegerHandler
      : to == Type::TF32 && flags == 0 && conversion.rounding == Rounding::NearestAway
          ? tf32Handler
          : doubleHandler;
}

} // namespace

void tilewright::ptx::decodeConvert(Decoder &decoder) {
  if (decoder.take("pack"))
    return decodePackIntegers(decoder);
  Type to = decoder.takeType(), from = decoder.takeType();
  if (isPackedFormat(to) || isPackedFormat(from))
    return decodeConvertPacked(decoder, to, from);
  decodeScalar(decoder, to, from);
}
