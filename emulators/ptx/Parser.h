//===- Parser.h - From PTX text to a Module -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A parser by recursive descent with one token of lookahead. Functions that parse return
// false after they have noted an error, and nobody goes on after that. What recurses is
// counted, so no text makes it run out of stack: scopes are a list, expressions and
// initial values have a greatest depth.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_PARSER_H
#define TILEWRIGHT_EMULATORS_PTX_PARSER_H

#include "emulators/ptx/Lexer.h"
#include "emulators/ptx/Symbols.h"

namespace tilewright::ptx {

class Parser {
public:
  Parser(Module &module, SyntaxError &error);

  bool parseModule();

private:
  struct Linkage {
    bool isExtern = false, isCommon = false;
  };
  /// The value of a constant expression.
  struct Constant {
    enum Kind : uint8_t { Signed, Unsigned, Single, Double } kind = Signed;
    uint64_t bits = 0;
    bool isInteger() const { return kind <= Unsigned; }
  };
  using Extents = std::vector<uint64_t>;

  // Tokens and errors. `fail` and `expected` return false.
  void advance();
  Token peek() const;
  bool fail(std::string message) { return failAt(token.line, token.column, message); }
  bool failAt(uint32_t line, uint32_t column, std::string message);
  bool expected(const char *what);
  bool accept(std::string_view punctuation);
  bool acceptDotted(std::string_view name);
  bool expect(const char *punctuation);
  bool expectIdentifier(std::string_view &name, const char *what);
  /// An integer literal of at most `most`.
  bool expectInteger(uint64_t &value, uint64_t most, const char *what);
  bool expectInteger(uint32_t &value, const char *what);

  // Directives.
  bool parseHeader();
  bool parseTopLevel();
  bool parseLinkage(Linkage &linkage);
  bool parseFile();
  bool parseLocation();
  bool parseFileLineColumn(SourceLocation &location);
  bool parsePragma();
  bool skipSection();
  bool parseAttributes();

  // Functions.
  bool parseFunction(const Linkage &linkage);
  bool parseSignature(Function &function, Token &name);
  bool parseParameters(Function &function, std::vector<Variable> &list);
  bool parseFunctionDirective(Function &function, bool &found);
  bool parseFunctionDirectives(Function &function);
  bool parseExtents(uint32_t (&extents)[3], const char *what);
  bool addFunction(Function &function, const Token &place, bool isDeclaration);
  bool parseBody();
  bool parseBodyDirective();
  bool closeScope();
  bool parseRegisters();

  // Variables.
  bool parseVariables(Space space, const Linkage &linkage);
  bool parseVariableType(Variable &variable);
  bool parseDeclarator(Variable &variable, Extents &extents);
  bool computeSize(Variable &variable, const Extents &extents);
  bool addVariable(Variable &variable, const Token &place);
  std::string_view makeUnique(std::string_view name);

  // Initial values.
  bool parseInitial(Variable &variable, Extents &extents);
  bool parseInitialArray(Variable &variable, const Extents &extents, size_t level,
                         uint64_t offset, uint64_t &count);
  bool parseInitialElement(Variable &variable, uint64_t offset);
  bool parseInitialAddress(Variable &variable, uint64_t offset);
  bool writeInitial(Variable &variable, uint64_t offset, uint64_t bits, unsigned bytes);

  // Constant expressions.
  bool parseConstant(Constant &result);
  bool parseBinary(Constant &result, unsigned least);
  bool parseUnary(Constant &result);
  bool parsePrimary(Constant &result);
  bool parseCast(Constant &result);
  bool apply(std::string_view op, Constant &left, const Constant &right);
  /// A sum of constants that starts with + or -; nothing if the next token is neither.
  bool parseOffset(int64_t &offset);

  // Statements and operands.
  bool parseStatement();
  bool parseLabel(const Token &name);
  bool parseTable(const Token &name);
  bool parseCallTargets(std::vector<Operand> &targets);
  bool parsePrototype();
  bool parseGuard(Statement &statement);
  bool parseLabelUse(std::vector<Operand> &operands, uint32_t index, bool inTable);
  bool parseOperand(Operand &operand, bool isCall);
  bool parseSimpleOperand(Operand &operand);
  bool parseNamedOperand(Operand &operand);
  bool parseRegister(const Symbol &symbol, Operand &operand);
  bool parseSpecial(const Token &name, Operand &operand);
  bool parseAddress(Operand &operand);
  bool parseItems(Operand &operand, const char *end);
  bool parseImmediate(Operand &operand);

  Module &module;
  SyntaxError &error;
  Lexer lexer;
  Token token;
  uint32_t previousEnd = 0; ///< where the token before `token` ends
  ScopeStack scopes;
  Function *function = nullptr; ///< the one whose text this is
  /// How often names of variables and tables occurred in the function.
  std::unordered_map<std::string_view, uint32_t> nameCounts;
  uint32_t location = 0;
  uint64_t variableBytes = 0;
  uint64_t initialBytes = 0;
  unsigned depth = 0; ///< of expressions and initial values
};

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_PARSER_H
