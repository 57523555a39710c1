//===- ParserVariables.cpp - Variables and their sizes ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Parser.h"

using namespace tilewright::ptx;

/// Bytes of all variables of a module, more than a device has.
static constexpr uint64_t mostBytes = uint64_t(1) << 36;
static constexpr size_t mostExtents = 16;
static constexpr uint64_t largestAlign = uint64_t(1) << 20;

static bool isDeclarable(Type type, Space space) {
  switch (type) {
  case Type::Pred:
    return space == Space::Register;
  case Type::None:
  case Type::TF32:
  case Type::B1:
  case Type::U4:
  case Type::S4:
    return false;
  default:
    return type <= Type::BF16x2;
  }
}

/// What stands between a variable's space and its name: `.align 8`, `.v4`, `.f32`,
/// `.ptr .global .align 16`, `.attribute(...)`, in any order.
bool Parser::parseVariableType(Variable &variable) {
  uint64_t align = 0;
  bool isPointer = false;
  for (; token.kind == Token::Dotted;) {
    if (acceptDotted("align")) {
      uint64_t read = 0;
      Token place = token;
      if (!expectInteger(read, largestAlign, "an alignment"))
        return false;
      if (read == 0 || (read & (read - 1)) != 0)
        return failAt(place.line, place.column, "an alignment is a power of two");
      if (!isPointer) // else what it points to is aligned
        align = read;
    } else if (acceptDotted("attribute")) {
      if (!parseAttributes())
        return false;
    } else if (acceptDotted("v2")) {
      variable.vector = 2;
    } else if (acceptDotted("v4")) {
      variable.vector = 4;
    } else if (variable.space == Space::Param && acceptDotted("ptr")) {
      isPointer = true;
      if (!acceptDotted("global") && !acceptDotted("shared") && !acceptDotted("const"))
        acceptDotted("local");
    } else {
      Type type = parseType(token.text);
      if (variable.type != Type::None || !isDeclarable(type, variable.space))
        return expected("a type that a variable can have");
      variable.type = type;
      advance();
    }
  }
  if (variable.type == Type::None)
    return expected("a type");
  uint64_t bytes = uint64_t(getBytes(variable.type)) * variable.vector;
  if (variable.space != Space::Register && variable.vector > 1 && bytes > 16)
    return fail("a vector of more than 16 bytes");
  variable.align = unsigned(align ? align : bytes);
  return true;
}

/// A name and the extents after it; an extent left out is 0, which only the first may be.
bool Parser::parseDeclarator(Variable &variable, Extents &extents) {
  std::string_view name;
  variable.line = token.line;
  if (!expectIdentifier(name, "a name"))
    return false;
  variable.name = name;
  if (token.is("<"))
    return fail("ranges of names are modelled for registers only");
  while (accept("[")) {
    if (extents.size() == mostExtents)
      return fail("an array of too many dimensions");
    if (accept("]")) {
      if (!extents.empty())
        return fail("only the first extent of an array may be left out");
      extents.push_back(0);
      continue;
    }
    Token place = token;
    Constant extent;
    if (!parseConstant(extent))
      return false;
    bool isPositive =
        extent.kind == Constant::Signed ? int64_t(extent.bits) > 0 : extent.bits > 0;
    if (!extent.isInteger() || !isPositive)
      return failAt(place.line, place.column, "an extent is a positive integer");
    extents.push_back(extent.bits);
    if (!expect("]"))
      return false;
  }
  return true;
}

/// Sets the size in bytes; 0 if the first extent is not known.
bool Parser::computeSize(Variable &variable, const Extents &extents) {
  uint64_t size = uint64_t(getBytes(variable.type)) * variable.vector;
  for (uint64_t extent : extents)
    if (__builtin_mul_overflow(size, extent, &size) || size > mostBytes)
      return fail("'" + variable.name + "' is larger than any memory");
  variable.size = size;
  variableBytes += size;
  if (variableBytes > mostBytes)
    return fail("the variables are larger than any memory");
  return true;
}

/// What follows the space: `.align 4 .b8 a[16], b = 5;`.
bool Parser::parseVariables(Space space, const Linkage &linkage) {
  Variable shape;
  shape.space = space;
  shape.isExtern = linkage.isExtern;
  if (!parseVariableType(shape))
    return false;
  do {
    Variable variable = shape;
    Extents extents;
    Token place = token;
    if (!parseDeclarator(variable, extents))
      return false;
    bool isInitialised = token.is("=");
    if (isInitialised) {
      if (space != Space::Global && space != Space::Const)
        return fail("no initial value is possible in '." + std::string(getName(space)) +
                    "'");
      if (linkage.isExtern)
        return fail("'" + variable.name + "' is extern and has an initial value");
      advance();
    }
    if (!computeSize(variable, extents))
      return false;
    if (isInitialised && !parseInitial(variable, extents))
      return false;
    if (variable.size == 0 && !linkage.isExtern)
      return failAt(place.line, place.column,
                    "'" + variable.name + "' needs a size or an initial value");
    if (!addVariable(variable, place))
      return false;
  } while (accept(","));
  return expect(";");
}

/// Enters the variable in the function, else the module. There a definition takes the
/// place of declarations.
bool Parser::addVariable(Variable &variable, const Token &place) {
  std::string_view name = place.text;
  Symbol symbol{Symbol::Variable, 1, 0, name};
  if (function) {
    symbol.name = makeUnique(name);
    symbol.index = uint32_t(function->variables.size());
    variable.name = symbol.name;
    if (name == "_" || !scopes.add(name, symbol))
      return failAt(place.line, place.column,
                    "'" + std::string(name) + "' is declared already");
    function->variables.push_back(std::move(variable));
    return true;
  }
  symbol.index = uint32_t(module.variables.size());
  if (name != "_" && scopes.add(name, symbol)) {
    module.variables.push_back(std::move(variable));
    return true;
  }
  Symbol found = scopes.find(name, nullptr);
  if (found.kind == Symbol::Variable) {
    Variable &other = module.variables[found.index];
    bool isSame = other.space == variable.space && other.type == variable.type &&
                  other.vector == variable.vector;
    if (isSame && variable.isExtern)
      return true;
    if (isSame && other.isExtern) {
      other = std::move(variable);
      return true;
    }
  }
  return failAt(place.line, place.column,
                "'" + std::string(name) + "' is declared already");
}

/// The name itself where it is the first of the function and none of the module, else one
/// with a suffix that no name in a text can have.
std::string_view Parser::makeUnique(std::string_view name) {
  uint32_t count = ++nameCounts[name];
  if (count == 1 && !scopes.module().symbols.count(name))
    return name;
  return module.ownedNames.emplace_back(std::string(name) + "#" +
                                        std::to_string(count + 1));
}
