//===- HipAtoms.cpp - Atoms of AMD GPUs ---------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/hip/HipAtoms.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tilewright::hip;
using namespace tilewright::tile;

#include "backends/hip/HipDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "backends/hip/HipAttrs.cpp.inc"

void HipDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "backends/hip/HipAttrs.cpp.inc"
      >();
}

/// What products of `element` are summed in.
static bool isAccumulator(Type element, Type accumulator) {
  return element.isInteger() ? accumulator.isInteger(32)
         : element.isF64()   ? accumulator.isF64()
                             : accumulator.isF32();
}

static Accumulation describeAccumulation(Type accumulator) {
  auto real = dyn_cast<FloatType>(accumulator);
  return {accumulator, real ? static_cast<int64_t>(real.getFPMantissaWidth()) : 0};
}

//===----------------------------------------------------------------------===//
// mfma
//===----------------------------------------------------------------------===//

Attribute MfmaAttr::parse(AsmParser &parser, Type) {
  SmallVector<int64_t, 3> shape;
  int64_t blocks = 1;
  Type element, accumulator;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() ||
      parser.parseDimensionList(shape, /*allowDynamic=*/false, /*withTrailingX=*/false) ||
      parser.parseComma())
    return {};
  if (succeeded(parser.parseOptionalKeyword("blocks")) &&
      (parser.parseEqual() || parser.parseInteger(blocks) || parser.parseComma()))
    return {};
  if (parser.parseType(element) || parser.parseKeyword("into") ||
      parser.parseType(accumulator) || parser.parseGreater())
    return {};
  if (shape.size() != 3 || shape[0] != shape[1])
    return parser.emitError(loc, "expected M x M x K"), Attribute();
  return parser.getChecked<MfmaAttr>(loc, parser.getContext(), shape[0], shape[2], blocks,
                                     element, accumulator);
}

void MfmaAttr::print(AsmPrinter &printer) const {
  printer << "<" << getM() << "x" << getM() << "x" << getK() << ", ";
  if (getBlocks() != 1)
    printer << "blocks = " << getBlocks() << ", ";
  printer << getElement() << " into " << getAccumulator() << ">";
}

LogicalResult MfmaAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t m,
                               int64_t k, int64_t blocks, Type element,
                               Type accumulator) {
  bool shapeFits = (m == 32 && (blocks == 1 || blocks == 2)) ||
                   (m == 16 && (blocks == 1 || blocks == 4)) || (m == 4 && blocks == 16);
  if (!shapeFits || k < 1 || m * k * blocks % 64 != 0)
    return emitError() << "(C1) has no form " << m << " x " << m << " x " << k << " with "
                       << blocks << " blocks";
  bool isFp8 = isa<FloatType>(element) && element.getIntOrFloatBitWidth() == 8;
  bool isKnown = element.isF16() || element.isBF16() || element.isF32() ||
                 element.isF64() || element.isInteger(8) || isFp8;
  if (!isKnown || !isAccumulator(element, accumulator))
    return emitError() << "(C2) has no form of " << element << " into " << accumulator;
  if (element.isF64() && (m != 16 || k != 4 || blocks != 1))
    return emitError() << "(C3) f64 has the shape 16 x 16 x 4";
  return success();
}

AtomShape MfmaAttr::getShape() const { return {getM(), getM(), getK(), getBlocks()}; }

Participants MfmaAttr::getParticipants() const { return {/*lanes=*/64}; }

AtomOperand MfmaAttr::getOperand(AtomRole role) const {
  using Factors = SmallVector<Factor, 3>;
  constexpr FactorKind lane = FactorKind::Lane, vector = FactorKind::Vector;
  int64_t m = getM(), blocks = getBlocks();
  SmallVector<Factors> dims;
  if (role != AtomRole::C) {
    // Lanes run over the rows of A, then over groups of K, then over blocks.
    int64_t groups = 64 / (m * blocks);
    Factors outer = {{lane, m, 1}};
    Factors alongK = {{lane, groups, m}, {vector, getK() / groups, 1}};
    dims = {alongK, outer};
    if (role == AtomRole::A)
      std::swap(dims[0], dims[1]);
    if (blocks > 1)
      dims.insert(dims.begin(), Factors{{lane, blocks, m * groups}});
    return {OperandPlace::Register, getElement(), getLayout(getContext(), dims)};
  }
  // Lanes run over the columns of D, then over groups of rows: of one row for f64, of
  // four otherwise. What is left of the rows, then the blocks, count the registers.
  int64_t groups = 64 / m;
  if (getElement().isF64())
    dims = {{{vector, 4, 1}, {lane, groups, m}}, {{lane, m, 1}}};
  else if (m == 4)
    dims = {{{lane, blocks, m}}, {{vector, 4, 1}}, {{lane, m, 1}}};
  else {
    int64_t quads = m / (4 * groups);
    dims = {{{vector, quads, 4}, {lane, groups, m}, {vector, 4, 1}}, {{lane, m, 1}}};
    if (blocks > 1)
      dims.insert(dims.begin(), Factors{{vector, blocks, 4 * quads}});
  }
  return {OperandPlace::Register, getAccumulator(), getLayout(getContext(), dims)};
}

