//===- Artifact.h - Native code, images and tables in one shared object -------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_DRIVER_ARTIFACT_H
#define TILEWRIGHT_DRIVER_ARTIFACT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"

namespace tilewright {

/// Adds to `module` the exported `tw_artifact` (tilewright/abi.h) with one image: the
/// native launch function `launch` for `target`, which uses `features`. Everything else
/// becomes internal.
void addArtifact(llvm::Module &module, llvm::StringRef name, llvm::StringRef launch,
                 llvm::StringRef target, llvm::StringRef features,
                 llvm::ArrayRef<int64_t> signature, llvm::StringRef manifest);

/// Links `object` to a shared object at `output` with lld.
llvm::Error linkArtifact(llvm::StringRef object, llvm::StringRef output);

} // namespace tilewright

#endif // TILEWRIGHT_DRIVER_ARTIFACT_H
