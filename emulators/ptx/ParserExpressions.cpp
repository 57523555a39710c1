//===- ParserExpressions.cpp - Constant expressions ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Parser.h"

#include <cstring>

using namespace tilewright::ptx;

static constexpr unsigned deepestExpression = 100;
static constexpr unsigned warpSize = 32;
static constexpr unsigned lowestLevel = 1, productLevel = 10;

/// How tightly a binary operator binds, as in C; 0 of another token.
static unsigned getLevel(const Token &token) {
  struct Level {
    std::string_view op;
    unsigned level;
  };
  static constexpr Level levels[] = {
      {"||", lowestLevel},
      {"&&", 2},
      {"|", 3},
      {"^", 4},
      {"&", 5},
      {"==", 6},
      {"!=", 6},
      {"<", 7},
      {">", 7},
      {"<=", 7},
      {">=", 7},
      {"<<", 8},
      {">>", 8},
      {"+", 9},
      {"-", 9},
      {"*", productLevel},
      {"/", productLevel},
      {"%", productLevel},
  };
  if (token.kind == Token::Punctuation)
    for (const Level &entry : levels)
      if (entry.op == token.text)
        return entry.level;
  return 0;
}

static double toDouble(uint64_t bits, bool isDouble, bool isUnsigned) {
  if (!isDouble)
    return isUnsigned ? double(bits) : double(int64_t(bits));
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static uint64_t toBits(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// A constant expression, `a ? b : c` included.
bool Parser::parseConstant(Constant &result) {
  if (++depth > deepestExpression)
    return fail("the expression is nested too deeply");
  if (!parseBinary(result, lowestLevel))
    return false;
  if (accept("?")) {
    if (!result.isInteger())
      return fail("the condition before '?' is an integer");
    Constant yes, no;
    if (!parseConstant(yes) || !expect(":") || !parseConstant(no))
      return false;
    result = result.bits ? yes : no;
  }
  --depth;
  return true;
}

/// Operators that bind at least as tightly as `least`.
bool Parser::parseBinary(Constant &result, unsigned least) {
  if (!parseUnary(result))
    return false;
  while (unsigned level = getLevel(token)) {
    if (level < least)
      break;
    std::string_view op = token.text;
    Constant right;
    advance();
    if (!parseBinary(right, level + 1) || !apply(op, result, right))
      return false;
  }
  return true;
}

bool Parser::parseUnary(Constant &result) {
  bool isUnary = token.is("-") || token.is("+") || token.is("~") || token.is("!");
  if (!isUnary)
    return parsePrimary(result);
  if (++depth > deepestExpression)
    return fail("the expression is nested too deeply");
  Token op = token;
  advance();
  if (!parseUnary(result))
    return false;
  --depth;
  if (result.kind == Constant::Single ||
      (result.kind == Constant::Double && (op.is("~") || op.is("!"))))
    return failAt(op.line, op.column,
                  "'" + std::string(op.text) + "' of such a float is not possible");
  if (op.is("-"))
    result.bits =
        result.isInteger() ? -result.bits : toBits(-toDouble(result.bits, true, false));
  else if (op.is("~"))
    result.bits = ~result.bits;
  else if (op.is("!"))
    result = {Constant::Signed, result.bits == 0};
  return true;
}

bool Parser::parsePrimary(Constant &result) {
  if (token.kind == Token::Dotted && token.text[0] >= '0' && token.text[0] <= '9')
    token = lexer.nextNumber(token);
  if (token.kind == Token::Integer) {
    result = {token.isUnsigned ? Constant::Unsigned : Constant::Signed, token.bits};
  } else if (token.kind == Token::Float) {
    result = {token.isDouble ? Constant::Double : Constant::Single, token.bits};
  } else if (token.kind == Token::Identifier && token.text == "WARP_SZ") {
    result = {Constant::Signed, warpSize};
  } else if (accept("(")) {
    if (token.isDotted("s64") || token.isDotted("u64"))
      return parseCast(result);
    return parseConstant(result) && expect(")");
  } else {
    return expected("a number");
  }
  advance();
  return true;
}

/// `.s64) 5` after the parenthesis of a cast.
bool Parser::parseCast(Constant &result) {
  bool isSigned = token.isDotted("s64");
  advance();
  if (!expect(")"))
    return false;
  if (++depth > deepestExpression)
    return fail("the expression is nested too deeply");
  if (!parseUnary(result))
    return false;
  --depth;
  if (!result.isInteger())
    return fail("only integers are cast");
  result.kind = isSigned ? Constant::Signed : Constant::Unsigned;
  return true;
}

/// `left op right` of doubles; false for an operator that they do not have.
static bool applyToDoubles(std::string_view op, double left, double right,
                           bool &isInteger, uint64_t &bits) {
  isInteger = false;
  if (op == "+")
    bits = toBits(left + right);
  else if (op == "-")
    bits = toBits(left - right);
  else if (op == "*")
    bits = toBits(left * right);
  else if (op == "/")
    bits = toBits(left / right);
  else {
    isInteger = true;
    if (op == "<")
      bits = left < right;
    else if (op == ">")
      bits = left > right;
    else if (op == "<=")
      bits = left <= right;
    else if (op == ">=")
      bits = left >= right;
    else if (op == "==")
      bits = left == right;
    else if (op == "!=")
      bits = left != right;
    else
      return false;
  }
  return true;
}

/// A comparison of integers, where `less` and `equal` are known; false for other
/// operators.
static bool compare(std::string_view op, bool less, bool equal, uint64_t &bits) {
  if (op == "<")
    bits = less;
  else if (op == "<=")
    bits = less || equal;
  else if (op == ">")
    bits = !less && !equal;
  else if (op == ">=")
    bits = !less;
  else if (op == "==")
    bits = equal;
  else if (op == "!=")
    bits = !equal;
  else
    return false;
  return true;
}

/// A quotient or a remainder by `right`, which is not 0.
static uint64_t divide(bool isQuotient, uint64_t left, uint64_t right, bool isUnsigned) {
  if (isUnsigned)
    return isQuotient ? left / right : left % right;
  if (right == ~uint64_t(0)) // -1, whose quotient may overflow
    return isQuotient ? -left : 0;
  return uint64_t(isQuotient ? int64_t(left) / int64_t(right)
                             : int64_t(left) % int64_t(right));
}

static uint64_t shift(bool isLeft, uint64_t left, uint64_t count, bool isUnsigned) {
  if (count > 63)
    return isLeft || isUnsigned || int64_t(left) >= 0 ? 0 : ~uint64_t(0);
  if (isLeft)
    return left << count;
  return isUnsigned ? left >> count : uint64_t(int64_t(left) >> count);
}

/// Sets `left` to `left op right`, with 64-bit integers that are unsigned if either is,
/// or doubles if either is.
bool Parser::apply(std::string_view op, Constant &left, const Constant &right) {
  if (left.kind == Constant::Single || right.kind == Constant::Single)
    return fail("a 0f float has no operators");
  if (!left.isInteger() || !right.isInteger()) {
    bool isInteger = false;
    auto widen = [](const Constant &value) {
      return toDouble(value.bits, !value.isInteger(), value.kind == Constant::Unsigned);
    };
    if (!applyToDoubles(op, widen(left), widen(right), isInteger, left.bits))
      return fail("floats have no '" + std::string(op) + "'");
    left.kind = isInteger ? Constant::Signed : Constant::Double;
    return true;
  }

  uint64_t a = left.bits, b = right.bits;
  if (op == "<<" || op == ">>") {
    left.bits = shift(op == "<<", a, b, left.kind == Constant::Unsigned);
    return true;
  }
  bool isUnsigned = left.kind == Constant::Unsigned || right.kind == Constant::Unsigned;
  bool isLess = isUnsigned ? a < b : int64_t(a) < int64_t(b);
  if (op == "&&" || op == "||") {
    left = {Constant::Signed, op == "&&" ? a && b : a || b};
    return true;
  }
  if (compare(op, isLess, a == b, left.bits)) {
    left.kind = Constant::Signed;
    return true;
  }
  left.kind = isUnsigned ? Constant::Unsigned : Constant::Signed;
  if (op == "/" || op == "%") {
    if (b == 0)
      return fail("a division by zero");
    left.bits = divide(op == "/", a, b, isUnsigned);
  } else {
    left.bits = op == "+"   ? a + b
                : op == "-" ? a - b
                : op == "*" ? a * b
                : op == "&" ? (a & b)
                : op == "|" ? (a | b)
                            : (a ^ b);
  }
  return true;
}

bool Parser::parseOffset(int64_t &offset) {
  while (token.is("+") || token.is("-")) {
    bool isNegative = token.is("-");
    advance();
    Constant part;
    if (!parseBinary(part, productLevel))
      return false;
    if (!part.isInteger())
      return fail("an offset is an integer");
    offset = int64_t(uint64_t(offset) + (isNegative ? -part.bits : part.bits));
  }
  return true;
}
