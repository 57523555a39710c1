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
