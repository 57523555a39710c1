//===- CudaAtoms.cpp - Atoms of NVIDIA GPUs -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/CudaAtoms.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tilewright::cuda;
using namespace tilewright::tile;

#include "backends/cuda/CudaDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "backends/cuda/CudaAttrs.cpp.inc"

void CudaDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "backends/cuda/CudaAttrs.cpp.inc"
      >();
}

/// Elements of K in the 32 bytes that one instruction takes of a row.
static int64_t getDepth(Type element) {
  return isa<FloatTF32Type>(element) ? 8 : 256 / element.getIntOrFloatBitWidth();
}

/// Signed bytes have no sign in their type, unsigned ones have.
static bool isByte(Type type) {
  return type.isSignlessInteger(8) || type.isUnsignedInteger(8);
}

static bool isFp8(Type type) { return isa<Float8E4M3FNType, Float8E5M2Type>(type); }

static LogicalResult verifyTypes(function_ref<InFlightDiagnostic()> emitError,
                                 Type element, Type accumulator, bool isOther) {
  bool isKnown = element.isF16() || element.isBF16() || isa<FloatTF32Type>(element) ||
                 isByte(element) || isOther;
  if (!isKnown)
    return emitError() << "(C1) has no form for elements of type " << element;
  StringRef sum = element.isF64() ? "f64" : isByte(element) ? "i32" : "f32";
  bool fits = element.isF64()   ? accumulator.isF64()
              : isByte(element) ? accumulator.isSignlessInteger(32)
                                : accumulator.isF32();
  if (!fits)
    return emitError() << "(C1) " << element << " accumulates in " << sum << ", not in "
                       << accumulator;
  return success();
}

static Accumulation describeAccumulation(Type accumulator) {
  auto real = dyn_cast<FloatType>(accumulator);
  return {accumulator, real ? static_cast<int64_t>(real.getFPMantissaWidth()) : 0};
}

/// Registers hold 32 bits of consecutive K: `pack` elements. Rows are eight apart in the
/// next register, columns half of K in the one after.
static AtomOperand getRegisterA(MLIRContext *context, Type element, int64_t warps) {
  int64_t pack = getDepth(element) / 8;
  return {OperandPlace::Register, element,
          getLayout(context, {{{FactorKind::Warp, warps, 1},
                               {FactorKind::Vector, 2, pack},
                               {FactorKind::Lane, 8, 4}},
                              {{FactorKind::Vector, 2, 2 * pack},
                               {FactorKind::Lane, 4, 1},
                               {FactorKind::Vector, pack, 1}}})};
}

static AtomOperand getAccumulatorD(MLIRContext *context, Type type, int64_t warps,
                                   int64_t n) {
  return {OperandPlace::Register, type,
          getLayout(context, {{{FactorKind::Warp, warps, 1},
                               {FactorKind::Vector, 2, 2},
                               {FactorKind::Lane, 8, 4}},
                              {{FactorKind::Vector, n / 8, 4},
                               {FactorKind::Lane, 4, 1},
                               {FactorKind::Vector, 2, 1}}})};
}

/// Multiply-adds of f16 per cycle and multiprocessor, dense; nothing for others.
static std::optional<double> getHalfMacsPerCycle(StringRef model) {
  double macs = llvm::StringSwitch<double>(model)
                    .Cases({"sm_80", "sm_90", "sm_100"}, 1024)
                    .Cases({"sm_86", "sm_89", "sm_120"}, 512)
                    .Default(0);
  return macs > 0 ? std::optional(macs) : std::nullopt;
}

/// The same of f64, which only GPUs for computing centres have many of.
static double getDoubleMacsPerCycle(StringRef model) {
  return llvm::StringSwitch<double>(model)
      .Case("sm_80", 64)
      .Case("sm_90", 128)
      .Case("sm_100", 64)
      .Default(2);
}

//===----------------------------------------------------------------------===//
// mma
//===----------------------------------------------------------------------===//

LogicalResult MmaAttr::verify(function_ref<InFlightDiagnostic()> emitError, Type element,
                              Type accumulator) {
  return verifyTypes(emitError, element, accumulator, /*isOther=*/element.isF64());
}

AtomShape MmaAttr::getShape() const {
  return {getElement().isF64() ? 8 : 16, 8, getDepth(getElement())};
}

Participants MmaAttr::getParticipants() const { return {/*lanes=*/32}; }

AtomOperand MmaAttr::getOperand(AtomRole role) const {
  if (getElement().isF64()) { // 8 x 4 elements of A, one for each lane
    Factor outer{FactorKind::Lane, 8, 4}, inner{FactorKind::Lane, 4, 1};
    if (role == AtomRole::A)
      return {OperandPlace::Register, getElement(),
              getLayout(getContext(), {{outer}, {inner}})};
    if (role == AtomRole::B)
      return {OperandPlace::Register, getElement(),
              getLayout(getContext(), {{inner}, {outer}})};
    return {OperandPlace::Register, getElement(),
            getLayout(getContext(), {{outer}, {inner, {FactorKind::Vector, 2, 1}}})};
  }
  if (role == AtomRole::A)
    return getRegisterA(getContext(), getElement(), /*warps=*/1);
  if (role == AtomRole::C)
    return getAccumulatorD(getContext(), getAccumulator(), /*warps=*/1, /*n=*/8);
  int64_t pack = getDepth(getElement()) / 8;
  return {OperandPlace::Register, getElement(),
          getLayout(getContext(), {{{FactorKind::Vector, 2, pack},
                                    {FactorKind::Lane, 4, 1},
                                    {FactorKind::Vector, pack, 1}},
                                   {{FactorKind::Lane, 8, 4}}})};
}

