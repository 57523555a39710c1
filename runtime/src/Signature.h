//===- Signature.h - A view of an artifact's signature table -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_SIGNATURE_H
#define TILEWRIGHT_RUNTIME_SRC_SIGNATURE_H

#include "tilewright/runtime.h"

namespace tilewright {

constexpr int64_t maximumParameters = 256;
constexpr int64_t maximumSymbols = 256;

struct SymbolEntry {
  int64_t name;
  int64_t minimum;
  int64_t maximum; // -1: none
  int64_t multipleOf;
};
static_assert(sizeof(SymbolEntry) == TW_SIGNATURE_SYMBOL_WORDS * 8);

struct ParameterEntry {
  int64_t kind;
  int64_t name;
  int64_t dtype;
  int64_t rank; // of a scalar: -1 - symbol, or 0
  int64_t flags;
  int64_t alignment;
  int64_t dims;
  int64_t alias; // 0, or 1 + a parameter

  /// The symbol that a scalar defines, or -1.
  int64_t symbol() const { return -1 - rank; }
};
static_assert(sizeof(ParameterEntry) == TW_SIGNATURE_PARAM_WORDS * 8);

struct DimEntry {
  int64_t kind;
  int64_t value;
};

struct StepEntry {
  int64_t kind;
  int64_t value;
};

/// An expression of symbols; its steps follow.
struct ExpressionEntry {
  int64_t text;
  int64_t count;

  const StepEntry *steps() const { return reinterpret_cast<const StepEntry *>(this + 1); }
};

/// The table's layout is in abi.h. All but `validate` need a valid table.
class Signature {
  const int64_t *words;

  const char *string(int64_t offset) const {
    return reinterpret_cast<const char *>(words + words[4]) + offset;
  }

public:
  explicit Signature(const int64_t *words) : words(words) {}

  /// TW_OK, or TW_ERROR_ARTIFACT with a message that starts with `where`.
  tw_status validate(const char *where) const;

  const int64_t *table() const { return words; }
  int64_t parameterCount() const { return words[2]; }
  int64_t symbolCount() const { return words[3]; }
  /// Words that a launch takes.
  int64_t launchWords() const { return words[6]; }

  const SymbolEntry &symbol(int64_t index) const {
    const int64_t *first = words + TW_SIGNATURE_HEADER_WORDS;
    return reinterpret_cast<const SymbolEntry *>(first)[index];
  }
  const ParameterEntry &parameter(int64_t index) const {
    const int64_t *first =
        words + TW_SIGNATURE_HEADER_WORDS + symbolCount() * TW_SIGNATURE_SYMBOL_WORDS;
    return reinterpret_cast<const ParameterEntry *>(first)[index];
  }
  const DimEntry *extents(const ParameterEntry &parameter) const {
    return reinterpret_cast<const DimEntry *>(words + parameter.dims);
  }
  const DimEntry *strides(const ParameterEntry &parameter) const {
    return extents(parameter) + parameter.rank;
  }
  /// Of an extent or stride of kind TW_DIM_EXPRESSION.
  const ExpressionEntry &expression(const DimEntry &dim) const {
    return *reinterpret_cast<const ExpressionEntry *>(words + dim.value);
  }
  const char *text(const ExpressionEntry &expression) const {
    return string(expression.text);
  }
  const char *name(const SymbolEntry &symbol) const { return string(symbol.name); }
  const char *name(const ParameterEntry &parameter) const {
    return string(parameter.name);
  }
};

/// Bytes of the least piece of memory with a whole number of elements, and how many.
int64_t itemSize(int64_t dtype);
int64_t elementsPerItem(int64_t dtype);
/// As users write it: "float32", "bfloat16", ...
const char *dtypeName(int64_t dtype);

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_SIGNATURE_H
