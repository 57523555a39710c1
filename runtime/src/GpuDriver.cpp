//===- GpuDriver.cpp - Finding and loading the drivers of GPUs ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GpuDriver.h"

#include "Buffer.h"
#include "Error.h"
#include "Locks.h"

#include <dlfcn.h>
#include <unistd.h>

using namespace tilewright;

//===----------------------------------------------------------------------===//
// Where libraries are
//===----------------------------------------------------------------------===//

/// Where stand-ins are, from the folder of the library or program that this code is in:
/// beside libtilewright_runtime.so; installed, beside the extension of Python; in a build
/// folder, from the extension and from test programs.
static constexpr const char *standInFolders[] = {"", "lib/", "../../lib/"};

/// The path of the stand-in; false where it is in none of its places.
static bool findStandIn(const GpuVendor &vendor, Buffer &path) {
  Dl_info self;
  if (!dladdr(reinterpret_cast<const void *>(&loadDriver), &self) || !self.dli_fname)
    return false;
  char *file = realpath(self.dli_fname, nullptr);
  if (!file)
    return false;
  char *slash = strrchr(file, '/');
  slash[1] = 0;
  bool found = false;
  for (const char *folder : standInFolders) {
    Buffer candidate;
    candidate.add("%s%s%s", file, folder, vendor.standIn);
    if (access(candidate.text(), R_OK) == 0) {
      path.add("%s", candidate.text());
      found = true;
      break;
    }
  }
  free(file);
  return found;
}

static void *openLibrary(const char *path) { return dlopen(path, RTLD_NOW | RTLD_LOCAL); }

/// Opens the driver's library, or records the failure.
static void *openDriver(const GpuDriver &driver, const char *device) {
  const GpuVendor &vendor = *driver.vendor;
  const char *named = getenv(vendor.variable);
  if (named && *named) {
    void *library = openLibrary(named);
    if (!library)
      fail(TW_ERROR_UNSUPPORTED, "device '%s': %s names a library that does not load: %s",
           device, vendor.variable, dlerror());
    return library;
  }
  if (driver.isEmulator) {
    Buffer path;
    if (!findStandIn(vendor, path)) {
      fail(TW_ERROR_UNSUPPORTED,
           "device '%s': the emulator's library %s is not where this runtime is "
           "installed; name it in %s",
           device, vendor.standIn, vendor.variable);
      return nullptr;
    }
    void *library = openLibrary(path.text());
    if (!library)
      fail(TW_ERROR_UNSUPPORTED, "device '%s': the emulator does not load: %s", device,
           dlerror());
    return library;
  }
  void *library = openLibrary(vendor.library);
  if (!library && vendor.otherLibrary)
    library = openLibrary(vendor.otherLibrary);
  if (!library)
    fail(TW_ERROR_UNSUPPORTED,
         "device '%s': this machine has no %s, the library of %s; the device '%s' needs "
         "neither a GPU nor a driver",
         device, vendor.library, vendor.libraryOwner, vendor.emulator);
  return library;
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

namespace {
/// A row of the table: where a function's address goes, and the function's names.
struct CallEntry {
  size_t offset;
  const char *cuda, *hip;
};
} // namespace

static constexpr CallEntry callEntries[] = {
#define TW_GPU_CALL(NAME, CUDA, HIP, PARAMETERS) {offsetof(GpuCalls, NAME), CUDA, HIP},
    TW_GPU_CALLS(TW_GPU_CALL)
#undef TW_GPU_CALL
};

/// Those of stand-ins, after all others.
static constexpr CallEntry emulatorEntries[] = {
    {offsetof(GpuCalls, emulatedDevice), "cuTilewrightDevice", "hipTilewrightDevice"},
    {offsetof(GpuCalls, report), "cuTilewrightReport", "hipTilewrightReport"},
    {offsetof(GpuCalls, instructions), "cuTilewrightInstructions",
     "hipTilewrightInstructions"},
};

/// Stores the address of a function; false where the library has none of the name.
static bool bind(GpuDriver &driver, void *library, const CallEntry &entry,
                 const char **name) {
  *name = driver.vendor->isCuda ? entry.cuda : entry.hip;
  void *address = **name ? dlsym(library, *name) : nullptr;
  memcpy(reinterpret_cast<char *>(&driver.calls) + entry.offset, &address,
         sizeof(address));
  return address || !**name;
}

static tw_status bindAll(GpuDriver &driver, void *library, const char *device) {
  const GpuVendor &vendor = *driver.vendor;
  const char *name;
  for (const CallEntry &entry : callEntries)
    if (!bind(driver, library, entry, &name) &&
        entry.offset != offsetof(GpuCalls, launchWith)) // which older drivers lack
      return fail(TW_ERROR_UNSUPPORTED,
                  "device '%s': the library of %s has no %s; it is too old", device,
                  vendor.libraryOwner, name);
  for (const CallEntry &entry : emulatorEntries)
    if (!bind(driver, library, entry, &name) && driver.isEmulator)
      return fail(TW_ERROR_UNSUPPORTED,
                  "device '%s': the library that %s names is none of the emulator's: it "
                  "has no %s",
                  device, vendor.variable, name);
  return TW_OK;
}

/// Starts a driver that has been loaded. The emulator's starts with its devices.
static tw_status start(const GpuDriver &driver, const char *device) {
  const GpuVendor &vendor = *driver.vendor;
  if (driver.isEmulator)
    return TW_OK;
  int count = 0;
  int result = driver.calls.init(0);
  if (!result)
    result = driver.calls.deviceCount(&count);
  if (!result && count > 0)
    return TW_OK;
  const char *name = nullptr, *text = nullptr;
  driver.calls.errorName(result, &name);
  driver.calls.errorText(result, &text);
  return fail(TW_ERROR_UNSUPPORTED,
              "device '%s': %s finds no GPU (%s: %s); the device '%s' needs none", device,
              vendor.libraryOwner, result && name ? name : "no device",
              result && text ? text : "there are none", vendor.emulator);
}

tw_status tilewright::loadDriver(GpuDriver &driver, const char *device) {
  Locked loading(Lock::Drivers);
  tw_status status = TW_OK;
  if (!driver.library) {
    void *library = openDriver(driver, device);
    status = library ? bindAll(driver, library, device) : TW_ERROR_UNSUPPORTED;
    if (!status)
      status = start(driver, device);
    // It is never unloaded: drivers start threads of their own.
    if (!status)
      driver.library = library;
    else if (library)
      dlclose(library);
  }
  return status;
}
