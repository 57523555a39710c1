//===- Printf.cpp - Text that a program prints --------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Printf.h"
#include "emulators/ptx/Block.h"

#include <cstdio>
#include <cstring>

using namespace tilewright::ptx;

/// Longer strings are taken for memory without a terminator.
static constexpr size_t longestString = 1 << 16;

/// Finds `bytes` bytes that are printed: the host sees them, so they must be defined.
static Place findPrinted(Warp &warp, uint64_t address, unsigned bytes, unsigned lane) {
  Place place = warp.find(Space::Generic, address, bytes, bytes, lane, Access::Read);
  if (!place || !warp.block.launch.options.checks.uninitialised ||
      Warp::poisonFromShadow(place.shadow, bytes) == soundValue)
    return place;
  warp.stop(Rule::Uninitialised, "what it prints depends on undefined data", lane);
  return {};
}

bool tilewright::ptx::readString(Warp &warp, uint64_t address, unsigned lane,
                                 std::string &text) {
  text.clear();
  while (text.size() < longestString) {
    Place place = findPrinted(warp, address + text.size(), 1, lane);
    if (!place)
      return false;
    if (*place.data == 0)
      return true;
    text.push_back(static_cast<char>(*place.data));
  }
  return true;
}

/// Reads an argument of `bytes` bytes at the next place that is aligned for it.
static bool readArgument(Warp &warp, uint64_t arguments, uint64_t &offset, unsigned bytes,
                         unsigned lane, uint64_t &value) {
  offset = (offset + bytes - 1) / bytes * bytes;
  Place place = findPrinted(warp, arguments + offset, bytes, lane);
  if (!place)
    return false;
  value = 0;
  memcpy(&value, place.data, bytes);
  offset += bytes;
  return true;
}

/// Whether a width or precision has more than three digits, which the host's printf takes
/// long for or refuses.
static bool hasLongNumber(const std::string &spec) {
  size_t digits = 0;
  for (char c : spec) {
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits > 3)
      return true;
  }
  return false;
}

bool tilewright::ptx::formatPrintf(Warp &warp, uint64_t format, uint64_t arguments,
                                   unsigned lane, std::string &text) {
  std::string pattern;
  if (!readString(warp, format, lane, pattern))
    return false;
  uint64_t offset = 0;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      text.push_back(pattern[i]);
      continue;
    }
    if (i + 1 < pattern.size() && pattern[i + 1] == '%') {
      text.push_back('%');
      ++i;
      continue;
    }
    // Flags, width and precision are the host's own; a * takes an argument.
    std::string spec = "%";
    unsigned longs = 0;
    size_t at = i + 1;
    for (; at < pattern.size() && strchr("-+ #0123456789.*hlLqjzt", pattern[at]); ++at) {
      if (pattern[at] == '*') {
        uint64_t width;
        if (!readArgument(warp, arguments, offset, 4, lane, width))
          return false;
        spec += std::to_string(static_cast<int32_t>(width));
      } else if (strchr("lqjzt", pattern[at])) {
        ++longs;
      } else if (pattern[at] != 'h' && pattern[at] != 'L') {
        spec.push_back(pattern[at]);
      }
    }
    char conversion = at < pattern.size() ? pattern[at] : 0;
    i = at;
    char buffer[512] = "";
    uint64_t value;
    if (hasLongNumber(spec))
      return warp.stop(Rule::Unsupported,
                       "printf with a width or precision of more than three digits",
                       lane),
             false;
    if (strchr("diouxXc", conversion) && conversion) {
      if (!readArgument(warp, arguments, offset, longs ? 8 : 4, lane, value))
        return false;
      if (!longs && strchr("di", conversion))
        value = static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(value)));
      spec += conversion == 'c' ? "c" : std::string("ll") + conversion;
      if (conversion == 'c')
        snprintf(buffer, sizeof(buffer), spec.c_str(), static_cast<int>(value));
      else
        snprintf(buffer, sizeof(buffer), spec.c_str(), static_cast<long long>(value));
      text += buffer;
    } else if (strchr("eEfFgGaA", conversion) && conversion) {
      if (!readArgument(warp, arguments, offset, 8, lane, value))
        return false;
      double number;
      memcpy(&number, &value, sizeof(number));
      spec.push_back(conversion);
      snprintf(buffer, sizeof(buffer), spec.c_str(), number);
      text += buffer;
    } else if (conversion == 's' || conversion == 'p') {
      if (!readArgument(warp, arguments, offset, 8, lane, value))
        return false;
      if (conversion == 'p') {
        snprintf(buffer, sizeof(buffer), "0x%llx",
                 static_cast<unsigned long long>(value));
        text += buffer;
      } else {
        std::string argument;
        if (!readString(warp, value, lane, argument))
          return false;
        text += argument;
      }
    } else {
      // As the device does with what it does not know: the text itself.
      text += spec;
      if (conversion)
        text.push_back(conversion);
    }
  }
  return true;
}
