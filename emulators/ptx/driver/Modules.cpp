//===- Modules.cpp - Modules of PTX text and their functions ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/driver/Driver.h"

#include <algorithm>
#include <cstring>

using namespace tilewright::cuda;

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

TW_CALL Result cuModuleLoadDataEx(Module **module, const void *image, unsigned count,
                                  int *options, void **values) {
  return enterContext([&](Driver &) {
    if (!module || !image)
      return InvalidValue;
    std::string binary = describeBinary(static_cast<const unsigned char *>(image));
    if (!binary.empty()) {
      writeLog(binary, count, options, values);
      return refuse(NoBinaryForGpu, "cuModuleLoadData: " + binary);
    }
    const char *text = static_cast<const char *>(image);
    Result result = loadModule("cuModuleLoadData", module, text, strlen(text));
    if (result != Success)
      writeLog(tw_emulator_last_error(), count, options, values);
    return result;
  });
}

TW_CALL Result cuModuleLoadData(Module **module, const void *image) {
  return cuModuleLoadDataEx(module, image, 0, nullptr, nullptr);
}

TW_CALL Result cuModuleLoadFatBinary(Module **module, const void *image) {
  return cuModuleLoadDataEx(module, image, 0, nullptr, nullptr);
}

TW_CALL Result cuModuleLoad(Module **module, const char *path) {
  std::string text;
  if (Result result = module ? readFile(path, text) : InvalidValue)
    return result;
  text.append(4, '\0'); // so that the first four bytes are there
  return cuModuleLoadDataEx(module, text.data(), 0, nullptr, nullptr);
}

TW_CALL Result cuModuleUnload(Module *module) { return unloadModule(module); }

/// There is no lazy loading to be told of.
TW_CALL Result cuModuleGetLoadingMode(int *mode) {
  if (!mode)
    return InvalidValue;
  *mode = 1; // eager
  return Success;
}

TW_CALL Result cuModuleGetFunction(Function **function, Module *module,
                                   const char *name) {
  return getFunction("cuModuleGetFunction", function, module, name);
}

TW_CALL Result cuModuleGetFunctionCount(unsigned *count, Module *module) {
  return enterContext([&](Driver &driver) {
    if (!count || !driver.modules.has(module))
      return count ? InvalidHandle : InvalidValue;
    *count = tw_emulator_module_kernel_count(module->module);
    return Success;
  });
}

TW_CALL Result cuModuleEnumerateFunctions(Function **functions, unsigned count,
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

TW_CALL Result cuModuleGetGlobal_v2(DevicePointer *address, size_t *bytes, Module *module,
                                    const char *name) {
  return getGlobal(address, bytes, module, name);
}
TW_CALL_ALIAS(cuModuleGetGlobal, cuModuleGetGlobal_v2);
