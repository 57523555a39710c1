//===- DeviceApi.cpp - The C API: devices, errors and faults ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/api/Api.h"

#include <cstdlib>
#include <unistd.h>

using namespace tilewright::ptx;
using namespace tilewright::ptx::api;
using tilewright::emulator::Fault;

namespace {
struct LastError {
  std::string message;
  uint32_t line = 0, column = 0;
};
} // namespace

static thread_local LastError lastError;

tw_ptx_status api::fail(tw_ptx_status status, std::string message, uint32_t line,
                        uint32_t column) {
  lastError = {std::move(message), line, column};
  return status;
}

char *api::copyText(const std::string &text) {
  char *copy = static_cast<char *>(malloc(text.size() + 1));
  if (!copy)
    throw std::bad_alloc();
  memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

const char *tw_ptx_last_error(void) { return lastError.message.c_str(); }

void tw_ptx_last_error_place(uint32_t *line, uint32_t *column) {
  if (line)
    *line = lastError.line;
  if (column)
    *column = lastError.column;
}

uint32_t tw_ptx_api_version(void) { return TW_PTX_API_VERSION; }

void tw_ptx_text_free(char *text) { free(text); }

//===----------------------------------------------------------------------===//
// Devices
//===----------------------------------------------------------------------===//

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

/// A quarter of the host's memory, since every byte has a shadow; at most 64 GiB.
static uint64_t defaultMemory() {
  constexpr uint64_t most = uint64_t(64) << 30;
  long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || size <= 0)
    return most;
  return std::min<uint64_t>(most, static_cast<uint64_t>(pages) * size / 4);
}

tw_ptx_status tw_ptx_device_create(const tw_ptx_device_options_v1 *given,
                                   tw_ptx_device **device) {
  return guard([&] {
    tw_ptx_device_options_v1 options;
    if (!device || !readSized(given, options) || !options.arch)
      return fail(TW_PTX_ERROR_INVALID, "tw_ptx_device_create: options of a size that "
                                        "this library knows, with an arch, are needed");
    const Architecture *found = nullptr;
    for (const Architecture &one : architectures)
      if (std::string_view(one.name) == options.arch)
        found = &one;
    if (!found)
      return fail(TW_PTX_ERROR_INVALID,
                  "there is no device " + std::string(options.arch) +
                      "; the emulator has sm_80, sm_86, sm_89, sm_90 and sm_90a");
    if (options.order > TW_PTX_SHUFFLED)
      return fail(TW_PTX_ERROR_INVALID,
                  "there is no order " + std::to_string(options.order));
    auto made = std::make_unique<tw_ptx_device>(
        found->number, found->specific,
        options.memory_bytes ? options.memory_bytes : defaultMemory());
    made->arch = options.arch;
    made->order.kind = static_cast<Order::Kind>(options.order);
    made->order.seed = options.seed;
    made->checks.uninitialised = !(options.checks & TW_PTX_NO_UNINITIALISED);
    made->checks.sharedRaces = !(options.checks & TW_PTX_NO_SHARED_RACES);
    made->checks.proxyFences = !(options.checks & TW_PTX_NO_PROXY_FENCES);
    made->checks.globalRaces = options.checks & TW_PTX_GLOBAL_RACES;
    made->checks.statistics = options.checks & TW_PTX_COUNT_BY_LINE;
    made->checks.timesProducts = options.checks & TW_PTX_TIME_PRODUCTS;
    made->threads = options.threads;
    made->maxSteps = options.max_steps;
    if (options.multiprocessors)
      made->device.multiprocessors = options.multiprocessors;
    *device = made.release();
    return TW_PTX_OK;
  });
}

void tw_ptx_device_destroy(tw_ptx_device *device) { delete device; }

