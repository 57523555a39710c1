//===- ParserInitialisers.cpp - Initial values of variables -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Parser.h"

#include <cstring>

using namespace tilewright::ptx;

/// Bytes that the initial values of a module's variables may have.
static constexpr uint64_t mostInitialBytes = uint64_t(1) << 26;

/// What follows the `=`. Braces nest as the extents do, a vector being one more; missing
/// values at the end of a pair of braces are zero. Finds the first extent if it was left
/// out.
bool Parser::parseInitial(Variable &variable, Extents &extents) {
  if (isFloat(variable.type) && variable.type != Type::F32 && variable.type != Type::F64)
    return fail("no initial value is possible for '." +
                std::string(getName(variable.type)) + "'");
  Extents all = extents;
  if (variable.vector > 1)
    all.push_back(variable.vector);
  uint64_t count = 0;
  variable.hasInitial = true;
  if (!parseInitialArray(variable, all, 0, 0, count))
    return false;
  if (!extents.empty() && extents[0] == 0) {
    extents[0] = count;
    return computeSize(variable, extents);
  }
  return true;
}

/// The part at `offset` that dimension `level` and those after it make up; gives the
/// number of values of that dimension.
bool Parser::parseInitialArray(Variable &variable, const Extents &extents, size_t level,
                               uint64_t offset, uint64_t &count) {
  if (level == extents.size())
    return parseInitialElement(variable, offset);
  uint64_t stride = getBytes(variable.type);
  for (size_t i = level + 1; i < extents.size(); ++i)
    stride *= extents[i];
  if (!expect("{"))
    return false;
  count = 0;
  if (accept("}"))
    return true;
  do {
    // An extent of 0 is the first one, left out.
    if (extents[level] != 0 && count == extents[level])
      return fail("more values than '" + variable.name + "' has elements");
    uint64_t inner = 0;
    if (!parseInitialArray(variable, extents, level + 1, offset + count * stride, inner))
      return false;
    ++count;
  } while (accept(","));
  return expect("}");
}

bool Parser::writeInitial(Variable &variable, uint64_t offset, uint64_t bits,
                          unsigned bytes) {
  uint64_t before = variable.initial.size();
  uint64_t end = offset > mostInitialBytes ? offset : offset + bytes;
  if (end > before) {
    if (end - before > mostInitialBytes - initialBytes)
      return fail("the initial value of '" + variable.name + "' is too large");
    initialBytes += end - before;
    variable.initial.resize(end);
  }
  memcpy(variable.initial.data() + offset, &bits, bytes < 8 ? bytes : 8);
  return true;
}

/// A number as the type has it. Integers are cut to the type, as ptxas does; a float fits
/// an integer type of its size.
bool Parser::parseInitialElement(Variable &variable, uint64_t offset) {
  if (token.kind == Token::Identifier && token.text != "WARP_SZ")
    return parseInitialAddress(variable, offset);
  Token place = token;
  Constant value;
  if (!parseConstant(value))
    return false;
  if (token.is("(") && value.isInteger())
    return fail("parts of addresses like 0xff(name) are not modelled");
  unsigned bytes = getBytes(variable.type);
  uint64_t bits = value.bits;
  bool matches = value.isInteger() != isFloat(variable.type);
  if (variable.type == Type::F32 && value.kind == Constant::Double) {
    double wide;
    memcpy(&wide, &value.bits, sizeof wide);
    float narrow = float(wide);
    bits = 0;
    memcpy(&bits, &narrow, sizeof narrow);
  } else if (variable.type == Type::F64 && value.kind == Constant::Single) {
    float narrow;
    memcpy(&narrow, &value.bits, sizeof narrow);
    double wide = narrow;
    memcpy(&bits, &wide, sizeof wide);
  } else if (!value.isInteger() && !isFloat(variable.type)) {
    matches = bytes == (value.kind == Constant::Single ? 4 : 8);
  }
  if (!matches)
    return failAt(place.line, place.column,
                  "a number that '." + std::string(getName(variable.type)) +
                      "' does not have");
  return writeInitial(variable, offset, bits, bytes);
}

/// `name + 4` or `generic(name) + 4`.
bool Parser::parseInitialAddress(Variable &variable, uint64_t offset) {
  Token place = token;
  advance();
  Variable::Relocation relocation;
  relocation.at = offset;
  relocation.addend = 0;
  relocation.bytes = uint8_t(getBytes(variable.type));
  relocation.generic = place.text == "generic" && token.is("(");
  if (relocation.generic) {
    advance();
    place = token;
    std::string_view name;
    if (!expectIdentifier(name, "a variable's name") || !expect(")"))
      return false;
  } else if (token.is("(")) {
    return expected("'generic', a name or a number before '('");
  }
  if (isFloat(variable.type) || relocation.bytes < 4 || relocation.bytes > 8)
    return failAt(place.line, place.column,
                  "an address does not fit '." + std::string(getName(variable.type)) +
                      "'");
  Symbol symbol = scopes.find(place.text, nullptr);
  if (symbol.kind != Symbol::Variable && symbol.kind != Symbol::Function)
    return failAt(place.line, place.column,
                  "no variable or function '" + std::string(place.text) + "'");
  relocation.name = symbol.name;
  if (!parseOffset(relocation.addend) ||
      !writeInitial(variable, offset, 0, relocation.bytes))
    return false;
  variable.relocations.push_back(std::move(relocation));
  return true;
}
