//===- LibraryTables.h - What a library holds beside its artifacts ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_DRIVER_LIBRARYTABLES_H
#define TILEWRIGHT_DRIVER_LIBRARYTABLES_H

#include "driver/Library.h"

#include "llvm/IR/Module.h"

namespace tilewright {

/// The sections that a library's code and constants go into, which its seal is over.
constexpr llvm::StringLiteral codeSection = "code", constantSection = "constants";
inline std::string sectionName(const LibrarySpec &spec, llvm::StringRef section) {
  return spec.name + "_" + section.str();
}

/// Adds to `module` the library's tables (tilewright/library.h), the exported functions
/// that pass their arguments on to the runtime, and to `exported` the names of these.
void addLibraryTables(llvm::Module &module, const LibrarySpec &spec,
                      std::vector<std::string> &exported);

} // namespace tilewright

#endif // TILEWRIGHT_DRIVER_LIBRARYTABLES_H
