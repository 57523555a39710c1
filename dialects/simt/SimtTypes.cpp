//===- SimtTypes.cpp - What is pending, barriers and tensor memory ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/simt/Simt.h"

using namespace mlir;
using namespace tilewright::simt;

/// Tensor memory: its rows, and the words of 32 bits in each.
static constexpr int64_t kRows = 128, kWordsOfRow = 512;

LogicalResult PendingType::verify(function_ref<InFlightDiagnostic()> emitError,
                                  ArrayRef<Type> types) {
  if (llvm::any_of(types, llvm::IsaPred<PendingType>))
    return emitError() << "(C1) is pending already";
  return success();
}

LogicalResult MbarrierType::verify(function_ref<InFlightDiagnostic()> emitError,
                                   int64_t count) {
  if (count < 1)
    return emitError() << "(C1) needs at least one barrier, not " << count;
  return success();
}

LogicalResult TmemType::verify(function_ref<InFlightDiagnostic()> emitError,
                               ArrayRef<int64_t> shape, Type elementType) {
  bool isStack = shape.size() == 3 && shape[0] > 0;
  if (shape.size() != 2 && !isStack)
    return emitError() << "(C1) has rows and columns, in stages or not, and not rank "
                       << shape.size();
  ArrayRef<int64_t> tile = shape.take_back(2);
  if (tile[0] != kRows)
    return emitError() << "(C1) has " << kRows << " rows, not " << tile[0];
  unsigned bits = elementType.isIntOrFloat() ? elementType.getIntOrFloatBitWidth() : 0;
  if (bits != 8 && bits != 16 && bits != 32)
    return emitError() << "(C2) has elements of 8, 16 or 32 bits, not " << elementType;
  int64_t stages = isStack ? shape[0] : 1;
  if (tile[1] < 1 || tile[1] * bits % 32 != 0 ||
      stages * tile[1] * bits / 32 > kWordsOfRow)
    return emitError() << "(C2) has rows of whole words, at most " << kWordsOfRow
                       << " in all stages, not " << stages << " times " << tile[1] << " "
                       << elementType;
  return success();
}

Type TmemType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type elementType;
  auto location = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
      parser.parseType(elementType) || parser.parseGreater())
    return nullptr;
  return getChecked([&] { return parser.emitError(location); }, parser.getContext(),
                    ArrayRef<int64_t>(shape), elementType);
}

void TmemType::print(AsmPrinter &printer) const {
  printer << "<";
  printer.printDimensionList(getShape());
  printer << "x" << getElementType() << ">";
}
