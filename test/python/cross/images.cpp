//===- images.cpp - Code of devices, which this runtime has none for ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In place of the runtime's Image.cpp, which needs zstd for the other architecture:
// Debian has no package of it for cross compilers. Code for a CPU is never packed.
//
//===----------------------------------------------------------------------===//

#include "Image.h"

#include "Error.h"

using namespace tilewright;

static tw_status refuse() {
  return fail(TW_ERROR_UNSUPPORTED, "this runtime unpacks no code of devices");
}

tw_status tilewright::readImageHead(const tw_image_v1 *, char *, size_t) {
  return refuse();
}

ImageData::~ImageData() = default;

tw_status ImageData::unpack(const char *, const tw_image_v1 *) { return refuse(); }
