//===- DeviceApi.cpp - The C API: errors, devices and faults ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/common/api/Api.h"
#include "emulators/common/api/Json.h"

#include <cstdlib>
#include <unistd.h>

using namespace tilewright::emulator;
using namespace tilewright::emulator::api;

namespace {
struct LastError {
  std::string message;
  uint32_t line = 0, column = 0;
};
} // namespace

static thread_local LastError lastError;

tw_emulator_status api::fail(tw_emulator_status status, std::string message,
                             uint32_t line, uint32_t column) {
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

const char *tw_emulator_last_error(void) { return lastError.message.c_str(); }

void tw_emulator_last_error_place(uint32_t *line, uint32_t *column) {
  if (line)
    *line = lastError.line;
  if (column)
    *column = lastError.column;
}

uint32_t tw_emulator_api_version(void) { return TW_EMULATOR_API_VERSION; }

void tw_emulator_text_free(char *text) { free(text); }

//===----------------------------------------------------------------------===//
// Devices
//===----------------------------------------------------------------------===//

uint64_t api::getDefaultMemory() {
  constexpr uint64_t most = uint64_t(64) << 30;
  long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || size <= 0)
    return most;
  return std::min<uint64_t>(most, static_cast<uint64_t>(pages) * size / 4);
}

tw_emulator_status api::readOptions(const tw_emulator_device_options_v1 &options,
                                    tw_emulator_device &made) {
  if (options.order > TW_EMULATOR_SHUFFLED)
    return fail(TW_EMULATOR_ERROR_INVALID,
                "there is no order " + std::to_string(options.order));
  made.order.kind = static_cast<Order::Kind>(options.order);
  made.order.seed = options.seed;
  made.checks = options.checks;
  made.threads = options.threads;
  made.maxSteps = options.max_steps;
  return TW_EMULATOR_OK;
}

void api::readChecks(uint32_t given, Checks &checks) {
  checks.uninitialised = !(given & TW_EMULATOR_NO_UNINITIALISED);
  checks.sharedRaces = !(given & TW_EMULATOR_NO_SHARED_RACES);
  checks.globalRaces = given & TW_EMULATOR_GLOBAL_RACES;
  checks.statistics = given & TW_EMULATOR_COUNT_BY_LINE;
  checks.timesProducts = given & TW_EMULATOR_TIME_PRODUCTS;
}

void tw_emulator_device_destroy(tw_emulator_device *device) { delete device; }

tw_emulator_status tw_emulator_take_output(tw_emulator_device *device, char **text) {
  return guard([&] {
    if (!device || !text)
      return fail(TW_EMULATOR_ERROR_INVALID, "tw_emulator_take_output: a null argument");
    std::lock_guard<std::mutex> locked(device->lock);
    *text = copyText(device->takeOutput());
    return TW_EMULATOR_OK;
  });
}

tw_emulator_status tw_emulator_report(tw_emulator_device *device, char **json) {
  return guard([&] {
    if (!device || !json)
      return fail(TW_EMULATOR_ERROR_INVALID, "tw_emulator_report: a null argument");
    std::lock_guard<std::mutex> locked(device->lock);
    std::string report = device->report();
    if (report.empty())
      return fail(TW_EMULATOR_ERROR_NOT_FOUND, "no kernel was launched yet");
    *json = copyText(report);
    return TW_EMULATOR_OK;
  });
}

uint64_t tw_emulator_instructions(tw_emulator_device *device) {
  if (!device)
    return 0;
  std::lock_guard<std::mutex> locked(device->lock);
  return device->instructions;
}

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

uint32_t tw_emulator_fault_count(tw_emulator_device *device) {
  if (!device)
    return 0;
  std::lock_guard<std::mutex> locked(device->lock);
  return static_cast<uint32_t>(device->faults.size());
}

tw_emulator_status tw_emulator_fault(tw_emulator_device *device, uint32_t index,
                                     tw_emulator_fault_v1 *fault) {
  return guard([&] {
    if (!device)
      return fail(TW_EMULATOR_ERROR_INVALID, "tw_emulator_fault: no device");
    std::lock_guard<std::mutex> locked(device->lock);
    if (index >= device->faults.size())
      return fail(TW_EMULATOR_ERROR_NOT_FOUND,
                  "there are " + std::to_string(device->faults.size()) +
                      " faults, no number " + std::to_string(index));
    const Fault &from = device->faults[index];
    tw_emulator_fault_v1 known = {};
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
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "tw_emulator_fault: the structure has no size");
    return TW_EMULATOR_OK;
  });
}

std::string api::faultsToText(const tw_emulator_device &device, size_t first) {
  std::string text;
  for (size_t i = first; i < device.faults.size(); ++i)
    text += (text.empty() ? "" : "\n\n") + format(device.faults[i]);
  return text;
}

tw_emulator_status tw_emulator_faults_text(tw_emulator_device *device, char **text) {
  return guard([&] {
    if (!device || !text)
      return fail(TW_EMULATOR_ERROR_INVALID, "tw_emulator_faults_text: a null argument");
    std::lock_guard<std::mutex> locked(device->lock);
    *text = copyText(faultsToText(*device, 0));
    return TW_EMULATOR_OK;
  });
}

tw_emulator_status tw_emulator_faults_json(tw_emulator_device *device, char **json) {
  return guard([&] {
    if (!device || !json)
      return fail(TW_EMULATOR_ERROR_INVALID, "tw_emulator_faults_json: a null argument");
    std::lock_guard<std::mutex> locked(device->lock);
    *json = copyText(faultsToJson(*device));
    return TW_EMULATOR_OK;
  });
}

void tw_emulator_faults_clear(tw_emulator_device *device) {
  if (!device)
    return;
  std::lock_guard<std::mutex> locked(device->lock);
  device->faults.clear();
}

tw_emulator_status api::takeFaults(tw_emulator_device &device, FaultLog &log) {
  size_t before = device.faults.size();
  for (Fault &fault : log.take())
    device.faults.push_back(std::move(fault));
  if (device.faults.size() == before)
    return TW_EMULATOR_OK;
  const Site &site = device.faults[before].site;
  return fail(TW_EMULATOR_ERROR_FAULT, faultsToText(device, before),
              site.isAddress ? 0 : site.line);
}

std::string api::faultsToJson(const tw_emulator_device &device) {
  JsonWriter json;
  json.open('[');
  for (const Fault &fault : device.faults)
    json.open('{')
        .field("rule", getName(fault.rule))
        .field("explanation", getExplanation(fault.rule))
        .field("message", fault.message)
        .field("kernel", fault.site.kernel)
        .dim("block", fault.site.block)
        .dim("thread", fault.site.thread)
        .field("line", uint64_t(fault.site.line))
        .field("instruction", fault.site.instruction)
        .field("file", fault.site.file)
        .field("source_line", uint64_t(fault.site.sourceLine))
        .field("repeated", fault.repeated)
        .close('}');
  json.close(']');
  return std::move(json.text);
}
