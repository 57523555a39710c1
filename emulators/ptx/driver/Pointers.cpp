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

/// What both kinds of tensor maps take.
static Result describeTensor(Driver &driver, tw_emulator_tensor_map_v1 &tensor,
                             unsigned type, uint32_t rank, void *address,
                             const uint64_t *sizes, const uint64_t *strides,
                             const uint32_t *elementStrides, unsigned interleave,
                             unsigned swizzle, unsigned l2Promotion, unsigned fill) {
  if (!sizes || !elementStrides || rank < 1 || rank > 5 || (rank > 1 && !strides))
    return InvalidValue;
  if (driver.major < 9)
    return refuse(NotSupported,
                  "cuTensorMapEncode: " + driver.arch + " has no tensor maps");
  tensor.size = sizeof(tensor);
  tensor.address = reinterpret_cast<uint64_t>(address);
  tensor.element = type;
  tensor.rank = rank;
  std::copy_n(sizes, rank, tensor.extents);
  std::copy_n(elementStrides, rank, tensor.element_strides);
  if (rank > 1)
    std::copy_n(strides, rank - 1, tensor.strides);
  tensor.interleave = interleave;
  tensor.swizzle = swizzle;
  tensor.l2_promotion = l2Promotion;
  tensor.fill = fill;
  return Success;
}

TW_CUDA Result cuTensorMapEncodeTiled(TensorMapBytes *map, unsigned type, uint32_t rank,
                                      void *address, const uint64_t *sizes,
                                      const uint64_t *strides, const uint32_t *box,
                                      const uint32_t *elementStrides, unsigned interleave,
                                      unsigned swizzle, unsigned l2Promotion,
                                      unsigned fill) {
  return enterContext([&](Driver &driver) {
    tw_emulator_tensor_map_v1 tensor = {};
    if (!map || !box)
      return InvalidValue;
    if (Result result =
            describeTensor(driver, tensor, type, rank, address, sizes, strides,
                           elementStrides, interleave, swizzle, l2Promotion, fill))
      return result;
    std::copy_n(box, rank, tensor.box);
    return toResult(tw_emulator_tensor_map_encode(&tensor, map),
                    "cuTensorMapEncodeTiled");
  });
}

TW_CUDA Result cuTensorMapEncodeIm2col(TensorMapBytes *map, unsigned type, uint32_t rank,
                                       void *address, const uint64_t *sizes,
                                       const uint64_t *strides, const int *lower,
                                       const int *upper, uint32_t channels,
                                       uint32_t pixels, const uint32_t *elementStrides,
                                       unsigned interleave, unsigned swizzle,
                                       unsigned l2Promotion, unsigned fill) {
  return enterContext([&](Driver &driver) {
    tw_emulator_tensor_map_v1 tensor = {};
    tw_emulator_im2col_v1 im2col = {};
    if (!map || !lower || !upper || rank < 3)
      return InvalidValue;
    if (Result result =
            describeTensor(driver, tensor, type, rank, address, sizes, strides,
                           elementStrides, interleave, swizzle, l2Promotion, fill))
      return result;
    tensor.box[0] = channels;
    im2col.size = sizeof(im2col);
    im2col.pixels = pixels;
    std::copy_n(lower, rank - 2, im2col.lower);
    std::copy_n(upper, rank - 2, im2col.upper);
    return toResult(tw_emulator_tensor_map_encode_im2col(&tensor, &im2col, map),
                    "cuTensorMapEncodeIm2col");
  });
}

TW_CUDA Result cuTensorMapReplaceAddress(TensorMapBytes *map, void *address) {
  return enterContext([&](Driver &) {
    return toResult(tw_emulator_tensor_map_move(map, reinterpret_cast<uint64_t>(address)),
                    "cuTensorMapReplaceAddress");
  });
}
