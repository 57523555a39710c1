//===- MatrixHazards.cpp - Wait states behind MFMA, on every path ---------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The result of a matrix instruction must not be touched by others until a number of wait
// states has passed, nor its addend be overwritten, which it reads late; the hardware
// does not wait by itself. Here the states that are still to pass go forwards through the
// blocks, for each register, the most of all ways where blocks meet. Where LLVM has
// waited enough nothing is added.
//
// What a matrix instruction reads as its addend is left to LLVM: accumulators are
// forwarded from one to the next.
//
// The library's sparse_mla in f32 has such a way, where scores of columns that its tile
// has not are skipped; the emulator, which counts what is executed, finds it.
//
//===----------------------------------------------------------------------===//

#include "backends/hip/MatrixHazards.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/PostOrderIterator.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/CodeGen/MachineFunctionPass.h"
#include "llvm/CodeGen/MachineInstrBuilder.h"
#include "llvm/CodeGen/Passes.h"
#include "llvm/CodeGen/TargetInstrInfo.h"
#include "llvm/CodeGen/TargetPassConfig.h"
#include "llvm/CodeGen/TargetRegisterInfo.h"
#include "llvm/CodeGen/TargetSchedule.h"
#include "llvm/CodeGen/TargetSubtargetInfo.h"
#include "llvm/Target/RegisterTargetPassConfigCallback.h"
#include "llvm/Target/TargetMachine.h"

using namespace llvm;

namespace {
/// Wait states until a register may be touched by vector and matrix instructions, by
/// those that send it to memory, and be overwritten at all.
struct Wait {
  unsigned vector = 0, memory = 0, write = 0;

  bool operator==(const Wait &other) const {
    return vector == other.vector && memory == other.memory && write == other.write;
  }
  void pass(unsigned states) {
    for (unsigned *left : {&vector, &memory, &write})
      *left -= std::min(*left, states);
  }
  static Wait most(const Wait &a, const Wait &b) {
    return {std::max(a.vector, b.vector), std::max(a.memory, b.memory),
            std::max(a.write, b.write)};
  }
};

/// What a block begins or ends with, by register unit.
using Waits = DenseMap<unsigned, Wait>;

class MatrixHazards : public MachineFunctionPass {
public:
  static char ID;
  MatrixHazards() : MachineFunctionPass(ID) {}
  StringRef getPassName() const override { return "Wait states behind MFMA"; }
  bool runOnMachineFunction(MachineFunction &function) override;

private:
  bool isMatrix(const MachineInstr &instr) const {
    return info->getName(instr.getOpcode()).starts_with("V_MFMA_");
  }
  unsigned passesOf(const MachineInstr &instr) const {
    return model.getWriteProcResBegin(model.resolveSchedClass(&instr))->ReleaseAtCycle;
  }
  bool isXdl(const MachineInstr &instr) const;
  Wait afterMatrix(const MachineInstr &instr) const;
  void noteMatrix(const MachineInstr &instr, Waits &waits) const;
  unsigned statesOf(const MachineInstr &instr) const;
  unsigned statesMissing(const MachineInstr &instr, const Waits &waits) const;
  void insertNops(MachineInstr &instr, unsigned states) const;
  bool walk(MachineBasicBlock &block, Waits &waits, bool mend) const;

  TargetSchedModel model;
  const TargetInstrInfo *info = nullptr;
  const TargetRegisterInfo *registers = nullptr;
  StringRef arch;
  unsigned nop = 0;
};
} // namespace

char MatrixHazards::ID = 0;

/// Whether it runs on what the manuals call XDL, as all but f64 do, and from gfx942 on
/// all but products of f32.
bool MatrixHazards::isXdl(const MachineInstr &instr) const {
  StringRef name = info->getName(instr.getOpcode());
  bool isF32 = name.contains("X1F32") || name.contains("X2F32") || name.contains("X4F32");
  return !name.contains("F64") && (arch == "gfx90a" || !isF32);
}

/// The manuals' tables of required software-inserted wait states: "AMD Instinct MI300
/// Instruction Set Architecture", 7.6, and the same chapter for MI200 and CDNA 4.
Wait MatrixHazards::afterMatrix(const MachineInstr &instr) const {
  StringRef name = info->getName(instr.getOpcode());
  bool isOld = arch == "gfx90a", isNewest = arch == "gfx950";
  if (name.contains("F64")) {
    if (name.contains("4X4X4"))
      return {6, 9, 6};
    return {isNewest ? 19u : 11u, 18, 11};
  }
  unsigned passes = passesOf(instr), states;
  if (isOld)
    states = passes <= 2 ? 5 : passes <= 8 ? 11 : 19;
  else
    states = passes + (isXdl(instr) ? 3 + (isNewest && passes != 2) : 2);
  return {states, states, states};
}

void MatrixHazards::noteMatrix(const MachineInstr &instr, Waits &waits) const {
  auto note = [&](const MachineOperand &operand, Wait wait) {
    if (operand.isReg())
      for (MCRegUnit unit : registers->regunits(operand.getReg().asMCReg())) {
        Wait &known = waits[static_cast<unsigned>(unit)];
        known = Wait::most(known, wait);
      }
  };
  if (isXdl(instr))
    note(instr.getOperand(3), {0, 0, passesOf(instr) - 1});
  note(instr.getOperand(0), afterMatrix(instr));
}

