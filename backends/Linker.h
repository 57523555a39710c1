//===- Linker.h - Shared objects ----------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_LINKER_H
#define TILEWRIGHT_BACKENDS_LINKER_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace tilewright {

/// Links `object` to a shared object at `output` with lld.
llvm::Error linkObject(llvm::StringRef object, llvm::StringRef output);

/// The bytes of the shared object that `object` links to.
llvm::Expected<std::string> linkObject(llvm::StringRef object);

} // namespace tilewright

#endif // TILEWRIGHT_BACKENDS_LINKER_H
