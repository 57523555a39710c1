//===- TileStructureOps.cpp - Kernels, loops and allocations ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/tile/Tile.h"

using namespace mlir;
using namespace tilewright::tile;

/// Parses `(%i, %j) <keyword>` and gives the region's arguments type `index`.
static ParseResult parseInductionVariables(OpAsmParser &parser, StringRef keyword,
                                           SmallVectorImpl<OpAsmParser::Argument> &args) {
  if (parser.parseArgumentList(args, OpAsmParser::Delimiter::Paren) ||
      parser.parseKeyword(keyword))
    return failure();
  for (OpAsmParser::Argument &arg : args)
    arg.type = parser.getBuilder().getIndexType();
  return success();
}

/// Parses a region with `args` and gives it its one block.
static ParseResult parseBody(OpAsmParser &parser, OperationState &result,
                             ArrayRef<OpAsmParser::Argument> args) {
  Region *body = result.addRegion();
  if (parser.parseRegion(*body, args))
    return failure();
  if (body->empty()) {
    Block &block = body->emplaceBlock();
    for (const OpAsmParser::Argument &arg : args)
      block.addArgument(arg.type, result.location);
  }
  return success();
}

static void printInductionVariables(OpAsmPrinter &printer, Region &body) {
  printer << " (";
  llvm::interleaveComma(body.getArguments(), printer, [&](BlockArgument arg) {
    printer.printRegionArgument(arg, {}, true);
  });
  printer << ")";
}

static void printBody(OpAsmPrinter &printer, Region &body) {
  printer << ' ';
  printer.printRegion(body, /*printEntryBlockArgs=*/false);
}

static bool allIndex(Region &body) {
  return llvm::all_of(body.getArgumentTypes(), [](Type t) { return t.isIndex(); });
}

//===----------------------------------------------------------------------===//
// kernel
//===----------------------------------------------------------------------===//

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &builder = parser.getBuilder();
  SmallVector<OpAsmParser::Argument> args;
  SmallVector<OpAsmParser::UnresolvedOperand> grid;
  if (parseInductionVariables(parser, "in", args) ||
      parser.parseOperandList(grid, OpAsmParser::Delimiter::Paren) ||
      parser.resolveOperands(grid, builder.getIndexType(), result.operands))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("threads"))) {
    int64_t threads;
    if (parser.parseLParen() || parser.parseInteger(threads) || parser.parseRParen())
      return failure();
    result.addAttribute("threads", builder.getI64IntegerAttr(threads));
  }
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  return parseBody(parser, result, args);
}

void KernelOp::print(OpAsmPrinter &printer) {
  printInductionVariables(printer, getBody());
  printer << " in (" << getGrid() << ")";
  if (auto threads = getThreads())
    printer << " threads(" << *threads << ")";
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(), {"threads"});
  printBody(printer, getBody());
}

LogicalResult KernelOp::verify() {
  unsigned rank = getGrid().size();
  if (rank < 1 || rank > 3 || getBody().getNumArguments() != rank || !allIndex(getBody()))
    return emitOpError(
        "(C1) takes one to three grid extents and as many index arguments");
  if (auto threads = getThreads(); threads && (*threads < 1 || *threads > 1024))
    return emitOpError("(C2) threads must be between 1 and 1024, got ") << *threads;
  if ((*this)->getParentOfType<KernelOp>())
    return emitOpError("(C3) kernels do not nest");
  return success();
}

//===----------------------------------------------------------------------===//
// workspace, alloc
//===----------------------------------------------------------------------===//

LogicalResult WorkspaceOp::verify() {
  auto type = cast<MemRefType>(getResult().getType());
  if (getSpace(type) != Space::Global || !type.getLayout().isIdentity())
    return emitOpError("(C1) result must be a global memref with the identity layout");
  if (type.getNumDynamicDims() != getSizes().size())
    return emitOpError("(C2) takes one size for each dynamic extent");
  if ((*this)->getParentOfType<KernelOp>())
    return emitOpError("(C3) a workspace is not allocated inside a kernel");
  return success();
}

LogicalResult AllocOp::verify() {
  auto type = cast<MemRefType>(getResult().getType());
  if (!type.hasStaticShape() || !type.getLayout().isIdentity())
    return emitOpError("(C1) type must have a static shape and the identity layout");
  if (getSpace(type) == Space::Global)
    return emitOpError("(C2) space must be shared, fragment or local");
  return success();
}

//===----------------------------------------------------------------------===//
// view
//===----------------------------------------------------------------------===//

Value ViewOp::getViewSource() { return getSource(); }

/// Bytes of an element; zero where it has no whole number of them.
static int64_t elementBytes(MemRefType type) {
  Type element = type.getElementType();
  bool whole = element.isIntOrFloat() && element.getIntOrFloatBitWidth() % 8 == 0;
  return whole ? element.getIntOrFloatBitWidth() / 8 : 0;
}

LogicalResult ViewOp::verify() {
  auto from = cast<MemRefType>(getSource().getType());
  auto to = cast<MemRefType>(getResult().getType());
  if (getSpace(from) != getSpace(to))
    return emitOpError("(C1) source and result must be in one space");
  if (!from.getLayout().isIdentity() || !to.getLayout().isIdentity())
    return emitOpError("(C2) source and result must have the identity layout");
  if (static_cast<size_t>(to.getNumDynamicDims()) != getSizes().size())
    return emitOpError("(C3) takes ")
           << to.getNumDynamicDims() << " sizes, got " << getSizes().size();
  int64_t fromBytes = elementBytes(from), toBytes = elementBytes(to);
  if (!fromBytes || !toBytes)
    return emitOpError("(C5) elements must be integers or floats of whole bytes");
  if (from.hasStaticShape() && to.hasStaticShape() &&
      from.getNumElements() * fromBytes != to.getNumElements() * toBytes)
    return emitOpError("(C4) source has ")
           << from.getNumElements() * fromBytes << " bytes and result "
           << to.getNumElements() * toBytes;
  return success();
}

