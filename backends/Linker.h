//===- Linker.h - Object files and shared objects -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_LINKER_H
#define TILEWRIGHT_BACKENDS_LINKER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace tilewright {

/// Writes `bytes` to a new file at `path`.
llvm::Error writeFile(llvm::StringRef path, llvm::StringRef bytes);

/// Runs lld, which writes about as much as `bytes` to `output`. Beside `arguments` it is
/// told how to treat files and threads.
llvm::Error runLinker(llvm::ArrayRef<std::string> arguments, llvm::StringRef output,
                      size_t bytes);

/// Links `object` to a shared object at `output` with lld.
llvm::Error linkObject(llvm::StringRef object, llvm::StringRef output);

/// The bytes of the shared object that `object` links to.
llvm::Expected<std::string> linkObject(llvm::StringRef object);

} // namespace tilewright

#endif // TILEWRIGHT_BACKENDS_LINKER_H
