//===- IntegerSignsTest.cpp - Signs copied by integers ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/IntegerSigns.h"
#include "backends/Machine.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/SourceMgr.h"
#include "gtest/gtest.h"

using namespace llvm;

namespace {
/// What is left of a function's copysigns, and its assembly for one machine.
struct Result {
  unsigned copysigns = 0;
  std::string assembly;
};

Result rewrite(StringRef code) {
  LLVMContext context;
  SMDiagnostic error;
  std::unique_ptr<Module> module = parseAssemblyString(code, error, context);
  if (!module) {
    ADD_FAILURE() << error.getMessage().str();
    return {};
  }
  tilewright::Machine machine{"x86_64-unknown-linux-gnu", "x86-64-v3", "", "verify"};
  machine.finish = tilewright::cpu::copySignsAsIntegers;
  // Target and data layout are the machine's, and `finish` is called.
  if (Error error = tilewright::optimizeModule(machine, *module, [] { return true; }))
    ADD_FAILURE() << toString(std::move(error));
  EXPECT_FALSE(verifyModule(*module, &errs()));
  Result result;
  for (Instruction &instruction : instructions(*module->getFunction("f")))
    if (auto *call = dyn_cast<IntrinsicInst>(&instruction))
      result.copysigns += call->getIntrinsicID() == Intrinsic::copysign;
  if (auto text = tilewright::emitModule(machine, *module, /*assembly=*/true))
    result.assembly = *text;
  else
    ADD_FAILURE() << toString(text.takeError());
  return result;
}
} // namespace

TEST(IntegerSigns, NoLibraryIsCalledForAResultThatIsTruncatedTwice) {
  Result result = rewrite("define half @f(double %x, double %y) {\n"
                          "  %c = call double @llvm.copysign.f64(double %x, double %y)\n"
                          "  %t = fptrunc double %c to float\n"
                          "  %h = fptrunc float %t to half\n"
                          "  ret half %h\n}\n");
  EXPECT_EQ(result.copysigns, 0u);
  EXPECT_EQ(result.assembly.find("__truncdfhf2"), std::string::npos) << result.assembly;
}

TEST(IntegerSigns, NoLibraryIsCalledForATruncatedSign) {
  Result result = rewrite("define half @f(float %x, double %y) {\n"
                          "  %t = fptrunc double %y to float\n"
                          "  %c = call float @llvm.copysign.f32(float %x, float %t)\n"
                          "  %h = fptrunc float %c to half\n"
                          "  ret half %h\n}\n");
  EXPECT_EQ(result.copysigns, 0u);
  EXPECT_EQ(result.assembly.find("__truncdfhf2"), std::string::npos) << result.assembly;
}

TEST(IntegerSigns, OthersStay) {
  Result alone = rewrite("define double @f(double %x, double %y) {\n"
                         "  %c = call double @llvm.copysign.f64(double %x, double %y)\n"
                         "  ret double %c\n}\n");
  EXPECT_EQ(alone.copysigns, 1u);
  Result vector =
      rewrite("define <4 x half> @f(<4 x double> %x, <4 x double> %y) {\n"
              "  %c = call <4 x double> @llvm.copysign.v4f64(<4 x double> %x, "
              "<4 x double> %y)\n"
              "  %t = fptrunc <4 x double> %c to <4 x float>\n"
              "  %h = fptrunc <4 x float> %t to <4 x half>\n"
              "  ret <4 x half> %h\n}\n");
  EXPECT_EQ(vector.copysigns, 1u);
  EXPECT_EQ(vector.assembly.find("__truncdfhf2"), std::string::npos);
}
