//===- UndefinedBits.h - Which bits of a result are undefined -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Logic and shifts on values some of whose bits are undefined; a defined bit that decides
// the result's makes that one defined.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_UNDEFINEDBITS_H
#define TILEWRIGHT_EMULATORS_AMDGPU_UNDEFINEDBITS_H

#include "emulators/amdgpu/Wave.h"

namespace tilewright::amdgpu {

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
