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

struct PtxModule;

struct PtxKernel : tw_emulator_kernel {
  PtxKernel(PtxModule &module, const DecodedFunction &function);
  const std::string &name() const override { return function.syntax->name; }
  tw_emulator_kernel_info_v1 info() const override;
  tw_emulator_parameter_v1 parameter(uint32_t index) const override;
  tw_emulator_status launch(const tw_emulator_launch_v1 &launch) const override;

  const Program &program;
  const DecodedFunction &function;
};

struct PtxDevice : tw_emulator_device {
  PtxDevice(unsigned architecture, bool specific, uint64_t memoryBytes)
      : device{architecture, specific, emulator::GlobalMemory(memoryBytes), {}, {}, {}} {}
  ~PtxDevice() override;
  emulator::GlobalMemory &memory() override { return device.memory; }
  std::string takeOutput() override;
  tw_emulator_status load(std::string_view text,
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

struct PtxModule : tw_emulator_module {
  PtxModule(PtxDevice &device, std::unique_ptr<Program> program);
  /// Releases the program's variables.
  ~PtxModule() override;
  bool findVariable(const std::string &name, uint64_t &address,
                    uint64_t &bytes) const override;

  Device &memoryOwner;
  std::unique_ptr<Program> program;
};

} // namespace tilewright::ptx::api

#endif // TILEWRIGHT_EMULATORS_PTX_API_API_H
