//===- Lexer.cpp - PTX text as tokens -----------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Lexer.h"

#include <array>
#include <charconv>
#include <cstring>
#include <limits>

using namespace tilewright::ptx;

namespace {

enum CharClass : uint8_t { Word = 1, WordStart = 2, Digit = 4, HexDigit = 8, Blank = 16 };

constexpr std::array<uint8_t, 256> makeClasses() {
  std::array<uint8_t, 256> classes{};
  for (unsigned c = 0; c < 26; ++c)
    classes['a' + c] = classes['A' + c] =
        uint8_t(Word | WordStart | (c < 6 ? HexDigit : 0));
  for (unsigned c = '0'; c <= '9'; ++c)
    classes[c] = Word | Digit | HexDigit;
  classes['_'] = classes['$'] = Word | WordStart;
  for (char c : {' ', '\t', '\r', '\n', '\v', '\f'})
    classes[uint8_t(c)] = Blank;
  return classes;
}

constexpr std::array<uint8_t, 256> classes = makeClasses();

bool isClass(char c, uint8_t which) { return classes[uint8_t(c)] & which; }

/// The value of a hexadecimal digit; 16 of another character.
unsigned digitValue(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return 16;
}

} // namespace

/// Moves to the next character that is neither blank nor comment; false where a comment
/// does not end.
bool Lexer::skipBlanks() {
  while (position < text.size()) {
    char c = text[position];
    if (c == '\n') {
      lineStart = ++position;
      ++line;
    } else if (isClass(c, Blank)) {
      ++position;
    } else if (c == '/' && peek(1) == '/') {
      size_t end = text.find('\n', position);
      position = uint32_t(end == text.npos ? text.size() : end);
    } else if (c == '/' && peek(1) == '*') {
      size_t end = text.find("*/", position + 2);
      if (end == text.npos)
        return false;
      for (; position < end + 2; ++position)
        if (text[position] == '\n') {
          ++line;
          lineStart = position + 1;
        }
    } else {
      break;
    }
  }
  return true;
}

void Lexer::skipWord() {
  while (isClass(peek(), Word))
    ++position;
}

Token &Lexer::finish(Token &token, Token::Kind kind) {
  token.kind = kind;
  token.end = position;
  token.text = text.substr(token.begin, position - token.begin);
  return token;
}

Token &Lexer::invalid(Token &token, std::string_view why) {
  finish(token, Token::Invalid);
  token.text = why;
  return token;
}

Token Lexer::next() {
  Token token;
  bool sound = skipBlanks();
  token.line = line;
  token.column = position - lineStart + 1;
  token.begin = position;
  if (!sound) {
    position = uint32_t(text.size());
    return invalid(token, "the comment has no end");
  }
  if (position >= text.size())
    return finish(token, Token::End);

  char c = text[position];
  if (isClass(c, WordStart) || (c == '%' && isClass(peek(1), Word))) {
    ++position;
    skipWord();
    return finish(token, Token::Identifier);
  }
  if (isClass(c, Digit))
    return lexNumber(token);
  if (c == '.' && isClass(peek(1), Word)) {
    ++position;
    skipWord();
    while (peek() == ':' && peek(1) == ':' && isClass(peek(2), Word)) {
      position += 2;
      skipWord();
    }
    finish(token, Token::Dotted);
    token.text.remove_prefix(1);
    return token;
  }
  if (c == '"') {
    for (++position; position < text.size() && text[position] != '"'; ++position) {
      if (text[position] == '\n')
        break;
      if (text[position] == '\\' && peek(1) != '\n')
        ++position;
    }
    if (peek() != '"') {
      if (position > text.size())
        position = uint32_t(text.size());
      return invalid(token, "the string has no end");
    }
    ++position;
    finish(token, Token::String);
    token.text = token.text.substr(1, token.text.size() - 2);
    return token;
  }
  static constexpr std::string_view pairs[] = {
      "<<", ">>", "<=", ">=", "==", "!=", "&&", "||"};
  for (std::string_view pair : pairs)
    if (c == pair[0] && peek(1) == pair[1]) {
      position += 2;
      return finish(token, Token::Punctuation);
    }
  ++position;
  if (c != '\0' && strchr("()[]{}<>,;:=+-*/%!~&|^?@", c))
    return finish(token, Token::Punctuation);
  return invalid(token, "a character that PTX does not use");
}

Token Lexer::nextNumber(const Token &dotted) {
  Token token;
  token.line = dotted.line;
  token.column = dotted.column;
  token.begin = position = dotted.begin;
  return lexDecimalFloat(token);
}

/// 0f3F800000, 0d..., 0x, 0b, octal with a leading 0, decimal; a decimal point or an
/// exponent make a double.
Token &Lexer::lexNumber(Token &token) {
  char second = peek(1);
  if (peek() == '0') {
    if (second == 'f' || second == 'F')
      return lexHexFloat(token, 8);
    if (second == 'd' || second == 'D')
      return lexHexFloat(token, 16);
    if (second == 'x' || second == 'X')
      return lexInteger(token, 16, 2);
    if (second == 'b' || second == 'B')
      return lexInteger(token, 2, 2);
  }
  size_t end = position;
  while (end < text.size() && isClass(text[end], Digit))
    ++end;
  char after = end < text.size() ? text[end] : '\0';
  if (after == '.' || after == 'e' || after == 'E')
    return lexDecimalFloat(token);
  bool octal = peek() == '0' && isClass(second, Digit);
  return lexInteger(token, octal ? 8 : 10, octal ? 1 : 0);
}

Token &Lexer::lexHexFloat(Token &token, unsigned digits) {
  position += 2;
  unsigned count = 0;
  for (; isClass(peek(), HexDigit) && count < digits; ++count, ++position)
    token.bits = token.bits << 4 | digitValue(peek());
  bool sound = count == digits && !isClass(peek(), Word);
  skipWord();
  if (!sound)
    return invalid(token, digits == 8 ? "0f needs eight hexadecimal digits"
                                      : "0d needs sixteen hexadecimal digits");
  token.isDouble = digits == 16;
  return finish(token, Token::Float);
}

Token &Lexer::lexDecimalFloat(Token &token) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data() + position, text.data() + text.size(),
                                      value, std::chars_format::general);
  position = uint32_t(end - text.data());
  bool sound = error != std::errc::invalid_argument && !isClass(peek(), Word);
  skipWord();
  if (position == token.begin)
    ++position;
  if (!sound)
    return invalid(token, "not a number");
  if (error == std::errc::result_out_of_range)
    return invalid(token, "the number does not fit an f64");
  memcpy(&token.bits, &value, sizeof value);
  token.isDouble = true;
  return finish(token, Token::Float);
}

Token &Lexer::lexInteger(Token &token, unsigned base, size_t prefix) {
  position += uint32_t(prefix);
  uint64_t value = 0;
  bool any = base == 8 || base == 10, fits = true;
  for (unsigned digit; (digit = digitValue(peek())) < base; ++position) {
    any = true;
    fits = fits && value <= (~uint64_t(0) - digit) / base;
    value = value * base + digit;
  }
  token.isUnsigned = value > uint64_t(std::numeric_limits<int64_t>::max());
  if (peek() == 'U') {
    token.isUnsigned = true;
    ++position;
  }
  bool sound = any && !isClass(peek(), Word);
  skipWord();
  if (!sound)
    return invalid(token, "not a number");
  if (!fits)
    return invalid(token, "the integer does not fit 64 bits");
  token.bits = value;
  return finish(token, Token::Integer);
}
