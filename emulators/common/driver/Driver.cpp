//===- Driver.cpp - The start of a stand-in, and its messages -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/common/driver/Driver.h"

#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <new>
#include <pthread.h>
#include <tuple>
#include <utility>

using namespace tilewright::emulator::driver;
namespace driver = tilewright::emulator::driver;

//===----------------------------------------------------------------------===//
// Devices
//===----------------------------------------------------------------------===//

namespace {
struct Devices {
  std::mutex lock;
  std::vector<Driver *> all{new Driver};
};
} // namespace

static Devices &getDevices() {
  // Never destroyed: threads of the program may call while it ends.
  static Devices *devices = new Devices;
  return *devices;
}

//===----------------------------------------------------------------------===//
// Forks
//===----------------------------------------------------------------------===//
//
// A child has the forking thread alone. A lock that another one held would stay locked
// there, so a fork waits for the calls under way.

/// The drivers that beforeFork has locked.
static std::vector<Driver *> forkedDrivers;

static void unlockAll(std::vector<Driver *> &drivers) {
  for (Driver *driver : drivers)
    driver->lock.unlock();
  drivers.clear();
}

/// Locks every driver, then the list of them: calls lock in that order. It waits for one
/// driver at most while it holds none, since calls may hold one and wait for another.
static void beforeFork() {
  Devices &devices = getDevices();
  Driver *busy = findDriver(0);
  while (busy) {
    busy->lock.lock();
    forkedDrivers.push_back(busy);
    Driver *first = std::exchange(busy, nullptr);
    devices.lock.lock();
    for (Driver *driver : devices.all) {
      if (driver == first)
        continue;
      if (!driver->lock.try_lock()) {
        busy = driver;
        break;
      }
      forkedDrivers.push_back(driver);
    }
    if (busy) {
      devices.lock.unlock();
      unlockAll(forkedDrivers);
    }
  }
  lockContexts();
}

static void afterForkInParent() {
  unlockContexts();
  getDevices().lock.unlock();
  unlockAll(forkedDrivers);
}

/// The forking thread has another name in the child, where a recursive lock does not know
/// its owner any more.
static void afterForkInChild() {
  for (Driver *driver : forkedDrivers)
    new (&driver->lock) std::recursive_mutex;
  forkedDrivers.clear();
  unlockContexts();
  getDevices().lock.unlock();
}

[[gnu::constructor]] static void prepareForks() {
  pthread_atfork(beforeFork, afterForkInParent, afterForkInChild);
}

//===----------------------------------------------------------------------===//
// Finding devices
//===----------------------------------------------------------------------===//

Driver *driver::findDriver(int ordinal) {
  Devices &devices = getDevices();
  std::lock_guard<std::mutex> locked(devices.lock);
  return ordinal >= 0 && static_cast<size_t>(ordinal) < devices.all.size()
             ? devices.all[static_cast<size_t>(ordinal)]
             : nullptr;
}

int driver::deviceCount() {
  Devices &devices = getDevices();
  std::lock_guard<std::mutex> locked(devices.lock);
  return static_cast<int>(devices.all.size());
}

Result driver::embedDevice(int *ordinal, const char *arch) {
  if (!ordinal || !arch)
    return InvalidValue;
  Devices &devices = getDevices();
  std::lock_guard<std::mutex> locked(devices.lock);
  for (Driver *one : devices.all)
    if (one->isEmbedded && one->arch == arch) {
      *ordinal = one->ordinal;
      return Success;
    }
  auto made = std::make_unique<Driver>();
  made->isEmbedded = true;
  made->arch = arch;
  Entered entered(*made);
  if (Result result = start(*made))
    return result;
  *ordinal = made->ordinal = static_cast<int>(devices.all.size());
  devices.all.push_back(made.release());
  return Success;
}

Result driver::countInstructions(int ordinal, uint64_t *count) {
  return enterDevice(ordinal, [&](Driver &driver) {
    if (!count)
      return InvalidValue;
    *count = tw_emulator_instructions(driver.device);
    return Success;
  });
}

double driver::nowMilliseconds() {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now).count();
}

/// The library that this is.
static void *openSelf() {
  Dl_info self;
  if (!dladdr(reinterpret_cast<const void *>(&getDriver), &self))
    return nullptr;
  return dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD);
}

void *driver::findOwnSymbol(const char *name) {
  static void *self = openSelf();
  return self ? dlsym(self, name) : nullptr;
}

//===----------------------------------------------------------------------===//
// Start
//===----------------------------------------------------------------------===//

/// What TILEWRIGHT_EMULATOR_CHECKS, words between commas, turns off and on; false where a
/// word is none of them.
static bool parseChecks(const char *text, uint32_t &checks) {
  static constexpr std::pair<const char *, uint32_t> words[] = {
      {"no-uninitialised", TW_EMULATOR_NO_UNINITIALISED},
      {"no-shared-races", TW_EMULATOR_NO_SHARED_RACES},
      {"no-lane-races", TW_EMULATOR_NO_LANE_RACES},
      {"no-proxy-fences", TW_EMULATOR_NO_PROXY_FENCES},
      {"global-races", TW_EMULATOR_GLOBAL_RACES},
  };
  std::string rest = text;
  while (!rest.empty()) {
    size_t comma = rest.find(',');
    std::string word = rest.substr(0, comma);
    rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
    bool known = word.empty();
    for (const auto &[name, bit] : words)
      if (word == name) {
        checks |= bit;
        known = true;
      }
    if (!known)
      return false;
  }
  return true;
}

