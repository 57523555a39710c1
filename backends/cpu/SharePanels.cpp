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

#include "backends/cpu/PanelFilling.h"
#include "backends/cpu/Passes.h"
#include "dialects/tile/Tile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <numeric>
#include <utility>

namespace tilewright::cpu {
#define GEN_PASS_DEF_SHAREPANELS
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright::tile;
using tilewright::cpu::Filling;
namespace cpu = tilewright::cpu;
using CpuGemm = cpu::GemmOp;

/// How often a tile must be copied for a copy that all share to pay: writing it and
/// reading it back are two more passes over it.
static constexpr int64_t leastUses = 3;

/// Rows of a tile that are copied together.
static constexpr int64_t rowsTogether = 16;

namespace {
/// A tile that may be shared.
struct Panel {
  Filling filling;
  Value share; ///< whether it is, from what a launch knows
  Value workspace;
  Value tile; ///< its number in the workspace
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
  Value countTiles(Filling filling, SmallVectorImpl<Value> &counts);
  Value countCopies(Filling filling);
  Value mayShare(Filling filling, Value tiles);
  scf::ForOp getLoop(OpFoldResult offset);
  SmallVector<int64_t> getOrder(Filling filling);
  int64_t getColumns(Filling filling);
  Value makeWorkspace(Filling filling, Value tiles, ArrayRef<Value> counts);
  Value getTile(OpBuilder &b, Filling filling, ArrayRef<Value> counts);
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

//===----------------------------------------------------------------------===//
// Counting, in front of the kernel
//===----------------------------------------------------------------------===//

/// The number of tiles of the tensor, and `counts` of them along each dimension.
Value PanelSharer::countTiles(Filling filling, SmallVectorImpl<Value> &counts) {
  Location loc = gemm.getLoc();
  Value source = filling.getSource(), tiles = index(host, 1);
  for (auto [dim, size] : llvm::enumerate(filling.getSizes())) {
    Value extent = host.createOrFold<memref::DimOp>(loc, source, index(host, dim));
    Value rounded = host.createOrFold<arith::AddIOp>(loc, extent, index(host, size - 1));
    counts.push_back(host.createOrFold<arith::DivUIOp>(loc, rounded, index(host, size)));
    tiles = host.createOrFold<arith::MulIOp>(loc, tiles, counts.back());
  }
  return tiles;
}

/// How many copies all blocks make.
Value PanelSharer::countCopies(Filling filling) {
  Location loc = gemm.getLoc();
  Value copies = index(host, 1);
  for (Value extent : kernel.getGrid())
    copies = host.createOrFold<arith::MulIOp>(loc, copies, extent);
  for (Operation *parent = gemm->getParentOp(); parent != kernel;
       parent = parent->getParentOp()) {
    auto loop = cast<scf::ForOp>(parent);
    auto onHost = [&](Value bound) {
      auto constant = getConstantIntValue(bound);
      return constant ? index(host, *constant) : bound;
    };
    Value step = onHost(loop.getStep());
    Value length = host.createOrFold<arith::SubIOp>(loc, onHost(loop.getUpperBound()),
                                                    onHost(loop.getLowerBound()));
    length = host.createOrFold<arith::MaxSIOp>(loc, length, index(host, 0));
    Value less = host.createOrFold<arith::SubIOp>(loc, step, index(host, 1));
    length = host.createOrFold<arith::AddIOp>(loc, length, less);
    Value trips = host.createOrFold<arith::DivUIOp>(loc, length, step);
    copies = host.createOrFold<arith::MulIOp>(loc, copies, trips);
  }
  return copies;
}

/// Whether enough copies are saved, and the workspace keeps to its budget.
Value PanelSharer::mayShare(Filling filling, Value tiles) {
  Location loc = gemm.getLoc();
  MemRefType type = filling.tile.getType();
  int64_t bytes = type.getNumElements() * (type.getElementTypeBitWidth() / 8);
  Value least = host.createOrFold<arith::MulIOp>(loc, tiles, index(host, leastUses));
  Value pays = host.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::uge,
                                                countCopies(filling), least);
  Value fits = host.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::ule, tiles,
                                                index(host, budget / bytes));
  return host.createOrFold<arith::AndIOp>(loc, pays, fits);
}

//===----------------------------------------------------------------------===//
// The kernel in front
//===----------------------------------------------------------------------===//

/// Columns of a tile that lie together: those of a register block, on the side that is
/// loaded by vectors.
int64_t PanelSharer::getColumns(Filling filling) {
  int64_t columns = filling.tile.getType().getDimSize(1);
  int64_t block = gemm.getAtomAttr().getColumns();
  return filling.isVectorSide && columns % block == 0 ? block : columns;
}

/// The innermost loop around the product with which `offset` changes; null where it is
/// the block's alone.
scf::ForOp PanelSharer::getLoop(OpFoldResult offset) {
  SmallVector<Value> toDo;
  if (auto value = dyn_cast<Value>(offset))
    toDo.push_back(value);
  scf::ForOp innermost;
  while (!toDo.empty()) {
    Value value = toDo.pop_back_val();
    if (Operation *op = value.getDefiningOp()) {
      if (kernel->isAncestor(op))
        llvm::append_range(toDo, op->getOperands());
      continue;
    }
    auto loop = dyn_cast<scf::ForOp>(value.getParentBlock()->getParentOp());
    if (loop && (!innermost || innermost->isAncestor(loop)))
      innermost = loop;
  }
  return innermost;
}

/// The dimensions of the tensor in the order in which tiles are numbered: tiles that a
/// block reads after each other lie after each other.
SmallVector<int64_t> PanelSharer::getOrder(Filling filling) {
  SmallVector<OpFoldResult> offsets = filling.getOffsets();
  auto order = llvm::to_vector(llvm::seq<int64_t>(0, offsets.size()));
  auto getDepth = [&](int64_t dim) {
    int64_t depth = 0;
    for (Operation *loop = getLoop(offsets[dim]); loop && loop != kernel;
         loop = loop->getParentOp())
      ++depth;
    return depth;
  };
  llvm::stable_sort(order,
                    [&](int64_t a, int64_t b) { return getDepth(a) < getDepth(b); });
  return order;
}

/// `memref` from `offsets` on, as so many elements of its last dimensions.
static Value makeView(OpBuilder &b, Location loc, Value memref,
                      ArrayRef<OpFoldResult> offsets, ArrayRef<int64_t> shape) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<OpFoldResult> at(offsets), sizes,
      strides(type.getRank(), b.getIndexAttr(1));
  at.resize(type.getRank(), b.getIndexAttr(0));
  sizes.resize(type.getRank() - shape.size(), b.getIndexAttr(1));
  for (int64_t size : shape)
    sizes.push_back(b.getIndexAttr(size));
  auto result =
      memref::SubViewOp::inferRankReducedResultType(shape, type, at, sizes, strides);
  return memref::SubViewOp::create(b, loc, cast<MemRefType>(result), memref, at, sizes,
                                   strides);
}

