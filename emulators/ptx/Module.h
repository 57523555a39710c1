//===- Module.h - PTX text as it was parsed -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The parser resolves what PTX scopes: registers and labels of nested blocks become
// numbers of their function, and so do those of `%r<10>` that the text uses. Meaning is
// the decoder's business (Decode.h): an instruction here is its opcode, its modifiers as
// written, and its operands.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_MODULE_H
#define TILEWRIGHT_EMULATORS_PTX_MODULE_H

#include "emulators/ptx/Type.h"

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace tilewright::ptx {

/// An error in a text, with the place that it is found at.
struct SyntaxError {
  uint32_t line = 0, column = 0;
  std::string message; ///< empty: none
};

struct Operand {
  enum Kind : uint8_t {
    Register, ///< `reg`; `negated` for !%p
    Special,  ///< `name`: %tid.x, WARP_SZ
    Integer,  ///< `bits`, as a 64-bit integer
    Float,    ///< `bits` of an f32 (0f) or f64 (0d or decimal), see `isDouble`
    Name,     ///< `name` of a variable or function, plus `offset`
    Label,    ///< `reg` is the number of the label
    Address, ///< [items[0] + offset, items[1]...]: base, then vectors of coordinates etc.
    Vector,  ///< {items...}
    List,    ///< (items...) of a call
    Pair,    ///< items[0] | items[1]
    Sink,    ///< _
  };
  Kind kind = Sink;
  bool negated = false;
  bool isDouble = false;
  uint32_t reg = 0;
  int64_t offset = 0;
  uint64_t bits = 0;
  std::string_view name;
  std::vector<Operand> items;
};

struct Statement {
  static constexpr uint32_t noGuard = ~0u;
  uint32_t guard = noGuard; ///< predicate register
  bool guardNegated = false;
  std::string_view opcode;                 ///< "cp" of cp.async.cg
  std::vector<std::string_view> modifiers; ///< "async", "cg"; "shared::cta" is one
  std::vector<Operand> operands;
  uint32_t line = 0;     ///< in the text, from 1
  uint32_t location = 0; ///< index into Module::locations; 0 where no .loc precedes
  std::string_view text; ///< as written, without the semicolon
  /// The text with one space for each run of white space, as reports show it.
  std::string oneLine() const;
};

/// A variable or parameter.
struct Variable {
  std::string name;
  Space space = Space::Generic;
  Type type = Type::None;
  unsigned vector = 1; ///< 2 or 4 of .v2, .v4
  uint64_t size = 0;   ///< in bytes; 0 of an extern array without a size
  unsigned align = 1;
  uint32_t line = 0; ///< of its name
  bool isExtern = false;
  std::vector<uint8_t> initial; ///< of the first bytes; the rest is zero
  /// Addresses of others in the initial value.
  struct Relocation {
    uint64_t at;
    std::string name;
    int64_t addend;
    bool generic;
    uint8_t bytes;
  };
  std::vector<Relocation> relocations;
  bool hasInitial = false;
};

struct RegisterInfo {
  std::string_view name;
  Type type;
};

struct Function {
  std::string name;
  bool isEntry = false;
  bool isDeclaration = false;
  bool isNoReturn = false;
  std::vector<Variable> results, params;
  /// Those that results and parameters in .reg stand for come first, in their order.
  std::vector<RegisterInfo> registers;
  /// Variables of the body in .shared, .local, .param (call arguments), .global, .const;
  /// names that nested blocks repeat are made unique by a suffix that operands use too.
  std::vector<Variable> variables;
  std::vector<Statement> body;
  /// The statement that each label stands before.
  std::vector<uint32_t> labels;
  std::vector<std::string_view> labelNames;
  /// .branchtargets and .calltargets, .callprototype by label name.
  struct Table {
    std::string_view name;
    std::vector<Operand> targets;
  };
  std::vector<Table> tables;
  uint32_t line = 0;
  // Directives; 0 where absent.
  uint32_t maxThreads[3] = {0, 0, 0}, requiredThreads[3] = {0, 0, 0};
  uint32_t requiredCluster[3] = {0, 0, 0};
  bool explicitCluster = false;
  bool blocksAreClusters = false; ///< the grid is given in clusters
  uint32_t maxRegisters = 0, minBlocks = 0;
};

/// Where the source stands that an instruction was compiled from.
struct SourceLocation {
  uint32_t file = 0; ///< key of Module::files
  uint32_t line = 0, column = 0;
};

struct Module {
  std::string text;                   ///< what the views point into
  std::deque<std::string> ownedNames; ///< and names that had to be made unique
  unsigned versionMajor = 0, versionMinor = 0;
  std::string target; ///< "sm_90a"
  unsigned addressBits = 64;
  std::vector<Function> functions;
  std::vector<Variable> variables;
  std::unordered_map<uint32_t, std::string> files;
  std::vector<SourceLocation> locations{{}};
};

/// Parses PTX; null, with `error` filled, where the text is no PTX.
std::unique_ptr<Module> parse(std::string text, SyntaxError &error);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_MODULE_H
