//===- FlatAddress.h - Addresses of global, flat and scratch operations -------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_FLATADDRESS_H
#define TILEWRIGHT_EMULATORS_AMDGPU_FLATADDRESS_H

#include "emulators/amdgpu/VectorMemory.h"

namespace tilewright::amdgpu {

struct FlatMode {
  enum Segment : uint8_t {
    Global,
    Flat, ///< generic: global memory, LDS or private memory, lane by lane
    Scratch,
  } segment = Global;
  bool addsThread = false; ///< four times the lane's number
  int64_t offset = 0;
};

/// Where each active lane of an operation accesses which memory. The instruction's
/// sources 0 and 1 are the lanes' part of the address and the scalar one.
class FlatAddresses {
public:
  /// False where a part is undefined, which was reported.
  bool find(Wave &wave, const Instruction &instruction, const FlatMode &mode);

  Lanes64 at;
  /// By Space; no lane is in two.
  uint64_t lanes[3] = {};

  /// Calls `move(space, lanes)` for each space that lanes access.
  template <typename Move> void each(const Move &move) const {
    for (unsigned space = 0; space < 3; ++space)
      if (lanes[space])
        move(static_cast<Space>(space), lanes[space]);
  }
};

/// Takes "global_", "flat_" or "scratch_" off a mnemonic; false where it has none.
bool consumeSegment(std::string_view &mnemonic, FlatMode &mode);
/// Takes the lanes' address, operand `vector`, and the scalar one, operand `scalar`
/// (which flat operations lack), into sources 0 and 1, and the offset.
bool decodeFlatAddress(Decoder &decoder, size_t vector, size_t scalar, FlatMode &mode);
/// How many operands an operation has whose address is one and which has `others`.
inline size_t countOperands(const FlatMode &mode, size_t others) {
  return others + (mode.segment == FlatMode::Flat ? 1 : 2);
}

/// The counters that an operation of this kind ends by, `first` and, of flat operations,
/// that of LDS too.
void issueFlat(Wave &wave, const FlatMode &mode, Counter first,
               const Source &destination);
/// Those with which it ends in order.
uint32_t orderOf(const Wave &wave, const FlatMode &mode);

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_FLATADDRESS_H
