//===- Type.cpp - The types of PTX --------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Type.h"

#include <iterator>

using namespace tilewright::ptx;

namespace {

enum class Class : uint8_t { Other, Bits, Unsigned, Signed, Float };

struct TypeInfo {
  std::string_view name;
  uint8_t bits;
  Class kind;
};

/// In the order of Type.
constexpr TypeInfo infos[] = {
    {"none", 0, Class::Other},    {"pred", 1, Class::Other},
    {"b8", 8, Class::Bits},       {"b16", 16, Class::Bits},
    {"b32", 32, Class::Bits},     {"b64", 64, Class::Bits},
    {"b128", 128, Class::Bits},   {"u8", 8, Class::Unsigned},
    {"u16", 16, Class::Unsigned}, {"u32", 32, Class::Unsigned},
    {"u64", 64, Class::Unsigned}, {"s8", 8, Class::Signed},
    {"s16", 16, Class::Signed},   {"s32", 32, Class::Signed},
    {"s64", 64, Class::Signed},   {"f16", 16, Class::Float},
    {"bf16", 16, Class::Float},   {"tf32", 32, Class::Float},
    {"f32", 32, Class::Float},    {"f64", 64, Class::Float},
    {"f16x2", 32, Class::Float},  {"bf16x2", 32, Class::Float},
    {"f32x2", 64, Class::Float},  {"u16x2", 32, Class::Unsigned},
    {"s16x2", 32, Class::Signed}, {"e4m3", 8, Class::Float},
    {"e5m2", 8, Class::Float},    {"e4m3x2", 16, Class::Float},
    {"e5m2x2", 16, Class::Float}, {"e2m1x2", 8, Class::Float},
    {"e2m3x2", 16, Class::Float}, // six bits each, padded to bytes
    {"e3m2x2", 16, Class::Float}, {"ue8m0x2", 16, Class::Float},
    {"b1", 1, Class::Other},      {"u4", 4, Class::Unsigned},
    {"s4", 4, Class::Signed},
};
static_assert(std::size(infos) == size_t(Type::S4) + 1);

const TypeInfo &getInfo(Type type) { return infos[size_t(type)]; }

} // namespace

Type tilewright::ptx::parseType(std::string_view name) {
  for (size_t i = 1; i < std::size(infos); ++i)
    if (infos[i].name == name)
      return Type(i);
  return Type::None;
}

std::string_view tilewright::ptx::getName(Type type) { return getInfo(type).name; }
unsigned tilewright::ptx::getBits(Type type) { return getInfo(type).bits; }
bool tilewright::ptx::isSigned(Type type) { return getInfo(type).kind == Class::Signed; }
bool tilewright::ptx::isUnsigned(Type type) {
  return getInfo(type).kind == Class::Unsigned;
}
bool tilewright::ptx::isFloat(Type type) { return getInfo(type).kind == Class::Float; }
bool tilewright::ptx::isBits(Type type) { return getInfo(type).kind == Class::Bits; }

std::string_view tilewright::ptx::getName(Space space) {
  switch (space) {
  case Space::Generic:
    return "generic";
  case Space::Global:
    return "global";
  case Space::Shared:
    return "shared";
  case Space::SharedCluster:
    return "shared::cluster";
  case Space::Local:
    return "local";
  case Space::Param:
    return "param";
  case Space::Const:
    return "const";
  case Space::Register:
    return "reg";
  }
  return "generic";
}
