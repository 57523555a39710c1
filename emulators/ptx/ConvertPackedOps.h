//===- ConvertPackedOps.h - Conversions of packed types -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_CONVERTPACKEDOPS_H
#define TILEWRIGHT_EMULATORS_PTX_CONVERTPACKEDOPS_H

#include "emulators/ptx/Decode.h"

namespace tilewright::ptx {

/// Whether `type` is two floating-point values that cvt packs: f16x2, e4m3x2 and the
/// like.
bool isPackedFormat(Type type);
void decodeConvertPacked(Decoder &decoder, Type to, Type from);
/// Decodes cvt.pack.
void decodePackIntegers(Decoder &decoder);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_CONVERTPACKEDOPS_H
