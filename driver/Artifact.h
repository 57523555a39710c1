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

/// What an artifact holds for one target.
struct Image {
  std::string target;
  llvm::StringRef launch; // the native launch function
  std::string features;   // that native code uses
  std::string data;       // what a device loads; empty where kernels are native code
};

/// Adds to `module` the exported `symbol`, a tw_artifact_v1 (tilewright/abi.h) with one
/// image. Everything else becomes internal.
void addArtifact(llvm::Module &module, llvm::StringRef symbol, llvm::StringRef name,
                 const Image &image, llvm::ArrayRef<int64_t> signature,
                 llvm::StringRef manifest);

/// What a device loads as libraries keep it: a frame of zstd with a checksum, which the
/// runtime unpacks when it is first wanted.
llvm::Error compressImage(std::string &data);

/// Leaves of the source files that debug information names their names alone: a library
/// is the same wherever it is built, and tells nobody of its builder's folders.
void dropFolders(llvm::Module &module);

} // namespace tilewright

#endif // TILEWRIGHT_DRIVER_ARTIFACT_H
