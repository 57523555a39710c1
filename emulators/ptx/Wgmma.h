//===- Wgmma.h - Asynchronous multiplications of a warpgroup ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A wgmma.mma_async is queued by each of the four warps, which each compute their 16
// rows, and executed at the wgmma.wait_group that covers it, the latest that hardware
// may:
//
//   mma_async      A's registers are copied; shared memory that A and B lie in is noted
//   as
//                  a source; accumulators become undefined
//   commit_group   what was queued is a group
//   wait_group n   all groups but the last n are executed, with what shared memory holds
//                  now, and their accumulators are defined again
//
// Multiplications with the same accumulators form a chain: the next one may be queued
// while the registers are undefined. A chain remembers what their poison is underneath.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_WGMMA_H
#define TILEWRIGHT_EMULATORS_PTX_WGMMA_H

#include "emulators/ptx/Block.h"
#include "emulators/ptx/MatrixDescriptor.h"
#include "emulators/ptx/MatrixOps.h"

#include <deque>
#include <list>

namespace tilewright::ptx {

constexpr unsigned warpsPerWarpgroup = 4;
constexpr unsigned warpRows = 16; ///< of the 64 rows, those of one warp

/// What an instruction wgmma.mma_async says. The list of its registers: D, then A if it
/// is in registers. Operands: 0 descriptor of A, 1 of B, 2 the predicate scale-d.
struct WgmmaShape {
  unsigned n = 0, k = 0; ///< k in elements
  Type a = Type::None, b = Type::None, d = Type::None;
  Fragment aFragment, dFragment; ///< of a warp's 16 rows
  bool aInRegisters = false;
  bool aTransposed = false, bTransposed = false;
  bool aNegated = false, bNegated = false;
  bool clamps = false;
  bool addsNever = false, addsAlways = false; ///< scale-d where it is a constant
  bool scaleNegated = false;
  /// What is written of its registers, and where, without a wgmma.fence after; empty:
  /// none.
  std::string missingFence;
};

/// Looks for a way to `statement`, a wgmma.mma_async of `function`, on which no
/// wgmma.fence lies after the last write to one of its registers by another instruction,
/// or none at all. What is missing, as text; empty if nothing is.
std::string findMissingFence(const Function &function, const Statement &statement);

/// Accumulators that multiplications are in flight for.
struct WgmmaChain {
  std::shared_ptr<Frame> frame;
  const uint32_t *registers = nullptr;
  unsigned count = 0;
  Type type = Type::None;      ///< of the elements
  unsigned pending = 0;        ///< multiplications not executed
  std::vector<uint8_t> poison; ///< the registers' own

  /// Makes the registers undefined and marks them, so that a write to one is seen.
  void markInFlight();
  /// Whether all of them still are as `markInFlight` left them.
  bool isUntouched() const;
};

/// Where the matrices of a warp's multiplication lie in its block's shared memory:
/// offsets of 16 bytes each.
struct WgmmaOperands {
  /// Those along the major dimension together: of A's 16 rows (or all k), and of B.
  std::vector<uint32_t> aChunks, bChunks;
  uint32_t aWidth = 0, bWidth = 0; ///< of their swizzles
  /// All of them, each once, upwards.
  std::vector<uint32_t> sources;
};

/// Where the operands of `warp`'s part of a multiplication with these descriptors lie,
/// `a` without a meaning where A is in registers; null if a fault was reported.
std::shared_ptr<const WgmmaOperands> findOperands(Warp &warp, uint64_t a, uint64_t b,
                                                  const WgmmaShape &shape);

/// A multiplication of one warp in flight.
struct PendingWgmma {
  const Instruction *instruction = nullptr;
  std::list<WgmmaChain>::iterator chain;
  bool adds = false; ///< to D, rather than replacing it
  std::shared_ptr<const WgmmaOperands> operands;
  uint32_t issued = 0;           ///< the warp's clock then
  std::vector<uint64_t> aValues; ///< registers of A as they were
  std::vector<uint8_t> aPoison;

  const WgmmaShape &shape() const {
    return *static_cast<const WgmmaShape *>(instruction->extra);
  }
};

/// The multiplications of a warp in flight.
class WgmmaQueue : public WarpState {
public:
  /// Queues `one`, whose operands, addend and instruction are set; false if a fault was
  /// reported that nothing can go on after.
  bool issue(Warp &warp, PendingWgmma one);
  void commit();
  /// Executes all groups but the last `left`.
  void wait(Warp &warp, size_t left);

private:
  bool findChain(Warp &warp, PendingWgmma &one);
  void beginReading(Warp &warp, PendingWgmma &one);
  void checkSources(Warp &warp, const PendingWgmma &one);
  void noteSources(Warp &warp, const PendingWgmma &one);
  void checkRegisters(Warp &warp, const PendingWgmma &one,
                      const WgmmaChain *&lastChecked);
  void releaseSources(Warp &warp, const PendingWgmma &one);

  std::deque<PendingWgmma> pending;
  std::deque<size_t> groups; // how many multiplications each has
  size_t uncommitted = 0;
  std::list<WgmmaChain> chains;
};

/// Computes multiplications that follow each other, keeping accumulators of the same
/// chain unpacked from one to the next.
class WgmmaExecution {
public:
  explicit WgmmaExecution(const Block &block) : block(block) {}

  void execute(const PendingWgmma &one);
  /// Writes the accumulators at hand to their registers.
  void flush();

private:
  void load();
  void multiplyFloats(const PendingWgmma &one, Undefined &operands);
  void multiplyWords(const PendingWgmma &one, Undefined &operands);

  const Block &block;
  const WgmmaShape *shape = nullptr; // of the accumulators at hand
  WgmmaChain *chain = nullptr;
  Undefined undefined; // its elements: of the accumulators
  alignas(32) float floats[warpRows * 256];
  alignas(32) uint32_t words[warpRows * 256];
};

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_WGMMA_H
