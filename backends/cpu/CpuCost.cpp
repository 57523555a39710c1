//===- CpuCost.cpp - What a gemm costs with an atom ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The micro-kernel walks column blocks and, in each, row blocks. In a step of K a block
// of r rows and v vectors makes r v products, loads v vectors and broadcasts r elements.
// It takes as long as the busiest of: the multipliers, the load ports, and the latency of
// one product, which the next step of the same sum has to wait for.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CpuCost.h"

#include <numeric>

using namespace tilewright;
using namespace tilewright::cpu;
using tilewright::tile::AtomAttrInterface;

/// Cycles around a register block: loop set-up, and filling and draining the pipeline.
static constexpr double blockOverhead = 12;
/// Cycles to fetch the code of one more kind of block, one with fewer rows or vectors.
static constexpr double codeFetch = 128;
/// Shuffles per vector of a transposition of a square of registers, log2 of its side.
static constexpr double transposeShuffles = 4;
/// Cycles that a product comes late whose sum's last one came just in time: blocks with
/// no more sums than the multipliers' latency asks for do not keep them busy.
static constexpr double latencySlack = 0.5;
/// Blocks of rows that weave the same rows of B: more have them woven once, in a panel
/// that other blocks of C may share.
static constexpr int64_t mostWovenBlocks = 2;
/// Fewer rows than that wait for memory, and packing reads it in longer pieces.
static constexpr int64_t fewestWovenRows = 4;
/// Ways of L1 that are left for what is read again, and so many that a block of columns
/// may take to be woven twice: some lines come from L2 then, in so many cycles.
static constexpr int64_t waysOfL1 = 8, wovenWays = 16;
static constexpr double loadFromL2 = 2;
/// What decides between blocks that take equally long: cycles for each load of a step.
static constexpr double loadWeight = 0.01;

//===----------------------------------------------------------------------===//
// Feeding
//===----------------------------------------------------------------------===//

Feed cpu::getBroadcastFeed(AtomAttr atom, const GemmProblem::Operand &operand,
                           int64_t k) {
  bool together = atom.getDepth() == 1 ||
                  (operand.alongK && k % atom.getGroup() == 0 && !atom.isSquare());
  if (!together && atom.isTile())
    return Feed::Transpose;
  if (!together)
    return Feed::Interleave;
  return operand.element == atom.getElement() ? Feed::InPlace : Feed::Convert;
}

Feed cpu::getVectorFeed(AtomAttr atom, const GemmProblem::Operand &operand) {
  if (atom.isWoven())
    return Feed::InPlace;
  if (operand.alongK)
    return Feed::Transpose;
  if (atom.getDepth() > 1)
    return Feed::Interleave;
  return operand.element == atom.getElement() ? Feed::InPlace : Feed::Convert;
}

/// Cycles to bring `elements` into another form.
static double getFeedCycles(const CpuModel &model, AtomAttr atom, Feed feed,
                            const GemmProblem::Operand &operand, int64_t elements) {
  if (feed == Feed::InPlace)
    return 0;
  double vectors = static_cast<double>(elements) *
                   atom.getElement().getIntOrFloatBitWidth() / atom.getVectorBits();
  double shuffles = feed == Feed::Transpose    ? transposeShuffles
                    : feed == Feed::Interleave ? 1
                                               : 0;
  if (operand.element != atom.getElement())
    shuffles += 1;
  double perVector = 1 / model.loads + shuffles / model.shuffles + 1 / model.stores;
  return vectors * perVector / operand.uses;
}

/// Cycles to copy B to a tile. Where one block of registers has all rows, each vector of
/// B is loaded once, and cpu-read-in-place does without a tile. So it does where they are
/// woven: the second block has them from L1, or from L2 where they push each other out.
static double getCopyCycles(const CpuModel &model, AtomAttr atom,
                            const GemmProblem &problem) {
  double vectors = static_cast<double>(problem.k * problem.n) *
                   atom.getElement().getIntOrFloatBitWidth() / atom.getVectorBits();
  if (problem.m <= atom.getRows())
    return 0;
  if (atom.isWoven())
    return collideInL1(problem.k, *problem.b.rowBytes, waysOfL1) ? vectors * loadFromL2
                                                                 : 0;
  return vectors * (1 / model.loads + 1 / model.stores) / problem.b.uses;
}

//===----------------------------------------------------------------------===//
// Computing
//===----------------------------------------------------------------------===//

