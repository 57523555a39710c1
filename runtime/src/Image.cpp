//===- Image.cpp - Images of devices as artifacts hold them ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Image.h"

#include "Error.h"

#include <cstdlib>
#include <cstring>
#include <zstd.h>

using namespace tilewright;

static bool isPacked(const tw_image_v1 *image) {
  static constexpr unsigned char magic[] = {0x28, 0xb5, 0x2f, 0xfd};
  return image->data_size >= sizeof(magic) &&
         memcmp(image->data, magic, sizeof(magic)) == 0;
}

static tw_status failDamaged(const char *name, const tw_image_v1 *image,
                             const char *why) {
  return fail(TW_ERROR_ARTIFACT, "%s: the code for %s is damaged: %s", name,
              image->target, why);
}

tw_status tilewright::readImageHead(const tw_image_v1 *image, char *head, size_t size) {
  memset(head, 0, size);
  if (!isPacked(image)) {
    memcpy(head, image->data, size < image->data_size ? size : image->data_size);
    return TW_OK;
  }
  ZSTD_DStream *stream = ZSTD_createDStream();
  if (!stream)
    return fail(TW_ERROR_MEMORY, "no memory to unpack code for %s", image->target);
  ZSTD_outBuffer output = {head, size, 0};
  ZSTD_inBuffer input = {image->data, image->data_size, 0};
  size_t left = 1;
  while (output.pos < output.size && input.pos < input.size && left &&
         !ZSTD_isError(left))
    left = ZSTD_decompressStream(stream, &output, &input);
  ZSTD_freeDStream(stream);
  return ZSTD_isError(left) ? failDamaged("a library", image, ZSTD_getErrorName(left))
                            : TW_OK;
}

ImageData::~ImageData() { free(unpacked); }

tw_status ImageData::unpack(const char *name, const tw_image_v1 *image) {
  bytes = image->data;
  if (!isPacked(image))
    return TW_OK;
  unsigned long long size = ZSTD_getFrameContentSize(image->data, image->data_size);
  if (size > (uint64_t{1} << 32)) // among them the values that mean an error
    return failDamaged(name, image, "its header says nothing");
  // The zero byte is PTX's, if it should have lost its own.
  unpacked = malloc(size + 1);
  if (!unpacked)
    return fail(TW_ERROR_MEMORY, "%s: no memory for %llu bytes of code", name, size);
  size_t count = ZSTD_decompress(unpacked, size, image->data, image->data_size);
  if (ZSTD_isError(count) || count != size)
    return failDamaged(name, image,
                       ZSTD_isError(count) ? ZSTD_getErrorName(count) : "it ends early");
  static_cast<char *>(unpacked)[size] = 0;
  bytes = unpacked;
  return TW_OK;
}
