//===- Contexts.cpp - Contexts and each thread's current one ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/common/driver/Driver.h"

using namespace tilewright::emulator::driver;
namespace driver = tilewright::emulator::driver;

/// The calling thread's contexts, the current one last.
static thread_local std::vector<Context *> stack;

bool driver::isContext(const Context *context) {
  Driver &driver = getDriver();
  return context == &driver.primary ? vendor.isImplicit || driver.primary.references > 0
                                    : driver.contexts.has(context);
}

Context *driver::currentContext() {
  if (stack.empty())
    return vendor.isImplicit ? &getDriver().primary : nullptr;
  return isContext(stack.back()) ? stack.back() : nullptr;
}

Result driver::synchronize() {
  return enterContext([](Driver &) { return Success; });
}

//===----------------------------------------------------------------------===//
// The primary context
//===----------------------------------------------------------------------===//

Result driver::retainPrimary(Context **context, int device) {
  return enter([&](Driver &driver) {
    if (!context)
      return InvalidValue;
    if (Result result = checkDevice(device))
      return result;
    driver.primary.isPrimary = true;
    ++driver.primary.references;
    *context = &driver.primary;
    return Success;
  });
}

Result driver::releasePrimary(int device) {
  return enter([&](Driver &driver) {
    if (Result result = checkDevice(device))
      return result;
    if (driver.primary.references == 0)
      return InvalidContext;
    if (--driver.primary.references == 0)
      driver.primary.error = Success;
    return Success;
  });
}

Result driver::resetPrimary(int device) {
  return enter([&](Driver &driver) {
    if (Result result = checkDevice(device))
      return result;
    driver.primary.error = Success;
    return Success;
  });
}

Result driver::setPrimaryFlags(int device, unsigned flags) {
  return enter([&](Driver &driver) {
    if (Result result = checkDevice(device))
      return result;
    driver.primary.flags = flags;
    return Success;
  });
}

Result driver::getPrimaryState(int device, unsigned *flags, int *active) {
  return enter([&](Driver &driver) {
    if (!flags || !active || device != 0)
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
  return enter([&](Driver &driver) {
    if (!context)
      return InvalidValue;
    if (Result result = checkDevice(device))
      return result;
    auto made = std::make_unique<Context>();
    made->flags = flags;
    *context = driver.contexts.add(std::move(made));
    stack.push_back(*context);
    return Success;
  });
}

Result driver::destroyContext(Context *context) {
  return enter([&](Driver &driver) {
    if (!driver.contexts.remove(context))
      return InvalidContext;
    if (!stack.empty() && stack.back() == context)
      stack.pop_back();
    return Success;
  });
}

Result driver::getCurrentContext(Context **context) {
  return enter([&](Driver &) {
    if (!context)
      return InvalidValue;
    *context = currentContext();
    return Success;
  });
}

Result driver::setCurrentContext(Context *context) {
  return enter([&](Driver &) {
    if (context && !isContext(context))
      return InvalidContext;
    if (!stack.empty())
      stack.pop_back();
    if (context)
      stack.push_back(context);
    return Success;
  });
}

Result driver::pushContext(Context *context) {
  return enter([&](Driver &) {
    if (!isContext(context))
      return InvalidContext;
    stack.push_back(context);
    return Success;
  });
}

Result driver::popContext(Context **context) {
  return enter([&](Driver &) {
    if (stack.empty())
      return InvalidContext;
    if (context)
      *context = stack.back();
    stack.pop_back();
    return Success;
  });
}

Result driver::getContextDevice(int *device) {
  return enter([&](Driver &) {
    if (!device)
      return InvalidValue;
    if (!currentContext())
      return InvalidContext;
    *device = 0;
    return Success;
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
