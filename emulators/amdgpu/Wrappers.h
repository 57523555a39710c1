//===- Wrappers.h - DPP, SDWA, VOPD -------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Encodings that put something around an operation of any family: DPP takes the first
// source from other lanes, SDWA takes parts of sources and writes a part of the result,
// VOPD issues two operations at once. The operation itself is decoded as if it stood
// alone, on temporary registers where the wrapper has prepared a source.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_WRAPPERS_H
#define TILEWRIGHT_EMULATORS_AMDGPU_WRAPPERS_H

#include "emulators/amdgpu/Decoder.h"
#include "emulators/amdgpu/Wave.h"

namespace tilewright::amdgpu {

/// Whether it is of DPP, which its mnemonic does not always say.
bool isDpp(const Assembly &assembly);

// "" or why the instruction cannot be decoded.
std::string decodeDpp(const Target &target, const Assembly &assembly,
                      Instruction &instruction, OwnedObjects &owned);
std::string decodeSdwa(const Target &target, const Assembly &assembly,
                       Instruction &instruction, OwnedObjects &owned);
std::string decodeDual(const Target &target, std::string_view first,
                       std::string_view second, Instruction &instruction,
                       OwnedObjects &owned);

/// Writes all lanes of a vector register, whichever are active.
void writeTemporary(Wave &wave, uint16_t reg, const uint32_t *values,
                    const uint8_t *poison);
/// A whole vector register as a source or a destination.
Source registerOf(uint16_t reg);

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_WRAPPERS_H
