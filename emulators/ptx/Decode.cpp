//===- Decode.cpp - From statements to instructions ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Decode.h"
#include "emulators/ptx/Block.h"
#include "emulators/ptx/SpecialRegisters.h"

#include <cstring>
#include <unordered_set>

using namespace tilewright::ptx;
using tilewright::emulator::Allocation;
using tilewright::emulator::GlobalMemory;

//===----------------------------------------------------------------------===//
// Families
//===----------------------------------------------------------------------===//

/// The decoder of each opcode, the part of a mnemonic before its first dot.
static const std::unordered_map<std::string_view, FamilyDecoder> &getFamilies() {
  static const std::unordered_map<std::string_view, FamilyDecoder> families = [] {
    struct Row {
      FamilyDecoder decoder;
      std::initializer_list<std::string_view> opcodes;
    };
    const Row rows[] = {
        {decodeInteger,
         {"add", "sub", "mul", "mad", "mul24", "mad24", "div", "rem", "abs", "neg", "min",
          "max", "sad", "dp4a", "dp2a", "addc", "subc", "madc"}},
        {decodeFloat,
         {"fma", "rcp", "sqrt", "rsqrt", "sin", "cos", "lg2", "ex2", "tanh", "copysign",
          "testp"}},
        {decodeBits,
         {"and", "or", "xor", "not", "cnot", "lop3", "shl", "shr", "shf", "bfe", "bfi",
          "bfind", "brev", "clz", "popc", "prmt", "fns", "szext", "bmsk"}},
        {decodeCompare, {"setp", "set", "selp", "slct"}},
        {decodeConvert, {"cvt"}},
        {decodeMove, {"mov", "cvta", "isspacep"}},
        {decodeVideo, {"vadd4", "vsub4", "vavrg4", "vabsdiff4", "vmin4", "vmax4"}},
        {decodeMemory,
         {"ld", "ldu", "st", "prefetch", "prefetchu", "discard", "applypriority",
          "createpolicy"}},
        {decodeAtomic, {"atom", "red"}},
        {decodeWarp, {"shfl", "vote", "match", "redux", "elect", "activemask"}},
        {decodeBarrier, {"bar", "barrier", "fence", "membar"}},
        {decodeMbarrier, {"mbarrier"}},
        {decodeAsyncCopy, {"cp", "tensormap", "multimem"}},
        {decodeMatrix, {"ldmatrix", "stmatrix", "movmatrix", "mma", "wmma"}},
        {decodeWgmma, {"wgmma"}},
        {decodeControl, {"bra", "brx", "call", "ret", "exit", "trap", "brkpt"}},
        {decodeSystem,
         {"nanosleep", "setmaxnreg", "griddepcontrol", "mapa", "getctarank", "pmevent",
          "alloca", "stacksave", "stackrestore"}},
    };
    std::unordered_map<std::string_view, FamilyDecoder> map;
    for (const Row &row : rows)
      for (std::string_view opcode : row.opcodes)
        map.emplace(opcode, row.decoder);
    return map;
  }();
  return families;
}

//===----------------------------------------------------------------------===//
// Modifiers
//===----------------------------------------------------------------------===//

Decoder::Decoder(Program &program, DecodedFunction &function, const Statement &statement,
                 Instruction &result)
    : result(result), statement(statement), program(program), function(function) {
  if (statement.modifiers.size() > 64)
    fail("more modifiers than an instruction can have");
}

bool Decoder::take(std::string_view name) {
  for (size_t i = 0; i < statement.modifiers.size() && i < 64; ++i)
    if (!(taken >> i & 1) && statement.modifiers[i] == name) {
      taken |= uint64_t(1) << i;
      return true;
    }
  return false;
}

std::optional<unsigned>
Decoder::takeOneOf(std::initializer_list<std::string_view> names) {
  unsigned index = 0;
  for (std::string_view name : names) {
    if (take(name))
      return index;
    ++index;
  }
  return std::nullopt;
}

Type Decoder::takeType() {
  for (size_t i = 0; i < statement.modifiers.size() && i < 64; ++i) {
    if (taken >> i & 1)
      continue;
    Type type = parseType(statement.modifiers[i]);
    if (type == Type::None)
      continue;
    taken |= uint64_t(1) << i;
    return type;
  }
  return Type::None;
}

