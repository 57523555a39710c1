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

namespace tilewright::amdgpu::api {

struct AmdModule;

struct AmdKernel : tw_emulator_kernel {
  AmdKernel(AmdModule &module, const Kernel &kernel);
  const std::string &name() const override { return kernel.name; }
  tw_emulator_kernel_info_v1 info() const override;
  tw_emulator_parameter_v1 parameter(uint32_t index) const override;
  tw_emulator_status launch(const tw_emulator_launch_v1 &launch) const override;

  Program &program;
  const Kernel &kernel;
  /// The parameters that a launch gives: all but the hidden ones.
  std::vector<const Argument *> parameters;
};

struct AmdDevice : tw_emulator_device {
  AmdDevice(const Target &target, uint64_t memoryBytes) : device(target, memoryBytes) {}
  ~AmdDevice() override;
  emulator::GlobalMemory &memory() override { return device.memory; }
  std::string takeOutput() override;
  tw_emulator_status load(std::string_view code,
                          std::unique_ptr<tw_emulator_module> &made) override;
  std::string makeReport() const override;

  Device device;
  /// What the last launch was, for its report.
  struct {
    LaunchOptions options;
    Statistics statistics;
    double seconds = 0;
  } last;
};

struct AmdModule : tw_emulator_module {
  AmdModule(AmdDevice &device, std::unique_ptr<Program> program);
  bool findVariable(const std::string &name, uint64_t &address,
                    uint64_t &bytes) const override;

  std::unique_ptr<Program> program;
};

} // namespace tilewright::amdgpu::api

#endif // TILEWRIGHT_EMULATORS_AMDGPU_API_API_H
