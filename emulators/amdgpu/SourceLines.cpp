//===- SourceLines.cpp - Where code was compiled from -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/SourceLines.h"

#include "llvm/DebugInfo/DWARF/DWARFContext.h"
#include "llvm/Object/ObjectFile.h"

using namespace tilewright::amdgpu;

struct SourceLines::Table {
  std::unique_ptr<llvm::object::ObjectFile> object;
  std::unique_ptr<llvm::DWARFContext> context;
};

SourceLines::SourceLines(const std::string &bytes) : bytes(bytes) {}
SourceLines::~SourceLines() = default;

SourceLine SourceLines::find(uint64_t address) {
  std::lock_guard<std::mutex> guard(lock);
  auto ignore = [](llvm::Error error) { llvm::consumeError(std::move(error)); };
  if (!table) {
    table = std::make_unique<Table>();
    auto object = llvm::object::ObjectFile::createObjectFile(
        llvm::MemoryBufferRef(bytes, "code object"));
    if (object) {
      table->object = std::move(*object);
      table->context = llvm::DWARFContext::create(
          *table->object, llvm::DWARFContext::ProcessDebugRelocations::Ignore, nullptr,
          "", ignore, ignore);
    } else {
      ignore(object.takeError());
    }
  }
  if (!table->context)
    return {};
  llvm::DILineInfoSpecifier wanted(
      llvm::DILineInfoSpecifier::FileLineInfoKind::AbsoluteFilePath);
  auto found = table->context->getLineInfoForAddress(
      {address, llvm::object::SectionedAddress::UndefSection}, wanted);
  if (!found || !*found || found->FileName == llvm::DILineInfo::BadString)
    return {};
  return {found->FileName, found->Line};
}