Space Decoder::takeSpace() {
  struct Row {
    std::string_view name;
    Space space;
  };
  static constexpr Row rows[] = {
      {"global", Space::Global},      {"shared", Space::Shared},
      {"shared::cta", Space::Shared}, {"shared::cluster", Space::SharedCluster},
      {"local", Space::Local},        {"param", Space::Param},
      {"param::entry", Space::Param}, {"param::func", Space::Param},
      {"const", Space::Const}};
  for (const Row &row : rows)
    if (take(row.name))
      return row.space;
  return Space::Generic;
}

void Decoder::takeCacheHints() {
  for (size_t i = 0; i < statement.modifiers.size() && i < 64; ++i) {
    std::string_view name = statement.modifiers[i];
    static const std::unordered_set<std::string_view> hints = {
        "ca", "cg", "cs", "lu", "cv", "wb", "wt", "nc", "evict_last", "evict_normal"};
    if (hints.count(name) || name.substr(0, 4) == "L1::" || name.substr(0, 4) == "L2::" ||
        name.substr(0, 10) == "level::eviction")
      taken |= uint64_t(1) << i;
  }
}

std::string_view Decoder::getLeftOver() const {
  for (size_t i = 0; i < statement.modifiers.size() && i < 64; ++i)
    if (!(taken >> i & 1))
      return statement.modifiers[i];
  return {};
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

const Operand &Decoder::at(size_t index) {
  static const Operand none;
  if (index < statement.operands.size())
    return statement.operands[index];
  fail("operand " + std::to_string(index + 1) + " is missing");
  return none;
}

bool Decoder::expectOperands(size_t least, size_t most) {
  size_t count = statement.operands.size();
  if (count >= least && count <= most)
    return true;
  fail("it has " + std::to_string(count) + " operands, not " + std::to_string(least) +
       (least == most ? "" : " to " + std::to_string(most)));
  return false;
}

bool Decoder::isPredicate(const Operand &operand) const {
  return operand.kind == Operand::Register &&
         operand.reg < function.syntax->registers.size() &&
         function.syntax->registers[operand.reg].type == Type::Pred;
}

uint32_t Decoder::destination(const Operand &operand) {
  if (operand.kind == Operand::Sink)
    return noRegister;
  if (operand.kind == Operand::Vector && operand.items.size() == 1)
    return destination(operand.items[0]);
  if (operand.kind != Operand::Register || isPredicate(operand)) {
    fail("a register is expected as the result");
    return noRegister;
  }
  return function.registerNumber[operand.reg];
}

uint32_t Decoder::predicate(const Operand &operand) {
  if (operand.kind == Operand::Sink)
    return noRegister;
  if (!isPredicate(operand)) {
    fail("a predicate is expected");
    return noRegister;
  }
  return function.registerNumber[operand.reg];
}

uint32_t Decoder::poolRegister(const PoolEntry &entry) {
  uint32_t first = function.registers - static_cast<uint32_t>(function.pool.size());
  for (size_t i = 0; i < function.pool.size(); ++i) {
    const PoolEntry &other = function.pool[i];
    if (other.isSpecial == entry.isSpecial && other.special == entry.special &&
        other.bits == entry.bits)
      return first + static_cast<uint32_t>(i);
  }
  function.pool.push_back(entry);
  return function.registers++;
}

/// The bits of `operand`, a literal, as a value of `type`.
static uint64_t getLiteral(const Operand &operand, Type type) {
  if (operand.kind == Operand::Integer) {
    // An integer where a float belongs is its bits, except in a float of 64 bits' decimal
    // form, which the parser has made a Float.
    unsigned bits = getBits(type);
    return bits >= 64 || bits == 0 ? operand.bits
                                   : operand.bits & ((uint64_t(1) << bits) - 1);
  }
  double value;
  if (operand.isDouble) {
    memcpy(&value, &operand.bits, sizeof(value));
  } else {
    float narrow;
    uint32_t bits = static_cast<uint32_t>(operand.bits);
    memcpy(&narrow, &bits, sizeof(narrow));
    // The bits themselves, which a NaN's payload would lose by a conversion.
    if (getBits(type) == 32)
      return bits;
    value = narrow;
  }
  if (getBits(type) == 64) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
  }
  float narrow = static_cast<float>(value);
  uint32_t bits;
  memcpy(&bits, &narrow, sizeof(bits));
  return bits;
}

