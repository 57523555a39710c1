//===- Checks.h - The checker of one launch ----------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_CHECKS_H
#define TILEWRIGHT_RUNTIME_SRC_CHECKS_H

#include "CheckTable.h"
#include "FaultLog.h"
#include "Shadow.h"

#include "tilewright/abi.h"

#include <csetjmp>

namespace tilewright {

constexpr int maximumRank = TW_MAX_RANK;

/// A tensor, workspace or tile while its launch runs.
struct CheckedMemory {
  const char *data = nullptr;
  int64_t extents[maximumRank];
  int64_t strides[maximumRank]; // in elements
  /// Its shadow, shared by tensors that overlap; nullptr where nobody writes it.
  Shadow *shadow = nullptr;
  Shadow own;
  /// Bytes that one element of the shadow stands for, and where it begins.
  int64_t granule = 1;
  const char *shadowed = nullptr;
  /// What was written by earlier agents counts as undefined.
  uint64_t birth = 0;
  /// Whether reads of elements that were not written are faults.
  bool startsUndefined = false;
};

/// A box of a memory that lies inside it.
struct CheckedBox {
  int64_t start[maximumRank], size[maximumRank];
};

/// What was seen among values.
enum Special { kNan = 1, kInfinity = 2 };

/// The checker of one launch. Its blocks run one after the other on the calling thread,
/// so that reports are the same in every run.
class Checks {
  CheckTable table;
  const char *kernelName;
  FaultLog log;
  bool lacksMemory = false;
  jmp_buf end; // of the block that runs

  CheckedMemory *memories = nullptr;
  Array<int64_t> slots; // of each loop: the place of its first variable in `variables`
  Array<int64_t> parallels; // of each loop: the T.Parallel that it is or is in, or -1
  Array<int64_t> variables;

  int64_t gridRank = 0, grid[3] = {1, 1, 1};
  uint64_t next = 1; // agent
  uint64_t kernelBegin = 0, loopBegin = 0, serialAgent = 0, parallelAgent = 0;
  Array<uint64_t> blockBegins; // of the kernel that runs
  int inspected = 0;           // Special values

  bool init();
  int64_t parallelOf(int64_t loop) const { return loop < 0 ? -1 : parallels[loop]; }
  uint64_t blockBegin() const { return blockBegins[blockBegins.size() - 1]; }
  Rivals rivalsOf(const CheckSite &site) const;

  void shareShadows();
  void shareShadow(CheckedMemory &owner, const char *first, const char *last,
                   int64_t granule);
  void setBlock(FaultPlace &place, int64_t block) const;

  [[noreturn]] void endBlock() { longjmp(end, 1); }
  [[noreturn]] void report(Rule rule, int64_t site, const char *message, int64_t memory,
                           const int64_t *index, const Stamp *rival = nullptr,
                           const char *rivalAccess = "");
  FaultPlace placeOf(int64_t site, int64_t block, uint64_t agent) const;

  bool fit(int64_t site, CheckedBox &box);
  bool cutToTarget(const CheckSite &site, const int64_t *offsets, CheckedBox &box) const;
  void visitRows(int64_t site, const CheckedBox &box, const int64_t *indexOffsets);
  void visit(int64_t site, const CheckedBox &box);
  void inspect(int64_t site, const char *element, const int64_t *index);
  void touch(int64_t site, CheckedMemory &memory, size_t at, const Rivals &rivals,
             const int64_t *index);
  int64_t readIndex(const CheckSite &site, const int64_t *offsets, int64_t row) const;

public:
  /// nullptr where there is no memory.
  static Checks *create(const int64_t *table, const char *kernelName);
  void destroy();

  void tensor(int64_t memory, const void *data, const int64_t *layout);
  void kernel(int64_t rank, const int64_t *extents);
  void tile(int64_t memory, void *data);
  void iteration(int64_t loop, const int64_t *values);
  void access(int64_t site, const int64_t *offsets);
  void value(int64_t site, int64_t count, const double *values);
  /// An assertion of the kernel's own, which does not end the block.
  void trap(const char *message, const char *where, int64_t block);

  /// Runs blocks [0, count) of the kernel that was announced, one after the other.
  void runBlocks(int64_t count, tw_block_fn fn, void *env, void *arena);

  bool hasFaults() const { return !log.isEmpty(); }
  bool isOutOfMemory() const { return lacksMemory; }
  void format(Buffer &text, Buffer &json) { log.format(text, json); }

private:
  void runBlock(int64_t block, tw_block_fn fn, void *env, void *arena);

  explicit Checks(const int64_t *words, const char *kernelName)
      : table(words), kernelName(kernelName) {}
};

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_CHECKS_H
