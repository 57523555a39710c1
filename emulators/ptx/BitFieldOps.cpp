//===- BitFieldOps.cpp - Bit fields and counts of bits ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/BitFieldOps.h"
#include "emulators/ptx/Elementwise.h"

using namespace tilewright::ptx;

namespace {

/// The lowest `count` bits of T, which may be all of them.
template <typename T> T lowBits(unsigned count) {
  return count >= 8 * sizeof(T) ? T(~T(0)) : T((T(1) << count) - 1);
}

template <typename T> uint64_t isZero(uint64_t a) { return T(a) == 0; }

template <bool Left, bool Wrap> uint64_t funnel(uint64_t a, uint64_t b, uint64_t c) {
  uint64_t joined = (b << 32) | (a & 0xffffffff);
  uint32_t by = static_cast<uint32_t>(c);
  by = Wrap ? by & 31 : by < 32 ? by : 32;
  return uint32_t(joined >> (Left ? 32 - by : by));
}

/// A position or length of a field: of 32 bits the low eight count; the instructions of
/// 64 are sequences that take all of it, as an H100 shows.
template <typename T> unsigned fieldOperand(uint64_t bits) {
  if (sizeof(T) == 4)
    return bits & 0xff;
  return static_cast<unsigned>(std::min<uint64_t>(static_cast<uint32_t>(bits), 256));
}

/// The field of `c` bits from bit `b`, extended by its sign where T is signed: by the bit
/// at its end, or at the value's end where the field goes beyond.
template <typename T> uint64_t extract(uint64_t a, uint64_t b, uint64_t c) {
  using U = std::make_unsigned_t<T>;
  constexpr unsigned bits = 8 * sizeof(T);
  unsigned position = fieldOperand<T>(b), length = fieldOperand<T>(c);
  if (length == 0)
    return 0;
  unsigned last = position + length - 1 < bits ? position + length - 1 : bits - 1;
  bool sign = std::is_signed_v<T> && (U(a) >> last & 1);
  if (position >= bits)
    return sign ? U(~U(0)) : 0;
  unsigned found = last - position + 1;
  U field = U(U(a) >> position) & lowBits<U>(found);
  return sign ? U(field | U(~lowBits<U>(found))) : field;
}

/// `b` with its bits from `c` on, `d` of them, taken from the low bits of `a`.
template <typename T> Step insertHandler(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  LaneBuffer results;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    T a = T(warp.values(reg[1])[lane]), b = T(warp.values(reg[2])[lane]);
    unsigned position = fieldOperand<T>(warp.values(reg[3])[lane]),
             length = fieldOperand<T>(warp.values(reg[4])[lane]);
    T mask = position < 8 * sizeof(T) ? T(lowBits<T>(length) << position) : T(0);
    T moved = position < 8 * sizeof(T) ? T(a << position) : T(0);
    results.lane[lane] = T((b & ~mask) | (moved & mask));
  }
  writeValues(warp, reg[0], results);
  spreadPoison(warp, reg[0], PoisonSource{reg[1], poisonOfBytes(sizeof(T))},
               PoisonSource{reg[2], poisonOfBytes(sizeof(T))}, PoisonSource{reg[3], 0x0f},
               PoisonSource{reg[4], 0x0f});
  return Step::Next;
}

/// The highest bit that is set, or that differs from the sign; all ones where none does.
template <typename T, bool ShiftAmount> uint64_t findHighest(uint64_t a) {
  using U = std::make_unsigned_t<T>;
  constexpr unsigned bits = 8 * sizeof(T);
  U value = T(a) < 0 ? U(~U(a)) : U(a);
  if (value == 0)
    return 0xffffffff;
  unsigned found = 63 - __builtin_clzll(value);
  return ShiftAmount ? bits - 1 - found : found;
}

template <typename T> uint64_t countLeadingZeros(uint64_t a) {
  return T(a) == 0 ? 8 * sizeof(T) : __builtin_clzll(T(a)) - (64 - 8 * sizeof(T));
}
template <typename T> uint64_t countOnes(uint64_t a) {
  return __builtin_popcountll(T(a));
}
template <typename T> uint64_t reverse(uint64_t a) {
  uint64_t value = a << (64 - 8 * sizeof(T));
  value = (value >> 1 & 0x5555555555555555) | (value & 0x5555555555555555) << 1;
  value = (value >> 2 & 0x3333333333333333) | (value & 0x3333333333333333) << 2;
  value = (value >> 4 & 0x0f0f0f0f0f0f0f0f) | (value & 0x0f0f0f0f0f0f0f0f) << 4;
  return T(__builtin_bswap64(value));
}