/// Cycles from a product to the next one of the same sum.
static double getLatency(const CpuModel &model, Instruction instruction) {
  switch (instruction) {
  case Instruction::DotBF16:
  case Instruction::BfDot:
    return model.bf16Latency;
  case Instruction::BfMmla:
    return model.bf16Latency + 1;
  case Instruction::MultiplyAdd:
    return model.fmaLatency * 2.5; // a multiplication of 32 bits is two operations
  default:
    return model.fmaLatency;
  }
}

/// Cycles of one register block over `steps` steps of K. Where the columns of B share L1
/// with too much to stay there from one row block to the next, its vectors arrive at half
/// the rate; where they are larger than L1, at a quarter.
///
/// In squares an odd row counts as two, two rows of A are one load, and a vector's
/// columns of B two.
static double getBlockCycles(const CpuModel &model, AtomAttr atom, int64_t rows,
                             int64_t vectors, int64_t steps) {
  bool isSquare = atom.isSquare();
  int64_t loadsOfA = isSquare ? llvm::divideCeil(rows, 2) : rows;
  int64_t loadsOfB = isSquare ? 2 * vectors : vectors;
  double products = static_cast<double>(isSquare ? loadsOfA * loadsOfB : rows * vectors);
  double rate = getIssueRate(model, atom.getInstruction());
  int64_t bytesOfB = steps * loadsOfB * atom.getVectorBits() / 8;
  double loadCost = bytesOfB > model.l1Bytes ? 4 : bytesOfB > model.l1Bytes / 2 ? 2 : 1;
  double shuffles = atom.isWoven() ? static_cast<double>(vectors) : 0;
  double step =
      std::max({products / rate, (products + shuffles) / model.vectorPorts,
                shuffles / model.shuffles,
                (static_cast<double>(loadsOfA) + loadCost * loadsOfB) / model.loads,
                getLatency(model, atom.getInstruction()) + latencySlack});
  double edges = products / model.loads + products / model.stores;
  step += loadWeight * static_cast<double>(loadsOfA + loadsOfB);
  return steps * step + edges + blockOverhead;
}

/// Cycles of all row blocks of one block of columns.
static double getColumnCycles(const CpuModel &model, AtomAttr atom, int64_t m,
                              int64_t vectors, int64_t steps) {
  double cycles = 0;
  for (RowRun run : getRowRuns(atom, m))
    cycles += run.count * getBlockCycles(model, atom, run.rows, vectors, steps) +
              (run.begin ? codeFetch : 0);
  return cycles;
}

