//===- DeviceApi.cpp - The C API: AMD's devices -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/api/Api.h"

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::api;
using namespace tilewright::emulator::api;

AmdDevice::~AmdDevice() { modules.clear(); }

std::string AmdDevice::takeOutput() {
  std::lock_guard<std::mutex> guard(device.outputLock);
  return std::move(device.output);
}

tw_emulator_status tw_emulator_device_create(const tw_emulator_device_options_v1 *given,
                                             tw_emulator_device **device) {
  return guard([&] {
    tw_emulator_device_options_v1 options;
    if (!device || !readSized(given, options) || !options.arch)
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "tw_emulator_device_create: options of a size that this library knows, "
                  "with an arch, are needed");
    const Target *target = findTarget(options.arch);
    if (!target) {
      std::string known;
      for (const Target &one : targets)
        known += " " + std::string(one.name);
      return fail(TW_EMULATOR_ERROR_INVALID, "there is no device " +
                                                 std::string(options.arch) +
                                                 "; the emulator has" + known);
    }
    auto made = std::make_unique<AmdDevice>(
        *target, options.memory_bytes ? options.memory_bytes : getDefaultMemory());
    made->arch = options.arch;
    if (tw_emulator_status status = readOptions(options, *made))
      return status;
    *device = made.release();
    return TW_EMULATOR_OK;
  });
}
