//===- Assembly.h - An instruction as the disassembler writes it --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// LLVM's disassembler tells what an instruction is by its text, in the syntax of the
// assembler, which is documented and the same for every generation:
//
//   v_fma_f32 v0, |v1|, -v2, 1.0 clamp
//   global_load_dwordx4 v[0:3], v4, s[2:3] offset:16 sc0
//   s_waitcnt vmcnt(0) lgkmcnt(1)
//   v_dual_mov_b32 v5, 0 :: v_dual_and_b32 v0, 31, v0
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_ASSEMBLY_H
#define TILEWRIGHT_EMULATORS_AMDGPU_ASSEMBLY_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tilewright::amdgpu {

/// Scalar registers by one number on all generations: s0 to s105, and these.
enum ScalarRegister : uint16_t {
  FlatScratch = 102, ///< a pair; gfx9's alias of s102
  XnackMask = 104,   ///< a pair; gfx9's alias of s104
  Vcc = 106,         ///< a pair
  Ttmp0 = 108,       ///< 16 of them
  M0 = 124,
  Null = 125, ///< reads zero, drops writes
  Exec = 126, ///< a pair
  scalarRegisters = 128
};
/// Vector registers: v0 to v255, then a0 to a255, then what no program can name.
enum VectorRegister : uint16_t {
  Agpr0 = 256,
  Temporary0 = 512, ///< four for the wrappers DPP, SDWA and VOPD
  vectorRegisters = 516
};

/// Values that are computed where they are read.
enum class SpecialValue : uint8_t {
  None,
  Scc,
  Vccz,
  Execz,
  SharedBase,
  SharedLimit,
  PrivateBase,
  PrivateLimit,
};

struct Operand {
  enum Kind : uint8_t {
    Absent,
    Scalar,  ///< registers `reg` to `reg` + `count` - 1
    Vector,  ///< the same; a0 is Agpr0
    Integer, ///< `bits`
    Float,   ///< `value`; only the constants that have an encoding of their own
    Special, ///< `special`
    Off,     ///< written `off`: no address register
    Buffer,  ///< lanes prepared by a wrapper (DPP, SDWA); `reg` says which
    Other,   ///< `text` alone: hwreg(...), vmcnt(0), a label
  } kind = Absent;
  bool negate = false, absolute = false;
  bool signExtend = false; ///< sext(v0), of SDWA
  bool isHalf = false;     ///< a 16-bit register: v0.l or v0.h
  bool isHigh = false;     ///< v0.h
  SpecialValue special = SpecialValue::None;
  uint16_t reg = 0;
  uint8_t count = 0;
  /// Of Integer: as it is written, sign-extended. `isLiteral`: 32 bits follow the
  /// instruction, which operations of 64 bits extend as their type says.
  int64_t bits = 0;
  bool isLiteral = false;
  double value = 0;
  std::string_view text;

  bool isRegister() const { return kind == Scalar || kind == Vector; }
};

/// A modifier: `offset:16`, `op_sel:[0,1]`, `clamp`, `vmcnt(0)`.
struct Modifier {
  std::string_view name, value;
  bool taken = false;
};

/// The parts of an instruction. Views are into the text, which must live as long.
struct Assembly {
  std::string_view text;
  /// Without the suffix of its encoding: `v_add_f32` for `v_add_f32_e64_dpp`.
  std::string_view mnemonic;
  bool isE64 = false, isDpp = false, isSdwa = false;
  std::vector<Operand> operands;
  std::vector<Modifier> modifiers;
};

/// Takes an instruction apart; false where it is not of this syntax. Of two that are
/// issued together (VOPD) the first is `text` up to `::`, so split them first.
bool parseAssembly(std::string_view text, Assembly &result);

/// The two instructions of a VOPD; false where there is one.
bool splitDual(std::string_view text, std::string_view &first, std::string_view &second);

/// A number in decimal or 0x hexadecimal, perhaps negative; false where it is none.
bool parseInteger(std::string_view text, int64_t &value);

/// The integers of "[0,1,1]", or of "1"; false where there is something else.
bool parseIntegers(std::string_view text, std::vector<int64_t> &values);

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_ASSEMBLY_H