unsigned MatrixHazards::statesOf(const MachineInstr &instr) const {
  if (instr.getOpcode() == nop)
    return instr.getOperand(0).getImm() + 1;
  // An assembler text may be empty.
  return instr.isMetaInstruction() || instr.isInlineAsm() ? 0 : 1;
}

/// How many wait states `instr` comes too early.
unsigned MatrixHazards::statesMissing(const MachineInstr &instr,
                                      const Waits &waits) const {
  unsigned missing = 0;
  auto check = [&](const MachineOperand &operand) {
    if (!operand.isReg() || !operand.getReg().isPhysical())
      return;
    for (MCRegUnit unit : registers->regunits(operand.getReg().asMCReg())) {
      auto found = waits.find(static_cast<unsigned>(unit));
      if (found == waits.end())
        continue;
      const Wait &wait = found->second;
      missing = std::max(missing, operand.isDef()          ? wait.write
                                  : instr.mayLoadOrStore() ? wait.memory
                                                           : wait.vector);
    }
  };
  if (isMatrix(instr)) {
    check(instr.getOperand(1));
    check(instr.getOperand(2));
  } else if (!instr.isMetaInstruction()) {
    for (const MachineOperand &operand : instr.operands())
      check(operand);
  }
  return missing;
}

void MatrixHazards::insertNops(MachineInstr &instr, unsigned states) const {
  constexpr unsigned most = 8; // in one instruction
  for (; states; states -= std::min(states, most))
    BuildMI(*instr.getParent(), instr.getIterator(), instr.getDebugLoc(), info->get(nop))
        .addImm(std::min(states, most) - 1);
}

/// Takes `waits` from the begin of `block` to its end.
bool MatrixHazards::walk(MachineBasicBlock &block, Waits &waits, bool mend) const {
  auto pass = [&](unsigned states) {
    SmallVector<unsigned> done;
    for (auto &[unit, wait] : waits) {
      wait.pass(states);
      if (wait == Wait())
        done.push_back(unit);
    }
    for (unsigned unit : done)
      waits.erase(unit);
  };
  bool changed = false;
  // Of several branches at the end the first may be the one that is taken.
  bool isBehindBranch = false;
  // A bundle's header names what all in it touch.
  for (MachineInstr &instr : make_early_inc_range(block)) {
    if (!waits.empty()) {
      if (unsigned missing = statesMissing(instr, waits)) {
        if (mend)
          insertNops(instr, missing);
        changed = true;
        pass(missing);
      }
      unsigned states = instr.isBundle() || isBehindBranch ? 0 : statesOf(instr);
      auto inner = std::next(instr.getIterator()), end = block.instr_end();
      for (; inner != end && inner->isBundledWithPred(); ++inner)
        states += statesOf(*inner);
      pass(states);
    }
    isBehindBranch |= instr.isTerminator();
    if (isMatrix(instr))
      noteMatrix(instr, waits);
  }
  return changed;
}

bool MatrixHazards::runOnMachineFunction(MachineFunction &function) {
  const TargetSubtargetInfo &subtarget = function.getSubtarget();
  info = subtarget.getInstrInfo();
  registers = subtarget.getRegisterInfo();
  arch = subtarget.getCPU();
  if (none_of(function, [&](const MachineBasicBlock &block) {
        return any_of(block, [&](const MachineInstr &instr) { return isMatrix(instr); });
      }))
    return false;
  model.init(&subtarget);
  for (nop = 0; info->getName(nop) != "S_NOP";)
    ++nop;

  // Waits only grow where blocks meet, and are bounded: the walk ends.
  DenseMap<MachineBasicBlock *, Waits> begins;
  ReversePostOrderTraversal<MachineFunction *> order(&function);
  SetVector<MachineBasicBlock *> toWalk(order.begin(), order.end());
  while (!toWalk.empty()) {
    MachineBasicBlock *block = toWalk.front();
    toWalk.erase(toWalk.begin());
    Waits waits = begins[block];
    walk(*block, waits, /*mend=*/false);
    for (MachineBasicBlock *next : block->successors()) {
      Waits &begin = begins[next];
      bool grew = false;
      for (auto &[unit, wait] : waits) {
        Wait &known = begin[unit];
        Wait most = Wait::most(known, wait);
        grew |= !(most == known);
        known = most;
      }
      if (grew)
        toWalk.insert(next);
    }
  }
  bool changed = false;
  for (MachineBasicBlock *block : order)
    changed |= walk(*block, begins[block], /*mend=*/true);
  return changed;
}

FunctionPass *tilewright::hip::createMatrixHazards() { return new MatrixHazards(); }

void tilewright::hip::registerMatrixHazards() {
  static RegisterTargetPassConfigCallback callback(
      [](TargetMachine &target, PassManagerBase &, TargetPassConfig *config) {
        if (target.getTargetTriple().isAMDGCN())
          config->insertPass(&PostRAHazardRecognizerID, createMatrixHazards());
      });
}
