//===- MbarrierOps.h - Parts of the mbarrier instructions ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each active lane operates on the barrier at its own address, in the order of lanes. The
// state that an arrival gives holds the phase and the arrivals pending before it:
//
//   63        32 31    20 19         0
//   [ phase     | tag    | pending    ]
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_MBARRIEROPS_H
#define TILEWRIGHT_EMULATORS_PTX_MBARRIEROPS_H

#include "emulators/ptx/Decode.h"
#include "emulators/ptx/Mbarrier.h"

namespace tilewright::ptx {

constexpr uint64_t mbarrierStateTag = 0xb4a;

inline uint64_t makeMbarrierState(const Mbarrier &barrier) {
  return barrier.getPhase() << 32 | mbarrierStateTag << 20 |
         static_cast<uint64_t>(barrier.getPending());
}
inline bool isMbarrierState(uint64_t state) {
  return (state >> 20 & 0xfff) == mbarrierStateTag;
}

/// Bits of Instruction::flags. Operands of all: 0 is the result, 1 the address, 2 a
/// count, bytes, a state or a parity.
enum MbarrierFlag : uint32_t {
  withDrop = 1,
  withExpectTx = 2,
  noComplete = 4,
  relaxedOrder = 8,
  byParity = 16,
};

/// The barriers that the lanes of an instruction name; the last one found is remembered,
/// since most often it is the same for all.
class LaneBarriers {
public:
  LaneBarriers(Warp &warp, const Instruction &instruction)
      : warp(warp), instruction(instruction),
        addresses(warp.values(instruction.operand[1])) {}

  uint64_t getAddress(unsigned lane) const {
    uint64_t address = addresses[lane] + instruction.immediate;
    // Addresses of shared memory may have 32 bits.
    return instruction.space == Space::Generic ? address : address & 0xffffffff;
  }
  /// Null where a fault was reported.
  Mbarrier *get(unsigned lane) {
    uint64_t address = getAddress(lane);
    if (!last || address != lastAddress)
      last = findMbarrier(warp, instruction.space, address, lane);
    lastAddress = address;
    return last;
  }

private:
  Warp &warp;
  const Instruction &instruction;
  const uint64_t *addresses;
  uint64_t lastAddress = 0;
  Mbarrier *last = nullptr;
};
inline Step refuseCount(Warp &warp, std::string error, unsigned lane) {
  return warp.stop(Rule::BarrierCount, std::move(error), lane);
}

/// The address operand at `index`.
inline void takeMbarrierAddress(Decoder &d, size_t index) {
  d.result.operand[1] = d.address(d.at(index), d.result.space);
}

// MbarrierWaitOps.cpp, after the space and the type were taken.
void decodeMbarrierWait(Decoder &decoder, bool mayHaveHint);
void decodePendingCount(Decoder &decoder);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_MBARRIEROPS_H
