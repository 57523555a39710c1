//===- IntegerAlu.h - What the integer families share -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_INTEGERALU_H
#define TILEWRIGHT_EMULATORS_AMDGPU_INTEGERALU_H

#include "emulators/amdgpu/HalfLanes.h"

#include <algorithm>
#include <limits>

namespace tilewright::amdgpu {

/// All bits of each byte that has a bit in `poison`.
constexpr uint64_t bitsOf(uint8_t poison) {
  // A copy in each byte, which keeps its own bit; then its lowest bit says whether it
  // did.
  uint64_t own = poison * UINT64_C(0x0101010101010101) & UINT64_C(0x8040201008040201);
  own |= own >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f);
  own |= own >> 2 & UINT64_C(0x3333333333333333);
  own |= own >> 1 & UINT64_C(0x5555555555555555);
  return (own & UINT64_C(0x0101010101010101)) * 0xff;
}
/// A bit for each byte of `bits` that is not zero.
constexpr uint8_t bytesOf(uint64_t bits) {
  bits |= bits >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f);
  bits |= bits >> 2 & UINT64_C(0x3333333333333333);
  bits |= bits >> 1 & UINT64_C(0x5555555555555555);
  return static_cast<uint8_t>(
      (bits & UINT64_C(0x0101010101010101)) * UINT64_C(0x0102040810204080) >> 56);
}
static_assert(bitsOf(0xa5) == UINT64_C(0xff00ff0000ff00ff) &&
              bitsOf(0x5a) == ~bitsOf(0xa5));
static_assert(bytesOf(UINT64_C(0x8000010000200004)) == 0xa5 && bytesOf(0x40) == 1);
/// Of sums and products: a byte depends on those below it and on its own, not on those
/// above. Compilers add narrow integers in registers whose upper bytes are undefined.
constexpr uint8_t upward(unsigned poison) {
  return static_cast<uint8_t>(poison | (0 - poison));
}
constexpr uint8_t wholeIf(unsigned poison) { return poison ? 0xff : 0; }

template <typename T> using Signed = std::make_signed_t<T>;
template <typename T> constexpr unsigned bitsIn = 8 * sizeof(T);

/// Bases of operations whose undefined bytes spread upward.
struct Upward1 {
  static uint8_t poison(uint64_t, uint8_t p) { return upward(p); }
};
struct Upward2 {
  static uint8_t poison(uint64_t, uint64_t, uint8_t p, uint8_t q) {
    return upward(p | q);
  }
};
struct Upward3 {
  static uint8_t poison(uint64_t, uint64_t, uint64_t, uint8_t p, uint8_t q, uint8_t r) {
    return upward(p | q | r);
  }
};

/// The nearest value that `T`, signed or not, has.
template <typename T> T saturate(int64_t value) {
  using Limits = std::numeric_limits<T>;
  return static_cast<T>(std::clamp(value, static_cast<int64_t>(Limits::min()),
                                   static_cast<int64_t>(Limits::max())));
}

enum class ResultKind : uint8_t {
  Word,
  Pair,    ///< 64 bits
  Half,    ///< 16 bits; the other half stays
  OldHalf, ///< the same, but that gfx9 zeroes the other half
};

struct IntegerEntry {
  std::string_view name;
  Handler handler;
  ResultKind result;
  Type sources[3];
  unsigned count;
  Handler clamped = nullptr; ///< with the modifier `clamp`
};

/// Decodes destination, sources, op_sel and clamp.
bool decodeIntegerOperands(Decoder &decoder, const IntegerEntry &entry);
/// op_sel of operations of sixteen bits: which sources and whether the result are high
/// halves. It is written besides v0.h where that is.
bool decodeHalfSelect(Decoder &decoder, const Type *types, unsigned count, bool isHalf);

template <size_t size>
Decoded decodeIntegers(Decoder &decoder, const IntegerEntry (&entries)[size]) {
  for (const IntegerEntry &entry : entries)
    if (entry.name == decoder.mnemonic())
      return decodedIf(decodeIntegerOperands(decoder, entry));
  return Decoded::NotMine;
}

/// Of decodeMove.
Decoded decodeIndexedMove(Decoder &);

// The topics of decodeInteger.
Decoded decodeIntegerLogic(Decoder &);
Decoded decodeIntegerArithmetic(Decoder &);
Decoded decodeIntegerCarry(Decoder &);
Decoded decodeIntegerCompare(Decoder &);
Decoded decodeIntegerHalf(Decoder &);
Decoded decodeIntegerPacked(Decoder &);
Decoded decodeIntegerDot(Decoder &);
Decoded decodeIntegerBytes(Decoder &);

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_INTEGERALU_H
