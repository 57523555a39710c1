//===- Assembly.cpp - An instruction as the disassembler writes it ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Assembly.h"

#include <cstdlib>

using namespace tilewright::amdgpu;

namespace {
struct NamedScalar {
  std::string_view name;
  uint16_t reg;
  uint8_t count;
};
constexpr NamedScalar namedScalars[] = {
    {"vcc", Vcc, 2},
    {"vcc_lo", Vcc, 1},
    {"vcc_hi", Vcc + 1, 1},
    {"exec", Exec, 2},
    {"exec_lo", Exec, 1},
    {"exec_hi", Exec + 1, 1},
    {"m0", M0, 1},
    {"null", Null, 1},
    {"flat_scratch", FlatScratch, 2},
    {"flat_scratch_lo", FlatScratch, 1},
    {"flat_scratch_hi", FlatScratch + 1, 1},
    {"xnack_mask", XnackMask, 2},
    {"xnack_mask_lo", XnackMask, 1},
    {"xnack_mask_hi", XnackMask + 1, 1},
};

struct NamedSpecial {
  std::string_view name;
  SpecialValue value;
};
constexpr NamedSpecial namedSpecials[] = {
    {"scc", SpecialValue::Scc},
    {"src_scc", SpecialValue::Scc},
    {"src_vccz", SpecialValue::Vccz},
    {"src_execz", SpecialValue::Execz},
    {"src_shared_base", SpecialValue::SharedBase},
    {"src_shared_limit", SpecialValue::SharedLimit},
    {"src_private_base", SpecialValue::PrivateBase},
    {"src_private_limit", SpecialValue::PrivateLimit},
};

bool consume(std::string_view &text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix)
    return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool consumeEnd(std::string_view &text, std::string_view suffix) {
  if (text.size() < suffix.size() || text.substr(text.size() - suffix.size()) != suffix)
    return false;
  text.remove_suffix(suffix.size());
  return true;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

/// The text up to the first of `stop` that stands in no bracket; `text` keeps the rest.
std::string_view takeUntil(std::string_view &text, char stop) {
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    depth += (c == '(' || c == '[') - (c == ')' || c == ']');
    if (depth == 0 && c == stop) {
      std::string_view part = text.substr(0, i);
      text.remove_prefix(i + 1);
      return part;
    }
  }
  std::string_view part = text;
  text = {};
  return part;
}

/// The registers of "7" or "[4:7]" into `operand`.
bool parseRange(std::string_view text, uint16_t base, uint16_t limit, Operand &operand) {
  int64_t first, last;
  if (consume(text, "[")) {
    if (!consumeEnd(text, "]"))
      return false;
    std::string_view low = takeUntil(text, ':');
    if (!parseInteger(low, first))
      return false;
    last = first;
    if (!text.empty() && !parseInteger(text, last))
      return false;
  } else {
    if (text.empty() || text[0] < '0' || text[0] > '9' || !parseInteger(text, first))
      return false;
    last = first;
  }
  if (first < 0 || last < first || last >= limit || last - first >= 64)
    return false;
  operand.reg = static_cast<uint16_t>(base + first);
  operand.count = static_cast<uint8_t>(last - first + 1);
  return true;
}

bool parseRegister(std::string_view text, Operand &operand) {
  for (const NamedScalar &named : namedScalars)
    if (text == named.name) {
      operand.kind = Operand::Scalar;
      operand.reg = named.reg;
      operand.count = named.count;
      return true;
    }
  std::string_view rest = text;
  if (consume(rest, "ttmp") && parseRange(rest, Ttmp0, 16, operand)) {
    operand.kind = Operand::Scalar;
    return true;
  }
  rest = text;
  if (consume(rest, "s") && parseRange(rest, 0, 106, operand)) {
    operand.kind = Operand::Scalar;
    return true;
  }
  rest = text;
  if (consume(rest, "a") && parseRange(rest, Agpr0, 256, operand)) {
    operand.kind = Operand::Vector;
    return true;
  }
  rest = text;
  if (!consume(rest, "v"))
    return false;
  if (consumeEnd(rest, ".h"))
    operand.isHalf = operand.isHigh = true;
  else if (consumeEnd(rest, ".l"))
    operand.isHalf = true;
  if (!parseRange(rest, 0, 256, operand))
    return false;
  operand.kind = Operand::Vector;
  return true;
}

bool parseNumber(std::string_view text, Operand &operand) {
  std::string_view digits = text;
  if (!digits.empty() && digits[0] == '-')
    digits.remove_prefix(1);
  if (digits.empty() || digits[0] < '0' || digits[0] > '9')
    return false;
  if (digits.find('.') != std::string_view::npos && digits.substr(0, 2) != "0x") {
    std::string copy(text);
    char *end = nullptr;
    operand.value = strtod(copy.c_str(), &end);
    operand.kind = Operand::Float;
    return *end == 0;
  }
  operand.kind = Operand::Integer;
  operand.isLiteral = digits.substr(0, 2) == "0x";
  return parseInteger(text, operand.bits);
}

bool parseOperand(std::string_view text, Operand &operand) {
  operand.text = text;
  if (text == "off") {
    operand.kind = Operand::Off;
    return true;
  }
  if (parseNumber(text, operand))
    return true;
  std::string_view inner = text;
  if (consume(inner, "-"))
    operand.negate = true;
  else if (consume(inner, "neg(") && consumeEnd(inner, ")"))
    operand.negate = true;
  if (inner.size() > 2 && inner.front() == '|' && inner.back() == '|') {
    inner = inner.substr(1, inner.size() - 2);
    operand.absolute = true;
  } else if (consume(inner, "abs(") && consumeEnd(inner, ")")) {
    operand.absolute = true;
  } else if (consume(inner, "sext(") && consumeEnd(inner, ")")) {
    operand.signExtend = true;
  } else if (consume(inner, "lit(") || consume(inner, "lit64(")) {
    if (!consumeEnd(inner, ")") || !parseNumber(inner, operand))
      return false;
    operand.isLiteral = true;
    return true;
  }
  for (const NamedSpecial &named : namedSpecials)
    if (inner == named.name) {
      operand.kind = Operand::Special;
      operand.special = named.value;
      return true;
    }
  if (parseRegister(inner, operand))
    return true;
  if (parseNumber(inner, operand)) // |0.5|, neg(1)
    return true;
  operand = {};
  operand.kind = Operand::Other;
  operand.text = text;
  return true;
}

Modifier parseModifier(std::string_view text) {
  // vmcnt(0), or offset:16, or swizzle forms such as offset:swizzle(...), or a flag.
  size_t colon = text.find(':'), bracket = text.find('(');
  if (bracket < colon && consumeEnd(text, ")"))
    return {text.substr(0, bracket), text.substr(bracket + 1)};
  if (colon == std::string_view::npos)
    return {text, {}};
  return {text.substr(0, colon), text.substr(colon + 1)};
}
} // namespace