/// The address of variable or function `name` as a value in its own space; nothing if
/// there is none.
static std::optional<uint64_t> getAddress(const Program &program,
                                          const DecodedFunction &function,
                                          std::string_view name) {
  for (const Placement &placement : function.placements)
    if (placement.variable->name == name)
      return placement.offset;
  auto global = program.globals.find(std::string(name));
  if (global != program.globals.end())
    return global->second->base;
  for (size_t i = 0; i < program.module->functions.size(); ++i)
    if (program.module->functions[i].name == name)
      return (i + 1) << 4;
  return std::nullopt;
}

uint32_t Decoder::source(const Operand &operand, Type type) {
  switch (operand.kind) {
  case Operand::Register:
    if (isPredicate(operand)) {
      fail("a value is expected, not a predicate");
      return noRegister;
    }
    return function.registerNumber[operand.reg];
  case Operand::Vector:
    if (operand.items.size() == 1)
      return source(operand.items[0], type);
    break;
  case Operand::Integer:
  case Operand::Float: {
    if (operand.kind == Operand::Float && getBits(type) == 16) {
      fail("a literal of 32 or 64 bits is no value of 16 bits");
      return noRegister;
    }
    PoolEntry entry;
    entry.bits = getLiteral(operand, type);
    return poolRegister(entry);
  }
  case Operand::Special: {
    if (operand.name == "WARP_SZ") {
      PoolEntry entry;
      entry.bits = lanesPerWarp;
      return poolRegister(entry);
    }
    std::optional<SpecialRegister> special = parseSpecialRegister(operand.name);
    if (!special) {
      fail("special register " + std::string(operand.name) + " is not modelled");
      return noRegister;
    }
    if (isVolatile(*special)) {
      fail("only mov reads " + std::string(operand.name) +
           ", which changes all the time");
      return noRegister;
    }
    PoolEntry entry;
    entry.isSpecial = true;
    entry.special = *special;
    return poolRegister(entry);
  }
  case Operand::Name: {
    std::optional<uint64_t> address = getAddress(program, function, operand.name);
    if (!address) {
      fail("nothing is named " + std::string(operand.name));
      return noRegister;
    }
    PoolEntry entry;
    entry.bits = *address + operand.offset;
    return poolRegister(entry);
  }
  default:
    break;
  }
  fail("an operand has a form that does not fit here");
  return noRegister;
}

uint32_t Decoder::address(const Operand &operand, Space) {
  if (operand.kind != Operand::Address || operand.items.empty()) {
    fail("an address in brackets is expected");
    return noRegister;
  }
  result.immediate = operand.offset;
  return source(operand.items[0], Type::B64);
}

void Decoder::addList(const Operand &operand, Type type, bool isSource) {
  if (operand.kind == Operand::Vector) {
    for (const Operand &item : operand.items)
      list.push_back(isSource ? source(item, type) : destination(item));
    return;
  }
  list.push_back(isSource ? source(operand, type) : destination(operand));
}

std::optional<int64_t> Decoder::integer(const Operand &operand) const {
  if (operand.kind != Operand::Integer)
    return std::nullopt;
  return static_cast<int64_t>(operand.bits);
}

void Decoder::fail(std::string message) {
  if (error.empty())
    error = std::move(message);
}

void Decoder::finish() {
  if (list.empty())
    return;
  const auto *kept = keep(std::move(list));
  result.list = kept->data();
  result.listSize = static_cast<uint16_t>(kept->size());
}

//===----------------------------------------------------------------------===//
// Placing variables
//===----------------------------------------------------------------------===//

static uint64_t alignTo(uint64_t offset, uint64_t align) {
  return align ? (offset + align - 1) / align * align : offset;
}

namespace {
class ModuleDecoder {
public:
  ModuleDecoder(Program &program, GlobalMemory &memory, SyntaxError &error)
      : program(program), memory(memory), error(error) {}

  bool decode();

private:
  bool checkModelled();
  bool placeGlobal(const Variable &variable);
  bool relocate(const Variable &variable);
  void placeShared(DecodedFunction &function);
  void placeBody(DecodedFunction &function);
  void numberRegisters(DecodedFunction &function);
  bool decodeBody(DecodedFunction &function);
  bool fail(uint32_t line, std::string message) {
    error = {line, 1, std::move(message)};
    return false;
  }

  Program &program;
  GlobalMemory &memory;
  SyntaxError &error;
  std::unordered_map<std::string, uint32_t> opcodes;
};
} // namespace

/// Bytes of parameters and call arguments that a frame of one thread may have. A kernel's
/// parameters have at most 32764.
static constexpr uint64_t mostParamBytes = 1 << 20;

