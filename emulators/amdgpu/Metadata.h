//===- Metadata.h - The metadata of a code object -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A document of msgpack. LLVM's own document class stops the process at keys that are no
// strings, so this tree is made with LLVM's reader, which gives errors.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_METADATA_H
#define TILEWRIGHT_EMULATORS_AMDGPU_METADATA_H

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tilewright::amdgpu {

/// A value: one of these is filled, or none where it is of another kind.
struct Metadata {
  uint64_t integer = 0; ///< 0 of negative ones
  std::string text;
  std::vector<Metadata> items;
  std::vector<std::pair<std::string, Metadata>> members;

  /// The member of that name; a value of no kind where there is none.
  const Metadata &operator[](std::string_view name) const;
};

/// Reads a document; false where it is damaged.
bool readMetadata(std::string_view bytes, Metadata &metadata);

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_METADATA_H
