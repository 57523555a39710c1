//===- Launches.cpp - Launching kernels ---------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/driver/Driver.h"

#include <algorithm>

using namespace tilewright::cuda;

/// What a launch needs of the attributes that it asked for before.
static Result checkLimits(const Launch &launch) {
  const Function &function = *launch.function;
  uint64_t shared = launch.launch.shared_bytes;
  uint64_t most = std::max<uint64_t>(
      48 * 1024 - std::min<uint64_t>(function.info.shared_bytes, 48 * 1024),
      static_cast<uint64_t>(function.maxDynamicShared));
  if (shared > most)
    return refuse(InvalidValue, "cuLaunchKernel: " + std::to_string(shared) +
                                    " bytes of dynamic shared memory; " +
                                    function.info.name + " may have " +
                                    std::to_string(most) +
                                    " (CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES)");
  const uint32_t *cluster = launch.launch.cluster;
  uint64_t size = uint64_t(std::max(cluster[0], 1u)) * std::max(cluster[1], 1u) *
                  std::max(cluster[2], 1u);
  if (size > 16 || (size > 8 && !function.allowsLargeClusters))
    return refuse(InvalidClusterSize,
                  "cuLaunchKernelEx: a cluster of " + std::to_string(size) +
                      " blocks; more than 8 need "
                      "CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED");
  return Success;
}

static Result applyAttribute(Driver &driver, const LaunchAttribute &attribute,
                             Launch &launch, std::vector<Event *> &events) {
  switch (attribute.id) {
  case AttributeCooperative:
    if (attribute.value.cooperative)
      launch.launch.flags |= TW_EMULATOR_COOPERATIVE;
    return Success;
  case AttributeClusterDimension:
    launch.launch.cluster[0] = attribute.value.clusterDimension.x;
    launch.launch.cluster[1] = attribute.value.clusterDimension.y;
    launch.launch.cluster[2] = attribute.value.clusterDimension.z;
    return Success;
  case AttributeProgrammaticEvent:
  case AttributeLaunchCompletionEvent:
    if (!driver.events.has(attribute.value.programmaticEvent.event))
      return InvalidHandle;
    events.push_back(attribute.value.programmaticEvent.event);
    return Success;
  // Those that change no result: hints, and an order that is stronger here.
  case AttributeIgnore:
  case AttributeAccessPolicyWindow:
  case AttributeSynchronizationPolicy:
  case AttributeClusterSchedulingPolicy:
  case AttributeProgrammaticStreamSerialization:
  case AttributePriority:
  case AttributeMemSyncDomainMap:
  case AttributeMemSyncDomain:
  case AttributePreferredClusterDimension:
  case AttributePreferredSharedCarveout:
    return Success;
  default:
    return refuse(NotSupported, "cuLaunchKernelEx: launch attribute " +
                                    std::to_string(attribute.id) + " is not modelled");
  }
}

TW_CALL Result cuLaunchKernelEx(const LaunchConfig *config, Function *function,
                                void **params, void **extra) {
  return enterContext([&](Driver &driver) {
    if (!config || (config->attributeCount && !config->attributes))
      return InvalidValue;
    Stream *stream = nullptr;
    if (!findStream(driver, config->stream, stream))
      return InvalidHandle;
    Launch launch;
    if (Result result = prepare(driver, function, config->grid, config->block,
                                config->sharedBytes, launch))
      return result;
    std::vector<Event *> events;
    for (unsigned i = 0; i < config->attributeCount; ++i)
      if (Result result = applyAttribute(driver, config->attributes[i], launch, events))
        return result;
    if (Result result = checkLimits(launch))
      return result;
    if (Result result = packParameters(launch, params, extra))
      return result;
    Result result = submit(driver, stream, std::move(launch));
    for (Event *event : events) {
      event->isRecorded = true;
      event->milliseconds = nowMilliseconds();
    }
    return result;
  });
}
TW_CALL_ALIAS(cuLaunchKernelEx_ptsz, cuLaunchKernelEx);

TW_CALL Result cuLaunchKernel(Function *function, unsigned gridX, unsigned gridY,
                              unsigned gridZ, unsigned blockX, unsigned blockY,
                              unsigned blockZ, unsigned shared, Stream *stream,
                              void **params, void **extra) {
  LaunchConfig config = {
      {gridX, gridY, gridZ}, {blockX, blockY, blockZ}, shared, stream, nullptr, 0};
  return cuLaunchKernelEx(&config, function, params, extra);
}
TW_CALL_ALIAS(cuLaunchKernel_ptsz, cuLaunchKernel);

TW_CALL Result cuLaunchCooperativeKernel(Function *function, unsigned gridX,
                                         unsigned gridY, unsigned gridZ, unsigned blockX,
                                         unsigned blockY, unsigned blockZ,
                                         unsigned shared, Stream *stream, void **params) {
  LaunchAttribute attribute = {};
  attribute.id = AttributeCooperative;
  attribute.value.cooperative = 1;
  LaunchConfig config = {
      {gridX, gridY, gridZ}, {blockX, blockY, blockZ}, shared, stream, &attribute, 1};
  return cuLaunchKernelEx(&config, function, params, nullptr);
}
TW_CALL_ALIAS(cuLaunchCooperativeKernel_ptsz, cuLaunchCooperativeKernel);

TW_CALL Result cuLaunchHostFunc(Stream *handle, void (*function)(void *), void *data) {
  return launchHostFunction(handle, function, data);
}
TW_CALL_ALIAS(cuLaunchHostFunc_ptsz, cuLaunchHostFunc);
