//===- Metadata.cpp - The metadata of a code object ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Metadata.h"

#include "llvm/BinaryFormat/MsgPackReader.h"

using namespace tilewright::amdgpu;
namespace msgpack = llvm::msgpack;

static constexpr unsigned deepest = 32;

const Metadata &Metadata::operator[](std::string_view name) const {
  static const Metadata nothing;
  for (const auto &[key, value] : members)
    if (key == name)
      return value;
  return nothing;
}

static bool read(msgpack::Reader &reader, Metadata &metadata, unsigned depth) {
  msgpack::Object object;
  auto found = reader.read(object);
  if (!found) {
    llvm::consumeError(found.takeError());
    return false;
  }
  if (!*found || depth > deepest)
    return false;
  switch (object.Kind) {
  case msgpack::Type::UInt:
    metadata.integer = object.UInt;
    return true;
  case msgpack::Type::Int:
    metadata.integer = object.Int > 0 ? static_cast<uint64_t>(object.Int) : 0;
    return true;
  case msgpack::Type::String:
    metadata.text = object.Raw.str();
    return true;
  case msgpack::Type::Array:
    // Each takes a byte at least, so a length that lies ends with the bytes.
    for (size_t i = 0; i < object.Length; ++i) {
      metadata.items.emplace_back();
      if (!read(reader, metadata.items.back(), depth + 1))
        return false;
    }
    return true;
  case msgpack::Type::Map:
    for (size_t i = 0; i < object.Length; ++i) {
      Metadata key;
      if (!read(reader, key, depth + 1))
        return false;
      metadata.members.emplace_back(std::move(key.text), Metadata());
      if (!read(reader, metadata.members.back().second, depth + 1))
        return false;
    }
    return true;
  default:
    return true;
  }
}

bool tilewright::amdgpu::readMetadata(std::string_view bytes, Metadata &metadata) {
  msgpack::Reader reader(llvm::StringRef(bytes.data(), bytes.size()));
  return read(reader, metadata, 0);
}
