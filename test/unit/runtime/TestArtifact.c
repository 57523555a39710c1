//===- TestArtifact.c - An artifact file, sound or spoilt --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tilewright/abi.h"

#ifndef SYMBOL_NAME
#define SYMBOL_NAME tw_artifact
#endif
#ifndef ARTIFACT_SIZE
#define ARTIFACT_SIZE sizeof(tw_artifact_v1)
#endif
#ifndef VERSION
#define VERSION TW_ABI_VERSION
#endif
#ifndef MAGIC
#define MAGIC TW_SIGNATURE_MAGIC
#endif
#ifndef TARGET
#define TARGET "cpu"
#endif
#ifndef IMAGE_COUNT
#define IMAGE_COUNT 1
#endif

static int32_t launch(const tw_host_v1 *host, void *context, const uint64_t *words) {
  (void)host, (void)context, (void)words;
  return 0;
}

/* No parameters, no symbols, one word of strings. */
static const int64_t signature[] = {MAGIC, 9, 0, 0, 8, 1, 0, 0, 0};

static const tw_image_v1 images[] = {{TARGET, launch, 0, 0}};

__attribute__((visibility("default"))) const tw_artifact_v1 SYMBOL_NAME = {
    ARTIFACT_SIZE, VERSION, "nothing", signature, "{}", IMAGE_COUNT, images};
