//===- WgmmaOps.cpp - wgmma ---------------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Decoding, and what happens at the issue of an instruction; see Wgmma.h for the rest.
// The sparse forms are refused.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Wgmma.h"

#include <algorithm>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

static constexpr unsigned maxColumns = 256;

//===----------------------------------------------------------------------===//
// Warpgroups
//===----------------------------------------------------------------------===//

namespace {
/// A multiplication as all four warps must issue it.
struct Issue {
  const Instruction *instruction;
  uint64_t a, b; ///< descriptors
};

/// What the warps of each warpgroup issued: the k-th of one must be the k-th of all.
class WarpgroupLog : public BlockState {
public:
  ~WarpgroupLog() override;
  /// Notes that `warp` issues `one`; what is wrong with that, empty if nothing is.
  std::string add(Warp &warp, const Issue &one);

private:
  struct Warpgroup {
    std::deque<Issue> issues; // those that not all warps have issued
    uint64_t first = 0;       // number of the first of them
    uint64_t counts[warpsPerWarpgroup] = {};
  };
  Block *block = nullptr;
  std::vector<Warpgroup> warpgroups;
};
} // namespace

std::string WarpgroupLog::add(Warp &warp, const Issue &one) {
  block = &warp.block;
  unsigned number = warp.index / warpsPerWarpgroup;
  if ((number + 1) * warpsPerWarpgroup > block->warps.size())
    return "a warpgroup is four warps, and the block ends at warp " +
           std::to_string(block->warps.size() - 1);
  if (warpgroups.size() <= number)
    warpgroups.resize(number + 1);
  Warpgroup &group = warpgroups[number];
  uint64_t index = group.counts[warp.index % warpsPerWarpgroup]++;
  for (unsigned i = 0; i < warpsPerWarpgroup; ++i)
    if (block->warps[number * warpsPerWarpgroup + i]->alive == 0 &&
        group.counts[i] <= index)
      return "warp " + std::to_string(number * warpsPerWarpgroup + i) +
             " of the warpgroup has exited without it";
  if (index - group.first == group.issues.size()) {
    group.issues.push_back(one);
  } else {
    const Issue &other = group.issues[index - group.first];
    if (other.instruction != one.instruction)
      return "another warp of the warpgroup has executed the one of line " +
             std::to_string(other.instruction->statement->line) + " instead";
    if (other.a != one.a || other.b != one.b)
      return "another warp of the warpgroup has other matrix descriptors";
  }
  uint64_t all = *std::min_element(group.counts, group.counts + warpsPerWarpgroup);
  for (; group.first < all; ++group.first)
    group.issues.pop_front();
  return "";
}

WarpgroupLog::~WarpgroupLog() {
  if (!block || block->launch.stopped)
    return;
  for (size_t number = 0; number < warpgroups.size(); ++number) {
    const Warpgroup &group = warpgroups[number];
    if (group.issues.empty())
      continue;
    for (unsigned i = 0; i < warpsPerWarpgroup; ++i) {
      if (group.counts[i] != group.first)
        continue;
      Warp &warp = *block->warps[number * warpsPerWarpgroup + i];
      block->launch.device.faults.add(
          {Rule::Convergence,
           "other warps of the warpgroup executed it, and this one exited without it",
           warp.getSite(*group.issues.front().instruction, 0)});
      break;
    }
  }
}

//===----------------------------------------------------------------------===//
// Issue
//===----------------------------------------------------------------------===//

/// The value of descriptor `reg`, the same in all lanes; false if a fault was reported.
static bool getDescriptor(Warp &warp, uint32_t reg, const char *what, uint64_t &bits) {
  if (!warp.expectSound(reg, what))
    return false;
  const uint64_t *values = warp.values(reg);
  bits = values[0];
  for (unsigned lane = 1; lane < lanesPerWarp; ++lane)
    if (values[lane] != bits) {
      warp.stop(Rule::Descriptor,
                std::string(what) + " differs between lane 0 and lane " +
                    std::to_string(lane),
                lane);
      return false;
    }
  return true;
}

/// Whether the product is added to D; nothing if a fault was reported.
static std::optional<bool> getAdds(Warp &warp, const Instruction &instruction,
                                   const WgmmaShape &shape) {
  if (shape.addsNever || shape.addsAlways)
    return shape.addsAlways;
  const Predicate &scale = warp.predicate(instruction.operand[2]);
  if (scale.poison && warp.block.launch.options.checks.uninitialised) {
    warp.stop(Rule::Uninitialised, "scale-d depends on undefined data",
              __builtin_ctz(scale.poison));
    return std::nullopt;
  }
  if (scale.value != 0 && scale.value != allLanes) {
    warp.stop(Rule::Convergence, "scale-d differs between lanes", 0);
    return std::nullopt;
  }
  return (scale.value != 0) != shape.scaleNegated;
}

