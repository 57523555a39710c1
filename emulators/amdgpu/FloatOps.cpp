//===- FloatOps.cpp - Floating-point arithmetic of lanes ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/VectorAlu.h"
#include "emulators/common/Float.h"

using namespace tilewright::amdgpu;
using tilewright::emulator::bitCast;

namespace {
struct AddF32 {
  static uint32_t apply(uint32_t a, uint32_t b) {
    return bitCast<uint32_t>(bitCast<float>(a) + bitCast<float>(b));
  }
};

using U32 = uint32_t;
constexpr VectorEntry entries[] = {
    {"v_add_f32", map<U32, AddF32, U32, U32>, {Type::F32, Type::F32}, 2},
};
} // namespace

Decoded tilewright::amdgpu::decodeFloat(Decoder &decoder) {
  return decodeVectors(decoder, entries);
}
