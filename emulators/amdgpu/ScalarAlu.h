//===- ScalarAlu.h - What the scalar families share ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_SCALARALU_H
#define TILEWRIGHT_EMULATORS_AMDGPU_SCALARALU_H

#include "emulators/amdgpu/Decoder.h"
#include "emulators/amdgpu/UndefinedBits.h"

namespace tilewright::amdgpu {

constexpr uint64_t maskOf(unsigned bits) {
  return bits == 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
}
constexpr ScalarValue cutTo(ScalarValue value, unsigned bits) {
  return {value.bits & maskOf(bits), value.poison & maskOf(bits)};
}
inline unsigned bitsOfDestination(const Instruction &instruction) {
  return instruction.destination[0].count * 32u;
}
/// Of sums and products: a bit depends on those below it, not on those above.
constexpr uint64_t upwardBits(uint64_t poison) { return poison | (0 - poison); }

/// SCC of many operations: the result is not zero. A defined one decides.
inline void setSccNonzero(Wave &wave, ScalarValue value) {
  bool decided = value.bits & ~value.poison;
  wave.setScc(value.bits != 0, value.poison && !decided);
}

/// Writes the result and sets SCC where it is not zero.
inline Step writeNonzero(Wave &wave, const Instruction &instruction, ScalarValue value) {
  value = cutTo(value, bitsOfDestination(instruction));
  wave.writeScalar(instruction.destination[0], value);
  setSccNonzero(wave, value);
  return Step::Next;
}
inline Step writeOnly(Wave &wave, const Instruction &instruction, ScalarValue value) {
  wave.writeScalar(instruction.destination[0],
                   cutTo(value, bitsOfDestination(instruction)));
  return Step::Next;
}

struct ScalarEntry {
  std::string_view name;
  Handler handler;
  unsigned registers; ///< of the destination; 0: there is none
  Type sources[3];
  unsigned count = 0;
};
bool decodeScalarEntry(Decoder &decoder, const ScalarEntry &entry);
template <size_t size>
Decoded decodeScalars(Decoder &decoder, const ScalarEntry (&entries)[size]) {
  for (const ScalarEntry &entry : entries)
    if (entry.name == decoder.mnemonic())
      return decodedIf(decodeScalarEntry(decoder, entry));
  return Decoded::NotMine;
}

// The topics of decodeScalarAlu.
Decoded decodeScalarLogic(Decoder &);
Decoded decodeScalarArithmetic(Decoder &);
Decoded decodeScalarCompare(Decoder &);
Decoded decodeScalarFloat(Decoder &);
Decoded decodeScalarState(Decoder &);

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_SCALARALU_H