Accumulation MfmaAttr::getAccumulation() const {
  return describeAccumulation(getAccumulator());
}

/// What a lane holds of A: 8 bytes at most before gfx950, 4 before gfx942 for bytes.
static int64_t getBytesOfA(MfmaAttr atom) {
  return atom.getM() * atom.getK() * atom.getBlocks() / 64 *
         atom.getElement().getIntOrFloatBitWidth() / 8;
}

SmallVector<StringRef> MfmaAttr::getRequiredFeatures() const {
  Type element = getElement();
  if (getBytesOfA(*this) > 8 || isa<Float8E4M3FNType, Float8E5M2Type>(element))
    return {"gfx950"};
  bool isByte = element.getIntOrFloatBitWidth() == 8;
  return {isByte && getBytesOfA(*this) > 4 ? "gfx942" : "gfx90a"};
}

std::optional<double> MfmaAttr::getIssueInterval(StringRef model) const {
  // Bytes of A times N per cycle and compute unit, dense; f32 and f64 are slower.
  double bytes = llvm::StringSwitch<double>(model)
                     .Case("gfx90a", 1024)
                     .Case("gfx942", 2048)
                     .Case("gfx950", 4096)
                     .Default(0);
  if (bytes == 0)
    return std::nullopt;
  double elementBytes = getElement().getIntOrFloatBitWidth() / 8.0;
  double slowdown = elementBytes == 8 ? 2 : elementBytes == 4 ? 4 : 1;
  // gfx950 is as fast as that with its own forms alone, which take twice as much of K.
  if (model == "gfx950" && elementBytes <= 2 && getBytesOfA(*this) <= 8)
    slowdown = 2;
  return getM() * getM() * getK() * getBlocks() * elementBytes * slowdown / bytes;
}

//===----------------------------------------------------------------------===//
// wmma
//===----------------------------------------------------------------------===//

LogicalResult WmmaAttr::verify(function_ref<InFlightDiagnostic()> emitError, Type element,
                               Type accumulator) {
  bool isKnown = element.isF16() || element.isBF16() || element.isInteger(8);
  if (!isKnown || !isAccumulator(element, accumulator))
    return emitError() << "(C1) has no form of " << element << " into " << accumulator;
  return success();
}

AtomShape WmmaAttr::getShape() const { return {16, 16, 16}; }

Participants WmmaAttr::getParticipants() const { return {/*lanes=*/32}; }

AtomOperand WmmaAttr::getOperand(AtomRole role) const {
  constexpr FactorKind lane = FactorKind::Lane, vector = FactorKind::Vector;
  const Factor twice = {lane, 2, 16};
  if (role == AtomRole::A)
    return {OperandPlace::Register, getElement(),
            getLayout(getContext(), {{{lane, 16, 1}}, {{vector, 16, 1}}}, twice)};
  if (role == AtomRole::B)
    return {OperandPlace::Register, getElement(),
            getLayout(getContext(), {{{vector, 16, 1}}, {{lane, 16, 1}}}, twice)};
  return {OperandPlace::Register, getAccumulator(),
          getLayout(getContext(), {{{vector, 8, 1}, {lane, 2, 16}}, {{lane, 16, 1}}})};
}

Accumulation WmmaAttr::getAccumulation() const {
  return describeAccumulation(getAccumulator());
}

SmallVector<StringRef> WmmaAttr::getRequiredFeatures() const { return {"gfx11"}; }

std::optional<double> WmmaAttr::getIssueInterval(StringRef model) const {
  if (!model.starts_with("gfx11"))
    return std::nullopt;
  return 16.0 * 16 * 16 / 256;
}
