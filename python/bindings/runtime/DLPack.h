//===- DLPack.h - The DLPack structures --------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Memory layouts of the DLPack standard, major version 1: what tensor libraries hand
// to each other. https://dmlc.github.io/dlpack/latest/c_api.html
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_DLPACK_H
#define TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_DLPACK_H

#include <cstdint>

namespace tilewright::dlpack {

constexpr uint32_t majorVersion = 1;
constexpr int32_t cpuDevice = 1;

struct Version {
  uint32_t major;
  uint32_t minor;
};

struct Device {
  int32_t type;
  int32_t id;
};

enum TypeCode : uint8_t {
  Int = 0,
  UInt = 1,
  Float = 2,
  Bfloat = 4,
  Bool = 6,
  Float8E4M3B11FNUZ = 9,
  Float8E4M3FN = 10,
  Float8E4M3FNUZ = 11,
  Float8E5M2 = 12,
  Float8E5M2FNUZ = 13,
  Float8E8M0FNU = 14,
  Float4E2M1FN = 17
};

struct DataType {
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
};

struct Tensor {
  void *data;
  Device device;
  int32_t rank;
  DataType dtype;
  int64_t *shape;
  int64_t *strides; // in elements; before version 1.2 null for contiguous
  uint64_t byteOffset;
};

/// The content of a capsule "dltensor".
struct ManagedTensor {
  Tensor tensor;
  void *context;
  void (*deleter)(ManagedTensor *);
};

/// The content of a capsule "dltensor_versioned".
struct VersionedTensor {
  Version version;
  void *context;
  void (*deleter)(VersionedTensor *);
  uint64_t flags;
  Tensor tensor;
};

constexpr uint64_t flagReadOnly = 1;
constexpr uint64_t flagCopied = 2;

/// The content of a type's `__dlpack_c_exchange_api__`, a capsule
/// "dlpack_exchange_api". Functions return 0, or -1 with a Python error set.
struct ExchangeApi {
  Version version;
  const ExchangeApi *previous; // of an older major version
  int (*allocate)(Tensor *prototype, VersionedTensor **tensor, void *context,
                  void (*setError)(void *context, const char *kind, const char *message));
  int (*exportOwned)(void *object, VersionedTensor **tensor);
  int (*import)(VersionedTensor *tensor, void **object);
  int (*exportBorrowed)(void *object, Tensor *tensor); // may be null
  int (*currentStream)(int32_t deviceType, int32_t deviceId, void **stream);
};

} // namespace tilewright::dlpack

#endif // TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_DLPACK_H
