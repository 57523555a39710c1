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

#include "emulators/common/api/Api.h"
#include "emulators/ptx/Launch.h"

namespace tilewright::ptx::api {

struct PtxDevice;

/// What the last launch was, for its report.
struct LastLaunch {
  const tw_emulator_kernel *kernel = nullptr; ///< null: none, or its module is gone
  std::string json;                           ///< the report, made when the module went
  LaunchOptions options;
  Statistics statistics;
  double seconds = 0;
};

} // namespace tilewright::ptx::api

struct tw_emulator_kernel {
  tw_emulator_module *module;
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

struct tw_emulator_module {
  tilewright::ptx::api::PtxDevice *device;
  std::unique_ptr<tilewright::ptx::Program> program;
  std::deque<tw_emulator_kernel> kernels; // in the text's order
};

namespace tilewright::ptx::api {

struct PtxDevice : tw_emulator_device {
  PtxDevice(unsigned architecture, bool specific, uint64_t memoryBytes)
      : device{architecture, specific, emulator::GlobalMemory(memoryBytes), {}, {}, {}} {}
  emulator::GlobalMemory &memory() override { return device.memory; }
  std::string takeOutput() override;
  std::string report() override;

  Device device;
  std::vector<std::unique_ptr<tw_emulator_module>> modules;
  LastLaunch last;
};

/// The report of the last launch as JSON.
std::string reportToJson(const PtxDevice &device);

} // namespace tilewright::ptx::api

#endif // TILEWRIGHT_EMULATORS_PTX_API_API_H
