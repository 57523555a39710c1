//===- BufferAddress.h - Addresses by a buffer's descriptor -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A buffer operation names four scalar registers that describe a buffer, and accesses
// outside it have no effect: loads give zero, stores and atomics are dropped. Compilers
// mask lanes that way. An access that the descriptor allows is checked like any other.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_BUFFERADDRESS_H
#define TILEWRIGHT_EMULATORS_AMDGPU_BUFFERADDRESS_H

#include "emulators/amdgpu/VectorMemory.h"

namespace tilewright::amdgpu {

/// How a buffer operation makes addresses, beside the instruction's sources: 0 the
/// offsets, 1 the indices, 2 the descriptor, 3 the scalar offset.
struct BufferMode {
  bool hasOffset = false, hasIndex = false;
  uint32_t offset = 0;
};

class BufferAddresses {
public:
  /// False where an operand is undefined or the descriptor is none that is modelled,
  /// which was reported.
  bool find(Wave &wave, const Instruction &instruction, const BufferMode &mode);

  Space space = Space::Global;
  Lanes64 at;
  /// The active lanes whose `bytes` at `extra` after their address are in range.
  uint64_t inRange(unsigned extra, unsigned bytes) const;

private:
  /// What the range is checked by.
  enum Check : uint8_t {
    Always,         ///< in range
    Raw,            ///< the offset against the bytes
    RawStart,       ///< the offset's start alone, as gfx9 does
    Index,          ///< the index against the records
    IndexAndOffset, ///< and the offset against the stride
  } check = Raw;
  bool readDescriptor(Wave &wave, const Source &source);

  uint64_t active = 0, base = 0, records = 0;
  uint32_t stride = 0;
  unsigned select = 0; ///< OOB_SELECT, of gfx10 and later
  Lanes64 offsets;     ///< what is checked
  Lanes32 indices;
};

/// Takes the operands from `first` on (address, descriptor, scalar offset) and their
/// modifiers into the instruction's sources.
bool decodeBufferAddress(Decoder &decoder, size_t first, BufferMode &mode);

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_BUFFERADDRESS_H
