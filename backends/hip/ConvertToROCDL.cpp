//===- ConvertToROCDL.cpp - Device modules to the ROCDL dialect ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/hip/Passes.h"
#include "compiler/simt/DeviceToLLVM.h"
#include "dialects/simt/Simt.h"

#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace tilewright::hip {
#define GEN_PASS_DEF_CONVERTTOROCDL
#include "backends/hip/Passes.h.inc"
} // namespace tilewright::hip

using namespace mlir;
using namespace tilewright;

namespace {
/// `lgkmcnt(0)` alone, as gfx9 encodes it.
static constexpr int32_t kWaitForLds = 0xc07f;

/// The fences order what the work-group's waves do to memory around the barrier, which
/// itself orders nothing. Those of a work-group wait for global memory as well, which
/// loads that run ahead must not: where shared memory alone is ordered, fences of a wave
/// keep the compiler from moving accesses, and the wait is written out. It is written out
/// in the other case too: LLVM makes one of the first fence, and drops it in a loop whose
/// first iteration has nothing to wait for, though later ones have (SIInsertWaitcnts
/// removes such a wait at its first visit of a block).
///
/// Neither a fence nor the barrier keeps MachineSink from moving a load of LDS behind it,
/// into the block that uses what is loaded: it looks for stores alone. An assembler text
/// that may write any memory is one, and no instruction.
struct BarrierLowering : ConvertOpToLLVMPattern<simt::BarrierOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(simt::BarrierOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    StringRef scope = op.getIsGlobal() ? "workgroup" : "wavefront";
    LLVM::FenceOp::create(rewriter, loc, LLVM::AtomicOrdering::release, scope);
    ROCDL::SWaitcntOp::create(rewriter, loc, kWaitForLds);
    ROCDL::SBarrierOp::create(rewriter, loc);
    LLVM::InlineAsmOp::create(
        rewriter, loc, /*resultTypes=*/TypeRange(), /*operands=*/ValueRange(),
        /*asm_string=*/"", /*constraints=*/"~{memory}", /*has_side_effects=*/true,
        /*is_align_stack=*/false, LLVM::tailcallkind::TailCallKind::None,
        LLVM::AsmDialectAttr::get(rewriter.getContext(), LLVM::AsmDialect::AD_ATT),
        /*operand_attrs=*/ArrayAttr());
    LLVM::FenceOp::create(rewriter, loc, LLVM::AtomicOrdering::acquire, scope);
    rewriter.eraseOp(op);
    return success();
  }
};

/// Results below the least normal number become 0, and in exchange it is one instruction.
struct Exp2Lowering : ConvertOpToLLVMPattern<math::Exp2Op> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(math::Exp2Op op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!op.getType().isF32())
      return rewriter.notifyMatchFailure(op, "not of f32");
    rewriter.replaceOpWithNewOp<ROCDL::ROCDLExp2>(op, op.getType(), adaptor.getOperand());
    return success();
  }
};

/// Rounds two f32 to nearest even and takes the upper halves of both at once; LLVM shifts
/// each down first. NaN becomes a NaN that is all in the upper half.
struct PairToBF16Lowering : ConvertOpToLLVMPattern<arith::TruncFOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(arith::TruncFOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto type = dyn_cast<VectorType>(op.getType());
    if (!type || type.getShape() != ArrayRef<int64_t>{2} ||
        !type.getElementType().isBF16() || !getElementTypeOrSelf(op.getIn()).isF32())
      return rewriter.notifyMatchFailure(op, "not two f32 to bf16");
    Location loc = op.getLoc();
    Type word = rewriter.getI32Type();
    auto constant = [&](int32_t value) -> Value {
      return LLVM::ConstantOp::create(rewriter, loc, word, value);
    };
    Value rounded[2];
    for (int32_t lane : {0, 1}) {
      Value x =
          LLVM::ExtractElementOp::create(rewriter, loc, adaptor.getIn(), constant(lane));
      Value bits = LLVM::BitcastOp::create(rewriter, loc, word, x);
      Value upper = LLVM::LShrOp::create(rewriter, loc, bits, constant(16));
      Value odd = LLVM::AndOp::create(rewriter, loc, upper, constant(1));
      Value half = LLVM::AddOp::create(rewriter, loc, odd, constant(0x7fff));
      Value sum = LLVM::AddOp::create(rewriter, loc, bits, half);
      Value isNaN = LLVM::FCmpOp::create(rewriter, loc, LLVM::FCmpPredicate::uno, x, x);
      rounded[lane] =
          LLVM::SelectOp::create(rewriter, loc, isNaN, constant(0x7fc00000), sum);
    }
    // Bytes 2 and 3 of the second operand, then those of the first.
    Value packed = LLVM::CallIntrinsicOp::create(
                       rewriter, loc, word, rewriter.getStringAttr("llvm.amdgcn.perm"),
                       ValueRange{rounded[1], rounded[0], constant(0x07060302)})
                       ->getResult(0);
    rewriter.replaceOpWithNewOp<LLVM::BitcastOp>(
        op, getTypeConverter()->convertType(type), packed);
    return success();
  }
};

