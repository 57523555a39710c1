//===- ScalarAluOps.cpp - Scalar arithmetic and logic -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Scalars have a poison bit for each of their bits, because masks of lanes are scalars: a
// lane whose comparison met undefined data leaves the other lanes' bits defined.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Decoder.h"
#include "emulators/amdgpu/Wave.h"

using namespace tilewright::amdgpu;

namespace {
uint64_t maskOf(unsigned bits) { return bits == 64 ? ~uint64_t(0) : 0xffffffff; }

/// Two-valued logic knows better than "undefined where a source is".
ScalarValue andOf(ScalarValue a, ScalarValue b) {
  return {a.bits & b.bits,
          (a.poison & (b.bits | b.poison)) | (b.poison & (a.bits | a.poison))};
}
ScalarValue orOf(ScalarValue a, ScalarValue b) {
  return {a.bits | b.bits,
          (a.poison & (~b.bits | b.poison)) | (b.poison & (~a.bits | a.poison))};
}

/// `and` and `or` set SCC where the result is not zero. A defined one decides.
void setSccNonzero(Wave &wave, ScalarValue value) {
  bool decided = value.bits & ~value.poison;
  wave.setScc(value.bits != 0, value.poison && !decided);
}

template <ScalarValue (*apply)(ScalarValue, ScalarValue)>
Step logic(Wave &wave, const Instruction &instruction) {
  ScalarValue value = apply(wave.readScalar(instruction.source[0]),
                            wave.readScalar(instruction.source[1]));
  uint64_t mask = maskOf(instruction.destination[0].count * 32);
  value = {value.bits & mask, value.poison & mask};
  wave.writeScalar(instruction.destination[0], value);
  setSccNonzero(wave, value);
  return Step::Next;
}

/// s_and_saveexec: the destination gets EXEC, EXEC the result.
template <ScalarValue (*apply)(ScalarValue, ScalarValue)>
Step saveExec(Wave &wave, const Instruction &instruction) {
  ScalarValue exec = {wave.getExec(), 0};
  uint64_t mask = maskOf(instruction.destination[0].count * 32);
  ScalarValue value = apply(wave.readScalar(instruction.source[0]), exec);
  value = {value.bits & mask, value.poison & mask};
  wave.writeScalar(instruction.destination[0], {exec.bits & mask, 0});
  Source to = instruction.destination[0];
  to.reg = Exec;
  wave.writeScalar(to, value);
  setSccNonzero(wave, value);
  return Step::Next;
}

/// Whole results: undefined where any source is.
template <typename Operation, unsigned bits>
Step arithmetic(Wave &wave, const Instruction &instruction) {
  ScalarValue a = wave.readScalar(instruction.source[0]);
  ScalarValue b = wave.readScalar(instruction.source[1]);
  bool scc = wave.scc;
  uint64_t result = Operation::apply(a.bits, b.bits, scc) & maskOf(bits);
  uint64_t poison = a.poison || b.poison ? maskOf(bits) : 0;
  wave.writeScalar(instruction.destination[0], {result, poison});
  wave.setScc(scc, poison != 0);
  return Step::Next;
}

struct ShiftLeft32 {
  static uint64_t apply(uint64_t a, uint64_t b, bool &scc) {
    uint32_t result = static_cast<uint32_t>(a) << (b & 31);
    scc = result != 0;
    return result;
  }
};
struct BitFieldExtractU32 {
  static uint64_t apply(uint64_t a, uint64_t b, bool &scc) {
    unsigned offset = b & 31, width = b >> 16 & 0x7f;
    uint64_t result = static_cast<uint32_t>(a) >> offset;
    if (width < 32)
      result &= (uint64_t(1) << width) - 1;
    scc = result != 0;
    return result;
  }
};

Step move(Wave &wave, const Instruction &instruction) {
  wave.writeScalar(instruction.destination[0], wave.readScalar(instruction.source[0]));
  return Step::Next;
}

struct Entry {
  std::string_view name;
  Handler handler;
  Type type, second; ///< of the sources
  unsigned count, registers;
};
constexpr Type B32 = Type::B32, B64 = Type::B64;
constexpr Entry entries[] = {
    {"s_mov_b32", move, B32, B32, 1, 1},
    {"s_mov_b64", move, B64, B64, 1, 2},
    {"s_and_b32", logic<andOf>, B32, B32, 2, 1},
    {"s_and_b64", logic<andOf>, B64, B64, 2, 2},
    {"s_or_b32", logic<orOf>, B32, B32, 2, 1},
    {"s_or_b64", logic<orOf>, B64, B64, 2, 2},
    {"s_and_saveexec_b32", saveExec<andOf>, B32, B32, 1, 1},
    {"s_and_saveexec_b64", saveExec<andOf>, B64, B64, 1, 2},
    {"s_lshl_b32", arithmetic<ShiftLeft32, 32>, B32, B32, 2, 1},
    {"s_bfe_u32", arithmetic<BitFieldExtractU32, 32>, B32, B32, 2, 1},
};
} // namespace

Decoded tilewright::amdgpu::decodeScalarAlu(Decoder &decoder) {
  for (const Entry &entry : entries) {
    if (entry.name != decoder.mnemonic())
      continue;
    Instruction &instruction = decoder.instruction;
    instruction.execute = entry.handler;
    bool good =
        decoder.expect(entry.count + 1) &&
        decoder.destination(0, instruction.destination[0], entry.registers) &&
        decoder.source(1, entry.type, instruction.source[0]) &&
        (entry.count < 2 || decoder.source(2, entry.second, instruction.source[1]));
    return decodedIf(good);
  }
  return Decoded::NotMine;
}
