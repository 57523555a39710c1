//===- TileDialect.cpp - The `tile` dialect -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/tile/TileCombiner.h"
#include "dialects/tile/TileSyntax.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tilewright::tile;

#include "dialects/tile/TileDialect.cpp.inc"
#include "dialects/tile/TileEnums.cpp.inc"

#include "dialects/tile/TileAccessInterface.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/tile/TileAtomInterface.cpp.inc"
#include "dialects/tile/TileAttrs.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/tile/TileOps.cpp.inc"

void TileDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/tile/TileAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/tile/TileOps.cpp.inc"
      >();
}

Space tilewright::tile::getSpace(Type type) {
  if (auto memref = dyn_cast<MemRefType>(type))
    if (auto space = dyn_cast_or_null<SpaceAttr>(memref.getMemorySpace()))
      return space.getValue();
  return Space::Global;
}

unsigned tilewright::tile::getDeviceAddressSpace(Space space) {
  return space == Space::Global ? 1 : space == Space::Local ? 0 : 3;
}

bool tilewright::tile::isTile(Type type) {
  return isa<MemRefType>(type) && getSpace(type) != Space::Global;
}

bool tilewright::tile::holdsPairs(MemRefType type) {
  return getSpace(type) == Space::Global && type.getRank() > 0 &&
         isa<Float4E2M1FNType>(type.getElementType());
}

TypedAttr tilewright::tile::zeroBits(Type type) {
  auto element = dyn_cast<FloatType>(getElementTypeOrSelf(type));
  if (!element)
    return Builder(type.getContext()).getZeroAttr(type);
  const llvm::fltSemantics &semantics = element.getFloatSemantics();
  auto zero = FloatAttr::get(element, APFloat(semantics, APInt(element.getWidth(), 0)));
  if (auto vector = dyn_cast<VectorType>(type))
    return DenseElementsAttr::get(vector, Attribute(zero));
  return zero;
}
