//===- Pointers.cpp - What an address is, and tensor maps over it -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/driver/Driver.h"

#include <algorithm>
#include <cstring>

using namespace tilewright::cuda;

namespace {
/// Numbered as the driver does.
enum PointerAttribute {
  ContextOf = 1,
  MemoryType = 2,
  DevicePointerOf = 3,
  HostPointerOf = 4,
  SyncMemops = 6,
  BufferId = 7,
  IsManaged = 8,
  DeviceOrdinal = 9,
  RangeStart = 11,
  RangeSize = 12,
  Mapped = 13,
};
} // namespace

static constexpr unsigned memoryTypeHost = 1, memoryTypeDevice = 2;

/// Writes attribute `attribute` of `address` to `data`.
static Result getAttribute(Driver &driver, void *data, int attribute,
                           DevicePointer address) {
  uint64_t base = 0, size = 0;
  bool device = isDevice(driver, address, &base, &size), host = false;
  if (!device && !driver.hostMemory.empty()) {
    auto after = driver.hostMemory.upper_bound(reinterpret_cast<void *>(address));
    if (after != driver.hostMemory.begin()) {
      const auto &[memory, bytes] = *std::prev(after);
      base = reinterpret_cast<uint64_t>(memory);
      size = bytes;
      host = address - base < bytes;
    }
  }
  if (!device && !host)
    return InvalidValue;
  auto write = [&](auto value) {
    memcpy(data, &value, sizeof(value));
    return Success;
  };
  switch (attribute) {
  case ContextOf:
    return write(static_cast<void *>(currentContext()));
  case MemoryType:
    return write(device ? memoryTypeDevice : memoryTypeHost);
  case DevicePointerOf:
    return device ? write(address) : InvalidValue;
  case HostPointerOf:
    return host ? write(address) : InvalidValue;
  case SyncMemops:
  case IsManaged:
    return write(0u);
  case BufferId:
    return write(base);
  case DeviceOrdinal:
    return write(0);
  case RangeStart:
    return write(base);
  case RangeSize:
    return write(static_cast<size_t>(size));
  case Mapped:
    return write(static_cast<unsigned>(device));
  default:
    return InvalidValue;
  }
}

TW_CUDA Result cuPointerGetAttribute(void *data, int attribute, DevicePointer address) {
  return enter([&](Driver &driver) {
    return data ? getAttribute(driver, data, attribute, address) : InvalidValue;
  });
}

/// As cuPointerGetAttribute for several; what an address does not have is left zero.
TW_CUDA Result cuPointerGetAttributes(unsigned count, int *attributes, void **data,
                                      DevicePointer address) {
  return enter([&](Driver &driver) {
    if (!attributes || !data)
      return InvalidValue;
    for (unsigned i = 0; i < count; ++i) {
      bool isNarrow = attributes[i] == MemoryType || attributes[i] == SyncMemops ||
                      attributes[i] == IsManaged || attributes[i] == DeviceOrdinal ||
                      attributes[i] == Mapped;
      memset(data[i], 0, isNarrow ? 4 : 8);
      getAttribute(driver, data[i], attributes[i], address);
    }
    return Success;
  });
}

//===----------------------------------------------------------------------===//
// Tensor maps
//===----------------------------------------------------------------------===//

TW_CUDA Result cuTensorMapEncodeTiled(TensorMapBytes *map, unsigned type, uint32_t rank,
                                      void *address, const uint64_t *sizes,
                                      const uint64_t *strides, const uint32_t *box,
                                      const uint32_t *elementStrides, unsigned interleave,
                                      unsigned swizzle, unsigned l2Promotion,
                                      unsigned fill) {
  return enterContext([&](Driver &driver) {
    if (!map || !sizes || !box || !elementStrides || rank < 1 || rank > 5 ||
        (rank > 1 && !strides))
      return InvalidValue;
    if (driver.major < 9)
      return refuse(NotSupported,
                    "cuTensorMapEncodeTiled: " + driver.arch + " has no tensor maps");
    tw_emulator_tensor_map_v1 tensor = {};
    tensor.size = sizeof(tensor);
    tensor.address = reinterpret_cast<uint64_t>(address);
    tensor.element = type;
    tensor.rank = rank;
    std::copy_n(sizes, rank, tensor.extents);
    std::copy_n(box, rank, tensor.box);
    std::copy_n(elementStrides, rank, tensor.element_strides);
    if (rank > 1)
      std::copy_n(strides, rank - 1, tensor.strides);
    tensor.interleave = interleave;
    tensor.swizzle = swizzle;
    tensor.l2_promotion = l2Promotion;
    tensor.fill = fill;
    return toResult(tw_emulator_tensor_map_encode(&tensor, map),
                    "cuTensorMapEncodeTiled");
  });
}

TW_CUDA Result cuTensorMapEncodeIm2col(TensorMapBytes *, unsigned, uint32_t, void *,
                                       const uint64_t *, const uint64_t *, const int *,
                                       const int *, uint32_t, uint32_t, const uint32_t *,
                                       unsigned, unsigned, unsigned, unsigned) {
  return refuse(NotSupported,
                "cuTensorMapEncodeIm2col: im2col tensor maps are not modelled");
}
