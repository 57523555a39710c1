//===- AddressOps.h - Addresses between state spaces --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_ADDRESSOPS_H
#define TILEWRIGHT_EMULATORS_PTX_ADDRESSOPS_H

#include "emulators/ptx/Decode.h"

namespace tilewright::ptx {

/// Decodes cvta.
void decodeAddressConversion(Decoder &decoder);
/// Decodes isspacep.
void decodeIsInSpace(Decoder &decoder);
/// A variable of the function's frame in local memory; null where `name` is no such one.
const Placement *findLocal(const Decoder &decoder, std::string_view name);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_ADDRESSOPS_H
