//===- SelectionOps.h - selp and slct -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_SELECTIONOPS_H
#define TILEWRIGHT_EMULATORS_PTX_SELECTIONOPS_H

#include "emulators/ptx/Decode.h"

namespace tilewright::ptx {

void decodeSelection(Decoder &decoder, bool isSlct);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_SELECTIONOPS_H
