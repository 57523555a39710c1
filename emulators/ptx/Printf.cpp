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

namespace {
/// The packed arguments of a vprintf, one after the other.
class Arguments {
public:
  Arguments(Warp &warp, uint64_t address, unsigned lane)
      : warp(warp), address(address), lane(lane) {}

  /// The next one, `bytes` bytes at the next place that is aligned for it. False where a
  /// fault was reported that nothing can go on after.
  bool read(unsigned bytes, uint64_t &value) {
    offset = (offset + bytes - 1) / bytes * bytes;
    Place place =
        warp.find(Space::Generic, address + offset, bytes, bytes, lane, Access::Read);
    if (!place)
      return false;
    ++count;
    if (Warp::poisonFromShadow(place.shadow, bytes) &&
        warp.block.launch.options.checks.uninitialised)
      warp.report(Rule::Uninitialised,
                  "it prints argument " + std::to_string(count) +
                      ", which depends on undefined data",
                  lane);
    value = 0;
    memcpy(&value, place.data, bytes);
    offset += bytes;
    return true;
  }

  int32_t count = 0; ///< that were read

private:
  Warp &warp;
  uint64_t address, offset = 0;
  unsigned lane;
};
} // namespace

/// Appends `value` in the host's printf format `spec`, however long it gets.
template <typename T>
static void append(std::string &text, const std::string &spec, T value) {
  int length = snprintf(nullptr, 0, spec.c_str(), value);
  if (length <= 0)
    return;
  size_t before = text.size();
  text.resize(before + length + 1);
  snprintf(&text[before], length + 1, spec.c_str(), value);
  text.pop_back(); // the terminator
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
                                   unsigned lane, std::string &text, int32_t &count) {
  std::string pattern;
  if (!readString(warp, format, lane, pattern))
    return false;
  Arguments given(warp, arguments, lane);
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
        if (!given.read(4, width))
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
    uint64_t value;
    if (hasLongNumber(spec))
      return warp.stop(Rule::Unsupported,
                       "printf with a width or precision of more than three digits",
                       lane),
             false;
    if (strchr("diouxXc", conversion) && conversion) {
      if (!given.read(longs ? 8 : 4, value))
        return false;
      if (!longs && strchr("di", conversion))
        value = static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(value)));
      if (conversion == 'c')
        append(text, spec + "c", static_cast<int>(value));
      else
        append(text, spec + "ll" + conversion, static_cast<long long>(value));
    } else if (strchr("eEfFgGaA", conversion) && conversion) {
      if (!given.read(8, value))
        return false;
      double number;
      memcpy(&number, &value, sizeof(number));
      append(text, spec + conversion, number);
    } else if (conversion == 'p') {
      if (!given.read(8, value))
        return false;
      append(text, "0x%llx", static_cast<unsigned long long>(value));
    } else if (conversion == 's') {
      std::string argument = "(null)";
      if (!given.read(8, value) || (value && !readString(warp, value, lane, argument)))
        return false;
      append(text, spec + "s", argument.c_str());
    } else {
      // As the device does with what it does not know: the text itself.
      text += spec;
      if (conversion)
        text.push_back(conversion);
    }
  }
  count = given.count;
  return true;
}
