//===- Parser.cpp - Tokens and the directives of a module ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Parser.h"

using namespace tilewright::ptx;

/// Positions in the text are 32-bit numbers.
static constexpr size_t longestText = size_t(1) << 30;
/// Characters of a token that an error shows.
static constexpr size_t longestExcerpt = 48;
static constexpr unsigned newestVersion = 9;

std::unique_ptr<Module> tilewright::ptx::parse(std::string text, SyntaxError &error) {
  error = {};
  if (text.size() > longestText) {
    error = {1, 1, "the text is longer than a gigabyte"};
    return nullptr;
  }
  auto module = std::make_unique<Module>();
  module->text = std::move(text);
  if (!Parser(*module, error).parseModule())
    return nullptr;
  return module;
}

Parser::Parser(Module &module, SyntaxError &error)
    : module(module), error(error), lexer(module.text) {
  advance();
}

//===- Tokens -----------------------------------------------------------------===//

void Parser::advance() {
  previousEnd = token.end;
  token = lexer.next();
}

/// The token after `token`.
Token Parser::peek() const {
  Lexer ahead = lexer;
  return ahead.next();
}

bool Parser::failAt(uint32_t line, uint32_t column, std::string message) {
  if (error.message.empty())
    error = {line, column, std::move(message)};
  return false;
}

bool Parser::expected(const char *what) {
  std::string message = std::string("expected ") + what + ", found ";
  switch (token.kind) {
  case Token::End:
    return fail(message + "the end of the text");
  case Token::Invalid:
    return fail(message + std::string(token.text));
  case Token::String:
    return fail(message + "a string");
  default:
    break;
  }
  std::string_view text(module.text.data() + token.begin, token.end - token.begin);
  bool isLong = text.size() > longestExcerpt;
  return fail(message + "'" + std::string(text.substr(0, longestExcerpt)) +
              (isLong ? "...'" : "'"));
}

bool Parser::accept(std::string_view punctuation) {
  if (!token.is(punctuation))
    return false;
  advance();
  return true;
}

bool Parser::acceptDotted(std::string_view name) {
  if (!token.isDotted(name))
    return false;
  advance();
  return true;
}

bool Parser::expect(const char *punctuation) {
  if (accept(punctuation))
    return true;
  return expected((std::string("'") + punctuation + "'").c_str());
}

bool Parser::expectIdentifier(std::string_view &name, const char *what) {
  if (token.kind != Token::Identifier)
    return expected(what);
  name = token.text;
  advance();
  return true;
}

bool Parser::expectInteger(uint64_t &value, uint64_t most, const char *what) {
  if (token.kind != Token::Integer)
    return expected(what);
  if (token.bits > most)
    return fail(std::string("too large for ") + what + ": at most " +
                std::to_string(most));
  value = token.bits;
  advance();
  return true;
}

bool Parser::expectInteger(uint32_t &value, const char *what) {
  uint64_t wide = 0;
  if (!expectInteger(wide, UINT32_MAX, what))
    return false;
  value = uint32_t(wide);
  return true;
}

//===- Directives -------------------------------------------------------------===//

bool Parser::parseModule() {
  if (!parseHeader())
    return false;
  while (token.kind != Token::End)
    if (!parseTopLevel())
      return false;
  return true;
}

/// `.version 8.7`, `.target sm_90a, debug`, `.address_size 64`.
bool Parser::parseHeader() {
  if (!acceptDotted("version"))
    return expected("'.version'");
  // 8.10 is not 8.1, so the number is read as text.
  std::string_view version = token.text;
  size_t point = version.find('.');
  if (token.kind != Token::Float || point == 0 || point > 2 ||
      version.size() - point < 2 || version.size() - point > 3 ||
      version.find_first_not_of("0123456789.") != version.npos)
    return expected("a version like 8.7");
  for (char c : version.substr(0, point))
    module.versionMajor = module.versionMajor * 10 + (c - '0');
  for (char c : version.substr(point + 1))
    module.versionMinor = module.versionMinor * 10 + (c - '0');
  if (module.versionMajor > newestVersion)
    return fail("PTX " + std::string(version) + " is newer than this emulator");
  advance();

  if (!acceptDotted("target"))
    return expected("'.target'");
  do {
    std::string_view name;
    if (token.text == "map_f64_to_f32")
      return fail("map_f64_to_f32 is not modelled");
    if (!expectIdentifier(name, "a target"))
      return false;
    if (name.substr(0, 3) == "sm_")
      module.target = name;
  } while (accept(","));
  if (module.target.empty())
    return expected("a target like sm_90");

  if (acceptDotted("address_size")) {
    uint64_t bits = 0;
    if (token.kind == Token::Integer && token.bits != 32 && token.bits != 64)
      return expected("32 or 64");
    if (!expectInteger(bits, 64, "an address size"))
      return false;
    module.addressBits = unsigned(bits);
  }
  return true;
}

/// The space whose variables the directive declares; Generic of any other token.
static Space getDeclaredSpace(const Token &directive) {
  if (directive.isDotted("global"))
    return Space::Global;
  if (directive.isDotted("shared"))
    return Space::Shared;
  if (directive.isDotted("const"))
    return Space::Const;
  if (directive.isDotted("local"))
    return Space::Local;
  if (directive.isDotted("param"))
    return Space::Param;
  return Space::Generic;
}

