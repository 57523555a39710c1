//===- SourceLines.cpp - Where code was compiled from -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/SourceLines.h"

#include "llvm/Object/ObjectFile.h"

using namespace tilewright::amdgpu;

/// The line tables of an object; empty where it has none that can be read.
static LineTable readTable(const std::string &bytes) {
  auto object = llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef(bytes, "code object"));
  if (!object) {
    llvm::consumeError(object.takeError());
    return {};
  }
  LineSections sections;
  for (const llvm::object::SectionRef &section : (*object)->sections()) {
    auto name = section.getName();
    auto contents = section.getContents();
    if (name && contents) {
      if (*name == ".debug_line")
        sections.line = *contents;
      else if (*name == ".debug_line_str")
        sections.lineStrings = *contents;
      else if (*name == ".debug_str")
        sections.strings = *contents;
      continue;
    }
    llvm::consumeError(name.takeError());
    llvm::consumeError(contents.takeError());
  }
  return LineTable(sections);
}

SourceLine SourceLines::find(uint64_t address) {
  std::lock_guard<std::mutex> guard(lock);
  if (!table)
    table = std::make_unique<LineTable>(readTable(bytes));
  return table->find(address);
}