tw_ptx_status tw_ptx_take_output(tw_ptx_device *device, char **text) {
  return guard([&] {
    if (!device || !text)
      return fail(TW_PTX_ERROR_INVALID, "tw_ptx_take_output: a null argument");
    std::lock_guard<std::mutex> locked(device->lock);
    std::lock_guard<std::mutex> output(device->device.outputLock);
    *text = copyText(device->device.output);
    device->device.output.clear();
    return TW_PTX_OK;
  });
}

tw_ptx_status tw_ptx_report(tw_ptx_device *device, char **json) {
  return guard([&] {
    if (!device || !json)
      return fail(TW_PTX_ERROR_INVALID, "tw_ptx_report: a null argument");
    std::lock_guard<std::mutex> locked(device->lock);
    const LastLaunch &last = device->last;
    if (!last.kernel && last.json.empty())
      return fail(TW_PTX_ERROR_NOT_FOUND, "no kernel was launched yet");
    *json = copyText(last.kernel ? reportToJson(*device) : last.json);
    return TW_PTX_OK;
  });
}

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

uint32_t tw_ptx_fault_count(tw_ptx_device *device) {
  if (!device)
    return 0;
  std::lock_guard<std::mutex> locked(device->lock);
  return static_cast<uint32_t>(device->faults.size());
}

tw_ptx_status tw_ptx_fault(tw_ptx_device *device, uint32_t index,
                           tw_ptx_fault_v1 *fault) {
  return guard([&] {
    if (!device)
      return fail(TW_PTX_ERROR_INVALID, "tw_ptx_fault: no device");
    std::lock_guard<std::mutex> locked(device->lock);
    if (index >= device->faults.size())
      return fail(TW_PTX_ERROR_NOT_FOUND,
                  "there are " + std::to_string(device->faults.size()) +
                      " faults, no number " + std::to_string(index));
    const Fault &from = device->faults[index];
    tw_ptx_fault_v1 known = {};
    known.rule = getName(from.rule);
    known.explanation = getExplanation(from.rule);
    known.message = from.message.c_str();
    known.kernel = from.site.kernel.c_str();
    const auto &block = from.site.block, &thread = from.site.thread;
    const uint32_t blocks[] = {block.x, block.y, block.z};
    const uint32_t threads[] = {thread.x, thread.y, thread.z};
    memcpy(known.block, blocks, sizeof(blocks));
    memcpy(known.thread, threads, sizeof(threads));
    known.line = from.site.line;
    known.source_line = from.site.sourceLine;
    known.instruction = from.site.instruction.c_str();
    known.file = from.site.file.c_str();
    known.repeated = from.repeated;
    if (!writeSized(known, fault))
      return fail(TW_PTX_ERROR_INVALID, "tw_ptx_fault: the structure has no size");
    return TW_PTX_OK;
  });
}

std::string api::faultsToText(const tw_ptx_device &device, size_t first) {
  std::string text;
  for (size_t i = first; i < device.faults.size(); ++i)
    text += (text.empty() ? "" : "\n\n") + format(device.faults[i]);
  return text;
}

tw_ptx_status tw_ptx_faults_text(tw_ptx_device *device, char **text) {
  return guard([&] {
    if (!device || !text)
      return fail(TW_PTX_ERROR_INVALID, "tw_ptx_faults_text: a null argument");
    std::lock_guard<std::mutex> locked(device->lock);
    *text = copyText(faultsToText(*device, 0));
    return TW_PTX_OK;
  });
}

tw_ptx_status tw_ptx_faults_json(tw_ptx_device *device, char **json) {
  return guard([&] {
    if (!device || !json)
      return fail(TW_PTX_ERROR_INVALID, "tw_ptx_faults_json: a null argument");
    std::lock_guard<std::mutex> locked(device->lock);
    *json = copyText(faultsToJson(*device));
    return TW_PTX_OK;
  });
}

void tw_ptx_faults_clear(tw_ptx_device *device) {
  if (!device)
    return;
  std::lock_guard<std::mutex> locked(device->lock);
  device->faults.clear();
}
