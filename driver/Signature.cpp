//===- Signature.cpp - The table that launches are checked against ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Signature.h"

#include "tilewright/abi.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace tilewright;

namespace {
/// Builds the table word by word; see abi.h for its layout.
class SignatureEncoder {
public:
  explicit SignatureEncoder(func::FuncOp function) : function(function) {}

  FailureOr<std::vector<int64_t>> encode();

private:
  LogicalResult addSymbol(DictionaryAttr symbol);
  LogicalResult addParameter(DictionaryAttr parameter, Type type);
  LogicalResult addTensor(DictionaryAttr parameter, MemRefType type);
  FailureOr<std::pair<int64_t, int64_t>> encodeDim(Attribute dim);
  FailureOr<int64_t> encodeExpression(DictionaryAttr expression);
  int64_t addString(StringRef text);
  InFlightDiagnostic error() { return function.emitError("malformed tile.signature: "); }

  func::FuncOp function;
  std::vector<int64_t> symbolWords, parameterWords, dimWords, expressionWords;
  SmallVector<std::string> symbols, parameters;
  std::string strings;
  int64_t launchWords = 0;
};
} // namespace

static std::optional<tw_dtype> parseDtype(StringRef name) {
  return llvm::StringSwitch<std::optional<tw_dtype>>(name)
      .Case("bool", TW_BOOL)
      .Case("i8", TW_I8)
      .Case("i16", TW_I16)
      .Case("i32", TW_I32)
      .Case("i64", TW_I64)
      .Case("u8", TW_U8)
      .Case("u16", TW_U16)
      .Case("u32", TW_U32)
      .Case("u64", TW_U64)
      .Case("f16", TW_F16)
      .Case("bf16", TW_BF16)
      .Case("f32", TW_F32)
      .Case("f64", TW_F64)
      .Case("f8e4m3fn", TW_F8E4M3FN)
      .Case("f8e5m2", TW_F8E5M2)
      .Case("f8e4m3fnuz", TW_F8E4M3FNUZ)
      .Case("f8e5m2fnuz", TW_F8E5M2FNUZ)
      .Case("f8e4m3b11fnuz", TW_F8E4M3B11FNUZ)
      .Case("f8e8m0fnu", TW_F8E8M0FNU)
      .Case("f4e2m1fn", TW_F4E2M1FN)
      .Default(std::nullopt);
}

static int64_t getInt(DictionaryAttr dict, StringRef key, int64_t otherwise) {
  auto value = dict.getAs<IntegerAttr>(key);
  return value ? value.getInt() : otherwise;
}

static StringRef getString(DictionaryAttr dict, StringRef key) {
  auto value = dict.getAs<StringAttr>(key);
  return value ? value.getValue() : StringRef();
}

int64_t SignatureEncoder::addString(StringRef text) {
  int64_t offset = strings.size();
  strings.append(text.begin(), text.end());
  strings.push_back('\0');
  return offset;
}

LogicalResult SignatureEncoder::addSymbol(DictionaryAttr symbol) {
  StringRef name = getString(symbol, "name");
  if (name.empty())
    return error() << "a symbol has no name";
  symbols.push_back(name.str());
  symbolWords.insert(symbolWords.end(),
                     {addString(name), getInt(symbol, "min", 0),
                      getInt(symbol, "max", -1), getInt(symbol, "multiple_of", 1)});
  return success();
}

/// Kind and value of an extent or stride.
FailureOr<std::pair<int64_t, int64_t>> SignatureEncoder::encodeDim(Attribute dim) {
  if (auto constant = dyn_cast<IntegerAttr>(dim))
    return std::pair<int64_t, int64_t>(TW_DIM_CONST, constant.getInt());
  if (auto expression = dyn_cast<DictionaryAttr>(dim)) {
    FailureOr<int64_t> place = encodeExpression(expression);
    if (failed(place))
      return failure();
    return std::pair<int64_t, int64_t>(TW_DIM_EXPRESSION, *place);
  }
  auto name = dyn_cast<StringAttr>(dim);
  if (name && name.getValue() == "contiguous")
    return std::pair<int64_t, int64_t>(TW_DIM_CONTIGUOUS, 0);
  if (name && name.getValue() == "any")
    return std::pair<int64_t, int64_t>(TW_DIM_ANY, 0);
  auto symbol = name ? llvm::find(symbols, name.getValue()) : symbols.end();
  if (symbol == symbols.end())
    return error() << "unknown size " << dim;
  return std::pair<int64_t, int64_t>(TW_DIM_SYMBOL, symbol - symbols.begin());
}