/// What `text` is as a number, if that is at most `most`.
static bool parseNumber(const std::string &text, uint64_t most, uint64_t &number) {
  char *end = nullptr;
  errno = 0;
  number = strtoull(text.c_str(), &end, 10);
  return isdigit(static_cast<unsigned char>(text[0])) && !*end && !errno &&
         number <= most;
}

Result driver::start(Driver &driver) {
  auto variable = [](const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
  };
  tw_emulator_device_options_v1 options = {};
  options.size = sizeof(options);
  if (!driver.isEmbedded)
    driver.arch = variable("TILEWRIGHT_EMULATOR_ARCH", vendor.arch);
  options.arch = driver.arch.c_str();
  uint64_t threads;
  for (auto [name, most, number] :
       {std::tuple("TILEWRIGHT_EMULATOR_THREADS", uint64_t(UINT16_MAX), &threads),
        std::tuple("TILEWRIGHT_EMULATOR_STEPS", UINT64_MAX, &options.max_steps)})
    if (const char *text = variable(name, "0"); !parseNumber(text, most, *number))
      return refuse(NoDevice, std::string(name) + ": " + text +
                                  " is not a number from 0 to " + std::to_string(most));
  options.threads = static_cast<uint32_t>(threads);
  const char *checks = variable("TILEWRIGHT_EMULATOR_CHECKS", "");
  if (!parseChecks(checks, options.checks))
    return refuse(NoDevice, std::string("TILEWRIGHT_EMULATOR_CHECKS: ") + checks +
                                " has a word that is none of no-uninitialised, "
                                "no-shared-races, no-lane-races, no-proxy-fences, "
                                "global-races");
  std::string order = variable("TILEWRIGHT_EMULATOR_ORDER", "forward");
  if (order == "reverse") {
    options.order = TW_EMULATOR_REVERSE;
  } else if (order != "forward") {
    options.order = TW_EMULATOR_SHUFFLED;
    if (!parseNumber(order, UINT64_MAX, options.seed))
      return refuse(NoDevice, "TILEWRIGHT_EMULATOR_ORDER: " + order +
                                  " is not forward, reverse or a number");
  }
  driver.multiprocessors = vendor.multiprocessorsOf(driver.arch);
  options.multiprocessors = static_cast<uint32_t>(driver.multiprocessors);
  driver.memoryBytes = uint64_t(16) << 30;
  options.memory_bytes = driver.memoryBytes;
  if (tw_emulator_device_create(&options, &driver.device) != TW_EMULATOR_OK)
    return refuse(NoDevice, tw_emulator_last_error());
  driver.isStarted = true;
  return Success;
}

//===----------------------------------------------------------------------===//
// Messages
//===----------------------------------------------------------------------===//

/// Whom the running call is for.
static thread_local Driver *enteredDriver = nullptr;

Entered::Entered(Driver &driver) : before(enteredDriver) { enteredDriver = &driver; }
Entered::~Entered() { enteredDriver = before; }

namespace {
struct Report {
  std::string text, records;
};
} // namespace

/// Of the thread's last failure on an embedded device, and the one that was taken.
static thread_local Report lastReport, takenReport;

void driver::takeReport(const char **text, const char **records) {
  takenReport = std::move(lastReport);
  lastReport = {};
  *text = takenReport.text.c_str();
  *records = takenReport.records.c_str();
}

Result driver::refuse(Result result, const std::string &message) {
  if (enteredDriver && enteredDriver->isEmbedded) {
    lastReport = {message, ""};
    return result;
  }
  fprintf(stderr, "tilewright emulator: %s\n", message.c_str());
  fflush(stderr);
  return result;
}

static Result refuseFault(Driver &driver, const char *call) {
  std::string text = tw_emulator_last_error();
  char *records = nullptr;
  tw_emulator_faults_json(driver.device, &records);
  tw_emulator_faults_clear(driver.device);
  refuse(LaunchFailed, std::string(call) + ":\n" + text);
  if (driver.isEmbedded && records)
    lastReport.records = records;
  tw_emulator_text_free(records);
  return LaunchFailed;
}

Result driver::toResult(tw_emulator_status status, const char *call) {
  switch (status) {
  case TW_EMULATOR_OK:
    return Success;
  case TW_EMULATOR_ERROR_MEMORY:
    return OutOfMemory;
  case TW_EMULATOR_ERROR_NOT_FOUND:
    return NotFound;
  case TW_EMULATOR_ERROR_SYNTAX:
    return refuse(vendor.badProgram, std::string(call) + ": " + tw_emulator_last_error());
  case TW_EMULATOR_ERROR_FAULT:
    return refuseFault(*enteredDriver, call);
  default:
    return refuse(InvalidValue, std::string(call) + ": " + tw_emulator_last_error());
  }
}
