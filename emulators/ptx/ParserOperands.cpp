//===- ParserOperands.cpp - Operands ------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Parser.h"

using namespace tilewright::ptx;

/// Special registers; a `*` stands for a number, those with `.` have components.
static constexpr std::string_view specials[] = {"%tid.",
                                                "%ntid.",
                                                "%ctaid.",
                                                "%nctaid.",
                                                "%laneid",
                                                "%warpid",
                                                "%nwarpid",
                                                "%smid",
                                                "%nsmid",
                                                "%gridid",
                                                "%clusterid.",
                                                "%nclusterid.",
                                                "%cluster_ctaid.",
                                                "%cluster_nctaid.",
                                                "%cluster_ctarank",
                                                "%cluster_nctarank",
                                                "%is_explicit_cluster",
                                                "%lanemask_eq",
                                                "%lanemask_le",
                                                "%lanemask_lt",
                                                "%lanemask_ge",
                                                "%lanemask_gt",
                                                "%clock",
                                                "%clock_hi",
                                                "%clock64",
                                                "%globaltimer",
                                                "%globaltimer_lo",
                                                "%globaltimer_hi",
                                                "%dynamic_smem_size",
                                                "%total_smem_size",
                                                "%aggr_smem_size",
                                                "%reserved_smem_offset_begin",
                                                "%reserved_smem_offset_end",
                                                "%reserved_smem_offset_cap",
                                                "%reserved_smem_offset_*",
                                                "%current_graph_exec",
                                                "%envreg*",
                                                "%pm*",
                                                "%pm*_64"};

/// Whether `name` is `pattern`, where a `*` stands for digits and a `.` ends it.
static bool matches(std::string_view pattern, std::string_view name) {
  for (char c : pattern) {
    if (c == '.')
      return name.empty();
    size_t count = 1;
    if (c == '*') {
      count = name.find_first_not_of("0123456789");
      count = count == name.npos ? name.size() : count;
      if (count == 0)
        return false;
    } else if (name.empty() || name[0] != c) {
      return false;
    }
    name.remove_prefix(count);
  }
  return name.empty();
}

/// The component that .x to .w or .r to .a names; 4 of another name.
static unsigned getComponent(std::string_view name) {
  static constexpr std::string_view first = "xyzw", second = "rgba";
  if (name.size() != 1)
    return 4;
  size_t index = first.find(name[0]);
  if (index == first.npos)
    index = second.find(name[0]);
  return index == first.npos ? 4 : unsigned(index);
}

/// Any operand. The parentheses of a call's operands hold lists, others expressions.
bool Parser::parseOperand(Operand &operand, bool isCall) {
  if (token.is("["))
    return parseAddress(operand);
  if (token.is("{")) {
    operand.kind = Operand::Vector;
    return parseItems(operand, "}");
  }
  if (isCall && token.is("(")) {
    operand.kind = Operand::List;
    return parseItems(operand, ")");
  }
  if (!parseSimpleOperand(operand))
    return false;
  if (!token.is("|") ||
      (operand.kind != Operand::Register && operand.kind != Operand::Sink))
    return true;
  advance();
  Operand pair;
  pair.kind = Operand::Pair;
  pair.items.push_back(std::move(operand));
  if (token.kind != Token::Identifier)
    return expected("a register or '_' after '|'");
  if (!parseSimpleOperand(pair.items.emplace_back()))
    return false;
  operand = std::move(pair);
  return true;
}

/// `{%r1, _, 5}` or `(param0, %r1)`.
bool Parser::parseItems(Operand &operand, const char *end) {
  advance();
  bool isList = operand.kind == Operand::List;
  if (isList && accept(end))
    return true;
  do {
    Token place = token;
    Operand &item = operand.items.emplace_back();
    if (!parseSimpleOperand(item))
      return false;
    if (item.kind == Operand::Vector)
      return failAt(place.line, place.column, "a vector as an element");
  } while (accept(","));
  return accept(end) || expected(isList ? "',' or ')'" : "',' or '}'");
}

/// `[base + offset]`, `[base, {x, y}, ...]`.
bool Parser::parseAddress(Operand &operand) {
  advance();
  operand.kind = Operand::Address;
  Token place = token;
  // Few addresses have more than a base, but a vector that grows would move it.
  Operand &base = operand.items.emplace_back();
  if (!parseSimpleOperand(base))
    return false;
  bool isAddress = (base.kind == Operand::Register && !base.negated) ||
                   base.kind == Operand::Name || base.kind == Operand::Integer;
  if (!isAddress)
    return failAt(place.line, place.column,
                  "an address starts with a register, a name or an integer");
  operand.offset = base.offset;
  base.offset = 0;
  if (base.kind == Operand::Register && !parseOffset(operand.offset))
    return false;
  while (accept(",")) {
    Operand &item = operand.items.emplace_back();
    if (token.is("{")) {
      item.kind = Operand::Vector;
      if (!parseItems(item, "}"))
        return false;
    } else if (!parseSimpleOperand(item)) {
      return false;
    }
  }
  return accept("]") || expected("'+', ',' or ']'");
}

