//===- OneLaneStores.h - Masked stores of one lane ------------------*- C++ -*-===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_ONELANESTORES_H
#define TILEWRIGHT_BACKENDS_CPU_ONELANESTORES_H

namespace llvm {
class Module;
} // namespace llvm

namespace tilewright::cpu {

/// Makes masked stores whose constant mask has one lane stores of that element.
///
/// LLVM 22's code generator does so too, but takes the elements from in front of a
/// truncation: with AVX-512 it stored 4 bytes where one of i8 was meant, over what lies
/// behind (llvm/llvm-project issue 179489). The masks are constant once LLVM has
/// optimised the module, so that this comes after.
void storeSingleLanes(llvm::Module &module);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_ONELANESTORES_H