bool tilewright::amdgpu::parseInteger(std::string_view text, int64_t &value) {
  bool negative = consume(text, "-");
  bool hexadecimal = consume(text, "0x");
  if (text.empty() || text.size() > (hexadecimal ? 16 : 19))
    return false;
  uint64_t result = 0;
  for (char c : text) {
    unsigned digit = c >= '0' && c <= '9'                  ? c - '0'
                     : hexadecimal && c >= 'a' && c <= 'f' ? c - 'a' + 10
                                                           : 255;
    if (digit == 255)
      return false;
    result = result * (hexadecimal ? 16 : 10) + digit;
  }
  value = static_cast<int64_t>(negative ? 0 - result : result);
  return true;
}

bool tilewright::amdgpu::parseIntegers(std::string_view text,
                                       std::vector<int64_t> &values) {
  if (consume(text, "[") && !consumeEnd(text, "]"))
    return false;
  while (!text.empty()) {
    int64_t value;
    if (!parseInteger(trim(takeUntil(text, ',')), value))
      return false;
    values.push_back(value);
  }
  return !values.empty();
}

bool tilewright::amdgpu::splitDual(std::string_view text, std::string_view &first,
                                   std::string_view &second) {
  size_t at = text.find(" :: ");
  if (at == std::string_view::npos)
    return false;
  first = trim(text.substr(0, at));
  second = trim(text.substr(at + 4));
  return true;
}

bool tilewright::amdgpu::parseAssembly(std::string_view text, Assembly &result) {
  result = {};
  text = trim(text);
  result.text = text;
  std::string_view rest = text;
  std::string_view mnemonic = takeUntil(rest, ' ');
  if (mnemonic.empty())
    return false;
  if (consumeEnd(mnemonic, "_sdwa"))
    result.isSdwa = true;
  else if (consumeEnd(mnemonic, "_dpp8") || consumeEnd(mnemonic, "_dpp"))
    result.isDpp = true;
  if (consumeEnd(mnemonic, "_e64"))
    result.isE64 = true;
  else
    consumeEnd(mnemonic, "_e32");
  result.mnemonic = mnemonic;

  rest = trim(rest);
  while (!rest.empty()) {
    // Operands are apart by commas; modifiers follow one, apart by spaces.
    std::string_view chunk = trim(takeUntil(rest, ','));
    Operand operand;
    std::string_view first = takeUntil(chunk, ' ');
    if (first.empty() || !parseOperand(first, operand))
      return false;
    bool isModifier =
        operand.kind == Operand::Other && result.operands.empty() && rest.empty();
    if (isModifier)
      result.modifiers.push_back(parseModifier(first));
    else
      result.operands.push_back(operand);
    for (chunk = trim(chunk); !chunk.empty(); chunk = trim(chunk))
      result.modifiers.push_back(parseModifier(takeUntil(chunk, ' ')));
    rest = trim(rest);
  }
  return true;
}
