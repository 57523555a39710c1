//===- Launches.cpp - Launching kernels ---------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/driver/Driver.h"

#include <algorithm>
#include <cstring>

using namespace tilewright::cuda;

/// Words of `extra`: the end, a buffer with all parameters, and its size.
static constexpr uintptr_t extraEnd = 0, extraBuffer = 1, extraBytes = 2;

Result tilewright::cuda::packParameters(Launch &launch, void **params, void **extra) {
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
  for (size_t i = 0; reinterpret_cast<uintptr_t>(extra[i]) != extraEnd; i += 2) {
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

Result tilewright::cuda::run(Driver &driver, Launch &launch) {
  if (!driver.functions.count(launch.function))
    return InvalidHandle;
  launch.launch.parameters = launch.params.data();
  launch.launch.parameter_bytes = launch.params.size();
  tw_emulator_status status = tw_emulator_launch(launch.function->kernel, &launch.launch);
  flushOutput();
  if (status != TW_EMULATOR_ERROR_FAULT)
    return toResult(status, "cuLaunchKernel");
  // An asynchronous launch has succeeded; who waits for it is told.
  Result error = toResult(status, "cuLaunchKernel");
  if (Context *context = currentContext())
    context->error = error;
  return Success;
}

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

TW_CUDA Result cuLaunchKernelEx(const LaunchConfig *config, Function *function,
                                void **params, void **extra) {
  return enterContext([&](Driver &driver) {
    if (!config || (config->attributeCount && !config->attributes))
      return InvalidValue;
    if (!driver.functions.count(function))
      return InvalidHandle;
    Stream *stream = nullptr;
    if (!findStream(driver, config->stream, stream))
      return InvalidHandle;
    Launch launch;
    launch.function = function;
    launch.launch.size = sizeof(launch.launch);
    std::copy_n(config->grid, 3, launch.launch.grid);
    std::copy_n(config->block, 3, launch.launch.block);
    launch.launch.shared_bytes = config->sharedBytes;
    std::vector<Event *> events;
    for (unsigned i = 0; i < config->attributeCount; ++i)
      if (Result result = applyAttribute(driver, config->attributes[i], launch, events))
        return result;
    for (unsigned axis = 0; axis < 3; ++axis)
      if (launch.launch.grid[axis] == 0 || launch.launch.block[axis] == 0)
        return InvalidValue;
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
TW_CUDA_ALIAS(cuLaunchKernelEx_ptsz, cuLaunchKernelEx);

TW_CUDA Result cuLaunchKernel(Function *function, unsigned gridX, unsigned gridY,
                              unsigned gridZ, unsigned blockX, unsigned blockY,
                              unsigned blockZ, unsigned shared, Stream *stream,
                              void **params, void **extra) {
  LaunchConfig config = {
      {gridX, gridY, gridZ}, {blockX, blockY, blockZ}, shared, stream, nullptr, 0};
  return cuLaunchKernelEx(&config, function, params, extra);
}
TW_CUDA_ALIAS(cuLaunchKernel_ptsz, cuLaunchKernel);

TW_CUDA Result cuLaunchCooperativeKernel(Function *function, unsigned gridX,
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
TW_CUDA_ALIAS(cuLaunchCooperativeKernel_ptsz, cuLaunchCooperativeKernel);

TW_CUDA Result cuLaunchHostFunc(Stream *handle, void (*function)(void *), void *data) {
  return enterContext([&](Driver &driver) {
    Stream *stream = nullptr;
    if (!findStream(driver, handle, stream))
      return InvalidHandle;
    if (!function)
      return InvalidValue;
    return submit(driver, stream, GraphNode::Host, [function, data] {
      function(data);
      return Success;
    });
  });
}
TW_CUDA_ALIAS(cuLaunchHostFunc_ptsz, cuLaunchHostFunc);
