//===- Launches.cpp - Launching kernels ---------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/common/driver/Driver.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

using namespace tilewright::emulator::driver;
namespace driver = tilewright::emulator::driver;

Result driver::prepare(Driver &driver, Function *function, const unsigned (&grid)[3],
                       const unsigned (&block)[3], unsigned sharedBytes, Launch &launch) {
  if (!driver.functions.count(function))
    return InvalidHandle;
  launch.function = function;
  launch.launch.size = sizeof(launch.launch);
  std::copy_n(grid, 3, launch.launch.grid);
  std::copy_n(block, 3, launch.launch.block);
  launch.launch.shared_bytes = sharedBytes;
  for (unsigned axis = 0; axis < 3; ++axis)
    if (grid[axis] == 0 || block[axis] == 0)
      return InvalidValue;
  return Success;
}

/// Words of `extra` beside its end: a buffer with all parameters, and its size.
static constexpr uintptr_t extraBuffer = 1, extraBytes = 2;

Result driver::packParameters(Launch &launch, void **params, void **extra) {
  const Function &function = *launch.function;
  launch.params.assign(function.info.parameter_bytes, 0);
  if (params) {
    for (uint32_t i = 0; i < function.info.parameter_count; ++i) {
      tw_emulator_parameter_v1 parameter = {};
      parameter.size = sizeof(parameter);
      if (!params[i] ||
          tw_emulator_kernel_parameter(function.kernel, i, &parameter) != TW_EMULATOR_OK)
        return InvalidValue;
      memcpy(&launch.params[parameter.offset], params[i], parameter.bytes);
    }
    return Success;
  }
  if (!extra)
    return launch.params.empty() ? Success : InvalidValue;
  const void *buffer = nullptr;
  size_t bytes = 0;
  for (size_t i = 0; reinterpret_cast<uintptr_t>(extra[i]) != vendor.extraEnd; i += 2) {
    uintptr_t word = reinterpret_cast<uintptr_t>(extra[i]);
    if (word == extraBuffer)
      buffer = extra[i + 1];
    else if (word == extraBytes)
      bytes = *static_cast<const size_t *>(extra[i + 1]);
    else
      return InvalidValue;
  }
  // Programs may round the size up.
  if ((!buffer && bytes) || bytes < launch.params.size())
    return InvalidValue;
  if (!launch.params.empty())
    memcpy(launch.params.data(), buffer, launch.params.size());
  return Success;
}

/// Writes what programs have printed to stdout.
static void flushOutput(Driver &driver) {
  char *text = nullptr;
  if (tw_emulator_take_output(driver.device, &text) != TW_EMULATOR_OK)
    return;
  fputs(text, stdout);
  if (*text)
    fflush(stdout);
  tw_emulator_text_free(text);
}

Result driver::run(Driver &driver, Launch &launch) {
  if (!driver.functions.count(launch.function))
    return InvalidHandle;
  launch.launch.parameters = launch.params.data();
  launch.launch.parameter_bytes = launch.params.size();
  tw_emulator_status status = tw_emulator_launch(launch.function->kernel, &launch.launch);
  flushOutput(driver);
  Result result = toResult(status, vendor.launchCall);
  if (status != TW_EMULATOR_ERROR_FAULT)
    return result;
  if (driver.isEmbedded)
    return result;
  // An asynchronous launch has succeeded; who waits for it is told.
  if (Context *context = currentContext())
    context->error = result;
  return Success;
}

Result driver::launchHostFunction(Stream *handle, void (*function)(void *), void *data) {
  return withStream(handle, [&](Driver &driver, Stream *stream) {
    if (!function)
      return InvalidValue;
    return submit(driver, stream, GraphNode::Host, [function, data] {
      function(data);
      return Success;
    });
  });
}
