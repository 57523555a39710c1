//===- Signature.cpp - A view of an artifact's signature table ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Signature.h"

#include "Error.h"

using namespace tilewright;

namespace {
struct DtypeFacts {
  const char *name;
  int64_t size;
};
} // namespace

/// Indexed by tw_dtype.
static constexpr DtypeFacts dtypes[] = {{"bool", 1},
                                        {"int8", 1},
                                        {"int16", 2},
                                        {"int32", 4},
                                        {"int64", 8},
                                        {"uint8", 1},
                                        {"uint16", 2},
                                        {"uint32", 4},
                                        {"uint64", 8},
                                        {"float16", 2},
                                        {"bfloat16", 2},
                                        {"float32", 4},
                                        {"float64", 8},
                                        {"float8_e4m3fn", 1},
                                        {"float8_e5m2", 1},
                                        {"float8_e4m3fnuz", 1},
                                        {"float8_e5m2fnuz", 1},
                                        {"float8_e4m3b11fnuz", 1},
                                        {"float8_e8m0fnu", 1},
                                        {"float4_e2m1fn", 1}};
static constexpr int64_t dtypeCount = sizeof(dtypes) / sizeof(dtypes[0]);
static_assert(dtypeCount == TW_F4E2M1FN + 1);

int64_t tilewright::itemSize(int64_t dtype) { return dtypes[dtype].size; }

int64_t tilewright::elementsPerItem(int64_t dtype) {
  return dtype == TW_F4E2M1FN ? 2 : 1;
}

const char *tilewright::dtypeName(int64_t dtype) {
  return dtype >= 0 && dtype < dtypeCount ? dtypes[dtype].name : "an unknown dtype";
}

/// The longest table there can be: what lies behind a damaged length is not read.
static constexpr int64_t maximumWords = 1 << 16;

static bool inRange(int64_t value, int64_t low, int64_t high) {
  return value >= low && value <= high;
}

/// Whether the words from `begin` on are an expression that ends by `end`, and its steps
/// leave one value, without ever taking one that is not there.
static bool isExpression(const int64_t *words, int64_t begin, int64_t end,
                         int64_t symbols, int64_t stringBytes) {
  if (!inRange(words[begin], 0, stringBytes - 1) ||
      !inRange(words[begin + 1], 1, TW_MAX_EXPRESSION_STEPS) ||
      words[begin + 1] > (end - begin - 2) / 2)
    return false;
  const auto &expression = *reinterpret_cast<const ExpressionEntry *>(words + begin);
  int64_t depth = 0;
  for (int64_t i = 0; i < expression.count; ++i) {
    const StepEntry &step = expression.steps()[i];
    if (!inRange(step.kind, TW_STEP_CONST, TW_STEP_MAX) ||
        (step.kind == TW_STEP_SYMBOL && !inRange(step.value, 0, symbols - 1)))
      return false;
    bool isOperand = step.kind == TW_STEP_CONST || step.kind == TW_STEP_SYMBOL;
    if (!isOperand && depth < 2)
      return false;
    depth += isOperand ? 1 : -1;
  }
  return depth == 1;
}

static bool isDim(const Signature &signature, const DimEntry &dim, int64_t dimsStart,
                  bool stride) {
  const int64_t *words = signature.table();
  int64_t symbols = signature.symbolCount(), stringOffset = words[4];
  switch (dim.kind) {
  case TW_DIM_EXPRESSION:
    return inRange(dim.value, dimsStart, stringOffset - 4) &&
           isExpression(words, dim.value, stringOffset, symbols, words[5]);
  case TW_DIM_CONST:
    return stride || dim.value >= 0;
  case TW_DIM_SYMBOL:
    return inRange(dim.value, 0, symbols - 1);
  case TW_DIM_CONTIGUOUS:
  case TW_DIM_ANY:
    return stride;
  default:
    return false;
  }
}

/// What is wrong with the table, or nullptr.
static const char *findFlaw(const Signature &signature) {
  const int64_t *words = signature.table();
  if (words[0] != TW_SIGNATURE_MAGIC)
    return "has the wrong magic number";
  int64_t total = words[1], stringOffset = words[4], stringBytes = words[5];
  int64_t parameters = signature.parameterCount(), symbols = signature.symbolCount();
  if (!inRange(total, TW_SIGNATURE_HEADER_WORDS, maximumWords))
    return "has an impossible length";
  if (!inRange(parameters, 0, maximumParameters) || !inRange(symbols, 0, maximumSymbols))
    return "has too many parameters or symbols";
  int64_t dimsStart = TW_SIGNATURE_HEADER_WORDS + symbols * TW_SIGNATURE_SYMBOL_WORDS +
                      parameters * TW_SIGNATURE_PARAM_WORDS;
  if (!inRange(stringOffset, dimsStart, total) ||
      !inRange(stringBytes, 0, (total - stringOffset) * 8))
    return "has strings outside the table";
  if (stringBytes &&
      reinterpret_cast<const char *>(words + stringOffset)[stringBytes - 1] != 0)
    return "has an unterminated string";

  for (int64_t i = 0; i < symbols; ++i) {
    const SymbolEntry &symbol = signature.symbol(i);
    if (!inRange(symbol.name, 0, stringBytes - 1) || symbol.multipleOf < 1)
      return "has a malformed symbol";
  }
  int64_t launchWords = 0;
  for (int64_t i = 0; i < parameters; ++i) {
    const ParameterEntry &parameter = signature.parameter(i);
    if (!inRange(parameter.name, 0, stringBytes - 1) ||
        !inRange(parameter.dtype, 0, dtypeCount - 1))
      return "has a malformed parameter";
    if (parameter.kind == TW_PARAM_SCALAR) {
      if (!inRange(parameter.symbol(), -1, symbols - 1))
        return "has a scalar of an unknown symbol";
      launchWords += 1;
      continue;
    }
    int64_t rank = parameter.rank, alignment = parameter.alignment;
    if (parameter.kind != TW_PARAM_TENSOR || !inRange(rank, 0, TW_MAX_RANK) ||
        !inRange(parameter.dims, rank ? dimsStart : 0, stringOffset - 4 * rank) ||
        alignment < 1 || (alignment & (alignment - 1)) ||
        !inRange(parameter.alias, 0, parameters))
      return "has a malformed parameter";
    for (int64_t d = 0; d < rank; ++d)
      if (!isDim(signature, signature.extents(parameter)[d], dimsStart, false) ||
          !isDim(signature, signature.strides(parameter)[d], dimsStart, true))
        return "has a malformed dimension";
    if (elementsPerItem(parameter.dtype) > 1 && rank == 0)
      return "has a single element that is a part of a byte";
    for (int64_t d = 0; d < rank && elementsPerItem(parameter.dtype) > 1; ++d)
      if (signature.strides(parameter)[d].kind != TW_DIM_CONTIGUOUS)
        return "has strides between elements that share bytes";
    launchWords += 1 + 2 * rank;
  }
  return launchWords == signature.launchWords() ? nullptr
                                                : "states a wrong number of words";
}

tw_status Signature::validate(const char *where) const {
  if (const char *flaw = findFlaw(*this))
    return fail(TW_ERROR_ARTIFACT, "%s: the signature table %s", where, flaw);
  return TW_OK;
}
