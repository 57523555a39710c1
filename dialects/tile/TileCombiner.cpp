//===- TileCombiner.cpp - Combiners of reductions and scans --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/tile/TileCombiner.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::tile;

Type tile::getCombinedType(Type element) {
  bool isNarrow = isa<FloatType>(element) && element.getIntOrFloatBitWidth() < 32;
  return isNarrow ? Float32Type::get(element.getContext()) : element;
}

ParseResult tile::parseCombiner(OpAsmParser &parser, CombinerAttr &combiner) {
  StringRef name;
  SMLoc place = parser.getCurrentLocation();
  if (failed(parser.parseOptionalKeyword(&name)))
    return success();
  std::optional<Combiner> known = symbolizeCombiner(name);
  if (!known)
    return parser.emitError(place, "unknown combiner: ") << name;
  combiner = CombinerAttr::get(parser.getContext(), *known);
  return success();
}

void tile::printCombiner(OpAsmPrinter &printer, Operation *, CombinerAttr combiner) {
  if (combiner)
    printer << stringifyCombiner(combiner.getValue());
}

ParseResult
tile::parseCombinerBody(OpAsmParser &parser, Region &body,
                        std::optional<OpAsmParser::UnresolvedOperand> &identity,
                        Type &type) {
  if (failed(parser.parseOptionalKeyword("combine")))
    return success();
  SmallVector<OpAsmParser::Argument> args;
  if (parser.parseArgumentList(args, OpAsmParser::Delimiter::Paren, /*allowType=*/true))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("identity"))) {
    if (args.empty())
      return parser.emitError(parser.getCurrentLocation(), "identity of no type");
    type = args.front().type;
    if (parser.parseOperand(identity.emplace()))
      return failure();
  }
  return parser.parseRegion(body, args);
}

void tile::printCombinerBody(OpAsmPrinter &printer, Operation *, Region &body,
                             Value identity, Type) {
  if (body.empty())
    return;
  printer << "combine(";
  llvm::interleaveComma(body.getArguments(), printer,
                        [&](BlockArgument arg) { printer.printRegionArgument(arg); });
  printer << ") ";
  if (identity)
    printer << "identity " << identity << ' ';
  printer.printRegion(body, /*printEntryBlockArgs=*/false);
}

LogicalResult tile::verifyCombiner(Operation *op, bool isNamed, Region &body,
                                   Value identity, Type element, StringRef rule,
                                   StringRef bodyRule) {
  if (isNamed != body.empty())
    return op->emitOpError() << rule << " takes a combiner, or else a region";
  if (isNamed)
    return success();
  Type combined = getCombinedType(element);
  auto yield = body.front().empty() ? nullptr : dyn_cast<YieldOp>(body.front().back());
  if (!llvm::equal(body.getArgumentTypes(), ArrayRef<Type>{combined, combined}) ||
      !yield || yield.getValue().getType() != combined ||
      (identity && identity.getType() != combined))
    return op->emitOpError() << rule << " elements of " << element
                             << " are combined by a region from two " << combined
                             << " to one, and so is the identity";
  for (Operation &inner : body.front().without_terminator())
    if (!isMemoryEffectFree(&inner) || inner.getNumRegions() != 0 ||
        !(OpTrait::hasElementwiseMappableTraits(&inner) ||
          inner.hasTrait<OpTrait::ConstantLike>()))
      return op->emitOpError() << bodyRule << " its region holds '" << inner.getName()
                               << "', which has no form on vectors or side effects";
  return success();
}