bool MmaAttr::readsMatrices() const { return !getElement().isF64(); }

Accumulation MmaAttr::getAccumulation() const {
  return describeAccumulation(getAccumulator());
}

SmallVector<StringRef> MmaAttr::getRequiredFeatures() const { return {"sm_80"}; }

std::optional<double> MmaAttr::getIssueInterval(StringRef model) const {
  std::optional<double> macs = getHalfMacsPerCycle(model);
  if (!macs)
    return std::nullopt;
  if (getElement().isF64())
    return 8 * 8 * 4 / getDoubleMacsPerCycle(model);
  // The rate in bytes of operands is the same for every element type.
  return 16 * 8 * 16 / *macs;
}

//===----------------------------------------------------------------------===//
// wgmma
//===----------------------------------------------------------------------===//

LogicalResult WgmmaAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t n,
                                Type element, Type accumulator, bool) {
  if (failed(verifyTypes(emitError, element, accumulator, isFp8(element))))
    return failure();
  bool fits = n >= 8 && n <= 256 && n % 8 == 0;
  if (!fits || (isByte(element) && n > 32 && n % 16 != 0))
    return emitError() << "(C2) has no form with N = " << n;
  return success();
}

AtomShape WgmmaAttr::getShape() const { return {64, getN(), getDepth(getElement())}; }

Participants WgmmaAttr::getParticipants() const { return {/*lanes=*/32, /*warps=*/4}; }

AtomOperand WgmmaAttr::getOperand(AtomRole role) const {
  if (role == AtomRole::C)
    return getAccumulatorD(getContext(), getAccumulator(), /*warps=*/4, getN());
  if (role == AtomRole::A && !getSharedA())
    return getRegisterA(getContext(), getElement(), /*warps=*/4);
  // Only 16-bit elements can be transposed on the way in.
  bool is16Bit = getDepth(getElement()) == 16;
  return {OperandPlace::SharedDescriptor, getElement(), LayoutAttr(),
          is16Bit ? Majorness::Any : Majorness::K};
}

Completion WgmmaAttr::getCompletion() const { return Completion::GroupWait; }

Accumulation WgmmaAttr::getAccumulation() const {
  if (isFp8(getElement()))
    return {getAccumulator(), /*significandBits=*/14, /*promotionInterval=*/128};
  return describeAccumulation(getAccumulator());
}

SmallVector<StringRef> WgmmaAttr::getRequiredFeatures() const { return {"sm_90a"}; }

std::optional<double> WgmmaAttr::getIssueInterval(StringRef model) const {
  if (model != "sm_90" && model != "sm_90a")
    return std::nullopt;
  return 64.0 * getN() * 16 / 2048;
}

//===----------------------------------------------------------------------===//
// tcgen05
//===----------------------------------------------------------------------===//

LogicalResult Tcgen05Attr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t n,
                                  Type element, Type accumulator, bool) {
  if (failed(verifyTypes(emitError, element, accumulator, /*hasFp8=*/true)))
    return failure();
  if (element.isInteger())
    return emitError() << "(C1) has no form for elements of type " << element;
  if (n < 16 || n > 256 || n % 16 != 0)
    return emitError() << "(C2) has no form with N = " << n;
  return success();
}

AtomShape Tcgen05Attr::getShape() const { return {128, getN(), getDepth(getElement())}; }

Participants Tcgen05Attr::getParticipants() const { return {/*lanes=*/1}; }

AtomOperand Tcgen05Attr::getOperand(AtomRole role) const {
  // A row of tensor memory for each of the matrix, elements side by side in its words.
  auto inTensorMemory = [&](Type element, int64_t columns) -> AtomOperand {
    return {OperandPlace::TensorMemory, element,
            getLayout(getContext(), {{{FactorKind::Lane, 128, 1}},
                                     {{FactorKind::Vector, columns, 1}}})};
  };
  if (role == AtomRole::C)
    return inTensorMemory(getAccumulator(), getN());
  if (role == AtomRole::A && getTensorA())
    return inTensorMemory(getElement(), getDepth(getElement()));
  return {OperandPlace::SharedDescriptor, getElement(), LayoutAttr(), Majorness::Any};
}

Completion Tcgen05Attr::getCompletion() const { return Completion::Barrier; }

Accumulation Tcgen05Attr::getAccumulation() const {
  return {getAccumulator(), /*significandBits=*/24};
}

SmallVector<StringRef> Tcgen05Attr::getRequiredFeatures() const { return {"sm_100a"}; }

/// Unknown: no backend emits it.
std::optional<double> Tcgen05Attr::getIssueInterval(StringRef) const {
  return std::nullopt;
}