/// Where DPP has the pattern, a move between registers; else LDS passes the word on:
/// within 32 lanes by ds_swizzle, which takes no address, beyond by ds_bpermute.
struct ShuffleXorLowering : ConvertOpToLLVMPattern<simt::ShuffleXorOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(simt::ShuffleXorOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type word = rewriter.getI32Type();
    Value value = adaptor.getValue();
    auto constant = [&](int32_t number) -> Value {
      return LLVM::ConstantOp::create(rewriter, loc, word, number);
    };
    int64_t mask = op.getMask();
    constexpr uint32_t all = 0xf;
    if (std::optional<uint32_t> control = getDppControl(mask)) {
      Value none = LLVM::PoisonOp::create(rewriter, loc, word);
      rewriter.replaceOpWithNewOp<ROCDL::DPPUpdateOp>(op, word, none, value, *control,
                                                      /*rowMask=*/all, /*bankMask=*/all,
                                                      /*boundCtrl=*/true);
    } else if (mask < 32) {
      // lane = (lane & 31) ^ mask
      rewriter.replaceOpWithNewOp<ROCDL::DsSwizzleOp>(
          op, word, value, constant(static_cast<int32_t>(mask << 10 | 31)));
    } else {
      Value low = ROCDL::MbcntLoOp::create(rewriter, loc, word, constant(-1), constant(0),
                                           /*arg_attrs=*/nullptr, /*res_attrs=*/nullptr);
      Value lane = ROCDL::MbcntHiOp::create(rewriter, loc, word, constant(-1), low,
                                            /*arg_attrs=*/nullptr, /*res_attrs=*/nullptr);
      Value other =
          LLVM::XOrOp::create(rewriter, loc, lane, constant(static_cast<int32_t>(mask)));
      Value byte = LLVM::ShlOp::create(rewriter, loc, other, constant(2));
      rewriter.replaceOpWithNewOp<ROCDL::DsBpermuteOp>(op, word, byte, value);
    }
    return success();
  }

private:
  static std::optional<uint32_t> getDppControl(int64_t mask) {
    switch (mask) {
    case 1:
      return 0xb1; // quad_perm:[1,0,3,2]
    case 2:
      return 0x4e; // quad_perm:[2,3,0,1]
    case 8:
      return 0x128; // row_ror:8, in rows of 16
    default:
      return std::nullopt;
    }
  }
};

/// A ballot, which LLVM makes a comparison into a mask of 64 bits on every target; those
/// of lanes that are not there are 0. All say yes where no one says no.
struct VoteLowering : ConvertOpToLLVMPattern<simt::VoteOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(simt::VoteOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type mask = rewriter.getI64Type();
    Value value = adaptor.getValue();
    if (op.getKind() == simt::Vote::All)
      value = LLVM::XOrOp::create(
          rewriter, loc, value,
          LLVM::ConstantOp::create(rewriter, loc, rewriter.getI1Type(), 1));
    Value who = ROCDL::BallotOp::create(rewriter, loc, mask, value);
    if (op.getKind() == simt::Vote::Ballot) {
      rewriter.replaceOp(op, who);
      return success();
    }
    auto predicate = op.getKind() == simt::Vote::Any ? LLVM::ICmpPredicate::ne
                                                     : LLVM::ICmpPredicate::eq;
    rewriter.replaceOpWithNewOp<LLVM::ICmpOp>(
        op, predicate, who, LLVM::ConstantOp::create(rewriter, loc, mask, 0));
    return success();
  }
};

