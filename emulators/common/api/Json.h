//===- Json.h - Writing JSON --------------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_COMMON_API_JSON_H
#define TILEWRIGHT_EMULATORS_COMMON_API_JSON_H

#include "emulators/common/Statistics.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace tilewright::emulator::api {

/// A JSON value as it grows. Keys and values alternate in objects; commas are its
/// business.
class JsonWriter {
public:
  JsonWriter &open(char bracket) {
    separate();
    text += bracket;
    isFirst = true;
    return *this;
  }
  JsonWriter &close(char bracket) {
    text += bracket;
    isFirst = false;
    return *this;
  }
  JsonWriter &key(std::string_view name) {
    string(name);
    text += ": ";
    isFirst = true; // no comma before the value
    return *this;
  }
  JsonWriter &string(std::string_view value);
  JsonWriter &number(uint64_t value) { return raw(std::to_string(value)); }
  JsonWriter &number(double value) { return raw(std::to_string(value)); }
  JsonWriter &field(std::string_view name, uint64_t value) {
    return key(name).number(value);
  }
  JsonWriter &field(std::string_view name, std::string_view value) {
    return key(name).string(value);
  }
  /// An array of three.
  template <typename Dim> JsonWriter &dim(std::string_view name, const Dim &value) {
    return key(name)
        .open('[')
        .number(uint64_t(value.x))
        .number(uint64_t(value.y))
        .number(uint64_t(value.z))
        .close(']');
  }
  /// The fields of a report's totals, and of the accesses of one instruction.
  JsonWriter &totals(const LaunchTotals &totals);
  JsonWriter &counts(const AccessCounts &counts);

  std::string text;

private:
  JsonWriter &raw(std::string_view value) {
    separate();
    text += value;
    return *this;
  }
  void separate() {
    if (!isFirst)
      text += ", ";
    isFirst = false;
  }
  bool isFirst = true;
};

} // namespace tilewright::emulator::api

#endif // TILEWRIGHT_EMULATORS_COMMON_API_JSON_H
