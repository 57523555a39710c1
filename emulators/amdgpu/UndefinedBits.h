//===- UndefinedBits.h - Which bits of a result are undefined -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Logic and shifts on values some of whose bits are undefined; a defined bit that decides
// the result's makes that one defined. A vector register has a bit for each byte of which
// some is undefined, and beside it those of the bits where they are not whole bytes.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_UNDEFINEDBITS_H
#define TILEWRIGHT_EMULATORS_AMDGPU_UNDEFINEDBITS_H

#include "emulators/amdgpu/Wave.h"

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

constexpr ScalarValue notOf(ScalarValue a) { return {~a.bits, a.poison}; }
constexpr ScalarValue andOf(ScalarValue a, ScalarValue b) {
  return {a.bits & b.bits,
          (a.poison & (b.bits | b.poison)) | (b.poison & (a.bits | a.poison))};
}
constexpr ScalarValue orOf(ScalarValue a, ScalarValue b) {
  return {a.bits | b.bits,
          (a.poison & (~b.bits | b.poison)) | (b.poison & (~a.bits | a.poison))};
}
constexpr ScalarValue xorOf(ScalarValue a, ScalarValue b) {
  return {a.bits ^ b.bits, a.poison | b.poison};
}
constexpr ScalarValue andNotOf(ScalarValue a, ScalarValue b) {
  return andOf(a, notOf(b));
}
constexpr ScalarValue orNotOf(ScalarValue a, ScalarValue b) { return orOf(a, notOf(b)); }
constexpr ScalarValue nandOf(ScalarValue a, ScalarValue b) { return notOf(andOf(a, b)); }
constexpr ScalarValue norOf(ScalarValue a, ScalarValue b) { return notOf(orOf(a, b)); }
constexpr ScalarValue xnorOf(ScalarValue a, ScalarValue b) { return notOf(xorOf(a, b)); }

/// `width` bits of `value` from `offset`, extended with zeros or the sign to 64; a width
/// that goes beyond `bits` ends there.
constexpr uint64_t extractBits(uint64_t value, unsigned offset, unsigned width,
                               unsigned bits, bool isSigned) {
  if (width == 0 || offset >= bits)
    return 0;
  if (offset + width > bits)
    width = bits - offset;
  uint64_t up = value << (64 - offset - width);
  return isSigned ? static_cast<uint64_t>(static_cast<int64_t>(up) >> (64 - width))
                  : up >> (64 - width);
}

/// Bit 0 becomes the highest of `bits`.
constexpr uint64_t reverseBits(uint64_t value, unsigned bits) {
  uint64_t result = 0;
  for (unsigned i = 0; i < bits; ++i)
    result |= (value >> i & 1) << (bits - 1 - i);
  return result;
}

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_UNDEFINEDBITS_H
