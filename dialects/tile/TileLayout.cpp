//===- TileLayout.cpp - Layouts of fragments and shared tiles -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/tile/Tile.h"

using namespace mlir;
using namespace tilewright::tile;

//===----------------------------------------------------------------------===//
// layout
//===----------------------------------------------------------------------===//

/// Parses `[kind extent:stride, ...]` and appends the factors.
static ParseResult parseFactors(AsmParser &parser, SmallVectorImpl<Factor> &factors) {
  return parser.parseCommaSeparatedList(
      AsmParser::Delimiter::Square, [&]() -> ParseResult {
        StringRef keyword;
        SMLoc loc = parser.getCurrentLocation();
        if (parser.parseKeyword(&keyword))
          return failure();
        std::optional<FactorKind> kind = symbolizeFactorKind(keyword);
        if (!kind)
          return parser.emitError(loc, "expected vector, lane, warp or block, got ")
                 << keyword;
        Factor &factor = factors.emplace_back(Factor{*kind, 0, 0});
        return failure(parser.parseInteger(factor.extent) || parser.parseColon() ||
                       parser.parseInteger(factor.stride));
      });
}

Attribute LayoutAttr::parse(AsmParser &parser, Type) {
  SmallVector<Factor> factors;
  SmallVector<int64_t> counts;
  SMLoc loc = parser.getCurrentLocation();
  bool replicates = false;
  auto parseDim = [&]() -> ParseResult {
    if (replicates)
      return parser.emitError(parser.getCurrentLocation(), "replicate comes last");
    replicates = succeeded(parser.parseOptionalKeyword("replicate"));
    size_t before = factors.size();
    if (parseFactors(parser, factors))
      return failure();
    if (!replicates)
      counts.push_back(factors.size() - before);
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater, parseDim))
    return {};
  return parser.getChecked<LayoutAttr>(loc, parser.getContext(), ArrayRef(factors),
                                       ArrayRef(counts));
}

static void printFactors(AsmPrinter &printer, ArrayRef<Factor> factors) {
  printer << "[";
  llvm::interleaveComma(factors, printer, [&](const Factor &factor) {
    printer << stringifyFactorKind(factor.kind) << " " << factor.extent << ":"
            << factor.stride;
  });
  printer << "]";
}

void LayoutAttr::print(AsmPrinter &printer) const {
  printer << "<";
  llvm::interleaveComma(llvm::seq<int64_t>(0, getRank()), printer,
                        [&](int64_t dim) { printFactors(printer, getDim(dim)); });
  if (!getReplicate().empty()) {
    printer << (getRank() ? ", replicate " : "replicate ");
    printFactors(printer, getReplicate());
  }
  printer << ">";
}

LogicalResult LayoutAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 ArrayRef<Factor> factors, ArrayRef<int64_t>) {
  for (const Factor &factor : factors)
    if (factor.extent < 2 || factor.stride < 1)
      return emitError()
             << "(C1) factor " << factor.extent << ":" << factor.stride
             << " must have an extent of at least 2 and a stride of at least 1";
  SmallVector<Factor> sorted(factors);
  llvm::sort(sorted,
             [](const Factor &a, const Factor &b) { return a.stride < b.stride; });
  int64_t extents[4] = {1, 1, 1, 1};
  for (const Factor &factor : sorted) {
    int64_t &extent = extents[static_cast<int>(factor.kind)];
    if (factor.stride != extent)
      return emitError() << "(C2) the factor " << stringifyFactorKind(factor.kind) << " "
                         << factor.extent << ":" << factor.stride << " must have stride "
                         << extent << ", the product of the extents below it";
    extent *= factor.extent;
  }
  return success();
}

ArrayRef<Factor> LayoutAttr::getDim(int64_t dim) const {
  int64_t before = 0;
  for (int64_t count : getCounts().take_front(dim))
    before += count;
  return getFactors().slice(before, getCounts()[dim]);
}

ArrayRef<Factor> LayoutAttr::getReplicate() const {
  int64_t before = 0;
  for (int64_t count : getCounts())
    before += count;
  return getFactors().drop_front(before);
}

int64_t LayoutAttr::getExtent(FactorKind kind) const {
  int64_t extent = 1;
  for (const Factor &factor : getFactors())
    if (factor.kind == kind)
      extent *= factor.extent;
  return extent;
}

SmallVector<int64_t> LayoutAttr::getShape() const {
  SmallVector<int64_t> shape;
  for (int64_t dim = 0; dim < getRank(); ++dim) {
    int64_t &extent = shape.emplace_back(1);
    for (const Factor &factor : getDim(dim))
      extent *= factor.extent;
  }
  return shape;
}

LayoutAttr tilewright::tile::getLayout(MLIRContext *context,
                                       ArrayRef<SmallVector<Factor, 3>> dims,
                                       ArrayRef<Factor> replicate) {
  SmallVector<Factor> factors;
  SmallVector<int64_t> counts;
  auto append = [&](ArrayRef<Factor> list) {
    size_t before = factors.size();
    llvm::copy_if(list, std::back_inserter(factors),
                  [](const Factor &factor) { return factor.extent > 1; });
    return static_cast<int64_t>(factors.size() - before);
  };
  for (ArrayRef<Factor> dim : dims)
    counts.push_back(append(dim));
  append(replicate);
  return LayoutAttr::get(context, factors, counts);
}

//===----------------------------------------------------------------------===//
// shared_layout, panel
//===----------------------------------------------------------------------===//

LogicalResult SharedLayoutAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                       ArrayRef<int64_t> box, int64_t bits, int64_t,
                                       int64_t shift) {
  if (llvm::any_of(box, [](int64_t extent) { return extent < 1; }))
    return emitError() << "(C1) extents must be positive";
  if (bits > shift)
    return emitError() << "(C2) a swizzle of " << bits
                       << " bits must shift by at least as many, not by " << shift;
  return success();
}

LogicalResult PanelAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                int64_t interleave, int64_t columns, Type elementType) {
  if (interleave < 1 || columns < 1)
    return emitError() << "(C1) interleave and columns must be positive";
  if (!elementType.isIntOrFloat())
    return emitError() << "(C2) elements are integers or floats, not " << elementType;
  return success();
}
