//===- FloatSelectOps.cpp - min, max, abs and neg of floating point -----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// They round nothing and work on encodings. -0 is less than +0. A NaN gives way to a
// number unless .NaN is there; two NaNs give the canonical NaN, of f64 the second. The
// sign of a NaN is not changed.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/FloatLanes.h"

using namespace tilewright::ptx;
using tilewright::emulator::select;

namespace {

/// A format as far as comparisons need it.
template <unsigned Width, uint64_t InfinityBits> struct Encoding {
  static constexpr unsigned width = Width;
  static constexpr uint64_t infinity = InfinityBits;
  static constexpr uint64_t sign = uint64_t(1) << (Width - 1);
  static constexpr uint64_t mask = sign | (sign - 1);
};
using EncodingF16 = Encoding<16, 0x7c00>;
using EncodingBf16 = Encoding<16, 0x7f80>;
using EncodingF32 = Encoding<32, 0x7f800000>;
using EncodingF64 = Encoding<64, uint64_t(0x7ff) << 52>;

enum SelectMode : uint8_t { Plain, PropagatesNan, XorSign, XorSignNan };

/// Encodings in the order of their values, as integers of 64 bits with sign.
template <typename E> int64_t orderOf(uint64_t bits) {
  int64_t magnitude = int64_t(bits & (E::sign - 1));
  // -0 lies below +0, so negative magnitudes count down from -1.
  return int64_t(
      select((bits & E::sign) != 0, uint64_t(~magnitude), uint64_t(magnitude)));
}

/// What becomes of a NaN: an f64 is made quiet, else it is the canonical one.
template <typename E> uint64_t keptNan(uint64_t bits) {
  return E::width == 64 ? bits | (E::infinity & -E::infinity) >> 1 : E::sign - 1;
}

template <typename E, bool IsMax, SelectMode Mode>
uint64_t choose(uint64_t a, uint64_t b) {
  a &= E::mask;
  b &= E::mask;
  uint64_t sign = (a ^ b) & E::sign;
  if (Mode == XorSign || Mode == XorSignNan) {
    a &= E::sign - 1;
    b &= E::sign - 1;
  }
  bool nanA = int64_t(a & (E::sign - 1)) > int64_t(E::infinity);
  bool nanB = int64_t(b & (E::sign - 1)) > int64_t(E::infinity);
  bool takesA = IsMax ? orderOf<E>(a) > orderOf<E>(b) : orderOf<E>(a) < orderOf<E>(b);
  uint64_t result = select(takesA, a, b);
  if (Mode == XorSign || Mode == XorSignNan)
    result |= sign;
  bool isNan;
  if (Mode == PropagatesNan || Mode == XorSignNan) {
    isNan = nanA | nanB;
  } else {
    uint64_t kept = Mode == XorSign ? sign : 0;
    result = select(nanA, b | kept, result);
    result = select(nanB, a | kept, result);
    isNan = nanA & nanB;
  }
  return select(isNan, keptNan<E>(b), result);
}

/// The kernel of `Function` for lanes of `Count` values of encoding E.
template <typename E, unsigned Count, uint64_t (*Function)(uint64_t, uint64_t)>
void kernel(LaneBuffer &__restrict result, const uint64_t *a, const uint64_t *b,
            const uint64_t *) {
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    uint64_t value = Function(a[lane], b[lane]);
    if constexpr (Count == 2)
      value |= Function(a[lane] >> E::width, b[lane] >> E::width) << E::width;
    result.lane[lane] = value;
  }
}

template <typename E> uint64_t absolute(uint64_t a, uint64_t) {
  uint64_t magnitude = a & (E::sign - 1);
  return select(magnitude > E::infinity, keptNan<E>(a), magnitude);
}
template <typename E> uint64_t negate(uint64_t a, uint64_t) {
  uint64_t magnitude = a & (E::sign - 1);
  return select(magnitude > E::infinity, keptNan<E>(a), (a & E::mask) ^ E::sign);
}

template <Type ValueType, typename E, unsigned Count, bool IsMax>
Handler getMinMax(SelectMode mode) {
  switch (mode) {
  case Plain:
    return floatHandler<ValueType, kernel<E, Count, choose<E, IsMax, Plain>>, 2>;
  case PropagatesNan:
    return floatHandler<ValueType, kernel<E, Count, choose<E, IsMax, PropagatesNan>>, 2>;
  case XorSign:
    return floatHandler<ValueType, kernel<E, Count, choose<E, IsMax, XorSign>>, 2>;
  case XorSignNan:
    return floatHandler<ValueType, kernel<E, Count, choose<E, IsMax, XorSignNan>>, 2>;
  }
  return nullptr;
}

template <Type ValueType, typename E, unsigned Count>
Handler getHandler(std::string_view opcode, SelectMode mode) {
  if (opcode == "min")
    return getMinMax<ValueType, E, Count, false>(mode);
  if (opcode == "max")
    return getMinMax<ValueType, E, Count, true>(mode);
  if (opcode == "abs")
    return floatHandler<ValueType, kernel<E, Count, absolute<E>>, 1>;
  return floatHandler<ValueType, kernel<E, Count, negate<E>>, 1>;
}

} // namespace

void tilewright::ptx::decodeFloatSelect(Decoder &decoder) {
  std::string_view opcode = decoder.statement.opcode;
  bool isBinary = opcode == "min" || opcode == "max";
  Type type = decoder.takeType();
  bool isBfloat = type == Type::BF16 || type == Type::BF16x2;
  if (type != Type::F64 && !isBfloat && decoder.take("ftz"))
    decoder.result.flags |= FlushesSubnormals;
  uint8_t mode = Plain;
  if (isBinary && type != Type::F64) {
    if (decoder.take("NaN"))
      mode |= PropagatesNan;
    if (decoder.take("xorsign")) {
      if (!decoder.take("abs"))
        return decoder.fail(".xorsign goes with .abs");
      mode |= XorSign;
    }
  }
  if (!decodeOperands(decoder, isBinary ? 2 : 1, type))
    return;
  Handler &handler = decoder.result.execute;
  SelectMode chosen = static_cast<SelectMode>(mode);
  switch (type) {
  case Type::F16:
    handler = getHandler<Type::F16, EncodingF16, 1>(opcode, chosen);
    break;
  case Type::F16x2:
    handler = getHandler<Type::F16x2, EncodingF16, 2>(opcode, chosen);
    break;
  case Type::BF16:
    handler = getHandler<Type::BF16, EncodingBf16, 1>(opcode, chosen);
    break;
  case Type::BF16x2:
    handler = getHandler<Type::BF16x2, EncodingBf16, 2>(opcode, chosen);
    break;
  case Type::F32:
    handler = getHandler<Type::F32, EncodingF32, 1>(opcode, chosen);
    break;
  case Type::F64:
    handler = getHandler<Type::F64, EncodingF64, 1>(opcode, chosen);
    break;
  default:
    decoder.fail("its type is not modelled");
  }
}
