//===- SimtRoleOps.td - Warps that do different work --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_SIMT_ROLE_OPS
#define TILEWRIGHT_SIMT_ROLE_OPS

include "dialects/simt/SimtDialect.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Simt_RolesOp : Simt_Op<"roles", [
    SingleBlock, NoTerminator, RecursiveMemoryEffects]> {
  let summary = "divide the warps of a block among regions";
  let description = [{
    Group level. The first `threads[0]` threads run the first region, the next ones the
    second, and so on, at the same time. In a region the group is its threads: what
    stands there is done by all of these together. Roles pass each other items of
    channels, and nothing else. With `registers`, so many per thread of each role.

    Constraints:
    - (C1) There are two regions or more, and a number of threads for each, a positive
      multiple of 32.
    - (C2) In a `tile.kernel` that says how many threads it has they are all of these.
      (That they are whole waves of 64 where a wave has 64 is for the target to check.)
    - (C3) It stands in no `tile.parallel`, no `simt.once` and no other `simt.roles`.
    - (C4) No region has a barrier of the block: no `simt.barrier` but of the role, no
      `simt.arrive`.
    - (C5) One role puts the items into a channel, and does not take them out.
    - (C6) `registers` has a number for each region, a multiple of 8 from 24 to 256.
    - (C7) A region uses no pending value and no tile of tensor memory from outside but
      through a channel.

    Example:
    ```mlir
    func.func @copy(%c: !simt.channel<2, memref<64xf32, strided<[1], offset: ?>, #tile.space<shared>>>,
                    %trips: index, %f: f32) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      simt.roles threads [32, 128] registers [40, 232] {
        scf.for %n = %c0 to %trips step %c1 {
          simt.put %c[%n] {
          ^bb0(%s: memref<64xf32, strided<[1], offset: ?>, #tile.space<shared>>):
            tile.parallel (%i) in (64) {
              memref.store %f, %s[%i] : memref<64xf32, strided<[1], offset: ?>, #tile.space<shared>>
            }
          } : !simt.channel<2, memref<64xf32, strided<[1], offset: ?>, #tile.space<shared>>>
        }
      }, {
        scf.for %n = %c0 to %trips step %c1 {
          %s = simt.get %c[%n] : !simt.channel<2, memref<64xf32, strided<[1], offset: ?>, #tile.space<shared>>>
            -> memref<64xf32, strided<[1], offset: ?>, #tile.space<shared>>
          simt.barrier role
          simt.release %c[%n] : !simt.channel<2, memref<64xf32, strided<[1], offset: ?>, #tile.space<shared>>>
        }
      }
      return
    }
    ```
  }];
  let arguments = (ins DenseI64ArrayAttr:$threads,
                       OptionalAttr<DenseI64ArrayAttr>:$registers);
  let regions = (region VariadicRegion<SizedRegion<1>>:$bodies);
  let assemblyFormat = [{
    `threads` $threads (`registers` $registers^)? $bodies attr-dict
  }];
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// Which of the regions holds `op`, whatever is around it; -1 where none does.
    int64_t getRole(::mlir::Operation *op);
    /// The first thread of a role.
    int64_t getFirstThread(int64_t role);
  }];
}

#endif // TILEWRIGHT_SIMT_ROLE_OPS
