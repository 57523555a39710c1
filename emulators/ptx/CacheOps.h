//===- CacheOps.h - Instructions that only caches know ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_CACHEOPS_H
#define TILEWRIGHT_EMULATORS_PTX_CACHEOPS_H

namespace tilewright::ptx {

class Decoder;

/// prefetch, prefetchu, discard, applypriority, createpolicy.
void decodeCacheControl(Decoder &decoder);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_CACHEOPS_H
