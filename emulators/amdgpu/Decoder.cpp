//===- Decoder.cpp - From the text of an instruction to its handler -----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Decoder.h"

#include "emulators/amdgpu/Wrappers.h"
#include "emulators/common/Float.h"

using namespace tilewright::amdgpu;
namespace formats = tilewright::emulator::formats;
using tilewright::emulator::fromDouble;
using tilewright::emulator::Rounding;

unsigned tilewright::amdgpu::getBits(Type type) {
  switch (type) {
  case Type::B16:
  case Type::F16:
  case Type::BF16:
    return 16;
  case Type::B32:
  case Type::F32:
    return 32;
  case Type::B64:
  case Type::I64:
  case Type::F64:
    return 64;
  }
  return 0;
}

bool Decoder::fail(std::string reason) {
  if (error.empty())
    error = std::move(reason);
  return false;
}

bool Decoder::expect(size_t expected) {
  return count() == expected || fail("it has " + std::to_string(count()) +
                                     " operands, not " + std::to_string(expected));
}

Modifier *Decoder::find(std::string_view name) {
  for (Modifier &modifier : modifiers)
    if (modifier.name == name) {
      modifier.taken = true;
      return &modifier;
    }
  return nullptr;
}

bool Decoder::flag(std::string_view name) {
  Modifier *found = find(name);
  return found && (found->value.empty() || fail(std::string(name) + " has a value"));
}

bool Decoder::integer(std::string_view name, int64_t &value) {
  Modifier *found = find(name);
  return found &&
         (parseInteger(found->value, value) || fail(std::string(name) + " is no number"));
}

bool Decoder::integers(std::string_view name, std::vector<int64_t> &values) {
  Modifier *found = find(name);
  return found && (parseIntegers(found->value, values) ||
                   fail(std::string(name) + " is no list of numbers"));
}

bool Decoder::text(std::string_view name, std::string_view &value) {
  Modifier *found = find(name);
  if (found)
    value = found->value;
  return found;
}

void Decoder::ignore(std::initializer_list<std::string_view> names) {
  for (std::string_view name : names)
    find(name);
}

void Decoder::ignoreAll() {
  for (Modifier &modifier : modifiers)
    modifier.taken = true;
}

bool Decoder::finish() {
  for (const Modifier &modifier : modifiers)
    if (!modifier.taken)
      return fail("the modifier " + std::string(modifier.name) + " is not modelled");
  return error.empty();
}

bool Decoder::constant(const Operand &operand, Type type, Source &source) {
  source.kind = Operand::Integer;
  if (operand.kind == Operand::Float) {
    // Only constants with encodings of their own are written so: the operation's type
    // says which bits they are. Operations on integers get those of f32 or f64.
    const auto &format = type == Type::F16 || type == Type::B16 ? formats::f16
                         : type == Type::BF16                   ? formats::bf16
                         : getBits(type) == 64                  ? formats::f64
                                                                : formats::f32;
    source.bits = fromDouble(format, operand.value, Rounding::NearestEven);
    // 1 / (2 pi) is written with eight digits, whose double is another than the
    // encoding's.
    if (operand.text.find("0.15915494") != std::string_view::npos && getBits(type) == 64)
      source.bits = 0x3fc45f306dc9c882;
    return true;
  }
  uint64_t bits = static_cast<uint64_t>(operand.bits);
  if (operand.isLiteral && getBits(type) == 64) {
    if (type == Type::F64 && bits <= 0xffffffff)
      bits <<= 32;
    else if (type == Type::I64)
      bits = static_cast<uint64_t>(static_cast<int32_t>(bits));
  }
  source.bits = getBits(type) == 64   ? bits
                : getBits(type) == 32 ? bits & 0xffffffff
                                      : bits & 0xffff;
  return true;
}

bool Decoder::source(size_t index, Type type, Source &source, unsigned registers) {
  if (index >= count())
    return fail("operand " + std::to_string(index + 1) + " is missing");
  const Operand &operand = this->operand(index);
  source = {};
  source.special = operand.special;
  source.isHigh = operand.isHigh;
  unsigned bits = getBits(type);
  if (operand.negate || operand.absolute) {
    uint64_t sign = uint64_t(1) << (bits - 1);
    bool isFloat =
        type == Type::F16 || type == Type::BF16 || type == Type::F32 || type == Type::F64;
    if (!isFloat)
      return fail("neg or abs of an operand that is no float");
    source.keep = operand.absolute ? ~sign : ~uint64_t(0);
    source.flip = operand.negate ? sign : 0;
  }
  switch (operand.kind) {
  case Operand::Integer:
  case Operand::Float:
    return constant(operand, type, source);
  case Operand::Special:
    source.kind = Operand::Special;
    return true;
  case Operand::Scalar:
  case Operand::Vector: {
    unsigned wanted = registers ? registers : (bits + 31) / 32;
    // `null` is written alone wherever it stands.
    bool fits = operand.count == wanted ||
                (operand.kind == Operand::Scalar && operand.reg == Null);
    if (!fits)
      return fail("operand " + std::string(operand.text) + " has " +
                  std::to_string(operand.count) + " registers, not " +
                  std::to_string(wanted));
    source.kind = operand.kind;
    source.reg = operand.reg;
    source.count = static_cast<uint8_t>(wanted);
    return true;
  }
  default:
    return fail("operand " + std::string(operand.text) + " is not modelled");
  }
}

bool Decoder::destination(size_t index, Source &destination, unsigned registers) {
  if (index >= count())
    return fail("operand " + std::to_string(index + 1) + " is missing");
  const Operand &operand = this->operand(index);
  if (!operand.isRegister() || operand.negate || operand.absolute)
    return fail("operand " + std::string(operand.text) + " cannot be written");
  return source(index, registers == 1 ? Type::B32 : Type::B64, destination, registers);
}

//===----------------------------------------------------------------------===//
// The families
//===----------------------------------------------------------------------===//

static constexpr Family families[] = {
    decodeControl,   decodeScalarAlu, decodeScalarMemory,   decodeMove, decodeInteger,
    decodeFloat,     decodeFlat,      decodeBuffer,         decodeLds,  decodeAtomic,
    decodeLdsAtomic, decodeLdsLanes,  decodeTransposedLoad, decodeMfma, decodeWmma,
};

std::string tilewright::amdgpu::decodePlain(const Target &target,
                                            const Assembly &assembly,
                                            Instruction &instruction,
                                            OwnedObjects &owned) {
  Decoder decoder(target, assembly, instruction, owned);
  for (Family family : families) {
    Decoded decoded = family(decoder);
    if (decoded == Decoded::NotMine)
      continue;
    if (decoded == Decoded::Yes && decoder.finish())
      return "";
    return decoder.getError().empty() ? "it is not modelled" : decoder.getError();
  }
  return "it is not modelled";
}

std::string tilewright::amdgpu::decodeInstruction(const Target &target,
                                                  std::string_view text,
                                                  Instruction &instruction,
                                                  OwnedObjects &owned) {
  std::string_view first, second;
  if (splitDual(text, first, second))
    return decodeDual(target, first, second, instruction, owned);
  Assembly assembly;
  if (!parseAssembly(text, assembly))
    return "its text cannot be read";
  if (assembly.isSdwa)
    return decodeSdwa(target, assembly, instruction, owned);
  if (isDpp(assembly))
    return decodeDpp(target, assembly, instruction, owned);
  return decodePlain(target, assembly, instruction, owned);
}
