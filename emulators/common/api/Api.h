//===- Api.h - What the C APIs of all emulators share -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_COMMON_API_API_H
#define TILEWRIGHT_EMULATORS_COMMON_API_API_H

#include "emulators/common/Checks.h"
#include "emulators/common/Fault.h"
#include "emulators/common/Memory.h"
#include "emulators/common/Scheduler.h"
#include "emulators/include/tilewright/emulator.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

/// A kernel of the C API. Each vendor's derives from it, as the module and the device do.
struct tw_emulator_kernel {
  explicit tw_emulator_kernel(tw_emulator_module &module) : module(module) {}
  virtual ~tw_emulator_kernel() = default;
  virtual const std::string &name() const = 0;
  virtual tw_emulator_kernel_info_v1 info() const = 0;
  virtual tw_emulator_parameter_v1 parameter(uint32_t index) const = 0;
  /// Launches it, under the device's lock.
  virtual tw_emulator_status launch(const tw_emulator_launch_v1 &launch) const = 0;

  tw_emulator_module &module;
};

struct tw_emulator_module {
  explicit tw_emulator_module(tw_emulator_device &device) : device(device) {}
  virtual ~tw_emulator_module() = default;
  /// False where the program has no such variable.
  virtual bool findVariable(const std::string &name, uint64_t &address,
                            uint64_t &bytes) const = 0;

  tw_emulator_device &device;
  std::vector<std::unique_ptr<tw_emulator_kernel>> kernels; // in the program's order
};

struct tw_emulator_device {
  virtual ~tw_emulator_device() = default;
  virtual tilewright::emulator::GlobalMemory &memory() = 0;
  virtual std::string takeOutput() = 0;
  /// Makes a module of a program.
  virtual tw_emulator_status load(std::string_view program,
                                  std::unique_ptr<tw_emulator_module> &made) = 0;
  /// The report of `lastKernel`'s launch as JSON.
  virtual std::string makeReport() const = 0;
  /// The last launch's; "" before there was one.
  std::string report() const { return lastKernel ? makeReport() : lastReport; }

  std::mutex lock; ///< held by every call
  /// Derived classes, whose memory modules are in, clear it when they go.
  std::vector<std::unique_ptr<tw_emulator_module>> modules;
  const tw_emulator_kernel *lastKernel = nullptr; ///< null: none, or its module is gone
  std::string lastReport;                         ///< made when the module went
  /// That warps or waves have executed, of all launches.
  uint64_t instructions = 0;
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
/// Sets what tw_emulator_checks say of all vendors' checks.
void readChecks(uint32_t given, Checks &checks);
/// Takes the faults of a launch into the device's; an error with their text where there
/// are some.
tw_emulator_status takeFaults(tw_emulator_device &device, FaultLog &log);

std::string faultsToJson(const tw_emulator_device &device);
/// All faults from number `first` on, as text, a blank line between them.
std::string faultsToText(const tw_emulator_device &device, size_t first);

} // namespace tilewright::emulator::api

#endif // TILEWRIGHT_EMULATORS_COMMON_API_API_H
