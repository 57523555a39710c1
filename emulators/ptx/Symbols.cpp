//===- Symbols.cpp - What names mean where ------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Symbols.h"

#include <charconv>

using namespace tilewright::ptx;

uint32_t tilewright::ptx::addRegisters(Function &function, std::string_view name,
                                       Type type, unsigned vector) {
  uint32_t first = uint32_t(function.registers.size());
  for (unsigned i = 0; i < vector; ++i)
    function.registers.push_back({name, type});
  return first;
}

/// Splits `%r12` where its digits start. False if there are none, too many for a number
/// of 32 bits, or more than PTX would write.
static bool splitNumber(std::string_view name, std::string_view &prefix,
                        uint32_t &number) {
  size_t start = name.size();
  while (start > 0 && name[start - 1] >= '0' && name[start - 1] <= '9')
    --start;
  size_t digits = name.size() - start;
  if (digits == 0 || (name[start] == '0' && digits > 1))
    return false;
  prefix = name.substr(0, start);
  const char *end = name.data() + name.size();
  return std::from_chars(name.data() + start, end, number).ec == std::errc();
}

/// The range of `scope` that `name` belongs to, if any.
static const Scope::Range *findRange(const Scope &scope, std::string_view name) {
  std::string_view prefix;
  uint32_t number;
  if (scope.ranges.empty() || !splitNumber(name, prefix, number))
    return nullptr;
  auto range = scope.ranges.find(prefix);
  if (range == scope.ranges.end() || number >= range->second.count)
    return nullptr;
  return &range->second;
}

Scope ScopeStack::close() {
  Scope last = std::move(scopes.back());
  scopes.pop_back();
  return last;
}

Symbol ScopeStack::makeFromRange(Scope &scope, std::string_view name,
                                 Function &function) {
  const Scope::Range *range = findRange(scope, name);
  if (!range)
    return {};
  Symbol symbol{Symbol::Register, range->vector, 0, name};
  symbol.index = addRegisters(function, name, range->type, range->vector);
  scope.symbols.emplace(name, symbol);
  return symbol;
}

Symbol ScopeStack::find(std::string_view name, Function *function) {
  for (size_t i = scopes.size(); i-- > 0;) {
    Scope &scope = scopes[i];
    if (auto found = scope.symbols.find(name); found != scope.symbols.end())
      return found->second;
    if (!function)
      continue;
    if (Symbol made = makeFromRange(scope, name, *function); made.kind != Symbol::None)
      return made;
  }
  return {};
}

bool ScopeStack::add(std::string_view name, const Symbol &symbol) {
  Scope &scope = innermost();
  return !findRange(scope, name) && scope.symbols.emplace(name, symbol).second;
}

bool ScopeStack::addRange(std::string_view prefix, const Scope::Range &range) {
  return innermost().ranges.emplace(prefix, range).second;
}
