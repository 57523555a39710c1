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

AmdModule::AmdModule(AmdDevice &device, std::unique_ptr<Program> given)
    : tw_emulator_module(device), program(std::move(given)) {
  for (const Kernel &kernel : program->getObject().kernels)
    kernels.push_back(std::make_unique<AmdKernel>(*this, kernel));
}

bool AmdModule::findVariable(const std::string &name, uint64_t &address,
                             uint64_t &bytes) const {
  for (const Symbol &symbol : program->getObject().symbols)
    if (symbol.name == name) {
      address = program->getBase() + symbol.address;
      bytes = symbol.size;
      return true;
    }
  return false;
}

tw_emulator_status AmdDevice::load(std::string_view bytes,
                                   std::unique_ptr<tw_emulator_module> &made) {
  std::string code, error;
  if (selectCodeObject({bytes.data(), bytes.size()}, device.target, code, error) !=
      Selection::Found)
    return fail(TW_EMULATOR_ERROR_SYNTAX, error);
  auto object = readCodeObject(std::move(code), error);
  if (!object)
    return fail(TW_EMULATOR_ERROR_SYNTAX, error);
  auto program = Program::load(std::move(object), device.memory, error);
  if (!program)
    return fail(TW_EMULATOR_ERROR_MEMORY, error);
  made = std::make_unique<AmdModule>(*this, std::move(program));
  return TW_EMULATOR_OK;
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

AmdKernel::AmdKernel(AmdModule &module, const Kernel &kernel)
    : tw_emulator_kernel(module), program(*module.program), kernel(kernel) {
  for (const Argument &argument : kernel.arguments)
    if (!argument.isHidden())
      parameters.push_back(&argument);
}

tw_emulator_kernel_info_v1 AmdKernel::info() const {
  tw_emulator_kernel_info_v1 known = {};
  known.name = kernel.name.c_str();
  known.parameter_count = static_cast<uint32_t>(parameters.size());
  known.parameter_bytes =
      parameters.empty() ? 0 : parameters.back()->offset + parameters.back()->size;
  known.shared_bytes = kernel.groupBytes;
  known.local_bytes = kernel.privateBytes;
  known.registers = kernel.vectorRegisters;
  known.max_threads[0] = kernel.maxThreads;
  return known;
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

tw_emulator_parameter_v1 AmdKernel::parameter(uint32_t index) const {
  const Argument &argument = *parameters[index];
  tw_emulator_parameter_v1 known = {};
  known.name = argument.name.c_str();
  known.type = typeOf(argument);
  known.offset = argument.offset;
  known.bytes = argument.size;
  known.align = argument.size & (~argument.size + 1);
  return known;
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

tw_emulator_status AmdKernel::launch(const tw_emulator_launch_v1 &given) const {
  AmdDevice &device = static_cast<AmdDevice &>(module.device);
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
  readChecks(device.checks, options.checks);
  options.threads = device.threads;
  options.maxSteps = device.maxSteps;

  Statistics statistics;
  auto start = std::chrono::steady_clock::now();
  std::string error =
      tilewright::amdgpu::launch(device.device, program, kernel, options, &statistics);
  std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  if (!error.empty())
    return fail(TW_EMULATOR_ERROR_INVALID, error);
  device.instructions += statistics.countExecutions();
  device.last = {std::move(options), std::move(statistics), taken.count()};
  device.lastKernel = this;
  return takeFaults(device, device.device.faults);
}