/// Adds `{text = "m * 2", steps = ["size m", 2, "mul"]}`; gives its place among the
/// expressions.
FailureOr<int64_t> SignatureEncoder::encodeExpression(DictionaryAttr expression) {
  auto steps = expression.getAs<ArrayAttr>("steps");
  if (!steps || steps.empty() || steps.size() > TW_MAX_EXPRESSION_STEPS)
    return error() << "an expression has 1 to " << TW_MAX_EXPRESSION_STEPS << " steps";
  int64_t place = expressionWords.size();
  expressionWords.push_back(addString(getString(expression, "text")));
  expressionWords.push_back(steps.size());
  for (Attribute step : steps) {
    if (auto number = dyn_cast<IntegerAttr>(step)) {
      expressionWords.insert(expressionWords.end(), {TW_STEP_CONST, number.getInt()});
      continue;
    }
    auto word = dyn_cast<StringAttr>(step);
    auto [kind, name] =
        word ? word.getValue().split(' ') : std::pair<StringRef, StringRef>();
    auto operation = llvm::StringSwitch<std::optional<tw_step_kind>>(kind)
                         .Case("size", TW_STEP_SYMBOL)
                         .Case("add", TW_STEP_ADD)
                         .Case("sub", TW_STEP_SUB)
                         .Case("mul", TW_STEP_MUL)
                         .Case("floordiv", TW_STEP_FLOORDIV)
                         .Case("mod", TW_STEP_MOD)
                         .Case("ceildiv", TW_STEP_CEILDIV)
                         .Case("min", TW_STEP_MIN)
                         .Case("max", TW_STEP_MAX)
                         .Default(std::nullopt);
    auto *symbol = llvm::find(symbols, name);
    if (!operation || (operation == TW_STEP_SYMBOL && symbol == symbols.end()))
      return error() << "unknown step " << step;
    int64_t value = operation == TW_STEP_SYMBOL ? symbol - symbols.begin() : 0;
    expressionWords.insert(expressionWords.end(), {*operation, value});
  }
  return place;
}

LogicalResult SignatureEncoder::addTensor(DictionaryAttr parameter, MemRefType type) {
  auto dims = parameter.getAs<ArrayAttr>("dims");
  int64_t rank = type.getRank();
  if (!dims || static_cast<int64_t>(dims.size()) != rank || rank > TW_MAX_RANK)
    return error() << "'" << getString(parameter, "name") << "' needs " << rank
                   << " dims";
  auto strides = parameter.getAs<ArrayAttr>("strides");
  if (strides && static_cast<int64_t>(strides.size()) != rank)
    return error() << "'" << getString(parameter, "name") << "' needs " << rank
                   << " strides";
  Attribute contiguous = StringAttr::get(function.getContext(), "contiguous");
  SmallVector<Attribute> entries(dims.begin(), dims.end());
  for (int64_t dim = 0; dim < rank; ++dim)
    entries.push_back(strides ? strides[dim] : contiguous);
  for (Attribute entry : entries) {
    auto encoded = encodeDim(entry);
    if (failed(encoded))
      return failure();
    dimWords.insert(dimWords.end(), {encoded->first, encoded->second});
  }
  launchWords += 1 + 2 * rank;
  return success();
}

