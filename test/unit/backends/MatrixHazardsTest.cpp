//===- MatrixHazardsTest.cpp - Wait states behind MFMA, on every path ---------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Machine code as LLVM's own recognizer leaves it. The product of 16 x 16 x 16 f16 takes
// four passes on gfx942, and its result can be touched seven wait states later.
//
//===----------------------------------------------------------------------===//

#include "backends/hip/MatrixHazards.h"

#include "llvm/CodeGen/MIRParser/MIRParser.h"
#include "llvm/CodeGen/MachineFunction.h"
#include "llvm/CodeGen/MachineModuleInfo.h"
#include "llvm/CodeGen/TargetInstrInfo.h"
#include "llvm/CodeGen/TargetSubtargetInfo.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "gtest/gtest.h"

using namespace llvm;

namespace {

constexpr const char *mfma =
    "    $vgpr0_vgpr1_vgpr2_vgpr3 = V_MFMA_F32_16X16X16F16_vgprcd_e64 $vgpr4_vgpr5, "
    "$vgpr6_vgpr7, 0, 0, 0, 0, implicit $mode, implicit $exec\n";
constexpr const char *use = "    $vgpr8 = V_MOV_B32_e32 $vgpr0, implicit $exec\n";
constexpr const char *end = "    S_ENDPGM 0\n";

/// The wait states of S_NOPs in each block when the pass has gone over `body`.
std::vector<unsigned> run(const std::string &body, const char *arch = "gfx942") {
  LLVMInitializeAMDGPUTargetInfo();
  LLVMInitializeAMDGPUTarget();
  LLVMInitializeAMDGPUTargetMC();
  std::string error;
  Triple triple("amdgcn-amd-amdhsa");
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target) {
    ADD_FAILURE() << error;
    return {};
  }
  std::unique_ptr<TargetMachine> machine(
      target->createTargetMachine(triple, arch, "", TargetOptions(), Reloc::PIC_));
  std::string text = "--- |\n  target triple = \"amdgcn-amd-amdhsa\"\n"
                     "  define void @f() { ret void }\n...\n---\nname: f\n"
                     "tracksRegLiveness: false\nbody: |\n" +
                     body + "...\n";
  LLVMContext context;
  std::unique_ptr<MIRParser> parser =
      createMIRParser(MemoryBuffer::getMemBufferCopy(text), context);
  std::unique_ptr<Module> module = parser ? parser->parseIRModule() : nullptr;
  if (!module) {
    ADD_FAILURE() << "no module";
    return {};
  }
  module->setDataLayout(machine->createDataLayout());
  auto *functions = new MachineModuleInfoWrapperPass(machine.get());
  if (parser->parseMachineFunctions(*module, functions->getMMI())) {
    ADD_FAILURE() << "no machine code";
    return {};
  }
  std::vector<unsigned> states;
  legacy::PassManager passes;
  passes.add(functions); // which owns the machine code
  passes.add(tilewright::hip::createMatrixHazards());
  passes.run(*module);
  MachineFunction &function =
      functions->getMMI().getOrCreateMachineFunction(*module->getFunction("f"));
  const TargetInstrInfo *info = function.getSubtarget().getInstrInfo();
  for (MachineBasicBlock &block : function) {
    states.push_back(0);
    for (MachineInstr &instr : block)
      if (info->getName(instr.getOpcode()) == "S_NOP")
        states.back() += instr.getOperand(0).getImm() + 1;
  }
  return states;
}

using States = std::vector<unsigned>;

TEST(MatrixHazards, WaitsForAResult) {
  EXPECT_EQ(run(std::string("  bb.0:\n") + mfma + use + end), States{7});
}

TEST(MatrixHazards, AddsWhatIsMissing) {
  EXPECT_EQ(run(std::string("  bb.0:\n") + mfma + "    S_NOP 3\n" + use + end),
            States{7});
  EXPECT_EQ(run(std::string("  bb.0:\n") + mfma + "    S_NOP 7\n" + use + end),
            States{8});
}

TEST(MatrixHazards, LeavesAddendsToTheHardware) {
  std::string next = "    $vgpr0_vgpr1_vgpr2_vgpr3 = V_MFMA_F32_16X16X16F16_vgprcd_e64 "
                     "$vgpr4_vgpr5, $vgpr6_vgpr7, $vgpr0_vgpr1_vgpr2_vgpr3, 0, 0, 0, "
                     "implicit $mode, implicit $exec\n";
  EXPECT_EQ(run("  bb.0:\n" + (mfma + next) + end), States{0});
}

/// A branch around what takes long enough brings the use nearer: it is a state itself.
TEST(MatrixHazards, TakesTheShortestWay) {
  std::string body = std::string("  bb.0:\n    successors: %bb.1, %bb.2\n") + mfma +
                     "    S_CBRANCH_SCC1 %bb.2, implicit undef $scc\n"
                     "  bb.1:\n    successors: %bb.2\n    S_NOP 7\n    S_NOP 7\n"
                     "  bb.2:\n" +
                     use + end;
  EXPECT_EQ(run(body), (States{0, 16, 6}));
}

/// A loop's first instruction follows its last one.
TEST(MatrixHazards, GoesRoundLoops) {
  std::string body = std::string("  bb.0:\n    successors: %bb.1\n    S_NOP 0\n"
                                 "  bb.1:\n    successors: %bb.1, %bb.2\n") +
                     use + mfma +
                     "    S_CBRANCH_SCC1 %bb.1, implicit undef $scc\n"
                     "  bb.2:\n" +
                     end;
  EXPECT_EQ(run(body), (States{1, 6, 0}));
}

/// Of two branches at the end of a block the first may be the one that is taken.
TEST(MatrixHazards, CountsOneOfTwoBranches) {
  std::string body = std::string("  bb.0:\n    successors: %bb.1, %bb.2\n") + mfma +
                     "    S_CBRANCH_SCC1 %bb.2, implicit undef $scc\n    S_BRANCH %bb.1\n"
                     "  bb.1:\n" +
                     end + "  bb.2:\n" + use + end;
  EXPECT_EQ(run(body), (States{0, 0, 6}));
}

TEST(MatrixHazards, WaitsLongerOnGfx90a) {
  EXPECT_EQ(run(std::string("  bb.0:\n") + mfma + use + end, "gfx90a"), States{11});
}

} // namespace
