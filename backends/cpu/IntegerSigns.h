//===- IntegerSigns.h - Signs copied by integers --------------------*- C++ -*-===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_INTEGERSIGNS_H
#define TILEWRIGHT_BACKENDS_CPU_INTEGERSIGNS_H

namespace llvm {
class Module;
} // namespace llvm

namespace tilewright::cpu {

/// Makes scalar copysigns beside a truncation operations on integers.
///
/// LLVM 22's code generator moves truncations through them on both sides, until a sign of
/// f64 is to become one of f16: for that conversion it calls `__truncdfhf2` of a C
/// compiler's library, which an artifact does not have. InstCombine makes copysigns of
/// such integer operations, so that this comes after.
void copySignsAsIntegers(llvm::Module &module);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_INTEGERSIGNS_H
