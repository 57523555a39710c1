//===- CarryOps.h - Arithmetic of extended precision --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_CARRYOPS_H
#define TILEWRIGHT_EMULATORS_PTX_CARRYOPS_H

#include "emulators/ptx/Decode.h"

namespace tilewright::ptx {

/// Decodes what reads or writes the carry flag: add.cc sub.cc mad.cc addc subc madc.
/// `.cc` of the first three was taken; `product` is 0 for .lo, 1 for .hi, nothing for
/// sums.
void decodeCarry(Decoder &decoder, Type type, std::optional<unsigned> product);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_CARRYOPS_H
