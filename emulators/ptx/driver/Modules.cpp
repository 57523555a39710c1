//===- Modules.cpp - Modules of PTX text and their functions ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/driver/Driver.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

using namespace tilewright::cuda;

/// Options of cuModuleLoadDataEx that name a buffer for messages, and its size.
static constexpr int errorLogBuffer = 5, errorLogBytes = 6;

/// Why an image is no PTX text; "" if it looks like text.
static std::string describeBinary(const unsigned char *image) {
  static constexpr unsigned char elf[] = {0x7f, 'E', 'L', 'F'};
  // The wrapper that nvcc links into programs, and the container itself.
  static constexpr unsigned char wrapper[] = {0xb1, 0x43, 0x62, 0x46};
  static constexpr unsigned char container[] = {0x50, 0xed, 0x55, 0xba};
  // Not beyond the end of a text of fewer bytes.
  auto starts = [&](const unsigned char *magic) {
    return std::equal(magic, magic + 4, image);
  };
  const char *what = starts(elf)         ? "a cubin"
                     : starts(wrapper)   ? "a fatbin"
                     : starts(container) ? "a fatbin"
                                         : nullptr;
  if (!what)
    return "";
  return std::string("the image is ") + what +
         ", and the emulator executes PTX text. A program that embeds PTX can pass that; "
         "for one that calls ptxas, put the `ptxas` beside this library in its place, "
         "which "
         "passes the text through (Triton: TRITON_PTXAS_PATH)";
}

static void writeLog(const std::string &text, unsigned count, const int *options,
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

static Result load(Driver &driver, Module **module, const char *text, size_t length) {
  auto made = std::make_unique<Module>();
  tw_emulator_status status =
      tw_emulator_module_load(driver.device, text, length, &made->module);
  if (status != TW_EMULATOR_OK)
    return toResult(status, "cuModuleLoadData");
  *module = driver.modules.add(std::move(made));
  return Success;
}

TW_CUDA Result cuModuleLoadDataEx(Module **module, const void *image, unsigned count,
                                  int *options, void **values) {
  return enterContext([&](Driver &driver) {
    if (!module || !image)
      return InvalidValue;
    std::string binary = describeBinary(static_cast<const unsigned char *>(image));
    if (!binary.empty()) {
      writeLog(binary, count, options, values);
      return refuse(NoBinaryForGpu, "cuModuleLoadData: " + binary);
    }
    const char *text = static_cast<const char *>(image);
    Result result = load(driver, module, text, strlen(text));
    if (result != Success)
      writeLog(tw_emulator_last_error(), count, options, values);
    return result;
  });
}

TW_CUDA Result cuModuleLoadData(Module **module, const void *image) {
  return cuModuleLoadDataEx(module, image, 0, nullptr, nullptr);
}

TW_CUDA Result cuModuleLoadFatBinary(Module **module, const void *image) {
  return cuModuleLoadDataEx(module, image, 0, nullptr, nullptr);
}

TW_CUDA Result cuModuleLoad(Module **module, const char *path) {
  if (!module || !path)
    return InvalidValue;
  FILE *file = fopen(path, "rb");
  if (!file)
    return FileNotFound;
  std::string text;
  char piece[4096];
  while (size_t count = fread(piece, 1, sizeof(piece), file))
    text.append(piece, count);
  fclose(file);
  text.append(4, '\0'); // so that the first four bytes are there
  return cuModuleLoadDataEx(module, text.data(), 0, nullptr, nullptr);
}

TW_CUDA Result cuModuleUnload(Module *module) {
  return enterContext([&](Driver &driver) {
    if (!driver.modules.has(module))
      return InvalidHandle;
    for (const auto &entry : module->functions)
      driver.functions.erase(entry.second.get());
    tw_emulator_module_unload(module->module);
    driver.modules.remove(module);
    return Success;
  });
}

/// There is no lazy loading to be told of.
TW_CUDA Result cuModuleGetLoadingMode(int *mode) {
  if (!mode)
    return InvalidValue;
  *mode = 1; // eager
  return Success;
}

TW_CUDA Result cuModuleGetFunction(Function **function, Module *module,
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
        return refuse(NotFound,
                      std::string("cuModuleGetFunction: ") + tw_emulator_last_error());
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

TW_CUDA Result cuModuleGetFunctionCount(unsigned *count, Module *module) {
  return enterContext([&](Driver &driver) {
    if (!count || !driver.modules.has(module))
      return count ? InvalidHandle : InvalidValue;
    *count = tw_emulator_module_kernel_count(module->module);
    return Success;
  });
}

TW_CUDA Result cuModuleEnumerateFunctions(Function **functions, unsigned count,
                                          Module *module) {
  return enterContext([&](Driver &driver) {
    if (!functions || !driver.modules.has(module))
      return functions ? InvalidHandle : InvalidValue;
    count = std::min(count, tw_emulator_module_kernel_count(module->module));
    for (unsigned i = 0; i < count; ++i) {
      tw_emulator_kernel_info_v1 info = {};
      info.size = sizeof(info);
      tw_emulator_kernel_info(tw_emulator_module_kernel_at(module->module, i), &info);
      if (Result result = cuModuleGetFunction(&functions[i], module, info.name))
        return result;
    }
    return Success;
  });
}

TW_CUDA Result cuModuleGetGlobal_v2(DevicePointer *address, size_t *bytes, Module *module,
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
TW_CUDA_ALIAS(cuModuleGetGlobal, cuModuleGetGlobal_v2);