bool ModuleDecoder::placeGlobal(const Variable &variable) {
  if (variable.space != Space::Global && variable.space != Space::Const)
    return true;
  if (program.globals.count(variable.name))
    return true;
  Allocation *made =
      memory.allocate(variable.size ? variable.size : 1, variable.name, variable.align);
  if (!made)
    return fail(variable.line, "no memory for variable " + variable.name);
  made->readOnly = variable.space == Space::Const;
  // Variables without an initial value start as zero.
  memset(made->memory.data(), 0, made->memory.size());
  memset(made->memory.shadow(), tilewright::emulator::Sound, made->memory.size());
  if (!variable.initial.empty())
    memcpy(made->memory.data(), variable.initial.data(),
           std::min(variable.initial.size(), made->memory.size()));
  program.globals.emplace(variable.name, made);
  return true;
}

bool ModuleDecoder::relocate(const Variable &variable) {
  auto found = program.globals.find(variable.name);
  if (found == program.globals.end())
    return true;
  static const DecodedFunction nowhere;
  for (const Variable::Relocation &relocation : variable.relocations) {
    std::optional<uint64_t> address = getAddress(program, nowhere, relocation.name);
    if (!address || relocation.at + relocation.bytes > variable.size)
      return fail(variable.line, "the initial value of " + variable.name + " names " +
                                     relocation.name + ", which has no address");
    uint64_t value = *address + relocation.addend;
    memcpy(found->second->memory.data() + relocation.at, &value,
           std::min<size_t>(relocation.bytes, 8));
  }
  return true;
}

/// Shared variables of the module, of all functions that may be called, and of the body,
/// those without a size last: they are the dynamic memory, all at one place.
void ModuleDecoder::placeShared(DecodedFunction &function) {
  uint64_t end = sharedStart;
  std::vector<const Variable *> dynamic;
  auto place = [&](const std::vector<Variable> &variables) {
    for (const Variable &variable : variables) {
      if (variable.space != Space::Shared)
        continue;
      if (variable.isExtern && variable.size == 0) {
        dynamic.push_back(&variable);
        continue;
      }
      end = alignTo(end, variable.align);
      function.placements.push_back({&variable, Space::Shared, end});
      end += variable.size;
    }
  };
  place(program.module->variables);
  for (const Function &callee : program.module->functions)
    if (!callee.isEntry)
      place(callee.variables);
  if (function.syntax->isEntry)
    place(function.syntax->variables);
  function.sharedBytes = end - sharedStart;
  for (const Variable *variable : dynamic)
    function.dynamicSharedAlign =
        std::max<uint64_t>(function.dynamicSharedAlign, variable->align);
  uint64_t start = alignTo(end, function.dynamicSharedAlign);
  for (const Variable *variable : dynamic)
    function.placements.push_back({variable, Space::Shared, start});
  if (!dynamic.empty())
    function.sharedBytes = start - sharedStart;
}

void ModuleDecoder::placeBody(DecodedFunction &function) {
  const Function &syntax = *function.syntax;
  uint64_t params = 0;
  auto placeParams = [&](const std::vector<Variable> &variables,
                         std::vector<uint64_t> &offsets) {
    for (const Variable &variable : variables) {
      params = alignTo(params, variable.align);
      offsets.push_back(params);
      function.placements.push_back({&variable, Space::Param, params});
      params += variable.size;
    }
  };
  placeParams(syntax.params, function.paramOffsets);
  placeParams(syntax.results, function.resultOffsets);
  for (const Variable &variable : syntax.variables) {
    if (variable.space == Space::Param) {
      params = alignTo(params, variable.align);
      function.placements.push_back({&variable, Space::Param, params});
      params += variable.size;
    } else if (variable.space == Space::Local) {
      function.localBytes = alignTo(function.localBytes, variable.align);
      function.placements.push_back({&variable, Space::Local, function.localBytes});
      function.localBytes += variable.size;
    } else if (variable.space != Space::Shared) {
      function.placements.push_back(
          {&variable, variable.space, program.globals.at(variable.name)->base});
    }
  }
  function.localBytes = alignTo(function.localBytes, 16);
  function.paramBytes = alignTo(params, 16);
}

void ModuleDecoder::numberRegisters(DecodedFunction &function) {
  for (const RegisterInfo &info : function.syntax->registers) {
    // A register of 128 bits is two of 64, the lower half first.
    uint32_t width = info.type == Type::B128 ? 2 : 1;
    uint32_t &count = info.type == Type::Pred ? function.predicates : function.registers;
    function.registerNumber.push_back(count);
    count += width;
  }
}

