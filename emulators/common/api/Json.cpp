//===- Json.cpp - Writing JSON ------------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/common/api/Json.h"

#include <cstdio>

using namespace tilewright::emulator::api;

/// Bytes that are no UTF-8 (a file's name in a .file directive may be anything) are
/// written as code points of their own, so the text is always valid.
JsonWriter &JsonWriter::string(std::string_view value) {
  std::string quoted = "\"";
  for (size_t i = 0; i < value.size(); ++i) {
    unsigned char c = value[i];
    // The length of a well-formed sequence that starts here.
    size_t length = c < 0x80                ? 1
                    : c >= 0xc2 && c < 0xe0 ? 2
                    : c >= 0xe0 && c < 0xf0 ? 3
                    : c >= 0xf0 && c < 0xf5 ? 4
                                            : 0;
    bool isWhole = length && i + length <= value.size();
    for (size_t j = 1; isWhole && j < length; ++j)
      isWhole = (static_cast<unsigned char>(value[i + j]) & 0xc0) == 0x80;
    unsigned char next = i + 1 < value.size() ? value[i + 1] : 0;
    isWhole = isWhole && !(c == 0xe0 && next < 0xa0) && !(c == 0xed && next >= 0xa0) &&
              !(c == 0xf0 && next < 0x90) && !(c == 0xf4 && next >= 0x90);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c < 0x20 || c == 0x7f || !isWhole) {
      char escape[8];
      snprintf(escape, sizeof(escape), "\\u%04x", c);
      quoted += escape;
    } else {
      quoted.append(value.substr(i, length));
      i += length - 1;
    }
  }
  return raw(quoted + "\"");
}

JsonWriter &JsonWriter::totals(const LaunchTotals &totals) {
  return field("multiply_adds", totals.multiplyAdds)
      .key("product_seconds")
      .number(static_cast<double>(totals.productNanoseconds) * 1e-9)
      .field("global_read_bytes", totals.globalRead)
      .field("global_written_bytes", totals.globalWritten)
      .field("shared_read_bytes", totals.sharedRead)
      .field("shared_written_bytes", totals.sharedWritten);
}

JsonWriter &JsonWriter::counts(const AccessCounts &counts) {
  return field("global_sectors", counts.globalSectors)
      .field("global_bytes", counts.globalBytes)
      .field("shared_wavefronts", counts.sharedWavefronts)
      .field("shared_ideal", counts.sharedIdeal);
}