/// A view that changes nothing is its source; a view of a view is one of its source.
OpFoldResult ViewOp::fold(FoldAdaptor) {
  if (getSource().getType() == getResult().getType() &&
      cast<MemRefType>(getResult().getType()).hasStaticShape())
    return getSource();
  if (auto inner = getSource().getDefiningOp<ViewOp>()) {
    getSourceMutable().assign(inner.getSource());
    return getResult();
  }
  return {};
}

//===----------------------------------------------------------------------===//
// grid_sync
//===----------------------------------------------------------------------===//

LogicalResult GridSyncOp::verify() {
  Operation *parent = (*this)->getParentOp();
  while (isa_and_nonnull<scf::ForOp, PipelinedOp>(parent) && parent->getNumResults() == 0)
    parent = parent->getParentOp();
  if (!isa_and_nonnull<KernelOp>(parent))
    return emitOpError("(C1) must stand in a kernel's body or in counted loops there");
  return success();
}

//===----------------------------------------------------------------------===//
// parallel
//===----------------------------------------------------------------------===//

ParseResult ParallelOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::Argument> args;
  SmallVector<int64_t> extents;
  if (parseInductionVariables(parser, "in", args) ||
      parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, [&] {
        return parser.parseInteger(extents.emplace_back());
      }))
    return failure();
  result.addAttribute("extents", parser.getBuilder().getDenseI64ArrayAttr(extents));
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  return parseBody(parser, result, args);
}

void ParallelOp::print(OpAsmPrinter &printer) {
  printInductionVariables(printer, getBody());
  printer << " in (";
  llvm::interleaveComma(getExtents(), printer);
  printer << ")";
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(), {"extents"});
  printBody(printer, getBody());
}

LogicalResult ParallelOp::verify() {
  ArrayRef<int64_t> extents = getExtents();
  if (extents.empty() || getBody().getNumArguments() != extents.size() ||
      !allIndex(getBody()) || llvm::any_of(extents, [](int64_t e) { return e < 0; }))
    return emitOpError(
        "(C1) takes one index argument for each of its extents, none negative");
  WalkResult walk = getBody().walk([&](Operation *op) -> WalkResult {
    bool wholeTile = isa<CopyOp, GatherOp, ScatterOp, FillOp, PackOp, GemmOp, ReduceOp,
                         ScanOp, TopKOp, ParallelOp, PipelinedOp, KernelOp>(op);
    auto alloc = dyn_cast<AllocOp>(op);
    if (wholeTile || (alloc && getSpace(alloc.getResult()) != Space::Local)) {
      emitOpError("(C2) holds '") << op->getName() << "', which works on a whole tile";
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}

SmallVector<Region *> ParallelOp::getLoopRegions() { return {&getBody()}; }

//===----------------------------------------------------------------------===//
// pipelined
//===----------------------------------------------------------------------===//

ParseResult PipelinedOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &builder = parser.getBuilder();
  OpAsmParser::Argument iv;
  OpAsmParser::UnresolvedOperand lower, upper, step;
  int64_t stages;
  if (parser.parseArgument(iv) || parser.parseEqual() || parser.parseOperand(lower) ||
      parser.parseKeyword("to") || parser.parseOperand(upper) ||
      parser.parseKeyword("step") || parser.parseOperand(step) ||
      parser.parseKeyword("stages") || parser.parseLParen() ||
      parser.parseInteger(stages) || parser.parseRParen() ||
      parser.resolveOperands({lower, upper, step}, builder.getIndexType(),
                             result.operands) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  iv.type = builder.getIndexType();
  result.addAttribute("stages", builder.getI64IntegerAttr(stages));
  return parseBody(parser, result, iv);
}

void PipelinedOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printRegionArgument(getBody().getArgument(0), {}, /*omitType=*/true);
  printer << " = " << getLowerBound() << " to " << getUpperBound() << " step "
          << getStep() << " stages(" << getStages() << ")";
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(), {"stages"});
  printBody(printer, getBody());
}

LogicalResult PipelinedOp::verify() {
  if (getStages() < 1)
    return emitOpError("(C1) stages must be at least 1, got ") << getStages();
  if (getBody().getNumArguments() != 1 || !allIndex(getBody()))
    return emitOpError("(C2) the region takes one index argument");
  return success();
}

SmallVector<Region *> PipelinedOp::getLoopRegions() { return {&getBody()}; }

std::optional<SmallVector<Value>> PipelinedOp::getLoopInductionVars() {
  return SmallVector<Value>{getBody().getArgument(0)};
}

std::optional<SmallVector<OpFoldResult>> PipelinedOp::getLoopLowerBounds() {
  return SmallVector<OpFoldResult>{getLowerBound()};
}

std::optional<SmallVector<OpFoldResult>> PipelinedOp::getLoopUpperBounds() {
  return SmallVector<OpFoldResult>{getUpperBound()};
}

std::optional<SmallVector<OpFoldResult>> PipelinedOp::getLoopSteps() {
  return SmallVector<OpFoldResult>{getStep()};
}

std::optional<APInt> PipelinedOp::getStaticTripCount() {
  auto noDifference = [](Value, Value, bool) { return std::optional<llvm::APSInt>(); };
  return constantTripCount(getLowerBound(), getUpperBound(), getStep(),
                           /*isSigned=*/true, noDifference);
}
