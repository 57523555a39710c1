//===- Functions.cpp - Attributes of functions, and occupancy -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/driver/Driver.h"

#include <algorithm>

using namespace tilewright::cuda;

TW_CALL Result cuFuncGetAttribute(int *value, int attribute, Function *function) {
  return enterContext([&](Driver &driver) {
    if (!value)
      return InvalidValue;
    if (!driver.functions.count(function))
      return InvalidHandle;
    const tw_emulator_kernel_info_v1 &info = function->info;
    switch (attribute) {
    case MaxThreadsPerBlock:
      *value = maxThreads(*function);
      return Success;
    case SharedBytes:
      *value = static_cast<int>(info.shared_bytes);
      return Success;
    case LocalBytes:
      *value = static_cast<int>(info.local_bytes);
      return Success;
    case Registers: // virtual ones, as many as a thread may have
      *value = static_cast<int>(std::clamp(info.registers, 16u, 255u));
      return Success;
    case PtxVersion:
    case BinaryVersion:
      *value = majorOf(driver) * 10 + minorOf(driver);
      return Success;
    case MaxDynamicShared:
      *value = std::max(function->maxDynamicShared,
                        48 * 1024 - static_cast<int>(info.shared_bytes));
      return Success;
    case PreferredCarveout:
      *value = function->carveout;
      return Success;
    case ClusterSizeMustBeSet:
      *value = 0;
      return Success;
    case RequiredClusterWidth:
    case RequiredClusterHeight:
    case RequiredClusterDepth:
      *value = static_cast<int>(info.required_cluster[attribute - RequiredClusterWidth]);
      return Success;
    case NonPortableClusterSize:
      *value = function->allowsLargeClusters;
      return Success;
    case ConstBytes:
    case CacheModeCa:
    case ClusterScheduling:
      *value = 0;
      return Success;
    default:
      return InvalidValue;
    }
  });
}

TW_CALL Result cuFuncSetAttribute(Function *function, int attribute, int value) {
  return enterContext([&](Driver &driver) {
    if (!driver.functions.count(function))
      return InvalidHandle;
    int most = (majorOf(driver) >= 9 ? 227 : minorOf(driver) == 0 ? 163 : 99) * 1024;
    switch (attribute) {
    case MaxDynamicShared:
      if (value < 0 || value + static_cast<int64_t>(function->info.shared_bytes) > most)
        return InvalidValue;
      function->maxDynamicShared = value;
      return Success;
    case PreferredCarveout:
      function->carveout = value;
      return Success;
    case NonPortableClusterSize:
      function->allowsLargeClusters = value;
      return Success;
    case ClusterScheduling:
      return Success;
    default:
      return InvalidValue;
    }
  });
}

TW_CALL Result cuFuncSetCacheConfig(Function *function, int) {
  return enterContext([&](Driver &driver) {
    return driver.functions.count(function) ? Success : InvalidHandle;
  });
}
TW_CALL_ALIAS(cuFuncSetSharedMemConfig, cuFuncSetCacheConfig);

TW_CALL Result cuFuncGetModule(Module **module, Function *function) {
  return enterContext([&](Driver &driver) {
    if (!module || !driver.functions.count(function))
      return module ? InvalidHandle : InvalidValue;
    *module = function->module;
    return Success;
  });
}

TW_CALL Result cuFuncGetName(const char **name, Function *function) {
  return enterContext([&](Driver &driver) {
    if (!name || !driver.functions.count(function))
      return name ? InvalidHandle : InvalidValue;
    *name = function->info.name;
    return Success;
  });
}

TW_CALL Result cuFuncGetParamInfo(Function *function, size_t index, size_t *offset,
                                  size_t *bytes) {
  return enterContext([&](Driver &driver) {
    if (!offset || !driver.functions.count(function))
      return offset ? InvalidHandle : InvalidValue;
    tw_emulator_parameter_v1 parameter = {};
    parameter.size = sizeof(parameter);
    if (index > UINT32_MAX ||
        tw_emulator_kernel_parameter(function->kernel, static_cast<uint32_t>(index),
                                     &parameter) != TW_EMULATOR_OK)
      return InvalidValue;
    *offset = parameter.offset;
    if (bytes)
      *bytes = parameter.bytes;
    return Success;
  });
}