bool Parser::parseTopLevel() {
  if (token.kind != Token::Dotted)
    return expected("a directive");
  if (token.text == "file")
    return parseFile();
  if (token.text == "loc")
    return parseLocation();
  if (token.text == "pragma")
    return parsePragma();
  if (token.text == "section")
    return skipSection();
  if (token.text == "alias")
    return fail("'.alias' is not modelled");
  Linkage linkage;
  if (!parseLinkage(linkage))
    return false;
  if (token.isDotted("func") || token.isDotted("entry"))
    return parseFunction(linkage);
  Space space = getDeclaredSpace(token);
  if (space == Space::Local || space == Space::Param)
    return fail("'." + std::string(getName(space)) + "' outside a function");
  if (space == Space::Generic)
    return expected("a directive that a module can have");
  advance();
  return parseVariables(space, linkage);
}

/// Any of .extern, .visible, .weak and .common. One module is all there is, so only
/// whether something is defined elsewhere matters.
bool Parser::parseLinkage(Linkage &linkage) {
  while (true) {
    if (acceptDotted("extern"))
      linkage.isExtern = true;
    else if (acceptDotted("common"))
      linkage.isCommon = true;
    else if (!acceptDotted("visible") && !acceptDotted("weak"))
      return true;
  }
}

/// `.file 1 "name"`, with a time stamp and a size if any.
bool Parser::parseFile() {
  advance();
  uint32_t number = 0;
  if (!expectInteger(number, "a file's number"))
    return false;
  if (token.kind != Token::String)
    return expected("a file's name");
  module.files[number] = token.text;
  advance();
  if (!accept(","))
    return true;
  uint64_t unused;
  return expectInteger(unused, UINT64_MAX, "a time stamp") && expect(",") &&
         expectInteger(unused, UINT64_MAX, "a size");
}

bool Parser::parseFileLineColumn(SourceLocation &location) {
  return expectInteger(location.file, "a file's number") &&
         expectInteger(location.line, "a line") &&
         expectInteger(location.column, "a column");
}

/// `.loc 1 20 3, function_name $L__info_string0 + 4, inlined_at 1 40 5`. Line 0 stands
/// for code that belongs to no line.
bool Parser::parseLocation() {
  advance();
  SourceLocation read, caller;
  if (!parseFileLineColumn(read))
    return false;
  while (accept(",")) {
    std::string_view name;
    if (token.text == "function_name") {
      advance();
      uint32_t unused;
      if (!expectIdentifier(name, "a label of .debug_str"))
        return false;
      if (accept("+") && !expectInteger(unused, "an offset"))
        return false;
    } else if (token.text == "inlined_at") {
      advance();
      if (!parseFileLineColumn(caller))
        return false;
    } else {
      return expected("'function_name' or 'inlined_at'");
    }
  }
  if (read.line == 0) {
    location = 0;
    return true;
  }
  const SourceLocation &last = module.locations.back();
  if (module.locations.size() == 1 || last.file != read.file || last.line != read.line ||
      last.column != read.column)
    module.locations.push_back(read);
  location = uint32_t(module.locations.size() - 1);
  return true;
}

/// `.pragma "nounroll", ...;`. Pragmas are hints.
bool Parser::parsePragma() {
  advance();
  do {
    if (token.kind != Token::String)
      return expected("a string");
    advance();
  } while (accept(","));
  return expect(";");
}

/// `.section .debug_info { ... }`: nothing that runs.
bool Parser::skipSection() {
  advance();
  if (token.kind != Token::Dotted && token.kind != Token::Identifier)
    return expected("a section's name");
  advance();
  if (!expect("{"))
    return false;
  for (size_t open = 1; open > 0; advance()) {
    if (token.kind == Token::End)
      return expected("'}' at the end of the section");
    if (token.is("{"))
      ++open;
    else if (token.is("}"))
      --open;
  }
  return true;
}

/// `(.managed)`, `(.unified(1, 2))` after .attribute: neither changes what code does.
bool Parser::parseAttributes() {
  if (!expect("("))
    return false;
  do {
    if (acceptDotted("managed"))
      continue;
    if (!acceptDotted("unified"))
      return expected("'.managed' or '.unified'");
    uint64_t unused;
    if (!expect("(") || !expectInteger(unused, UINT64_MAX, "an integer") ||
        !expect(",") || !expectInteger(unused, UINT64_MAX, "an integer") || !expect(")"))
      return false;
  } while (accept(","));
  return expect(")");
}

bool Parser::parseBodyDirective() {
  if (token.text == "loc")
    return parseLocation();
  if (token.text == "reg") {
    advance();
    return parseRegisters();
  }
  if (token.text == "pragma")
    return parsePragma();
  if (token.text == "file")
    return parseFile();
  if (token.text == "section")
    return skipSection();
  Linkage linkage;
  if (!parseLinkage(linkage))
    return false;
  Space space = getDeclaredSpace(token);
  if (space == Space::Generic)
    return expected("a directive that a function can have");
  advance();
  return parseVariables(space, linkage);
}
