//===- BitFieldOps.h - Bit fields and counts of bits --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_BITFIELDOPS_H
#define TILEWRIGHT_EMULATORS_PTX_BITFIELDOPS_H

#include "emulators/ptx/Decode.h"

namespace tilewright::ptx {

/// Decodes cnot lop3 shf bfe bfi bfind brev clz popc fns szext bmsk.
void decodeBitField(Decoder &decoder);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_BITFIELDOPS_H