/// The workspace [tiles, runs of columns, tile...], and the kernel that fills it.
Value PanelSharer::makeWorkspace(Filling filling, Value tiles, ArrayRef<Value> counts) {
  Location loc = filling.op->getLoc();
  MemRefType type = filling.tile.getType();
  int64_t columns = getColumns(filling), runs = type.getDimSize(1) / columns;
  SmallVector<int64_t> run(type.getShape()), shape{ShapedType::kDynamic, runs};
  run[1] = columns;
  shape.append(run);
  auto global = SpaceAttr::get(host.getContext(), Space::Global);
  auto memory =
      MemRefType::get(shape, type.getElementType(), MemRefLayoutAttrInterface(), global);
  std::string name = (filling.tile.getName().value_or("tile") + ".shared").str();
  Value workspace =
      WorkspaceOp::create(host, loc, memory, ValueRange{tiles}, host.getStringAttr(name));

  auto packing = KernelOp::create(host, loc, ValueRange{tiles}, IntegerAttr());
  OpBuilder::InsertionGuard guard(host);
  Block *body = host.createBlock(&packing.getBody(), {}, {host.getIndexType()}, {loc});
  Value tile = body->getArgument(0);
  // A few rows at a time, across all columns: what lies in one page of the source is read
  // together.
  auto pack = dyn_cast<PackOp>(filling.op);
  int64_t rows = run[0];
  if (!pack && runs > 1)
    rows = std::gcd(rows, rowsTogether);
  auto rowLoop = scf::ForOp::create(host, loc, index(host, 0), index(host, run[0]),
                                    index(host, rows));
  host.setInsertionPointToStart(rowLoop.getBody());
  Value row = rowLoop.getInductionVar();
  auto loop =
      scf::ForOp::create(host, loc, index(host, 0), index(host, runs), index(host, 1));
  host.setInsertionPointToStart(loop.getBody());

  // Which dimension of the source the columns run along.
  ArrayRef<int64_t> sizes = filling.getSizes();
  bool first = pack && pack.getTranspose();
  int64_t columnDim = -1, rowDim = -1;
  if (pack)
    columnDim = pack.getDims()[first ? 0 : 1];
  else
    for (auto [dim, size] : llvm::enumerate(sizes))
      if (size != 1)
        rowDim = std::exchange(columnDim, dim); // the last two
  SmallVector<Value> offsets(sizes.size());
  Value rest = tile;
  for (int64_t dim : llvm::reverse(getOrder(filling))) {
    Value at = arith::RemUIOp::create(host, loc, rest, counts[dim]);
    rest = arith::DivUIOp::create(host, loc, rest, counts[dim]);
    offsets[dim] = arith::MulIOp::create(host, loc, at, index(host, sizes[dim]));
  }
  SmallVector<int64_t> part(sizes);
  if (runs > 1) {
    Value column =
        arith::MulIOp::create(host, loc, loop.getInductionVar(), index(host, columns));
    offsets[columnDim] = arith::AddIOp::create(host, loc, offsets[columnDim], column);
    part[columnDim] = columns;
  }
  if (rows != run[0]) {
    offsets[rowDim] = arith::AddIOp::create(host, loc, offsets[rowDim], row);
    part[rowDim] = rows;
  }

  SmallVector<int64_t> dynamic(sizes.size(), ShapedType::kDynamic);
  SmallVector<int64_t> to(shape.size(), 0), toSizes{1, 1};
  to[0] = to[1] = ShapedType::kDynamic;
  toSizes.append(run);
  SmallVector<Value> at{tile, loop.getInductionVar()};
  if (!pack) {
    to[2] = ShapedType::kDynamic;
    at.push_back(row);
    toSizes[2] = rows;
  }
  if (!pack) {
    auto copy = cast<CopyOp>(filling.op);
    CopyOp::create(host, loc, copy.getSrc(), offsets, dynamic, part, workspace, at, to,
                   toSizes, copy.getIsUnsigned());
    return workspace;
  }
  Value panel = makeView(host, loc, workspace, {tile, loop.getInductionVar()}, run);
  PackOp::create(host, loc, pack.getSrc(), offsets, dynamic, part, pack.getDims(), panel,
                 pack.getTranspose(), pack.getIsUnsigned());
  return workspace;
}

