//===- Api.h - What the C APIs of all emulators share -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_COMMON_API_API_H
#define TILEWRIGHT_EMULATORS_COMMON_API_API_H

#include "emulators/common/Fault.h"
#include "emulators/common/Memory.h"
#include "emulators/common/Scheduler.h"
#include "emulators/include/tilewright/emulator.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <new>

/// A device of the C API. Each vendor's derives from it.
struct tw_emulator_device {
  virtual ~tw_emulator_device() = default;
  virtual tilewright::emulator::GlobalMemory &memory() = 0;
  virtual std::string takeOutput() = 0;
  /// The report of the last launch as JSON; "" before there was one.
  virtual std::string report() = 0;

  std::mutex lock; ///< held by every call
  std::string arch;
  tilewright::emulator::Order order;
  unsigned threads = 0;
  uint64_t maxSteps = 0;
  uint32_t checks = 0; ///< tw_emulator_checks
  /// Since they were cleared; a list because callers hold its strings.
  std::deque<tilewright::emulator::Fault> faults;
};

namespace tilewright::emulator::api {

/// Notes the failure of the calling thread's call and gives `status` back.
tw_emulator_status fail(tw_emulator_status status, std::string message, uint32_t line = 0,
                        uint32_t column = 0);

/// Runs `work`, which gives a status; what it throws becomes one.
template <typename Work> tw_emulator_status guard(Work work) {
  try {
    return work();
  } catch (const std::bad_alloc &) {
    return fail(TW_EMULATOR_ERROR_MEMORY, "the host has no memory left");
  } catch (const std::exception &error) {
    return fail(TW_EMULATOR_ERROR_MEMORY, error.what());
  }
}

/// Copies the caller's structure, which starts with its size, into `known`, zero where
/// the caller's is shorter. False where the size is none or a part that is not known here
/// is not zero.
template <typename T> bool readSized(const T *given, T &known) {
  memset(&known, 0, sizeof(T));
  uint64_t size = given ? given->size : 0;
  if (size < sizeof(uint64_t) || size > (1 << 16))
    return false;
  const char *bytes = reinterpret_cast<const char *>(given);
  size_t common = std::min<size_t>(size, sizeof(T));
  memcpy(&known, bytes, common);
  return std::all_of(bytes + common, bytes + size, [](char byte) { return byte == 0; });
}

/// Fills the caller's structure, as far as its size says, from `known`.
template <typename T> bool writeSized(const T &known, T *given) {
  uint64_t size = given ? given->size : 0;
  if (size < sizeof(uint64_t))
    return false;
  memcpy(given, &known, std::min<size_t>(size, sizeof(T)));
  given->size = size;
  return true;
}

/// `text` in memory of malloc, for tw_emulator_text_free.
char *copyText(const std::string &text);

/// A quarter of the host's memory, since every byte has a shadow; at most 64 GiB.
uint64_t getDefaultMemory();
/// Checks options that all devices have and copies them; `made` has its arch already.
tw_emulator_status readOptions(const tw_emulator_device_options_v1 &options,
                               tw_emulator_device &made);
/// Takes the faults of a launch into the device's; an error with their text where there
/// are some.
tw_emulator_status takeFaults(tw_emulator_device &device, FaultLog &log);

std::string faultsToJson(const tw_emulator_device &device);
/// All faults from number `first` on, as text, a blank line between them.
std::string faultsToText(const tw_emulator_device &device, size_t first);

} // namespace tilewright::emulator::api

#endif // TILEWRIGHT_EMULATORS_COMMON_API_API_H
