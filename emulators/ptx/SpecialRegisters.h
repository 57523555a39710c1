//===- SpecialRegisters.h - Names and values of special registers -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_SPECIALREGISTERS_H
#define TILEWRIGHT_EMULATORS_PTX_SPECIALREGISTERS_H

#include "emulators/ptx/Program.h"

#include <optional>

namespace tilewright::ptx {

/// "%tid.x", "%laneid", "WARP_SZ" is no register.
std::optional<SpecialRegister> parseSpecialRegister(std::string_view name);
/// Whether each read may give another value, so that `mov` must ask again.
bool isVolatile(SpecialRegister special);
/// Its value for `lane` of `warp` now.
uint64_t readSpecialRegister(Warp &warp, SpecialRegister special, unsigned lane);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_SPECIALREGISTERS_H