//===----------------------------------------------------------------------===//
// The product
//===----------------------------------------------------------------------===//

/// The number of the tile that `filling` copies.
Value PanelSharer::getTile(OpBuilder &b, Filling filling, ArrayRef<Value> counts) {
  Location loc = gemm.getLoc();
  Value tile = index(b, 0);
  SmallVector<OpFoldResult> offsets = filling.getOffsets();
  for (int64_t dim : getOrder(filling)) {
    Value at = getValueOrCreateConstantIndexOp(b, loc, offsets[dim]);
    at = b.createOrFold<arith::DivUIOp>(loc, at, index(b, filling.getSizes()[dim]));
    tile = b.createOrFold<arith::MulIOp>(loc, tile, counts[dim]);
    tile = b.createOrFold<arith::AddIOp>(loc, tile, at);
  }
  return tile;
}

/// The next tile of the broadcast side, of which each of `runs` products asks for a part,
/// the one of `run` here; null where the next product may read the same one again.
Value PanelSharer::getTileAhead(OpBuilder &b, Panel panel, int64_t runs, Value run) {
  Location loc = gemm.getLoc();
  SmallVector<int64_t> part(panel.filling.tile.getType().getShape());
  if (part[0] % runs || llvm::none_of(panel.filling.getOffsets(),
                                      [&](OpFoldResult at) { return getLoop(at); }))
    return {};
  part[0] /= runs;
  Value next = arith::AddIOp::create(b, loc, panel.tile, index(b, 1));
  Value row = arith::MulIOp::create(b, loc, run, index(b, part[0]));
  return makeView(b, loc, panel.workspace, {next, b.getIndexAttr(0), row}, part);
}

