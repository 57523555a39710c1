//===- SimtEnums.td - Enumerations of `simt` ----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A file of their own, from which their C++ is made: the others include those of `tile`.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_SIMT_ENUMS
#define TILEWRIGHT_SIMT_ENUMS

include "mlir/IR/EnumAttr.td"

def Simt_Vote : I32EnumAttr<"Vote", "what a vote of lanes gives", [
    I32EnumAttrCase<"Any", 0, "any">,
    I32EnumAttrCase<"All", 1, "all">,
    I32EnumAttrCase<"Ballot", 2, "ballot">]> {
  let cppNamespace = "::tilewright::simt";
  let genSpecializedAttr = 0;
}

#endif // TILEWRIGHT_SIMT_ENUMS
