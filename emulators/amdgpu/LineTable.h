//===- LineTable.h - DWARF's table of source lines ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Section .debug_line of DWARF 2 to 5. LLVM has a reader, which is made for what
// compilers write and reads past the end of damaged sections; objects here come from
// anywhere.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_LINETABLE_H
#define TILEWRIGHT_EMULATORS_AMDGPU_LINETABLE_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tilewright::amdgpu {

/// A place in a source file; line 0 where it is not known.
struct SourceLine {
  std::string file;
  uint32_t line = 0;
};

/// The sections that line tables are in.
struct LineSections {
  llvm::StringRef line, lineStrings, strings;
};

class LineTable {
public:
  LineTable() = default;
  /// Reads all tables as far as they are sound.
  explicit LineTable(const LineSections &sections);

  SourceLine find(uint64_t address) const;

private:
  class Unit;
  struct Row {
    uint64_t address;
    uint32_t file; ///< index into `files`
    uint32_t line;
  };
  /// Instructions one after the other, up to `end`.
  struct Sequence {
    uint64_t end = 0;
    std::vector<Row> rows; // by address
  };

  std::vector<std::string> files;
  std::map<uint64_t, Sequence> sequences; // by first address
};

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_LINETABLE_H
