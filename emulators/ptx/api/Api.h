//===- Api.h - What is behind the C API's handles -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every function of the C API does its work in `guard`, so that no exception leaves the
// library, and under the lock of its device.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_API_API_H
#define TILEWRIGHT_EMULATORS_PTX_API_API_H

#include "emulators/ptx/Launch.h"
#include "emulators/ptx/include/tilewright/ptx_emulator.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace tilewright::ptx::api {

/// Notes the failure of the calling thread's call and gives `status` back.
tw_ptx_status fail(tw_ptx_status status, std::string message, uint32_t line = 0,
                   uint32_t column = 0);

/// Runs `work`, which gives a status; what it throws becomes one.
template <typename Work> tw_ptx_status guard(Work work) {
  try {
    return work();
  } catch (const std::bad_alloc &) {
    return fail(TW_PTX_ERROR_MEMORY, "the host has no memory left");
  } catch (const std::exception &error) {
    return fail(TW_PTX_ERROR_MEMORY, error.what());
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

/// `text` in memory of malloc, for tw_ptx_text_free.
char *copyText(const std::string &text);

/// What the last launch was, for its report.
struct LastLaunch {
  const tw_ptx_kernel *kernel = nullptr; ///< null: none, or its module is gone
  std::string json;                      ///< the report, made when the module went
  LaunchOptions options;
  Statistics statistics;
  double seconds = 0;
};

} // namespace tilewright::ptx::api

struct tw_ptx_kernel {
  tw_ptx_module *module;
  const tilewright::ptx::DecodedFunction *function;
  const tilewright::ptx::Function &syntax() const { return *function->syntax; }
  /// Of the block of parameters.
  uint64_t parameterBytes() const {
    const auto &params = syntax().params;
    return params.empty()
               ? 0
               : function->paramOffsets[params.size() - 1] + params.back().size;
  }
};

struct tw_ptx_module {
  tw_ptx_device *device;
  std::unique_ptr<tilewright::ptx::Program> program;
  std::deque<tw_ptx_kernel> kernels; // in the text's order
};

struct tw_ptx_device {
  tw_ptx_device(unsigned architecture, bool specific, uint64_t memoryBytes)
      : device{architecture, specific, tilewright::emulator::GlobalMemory(memoryBytes),
               {},           {},       {}} {}

  std::mutex lock; ///< held by every call
  tilewright::ptx::Device device;
  std::string arch;
  tilewright::ptx::Order order;
  tilewright::ptx::Checks checks;
  unsigned threads = 0;
  uint64_t maxSteps = 0;
  std::vector<std::unique_ptr<tw_ptx_module>> modules;
  /// Since they were cleared; a list because callers hold its strings.
  std::deque<tilewright::emulator::Fault> faults;
  tilewright::ptx::api::LastLaunch last;
};

namespace tilewright::ptx::api {

/// The report of the last launch as JSON.
std::string reportToJson(const tw_ptx_device &device);
std::string faultsToJson(const tw_ptx_device &device);
/// All faults from number `first` on, as text, a blank line between them.
std::string faultsToText(const tw_ptx_device &device, size_t first);

} // namespace tilewright::ptx::api

#endif // TILEWRIGHT_EMULATORS_PTX_API_API_H