/// The `offset`-th set bit of `mask` from `base` on, upward, or downward where it is
/// negative; bit `base` itself where it is 0.
uint64_t findNthSet(uint64_t mask, uint64_t base, uint64_t offset) {
  int64_t position = uint32_t(base);
  int64_t count = int32_t(offset);
  int step = count < 0 ? -1 : 1;
  count = count < 0 ? -count : count;
  if (count == 0)
    return position < 32 && (mask >> position & 1) ? position : 0xffffffff;
  for (; position >= 0 && position < 32; position += step)
    if ((mask >> position & 1) && --count == 0)
      return position;
  return 0xffffffff;
}

/// The low `b` bits of `a`, extended by their sign or by zeros.
template <bool Signed, bool Wrap> uint64_t extend(uint64_t a, uint64_t b) {
  uint32_t width = uint32_t(b);
  if (Wrap)
    width &= 31;
  if (width >= 32)
    return uint32_t(a);
  uint32_t mask = lowBits<uint32_t>(width), field = uint32_t(a) & mask;
  bool sign = Signed && width > 0 && (a >> (width - 1) & 1);
  return sign ? field | ~mask : field;
}

/// A mask of `b` ones from bit `a` on.
template <bool Wrap> uint64_t makeMask(uint64_t a, uint64_t b) {
  uint32_t position = uint32_t(a), width = uint32_t(b);
  if (Wrap) {
    position &= 31;
    width &= 31;
  }
  if (position >= 32)
    return 0;
  return uint32_t(lowBits<uint32_t>(width < 32 ? width : 32) << position);
}

//===----------------------------------------------------------------------===//
// lop3
//===----------------------------------------------------------------------===//

enum Lop3Flags : uint32_t {
  LutMask = 0xff,
  CombinesAnd = 0x100,
  CombinesOr = 0x200,
  NegatesPredicate = 0x400
};

/// Any function of three bits: bit 4a + 2b + c of the table is the result's.
Step lop3Handler(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  const uint64_t *a = warp.values(reg[1]), *b = warp.values(reg[2]),
                 *c = warp.values(reg[3]);
  // For each of the eight terms, all ones where it is part of the function.
  uint32_t term[8];
  for (unsigned i = 0; i < 8; ++i)
    term[i] = -(instruction.flags >> i & 1);
  LaneBuffer results;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    uint32_t x = uint32_t(a[lane]), y = uint32_t(b[lane]), z = uint32_t(c[lane]);
    results.lane[lane] = (x & ((y & ((z & term[7]) | (~z & term[6]))) |
                               (~y & ((z & term[5]) | (~z & term[4]))))) |
                         (~x & ((y & ((z & term[3]) | (~z & term[2]))) |
                                (~y & ((z & term[1]) | (~z & term[0])))));
  }
  PoisonWords any;
  for (unsigned i = 1; i <= 3; ++i)
    any.add(warp, {reg[i], 0x0f});
  if (reg[0] != noRegister) {
    writeValues(warp, reg[0], results);
    uint8_t poison[lanesPerWarp];
    memcpy(poison, any.word, sizeof(poison)); // bit i of the result depends on bits i
    writePoison(warp, reg[0], poison);
  }
  if (reg[4] == noRegister)
    return Step::Next;
  uint32_t isSet = 0, undefined = 0;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    isSet |= uint32_t(results.lane[lane] != 0) << lane;
    undefined |= uint32_t(any[lane] != 0) << lane;
  }
  Predicate &to = warp.predicate(reg[4]), with = warp.predicate(reg[5]);
  if (instruction.flags & NegatesPredicate)
    with.value = ~with.value;
  uint32_t value =
      instruction.flags & CombinesAnd ? isSet & with.value : isSet | with.value;
  to.value = (to.value & ~warp.active) | (value & warp.active);
  to.poison = (to.poison & ~warp.active) | ((undefined | with.poison) & warp.active);
  return Step::Next;
}

