//===- ModuleApi.cpp - The C API: code objects, kernels and launches ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Bundle.h"
#include "emulators/amdgpu/api/Api.h"

#include <chrono>

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::api;
using namespace tilewright::emulator::api;
using tilewright::emulator::Dim3;

//===----------------------------------------------------------------------===//
// Code objects
//===----------------------------------------------------------------------===//

tw_emulator_status tw_emulator_module_load(tw_emulator_device *given, const char *bytes,
                                           uint64_t length, tw_emulator_module **module) {
  return guard([&] {
    if (!given || !bytes || !module)
      return fail(TW_EMULATOR_ERROR_INVALID, "tw_emulator_module_load: a null argument");
    AmdDevice &device = *static_cast<AmdDevice *>(given);
    std::lock_guard<std::mutex> locked(device.lock);
    std::string code, error;
    if (selectCodeObject({bytes, length}, device.device.target, code, error) !=
        Selection::Found)
      return fail(TW_EMULATOR_ERROR_SYNTAX, error);
    auto object = readCodeObject(std::move(code), error);
    if (!object)
      return fail(TW_EMULATOR_ERROR_SYNTAX, error);
    auto made = std::make_unique<tw_emulator_module>();
    made->device = &device;
    made->program = Program::load(std::move(object), device.device.memory, error);
    if (!made->program)
      return fail(TW_EMULATOR_ERROR_MEMORY, error);
    for (const Kernel &kernel : made->program->getObject().kernels) {
      made->kernels.push_back({made.get(), &kernel, {}});
      for (const Argument &argument : kernel.arguments)
        if (!argument.isHidden())
          made->kernels.back().parameters.push_back(&argument);
    }
    device.modules.push_back(std::move(made));
    *module = device.modules.back().get();
    return TW_EMULATOR_OK;
  });
}

void tw_emulator_module_unload(tw_emulator_module *module) {
  if (!module)
    return;
  AmdDevice &device = *module->device;
  std::lock_guard<std::mutex> locked(device.lock);
  if (device.last.kernel && device.last.kernel->module == module) {
    guard([&] {
      device.last.json = reportToJson(device);
      return TW_EMULATOR_OK;
    });
    device.last.kernel = nullptr;
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
  return module && index < module->kernels.size() ? &module->kernels[index] : nullptr;
}

tw_emulator_status tw_emulator_module_kernel(tw_emulator_module *module, const char *name,
                                             const tw_emulator_kernel **kernel) {
  return guard([&] {
    if (!module || !name || !kernel)
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "tw_emulator_module_kernel: a null argument");
    std::string known;
    for (const tw_emulator_kernel &one : module->kernels) {
      if (one.kernel->name == name) {
        *kernel = &one;
        return TW_EMULATOR_OK;
      }
      known += (known.empty() ? "" : ", ") + one.kernel->name;
    }
    return fail(TW_EMULATOR_ERROR_NOT_FOUND,
                "there is no kernel " + std::string(name) +
                    "; the code object has: " + (known.empty() ? "none" : known));
  });
}

tw_emulator_status tw_emulator_module_variable(tw_emulator_module *module,
                                               const char *name, uint64_t *address,
                                               uint64_t *bytes) {
  return guard([&] {
    if (!module || !name || !address || !bytes)
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "tw_emulator_module_variable: a null argument");
    for (const Symbol &symbol : module->program->getObject().symbols)
      if (symbol.name == name) {
        *address = module->program->getBase() + symbol.address;
        *bytes = symbol.size;
        return TW_EMULATOR_OK;
      }
    return fail(TW_EMULATOR_ERROR_NOT_FOUND,
                "there is no variable " + std::string(name) + " in the code object");
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
    tw_emulator_kernel_info_v1 known = {};
    known.name = kernel->kernel->name.c_str();
    known.parameter_count = static_cast<uint32_t>(kernel->parameters.size());
    known.parameter_bytes = kernel->parameterBytes();
    known.shared_bytes = kernel->kernel->groupBytes;
    known.local_bytes = kernel->kernel->privateBytes;
    known.registers = kernel->kernel->vectorRegisters;
    known.max_threads[0] = kernel->kernel->maxThreads;
    if (!writeSized(known, info))
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "tw_emulator_kernel_info: the structure has no size");
    return TW_EMULATOR_OK;
  });
}

