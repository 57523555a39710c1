//===- SourceLines.h - Where code was compiled from ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_SOURCELINES_H
#define TILEWRIGHT_EMULATORS_AMDGPU_SOURCELINES_H

#include "emulators/amdgpu/LineTable.h"

#include <memory>
#include <mutex>

namespace tilewright::amdgpu {

/// The line table of a code object (DWARF), read when it is first asked. Damaged tables
/// tell nothing. Any thread may ask.
class SourceLines {
public:
  /// `bytes` are the object's and must live as long.
  explicit SourceLines(const std::string &bytes) : bytes(bytes) {}
  SourceLine find(uint64_t address);

private:
  const std::string &bytes;
  std::mutex lock;
  std::unique_ptr<LineTable> table;
};

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_SOURCELINES_H
