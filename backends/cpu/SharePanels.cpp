//===- SharePanels.cpp - Operands that all blocks share -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// On a GPU every block copies the operands of its products to its own shared memory. On a
// CPU all blocks see one memory, so a tile that many blocks copy is made once, by a
// kernel in front, in a workspace that holds every tile of its tensor:
//
//   kernel (bx, by) {                     w = workspace : [tiles][n / 16][K][16]
//     for k                               kernel (t) in (tiles) {
//       copy B[k, bx * n] to b              copy B[tile t] to w[t] by columns
//       gemm a, b into c              =>  }
//   }                                     kernel (bx, by) {
//                                           for k, for each 16 columns j of b
//                                             gemm a, w[tile of (k, bx)][j] into c[j]
//                                         }
//
// Columns lie as the micro-kernel walks them: those of one register block are one run of
// memory. Whether it pays depends on how often a tile is copied, so where sizes are known
// at launch only, all forms stand in the loop, and conditions choose.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/Passes.h"
#include "backends/cpu/SharedTiles.h"
#include "dialects/tile/Tile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <utility>

namespace tilewright::cpu {
#define GEN_PASS_DEF_SHAREPANELS
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright::tile;
using tilewright::cpu::Filling;
using tilewright::cpu::SharedTiles;
using tilewright::cpu::viewLast;
namespace cpu = tilewright::cpu;
using CpuGemm = cpu::GemmOp;

/// How often a tile must be copied for a copy that all share to pay: writing it and
/// reading it back are two more passes over it.
static constexpr int64_t leastUses = 3;

namespace {
/// A tile that may be shared.
struct Panel {
  SharedTiles tiles;
  Value share; ///< whether it is, from what a launch knows
  Value tile;  ///< its number in the workspace
};

/// Shares what one product reads.
class PanelSharer {
public:
  PanelSharer(CpuGemm gemm, int64_t budget)
      : gemm(gemm), kernel(gemm->getParentOfType<KernelOp>()), budget(budget),
        host(gemm) {
    if (kernel)
      host.setInsertionPoint(kernel);
  }

  void run();

private:
  Value mayShare(SharedTiles &tiles, Value number);
  Value getTileAhead(OpBuilder &b, Panel panel, int64_t runs, Value run);
  void emitShared(OpBuilder &b, ArrayRef<Panel> panels);
  void emitForms(OpBuilder &b, ArrayRef<Panel> panels, ArrayRef<Panel> shared);

  Value index(OpBuilder &b, int64_t value) {
    return arith::ConstantIndexOp::create(b, gemm.getLoc(), value);
  }

  CpuGemm gemm;
  KernelOp kernel;
  int64_t budget;
  OpBuilder host; ///< in front of the kernel
};
} // namespace

/// Whether enough copies are saved, and the workspace keeps to its budget.
Value PanelSharer::mayShare(SharedTiles &tiles, Value number) {
  Location loc = gemm.getLoc();
  MemRefType type = tiles.filling.tile.getType();
  int64_t bytes = type.getNumElements() * (type.getElementTypeBitWidth() / 8);
  Value least = host.createOrFold<arith::MulIOp>(loc, number, index(host, leastUses));
  Value pays = host.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::uge,
                                                tiles.countCopies(), least);
  Value fits = host.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::ule, number,
                                                index(host, budget / bytes));
  return host.createOrFold<arith::AndIOp>(loc, pays, fits);
}

//===----------------------------------------------------------------------===//
// The product
//===----------------------------------------------------------------------===//

/// The next tile of the broadcast side, of which each of `runs` products asks for a part,
/// the one of `run` here; null where the next product may read the same one again.
Value PanelSharer::getTileAhead(OpBuilder &b, Panel panel, int64_t runs, Value run) {
  Location loc = gemm.getLoc();
  SmallVector<int64_t> part(panel.tiles.filling.tile.getType().getShape());
  if (part[0] % runs ||
      llvm::none_of(panel.tiles.filling.getOffsets(),
                    [&](OpFoldResult at) { return panel.tiles.getLoop(at); }))
    return {};
  part[0] /= runs;
  Value next = arith::AddIOp::create(b, loc, panel.tile, index(b, 1));
  Value row = arith::MulIOp::create(b, loc, run, index(b, part[0]));
  return viewLast(b, loc, panel.tiles.workspace, {next, b.getIndexAttr(0), row}, part);
}