/// The product on shared tiles, a run of columns after the other. Each asks for what lies
/// behind its part of the workspaces: that is read next, of the vectors' side even across
/// blocks.
void PanelSharer::emitShared(OpBuilder &b, ArrayRef<Panel> panels) {
  Location loc = gemm.getLoc();
  Value a = gemm.getA(), c = gemm.getC();
  std::optional<Panel> vectors, broadcast;
  for (Panel panel : panels) {
    (panel.filling.isVectorSide ? vectors : broadcast) = panel;
    if (!panel.filling.isVectorSide)
      a = makeView(b, loc, panel.workspace, {panel.tile, b.getIndexAttr(0)},
                   panel.filling.tile.getType().getShape());
  }
  auto emit = [&](Value bView, Value cView, Value outView, ValueRange ahead) {
    CpuGemm::create(b, loc, a, bView, cView, gemm.getRows(), gemm.getFirst(),
                    gemm.getLast(), outView, ahead,
                    /*listed=*/ValueRange(), /*rowsAhead=*/ValueRange(),
                    gemm.getTransposeA(), gemm.getClear(), gemm.getAtomAttr());
  };
  if (!vectors)
    return emit(gemm.getB(), c, gemm.getOut(), {});
  int64_t columns = getColumns(vectors->filling), n = gemm.getN(), runs = n / columns;
  SmallVector<int64_t> run(vectors->filling.tile.getType().getShape());
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
  Value bView = makeView(b, loc, vectors->workspace, {vectors->tile, j}, run);
  SmallVector<Value> ahead{
      makeView(b, loc, vectors->workspace, {vectors->tile, following}, run)};
  if (broadcast)
    if (Value tile = getTileAhead(b, *broadcast, runs, j))
      ahead.push_back(tile);
  auto getRun = [&](Value matrix) {
    return runs == 1 ? matrix
                     : makeView(b, loc, matrix, {b.getIndexAttr(0), column},
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
      at.clone(*panel.filling.op);
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
  if (!kernel || !isa<func::FuncOp>(kernel->getParentOp()) ||
      gemm.getAtomAttr().getInner())
    return;
  IndexBounds bounds(kernel->getParentOfType<func::FuncOp>());
  SmallVector<Filling> fillings;
  for (auto [operand, isVectorSide] :
       {std::pair(gemm.getA(), false), std::pair(gemm.getB(), true)}) {
    auto filling = cpu::findFilling(gemm, operand, isVectorSide);
    if (!filling)
      continue;
    StringRef obstacle = cpu::findObstacle(*filling, gemm, kernel, bounds);
    if (obstacle.empty())
      fillings.push_back(*filling);
    else
      filling->op->emitRemark()
          << "every block fills \"" << filling->tile.getName().value_or("tile")
          << "\" anew: " << obstacle;
  }
  SmallVector<Value> shares, tiles;
  SmallVector<SmallVector<Value>> counts;
  llvm::erase_if(
      fillings, [&](Filling filling) {
        SmallVector<Value> along;
        Value number = countTiles(filling, along), share = mayShare(filling, number);
        auto known = getConstantIntValue(share);
        if (known && *known == 0) {
          filling.op->emitRemark()
              << "every block fills \"" << filling.tile.getName().value_or("tile")
              << "\" anew: it is used too seldom, or its tensor is too large";
          return true;
        }
        shares.push_back(share);
        tiles.push_back(number);
        counts.push_back(along);
        return false;
      });
  if (fillings.empty())
    return;
  // The broadcast side alone is not worth a form of its own: it is shared with the other.
  for (size_t i = shares.size() - 1; i > 0; --i)
    shares[i - 1] =
        host.createOrFold<arith::AndIOp>(gemm.getLoc(), shares[i - 1], shares[i]);
  SmallVector<Panel> panels;
  OpBuilder b(gemm);
  for (auto [filling, share, number, along] :
       llvm::zip_equal(fillings, shares, tiles, counts)) {
    bool always = getConstantIntValue(share).has_value();
    Value made = always ? number
                        : arith::SelectOp::create(host, gemm.getLoc(), share, number,
                                                  index(host, 0));
    Value workspace = makeWorkspace(filling, made, along);
    panels.push_back({filling, share, workspace, getTile(b, filling, along)});
    filling.op->emitRemark() << "\"" << filling.tile.getName().value_or("tile")
                             << "\" is made once for all blocks"
                             << (always
                                     ? ""
                                     : ", where a launch copies it three times or more");
  }
  emitForms(b, panels, panels);
  gemm.erase();
  for (Filling &filling : fillings) {
    filling.op->erase();
    if (filling.tile.getResult().use_empty())
      filling.tile.erase();
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
