//===- DeviceApi.cpp - The C API: NVIDIA's devices ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/api/Api.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::api;
using namespace tilewright::emulator::api;

std::string PtxDevice::takeOutput() {
  std::lock_guard<std::mutex> guard(device.outputLock);
  std::string taken;
  taken.swap(device.output);
  return taken;
}

PtxDevice::~PtxDevice() { modules.clear(); }

namespace {
struct Architecture {
  const char *name;
  unsigned number;
  bool specific;
};
} // namespace

static constexpr Architecture architectures[] = {
    {"sm_80", 80, false}, {"sm_86", 86, false}, {"sm_89", 89, false},
    {"sm_90", 90, false}, {"sm_90a", 90, true},
};

tw_emulator_status tw_emulator_device_create(const tw_emulator_device_options_v1 *given,
                                             tw_emulator_device **device) {
  return guard([&] {
    tw_emulator_device_options_v1 options;
    if (!device || !readSized(given, options) || !options.arch)
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "tw_emulator_device_create: options of a size that "
                  "this library knows, with an arch, are needed");
    const Architecture *found = nullptr;
    for (const Architecture &one : architectures)
      if (std::string_view(one.name) == options.arch)
        found = &one;
    if (!found)
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "there is no device " + std::string(options.arch) +
                      "; the emulator has sm_80, sm_86, sm_89, sm_90 and sm_90a");
    auto made = std::make_unique<PtxDevice>(found->number, found->specific,
                                            options.memory_bytes ? options.memory_bytes
                                                                 : getDefaultMemory());
    made->arch = options.arch;
    if (tw_emulator_status status = readOptions(options, *made))
      return status;
    if (options.multiprocessors)
      made->device.multiprocessors = options.multiprocessors;
    *device = made.release();
    return TW_EMULATOR_OK;
  });
}

void tw_emulator_memory_set_heap(tw_emulator_device *device, uint64_t bytes) {
  if (device)
    static_cast<PtxDevice *>(device)->device.heap.limit = bytes;
}
