//===- Lexer.h - PTX text as tokens -------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_LEXER_H
#define TILEWRIGHT_EMULATORS_PTX_LEXER_H

#include <cstdint>
#include <string_view>

namespace tilewright::ptx {

struct Token {
  enum Kind : uint8_t {
    End,
    Invalid,     ///< `text` says why
    Identifier,  ///< foo, %r1, $L__BB0_1, _
    Dotted,      ///< .global, .2d, .shared::cta; `text` is without the dot
    Integer,     ///< `bits`
    Float,       ///< `bits` of an f64, or of an f32 (0f)
    String,      ///< `text` is without the quotes
    Punctuation, ///< `text`, one or two characters
  };
  Kind kind = End;
  bool isUnsigned = false; ///< of an integer: U, or too large for 64 bits with a sign
  bool isDouble = false;   ///< of a float
  uint32_t line = 1, column = 1;
  uint32_t begin = 0, end = 0; ///< in the text
  uint64_t bits = 0;
  std::string_view text;

  bool is(std::string_view punctuation) const {
    return kind == Punctuation && text == punctuation;
  }
  bool isDotted(std::string_view name) const { return kind == Dotted && text == name; }
};

/// Gives the tokens of a text one after another; End for ever after the last. Comments
/// and white space separate tokens and mean nothing else.
class Lexer {
public:
  explicit Lexer(std::string_view text) : text(text) {}

  Token next();

  /// Reads the number that starts at `.5`, which is a modifier elsewhere.
  Token nextNumber(const Token &dotted);

private:
  char peek(size_t ahead = 0) const {
    return position + ahead < text.size() ? text[position + ahead] : '\0';
  }
  bool skipBlanks();
  void skipWord();
  Token &finish(Token &token, Token::Kind kind);
  Token &invalid(Token &token, std::string_view why);
  Token &lexNumber(Token &token);
  Token &lexHexFloat(Token &token, unsigned digits);
  Token &lexDecimalFloat(Token &token);
  Token &lexInteger(Token &token, unsigned base, size_t prefix);

  std::string_view text;
  uint32_t position = 0;
  uint32_t line = 1, lineStart = 0;
};

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_LEXER_H
