//===- Functions.cpp - Attributes of functions, and occupancy -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Of each call there are two: for a function of a module, and for a kernel of the program
// itself.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/driver/Driver.h"

#include <algorithm>

using namespace tilewright::hip;

/// Runs `work` where `function` is one.
template <typename Work> static Result withFunction(Function *function, Work work) {
  return note(enterContext([&](Driver &driver) {
    return driver.functions.count(function) ? work(driver) : InvalidHandle;
  }));
}

/// Runs `work` with the function of a kernel of the program.
template <typename Work> static Result withHostFunction(const void *host, Work work) {
  Function *function = nullptr;
  if (Result result = findHostFunction(host, &function))
    return note(result);
  return work(function);
}

/// All LDS that the kernel leaves, which no call has to ask for.
static int maxDynamicShared(const Driver &driver, const Function &function) {
  return static_cast<int>(getTarget(driver).ldsBytes -
                          static_cast<uint32_t>(function.info.shared_bytes));
}

TW_CALL Result hipFuncGetAttribute(int *value, int attribute, Function *function) {
  return withFunction(function, [&](Driver &driver) {
    if (!value)
      return InvalidValue;
    switch (attribute) {
    case MaxThreadsPerBlock:
      *value = maxThreads(*function);
      return Success;
    case SharedBytes:
      *value = static_cast<int>(function->info.shared_bytes);
      return Success;
    case LocalBytes:
      *value = static_cast<int>(function->info.local_bytes);
      return Success;
    case Registers:
      *value = static_cast<int>(function->info.registers);
      return Success;
    case PtxVersion:
    case BinaryVersion:
      *value = majorOf(driver) * 10 + minorOf(driver);
      return Success;
    case MaxDynamicShared:
      *value = maxDynamicShared(driver, *function);
      return Success;
    case PreferredCarveout:
      *value = function->carveout;
      return Success;
    case ConstBytes:
    case CacheModeCa:
      *value = 0;
      return Success;
    default:
      return InvalidValue;
    }
  });
}

TW_CALL Result hipFuncGetAttributes(FunctionAttributes *attributes, const void *host) {
  return withHostFunction(host, [&](Function *function) {
    return withFunction(function, [&](Driver &driver) {
      if (!attributes)
        return InvalidValue;
      *attributes = {};
      hipFuncGetAttribute(&attributes->binaryVersion, BinaryVersion, function);
      attributes->ptxVersion = attributes->binaryVersion;
      attributes->localBytes = function->info.local_bytes;
      attributes->sharedBytes = function->info.shared_bytes;
      attributes->maxDynamicSharedBytes = maxDynamicShared(driver, *function);
      attributes->maxThreadsPerBlock = maxThreads(*function);
      attributes->registers = static_cast<int>(function->info.registers);
      attributes->preferredCarveout = function->carveout;
      return Success;
    });
  });
}

TW_CALL Result hipFuncSetAttribute(const void *host, int attribute, int value) {
  return withHostFunction(host, [&](Function *function) {
    return withFunction(function, [&](Driver &driver) {
      switch (attribute) {
      case MaxDynamicShared: // a check; launches need no leave
        return value >= 0 && value <= maxDynamicShared(driver, *function) ? Success
                                                                          : InvalidValue;
      case PreferredCarveout:
        function->carveout = value;
        return Success;
      default:
        return InvalidValue;
      }
    });
  });
}

TW_CALL Result hipFuncSetCacheConfig(const void *host, int) {
  return withHostFunction(host, [](Function *) { return Success; });
}
TW_CALL_ALIAS(hipFuncSetSharedMemConfig, hipFuncSetCacheConfig);

//===----------------------------------------------------------------------===//
// Occupancy
//===----------------------------------------------------------------------===//

/// Work-groups that a multiprocessor holds at once, by work-items and LDS alone.
static int blocksAtOnce(const Driver &driver, const Function &function, int threads,
                        size_t dynamicShared) {
  int lanes = static_cast<int>(getTarget(driver).waveSize);
  int rounded = (threads + lanes - 1) / lanes * lanes;
  int64_t blocks =
      std::min(maxThreadsPerMultiprocessor / rounded, maxBlocksPerMultiprocessor);
  int64_t shared = static_cast<int64_t>(function.info.shared_bytes + dynamicShared);
  return static_cast<int>(shared ? std::min(blocks, getPart(driver).sharedBytes / shared)
                                 : blocks);
}

TW_CALL Result hipModuleOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int *blocks, Function *function, int threads, size_t dynamicShared, unsigned) {
  return withFunction(function, [&](Driver &driver) {
    if (!blocks || threads <= 0)
      return InvalidValue;
    *blocks = blocksAtOnce(driver, *function, threads, dynamicShared);
    return Success;
  });
}

TW_CALL Result hipModuleOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks,
                                                                  Function *function,
                                                                  int threads,
                                                                  size_t shared) {
  return hipModuleOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, function,
                                                                     threads, shared, 0);
}

TW_CALL Result hipOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int *blocks, const void *host, int threads, size_t shared, unsigned flags) {
  return withHostFunction(host, [&](Function *function) {
    return hipModuleOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
        blocks, function, threads, shared, flags);
  });
}

TW_CALL Result hipOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, const void *host,
                                                            int threads, size_t shared) {
  return hipOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, host, threads,
                                                               shared, 0);
}

TW_CALL Result hipModuleOccupancyMaxPotentialBlockSize(int *grid, int *block,
                                                       Function *function, size_t shared,
                                                       int limit) {
  return withFunction(function, [&](Driver &driver) {
    if (!grid || !block)
      return InvalidValue;
    *block = maxThreads(*function);
    if (limit > 0)
      *block = std::min(*block, limit);
    *grid = std::max(blocksAtOnce(driver, *function, *block, shared), 1) *
            driver.multiprocessors;
    return Success;
  });
}

TW_CALL Result hipOccupancyMaxPotentialBlockSize(int *grid, int *block, const void *host,
                                                 size_t shared, int limit) {
  return withHostFunction(host, [&](Function *function) {
    return hipModuleOccupancyMaxPotentialBlockSize(grid, block, function, shared, limit);
  });
}
