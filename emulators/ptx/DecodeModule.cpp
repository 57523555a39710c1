//===- DecodeModule.cpp - A module's variables and functions -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Block.h"
#include "emulators/ptx/Decode.h"
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
  if (variable.space == Space::Const)
    made->readOnlyBytes = made->size;
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
      return fail(statement.line, mnemonic + " is not modelled: " + statement.oneLine());
    Decoder decoder(program, function, statement, instruction);
    family->second(decoder);
    decoder.finish();
    if (!decoder.failed() && !decoder.getLeftOver().empty())
      decoder.fail("modifier ." + std::string(decoder.getLeftOver()) +
                   " is not modelled here");
    if (!decoder.failed() && !instruction.execute)
      decoder.fail("it is not modelled");
    if (decoder.failed())
      return fail(statement.line,
                  mnemonic + ": " + decoder.getError() + ": " + statement.oneLine());
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
  if (ModuleDecoder(*program, memory, error).decode())
    return program;
  // What was placed is of no use to anybody.
  for (const auto &[name, allocation] : program->globals)
    memory.release(allocation->base);
  return nullptr;
}