bool ModuleDecoder::decodeBody(DecodedFunction &function) {
  const Function &syntax = *function.syntax;
  function.code.resize(syntax.body.size());
  for (size_t i = 0; i < syntax.body.size(); ++i) {
    const Statement &statement = syntax.body[i];
    Instruction &instruction = function.code[i];
    instruction.statement = &statement;
    instruction.guardNegated = statement.guardNegated;
    std::string mnemonic(statement.opcode);
    for (std::string_view modifier : statement.modifiers)
      mnemonic.append(".").append(modifier);
    if (statement.guard != Statement::noGuard)
      instruction.guard = function.registerNumber[statement.guard];
    auto [opcode, isNew] =
        opcodes.try_emplace(mnemonic, static_cast<uint32_t>(program.opcodes.size()));
    if (isNew)
      program.opcodes.push_back(mnemonic);
    instruction.opcode = opcode->second;

    auto family = getFamilies().find(statement.opcode);
    if (family == getFamilies().end())
      return fail(statement.line,
                  mnemonic + " is not modelled: " + std::string(statement.text));
    Decoder decoder(program, function, statement, instruction);
    family->second(decoder);
    decoder.finish();
    if (!decoder.failed() && !decoder.getLeftOver().empty())
      decoder.fail("modifier ." + std::string(decoder.getLeftOver()) +
                   " is not modelled here");
    if (!decoder.failed() && !instruction.execute)
      decoder.fail("it is not modelled");
    if (decoder.failed())
      return fail(statement.line, mnemonic + ": " + decoder.getError() + ": " +
                                      std::string(statement.text));
  }
  return true;
}

/// Refuses what no part of the emulator models.
bool ModuleDecoder::checkModelled() {
  if (program.module->addressBits != 64)
    return fail(1, "addresses of " + std::to_string(program.module->addressBits) +
                       " bits are not modelled");
  for (const Function &function : program.module->functions) {
    if (function.blocksAreClusters)
      return fail(function.line, ".blocksareclusters is not modelled");
    for (const auto *variables : {&function.params, &function.results})
      for (const Variable &variable : *variables)
        if (variable.space != Space::Param)
          return fail(function.line, "parameter " + variable.name + " of " +
                                         function.name +
                                         " is a register, which is not modelled");
  }
  return true;
}

bool ModuleDecoder::decode() {
  const Module &module = *program.module;
  if (!checkModelled())
    return false;
  for (const Variable &variable : module.variables)
    if (!placeGlobal(variable))
      return false;
  for (const Function &function : module.functions)
    for (const Variable &variable : function.variables)
      if (!placeGlobal(variable))
        return false;
  for (const Variable &variable : module.variables)
    if (!relocate(variable))
      return false;
  for (const Function &function : module.functions)
    for (const Variable &variable : function.variables)
      if (!relocate(variable))
        return false;
  // Functions are known before bodies are decoded, since calls name them.
  for (const Function &syntax : module.functions) {
    DecodedFunction &function = program.functions.emplace_back();
    function.syntax = &syntax;
    numberRegisters(function);
    placeShared(function);
    placeBody(function);
    if (function.paramBytes > mostParamBytes)
      return fail(syntax.line, "the parameters and call arguments of " + syntax.name +
                                   " have " + std::to_string(function.paramBytes) +
                                   " bytes, more than " + std::to_string(mostParamBytes));
  }
  for (DecodedFunction &function : program.functions)
    if (!function.syntax->isDeclaration && !decodeBody(function))
      return false;
  return true;
}

const DecodedFunction *Program::find(std::string_view name) const {
  for (const DecodedFunction &function : functions)
    if (function.syntax->name == name)
      return &function;
  return nullptr;
}

std::unique_ptr<Program> tilewright::ptx::decode(std::unique_ptr<Module> module,
                                                 GlobalMemory &memory,
                                                 SyntaxError &error) {
  auto program = std::make_unique<Program>();
  program->module = std::move(module);
  std::string_view target = program->module->target;
  if (target.substr(0, 3) == "sm_") {
    program->architecture = atoi(program->module->target.c_str() + 3);
    program->architectureSpecific = target.back() == 'a';
  }
  if (!ModuleDecoder(*program, memory, error).decode())
    return nullptr;
  return program;
}
