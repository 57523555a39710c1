//===- Printf.h - Text that a program prints ----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_PRINTF_H
#define TILEWRIGHT_EMULATORS_PTX_PRINTF_H

#include "emulators/ptx/Warp.h"

namespace tilewright::ptx {

/// Sets `text` to the zero-terminated string at generic `address`. False where a fault
/// was reported.
bool readString(Warp &warp, uint64_t address, unsigned lane, std::string &text);

/// What vprintf prints for the format and the packed arguments at generic addresses: each
/// argument at a multiple of its size, 4 or 8 bytes. `count` is how many there were.
/// False where a fault was reported that nothing can go on after.
bool formatPrintf(Warp &warp, uint64_t format, uint64_t arguments, unsigned lane,
                  std::string &text, int32_t &count);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_PRINTF_H
