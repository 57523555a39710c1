//===- AsyncCopies.h - What cp.async has under way ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each lane has its own groups, numbered from 0; a copy belongs to the group that is open
// when it is issued. wait_group N lands what is in groups below the number of the lane's
// open group less N.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_ASYNCCOPIES_H
#define TILEWRIGHT_EMULATORS_PTX_ASYNCCOPIES_H

#include "emulators/ptx/AsyncCopy.h"

namespace tilewright::ptx {

/// What one instruction copies for the lanes of a warp.
struct CopyBatch {
  uint32_t lanes = 0;   ///< that have not landed
  uint32_t tracked = 0; ///< lanes whose copy an mbarrier is told of
  uint32_t bytes = 0;
  uint64_t group[lanesPerWarp];
  uint32_t offset[lanesPerWarp]; ///< in the block's shared memory
  uint8_t data[lanesPerWarp][16], shadow[lanesPerWarp][16];
};

/// The copies of a warp.
class AsyncCopies : public WarpState {
public:
  /// A batch without lanes, of copies of `bytes` bytes.
  CopyBatch &add(uint32_t bytes);
  /// Ends the open group of each of `lanes`.
  void commit(uint32_t lanes);
  /// Lands all but the last `left` groups of `lanes`.
  void wait(Warp &warp, uint32_t lanes, uint64_t left);
  /// An mbarrier is told of what `lanes` have issued so far; returns what lands it.
  std::function<void()> track(Warp &warp, uint32_t lanes);

  uint64_t open[lanesPerWarp] = {}; ///< number of the lane's open group

private:
  void land(Warp &warp, CopyBatch &batch, uint32_t lanes);
  void collect();

  std::vector<std::shared_ptr<CopyBatch>> batches, free;
};

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_ASYNCCOPIES_H
