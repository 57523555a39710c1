//===- Launches.cpp - Launching kernels ---------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/driver/Driver.h"

#include <algorithm>

using namespace tilewright::hip;

static Result applyAttribute(const LaunchAttribute &attribute, Launch &launch) {
  switch (attribute.id) {
  case AttributeCooperative:
    if (attribute.value.cooperative)
      launch.launch.flags |= TW_EMULATOR_COOPERATIVE;
    return Success;
  case AttributeClusterDimension: // which the emulator refuses where it is more than one
    launch.launch.cluster[0] = attribute.value.clusterDimension.x;
    launch.launch.cluster[1] = attribute.value.clusterDimension.y;
    launch.launch.cluster[2] = attribute.value.clusterDimension.z;
    return Success;
  // Those that change no result.
  case AttributeIgnore:
  case AttributeAccessPolicyWindow:
  case AttributeSynchronizationPolicy:
  case AttributePriority:
  case AttributeMemSyncDomainMap:
  case AttributeMemSyncDomain:
    return Success;
  default:
    return refuse(NotSupported, "hipDrvLaunchKernelEx: launch attribute " +
                                    std::to_string(attribute.id) + " is not modelled");
  }
}

Result tilewright::hip::launch(const LaunchConfig &config, Function *function,
                               void **params, void **extra) {
  return withStream(config.stream, [&](Driver &driver, Stream *stream) {
    Launch launch;
    if (Result result = prepare(driver, function, config.grid, config.block,
                                config.sharedBytes, launch))
      return result;
    for (unsigned i = 0; i < config.attributeCount; ++i)
      if (Result result = applyAttribute(config.attributes[i], launch))
        return result;
    if (Result result = packParameters(launch, params, extra))
      return result;
    return submit(driver, stream, std::move(launch));
  });
}

//===----------------------------------------------------------------------===//
// Functions of modules
//===----------------------------------------------------------------------===//

TW_CALL Result hipModuleLaunchKernel(Function *function, unsigned gridX, unsigned gridY,
                                     unsigned gridZ, unsigned blockX, unsigned blockY,
                                     unsigned blockZ, unsigned shared, Stream *stream,
                                     void **params, void **extra) {
  return note(launch(
      {{gridX, gridY, gridZ}, {blockX, blockY, blockZ}, shared, stream, nullptr, 0},
      function, params, extra));
}

/// One attribute that makes a launch cooperative.
static LaunchAttribute makeCooperative() {
  LaunchAttribute attribute = {};
  attribute.id = AttributeCooperative;
  attribute.value.cooperative = 1;
  return attribute;
}

TW_CALL Result hipModuleLaunchCooperativeKernel(Function *function, unsigned gridX,
                                                unsigned gridY, unsigned gridZ,
                                                unsigned blockX, unsigned blockY,
                                                unsigned blockZ, unsigned shared,
                                                Stream *stream, void **params) {
  LaunchAttribute attribute = makeCooperative();
  return note(launch(
      {{gridX, gridY, gridZ}, {blockX, blockY, blockZ}, shared, stream, &attribute, 1},
      function, params, nullptr));
}

TW_CALL Result hipDrvLaunchKernelEx(const LaunchConfig *config, Function *function,
                                    void **params, void **extra) {
  if (!config || (config->attributeCount && !config->attributes))
    return note(InvalidValue);
  return note(launch(*config, function, params, extra));
}

TW_CALL Result hipLaunchHostFunc(Stream *stream, void (*function)(void *), void *data) {
  return note(launchHostFunction(stream, function, data));
}

//===----------------------------------------------------------------------===//
// Kernels of the program itself
//===----------------------------------------------------------------------===//

static Result launchHost(const void *host, Dim3 grid, Dim3 block, void **params,
                         size_t shared, Stream *stream, LaunchAttribute *attribute) {
  Function *function = nullptr;
  if (Result result = findHostFunction(host, &function))
    return result;
  uint64_t threads = uint64_t(block.x) * block.y * block.z;
  uint64_t most = static_cast<uint64_t>(maxThreads(*function));
  if (threads == 0 || threads > most || !grid.x || !grid.y || !grid.z)
    return refuse(InvalidConfiguration,
                  "hipLaunchKernel: a grid of " + std::to_string(grid.x) + "x" +
                      std::to_string(grid.y) + "x" + std::to_string(grid.z) +
                      " blocks of " + std::to_string(threads) + " threads; " +
                      function->info.name + " allows blocks of 1 to " +
                      std::to_string(most));
  return launch({{grid.x, grid.y, grid.z},
                 {block.x, block.y, block.z},
                 static_cast<unsigned>(shared),
                 stream,
                 attribute,
                 attribute ? 1u : 0u},
                function, params, nullptr);
}

TW_CALL Result hipLaunchKernel(const void *host, Dim3 grid, Dim3 block, void **params,
                               size_t shared, Stream *stream) {
  return note(launchHost(host, grid, block, params, shared, stream, nullptr));
}

TW_CALL Result hipLaunchCooperativeKernel(const void *host, Dim3 grid, Dim3 block,
                                          void **params, unsigned shared,
                                          Stream *stream) {
  LaunchAttribute attribute = makeCooperative();
  return note(launchHost(host, grid, block, params, shared, stream, &attribute));
}

namespace {
/// What stands between <<< and >>>.
struct CallConfiguration {
  Dim3 grid, block;
  size_t shared;
  Stream *stream;
};
} // namespace

static thread_local std::vector<CallConfiguration> configurations;

TW_CALL Result __hipPushCallConfiguration(Dim3 grid, Dim3 block, size_t shared,
                                          Stream *stream) {
  configurations.push_back({grid, block, shared, stream});
  return Success;
}

TW_CALL Result __hipPopCallConfiguration(Dim3 *grid, Dim3 *block, size_t *shared,
                                         Stream **stream) {
  if (configurations.empty())
    return note(InvalidValue);
  CallConfiguration last = configurations.back();
  configurations.pop_back();
  *grid = last.grid;
  *block = last.block;
  *shared = last.shared;
  *stream = last.stream;
  return Success;
}
