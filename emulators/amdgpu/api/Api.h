//===- Api.h - What the C API's functions share -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_API_API_H
#define TILEWRIGHT_EMULATORS_AMDGPU_API_API_H

#include "emulators/amdgpu/Launch.h"
#include "emulators/common/api/Api.h"

struct tw_emulator_kernel {
  tw_emulator_module *module;
  const tilewright::amdgpu::Kernel *kernel;
  /// The parameters that a launch gives: all but the hidden ones.
  std::vector<const tilewright::amdgpu::Argument *> parameters;
  uint64_t parameterBytes() const {
    return parameters.empty() ? 0 : parameters.back()->offset + parameters.back()->size;
  }
};

namespace tilewright::amdgpu::api {

struct AmdDevice;

/// What the last launch was, for its report.
struct LastLaunch {
  const tw_emulator_kernel *kernel = nullptr; ///< null: none, or its module is gone
  std::string json;                           ///< the report, made when the module went
  LaunchOptions options;
  Statistics statistics;
  double seconds = 0;
};

} // namespace tilewright::amdgpu::api

struct tw_emulator_module {
  tilewright::amdgpu::api::AmdDevice *device;
  std::unique_ptr<tilewright::amdgpu::Program> program;
  std::deque<tw_emulator_kernel> kernels; // in the object's order
};

namespace tilewright::amdgpu::api {

struct AmdDevice : tw_emulator_device {
  AmdDevice(const Target &target, uint64_t memoryBytes) : device(target, memoryBytes) {}
  ~AmdDevice() override;
  emulator::GlobalMemory &memory() override { return device.memory; }
  std::string takeOutput() override;
  std::string report() override;

  Device device;
  std::vector<std::unique_ptr<tw_emulator_module>> modules;
  LastLaunch last;
};

/// The report of the last launch as JSON.
std::string reportToJson(const AmdDevice &device);

} // namespace tilewright::amdgpu::api

#endif // TILEWRIGHT_EMULATORS_AMDGPU_API_API_H
