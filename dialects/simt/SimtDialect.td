//===- SimtDialect.td - The `simt` dialect ------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_SIMT_DIALECT
#define TILEWRIGHT_SIMT_DIALECT

include "mlir/IR/OpBase.td"

def Simt_Dialect : Dialect {
  let name = "simt";
  let cppNamespace = "::tilewright::simt";
  let summary = "Groups of threads that work on tiles together";
  let description = [{
    The `simt` dialect says how the threads of a block share the work that the
    `tile` dialect leaves undivided. It has two levels:

    | level | what a value is | what an operation is |
    | --- | --- | --- |
    | group | a scalar is one for the whole block; a tile is whole, and so is a vector of rank 2 | all threads of the block, or of a role, together |
    | thread | one thread's own | one thread |

    At group level all threads take the same way through the control flow, and
    memory is read and written by whole tiles; there barriers are put and
    checked. `distribute` goes to thread level and adds, moves or drops none.

    What goes on while threads go on gives a `!simt.pending` in place of its result,
    which something waits for, or else does not verify.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
}

class Simt_Op<string mnemonic, list<Trait> traits = []>
    : Op<Simt_Dialect, mnemonic, traits>;

#endif // TILEWRIGHT_SIMT_DIALECT
