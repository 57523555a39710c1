//===- ParserHarness.h - Parsed PTX as short text -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_PARSERHARNESS_H
#define TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_PARSERHARNESS_H

#include "emulators/ptx/Module.h"

#include "gtest/gtest.h"

namespace tilewright::ptx::test {

/// Three lines, so what follows starts at line 4.
inline const std::string header = ".version 8.7\n.target sm_90a\n.address_size 64\n";

/// The module that `text` is after the header.
inline std::unique_ptr<Module> parseModule(const std::string &text) {
  SyntaxError error;
  auto module = parse(header + text, error);
  EXPECT_NE(module, nullptr) << error.line << ":" << error.column << ": "
                             << error.message;
  return module ? std::move(module) : std::make_unique<Module>();
}

/// The same with an entry whose body is `text`, on line 5.
inline std::unique_ptr<Module> parseBody(const std::string &text) {
  auto module = parseModule(".entry kernel(.param .u64 param)\n{" + text + "\n}\n");
  if (module->functions.empty())
    module->functions.emplace_back();
  return module;
}

/// An operand in short: registers as %name/number, floats as f:bits or d:bits.
inline std::string print(const Operand &operand, const Function &function) {
  auto items = [&](size_t from) {
    std::string text;
    for (size_t i = from; i < operand.items.size(); ++i)
      text += (i > from ? "," : "") + print(operand.items[i], function);
    return text;
  };
  auto hex = [](uint64_t bits) {
    char text[20];
    snprintf(text, sizeof text, "%llx", static_cast<unsigned long long>(bits));
    return std::string(text);
  };
  std::string offset = operand.offset ? "+" + std::to_string(operand.offset) : "";
  switch (operand.kind) {
  case Operand::Register:
    return (operand.negated ? "!" : "") +
           std::string(function.registers.at(operand.reg).name) + "/" +
           std::to_string(operand.reg);
  case Operand::Special:
    return "special " + std::string(operand.name);
  case Operand::Integer:
    return std::to_string(int64_t(operand.bits));
  case Operand::Float:
    return (operand.isDouble ? "d:" : "f:") + hex(operand.bits);
  case Operand::Name:
    return std::string(operand.name) + offset;
  case Operand::Label:
    return "label " + std::to_string(operand.reg);
  case Operand::Address:
    return "[" + print(operand.items.at(0), function) + offset +
           (operand.items.size() > 1 ? "," : "") + items(1) + "]";
  case Operand::Vector:
    return "{" + items(0) + "}";
  case Operand::List:
    return "(" + items(0) + ")";
  case Operand::Pair:
    return print(operand.items.at(0), function) + "|" +
           print(operand.items.at(1), function);
  case Operand::Sink:
    return "_";
  }
  return "?";
}

/// A statement in short: `@guard opcode|modifier|modifier operand operand`.
inline std::string print(const Statement &statement, const Function &function) {
  std::string text;
  if (statement.guard != Statement::noGuard)
    text += (statement.guardNegated ? "@!" : "@") +
            std::string(function.registers.at(statement.guard).name) + " ";
  text += statement.opcode;
  for (std::string_view modifier : statement.modifiers)
    text += "|" + std::string(modifier);
  for (const Operand &operand : statement.operands)
    text += " " + print(operand, function);
  return text;
}

/// All statements of a body in short, one a line.
inline std::string printBody(const std::string &body) {
  auto module = parseBody(body);
  const Function &function = module->functions.back();
  std::string text;
  for (const Statement &statement : function.body)
    text += (text.empty() ? "" : "\n") + print(statement, function);
  return text;
}

/// The error of a text after the header, as `line:column: message`; empty if there is
/// none.
inline std::string getError(const std::string &text) {
  SyntaxError error;
  if (parse(header + text, error))
    return "";
  return std::to_string(error.line) + ":" + std::to_string(error.column) + ": " +
         error.message;
}

} // namespace tilewright::ptx::test

#endif // TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_PARSERHARNESS_H