/// A register, a name, a number or `_`.
bool Parser::parseSimpleOperand(Operand &operand) {
  if (token.kind == Token::Identifier) {
    if (token.text == "_") {
      operand.kind = Operand::Sink;
      advance();
      return true;
    }
    if (token.text != "WARP_SZ")
      return parseNamedOperand(operand);
    // Alone it is a special register, in an expression a number.
    Token next = peek();
    for (const char *end : {",", ";", "]", "}", ")"})
      if (next.is(end)) {
        operand.kind = Operand::Special;
        operand.name = token.text;
        advance();
        return true;
      }
    return parseImmediate(operand);
  }
  if (token.is("!")) {
    Token next = peek();
    if (next.kind != Token::Identifier || next.text == "WARP_SZ")
      return parseImmediate(operand);
    advance();
    Token place = token;
    operand.negated = true;
    if (!parseNamedOperand(operand))
      return false;
    if (operand.kind != Operand::Register ||
        function->registers[operand.reg].type != Type::Pred)
      return failAt(place.line, place.column, "'!' belongs to a predicate register");
    return true;
  }
  bool startsNumber = token.kind == Token::Integer || token.kind == Token::Float ||
                      token.is("-") || token.is("+") || token.is("~") || token.is("(") ||
                      token.kind == Token::Dotted;
  return startsNumber ? parseImmediate(operand) : expected("an operand");
}

bool Parser::parseImmediate(Operand &operand) {
  Constant constant;
  if (!parseConstant(constant))
    return false;
  operand.kind = constant.isInteger() ? Operand::Integer : Operand::Float;
  operand.isDouble = constant.kind == Constant::Double;
  operand.bits = constant.bits;
  return true;
}

bool Parser::parseNamedOperand(Operand &operand) {
  Token place = token;
  advance();
  Symbol symbol = scopes.find(place.text, function);
  switch (symbol.kind) {
  case Symbol::Register:
    return parseRegister(symbol, operand);
  case Symbol::Variable:
    operand.kind = Operand::Name;
    operand.name = symbol.name;
    return parseOffset(operand.offset);
  case Symbol::Function:
  case Symbol::Table:
    operand.kind = Operand::Name;
    operand.name = symbol.name;
    return true;
  case Symbol::Label:
    return failAt(place.line, place.column,
                  "the label '" + std::string(place.text) + "' as an operand");
  case Symbol::None:
    break;
  }
  if (place.text[0] == '%')
    return parseSpecial(place, operand);
  return failAt(place.line, place.column,
                "'" + std::string(place.text) + "' is not declared");
}

/// A register after its name: a component of a vector, or the vector of all.
bool Parser::parseRegister(const Symbol &symbol, Operand &operand) {
  operand.kind = Operand::Register;
  operand.reg = symbol.index;
  bool hasComponent = token.kind == Token::Dotted && token.begin == previousEnd;
  if (hasComponent) {
    unsigned component = getComponent(token.text);
    if (component >= symbol.vector || symbol.vector == 1)
      return fail("'" + std::string(symbol.name) + "' has no component '" +
                  std::string(token.text) + "'");
    operand.reg += component;
    advance();
    return true;
  }
  if (symbol.vector == 1)
    return true;
  operand.kind = Operand::Vector;
  for (unsigned i = 0; i < symbol.vector; ++i) {
    Operand &item = operand.items.emplace_back();
    item.kind = Operand::Register;
    item.reg = symbol.index + i;
  }
  return true;
}

bool Parser::parseSpecial(const Token &name, Operand &operand) {
  for (std::string_view special : specials) {
    if (!matches(special, name.text))
      continue;
    operand.kind = Operand::Special;
    operand.name = name.text;
    bool hasComponent = token.kind == Token::Dotted && token.begin == previousEnd;
    if (!hasComponent)
      return true;
    if (special.back() != '.' || getComponent(token.text) == 4)
      return fail("'" + std::string(name.text) + "' has no component '" +
                  std::string(token.text) + "'");
    operand.name =
        std::string_view(module.text).substr(name.begin, token.end - name.begin);
    advance();
    return true;
  }
  return failAt(name.line, name.column,
                "'" + std::string(name.text) + "' is not declared");
}
