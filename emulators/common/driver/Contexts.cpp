//===- Contexts.cpp - Contexts and each thread's current one ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/common/driver/Driver.h"

using namespace tilewright::emulator::driver;
namespace driver = tilewright::emulator::driver;

namespace {
/// Contexts but the primary ones, which are part of their devices.
struct Contexts {
  std::mutex lock;
  std::unordered_map<const Context *, std::pair<Driver *, std::unique_ptr<Context>>> live;
};

/// One of a thread's contexts.
struct Entry {
  Driver *driver;
  Context *context;
};
} // namespace

static Contexts &getContexts() {
  static Contexts *contexts = new Contexts; // as the devices, never destroyed
  return *contexts;
}

void driver::lockContexts() { getContexts().lock.lock(); }
void driver::unlockContexts() { getContexts().lock.unlock(); }

/// The calling thread's contexts, the current one last.
static thread_local std::vector<Entry> stack;

/// The device that a context belongs to; null where it is none, or is no more.
static Driver *driverOf(const Context *context) {
  for (int i = 0, count = deviceCount(); i < count; ++i) {
    Driver *one = findDriver(i);
    if (context == &one->primary)
      return vendor.isImplicit || context->references > 0 ? one : nullptr;
  }
  Contexts &contexts = getContexts();
  std::lock_guard<std::mutex> locked(contexts.lock);
  auto found = contexts.live.find(context);
  return found == contexts.live.end() ? nullptr : found->second.first;
}

Driver &driver::getDriver() {
  return stack.empty() ? *findDriver(0) : *stack.back().driver;
}

bool driver::isContext(const Context *context) { return driverOf(context); }

Context *driver::currentContext() {
  if (stack.empty())
    return vendor.isImplicit ? &getDriver().primary : nullptr;
  return isContext(stack.back().context) ? stack.back().context : nullptr;
}

Result driver::synchronize() {
  return enterContext(
      [](Driver &driver) { return failCaptures(driver, StreamCaptureUnsupported); });
}

//===----------------------------------------------------------------------===//
// The primary context
//===----------------------------------------------------------------------===//

Result driver::retainPrimary(Context **context, int device) {
  return enterDevice(device, [&](Driver &driver) {
    if (!context)
      return InvalidValue;
    driver.primary.isPrimary = true;
    ++driver.primary.references;
    *context = &driver.primary;
    return Success;
  });
}

Result driver::releasePrimary(int device) {
  return enterDevice(device, [&](Driver &driver) {
    if (driver.primary.references == 0)
      return InvalidContext;
    if (--driver.primary.references == 0)
      driver.primary.error = Success;
    return Success;
  });
}

Result driver::resetPrimary(int device) {
  return enterDevice(device, [&](Driver &driver) {
    driver.primary.error = Success;
    return Success;
  });
}

Result driver::setPrimaryFlags(int device, unsigned flags) {
  return enterDevice(device, [&](Driver &driver) {
    driver.primary.flags = flags;
    return Success;
  });
}

Result driver::getPrimaryState(int device, unsigned *flags, int *active) {
  return enterDevice(device, [&](Driver &driver) {
    if (!flags || !active)
      return InvalidValue;
    *flags = driver.primary.flags;
    *active = driver.primary.references > 0;
    return Success;
  });
}

//===----------------------------------------------------------------------===//
// Others
//===----------------------------------------------------------------------===//

Result driver::createContext(Context **context, unsigned flags, int device) {
  return enterDevice(device, [&](Driver &driver) {
    if (!context)
      return InvalidValue;
    auto made = std::make_unique<Context>();
    made->flags = flags;
    *context = made.get();
    Contexts &contexts = getContexts();
    std::lock_guard<std::mutex> locked(contexts.lock);
    contexts.live[*context] = {&driver, std::move(made)};
    stack.push_back({&driver, *context});
    return Success;
  });
}

Result driver::destroyContext(Context *context) {
  return enter([&](Driver &) {
    Contexts &contexts = getContexts();
    std::lock_guard<std::mutex> locked(contexts.lock);
    if (!contexts.live.erase(context))
      return InvalidContext;
    if (!stack.empty() && stack.back().context == context)
      stack.pop_back();
    return Success;
  });
}

/// Runs `work` on the calling thread's own contexts, once the driver has started: any
/// device will do, since the one that is current may change.
template <typename Work> static Result enterThread(Work work) {
  if (vendor.isImplicit || findDriver(0)->isStarted || deviceCount() > 1)
    return work();
  return NotInitialized;
}

Result driver::getCurrentContext(Context **context) {
  return enterThread([&] {
    if (!context)
      return InvalidValue;
    *context = currentContext();
    return Success;
  });
}

Result driver::setCurrentContext(Context *context) {
  return enterThread([&] {
    Driver *driver = context ? driverOf(context) : nullptr;
    if (context && !driver)
      return InvalidContext;
    if (!stack.empty())
      stack.pop_back();
    if (context)
      stack.push_back({driver, context});
    return Success;
  });
}

Result driver::pushContext(Context *context) {
  return enterThread([&] {
    Driver *driver = driverOf(context);
    if (!driver)
      return InvalidContext;
    stack.push_back({driver, context});
    return Success;
  });
}

Result driver::popContext(Context **context) {
  return enterThread([&] {
    if (stack.empty())
      return InvalidContext;
    if (context)
      *context = stack.back().context;
    stack.pop_back();
    return Success;
  });
}

Result driver::getContextDevice(int *device) {
  return enter([&](Driver &driver) {
    if (!device)
      return InvalidValue;
    if (!currentContext())
      return InvalidContext;
    *device = driver.ordinal;
    return Success;
  });
}

Result driver::selectDevice(int device) {
  return enterDevice(device, [](Driver &driver) {
    return &getDriver() == &driver ? Success : setCurrentContext(&driver.primary);
  });
}

Result driver::getContextFlags(unsigned *flags) {
  return enter([&](Driver &) {
    Context *context = currentContext();
    if (!context || !flags)
      return flags ? InvalidContext : InvalidValue;
    *flags = context->flags;
    return Success;
  });
}
