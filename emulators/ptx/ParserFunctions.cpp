//===- ParserFunctions.cpp - Functions, their directives and scopes -----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Parser.h"

using namespace tilewright::ptx;

/// Blocks within blocks of a function.
static constexpr size_t deepestScope = 256;

//===- Signatures -------------------------------------------------------------===//

/// `.entry name (parameters) directives` or `.func (results) name (parameters)
/// directives`, then a body or a semicolon.
bool Parser::parseFunction(const Linkage &linkage) {
  Function current;
  current.isEntry = token.text == "entry";
  function = &current;
  nameCounts.clear();
  location = 0;
  advance();
  scopes.open();
  Token name;
  if (!parseSignature(current, name))
    return false;

  bool isDeclaration = !token.is("{");
  if (isDeclaration && !accept(";"))
    return expected("'{', ';' or a directive of a function");
  if (!isDeclaration && linkage.isExtern)
    return fail("'" + current.name + "' is extern and has a body");
  // Its name comes before the body, which may call itself.
  if (!addFunction(current, name, isDeclaration))
    return false;
  if (isDeclaration) {
    scopes.close();
    function = nullptr;
    return true;
  }
  if (!parseBody())
    return false;
  function = nullptr;
  uint32_t index = scopes.module().symbols.find(current.name)->second.index;
  module.functions[index] = std::move(current);
  return true;
}

bool Parser::parseSignature(Function &current, Token &name) {
  if (!parseFunctionDirectives(current))
    return false;
  if (token.is("(") && current.isEntry)
    return expected("the name of the entry, which has no results");
  if (token.is("(") && !parseParameters(current, current.results))
    return false;
  name = token;
  std::string_view text;
  if (!expectIdentifier(text, "the function's name"))
    return false;
  current.line = name.line;
  current.name = text;
  if (token.is("(") && !parseParameters(current, current.params))
    return false;
  return parseFunctionDirectives(current);
}

static bool haveSameLayout(const std::vector<Variable> &left,
                           const std::vector<Variable> &right) {
  if (left.size() != right.size())
    return false;
  for (size_t i = 0; i < left.size(); ++i)
    if (left[i].size != right[i].size || left[i].space != right[i].space)
      return false;
  return true;
}

/// Enters the function in the module. A declaration and the definition share one place in
/// Module::functions, the one of whichever came first.
bool Parser::addFunction(Function &current, const Token &place, bool isDeclaration) {
  current.isDeclaration = isDeclaration;
  auto &symbols = scopes.module().symbols;
  auto found = symbols.find(current.name);
  if (found != symbols.end()) {
    if (found->second.kind != Symbol::Function)
      return failAt(place.line, place.column,
                    "'" + current.name + "' is a variable already");
    Function &other = module.functions[found->second.index];
    if (!other.isDeclaration && !isDeclaration)
      return failAt(place.line, place.column,
                    "'" + current.name + "' has a body already");
    if (other.isEntry != current.isEntry ||
        !haveSameLayout(other.results, current.results) ||
        !haveSameLayout(other.params, current.params))
      return failAt(place.line, place.column,
                    "'" + current.name + "' was declared with other parameters");
    other.isNoReturn |= current.isNoReturn;
    current.isNoReturn = other.isNoReturn;
    return true;
  }
  symbols.emplace(place.text, Symbol{Symbol::Function, 1,
                                     uint32_t(module.functions.size()), place.text});
  module.functions.push_back(current);
  module.functions.back().isDeclaration = true;
  return true;
}

/// `(.param .u64 .ptr .global .align 16 a, .param .align 8 .b8 b[24], .reg .u32 c)`.
bool Parser::parseParameters(Function &current, std::vector<Variable> &list) {
  if (!expect("("))
    return false;
  if (accept(")"))
    return true;
  do {
    Variable variable;
    if (acceptDotted("param"))
      variable.space = Space::Param;
    else if (!current.isEntry && acceptDotted("reg"))
      variable.space = Space::Register;
    else
      return expected("'.param'");
    Token place;
    Extents extents;
    if (!parseVariableType(variable))
      return false;
    place = token;
    if (!parseDeclarator(variable, extents) || !computeSize(variable, extents))
      return false;
    Symbol symbol{Symbol::Variable, 1, 0, place.text};
    if (variable.space == Space::Register) {
      if (!extents.empty())
        return failAt(place.line, place.column, "a register is no array");
      symbol.kind = Symbol::Register;
      symbol.vector = uint8_t(variable.vector);
      symbol.index = addRegisters(current, place.text, variable.type, variable.vector);
    }
    if (place.text != "_" && !scopes.add(place.text, symbol))
      return failAt(place.line, place.column,
                    "'" + variable.name + "' is declared already");
    ++nameCounts[place.text];
    list.push_back(std::move(variable));
  } while (accept(","));
  return expect(")");
}

