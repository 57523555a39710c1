//===- Fingerprint.h - Whether bytes are those that were written -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_FINGERPRINT_H
#define TILEWRIGHT_RUNTIME_SRC_FINGERPRINT_H

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tilewright {

/// The FNV-1a hash over words of eight bytes, the last one filled with zeroes, in four
/// lanes. Each step can be undone, so that no change of a single word goes unseen.
class Fingerprint {
  uint64_t lanes[4] = {0xcbf29ce484222325, 1, 2, 3};

  static uint64_t step(uint64_t lane, const char *bytes, size_t size) {
    uint64_t word = 0;
    memcpy(&word, bytes, size);
    return (lane ^ word) * 0x100000001b3;
  }

public:
  /// Adds bytes. All pieces but the last are multiples of 32 bytes.
  void add(const char *bytes, size_t size) {
    size_t at = 0;
    for (; size - at >= 32; at += 32)
      for (size_t lane = 0; lane < 4; ++lane)
        lanes[lane] = step(lanes[lane], bytes + at + 8 * lane, 8);
    for (size_t lane = 0; at < size; ++lane, at += 8)
      lanes[lane] = step(lanes[lane], bytes + at, size - at < 8 ? size - at : 8);
  }
  uint64_t value() const {
    uint64_t all = 0;
    for (uint64_t lane : lanes)
      all = (all ^ lane) * 0x9e3779b97f4a7c15;
    return all;
  }
};

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_FINGERPRINT_H