/// The product on shared tiles, a run of columns after the other. Each asks for what lies
/// behind its part of the workspaces: that is read next, of the vectors' side even across
/// blocks.
void PanelSharer::emitShared(OpBuilder &b, ArrayRef<Panel> panels) {
  Location loc = gemm.getLoc();
  Value a = gemm.getA(), c = gemm.getC();
  std::optional<Panel> vectors, broadcast;
  for (Panel panel : panels) {
    (panel.tiles.filling.isVectorSide ? vectors : broadcast) = panel;
    if (!panel.tiles.filling.isVectorSide)
      a = viewLast(b, loc, panel.tiles.workspace, {panel.tile, b.getIndexAttr(0)},
                   panel.tiles.filling.tile.getType().getShape());
  }
  auto emit = [&](Value bView, Value cView, Value outView, ValueRange ahead) {
    CpuGemm::create(b, loc, a, bView, cView, gemm.getRows(), gemm.getFirst(),
                    gemm.getLast(), outView, ahead,
                    /*listed=*/ValueRange(), /*rowsAhead=*/ValueRange(),
                    gemm.getTransposeA(), gemm.getClear(), gemm.getAtomAttr());
  };
  if (!vectors)
    return emit(gemm.getB(), c, gemm.getOut(), {});
  int64_t columns = vectors->tiles.getColumns(), n = gemm.getN(), runs = n / columns;
  SmallVector<int64_t> run(vectors->tiles.filling.tile.getType().getShape());
  run[1] = columns;
  OpBuilder::InsertionGuard guard(b);
  Value j = index(b, 0);
  if (runs > 1) {
    auto loop = scf::ForOp::create(b, loc, j, index(b, runs), index(b, 1));
    b.setInsertionPointToStart(loop.getBody());
    j = loop.getInductionVar();
  }
  Value column = arith::MulIOp::create(b, loc, j, index(b, columns));
  Value following = arith::AddIOp::create(b, loc, j, index(b, 1));
  Value bView = viewLast(b, loc, vectors->tiles.workspace, {vectors->tile, j}, run);
  SmallVector<Value> ahead{
      viewLast(b, loc, vectors->tiles.workspace, {vectors->tile, following}, run)};
  if (broadcast)
    if (Value tile = getTileAhead(b, *broadcast, runs, j))
      ahead.push_back(tile);
  auto getRun = [&](Value matrix) {
    return runs == 1 ? matrix
                     : viewLast(b, loc, matrix, {b.getIndexAttr(0), column},
                                {gemm.getM(), columns});
  };
  emit(bView, getRun(c), gemm.getOut() ? getRun(gemm.getOut()) : Value(), ahead);
}

/// The product with the tiles `shared`, the last of `panels`, where the first of them is;
/// else with fewer.
void PanelSharer::emitForms(OpBuilder &b, ArrayRef<Panel> panels,
                            ArrayRef<Panel> shared) {
  auto emit = [&](OpBuilder &at) {
    for (Panel panel : panels.drop_back(shared.size()))
      at.clone(*panel.tiles.filling.op);
    if (shared.empty())
      at.clone(*gemm);
    else
      emitShared(at, shared);
  };
  if (shared.empty() || getConstantIntValue(shared.front().share))
    return emit(b);
  auto choice = scf::IfOp::create(b, gemm.getLoc(), Value(shared.front().share),
                                  /*withElseRegion=*/true);
  OpBuilder then = choice.getThenBodyBuilder(), otherwise = choice.getElseBodyBuilder();
  emit(then);
  emitForms(otherwise, panels, shared.drop_front());
}

void PanelSharer::run() {
  if (!kernel || kernel->getParentOfType<LoopLikeOpInterface>() ||
      gemm.getAtomAttr().isInner())
    return;
  IndexBounds bounds(kernel->getParentOfType<func::FuncOp>());
  SmallVector<Panel> panels;
  SmallVector<Value> numbers;
  for (auto [operand, isVectorSide] :
       {std::pair(gemm.getA(), false), std::pair(gemm.getB(), true)}) {
    auto filling = cpu::findFilling(gemm, operand, isVectorSide);
    if (!filling)
      continue;
    auto remark = [&] {
      return filling->op->emitRemark()
             << "every block fills \"" << filling->tile.getName().value_or("tile")
             << "\" anew: ";
    };
    StringRef obstacle = cpu::findObstacle(*filling, gemm, kernel, bounds);
    if (!obstacle.empty()) {
      remark() << obstacle;
      continue;
    }
    SharedTiles tiles(*filling, gemm, kernel, host);
    Value number = tiles.count(), share = mayShare(tiles, number);
    if (getConstantIntValue(share) == 0) {
      remark() << "it is used too seldom, or its tensor is too large";
      continue;
    }
    panels.push_back({tiles, share, Value()});
    numbers.push_back(number);
  }
  // What few rows take to copy is no reason for another form of the product.
  if (panels.size() == 1 && !panels.front().tiles.filling.isVectorSide &&
      gemm.getM() <= gemm.getAtom().getRows() &&
      !getConstantIntValue(panels.front().share))
    panels.clear();
  if (panels.empty())
    return;
  // The broadcast side alone is not worth a form of its own: it is shared with the other.
  for (size_t i = panels.size() - 1; i > 0; --i)
    panels[i - 1].share = host.createOrFold<arith::AndIOp>(
        gemm.getLoc(), panels[i - 1].share, panels[i].share);
  OpBuilder b(gemm);
  for (auto [panel, number] : llvm::zip_equal(panels, numbers)) {
    bool always = getConstantIntValue(panel.share).has_value();
    panel.tiles.make(always ? number
                            : arith::SelectOp::create(host, gemm.getLoc(), panel.share,
                                                      number, index(host, 0)));
    panel.tile = panel.tiles.getTile(b);
    Filling &filling = panel.tiles.filling;
    filling.op->emitRemark() << "\"" << filling.tile.getName().value_or("tile")
                             << "\" is made once for all blocks"
                             << (always
                                     ? ""
                                     : ", where a launch copies it three times or more");
  }
  emitForms(b, panels, panels);
  gemm.erase();
  for (Panel &panel : panels) {
    panel.tiles.filling.op->erase();
    if (panel.tiles.filling.tile.getResult().use_empty())
      panel.tiles.filling.tile.erase();
  }
}

namespace {
struct SharePanelsPass : tilewright::cpu::impl::SharePanelsBase<SharePanelsPass> {
  using SharePanelsBase::SharePanelsBase;

  void runOnOperation() override {
    SmallVector<CpuGemm> gemms;
    getOperation()->walk([&](CpuGemm gemm) { gemms.push_back(gemm); });
    for (CpuGemm gemm : gemms)
      PanelSharer(gemm, budget).run();
  }
};
} // namespace
