//===- CarryOps.cpp - Arithmetic of extended precision ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The flag CC.CF is a register of each thread, undefined at first. Subtraction keeps the
// borrow in it.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/CarryOps.h"
#include "emulators/ptx/Elementwise.h"

using namespace tilewright::ptx;

namespace {

/// The carry flag of a warp's lanes.
struct CarryState : WarpState {
  uint32_t value = 0, poison = allLanes;
};

enum CarryFlags : uint32_t {
  ReadsCarry = 1,
  WritesCarry = 2,
  Subtracts = 4,
  LowProduct = 8,
  HighProduct = 16,
  SignedProduct = 32,
};

/// The half of a product of `bits` bits that `flags` names.
uint64_t getProduct(uint64_t a, uint64_t b, unsigned bits, uint32_t flags) {
  if (flags & LowProduct)
    return a * b;
  if (bits == 32)
    return flags & SignedProduct ? uint64_t(int64_t(int32_t(a)) * int32_t(b) >> 32)
                                 : uint64_t(uint32_t(a)) * uint32_t(b) >> 32;
  return flags & SignedProduct
             ? uint64_t(static_cast<__int128>(int64_t(a)) * int64_t(b) >> 64)
             : uint64_t(static_cast<unsigned __int128>(a) * b >> 64);
}

template <unsigned Bits> Step carryHandler(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  const uint32_t flags = instruction.flags;
  const bool multiplies = flags & (LowProduct | HighProduct);
  constexpr uint64_t mask = Bits == 64 ? ~uint64_t(0) : (uint64_t(1) << Bits) - 1;
  CarryState &carry = warp.state<CarryState>();

  PoisonWords any;
  for (unsigned i = 1; i <= 2u + multiplies; ++i)
    any.add(warp, {reg[i], poisonOfBytes(Bits / 8)});
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    if (!(warp.active >> lane & 1))
      continue;
    uint64_t a = warp.values(reg[1])[lane], b = warp.values(reg[2])[lane];
    if (multiplies) {
      a = getProduct(a, b, Bits, flags);
      b = warp.values(reg[3])[lane];
    }
    uint64_t in = flags & ReadsCarry ? carry.value >> lane & 1 : 0;
    unsigned __int128 x = a & mask, y = static_cast<unsigned __int128>(b & mask) + in;
    unsigned __int128 sum = flags & Subtracts ? x - y : x + y;
    warp.values(reg[0])[lane] = static_cast<uint64_t>(sum) & mask;
    bool undefined = any[lane] || ((flags & ReadsCarry) && (carry.poison >> lane & 1));
    warp.poison(reg[0])[lane] = undefined ? undefinedValue : soundValue;
    if (flags & WritesCarry) {
      uint32_t bit = 1u << lane;
      bool out = static_cast<uint64_t>(sum >> Bits) & 1;
      carry.value = out ? carry.value | bit : carry.value & ~bit;
      carry.poison = undefined ? carry.poison | bit : carry.poison & ~bit;
    }
  }
  return Step::Next;
}

} // namespace

void tilewright::ptx::decodeCarry(Decoder &decoder, Type type,
                                  std::optional<unsigned> product) {
  std::string_view opcode = decoder.statement.opcode;
  bool reads = opcode == "addc" || opcode == "subc" || opcode == "madc";
  uint32_t flags = reads ? ReadsCarry : WritesCarry;
  if (reads && decoder.take("cc"))
    flags |= WritesCarry;
  if (opcode == "sub" || opcode == "subc")
    flags |= Subtracts;
  if (product) {
    if (*product > 1)
      return decoder.fail(".lo or .hi is expected");
    flags |= *product == 0 ? LowProduct : HighProduct;
    if (isSigned(type))
      flags |= SignedProduct;
  }
  unsigned bits = getBits(type);
  if (bits != 32 && bits != 64)
    return decoder.fail("a type of 32 or 64 bits is expected");
  if (!decodeOperands(decoder, product ? 3 : 2, type))
    return;
  decoder.result.flags = flags;
  decoder.result.execute = bits == 32 ? carryHandler<32> : carryHandler<64>;
}
