//===- Decoder.h - From the text of an instruction to its handler -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each family of instructions has one function here, which knows its mnemonics, under the
// names of all generations. Whatever of an instruction its family has not asked for makes
// decoding fail, so that nothing is skipped.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_DECODER_H
#define TILEWRIGHT_EMULATORS_AMDGPU_DECODER_H

#include "emulators/amdgpu/Instruction.h"
#include "emulators/amdgpu/Target.h"

#include <memory>

namespace tilewright::amdgpu {

/// What a source's constants mean and what abs and neg change.
enum class Type : uint8_t {
  B16, ///< sixteen bits, of the half that op_sel or .h says
  F16,
  BF16,
  B32, ///< thirty-two bits, or an integer of them
  F32,
  B64, ///< literals are zero-extended
  I64, ///< literals are sign-extended
  F64, ///< literals are the upper half
};
unsigned getBits(Type type);

class Decoder {
public:
  /// Of `text`, whose parts become `instruction`'s. `owned` keeps what `extra` points to.
  Decoder(const Target &target, const Assembly &assembly, Instruction &instruction,
          std::vector<std::shared_ptr<const void>> &owned)
      : target(target), assembly(assembly), instruction(instruction), owned(owned),
        modifiers(assembly.modifiers) {}

  const Target &target;
  const Assembly &assembly;
  Instruction &instruction;

  std::string_view mnemonic() const { return assembly.mnemonic; }
  /// Operands as they are written, destinations first.
  size_t count() const { return assembly.operands.size(); }
  const Operand &operand(size_t index) const { return assembly.operands[index]; }
  /// Whether there are exactly `expected`; fails where not.
  bool expect(size_t expected);

  /// Operand `index` as a source of this type, into `source`. Its registers must be as
  /// many as the type has; `registers` says how many where they are more (a vector).
  bool source(size_t index, Type type, Source &source, unsigned registers = 0);
  /// Operand `index` as a destination of `registers` registers.
  bool destination(size_t index, Source &destination, unsigned registers = 1);

  /// Takes a modifier; false where it is absent. Its value is an integer or "[...]".
  bool flag(std::string_view name);
  bool integer(std::string_view name, int64_t &value);
  bool integers(std::string_view name, std::vector<int64_t> &values);
  bool text(std::string_view name, std::string_view &value);
  /// Modifiers that change nothing here: cache policy and the like.
  void ignore(std::initializer_list<std::string_view> names);
  void ignoreAll();

  /// Keeps `value` alive as long as the program.
  template <typename T> const T *keep(T value) {
    auto kept = std::make_shared<const T>(std::move(value));
    owned.push_back(kept);
    return kept.get();
  }

  /// Notes why the instruction cannot be decoded. Always false.
  bool fail(std::string reason);
  const std::string &getError() const { return error; }
  /// Fails where a modifier was not taken.
  bool finish();

private:
  Modifier *find(std::string_view name);
  bool constant(const Operand &operand, Type type, Source &source);

  std::vector<std::shared_ptr<const void>> &owned;
  std::vector<Modifier> modifiers;
  std::string error;
};

/// What a family says of an instruction.
enum class Decoded : uint8_t {
  NotMine, ///< of another family
  Yes,
  Failed, ///< mine, but not like this: the decoder has the reason
};
using Family = Decoded (*)(Decoder &);
inline Decoded decodedIf(bool good) { return good ? Decoded::Yes : Decoded::Failed; }

Decoded decodeControl(Decoder &);
Decoded decodeScalarAlu(Decoder &);
Decoded decodeScalarMemory(Decoder &);
Decoded decodeMove(Decoder &);
Decoded decodeInteger(Decoder &);
Decoded decodeFloat(Decoder &);
Decoded decodeFlat(Decoder &);
Decoded decodeBuffer(Decoder &);
Decoded decodeLds(Decoder &);
Decoded decodeAtomic(Decoder &);
Decoded decodeLdsAtomic(Decoder &);
Decoded decodeLdsLanes(Decoder &);
Decoded decodeTransposedLoad(Decoder &);
Decoded decodeMfma(Decoder &);
Decoded decodeWmma(Decoder &);

using OwnedObjects = std::vector<std::shared_ptr<const void>>;

/// Decodes one instruction that no wrapper is around; "" or why it cannot be.
std::string decodePlain(const Target &target, const Assembly &assembly,
                        Instruction &instruction, OwnedObjects &owned);

/// Decodes the instruction that `text` is, with the wrappers that DPP, SDWA and VOPD
/// need; "" or why it cannot be.
std::string decodeInstruction(const Target &target, std::string_view text,
                              Instruction &instruction,
                              std::vector<std::shared_ptr<const void>> &owned);

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_DECODER_H
