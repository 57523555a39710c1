//===- Image.h - Images of devices as artifacts hold them --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_IMAGE_H
#define TILEWRIGHT_RUNTIME_SRC_IMAGE_H

#include "tilewright/runtime.h"

#include <cstddef>

namespace tilewright {

/// Writes the first `size` bytes of what an image holds; zeroes behind its end.
tw_status readImageHead(const tw_image_v1 *image, char *head, size_t size);

/// What a driver loads of an image, which may be a frame of zstd.
class ImageData {
  const void *bytes = nullptr;
  void *unpacked = nullptr;

public:
  ImageData() = default;
  ImageData(const ImageData &) = delete;
  ~ImageData();

  /// Fails where the image does not fit its checksum. `name` is what the message begins
  /// with.
  tw_status unpack(const char *name, const tw_image_v1 *image);
  const void *data() const { return bytes; }
};

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_IMAGE_H
