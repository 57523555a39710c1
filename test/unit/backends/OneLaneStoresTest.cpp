//===- OneLaneStoresTest.cpp - Masked stores of one lane ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/OneLaneStores.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/SourceMgr.h"
#include "gtest/gtest.h"

using namespace llvm;

namespace {
/// What a store of four elements of i16 through a mask becomes.
struct Stores {
  unsigned masked = 0;
  std::vector<std::pair<int64_t, Align>> alone; // byte offset and alignment
};

Stores rewrite(StringRef mask) {
  LLVMContext context;
  SMDiagnostic error;
  std::string code =
      ("define void @f(<4 x i32> %x, ptr %p, <4 x i1> %m) {\n"
       "  %t = trunc <4 x i32> %x to <4 x i16>\n"
       "  call void @llvm.masked.store.v4i16.p0(<4 x i16> %t, ptr align 4 %p, "
       "<4 x i1> " +
       mask + ")\n  ret void\n}\n")
          .str();
  std::unique_ptr<Module> module = parseAssemblyString(code, error, context);
  if (!module) {
    ADD_FAILURE() << error.getMessage().str();
    return {};
  }
  tilewright::cpu::storeSingleLanes(*module);
  EXPECT_FALSE(verifyModule(*module, &errs()));
  Stores found;
  for (Instruction &instruction : module->getFunction("f")->front()) {
    if (auto *call = dyn_cast<IntrinsicInst>(&instruction))
      found.masked += call->getIntrinsicID() == Intrinsic::masked_store;
    if (auto *store = dyn_cast<StoreInst>(&instruction)) {
      EXPECT_TRUE(store->getValueOperand()->getType()->isIntegerTy(16));
      APInt offset(64, 0);
      store->getPointerOperand()->stripAndAccumulateConstantOffsets(
          module->getDataLayout(), offset, true);
      found.alone.emplace_back(offset.getSExtValue(), store->getAlign());
    }
  }
  return found;
}
} // namespace

TEST(OneLaneStores, OneLaneBecomesAStoreOfItsElement) {
  Stores found = rewrite("<i1 false, i1 false, i1 true, i1 false>");
  EXPECT_EQ(found.masked, 0u);
  ASSERT_EQ(found.alone.size(), 1u);
  EXPECT_EQ(found.alone.front(), (std::pair<int64_t, Align>(4, Align(4))));
}

TEST(OneLaneStores, AlignmentIsThatOfTheLane) {
  Stores found = rewrite("<i1 false, i1 true, i1 poison, i1 false>");
  ASSERT_EQ(found.alone.size(), 1u);
  EXPECT_EQ(found.alone.front(), (std::pair<int64_t, Align>(2, Align(2))));
}

TEST(OneLaneStores, OtherMasksStay) {
  for (const char *mask : {"<i1 true, i1 true, i1 false, i1 false>", "zeroinitializer",
                           "%m", "<i1 true, i1 true, i1 true, i1 true>"}) {
    Stores found = rewrite(mask);
    EXPECT_EQ(found.masked, 1u) << mask;
    EXPECT_TRUE(found.alone.empty()) << mask;
  }
}
