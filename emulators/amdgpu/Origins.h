//===- Origins.h - Registers with the same undefined bits ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What nothing wrote has some value nevertheless, which stays until the register is
// written. Compilers rely on it: to make one element of a vector zero, LLVM writes
// (v & mask) ^ v, whose bits under the mask are zero whatever those of v are.
//
//   v_and_b32 v2, v6, v4     v6 is undefined: of what v2 has of it, v6 is the origin
//   v_xor_b32 v8, v2, v6     so a bit that is undefined in both cancels out
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_ORIGINS_H
#define TILEWRIGHT_EMULATORS_AMDGPU_ORIGINS_H

#include "emulators/amdgpu/Instruction.h"

#include <vector>

namespace tilewright::amdgpu {

/// Two registers of the same origin hold the same in each bit that is undefined in both,
/// in the lanes of both. `number` 0: none is known.
struct Origin {
  uint64_t number = 0, lanes = 0;
};

/// The origins of a wave's registers, scalar ones included: a vector operation may read
/// one, as if each lane had it. `part` is the register's place in a pair.
class Origins {
public:
  Origins() : origins(vectorRegisters + scalarRegisters) {}

  /// Must be called for each register that is written and was undefined in part.
  void forgetVector(uint16_t reg) { origins[reg] = {}; }
  void forgetScalar(uint16_t reg) { origins[vectorRegisters + reg] = {}; }

  /// The origin of what `source` holds in `lanes`.
  Origin find(const Source &source, uint64_t lanes, unsigned part = 0) {
    Origin &own = at(source, part);
    if (lanes & ~own.lanes)
      own = {++last, ~uint64_t(0)};
    return {own.number, lanes};
  }
  /// What is undefined of what was just written to `destination` comes from `origin`.
  void set(const Source &destination, Origin origin, unsigned part = 0) {
    at(destination, part) = origin;
  }
  /// The lanes in which both have the same.
  uint64_t findShared(const Source &a, const Source &b, unsigned part = 0) const {
    if (!isRegister(a) || !isRegister(b))
      return 0;
    if (a.kind == b.kind && a.reg == b.reg)
      return ~uint64_t(0);
    Origin first = origins[indexOf(a, part)], second = origins[indexOf(b, part)];
    return first.number == second.number ? first.lanes & second.lanes : 0;
  }

  static bool isRegister(const Source &source) {
    return source.kind == Operand::Vector || source.kind == Operand::Scalar;
  }

private:
  static size_t indexOf(const Source &source, unsigned part) {
    return (source.kind == Operand::Vector ? 0 : vectorRegisters) + source.reg + part;
  }
  Origin &at(const Source &source, unsigned part) {
    return origins[indexOf(source, part)];
  }

  std::vector<Origin> origins;
  uint64_t last = 0;
};

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_ORIGINS_H