//===- Directives of functions ------------------------------------------------===//

bool Parser::parseFunctionDirectives(Function &current) {
  for (bool found = true; found;)
    if (!parseFunctionDirective(current, found))
      return false;
  return true;
}

bool Parser::parseFunctionDirective(Function &current, bool &found) {
  uint32_t unused = 0;
  found = token.kind == Token::Dotted;
  if (!found)
    return true;
  if (acceptDotted("maxntid"))
    return parseExtents(current.maxThreads, "a number of threads");
  if (acceptDotted("reqntid"))
    return parseExtents(current.requiredThreads, "a number of threads");
  if (acceptDotted("reqnctapercluster"))
    return parseExtents(current.requiredCluster, "a number of blocks");
  if (acceptDotted("minnctapersm"))
    return expectInteger(current.minBlocks, "a number of blocks");
  if (acceptDotted("maxnreg"))
    return expectInteger(current.maxRegisters, "a number of registers");
  // Bounds that a compiler uses and that change nothing that a program sees.
  if (acceptDotted("maxnctapersm") || acceptDotted("maxclusterrank"))
    return expectInteger(unused, "a number of blocks");
  if (acceptDotted("abi_preserve") || acceptDotted("abi_preserve_control"))
    return expectInteger(unused, "a number of registers");
  if (acceptDotted("noreturn")) {
    current.isNoReturn = true;
    return true;
  }
  if (acceptDotted("explicitcluster")) {
    current.explicitCluster = true;
    return true;
  }
  if (acceptDotted("blocksareclusters")) {
    current.blocksAreClusters = true;
    return true;
  }
  if (acceptDotted("attribute"))
    return parseAttributes();
  if (token.text == "pragma")
    return parsePragma();
  return expected("a directive of a function");
}

/// One to three numbers; those left out are 1.
bool Parser::parseExtents(uint32_t (&extents)[3], const char *what) {
  for (uint32_t &extent : extents)
    extent = 1;
  for (uint32_t &extent : extents) {
    if (!expectInteger(extent, what))
      return false;
    if (!accept(","))
      return true;
  }
  return fail("a fourth number where at most three belong");
}

//===- Bodies -----------------------------------------------------------------===//

/// The statements between the braces of the function that `function` is, and the end of
/// its scope.
bool Parser::parseBody() {
  if (!expect("{"))
    return false;
  while (true) {
    bool sound = true;
    if (token.kind == Token::Dotted) {
      sound = parseBodyDirective();
    } else if (token.is("{")) {
      if (scopes.depth() >= deepestScope)
        return fail("too many blocks within blocks");
      scopes.open();
      advance();
    } else if (token.is("}")) {
      if (!closeScope())
        return false;
      advance();
      if (scopes.depth() == 0)
        return true;
    } else {
      sound = parseStatement();
    }
    if (!sound)
      return false;
  }
}

/// Ends the innermost scope: uses of labels that it has get the label's number, others go
/// to the scope around.
bool Parser::closeScope() {
  Scope last = scopes.close();
  for (const Reference &use : last.references) {
    auto found = last.symbols.find(use.name);
    if (found != last.symbols.end() && found->second.kind == Symbol::Label) {
      Operand &operand = use.inTable
                             ? function->tables[use.statement].targets[use.operand]
                             : function->body[use.statement].operands[use.operand];
      operand.reg = found->second.index;
    } else if (scopes.depth() == 0) {
      return failAt(use.line, use.column, "no label '" + std::string(use.name) + "'");
    } else {
      scopes.innermost().references.push_back(use);
    }
  }
  return true;
}

/// `.reg .b32 %r<10>, x, y;` or `.reg .v4 .f32 v;`.
bool Parser::parseRegisters() {
  Variable shape; // for its type
  shape.space = Space::Register;
  if (!parseVariableType(shape))
    return false;
  do {
    Token name = token;
    std::string_view text;
    if (!expectIdentifier(text, "a register's name"))
      return false;
    if (accept("<")) {
      uint64_t count = 0;
      if (!expectInteger(count, UINT32_MAX, "a number of registers") || !expect(">"))
        return false;
      if (!scopes.addRange(text, {shape.type, uint8_t(shape.vector), count}))
        return failAt(name.line, name.column,
                      "'" + std::string(text) + "<>' is declared already");
      continue;
    }
    uint32_t first = addRegisters(*function, text, shape.type, shape.vector);
    if (text == "_" ||
        !scopes.add(text, {Symbol::Register, uint8_t(shape.vector), first, text}))
      return failAt(name.line, name.column,
                    "'" + std::string(text) + "' is declared already");
  } while (accept(","));
  return expect(";");
}
