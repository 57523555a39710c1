//===- BarrierOps.h - Parts of the decoder of barriers and fences -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_BARRIEROPS_H
#define TILEWRIGHT_EMULATORS_PTX_BARRIEROPS_H

#include "emulators/ptx/Block.h"
#include "emulators/ptx/Decode.h"

namespace tilewright::ptx {

void decodeClusterBarrier(Decoder &decoder); // ClusterBarrierOps.cpp: barrier.cluster
void decodeWarpBarrier(Decoder &decoder);    // ClusterBarrierOps.cpp: bar.warp
void decodeFence(Decoder &decoder);          // FenceOps.cpp: fence, membar

/// Whether the group at hand is all live lanes of its warp and none is predicated off, as
/// .aligned demands. If not, `step` is what the handler says: Wait, or Stop where the
/// other lanes wait at an aligned barrier too or will not execute this one.
bool isAligned(Warp &warp, Step &step);

/// What a handler says whose active lanes wait: Wait, after lanes whose guard is false
/// have gone on without them.
Step waitAlone(Warp &warp);

/// The value of `reg` that all active lanes agree on; nothing where a fault was reported.
std::optional<uint32_t> readUniform(Warp &warp, uint32_t reg, const char *what);

/// Bits of Instruction::flags that these families share.
enum : uint32_t { alignedFlag = 1u << 31 };

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_BARRIEROPS_H
