//===- CheckTable.h - The table that a checked kernel hands to the runtime ------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_HOST_CHECK_TABLE_H
#define TILEWRIGHT_COMPILER_HOST_CHECK_TABLE_H

#include "dialects/tile/Tile.h"
#include "tilewright/checks.h"

#include "llvm/ADT/StringMap.h"

#include <array>
#include <map>

namespace tilewright::host {

/// Collects what checks say and encodes it as `tilewright/checks.h` lays it out.
class CheckTable {
public:
  void addMemory(tile::CheckMemoryOp op);
  void addLoop(tile::CheckIterationOp op);
  /// These give the number of the site.
  int64_t addSite(tile::CheckAccessOp op);
  int64_t addSite(tile::CheckValueOp op);

  std::vector<int64_t> encode() const;

private:
  using Memory = std::array<int64_t, TW_CHECKS_MEMORY_WORDS>;
  using Loop = std::array<int64_t, TW_CHECKS_LOOP_WORDS>;
  using Site = std::array<int64_t, TW_CHECKS_SITE_WORDS>;

  int64_t addString(llvm::StringRef text);
  int64_t addNumbers(llvm::ArrayRef<int64_t> numbers);
  Site makeSite(mlir::Operation *op, int64_t kind, llvm::StringRef what,
                std::optional<uint64_t> loop);
  int64_t addSite(const Site &site);

  std::vector<Memory> memories;
  std::vector<Loop> loops;
  /// A loop may have been lowered in two forms: the sites of both are the same.
  std::vector<Site> sites;
  std::map<Site, int64_t> knownSites;
  /// Lists of sizes and names, which entries name by their position, from 1.
  std::vector<int64_t> numbers;
  std::map<std::vector<int64_t>, int64_t> knownNumbers;
  std::string strings;
  llvm::StringMap<int64_t> knownStrings;
};

} // namespace tilewright::host

#endif // TILEWRIGHT_COMPILER_HOST_CHECK_TABLE_H