//===----------------------------------------------------------------------===//
// Occupancy
//===----------------------------------------------------------------------===//

/// Blocks that a multiprocessor holds at once, by threads and shared memory alone.
static int blocksAtOnce(const Driver &driver, const Function &function, int threads,
                        size_t dynamicShared) {
  bool hopper = majorOf(driver) >= 9, large = hopper || minorOf(driver) == 0;
  int64_t shared =
      static_cast<int64_t>(function.info.shared_bytes + dynamicShared) + 1024;
  int64_t room = (hopper ? 228 : large ? 164 : 100) * 1024;
  int64_t warps = (threads + 31) / 32;
  int64_t blocks =
      std::min<int64_t>(large ? 32 : 16, (large ? 64 : 48) / std::max<int64_t>(warps, 1));
  return static_cast<int>(std::min(blocks, room / shared));
}

TW_CALL Result cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int *blocks, Function *function, int threads, size_t dynamicShared, unsigned) {
  return enterContext([&](Driver &driver) {
    if (!blocks || threads <= 0)
      return InvalidValue;
    if (!driver.functions.count(function))
      return InvalidHandle;
    *blocks = blocksAtOnce(driver, *function, threads, dynamicShared);
    return Success;
  });
}

TW_CALL Result cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks,
                                                           Function *function,
                                                           int threads, size_t shared) {
  return cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, function, threads,
                                                              shared, 0);
}

TW_CALL Result cuOccupancyAvailableDynamicSMemPerBlock(size_t *bytes, Function *function,
                                                       int blocks, int threads) {
  return enterContext([&](Driver &driver) {
    if (!bytes || blocks <= 0 || threads <= 0)
      return InvalidValue;
    if (!driver.functions.count(function))
      return InvalidHandle;
    if (blocksAtOnce(driver, *function, threads, 0) < blocks)
      return InvalidValue;
    int64_t room = (majorOf(driver) >= 9 ? 228 : minorOf(driver) == 0 ? 164 : 100) * 1024;
    int64_t each = std::min(room / blocks / 1024 * 1024 - 1024, room - 1024);
    *bytes =
        std::max<int64_t>(each - static_cast<int64_t>(function->info.shared_bytes), 0);
    return Success;
  });
}

TW_CALL Result cuOccupancyMaxPotentialBlockSize(int *grid, int *block, Function *function,
                                                size_t (*sharedOf)(int), size_t shared,
                                                int limit) {
  return enterContext([&](Driver &driver) {
    if (!grid || !block || !driver.functions.count(function))
      return grid && block ? InvalidHandle : InvalidValue;
    int most = maxThreads(*function);
    if (limit > 0)
      most = std::min(most, limit);
    *block = most;
    *grid = std::max(
                blocksAtOnce(driver, *function, most, sharedOf ? sharedOf(most) : shared),
                1) *
            driver.multiprocessors;
    return Success;
  });
}

TW_CALL Result cuOccupancyMaxActiveClusters(int *clusters, Function *function,
                                            const LaunchConfig *config) {
  return enterContext([&](Driver &driver) {
    if (!clusters || !config)
      return InvalidValue;
    if (!driver.functions.count(function))
      return InvalidHandle;
    unsigned size = 1;
    for (unsigned i = 0; i < config->attributeCount; ++i)
      if (config->attributes[i].id == AttributeClusterDimension) {
        const auto &dim = config->attributes[i].value.clusterDimension;
        size = std::max(dim.x, 1u) * std::max(dim.y, 1u) * std::max(dim.z, 1u);
      }
    if (size > 16 || (size > 8 && !function->allowsLargeClusters))
      return InvalidClusterSize;
    int threads =
        static_cast<int>(config->block[0] * config->block[1] * config->block[2]);
    int blocks = blocksAtOnce(driver, *function, threads, config->sharedBytes);
    *clusters = blocks * driver.multiprocessors / static_cast<int>(size);
    return Success;
  });
}

TW_CALL Result cuOccupancyMaxPotentialClusterSize(int *size, Function *function,
                                                  const LaunchConfig *) {
  return enterContext([&](Driver &driver) {
    if (!size || !driver.functions.count(function))
      return size ? InvalidHandle : InvalidValue;
    *size = majorOf(driver) < 9 ? 1 : function->allowsLargeClusters ? 16 : 8;
    return Success;
  });
}