void decodeLop3(Decoder &decoder) {
  Instruction &result = decoder.result;
  auto combines = decoder.takeOneOf({"and", "or"});
  if (decoder.takeType() != Type::B32)
    return decoder.fail(".b32 is expected");
  if (!decoder.expectOperands(combines ? 6 : 5, combines ? 6 : 5))
    return;
  const Operand *to = &decoder.at(0);
  if (combines) {
    if (to->kind != Operand::Pair || to->items.size() != 2)
      return decoder.fail("a register | a predicate is expected as the result");
    result.operand[4] = decoder.predicate(to->items[1]);
    to = &to->items[0];
    result.operand[5] = decoder.condition(decoder.at(5));
    if (result.operand[4] == noRegister)
      return decoder.fail("a predicate is expected");
    result.flags |= *combines == 0 ? CombinesAnd : CombinesOr;
    if (decoder.at(5).negated)
      result.flags |= NegatesPredicate;
  }
  result.operand[0] = decoder.destination(*to);
  if (result.operand[0] == noRegister && !combines)
    return decoder.fail("the result may not be a sink");
  for (unsigned i = 1; i <= 3; ++i)
    result.operand[i] = decoder.source(size_t(i), Type::B32);
  auto table = decoder.integer(decoder.at(4));
  if (!table || *table < 0 || *table > 255)
    return decoder.fail("the table is an integer of 0 to 255");
  result.flags |= static_cast<uint32_t>(*table);
  result.execute = lop3Handler;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

void decodeFunnel(Decoder &decoder) {
  auto right = decoder.takeOneOf({"l", "r"});
  auto wraps = decoder.takeOneOf({"clamp", "wrap"});
  if (!right || !wraps || decoder.takeType() != Type::B32)
    return decoder.fail(".l or .r, .clamp or .wrap and .b32 are expected");
  if (!decodeOperands(decoder, 3, Type::B32))
    return;
  decoder.result.execute = *right   ? *wraps ? ternaryHandler<funnel<false, true>, 4>
                                             : ternaryHandler<funnel<false, false>, 4>
                           : *wraps ? ternaryHandler<funnel<true, true>, 4>
                                    : ternaryHandler<funnel<true, false>, 4>;
}

void decodeField(Decoder &decoder, bool inserts, Type type) {
  if (!decodeOperands(decoder, inserts ? 4 : 3, type))
    return;
  for (unsigned i = inserts ? 3 : 2; i < decoder.operandCount(); ++i)
    decoder.result.operand[i] = decoder.source(size_t(i), Type::U32);
  withIntegerType(type, [&](auto tag) {
    using T = decltype(tag);
    if constexpr (sizeof(T) >= 4) {
      if (inserts ? !isBits(type) : isBits(type))
        return;
      if (!inserts)
        decoder.result.execute = ternaryHandler<extract<T>, sizeof(T), 4, 4>;
      else if constexpr (std::is_unsigned_v<T>)
        decoder.result.execute = insertHandler<T>;
    }
  });
}

void decodeCount(Decoder &decoder, std::string_view opcode, Type type) {
  bool wantsBits = opcode != "bfind";
  bool shiftAmount = !wantsBits && decoder.take("shiftamt");
  if (isBits(type) != wantsBits)
    return decoder.fail("its type is not modelled");
  if (!decodeOperands(decoder, 1, type))
    return;
  Handler &handler = decoder.result.execute;
  withIntegerType(type, [&](auto tag) {
    using T = decltype(tag);
    constexpr unsigned n = sizeof(T);
    if constexpr (std::is_unsigned_v<T>)
      if (opcode == "cnot")
        handler = unaryHandler<isZero<T>, n>;
    if constexpr (n >= 4) {
      if (opcode == "bfind")
        handler = shiftAmount ? unaryHandler<findHighest<T, true>, n>
                              : unaryHandler<findHighest<T, false>, n>;
      if constexpr (std::is_unsigned_v<T>) {
        if (opcode == "clz")
          handler = unaryHandler<countLeadingZeros<T>, n>;
        else if (opcode == "popc")
          handler = unaryHandler<countOnes<T>, n>;
        else if (opcode == "brev")
          handler = unaryHandler<reverse<T>, n>;
      }
    }
  });
}

void decodeMask(Decoder &decoder, bool extends) {
  auto wraps = decoder.takeOneOf({"clamp", "wrap"});
  Type type = decoder.takeType();
  bool isSigned = type == Type::S32;
  if (!wraps || (extends ? !isSigned && type != Type::U32 : type != Type::B32))
    return decoder.fail(".clamp or .wrap and a type of 32 bits are expected");
  if (!decodeOperands(decoder, 2, Type::B32))
    return;
  Handler &handler = decoder.result.execute;
  if (!extends)
    handler =
        *wraps ? binaryHandler<makeMask<true>, 4> : binaryHandler<makeMask<false>, 4>;
  else if (isSigned)
    handler = *wraps ? binaryHandler<extend<true, true>, 4>
                     : binaryHandler<extend<true, false>, 4>;
  else
    handler = *wraps ? binaryHandler<extend<false, true>, 4>
                     : binaryHandler<extend<false, false>, 4>;
}

} // namespace

void tilewright::ptx::decodeBitField(Decoder &decoder) {
  std::string_view opcode = decoder.statement.opcode;
  if (opcode == "lop3")
    return decodeLop3(decoder);
  if (opcode == "shf")
    return decodeFunnel(decoder);
  if (opcode == "szext" || opcode == "bmsk")
    return decodeMask(decoder, opcode == "szext");
  Type type = decoder.takeType();
  if (opcode == "bfe" || opcode == "bfi")
    return decodeField(decoder, opcode == "bfi", type);
  if (opcode == "fns") {
    if (type != Type::B32)
      return decoder.fail(".b32 is expected");
    if (decodeOperands(decoder, 3, Type::B32))
      decoder.result.execute = ternaryHandler<findNthSet, 4>;
    return;
  }
  decodeCount(decoder, opcode, type);
}
