//===- IntegerOps.cpp - Integer arithmetic ------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Opcodes that floats have too come here first and are handed on by their type. Values
// are kept zero-extended; operations take the low bits of their sources.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/CarryOps.h"
#include "emulators/ptx/Elementwise.h"

#include <limits>
#include <type_traits>

using namespace tilewright::ptx;

namespace {

template <typename T> using Unsigned = std::make_unsigned_t<T>;
/// Twice as wide, of the same signedness.
template <typename T>
using Wide = std::conditional_t<
    sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, int32_t, uint32_t>,
    std::conditional_t<
        sizeof(T) == 4, std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>,
        std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>>>;

template <typename T> uint64_t keep(T value) { return static_cast<Unsigned<T>>(value); }

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

template <typename T> uint64_t add(uint64_t a, uint64_t b) { return keep<T>(T(a + b)); }
template <typename T> uint64_t subtract(uint64_t a, uint64_t b) {
  return keep<T>(T(a - b));
}
template <typename T> uint64_t multiplyLow(uint64_t a, uint64_t b) {
  return keep<T>(T(a * b));
}
template <typename T> uint64_t multiplyHigh(uint64_t a, uint64_t b) {
  return keep<T>(T((Wide<T>(T(a)) * Wide<T>(T(b))) >> (8 * sizeof(T))));
}
/// For types of up to 32 bits.
template <typename T> uint64_t multiplyWide(uint64_t a, uint64_t b) {
  return keep<Wide<T>>(Wide<T>(uint64_t(T(a)) * uint64_t(T(b))));
}
template <typename T> uint64_t multiplyAddLow(uint64_t a, uint64_t b, uint64_t c) {
  return keep<T>(T(a * b + c));
}
template <typename T> uint64_t multiplyAddHigh(uint64_t a, uint64_t b, uint64_t c) {
  return keep<T>(T(multiplyHigh<T>(a, b) + c));
}
template <typename T> uint64_t multiplyAddWide(uint64_t a, uint64_t b, uint64_t c) {
  return keep<Wide<T>>(Wide<T>(multiplyWide<T>(a, b) + c));
}

int64_t clampToS32(int64_t value) {
  constexpr int64_t low = std::numeric_limits<int32_t>::min(),
                    high = std::numeric_limits<int32_t>::max();
  return value < low ? low : value > high ? high : value;
}
uint64_t addSaturated(uint64_t a, uint64_t b) {
  return uint32_t(clampToS32(int64_t(int32_t(a)) + int32_t(b)));
}
uint64_t subtractSaturated(uint64_t a, uint64_t b) {
  return uint32_t(clampToS32(int64_t(int32_t(a)) - int32_t(b)));
}
uint64_t multiplyAddHighSaturated(uint64_t a, uint64_t b, uint64_t c) {
  return uint32_t(clampToS32(int64_t(int32_t(multiplyHigh<int32_t>(a, b))) + int32_t(c)));
}

/// The product of the low 24 bits, which are signed where T is.
template <typename T> int64_t multiply24(uint64_t a, uint64_t b) {
  if constexpr (std::is_signed_v<T>)
    return (int64_t(a << 40) >> 40) * (int64_t(b << 40) >> 40);
  else
    return int64_t((a & 0xffffff) * (b & 0xffffff));
}
template <typename T> uint64_t multiply24Low(uint64_t a, uint64_t b) {
  return uint32_t(multiply24<T>(a, b));
}
template <typename T> uint64_t multiply24High(uint64_t a, uint64_t b) {
  return uint32_t(multiply24<T>(a, b) >> 16);
}
template <typename T> uint64_t multiplyAdd24Low(uint64_t a, uint64_t b, uint64_t c) {
  return uint32_t(multiply24<T>(a, b) + c);
}
template <typename T> uint64_t multiplyAdd24High(uint64_t a, uint64_t b, uint64_t c) {
  return uint32_t((multiply24<T>(a, b) >> 16) + c);
}
uint64_t multiplyAdd24HighSaturated(uint64_t a, uint64_t b, uint64_t c) {
  return uint32_t(
      clampToS32(int64_t(int32_t(multiply24<int32_t>(a, b) >> 16)) + int32_t(c)));
}

/// PTX leaves division by zero open; hardware gives all ones, and the dividend as rest.
template <typename T> uint64_t divide(uint64_t a, uint64_t b) {
  T x = T(a), y = T(b);
  if (y == 0)
    return keep<T>(T(~Unsigned<T>(0)));
  if (std::is_signed_v<T> && y == T(-1))
    return keep<T>(T(-uint64_t(x)));
  return keep<T>(T(x / y));
}
template <typename T> uint64_t remainder(uint64_t a, uint64_t b) {
  T x = T(a), y = T(b);
  if (y == 0)
    return keep<T>(T(~Unsigned<T>(0)));
  if (std::is_signed_v<T> && y == T(-1))
    return 0;
  return keep<T>(T(x % y));
}

template <typename T> uint64_t absolute(uint64_t a) {
  return keep<T>(T(T(a) < 0 ? -a : a));
}
template <typename T> uint64_t negate(uint64_t a) { return keep<T>(T(-a)); }
template <typename T> uint64_t minimum(uint64_t a, uint64_t b) {
  return keep<T>(T(a) < T(b) ? T(a) : T(b));
}
template <typename T> uint64_t maximum(uint64_t a, uint64_t b) {
  return keep<T>(T(a) > T(b) ? T(a) : T(b));
}
template <typename T> uint64_t sumOfDifference(uint64_t a, uint64_t b, uint64_t c) {
  uint64_t difference = T(a) < T(b) ? b - a : a - b;
  return keep<T>(T(c + difference));
}

/// `Function` with a negative result made zero.
template <typename T, uint64_t (*Function)(uint64_t, uint64_t)>
uint64_t rectified(uint64_t a, uint64_t b) {
  uint64_t result = Function(a, b);
  return T(result) < 0 ? 0 : result;
}
/// `Function` of each half of 32 bits.
template <uint64_t (*Function)(uint64_t, uint64_t)>
uint64_t byHalves(uint64_t a, uint64_t b) {
  return Function(a & 0xffff, b & 0xffff) | Function(a >> 16 & 0xffff, b >> 16 & 0xffff)
                                                << 16;
}
template <uint64_t (*Function)(uint64_t, uint64_t)>
Step halvesHandler(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  const uint64_t *a = warp.values(reg[1]), *b = warp.values(reg[2]);
  LaneBuffer results;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    results.lane[lane] = byHalves<Function>(a[lane], b[lane]);
  writeValues(warp, reg[0], results);
  spreadPoisonByHalves(warp, reg[0], 2, reg[1], reg[2]);
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// Dot products
//===----------------------------------------------------------------------===//

template <bool Signed> int64_t part(uint64_t value, unsigned shift, unsigned bits) {
  uint64_t moved = value >> shift << (64 - bits);
  return Signed ? int64_t(moved) >> (64 - bits) : int64_t(moved >> (64 - bits));
}
template <bool SignedA, bool SignedB> uint64_t dot4(uint64_t a, uint64_t b, uint64_t c) {
  uint64_t sum = c;
  for (unsigned i = 0; i < 4; ++i)
    sum += part<SignedA>(a, 8 * i, 8) * part<SignedB>(b, 8 * i, 8);
  return uint32_t(sum);
}
template <bool SignedA, bool SignedB, unsigned First>
uint64_t dot2(uint64_t a, uint64_t b, uint64_t c) {
  uint64_t sum = c;
  for (unsigned i = 0; i < 2; ++i)
    sum += part<SignedA>(a, 16 * i, 16) * part<SignedB>(b, 8 * (First + i), 8);
  return uint32_t(sum);
}

template <bool SignedA, bool SignedB> Handler getDot(bool isFour, bool high) {
  if (isFour)
    return ternaryHandler<dot4<SignedA, SignedB>, 4>;
  return high ? ternaryHandler<dot2<SignedA, SignedB, 2>, 4>
              : ternaryHandler<dot2<SignedA, SignedB, 0>, 4>;
}

void decodeDot(Decoder &decoder) {
  bool isFour = decoder.statement.opcode == "dp4a", high = false;
  if (!isFour) {
    auto half = decoder.takeOneOf({"lo", "hi"});
    if (!half)
      return decoder.fail(".lo or .hi is missing");
    high = *half == 1;
  }
  Type a = decoder.takeType(), b = decoder.takeType();
  for (Type type : {a, b})
    if (type != Type::U32 && type != Type::S32)
      return decoder.fail("its types are .u32 or .s32");
  if (!decodeOperands(decoder, 3, Type::B32))
    return;
  bool signedA = a == Type::S32, signedB = b == Type::S32;
  decoder.result.execute = signedA   ? signedB ? getDot<true, true>(isFour, high)
                                               : getDot<true, false>(isFour, high)
                           : signedB ? getDot<false, true>(isFour, high)
                                     : getDot<false, false>(isFour, high);
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

/// add, sub, min and max of two 16-bit integers, and those with .relu.
bool decodePacked(Decoder &decoder, std::string_view opcode, Type type) {
  if (type != Type::U16x2 && type != Type::S16x2)
    return false;
  bool isSigned = type == Type::S16x2;
  expectArchitecture(decoder, 90);
  bool relu = isSigned && (opcode == "min" || opcode == "max") && decoder.take("relu");
  if (!decodeOperands(decoder, 2, Type::B32))
    return true;
  Handler handler = nullptr;
  if (opcode == "add")
    handler = halvesHandler<add<uint16_t>>;
  else if (opcode == "min")
    handler = relu       ? halvesHandler<rectified<int16_t, minimum<int16_t>>>
              : isSigned ? halvesHandler<minimum<int16_t>>
                         : halvesHandler<minimum<uint16_t>>;
  else if (opcode == "max")
    handler = relu       ? halvesHandler<rectified<int16_t, maximum<int16_t>>>
              : isSigned ? halvesHandler<maximum<int16_t>>
                         : halvesHandler<maximum<uint16_t>>;
  decoder.result.execute = handler;
  return true;
}

/// mul and mad, whose result is the product's low or high half or all of it.
void decodeProduct(Decoder &decoder, Type type, bool adds) {
  auto part = decoder.takeOneOf({"lo", "hi", "wide"});
  if (!part)
    return decoder.fail(".lo, .hi or .wide is missing");
  if (adds && decoder.take("cc"))
    return decodeCarry(decoder, type, *part);
  bool saturated = adds && *part == 1 && type == Type::S32 && decoder.take("sat");
  decodeOperands(decoder, 2 + adds, type);
  // The immediate of a wide sum is twice as wide as the others.
  if (adds && *part == 2 && !decoder.failed())
    decoder.result.operand[3] = decoder.source(size_t(3), getBits(type) == 16 ? Type::U32
                                                          : isSigned(type) ? Type::S64
                                                                           : Type::U64);
  Handler &handler = decoder.result.execute;
  withIntegerType(type, [&](auto tag) {
    using T = decltype(tag);
    constexpr unsigned n = sizeof(T);
    if (*part == 0)
      handler =
          adds ? ternaryHandler<multiplyAddLow<T>, n> : binaryHandler<multiplyLow<T>, n>;
    else if (*part == 1)
      handler = adds ? ternaryHandler<multiplyAddHigh<T>, n>
                     : binaryHandler<multiplyHigh<T>, n>;
    else if constexpr (n < 8)
      handler = adds ? ternaryHandler<multiplyAddWide<T>, n, n, 2 * n>
                     : binaryHandler<multiplyWide<T>, n>;
  });
  if (saturated)
    handler = ternaryHandler<multiplyAddHighSaturated, 4>;
}

void decodeProduct24(Decoder &decoder, Type type, bool adds) {
  auto high = decoder.takeOneOf({"lo", "hi"});
  if (!high || (type != Type::U32 && type != Type::S32))
    return decoder.fail(".lo or .hi and .u32 or .s32 are expected");
  bool saturated = adds && *high && type == Type::S32 && decoder.take("sat");
  if (!decodeOperands(decoder, 2 + adds, type))
    return;
  Handler &handler = decoder.result.execute;
  withIntegerType(type, [&](auto tag) {
    using T = decltype(tag);
    if constexpr (sizeof(T) == 4) {
      if (adds)
        handler = saturated ? ternaryHandler<multiplyAdd24HighSaturated, 4>
                  : *high   ? ternaryHandler<multiplyAdd24High<T>, 4>
                            : ternaryHandler<multiplyAdd24Low<T>, 4>;
      else
        handler = *high ? binaryHandler<multiply24High<T>, 4>
                        : binaryHandler<multiply24Low<T>, 4>;
    }
  });
}

template <typename T> Handler getBinary(std::string_view opcode) {
  constexpr unsigned n = sizeof(T);
  if (opcode == "add")
    return binaryHandler<add<T>, n>;
  if (opcode == "sub")
    return binaryHandler<subtract<T>, n>;
  if (opcode == "div")
    return binaryHandler<divide<T>, n>;
  if (opcode == "rem")
    return binaryHandler<remainder<T>, n>;
  if (opcode == "min")
    return binaryHandler<minimum<T>, n>;
  if (opcode == "max")
    return binaryHandler<maximum<T>, n>;
  return nullptr;
}

} // namespace

void tilewright::ptx::decodeInteger(Decoder &decoder) {
  std::string_view opcode = decoder.statement.opcode;
  for (std::string_view modifier : decoder.statement.modifiers)
    if (isFloat(parseType(modifier)))
      return decodeFloat(decoder);
  if (opcode == "dp4a" || opcode == "dp2a")
    return decodeDot(decoder);

  Type type = decoder.takeType();
  if (decodePacked(decoder, opcode, type))
    return;
  if (!isSigned(type) && !isUnsigned(type))
    return decoder.fail("an integer type is expected");
  if (opcode == "mul" || opcode == "mad")
    return decodeProduct(decoder, type, opcode == "mad");
  if (opcode == "mul24" || opcode == "mad24")
    return decodeProduct24(decoder, type, opcode == "mad24");
  if (opcode == "addc" || opcode == "subc")
    return decodeCarry(decoder, type, std::nullopt);
  if (opcode == "madc") {
    auto part = decoder.takeOneOf({"lo", "hi"});
    if (!part)
      return decoder.fail(".lo or .hi is missing");
    return decodeCarry(decoder, type, part);
  }
  if ((opcode == "add" || opcode == "sub") && decoder.take("cc"))
    return decodeCarry(decoder, type, std::nullopt);

  Handler &handler = decoder.result.execute;
  if (opcode == "abs" || opcode == "neg") {
    if (!isSigned(type))
      return decoder.fail("a signed type is expected");
    decodeOperands(decoder, 1, type);
    withIntegerType(type, [&](auto tag) {
      using T = decltype(tag);
      handler = opcode == "abs" ? unaryHandler<absolute<T>, sizeof(T)>
                                : unaryHandler<negate<T>, sizeof(T)>;
    });
    return;
  }
  if (opcode == "sad") {
    decodeOperands(decoder, 3, type);
    withIntegerType(type, [&](auto tag) {
      using T = decltype(tag);
      handler = ternaryHandler<sumOfDifference<T>, sizeof(T)>;
    });
    return;
  }
  bool isS32 = type == Type::S32;
  bool saturated = isS32 && (opcode == "add" || opcode == "sub") && decoder.take("sat");
  bool relu = isS32 && (opcode == "min" || opcode == "max") && decoder.take("relu");
  decodeOperands(decoder, 2, type);
  withIntegerType(type, [&](auto tag) { handler = getBinary<decltype(tag)>(opcode); });
  if (saturated)
    handler = opcode == "add" ? binaryHandler<addSaturated, 4>
                              : binaryHandler<subtractSaturated, 4>;
  if (relu)
    handler = opcode == "min" ? binaryHandler<rectified<int32_t, minimum<int32_t>>, 4>
                              : binaryHandler<rectified<int32_t, maximum<int32_t>>, 4>;
}