struct ConvertToROCDLPass
    : tilewright::hip::impl::ConvertToROCDLBase<ConvertToROCDLPass> {
  using ConvertToROCDLBase::ConvertToROCDLBase;
  void runOnOperation() override;
};
} // namespace

/// Takes the address of the zeros once, at the entry. LLVM makes it of the program
/// counter where it is used, in three instructions that do not leave a loop; of what goes
/// through an assembler text, which is empty here, it does not know that it is that
/// address.
static void takeAddressOnce(LLVM::LLVMFuncOp entry) {
  SmallVector<LLVM::AddressOfOp> uses;
  entry.walk([&](LLVM::AddressOfOp address) {
    if (address.getGlobalName() == simt::zerosName)
      uses.push_back(address);
  });
  if (uses.empty())
    return;
  OpBuilder builder = OpBuilder::atBlockBegin(&entry.getBody().front());
  Location loc = entry.getLoc();
  Type type = uses.front().getType();
  Value address = LLVM::AddressOfOp::create(builder, loc, type, simt::zerosName);
  Value held =
      LLVM::InlineAsmOp::create(
          builder, loc, type, address, /*asm_string=*/"", /*constraints=*/"=s,0",
          /*has_side_effects=*/false, /*is_align_stack=*/false,
          LLVM::tailcallkind::TailCallKind::None,
          LLVM::AsmDialectAttr::get(builder.getContext(), LLVM::AsmDialect::AD_ATT),
          /*operand_attrs=*/ArrayAttr())
          .getResult(0);
  for (LLVM::AddressOfOp use : uses) {
    use.replaceAllUsesWith(held);
    use.erase();
  }
}

void ConvertToROCDLPass::runOnOperation() {
  simt::DeviceLowering lowering{
      /*dialect=*/"rocdl", /*stackSpace=*/5, /*deviceScope=*/"agent",
      [](func::FuncOp entry, int64_t threads) {
        Builder builder(entry);
        entry->setAttr(ROCDL::ROCDLDialect::getKernelFuncAttrName(),
                       builder.getUnitAttr());
        std::string count = std::to_string(threads);
        entry->setAttr("rocdl.flat_work_group_size",
                       builder.getStringAttr(count + "," + count));
        int32_t shape[] = {static_cast<int32_t>(threads), 1, 1};
        entry->setAttr("rocdl.reqd_work_group_size", builder.getDenseI32ArrayAttr(shape));
        // Accumulators that loops carry are copied between the two register files in
        // every iteration otherwise. And in IEEE mode operands of minima and maxima would
        // be made quiet NaN first.
        entry->setAttr(
            "passthrough",
            builder.getArrayAttr({builder.getStrArrayAttr({"amdgpu-agpr-alloc", "0"}),
                                  builder.getStrArrayAttr({"amdgpu-ieee", "false"})}));
      },
      [&](LLVMTypeConverter &converter, RewritePatternSet &patterns) {
        if (!roundsToBF16)
          patterns.add<PairToBF16Lowering>(converter, /*benefit=*/2);
        patterns.add<Exp2Lowering>(converter, /*benefit=*/2);
        patterns.add<simt::RegisterLowering<simt::ThreadIdOp, ROCDL::ThreadIdXOp>,
                     simt::RegisterLowering<simt::BlockIdOp, ROCDL::BlockIdXOp>,
                     BarrierLowering, ShuffleXorLowering, VoteLowering>(converter);
      }};
  if (failed(simt::convertDeviceToLLVM(getOperation(), lowering)))
    return signalPassFailure();
  for (auto entry : getOperation().getOps<LLVM::LLVMFuncOp>())
    if (!entry.isExternal())
      takeAddressOnce(entry);

  // Version 5 is what ROCm 6 reads; LLVM's own choice is newer.
  OpBuilder builder = OpBuilder::atBlockBegin(getOperation().getBody());
  Attribute version =
      LLVM::ModuleFlagAttr::get(&getContext(), LLVM::ModFlagBehavior::Error,
                                builder.getStringAttr("amdhsa_code_object_version"),
                                builder.getI32IntegerAttr(500));
  LLVM::ModuleFlagsOp::create(builder, getOperation().getLoc(),
                              builder.getArrayAttr(version));
}
