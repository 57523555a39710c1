//===- Type.h - The types of PTX ----------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_TYPE_H
#define TILEWRIGHT_EMULATORS_PTX_TYPE_H

#include <cstdint>
#include <string_view>

namespace tilewright::ptx {

enum class Type : uint8_t {
  None,
  Pred,
  B8,
  B16,
  B32,
  B64,
  B128,
  U8,
  U16,
  U32,
  U64,
  S8,
  S16,
  S32,
  S64,
  F16,
  BF16,
  TF32,
  F32,
  F64,
  // Packed.
  F16x2,
  BF16x2,
  F32x2,
  U16x2,
  S16x2,
  E4M3,
  E5M2,
  E4M3x2,
  E5M2x2,
  E2M1x2,
  E2M3x2,
  E3M2x2,
  UE8M0x2,
  // Elements of matrices narrower than a byte.
  B1,
  U4,
  S4,
};

/// The type that a modifier names ("f16x2"); None where it names none.
Type parseType(std::string_view name);
std::string_view getName(Type type);
/// Bits of a value; of a packed type all its elements.
unsigned getBits(Type type);
inline unsigned getBytes(Type type) { return (getBits(type) + 7) / 8; }
bool isSigned(Type type);
bool isUnsigned(Type type);
/// Whether it is a floating-point type, packed ones included.
bool isFloat(Type type);
/// Whether it is one of .b8 to .b128.
bool isBits(Type type);

enum class Space : uint8_t {
  Generic,
  Global,
  Shared,
  SharedCluster,
  Local,
  Param,
  Const,
  Register
};
std::string_view getName(Space space);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_TYPE_H
