//===- Decode.h - From statements to instructions -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each family of instructions has a file with its handlers and one decoder, which a table
// in DecodeModule.cpp names by opcode. A decoder takes the modifiers one by one (`take`);
// what is left over at the end is not modelled and fails, so nothing is ever skipped.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_DECODE_H
#define TILEWRIGHT_EMULATORS_PTX_DECODE_H

#include "emulators/ptx/Program.h"

#include <initializer_list>
#include <optional>

namespace tilewright::ptx {

/// One statement while it is decoded. The first failure counts; decoders may go on after.
class Decoder {
public:
  Decoder(Program &program, DecodedFunction &function, const Statement &statement,
          Instruction &result);

  Instruction &result;
  const Statement &statement;

  // Modifiers; each is taken once.
  /// Whether modifier `name` is there; takes it.
  bool take(std::string_view name);
  /// The index in `names` of the one that is there and takes it; nothing if none is.
  std::optional<unsigned> takeOneOf(std::initializer_list<std::string_view> names);
  /// The next modifier that is a type; Type::None if there is none.
  Type takeType();
  /// A state space, with ::cta and ::cluster; `Generic` if none is written.
  Space takeSpace();
  /// Takes those that mean nothing to an emulator: cache hints, .L1::..., .L2::...,
  /// scopes where order does not depend on them.
  void takeCacheHints();

  // Operands.
  size_t operandCount() const { return statement.operands.size(); }
  /// Fails unless there are `least` to `most` operands.
  bool expectOperands(size_t least, size_t most);
  /// The number of a value register that is written, noRegister for `_`.
  uint32_t destination(const Operand &operand);
  /// The number of a register that holds the operand: a register, or a pool register of
  /// an immediate (converted to `type`), a special register or a variable's address.
  uint32_t source(const Operand &operand, Type type);
  uint32_t destination(size_t index) { return destination(at(index)); }
  uint32_t source(size_t index, Type type) { return source(at(index), type); }
  /// The number of a predicate register, or noRegister for `_`. Negation is the caller's.
  uint32_t predicate(const Operand &operand);
  uint32_t predicate(size_t index) { return predicate(at(index)); }
  /// The number of a predicate that is read: a register, or one that holds a constant.
  uint32_t condition(const Operand &operand);
  bool isPredicate(const Operand &operand) const;
  /// The base register of an address operand, its offset in `result.immediate`. A
  /// variable becomes its address in `space`.
  uint32_t address(const Operand &operand, Space space);
  /// Registers of a vector, or of the operand alone, kept in `result.list` after those
  /// added before; `isSource` says that they are read.
  void addList(const Operand &operand, Type type, bool isSource);
  /// The same for a register by its number.
  void addRegister(uint32_t reg) { list.push_back(reg); }
  std::optional<int64_t> integer(const Operand &operand) const;
  const Operand &at(size_t index);

  /// Keeps `value` alive as long as the program.
  template <typename T> const T *keep(T value) {
    auto shared = std::make_shared<const T>(std::move(value));
    const T *pointer = shared.get();
    program.owned.push_back(std::move(shared));
    return pointer;
  }

  void fail(std::string message);
  bool failed() const { return !error.empty(); }
  const std::string &getError() const { return error; }
  /// The first modifier that nobody took; empty if all were.
  std::string_view getLeftOver() const;
  /// Ends the list that `addList` built.
  void finish();

  Program &program;
  DecodedFunction &function;

private:
  uint32_t poolRegister(const PoolEntry &entry);
  /// The number of `operand`, a value register, which may not be one of 128 bits: those
  /// are two numbers, and who takes them asks `function` itself.
  uint32_t valueRegister(const Operand &operand);

  uint64_t taken = 0; // a bit for each modifier
  std::vector<uint32_t> list;
  std::string error;
};

/// The address of variable or function `name` as a value in its own space; nothing if
/// there is none.
std::optional<uint64_t> getAddress(const Program &program,
                                   const DecodedFunction &function,
                                   std::string_view name);

using FamilyDecoder = void (*)(Decoder &);

// One per family; see the file of the same name.
void decodeInteger(Decoder &decoder);  // IntegerOps.cpp
void decodeBits(Decoder &decoder);     // BitOps.cpp
void decodeFloat(Decoder &decoder);    // FloatOps.cpp
void decodeCompare(Decoder &decoder);  // CompareOps.cpp
void decodeConvert(Decoder &decoder);  // ConvertOps.cpp
void decodeMove(Decoder &decoder);     // MoveOps.cpp
void decodeVideo(Decoder &decoder);    // VideoOps.cpp: vadd4 and its like
void decodeMemory(Decoder &decoder);   // MemoryOps.cpp: ld st ldu prefetch
void decodeAtomic(Decoder &decoder);   // AtomicOps.cpp: atom red
void decodeWarp(Decoder &decoder);     // WarpOps.cpp: shfl vote match redux elect
void decodeBarrier(Decoder &decoder);  // BarrierOps.cpp: bar barrier fence membar
void decodeMbarrier(Decoder &decoder); // MbarrierOps.cpp
void decodeAsyncCopy(
    Decoder &decoder); // AsyncCopyOps.cpp: cp.async, cp.async.bulk, tensors
void decodeMatrix(
    Decoder &decoder);              // MatrixOps.cpp: ldmatrix stmatrix mma wmma movmatrix
void decodeWgmma(Decoder &decoder); // WgmmaOps.cpp
void decodeControl(Decoder &decoder); // ControlOps.cpp: bra call ret exit brx trap
void decodeSystem(Decoder &decoder);  // SystemOps.cpp: nanosleep, setmaxnreg, pdl

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_DECODE_H
