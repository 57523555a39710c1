//===- Programs.cpp - Kernels and variables of the program itself -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// clang puts code objects into a program, and calls before `main` that register them with
// each kernel and variable, by the address of something of the host that stands for it. A
// program's code objects are loaded when one of them is first asked for.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Bundle.h"
#include "emulators/amdgpu/driver/Driver.h"

using namespace tilewright::hip;

namespace {
/// The code objects of one translation unit.
struct FatBinary {
  const void *image = nullptr;
  Module *module = nullptr; ///< null until it is needed
};

/// A kernel or variable, by its name in the code object.
struct HostSymbol {
  FatBinary *binary;
  std::string name;
};

struct Registry {
  Handles<FatBinary> binaries;
  std::unordered_map<const void *, HostSymbol> kernels, variables;
};
} // namespace

static Registry &getRegistry() {
  // Never destroyed: programs unregister while they end.
  static Registry *registry = new Registry;
  return *registry;
}

/// Runs `work` under the lock of the first device, where a program's own kernels run;
/// registering does not start it.
template <typename Work> static void withRegistry(Work work) {
  std::lock_guard<std::recursive_mutex> locked(findDriver(0)->lock);
  work(getRegistry());
}

//===----------------------------------------------------------------------===//
// Registering
//===----------------------------------------------------------------------===//

TW_CALL void **__hipRegisterFatBinary(const FatBinaryWrapper *wrapper) {
  if (!wrapper || wrapper->magic != fatBinaryMagic) {
    refuse(InvalidImage, "__hipRegisterFatBinary: this is no program of HIP's");
    return nullptr;
  }
  FatBinary *made = nullptr;
  withRegistry([&](Registry &registry) {
    auto binary = std::make_unique<FatBinary>();
    binary->image = wrapper->image;
    made = registry.binaries.add(std::move(binary));
  });
  return reinterpret_cast<void **>(made);
}

TW_CALL void __hipRegisterFunction(void **binary, const void *host, char *,
                                   const char *name, unsigned, void *, void *, Dim3 *,
                                   Dim3 *, int *) {
  withRegistry([&](Registry &registry) {
    registry.kernels[host] = {reinterpret_cast<FatBinary *>(binary), name};
  });
}

TW_CALL void __hipRegisterVar(void **binary, const void *host, char *, const char *name,
                              int, size_t, int, int) {
  withRegistry([&](Registry &registry) {
    registry.variables[host] = {reinterpret_cast<FatBinary *>(binary), name};
  });
}

TW_CALL void __hipRegisterManagedVar(void *, void **, void *, const char *name, size_t,
                                     unsigned) {
  refuse(NotSupported, "__hipRegisterManagedVar: " + std::string(name) +
                           " is managed, and emulated programs cannot touch the host's "
                           "memory");
}

TW_CALL void __hipUnregisterFatBinary(void **given) {
  FatBinary *binary = reinterpret_cast<FatBinary *>(given);
  withRegistry([&](Registry &registry) {
    for (auto *symbols : {&registry.kernels, &registry.variables})
      for (auto it = symbols->begin(); it != symbols->end();)
        it = it->second.binary == binary ? symbols->erase(it) : std::next(it);
    if (registry.binaries.has(binary) && binary->module)
      unloadModule(binary->module);
    registry.binaries.remove(binary);
  });
}

//===----------------------------------------------------------------------===//
// Looking up
//===----------------------------------------------------------------------===//

/// Finds what `host` stands for among `symbols` and loads its code object; `none` where
/// it stands for nothing.
static Result findSymbol(const std::unordered_map<const void *, HostSymbol> &symbols,
                         const void *host, Result none, const HostSymbol *&found) {
  if (getDriver().ordinal != 0)
    return refuse(NotSupported, "the program's own kernels run on the first device");
  auto known = symbols.find(host);
  if (known == symbols.end())
    return none;
  found = &known->second;
  FatBinary &binary = *found->binary;
  if (binary.module)
    return Success;
  return loadImage("hipLaunchKernel", &binary.module,
                   {static_cast<const char *>(binary.image),
                    tilewright::amdgpu::measureImage(binary.image)});
}

Result tilewright::hip::findHostFunction(const void *host, Function **function) {
  return enterContext([&](Driver &driver) {
    // A module's function stands for itself.
    Function *own = static_cast<Function *>(const_cast<void *>(host));
    if (driver.functions.count(own)) {
      *function = own;
      return Success;
    }
    const HostSymbol *found = nullptr;
    if (Result result =
            findSymbol(getRegistry().kernels, host, InvalidDeviceFunction, found))
      return result;
    return getFunction("hipLaunchKernel", function, found->binary->module,
                       found->name.c_str());
  });
}

static Result findHostVariable(const void *host, DevicePointer *address, size_t *bytes) {
  return enterContext([&](Driver &) {
    const HostSymbol *found = nullptr;
    if (Result result = findSymbol(getRegistry().variables, host, InvalidSymbol, found))
      return result;
    return getGlobal(address, bytes, found->binary->module, found->name.c_str());
  });
}

TW_CALL Result hipGetFuncBySymbol(Function **function, const void *host) {
  return note(function ? findHostFunction(host, function) : InvalidValue);
}

TW_CALL Result hipGetSymbolAddress(DevicePointer *address, const void *host) {
  return note(address ? findHostVariable(host, address, nullptr) : InvalidValue);
}

TW_CALL Result hipGetSymbolSize(size_t *bytes, const void *host) {
  return note(bytes ? findHostVariable(host, nullptr, bytes) : InvalidValue);
}

/// Where a part of a variable is.
static Result findPart(const void *host, size_t bytes, size_t offset,
                       DevicePointer &address) {
  size_t size = 0;
  if (Result result = findHostVariable(host, &address, &size))
    return result;
  address += offset;
  return offset <= size && bytes <= size - offset ? Success : InvalidValue;
}

TW_CALL Result hipMemcpyToSymbolAsync(const void *host, const void *from, size_t bytes,
                                      size_t offset, int kind, Stream *stream) {
  DevicePointer address = 0;
  if (Result result = findPart(host, bytes, offset, address))
    return note(result);
  return note(copyAs("hipMemcpyToSymbol", address, toAddress(from), bytes, kind, stream));
}

TW_CALL Result hipMemcpyToSymbol(const void *host, const void *from, size_t bytes,
                                 size_t offset, int kind) {
  return hipMemcpyToSymbolAsync(host, from, bytes, offset, kind, nullptr);
}

TW_CALL Result hipMemcpyFromSymbolAsync(void *to, const void *host, size_t bytes,
                                        size_t offset, int kind, Stream *stream) {
  DevicePointer address = 0;
  if (Result result = findPart(host, bytes, offset, address))
    return note(result);
  return note(copyAs("hipMemcpyFromSymbol", toAddress(to), address, bytes, kind, stream));
}

TW_CALL Result hipMemcpyFromSymbol(void *to, const void *host, size_t bytes,
                                   size_t offset, int kind) {
  return hipMemcpyFromSymbolAsync(to, host, bytes, offset, kind, nullptr);
}
