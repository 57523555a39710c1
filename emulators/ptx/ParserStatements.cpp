//===- ParserStatements.cpp - Statements, labels and their tables -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Parser.h"

using namespace tilewright::ptx;

std::string Statement::oneLine() const {
  std::string line;
  for (char c : text) {
    bool isSpace = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!isSpace)
      line.push_back(c);
    else if (line.empty() || line.back() != ' ')
      line.push_back(' ');
  }
  return line;
}

/// `label:`, or `@!%p mov.b32 %r1, %r2;`.
bool Parser::parseStatement() {
  Statement statement;
  Token start = token;
  if (token.is("@") && !parseGuard(statement))
    return false;
  Token opcode = token;
  if (token.kind != Token::Identifier || token.text[0] == '%')
    return expected("an instruction, a label, a directive or '}'");
  advance();
  if (statement.guard == Statement::noGuard && accept(":"))
    return parseLabel(opcode);

  statement.opcode = opcode.text;
  statement.line = start.line;
  statement.location = location;
  statement.modifiers.reserve(4);
  for (; token.kind == Token::Dotted; advance())
    statement.modifiers.push_back(token.text);
  if (!token.is(";")) {
    statement.operands.reserve(4);
    bool isBranch = opcode.text == "bra", isCall = opcode.text == "call";
    do {
      uint32_t index = uint32_t(function->body.size());
      if (isBranch ? !parseLabelUse(statement.operands, index, false)
                   : !parseOperand(statement.operands.emplace_back(), isCall))
        return false;
    } while (accept(","));
  }
  if (!token.is(";"))
    return expected(statement.operands.empty() ? "an operand or ';'" : "',' or ';'");
  statement.text =
      std::string_view(module.text).substr(start.begin, previousEnd - start.begin);
  advance();
  function->body.push_back(std::move(statement));
  return true;
}

/// `@%p` or `@!%p`.
bool Parser::parseGuard(Statement &statement) {
  advance();
  statement.guardNegated = accept("!");
  Token place = token;
  Operand operand;
  if (token.kind != Token::Identifier)
    return expected("a predicate");
  if (!parseNamedOperand(operand))
    return false;
  if (operand.kind != Operand::Register ||
      function->registers[operand.reg].type != Type::Pred)
    return failAt(place.line, place.column, "a guard is a predicate register");
  statement.guard = operand.reg;
  return true;
}

/// A label among `operands` of the statement, or table, `index`. What it is is found when
/// its scope ends.
bool Parser::parseLabelUse(std::vector<Operand> &operands, uint32_t index, bool inTable) {
  Operand operand;
  operand.kind = Operand::Label;
  scopes.innermost().references.push_back(
      {token.text, token.line, token.column, index, uint32_t(operands.size()), inTable});
  if (!expectIdentifier(operand.name, "a label"))
    return false;
  operands.push_back(std::move(operand));
  return true;
}

/// What follows `name:`: nothing, or a table of which that is the name.
bool Parser::parseLabel(const Token &name) {
  if (token.isDotted("branchtargets") || token.isDotted("calltargets") ||
      token.isDotted("callprototype"))
    return parseTable(name);
  uint32_t number = uint32_t(function->labels.size());
  if (name.text == "_" || !scopes.add(name.text, {Symbol::Label, 1, number, name.text}))
    return failAt(name.line, name.column,
                  "'" + std::string(name.text) + "' is declared already");
  function->labels.push_back(uint32_t(function->body.size()));
  function->labelNames.push_back(name.text);
  return true;
}

/// `.branchtargets L1, L2;`, `.calltargets f, g;` or `.callprototype (...) _ (...);`.
bool Parser::parseTable(const Token &name) {
  std::string_view kind = token.text;
  uint32_t index = uint32_t(function->tables.size());
  Symbol symbol{Symbol::Table, 1, index, makeUnique(name.text)};
  if (!scopes.add(name.text, symbol))
    return failAt(name.line, name.column,
                  "'" + std::string(name.text) + "' is declared already");
  function->tables.push_back({symbol.name, {}});
  std::vector<Operand> &targets = function->tables.back().targets;
  advance();
  if (kind == "callprototype")
    return parsePrototype();
  if (kind == "calltargets")
    return parseCallTargets(targets);
  do {
    if (!parseLabelUse(targets, index, true))
      return false;
  } while (accept(","));
  return expect(";");
}

bool Parser::parseCallTargets(std::vector<Operand> &targets) {
  do {
    Symbol symbol = scopes.find(token.text, function);
    if (token.kind != Token::Identifier || symbol.kind != Symbol::Function)
      return expected("the name of a function declared before");
    Operand target;
    target.kind = Operand::Name;
    target.name = symbol.name;
    targets.push_back(std::move(target));
    advance();
  } while (accept(","));
  return expect(";");
}

/// `(.param .b32 _) _ (.param .b64 _) .noreturn;`. A function that is called by its
/// address says itself what its parameters are, so the prototype is read and not kept.
bool Parser::parsePrototype() {
  Function prototype;
  std::string_view name;
  scopes.open();
  if (token.is("(") && !parseParameters(prototype, prototype.results))
    return false;
  if (!expectIdentifier(name, "'_'"))
    return false;
  if (token.is("(") && !parseParameters(prototype, prototype.params))
    return false;
  if (!parseFunctionDirectives(prototype))
    return false;
  scopes.close();
  return expect(";");
}
