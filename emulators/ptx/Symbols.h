//===- Symbols.h - What names mean where --------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block of a function is a scope. A range `%r<10>` is kept as its prefix; a register of
// it gets a name and a number in the function when the text first uses it, so registers
// that nobody uses cost nothing. A label may be used before it is defined, and a later
// one of the same block goes before one of the blocks around: a use waits in its scope
// until the scope ends, and if no label was found there, in the one around.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_SYMBOLS_H
#define TILEWRIGHT_EMULATORS_PTX_SYMBOLS_H

#include "emulators/ptx/Module.h"

namespace tilewright::ptx {

struct Symbol {
  enum Kind : uint8_t { None, Register, Variable, Function, Label, Table };
  Kind kind = None;
  uint8_t vector = 1;    ///< registers that a .v2 or .v4 register consists of
  uint32_t index = 0;    ///< the first register, or the label
  std::string_view name; ///< of a variable or table: unique in the function
};

/// A use of a label, as an operand of a statement or of a table.
struct Reference {
  std::string_view name;
  uint32_t line, column;
  uint32_t statement; ///< or the table, `inTable`
  uint32_t operand;
  bool inTable;
};

struct Scope {
  struct Range {
    Type type;
    uint8_t vector;
    uint64_t count;
  };
  std::unordered_map<std::string_view, Symbol> symbols;
  std::unordered_map<std::string_view, Range> ranges;
  std::vector<Reference> references;
};

/// The scopes that are open: the module's, then the function's and its blocks'.
class ScopeStack {
public:
  ScopeStack() : scopes(1) {}

  void open() { scopes.emplace_back(); }
  /// Ends the innermost scope and gives it back.
  Scope close();
  size_t depth() const { return scopes.size() - 1; }
  Scope &innermost() { return scopes.back(); }
  Scope &module() { return scopes.front(); }

  /// What `name` means here, in `function` (null in the module); a symbol of kind None if
  /// nothing so far. Makes registers of ranges.
  Symbol find(std::string_view name, Function *function);
  /// False if the innermost scope has the name already.
  bool add(std::string_view name, const Symbol &symbol);
  bool addRange(std::string_view prefix, const Scope::Range &range);

private:
  Symbol makeFromRange(Scope &scope, std::string_view name, Function &function);

  std::vector<Scope> scopes;
};

/// Adds registers to `function` and gives the first one's number.
uint32_t addRegisters(Function &function, std::string_view name, Type type,
                      unsigned vector);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_SYMBOLS_H
