//===- CpuAtoms.cpp - The atoms of CPUs ---------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CpuAtoms.h"
#include "backends/cpu/CpuOps.h"
#include "backends/cpu/InstructionInfo.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tilewright::cpu;
using tilewright::tile::Accumulation;
using tilewright::tile::AtomOperand;
using tilewright::tile::AtomRole;
using tilewright::tile::AtomShape;
using tilewright::tile::Factor;
using tilewright::tile::FactorKind;
using tilewright::tile::getLayout;
using tilewright::tile::OperandPlace;
using tilewright::tile::Participants;

#include "backends/cpu/CpuDialect.cpp.inc"
#include "backends/cpu/CpuEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "backends/cpu/CpuAttrs.cpp.inc"

void CpuDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "backends/cpu/CpuAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "backends/cpu/CpuOps.cpp.inc"
      >();
}

InstructionInfo tilewright::cpu::getInfo(Instruction instruction, bool isF64) {
  switch (instruction) {
  case Instruction::Fma:
    return {isF64 ? 64 : 32, true, 1, "neon", "avx2,fma", "avx512f"};
  case Instruction::DotBF16:
    return {16, true, 2, nullptr, nullptr, "avx512bf16"};
  case Instruction::DotI8:
    return {8, false, 4, nullptr, "avxvnni", "avx512vnni"};
  case Instruction::DotI16:
    return {16, false, 2, nullptr, "avx2", "avx512bw"};
  case Instruction::MultiplyAdd:
    return {32, false, 1, "neon", "avx2", "avx512f"};
  case Instruction::TileBF16:
    return {16, true, 32, nullptr, nullptr, "amx-tile,amx-bf16"};
  case Instruction::TileI8:
  case Instruction::TileU8:
    return {8, false, 64, nullptr, nullptr, "amx-tile,amx-int8"};
  case Instruction::BfDot:
    return {16, true, 2, "bf16", nullptr, nullptr};
  case Instruction::SDot:
  case Instruction::UDot:
    return {8, false, 4, "dotprod", nullptr, nullptr};
  case Instruction::BfMmla:
    return {16, true, 4, "bf16", nullptr, nullptr};
  case Instruction::SMmla:
  case Instruction::UMmla:
    return {8, false, 8, "i8mm", nullptr, nullptr};
  }
  llvm_unreachable("unknown instruction");
}

bool tilewright::cpu::multipliesTiles(Instruction instruction) {
  return instruction == Instruction::TileBF16 || instruction == Instruction::TileI8 ||
         instruction == Instruction::TileU8;
}

bool tilewright::cpu::multipliesSquares(Instruction instruction) {
  return instruction == Instruction::BfMmla || instruction == Instruction::SMmla ||
         instruction == Instruction::UMmla;
}

SmallVector<StringRef> tilewright::cpu::splitFeatures(StringRef list) {
  SmallVector<StringRef> features;
  list.split(features, ',');
  return features;
}

//===----------------------------------------------------------------------===//
// Assembly and verifier
//===----------------------------------------------------------------------===//

Attribute AtomAttr::parse(AsmParser &parser, Type) {
  SmallVector<int64_t, 3> shape;
  Type element, accumulator;
  int64_t vectorBits;
  StringRef keyword;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseKeyword(&keyword))
    return {};
  std::optional<Instruction> instruction = symbolizeInstruction(keyword);
  if (!instruction)
    return parser.emitError(loc, "unknown instruction '") << keyword << "'", Attribute();
  AtomForm form = AtomForm::Outer;
  for (AtomForm named : {AtomForm::Inner, AtomForm::Woven})
    if (succeeded(parser.parseOptionalKeyword(stringifyAtomForm(named))))
      form = named;
  if (parser.parseDimensionList(shape, /*allowDynamic=*/false, /*withTrailingX=*/false) ||
      parser.parseComma() || parser.parseType(element) || parser.parseKeyword("into") ||
      parser.parseType(accumulator) || parser.parseComma() ||
      parser.parseInteger(vectorBits) || parser.parseGreater())
    return {};
  if (shape.size() != 3)
    return parser.emitError(loc, "expected rows x columns x depth"), Attribute();
  return parser.getChecked<AtomAttr>(loc, parser.getContext(), *instruction, shape[0],
                                     shape[1], shape[2], element, accumulator, vectorBits,
                                     form);
}

void AtomAttr::print(AsmPrinter &printer) const {
  printer << "<" << stringifyInstruction(getInstruction()) << " ";
  if (getForm() != AtomForm::Outer)
    printer << stringifyAtomForm(getForm()) << " ";
  printer << getRows() << "x" << getColumns() << "x" << getDepth() << ", " << getElement()
          << " into " << getAccumulator() << ", " << getVectorBits() << ">";
}

