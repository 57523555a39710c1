//===- Modules.cpp - Modules of code objects, and functions by name -----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Bundle.h"
#include "emulators/amdgpu/driver/Driver.h"

using namespace tilewright::hip;
using namespace tilewright::amdgpu;

Result tilewright::hip::loadImage(const char *call, Module **module,
                                  std::string_view image, std::string *why) {
  return enterContext([&](Driver &driver) {
    std::string bytes;
    std::string error =
        "the image begins neither as a linked code object nor as a bundle; "
        "a compressed bundle of version 1 does not say how long it is, and "
        "is loaded from a file alone";
    Selection selection = image.empty()
                              ? Selection::Damaged
                              : selectCodeObject(image, getTarget(driver), bytes, error);
    Result result = Success;
    if (selection == Selection::Found) {
      result = loadModule(call, module, bytes.data(), bytes.size());
      error = tw_emulator_last_error();
    } else {
      result = refuse(selection == Selection::OtherGpu ? NoBinaryForGpu : InvalidImage,
                      std::string(call) + ": " + error);
    }
    if (why && result != Success)
      *why = error;
    return result;
  });
}

/// With options of a compilation, of which there is none here.
TW_CALL Result hipModuleLoadDataEx(Module **module, const void *image, unsigned count,
                                   int *options, void **values) {
  if (!module || !image)
    return note(InvalidValue);
  std::string why;
  Result result =
      loadImage("hipModuleLoadData", module,
                {static_cast<const char *>(image), measureImage(image)}, &why);
  if (result != Success)
    writeLog(why, count, options, values);
  return note(result);
}

TW_CALL Result hipModuleLoadData(Module **module, const void *image) {
  return hipModuleLoadDataEx(module, image, 0, nullptr, nullptr);
}

TW_CALL Result hipModuleLoadFatBinary(Module **module, const void *image) {
  return hipModuleLoadDataEx(module, image, 0, nullptr, nullptr);
}

TW_CALL Result hipModuleLoad(Module **module, const char *path) {
  std::string bytes;
  if (Result result = module ? readFile(path, bytes) : InvalidValue)
    return note(result);
  return note(loadImage("hipModuleLoad", module, bytes));
}

TW_CALL Result hipModuleUnload(Module *module) { return note(unloadModule(module)); }

TW_CALL Result hipModuleGetFunction(Function **function, Module *module,
                                    const char *name) {
  return note(getFunction("hipModuleGetFunction", function, module, name));
}

TW_CALL Result hipModuleGetGlobal(DevicePointer *address, size_t *bytes, Module *module,
                                  const char *name) {
  return note(getGlobal(address, bytes, module, name));
}

//===----------------------------------------------------------------------===//
// Entry points by name
//===----------------------------------------------------------------------===//

/// Since this version a program's header means the newer structure by the name, whether
/// it counts versions as 600 or as 60000000.
static constexpr int versionOfR0600 = 600;

TW_CALL Result hipGetProcAddress(const char *symbol, void **function, int version,
                                 uint64_t, int *status) {
  if (!symbol || !function)
    return note(InvalidValue);
  std::string name = symbol;
  if (name == "hipGetDeviceProperties" && version >= versionOfR0600)
    name += "R0600";
  *function = name.compare(0, 3, "hip") == 0 ? findOwnSymbol(name.c_str()) : nullptr;
  if (status)
    *status = *function ? 0 : 1;
  return *function ? Success : note(NotFound);
}