LogicalResult SignatureEncoder::addParameter(DictionaryAttr parameter, Type type) {
  StringRef name = getString(parameter, "name");
  std::optional<tw_dtype> dtype = parseDtype(getString(parameter, "dtype"));
  if (name.empty() || !dtype)
    return error() << "a parameter needs a name and a dtype";
  auto tensor = dyn_cast<MemRefType>(type);
  bool isTensor = getString(parameter, "kind") == "tensor";
  if (isTensor != static_cast<bool>(tensor))
    return error() << "'" << name << "' is of another kind than its type " << type;

  int64_t rank = 0, firstDim = dimWords.size(), flags = 0, alias = 0;
  if (isTensor) {
    rank = tensor.getRank();
    flags = (parameter.get("read") ? TW_PARAM_READ : 0) |
            (parameter.get("write") ? TW_PARAM_WRITE : 0);
    if (StringRef other = getString(parameter, "alias"); !other.empty()) {
      auto *target = llvm::find(parameters, other);
      if (target == parameters.end() || other == name)
        return error() << "'" << name << "' aliases no other parameter '" << other << "'";
      alias = 1 + (target - parameters.begin());
    }
    if (failed(addTensor(parameter, tensor)))
      return failure();
  } else {
    if (StringRef symbol = getString(parameter, "symbol"); !symbol.empty()) {
      auto position = llvm::find(symbols, symbol);
      if (position == symbols.end())
        return error() << "'" << name << "' defines no symbol '" << symbol << "'";
      rank = -1 - (position - symbols.begin());
    }
    ++launchWords;
  }
  parameterWords.insert(parameterWords.end(),
                        {isTensor ? TW_PARAM_TENSOR : TW_PARAM_SCALAR, addString(name),
                         *dtype, rank, flags, getInt(parameter, "align", 1), firstDim,
                         alias});
  return success();
}

FailureOr<std::vector<int64_t>> SignatureEncoder::encode() {
  auto signature = function->getAttrOfType<DictionaryAttr>("tile.signature");
  auto symbolAttrs = signature ? signature.getAs<ArrayAttr>("symbols") : ArrayAttr();
  auto parameterAttrs = signature ? signature.getAs<ArrayAttr>("params") : ArrayAttr();
  if (!symbolAttrs || !parameterAttrs ||
      parameterAttrs.size() != function.getNumArguments())
    return error() << "it takes symbols, and params for " << function.getNumArguments()
                   << " arguments";
  for (Attribute symbol : symbolAttrs)
    if (failed(addSymbol(cast<DictionaryAttr>(symbol))))
      return failure();
  for (Attribute parameter : parameterAttrs)
    parameters.push_back(getString(cast<DictionaryAttr>(parameter), "name").str());
  for (auto [parameter, type] : llvm::zip(parameterAttrs, function.getArgumentTypes()))
    if (failed(addParameter(cast<DictionaryAttr>(parameter), type)))
      return failure();

  int64_t dimsStart =
      TW_SIGNATURE_HEADER_WORDS + symbolWords.size() + parameterWords.size();
  for (size_t i = 0; i < parameterWords.size(); i += TW_SIGNATURE_PARAM_WORDS)
    parameterWords[i + 6] += dimsStart;
  int64_t expressionsStart = dimsStart + dimWords.size();
  for (size_t i = 0; i < dimWords.size(); i += 2)
    if (dimWords[i] == TW_DIM_EXPRESSION)
      dimWords[i + 1] += expressionsStart;
  int64_t stringsStart = expressionsStart + expressionWords.size();
  int64_t stringWords = llvm::divideCeil(strings.size(), sizeof(int64_t));
  std::vector<int64_t> table{TW_SIGNATURE_MAGIC,
                             stringsStart + stringWords,
                             static_cast<int64_t>(parameterAttrs.size()),
                             static_cast<int64_t>(symbolAttrs.size()),
                             stringsStart,
                             static_cast<int64_t>(strings.size()),
                             launchWords,
                             0};
  for (const auto *words : {&symbolWords, &parameterWords, &dimWords, &expressionWords})
    table.insert(table.end(), words->begin(), words->end());
  table.resize(stringsStart + stringWords);
  std::memcpy(table.data() + stringsStart, strings.data(), strings.size());
  return table;
}

FailureOr<std::vector<int64_t>> tilewright::encodeSignature(func::FuncOp function) {
  return SignatureEncoder(function).encode();
}