static Step executeMmaAsync(Warp &warp, const Instruction &instruction) {
  Step step;
  if (!haveAllLanes(warp, step))
    return step;
  ProductTimer timer(*warp.block.cluster.getStatistics());
  const auto &shape = *static_cast<const WgmmaShape *>(instruction.extra);
  Issue entry{&instruction, 0, 0};
  if (!shape.aInRegisters &&
      !getDescriptor(warp, instruction.operand[0], "the descriptor of A", entry.a))
    return Step::Stop;
  if (!getDescriptor(warp, instruction.operand[1], "the descriptor of B", entry.b))
    return Step::Stop;
  std::string wrong = warp.block.state<WarpgroupLog>().add(warp, entry);
  if (!wrong.empty())
    return warp.stop(Rule::Convergence, wrong, 0);
  if (!shape.missingFence.empty() && warp.block.launch.options.checks.proxyFences)
    warp.report(Rule::ProxyFence, shape.missingFence, 0);

  PendingWgmma one;
  one.instruction = &instruction;
  std::optional<bool> adds = getAdds(warp, instruction, shape);
  if (!adds)
    return Step::Stop;
  one.adds = *adds;
  one.operands = findOperands(warp, entry.a, entry.b, shape);
  if (!one.operands)
    return Step::Stop;
  return warp.state<WgmmaQueue>().issue(warp, std::move(one)) ? Step::Next : Step::Stop;
}

static Step executeFence(Warp &warp, const Instruction &) {
  Step step;
  return haveAllLanes(warp, step) ? Step::Next : step;
}

static Step executeCommit(Warp &warp, const Instruction &) {
  Step step;
  if (!haveAllLanes(warp, step))
    return step;
  warp.state<WgmmaQueue>().commit();
  return Step::Next;
}

