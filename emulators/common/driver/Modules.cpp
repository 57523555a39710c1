//===- Modules.cpp - Modules and their functions ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/common/driver/Driver.h"

#include <algorithm>
#include <cstdio>

using namespace tilewright::emulator::driver;
namespace driver = tilewright::emulator::driver;

/// Options of a load that name a buffer for messages, and its size.
static constexpr int errorLogBuffer = 5, errorLogBytes = 6;

void driver::writeLog(const std::string &text, unsigned count, const int *options,
                      void **values) {
  char *buffer = nullptr;
  size_t size = 0;
  for (unsigned i = 0; options && values && i < count; ++i) {
    if (options[i] == errorLogBuffer)
      buffer = static_cast<char *>(values[i]);
    if (options[i] == errorLogBytes)
      size = reinterpret_cast<uintptr_t>(values[i]) & 0xffffffff;
  }
  if (buffer && size)
    snprintf(buffer, size, "%s", text.c_str());
}

Result driver::loadModule(const char *call, Module **module, const char *bytes,
                          size_t length) {
  return enterContext([&](Driver &driver) {
    if (Result result = checkUnsafe(driver)) // it allocates
      return result;
    auto made = std::make_unique<Module>();
    tw_emulator_status status =
        tw_emulator_module_load(driver.device, bytes, length, &made->module);
    if (status != TW_EMULATOR_OK)
      return toResult(status, call);
    *module = driver.modules.add(std::move(made));
    return Success;
  });
}

Result driver::unloadModule(Module *module) {
  return enterContext([&](Driver &driver) {
    if (!driver.modules.has(module))
      return InvalidHandle;
    if (Result result = checkUnsafe(driver))
      return result;
    for (const auto &entry : module->functions)
      driver.functions.erase(entry.second.get());
    tw_emulator_module_unload(module->module);
    driver.modules.remove(module);
    return Success;
  });
}

Result driver::readFile(const char *path, std::string &bytes) {
  FILE *file = path ? fopen(path, "rb") : nullptr;
  if (!file)
    return path ? FileNotFound : InvalidValue;
  char piece[4096];
  while (size_t count = fread(piece, 1, sizeof(piece), file))
    bytes.append(piece, count);
  fclose(file);
  return Success;
}

Result driver::getFunction(const char *call, Function **function, Module *module,
                           const char *name) {
  return enterContext([&](Driver &driver) {
    if (!function || !name)
      return InvalidValue;
    if (!driver.modules.has(module))
      return InvalidHandle;
    std::unique_ptr<Function> &known = module->functions[name];
    if (!known) {
      const tw_emulator_kernel *kernel = nullptr;
      if (tw_emulator_module_kernel(module->module, name, &kernel) != TW_EMULATOR_OK) {
        module->functions.erase(name);
        return refuse(NotFound, std::string(call) + ": " + tw_emulator_last_error());
      }
      known = std::make_unique<Function>();
      known->module = module;
      known->kernel = kernel;
      known->info.size = sizeof(known->info);
      tw_emulator_kernel_info(kernel, &known->info);
      driver.functions[known.get()] = module;
    }
    *function = known.get();
    return Success;
  });
}

Result driver::getGlobal(DevicePointer *address, size_t *bytes, Module *module,
                         const char *name) {
  return enterContext([&](Driver &driver) {
    if (!name || !driver.modules.has(module))
      return name ? InvalidHandle : InvalidValue;
    uint64_t base = 0, size = 0;
    if (tw_emulator_module_variable(module->module, name, &base, &size) != TW_EMULATOR_OK)
      return NotFound;
    if (address)
      *address = base;
    if (bytes)
      *bytes = size;
    return Success;
  });
}

static int threadsOf(const uint32_t (&extents)[3]) {
  return static_cast<int>(extents[0] * std::max(extents[1], 1u) *
                          std::max(extents[2], 1u));
}

int driver::maxThreads(const Function &function) {
  const tw_emulator_kernel_info_v1 &info = function.info;
  int most = info.required_threads[0] ? threadsOf(info.required_threads)
                                      : threadsOf(info.max_threads);
  return most ? most : 1024;
}