/// Cycles of the whole product. Columns that do not fill a block are computed as whole
/// vectors, then as ever narrower ones.
static double getComputeCycles(const CpuModel &model, AtomAttr atom,
                               const GemmProblem &problem) {
  int64_t steps = llvm::divideCeil(problem.k, atom.getDepth());
  int64_t blocks = problem.n / atom.getColumns(), rest = problem.n % atom.getColumns();
  double cycles =
      blocks * getColumnCycles(model, atom, problem.m, atom.getVectors(), steps);
  if (int64_t vectors = rest / atom.getLanes())
    cycles += getColumnCycles(model, atom, problem.m, vectors, steps) + codeFetch;
  int narrow = llvm::popcount(static_cast<uint64_t>(rest % atom.getLanes()));
  return cycles +
         narrow * (getColumnCycles(model, atom, problem.m, 1, steps) + codeFetch);
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

/// Cycles of a block of `rows` x `columns` tiles over `steps` tiles along K. What is
/// known of them is Intel's optimisation manual; none of it was measured.
static double getTileBlockCycles(const CpuModel &model, AtomAttr atom, int64_t rows,
                                 int64_t columns, int64_t steps) {
  constexpr double load = 8, store = 16, latency = 52;
  double products = static_cast<double>(rows * columns);
  constexpr int64_t bytesOfTile = 1024;
  double loadCost = steps * columns * bytesOfTile > model.l1Bytes / 2 ? 2 : 1;
  double step =
      std::max({products / getIssueRate(model, atom.getInstruction()),
                (static_cast<double>(rows) + loadCost * columns) * load, latency});
  return steps * step + products * (load + store) + blockOverhead;
}

/// Cycles of the whole product. A kind of block costs the loading of its shapes, which
/// waits for all that the tiles were used for.
static double getTileCycles(const CpuModel &model, AtomAttr atom,
                            const GemmProblem &problem) {
  constexpr double shapes = 250;
  int64_t groups = problem.k / atom.getGroup();
  int64_t steps = groups / std::max<int64_t>(getGroupsOfTile(groups), 1);
  auto tiles = [](int64_t extent) { return llvm::divideCeil(extent, sideOfTile); };
  double cycles = 0;
  for (RowRun run : getRowRuns(atom, problem.m))
    for (auto [width, count] :
         {std::pair(atom.getColumns(), problem.n / atom.getColumns()),
          std::pair(problem.n % atom.getColumns(), int64_t(1))})
      if (width && count)
        cycles += shapes + run.count * count *
                               getTileBlockCycles(model, atom, tiles(run.rows),
                                                  tiles(width), steps);
  return cycles;
}

//===----------------------------------------------------------------------===//
// Inner form
//===----------------------------------------------------------------------===//

bool cpu::servesInner(AtomAttr atom, const GemmProblem &problem, int64_t registers) {
  if (!problem.a.alongK || !problem.b.alongK)
    return false;
  int64_t step = getInnerStep(atom, problem.a.element, problem.b.element, problem.k);
  int64_t perRow = step / atom.getStep();
  // Pairs are loaded and then taken apart; NEON's instructions take nothing from memory.
  int64_t temporaries = perRow > 1 && atom.getVectorBits() == 128 ? 2 : 0;
  return problem.k > 0 && problem.k % step == 0 &&
         atom.getColumns() <= std::max<int64_t>(problem.n, 1) &&
         atom.getRows() <= std::max<int64_t>(problem.m, 1) &&
         (atom.getColumns() + perRow) * atom.getRows() + perRow + temporaries <=
             registers;
}

bool cpu::collideInL1(int64_t rows, int64_t rowBytes, int64_t ways) {
  constexpr int64_t bytesOfSets = 4096;
  return rows * std::gcd(rowBytes, bytesOfSets) > ways * bytesOfSets;
}

bool cpu::servesWoven(AtomAttr atom, const GemmProblem &problem) {
  return !problem.b.alongK && problem.b.element == atom.getElement() &&
         problem.k % atom.getDepth() == 0 && problem.n % (2 * atom.getLanes()) == 0 &&
         problem.m >= fewestWovenRows && problem.m <= mostWovenBlocks * atom.getRows() &&
         problem.b.rowBytes && !collideInL1(problem.k, *problem.b.rowBytes, wovenWays);
}

/// Cycles of one block of `rows` x `columns` sums over all of K.
///
/// A step loads and widens a register of each row and column. At the end two vectors at a
/// time are shuffled twice and added, and the sums go to C.
static double getInnerBlockCycles(const CpuModel &model, AtomAttr atom,
                                  const GemmProblem &problem, int64_t rows,
                                  int64_t columns) {
  int64_t step = getInnerStep(atom, problem.a.element, problem.b.element, problem.k);
  double perRow = static_cast<double>(step) / atom.getStep();
  double products = rows * columns * perRow;
  auto widening = [&](const GemmProblem::Operand &operand) {
    return operand.element == atom.getElement() ||
                   !llvm::isa<mlir::FloatType>(operand.element)
               ? 0
               : perRow;
  };
  double widened = rows * widening(problem.a) + columns * widening(problem.b);
  double cycles =
      std::max({products / getIssueRate(model, atom.getInstruction()),
                (rows + columns) / model.loads, (products + widened) / model.vectorPorts,
                perRow * (getLatency(model, atom.getInstruction()) + latencySlack)});
  double sums = static_cast<double>(rows * columns);
  double together = 128.0 / atom.getAccumulator().getIntOrFloatBitWidth();
  double ending =
      sums * 2 / model.shuffles + sums / together * (2 / model.loads + 1 / model.stores);
  return static_cast<double>(problem.k) / step * cycles + ending + blockOverhead;
}

static double getInnerCycles(const CpuModel &model, AtomAttr atom,
                             const GemmProblem &problem) {
  double cycles = 0;
  auto addColumns = [&](int64_t blocks, int64_t columns) {
    if (blocks == 0 || columns == 0)
      return;
    if (columns != atom.getColumns())
      cycles += codeFetch;
    for (RowRun run : getRowRuns(atom, problem.m))
      cycles += blocks * run.count *
                    getInnerBlockCycles(model, atom, problem, run.rows, columns) +
                (run.begin ? codeFetch : 0);
  };
  addColumns(problem.n / atom.getColumns(), atom.getColumns());
  addColumns(1, problem.n % atom.getColumns());
  return cycles;
}

/// How an operand gets to an inner atom: narrow integers are widened in memory.
static Feed getInnerFeed(AtomAttr atom, const GemmProblem::Operand &operand) {
  return operand.element == atom.getElement() ||
                 llvm::isa<mlir::FloatType>(operand.element)
             ? Feed::InPlace
             : Feed::Convert;
}

GemmCost cpu::estimateGemm(const CpuModel &model, AtomAttr atom,
                           const GemmProblem &problem, bool swapped) {
  GemmCost cost{};
  bool inner = atom.isInner();
  cost.compute = inner           ? getInnerCycles(model, atom, problem)
                 : atom.isTile() ? getTileCycles(model, atom, problem)
                                 : getComputeCycles(model, atom, problem);
  Feed feedA = inner ? getInnerFeed(atom, problem.a)
                     : getBroadcastFeed(atom, problem.a, problem.k);
  Feed feedB = inner ? getInnerFeed(atom, problem.b) : getVectorFeed(atom, problem.b);
  cost.feedA = getFeedCycles(model, atom, feedA, problem.a, problem.m * problem.k);
  cost.feedB = getFeedCycles(model, atom, feedB, problem.b, problem.k * problem.n);
  if (!inner && feedB == Feed::InPlace)
    cost.feedB += getCopyCycles(model, atom, problem);
  if (swapped) {
    double vectors = static_cast<double>(problem.m * problem.n) / atom.getLanes();
    double passes = problem.clear ? 1 : 2;
    cost.turnC = vectors * (passes / model.loads + transposeShuffles / model.shuffles +
                            1 / model.stores);
  }
  return cost;
}

//===----------------------------------------------------------------------===//
// Target
//===----------------------------------------------------------------------===//

namespace {
class CpuTargetInfo : public TargetInfo {
public:
  explicit CpuTargetInfo(CpuTarget target) : target(std::move(target)) {}

  std::string getName() const override { return target.getName(); }

  void getDependentDialects(mlir::DialectRegistry &registry) const override {
    registry.insert<CpuDialect>();
  }

  llvm::SmallVector<AtomAttrInterface>
  getAtoms(mlir::MLIRContext *context) const override {
    return llvm::map_to_vector(getCpuAtoms(context, target),
                               [](AtomAttr atom) { return AtomAttrInterface(atom); });
  }

  bool serves(AtomAttrInterface atom, const GemmProblem &problem) const override {
    auto cpuAtom = llvm::cast<AtomAttr>(atom);
    return cpuAtom.serves(problem.a.element, problem.b.element, problem.c,
                          problem.isUnsigned) &&
           (!cpuAtom.isTile() || problem.k % cpuAtom.getGroup() == 0) &&
           (!cpuAtom.isWoven() || servesWoven(cpuAtom, problem)) &&
           (!cpuAtom.isInner() ||
            servesInner(cpuAtom, problem, target.getVectorRegisters()));
  }

  /// Columns that fill no register go by multiply-adds (MicroKernel.cpp), which round
  /// otherwise than dot products of floats do.
  bool isUniform(AtomAttrInterface atom, const GemmProblem &problem) const override {
    auto cpuAtom = llvm::cast<AtomAttr>(atom);
    return cpuAtom.isInner() || cpuAtom.isTile() || cpuAtom.getDepth() == 1 ||
           !llvm::isa<mlir::FloatType>(cpuAtom.getAccumulator()) ||
           problem.n % cpuAtom.getLanes() == 0;
  }

  double estimateCycles(AtomAttrInterface atom, const GemmProblem &problem,
                        bool swapped) const override {
    return estimateGemm(target.getModel(), llvm::cast<AtomAttr>(atom), problem, swapped)
        .getTotal();
  }

  int64_t getTileBudget() const override { return target.getTileBudget(); }

private:
  CpuTarget target;
};
} // namespace

void cpu::registerCpuTarget() {
  registerTarget("cpu",
                 [](llvm::StringRef name) -> llvm::Expected<std::unique_ptr<TargetInfo>> {
                   llvm::Expected<CpuTarget> target = CpuTarget::parse(name);
                   if (!target)
                     return target.takeError();
                   return std::make_unique<CpuTargetInfo>(std::move(*target));
                 });
}