static Step executeWait(Warp &warp, const Instruction &instruction) {
  Step step;
  if (!haveAllLanes(warp, step))
    return step;
  ProductTimer timer(*warp.block.cluster.getStatistics());
  warp.state<WgmmaQueue>().wait(warp, static_cast<size_t>(instruction.immediate));
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

static bool isFp8(Type type) { return type == Type::E4M3 || type == Type::E5M2; }
static bool isInt8(Type type) { return type == Type::S8 || type == Type::U8; }

/// What is wrong with the shape and types; empty if nothing is.
static std::string checkShape(const MatrixSize &size, const WgmmaShape &shape) {
  bool isInteger = shape.d == Type::S32;
  if (size.m != 64 || size.n == 0 || size.n % 8 || size.n > maxColumns ||
      (isInteger && size.n > 32 && size.n % 16) || (isInteger && size.n == 40))
    return "there is no such shape";
  unsigned k = 0;
  bool fits = false;
  if (shape.a == Type::F16 && shape.b == Type::F16) {
    k = 16;
    fits = shape.d == Type::F16 || shape.d == Type::F32;
  } else if (shape.a == Type::BF16 && shape.b == Type::BF16) {
    k = 16;
    fits = shape.d == Type::F32;
  } else if (shape.a == Type::TF32 && shape.b == Type::TF32) {
    k = 8;
    fits = shape.d == Type::F32;
  } else if (isFp8(shape.a) && isFp8(shape.b)) {
    k = 32;
    fits = shape.d == Type::F16 || shape.d == Type::F32;
  } else if (isInt8(shape.a) && isInt8(shape.b)) {
    k = 32;
    fits = isInteger;
  } else if (shape.a == Type::B1 && shape.b == Type::B1) {
    k = 256;
    fits = isInteger;
  }
  if (!fits)
    return "there are no such types of A, B and D";
  return size.k == k ? "" : "k is " + std::to_string(k) + " for these types";
}

/// Operand `index`, a constant that must be one of two.
static bool takeConstant(Decoder &decoder, size_t index, int64_t zero, int64_t one) {
  std::optional<int64_t> value = decoder.integer(decoder.at(index));
  if (!value || (*value != zero && *value != one))
    decoder.fail("operand " + std::to_string(index + 1) + " must be " +
                 std::to_string(zero) + " or " + std::to_string(one));
  return value == one;
}

static void decodeScale(Decoder &decoder, size_t index, WgmmaShape &shape) {
  const Operand &operand = decoder.at(index);
  if (operand.kind == Operand::Integer) {
    shape.addsAlways = operand.bits != 0;
    shape.addsNever = !shape.addsAlways;
    return;
  }
  decoder.result.operand[2] = decoder.predicate(operand);
  shape.scaleNegated = operand.negated;
  if (decoder.result.operand[2] == noRegister)
    decoder.fail("scale-d is a predicate");
}

static void decodeMmaAsync(Decoder &decoder) {
  MatrixSize size = takeShape(decoder);
  WgmmaShape shape;
  shape.n = size.n;
  shape.k = size.k;
  shape.d = decoder.takeType();
  shape.a = decoder.takeType();
  shape.b = decoder.takeType();
  std::string wrong = checkShape(size, shape);
  if (!wrong.empty())
    return decoder.fail(wrong);
  bool isInteger = shape.d == Type::S32;
  bool isHalf = getBits(shape.a) == 16;
  if (isInt8(shape.a))
    shape.clamps = decoder.take("satfinite");
  if (shape.a == Type::B1 && (!decoder.take("and") || !decoder.take("popc")))
    decoder.fail("and.popc is missing");
  shape.aInRegisters =
      decoder.operandCount() > 1 && decoder.at(1).kind == Operand::Vector;
  // D, A, B, scale-d; scales of A and B; transpositions, but not of registers.
  size_t expected = 4;
  if (!isInteger)
    expected += 2 + (isHalf ? (shape.aInRegisters ? 1 : 2) : 0);
  if (!decoder.expectOperands(expected, expected))
    return;
  decodeScale(decoder, 3, shape);
  if (!isInteger) {
    shape.aNegated = takeConstant(decoder, 4, 1, -1);
    shape.bNegated = takeConstant(decoder, 5, 1, -1);
  }
  if (isHalf) {
    if (!shape.aInRegisters)
      shape.aTransposed = takeConstant(decoder, 6, 0, 1);
    shape.bTransposed = takeConstant(decoder, expected - 1, 0, 1);
  }

  shape.aFragment = makeMultiplicand(shape.a, warpRows, shape.k);
  shape.dFragment = makeAccumulator(shape.d, warpRows, shape.n);
  auto addRegisters = [&](size_t index, const Fragment &fragment) {
    const Operand &operand = decoder.at(index);
    if (operand.kind != Operand::Vector || operand.items.size() != fragment.registers())
      return decoder.fail("operand " + std::to_string(index + 1) + " must be " +
                          std::to_string(fragment.registers()) + " registers");
    for (const Operand &item : operand.items)
      if (item.kind != Operand::Register)
        return decoder.fail("only registers are modelled here");
    decoder.addList(operand, Type::B32, /*isSource=*/true);
  };
  addRegisters(0, shape.dFragment);
  if (shape.aInRegisters)
    addRegisters(1, shape.aFragment);
  else
    decoder.result.operand[0] = decoder.source(1, Type::B64);
  decoder.result.operand[1] = decoder.source(2, Type::B64);
  if (decoder.failed())
    return;
  shape.missingFence = findMissingFence(*decoder.function.syntax, decoder.statement);
  decoder.result.type = shape.d;
  decoder.result.source = shape.a;
  decoder.result.extra = decoder.keep(std::move(shape));
  decoder.result.execute = executeMmaAsync;
}

void tilewright::ptx::decodeWgmma(Decoder &decoder) {
  takeSyncAligned(decoder);
  requireArchitecture(decoder, 90);
  if (!decoder.program.architectureSpecific)
    decoder.fail("it needs sm_90a");
  auto kind = decoder.takeOneOf({"mma_async", "fence", "commit_group", "wait_group"});
  if (!kind)
    return decoder.fail("it is no instruction that is modelled");
  if (*kind == 0)
    return decodeMmaAsync(decoder);
  if (*kind == 3) {
    if (!decoder.expectOperands(1, 1))
      return;
    std::optional<int64_t> left = decoder.integer(decoder.at(0));
    if (!left || *left < 0)
      return decoder.fail("how many groups may be left is a constant");
    decoder.result.immediate = *left;
    decoder.result.execute = executeWait;
    return;
  }
  decoder.expectOperands(0, 0);
  decoder.result.execute = *kind == 1 ? executeFence : executeCommit;
}
