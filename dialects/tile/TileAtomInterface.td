//===- TileAtomInterface.td - The interface of all atoms ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An atom is one matrix or vector instruction of a target. Atoms are attributes of
// the backends' dialects; this interface is all that the passes above them know.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TILE_ATOM_INTERFACE
#define TILEWRIGHT_TILE_ATOM_INTERFACE

include "mlir/IR/OpBase.td"

def Tile_AtomAttrInterface : AttrInterface<"AtomAttrInterface"> {
  let cppNamespace = "::tilewright::tile";
  let description = [{
    One matrix or vector instruction: D[m, n] = C[m, n] + sum over k of
    A[m, k] B[k, n], for each of `blocks` independent products, with C and D in
    one place.
  }];
  let methods = [
    InterfaceMethod<"Extents of one issue.",
        "::tilewright::tile::AtomShape", "getShape">,
    InterfaceMethod<"Who issues it together.",
        "::tilewright::tile::Participants", "getParticipants">,
    InterfaceMethod<[{
        Place, element type and layout of an operand. Layouts are over the
        operand's matrix (M x K, K x N or M x N), with the block in front where
        there are several.
      }], "::tilewright::tile::AtomOperand", "getOperand",
      (ins "::tilewright::tile::AtomRole":$role)>,
    InterfaceMethod<"How a reader knows that the accumulator is complete.",
        "::tilewright::tile::Completion", "getCompletion", (ins), "",
        "return ::tilewright::tile::Completion::Immediate;">,
    InterfaceMethod<[{
        Whether simt.load_matrix reads its operands from shared memory: a register
        of 32 bits holds elements that are neighbours along K, and the lanes' row
        is lane / 4, their place in it lane % 4.
      }], "bool", "readsMatrices", (ins), "", "return false;">,
    InterfaceMethod<"How precisely products are summed, and for how long.",
        "::tilewright::tile::Accumulation", "getAccumulation">,
    InterfaceMethod<"The scale operands of block-scaled formats, where there are any.",
        "::std::optional<::tilewright::tile::AtomScale>", "getScale", (ins), "",
        "return ::std::nullopt;">,
    InterfaceMethod<"The target features without which it does not exist.",
        "::llvm::SmallVector<::llvm::StringRef>", "getRequiredFeatures">,
    InterfaceMethod<[{
        Cycles between two independent issues on one core or multiprocessor of
        `model`; nothing where the model does not have it.
      }], "::std::optional<double>", "getIssueInterval", (ins "::llvm::StringRef":$model)>,
    InterfaceMethod<[{
        Emits one issue. `operands` are A, B and C (and scales) as one
        participant holds them: a vector of its registers, or a descriptor or
        address. Gives D, or reports at `loc` why it cannot.
      }], "::mlir::FailureOr<::mlir::Value>", "emit",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::ValueRange":$operands), "", [{
        return ::mlir::emitError(loc)
               << $_attr << " is known to this compiler but no backend emits it";
      }]>,
  ];
}

/// An attribute that is an atom.
def Tile_AtomAttr : Attr<
    CPred<"::llvm::isa<::tilewright::tile::AtomAttrInterface>($_self)">, "an atom"> {
  let storageType = "::tilewright::tile::AtomAttrInterface";
  let returnType = "::tilewright::tile::AtomAttrInterface";
  let convertFromStorage = "$_self";
}

#endif // TILEWRIGHT_TILE_ATOM_INTERFACE