LogicalResult AtomAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               Instruction instruction, int64_t rows, int64_t columns,
                               int64_t depth, Type element, Type accumulator,
                               int64_t vectorBits, AtomForm form) {
  InstructionInfo info = getInfo(instruction, element.isF64());
  StringRef name = stringifyInstruction(instruction);
  bool elementFits = info.isFloat ? isa<FloatType>(element) : element.isSignlessInteger();
  bool isBF16Sized = info.isFloat && info.elementBits == 16;
  if (!elementFits || element.getIntOrFloatBitWidth() != info.elementBits ||
      (isBF16Sized && !element.isBF16()))
    return emitError() << "(C1) " << name << " does not take elements of type "
                       << element;
  bool accumulatorFits = info.isFloat
                             ? element.isF64() ? accumulator.isF64() : accumulator.isF32()
                             : accumulator.isInteger(32);
  if (!accumulatorFits)
    return emitError() << "(C1) " << name << " does not accumulate in " << accumulator;
  if (!info.getFeatures(vectorBits))
    return emitError() << "(C2) " << name << " has no registers of " << vectorBits
                       << " bits";
  if (depth != info.depth)
    return emitError() << "(C3) the depth of " << name << " is " << info.depth << ", not "
                       << depth;
  int64_t lanes = vectorBits / accumulator.getIntOrFloatBitWidth();
  bool isApart = multipliesTiles(instruction) || multipliesSquares(instruction);
  if ((form != AtomForm::Outer && isApart) || (form == AtomForm::Woven && depth != 2))
    return emitError() << "(C4) " << name << " has no " << stringifyAtomForm(form)
                       << " form";
  int64_t unit = form == AtomForm::Woven ? 2 * lanes : lanes;
  if (rows < 1 || columns < 1 || (form != AtomForm::Inner && columns % unit != 0))
    return emitError() << "(C4) a block of " << rows << " x " << columns
                       << " is not made of vectors of " << unit;
  return success();
}

//===----------------------------------------------------------------------===//
// Description
//===----------------------------------------------------------------------===//

int64_t AtomAttr::getLanes() const {
  return getVectorBits() / getAccumulator().getIntOrFloatBitWidth();
}

bool AtomAttr::isTile() const { return multipliesTiles(getInstruction()); }

bool AtomAttr::isSquare() const { return multipliesSquares(getInstruction()); }

int64_t AtomAttr::getGroup() const {
  return isTile() ? 32 / getElement().getIntOrFloatBitWidth() : getDepth();
}

bool AtomAttr::isUnsigned() const {
  return getInstruction() == Instruction::UDot ||
         getInstruction() == Instruction::UMmla ||
         getInstruction() == Instruction::TileU8;
}

AtomShape AtomAttr::getShape() const {
  if (isInner())
    return {1, 1, getStep()};
  if (isSquare())
    return {2, 2, getDepth()};
  return {isTile() ? 16 : 1, getLanes(), getDepth()};
}

Participants AtomAttr::getParticipants() const { return {}; }

/// A tile register has 16 rows of 64 bytes; those of B hold groups of four bytes of K.
static tilewright::tile::LayoutAttr getTileLayout(MLIRContext *context, AtomRole role,
                                                  int64_t k) {
  int64_t group = k / 16;
  FactorKind v = FactorKind::Vector;
  if (role == AtomRole::A)
    return getLayout(context, {{{v, 16, k}}, {{v, k, 1}}});
  if (role == AtomRole::B)
    return getLayout(context, {{{v, 16, k}, {v, group, 1}}, {{v, 16, group}}});
  return getLayout(context, {{{v, 16, 16}}, {{v, 16, 1}}});
}

AtomOperand AtomAttr::getOperand(AtomRole role) const {
  MLIRContext *context = getContext();
  Type type = role == AtomRole::C ? getAccumulator() : getElement();
  if (isTile())
    return {OperandPlace::Register, type, getTileLayout(context, role, getDepth())};
  FactorKind v = FactorKind::Vector;
  int64_t lanes = getLanes(), depth = getDepth();
  if (isSquare())
    return {OperandPlace::Register, type,
            role == AtomRole::A   ? getLayout(context, {{{v, 2, depth}}, {{v, depth, 1}}})
            : role == AtomRole::B ? getLayout(context, {{{v, depth, 1}}, {{v, 2, depth}}})
                                  : getLayout(context, {{{v, 2, 2}}, {{v, 2, 1}}})};
  if (isInner()) {
    // Each place of C holds a part of the one sum.
    SmallVector<Factor, 3> none, alongK{{v, getStep(), 1}}, parts{{v, lanes, 1}};
    return {OperandPlace::Register, type,
            role == AtomRole::A   ? getLayout(context, {none, alongK})
            : role == AtomRole::B ? getLayout(context, {alongK, none})
                                  : getLayout(context, {none, none}, parts)};
  }
  if (role == AtomRole::A)
    return {OperandPlace::Register, type,
            getLayout(context, {{}, {{v, depth, 1}}}, {{v, lanes, depth}})};
  if (role == AtomRole::B)
    return {OperandPlace::Register, type,
            getLayout(context, {{{v, depth, 1}}, {{v, lanes, depth}}})};
  return {OperandPlace::Register, type, getLayout(context, {{}, {{v, lanes, 1}}})};
}

