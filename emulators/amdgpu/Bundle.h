//===- Bundle.h - Bundles of code objects for several GPUs --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What clang embeds in a program: code objects one after the other behind a list of what
// each is for, compressed or not. Described in "Clang Offload Bundler" of clang's manual.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_BUNDLE_H
#define TILEWRIGHT_EMULATORS_AMDGPU_BUNDLE_H

#include "emulators/amdgpu/Target.h"

#include <string>
#include <string_view>

namespace tilewright::amdgpu {

enum class Selection {
  Found,
  OtherGpu, ///< there is code, but none for the target
  Damaged,
};

/// The code object for `target` in `image`, which is a bundle or a code object, into
/// `bytes`; otherwise `error` says why there is none. What is neither is taken for a code
/// object, whose reader says what is wrong with it.
Selection selectCodeObject(std::string_view image, const Target &target,
                           std::string &bytes, std::string &error);

/// How long the code object or bundle at `image` says that it is, for interfaces that
/// take an address alone; 0 where it is neither.
uint64_t measureImage(const void *image);

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_BUNDLE_H
