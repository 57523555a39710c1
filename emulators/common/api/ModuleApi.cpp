//===- ModuleApi.cpp - The C API: modules, kernels and launches ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/common/api/Api.h"

using namespace tilewright::emulator::api;

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

tw_emulator_status tw_emulator_module_load(tw_emulator_device *device,
                                           const char *program, uint64_t length,
                                           tw_emulator_module **module) {
  return guard([&] {
    if (!device || !program || !module)
      return fail(TW_EMULATOR_ERROR_INVALID, "tw_emulator_module_load: a null argument");
    std::lock_guard<std::mutex> locked(device->lock);
    std::unique_ptr<tw_emulator_module> made;
    if (tw_emulator_status status = device->load({program, length}, made))
      return status;
    *module = made.get();
    device->modules.push_back(std::move(made));
    return TW_EMULATOR_OK;
  });
}

void tw_emulator_module_unload(tw_emulator_module *module) {
  if (!module)
    return;
  tw_emulator_device &device = module->device;
  std::lock_guard<std::mutex> locked(device.lock);
  if (device.lastKernel && &device.lastKernel->module == module) {
    guard([&] {
      device.lastReport = device.makeReport();
      return TW_EMULATOR_OK;
    });
    device.lastKernel = nullptr;
  }
  auto &all = device.modules;
  all.erase(std::find_if(all.begin(), all.end(),
                         [&](const auto &one) { return one.get() == module; }));
}

uint32_t tw_emulator_module_kernel_count(tw_emulator_module *module) {
  return module ? static_cast<uint32_t>(module->kernels.size()) : 0;
}

const tw_emulator_kernel *tw_emulator_module_kernel_at(tw_emulator_module *module,
                                                       uint32_t index) {
  return module && index < module->kernels.size() ? module->kernels[index].get()
                                                  : nullptr;
}

tw_emulator_status tw_emulator_module_kernel(tw_emulator_module *module, const char *name,
                                             const tw_emulator_kernel **kernel) {
  return guard([&] {
    if (!module || !name || !kernel)
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "tw_emulator_module_kernel: a null argument");
    std::string known;
    for (const auto &one : module->kernels) {
      if (one->name() == name) {
        *kernel = one.get();
        return TW_EMULATOR_OK;
      }
      known += (known.empty() ? "" : ", ") + one->name();
    }
    return fail(TW_EMULATOR_ERROR_NOT_FOUND,
                "there is no kernel " + std::string(name) +
                    "; the program has: " + (known.empty() ? "none" : known));
  });
}

tw_emulator_status tw_emulator_module_variable(tw_emulator_module *module,
                                               const char *name, uint64_t *address,
                                               uint64_t *bytes) {
  return guard([&] {
    if (!module || !name || !address || !bytes)
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "tw_emulator_module_variable: a null argument");
    if (!module->findVariable(name, *address, *bytes))
      return fail(TW_EMULATOR_ERROR_NOT_FOUND,
                  "there is no variable " + std::string(name) + " in global memory");
    return TW_EMULATOR_OK;
  });
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

tw_emulator_status tw_emulator_kernel_info(const tw_emulator_kernel *kernel,
                                           tw_emulator_kernel_info_v1 *info) {
  return guard([&] {
    if (!kernel)
      return fail(TW_EMULATOR_ERROR_INVALID, "tw_emulator_kernel_info: no kernel");
    if (!writeSized(kernel->info(), info))
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "tw_emulator_kernel_info: the structure has no size");
    return TW_EMULATOR_OK;
  });
}

tw_emulator_status tw_emulator_kernel_parameter(const tw_emulator_kernel *kernel,
                                                uint32_t index,
                                                tw_emulator_parameter_v1 *parameter) {
  return guard([&] {
    if (!kernel)
      return fail(TW_EMULATOR_ERROR_INVALID, "tw_emulator_kernel_parameter: no kernel");
    const uint32_t count = kernel->info().parameter_count;
    if (index >= count)
      return fail(TW_EMULATOR_ERROR_NOT_FOUND,
                  kernel->name() + " has " + std::to_string(count) +
                      " parameters, no number " + std::to_string(index));
    if (!writeSized(kernel->parameter(index), parameter))
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "tw_emulator_kernel_parameter: the structure has no size");
    return TW_EMULATOR_OK;
  });
}

tw_emulator_status tw_emulator_launch(const tw_emulator_kernel *kernel,
                                      const tw_emulator_launch_v1 *given) {
  return guard([&] {
    tw_emulator_launch_v1 launch;
    if (!kernel || !readSized(given, launch) ||
        (!launch.parameters && launch.parameter_bytes))
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "tw_emulator_launch: a kernel and a launch of a size "
                  "that this library knows are needed");
    std::lock_guard<std::mutex> locked(kernel->module.device.lock);
    return kernel->launch(launch);
  });
}