Accumulation AtomAttr::getAccumulation() const {
  Type type = getAccumulator();
  auto real = dyn_cast<FloatType>(type);
  return {type, real ? static_cast<int64_t>(real.getFPMantissaWidth()) : 0};
}

SmallVector<StringRef> AtomAttr::getRequiredFeatures() const {
  return splitFeatures(getInfo(getInstruction()).getFeatures(getVectorBits()));
}

double tilewright::cpu::getIssueRate(const CpuModel &model, Instruction instruction) {
  switch (instruction) {
  case Instruction::Fma:
    return model.fma;
  case Instruction::DotBF16:
  case Instruction::BfDot:
  case Instruction::BfMmla:
    return model.bf16Dot;
  case Instruction::DotI8:
  case Instruction::SDot:
  case Instruction::UDot:
  case Instruction::SMmla:
  case Instruction::UMmla:
    return model.int8Dot;
  case Instruction::DotI16:
    return model.int16Dot;
  case Instruction::MultiplyAdd:
    return model.intMultiply;
  case Instruction::TileBF16:
  case Instruction::TileI8:
  case Instruction::TileU8:
    return 1.0 / 16;
  }
  llvm_unreachable("unknown instruction");
}

std::optional<double> AtomAttr::getIssueInterval(StringRef modelName) const {
  const CpuModel *model = findCpuModel(modelName);
  if (!model)
    return std::nullopt;
  llvm::StringMap<bool> features =
      getArchitectureInfo(model->architecture).getFeatures(modelName);
  if (!llvm::all_of(getRequiredFeatures(),
                    [&](StringRef f) { return features.lookup(f); }))
    return std::nullopt;
  return 1 / getIssueRate(*model, getInstruction());
}

VectorType AtomAttr::getRegisterType(AtomRole role) const {
  if (role == AtomRole::C)
    return VectorType::get(getLanes(), getAccumulator());
  return VectorType::get(getVectorBits() / getElement().getIntOrFloatBitWidth(),
                         getElement());
}

bool AtomAttr::serves(Type a, Type b, Type c, bool isUnsigned) const {
  auto isFloat = [](Type type, unsigned bits) {
    return isa<FloatType>(type) && type.getIntOrFloatBitWidth() <= bits;
  };
  bool integers = a == b && a.isInteger() && c.isInteger(32);
  switch (getInstruction()) {
  case Instruction::Fma: {
    bool fits = isFloat(a, 64) && isFloat(b, 64) && isFloat(c, 64);
    bool needsF64 = a.isF64() || b.isF64() || c.isF64();
    return fits && needsF64 == getElement().isF64();
  }
  case Instruction::DotBF16:
  case Instruction::TileBF16:
  case Instruction::BfDot:
  case Instruction::BfMmla: {
    // Every f8 is a bf16.
    auto isExact = [&](Type type) { return type.isBF16() || isFloat(type, 8); };
    return isExact(a) && isExact(b) && isFloat(c, 32);
  }
  case Instruction::DotI8:
  case Instruction::TileI8:
  case Instruction::SDot:
  case Instruction::SMmla:
    return integers && a.isInteger(8) && !isUnsigned;
  case Instruction::UDot:
  case Instruction::UMmla:
  case Instruction::TileU8:
    return integers && a.isInteger(8) && isUnsigned;
  case Instruction::DotI16:
    return integers && (a.isInteger(8) || (a.isInteger(16) && !isUnsigned));
  case Instruction::MultiplyAdd:
    return integers;
  }
  llvm_unreachable("unknown instruction");
}

int64_t tilewright::cpu::getInnerStep(AtomAttr atom, Type a, Type b, int64_t k) {
  Type element = atom.getElement();
  bool pairs = element.isF32() && a.isBF16() && b.isBF16();
  bool bytes = element.isBF16() && a.getIntOrFloatBitWidth() == 8 &&
               b.getIntOrFloatBitWidth() == 8 && k % (2 * atom.getStep()) == 0;
  return atom.getStep() * (pairs || bytes ? 2 : 1);
}