/// What the metadata tells of a parameter's type: an address, or its bytes.
static const char *typeOf(const Argument &argument) {
  if (argument.kind == "global_buffer" || argument.kind == "dynamic_shared_pointer")
    return "u64";
  switch (argument.size) {
  case 2:
    return "b16";
  case 4:
    return "b32";
  case 8:
    return "b64";
  default:
    return "b8";
  }
}

tw_emulator_status tw_emulator_kernel_parameter(const tw_emulator_kernel *kernel,
                                                uint32_t index,
                                                tw_emulator_parameter_v1 *parameter) {
  return guard([&] {
    if (!kernel)
      return fail(TW_EMULATOR_ERROR_INVALID, "tw_emulator_kernel_parameter: no kernel");
    if (index >= kernel->parameters.size())
      return fail(TW_EMULATOR_ERROR_NOT_FOUND,
                  kernel->kernel->name + " has " +
                      std::to_string(kernel->parameters.size()) +
                      " parameters, no number " + std::to_string(index));
    const Argument &argument = *kernel->parameters[index];
    tw_emulator_parameter_v1 known = {};
    known.name = argument.name.c_str();
    known.type = typeOf(argument);
    known.offset = argument.offset;
    known.bytes = argument.size;
    known.align = argument.size & (~argument.size + 1);
    if (!writeSized(known, parameter))
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "tw_emulator_kernel_parameter: the structure has no size");
    return TW_EMULATOR_OK;
  });
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

static tw_emulator_status launchLocked(const tw_emulator_kernel &kernel,
                                       AmdDevice &device,
                                       const tw_emulator_launch_v1 &given) {
  if (given.cluster[0] > 1 || given.cluster[1] > 1 || given.cluster[2] > 1)
    return fail(TW_EMULATOR_ERROR_INVALID, device.arch + " has no clusters");
  if (given.trace)
    return fail(TW_EMULATOR_ERROR_INVALID, "waves of AMD's devices are not traced");
  LaunchOptions options;
  options.grid = {given.grid[0], given.grid[1], given.grid[2]};
  options.block = {given.block[0], given.block[1], given.block[2]};
  options.dynamicShared = given.shared_bytes;
  const uint8_t *bytes = static_cast<const uint8_t *>(given.parameters);
  if (bytes)
    options.arguments.assign(bytes, bytes + given.parameter_bytes);
  options.order = device.order;
  options.checks.uninitialised = !(device.checks & TW_EMULATOR_NO_UNINITIALISED);
  options.checks.sharedRaces = !(device.checks & TW_EMULATOR_NO_SHARED_RACES);
  options.checks.globalRaces = device.checks & TW_EMULATOR_GLOBAL_RACES;
  options.checks.statistics = device.checks & TW_EMULATOR_COUNT_BY_LINE;
  options.checks.timesProducts = device.checks & TW_EMULATOR_TIME_PRODUCTS;
  options.threads = device.threads;
  options.maxSteps = device.maxSteps;

  Statistics statistics;
  auto start = std::chrono::steady_clock::now();
  std::string error = tilewright::amdgpu::launch(device.device, *kernel.module->program,
                                                 *kernel.kernel, options, &statistics);
  std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  if (!error.empty())
    return fail(TW_EMULATOR_ERROR_INVALID, error);
  device.last = {&kernel, "", std::move(options), std::move(statistics), taken.count()};
  return takeFaults(device, device.device.faults);
}

tw_emulator_status tw_emulator_launch(const tw_emulator_kernel *kernel,
                                      const tw_emulator_launch_v1 *given) {
  return guard([&] {
    tw_emulator_launch_v1 launch;
    if (!kernel || !readSized(given, launch) ||
        (!launch.parameters && launch.parameter_bytes))
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "tw_emulator_launch: a kernel and a launch of a size that this library "
                  "knows are needed");
    AmdDevice &device = *kernel->module->device;
    std::lock_guard<std::mutex> locked(device.lock);
    return launchLocked(*kernel, device, launch);
  });
}
