//===- Passes.td --------------------------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_SIMT_PASSES
#define TILEWRIGHT_COMPILER_SIMT_PASSES

include "mlir/Pass/PassBase.td"

def IsolateEffects : Pass<"isolate-effects", "::mlir::func::FuncOp"> {
  let summary = "Let one thread do what a block does once";
  let description = [{
    All threads run what stands outside of `tile.parallel`. What such code writes to
    shared or global memory, prints or asserts goes into `simt.once`; the former value
    that an atomic gives is passed to the other threads through shared memory. A
    `local` tile that iterations of a `tile.parallel` write for others to read becomes
    a shared one: each thread has its own copy of a local tile.
  }];
  let dependentDialects = ["::tilewright::simt::SimtDialect",
                           "::tilewright::tile::TileDialect"];
}

def ChooseThreads : Pass<"choose-threads", "::mlir::func::FuncOp"> {
  let summary = "Choose how many threads a block has";
  let description = [{
    A `tile.kernel` that has no `threads` gets some: four warps, or twice as many until
    fragments fit the registers. Kernels with products fill these, so that
    warps read operands seldom; others take a few registers, so that more warps are
    there to wait for memory.
  }];
  let options = [Option<"lanes", "lanes", "int64_t", "32", "Threads of a warp or wave">];
}

def SpreadRows : Pass<"spread-rows", "::mlir::func::FuncOp"> {
  let summary = "Let threads scan a row, and select from it, together";
  let description = [{
    `expand-tiles` gives a row of a `tile.scan`, `argmax` or `argmin` to one thread, and
    ranks each element of a `tile.topk` among all of its row. Where there are more
    threads than rows, so that together they take fewer instructions each:

    - a selection becomes reductions to the largest of integers that hold the key of an
      element and its position; `topk` does one for each element of the result. It stays
      where elements are wider than 32 bits, or a thread would hold more than 32 of them.
    - a scan combines elements with those 1, 2, 4, ... before them, in its result where
      that is a shared tile of the combined type, else in one of at most 16 KiB. Sums of
      floats come out rounded otherwise than one after the other; they are the same in
      every run.

    Comes after `choose-threads` and in front of `expand-tiles`.

    Example:
    ```mlir
    func.func @largest(%n: index) {
      tile.kernel (%bx) in (%n) threads(128) {
        %x = tile.alloc "x" : memref<4x64xi32, #tile.space<shared>>
        %at = tile.alloc "at" : memref<4xi32, #tile.space<shared>>
        tile.reduce argmax %x into %at dim 1
          : memref<4x64xi32, #tile.space<shared>> into memref<4xi32, #tile.space<shared>>
      }
      return
    }
    ```
    ```mlir
    // tilewright-opt --spread-rows --canonicalize
    func.func @largest(%arg0: index) {
      %c2147483647_i32 = arith.constant 2147483647 : i32
      %c32_i64 = arith.constant 32 : i64
      %c2147483647_i64 = arith.constant 2147483647 : i64
      tile.kernel (%arg1) in (%arg0) threads(128) {
        %0 = tile.alloc "x" : memref<4x64xi32, #tile.space<shared>>
        %1 = tile.alloc "at" : memref<4xi32, #tile.space<shared>>
        %2 = tile.alloc "keys" : memref<4x64xi64, #tile.space<fragment>>
        %3 = tile.alloc "largest" : memref<4xi64, #tile.space<fragment>>
        tile.parallel (%arg2, %arg3) in (4, 64) {
          %4 = memref.load %0[%arg2, %arg3] : memref<4x64xi32, #tile.space<shared>>
          %5 = arith.index_cast %arg3 : index to i64
          %6 = arith.subi %c2147483647_i64, %5 : i64
          %7 = arith.extsi %4 : i32 to i64
          %8 = arith.shli %7, %c32_i64 : i64
          %9 = arith.ori %8, %6 : i64
          memref.store %9, %2[%arg2, %arg3] : memref<4x64xi64, #tile.space<fragment>>
        }
        tile.reduce max %2 into %3 dim 1 : memref<4x64xi64, #tile.space<fragment>> into memref<4xi64, #tile.space<fragment>> 
        tile.parallel (%arg2) in (4) {
          %4 = memref.load %3[%arg2] : memref<4xi64, #tile.space<fragment>>
          %5 = arith.trunci %4 : i64 to i32
          %6 = arith.subi %c2147483647_i32, %5 : i32
          memref.store %6, %1[%arg2] : memref<4xi32, #tile.space<shared>>
        }
      }
      return
    }
    ```
  }];
  let dependentDialects = ["::tilewright::tile::TileDialect",
                           "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
                           "::mlir::math::MathDialect"];
  let statistics = [Statistic<"numSpread", "num-spread", "Number of operations spread">];
}

def DealFragments : Pass<"deal-fragments", "::mlir::func::FuncOp"> {
  let summary = "Keep fragments with the threads that work on them";
  let description = [{
    A fragment whose elements are only accessed by the iterations at their own
    positions, by products that accumulate in it, or by reductions becomes a local
    tile of which each thread holds a part: as the instructions of the product leave
    it, by a layout where rows are reduced or meet a larger tile, else in turns. The
    loop nests that access it are marked to be divided in the same way; of a row's
    value there is a copy in each thread that needs it. Reductions become
    `simt.warp_reduce`. Products whose rows are reduced get the policy `full_row`.
    Others become shared tiles, where all threads can reach them; a remark tells
    where layouts that differ are the reason. Operands that a pipelined loop only reads
    become fragments too, with `held-bytes` up to so many bytes of each thread.
  }];
  let dependentDialects = ["::tilewright::simt::SimtDialect",
                           "::mlir::arith::ArithDialect"];
  let options = [Option<"lanes", "lanes", "int64_t", "32", "Threads of a warp or wave">,
                 Option<"heldBytes", "held-bytes", "int64_t", "0",
                        "What a thread may keep of operands that loops only read">];
  let statistics = [Statistic<"numDealt", "num-dealt", "Number of fragments dealt out">];
}

def VectorizeAccesses : Pass<"vectorize-accesses", "::mlir::func::FuncOp"> {
  let summary = "Decide how many neighbouring elements a thread takes at once";
  let description = [{
    Where neighbouring iterations of a `tile.parallel` access neighbours in memory, and
    the accesses are shown to be aligned, a thread takes up to 16 bytes of them at once:
    `simt.width` on the nest, `simt.contiguous` on the accesses that become one. Launches
    then refuse tensors whose memory is not aligned so. A remark tells what keeps an
    access to global memory from 16 bytes.
  }];
  let statistics = [Statistic<"numVectorized", "num-vectorized",
                              "Number of loop nests with a width">];
}

def SwizzleTiles : Pass<"swizzle-tiles", "::mlir::func::FuncOp"> {
  let summary = "Choose layouts of shared tiles without bank conflicts";
  let description = [{
    A shared tile that matrix instructions read, and of which nothing but elements is
    named, gets the `#simt.swizzle` with which eight rows of a column of 16 bytes are in
    different banks, where its rows need one.
  }];
  let dependentDialects = ["::tilewright::simt::SimtDialect"];
  let statistics = [Statistic<"numSwizzled", "num-swizzled",
                              "Number of tiles with a swizzle">];
}

def ApplySwizzles : Pass<"apply-swizzles", "::mlir::func::FuncOp"> {
  let summary = "Compute where the elements of swizzled tiles are";
  let description = [{
    Thread level. The last index of each access to a tile with a `#simt.swizzle` becomes
    that of the chunk's place.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def NarrowLoops : Pass<"narrow-loops"> {
  let summary = "Count the loops of GPUs in 32 bits";
  let description = [{
    Thread level. The counter of a loop between constant bounds below 2^31 becomes an
    i32, which its uses extend.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let statistics = [Statistic<"numNarrowed", "num-narrowed", "Number of loops">];
}

def PipelineLoops : Pass<"pipeline-loops", "::mlir::func::FuncOp"> {
  let summary = "Let the copies of pipelined loops run ahead";
  let description = [{
    `tile.pipelined` becomes a loop. Loop nests in it that fill a shared tile from memory
    which the loop does not write put the tiles of later iterations into a
    `simt.channel`: with `async-copies` as copies that are on their way for up to
    `stages` - 1 iterations, else through registers, which are filled while one iteration
    computes and are stored when it is done. Where `stages` do not fit into `budget`
    bytes there are fewer, which a remark tells.
  }];
  let dependentDialects = ["::tilewright::simt::SimtDialect", "::mlir::scf::SCFDialect",
                           "::mlir::arith::ArithDialect"];
  let options = [Option<"asyncCopies", "async-copies", "bool", "false",
                        "The target copies to shared memory past registers">,
                 Option<"budget", "budget", "int64_t", "0",
                        "Bytes of shared memory that a block may have">];
  let statistics = [Statistic<"numPipelined", "num-pipelined",
                              "Number of tiles in channels">];
}

def VerifyChannels : Pass<"verify-channels", "::mlir::func::FuncOp"> {
  let summary = "Prove that no stage of a channel is used too early or too late";
  let description = [{
    Every item is put in before it is taken out, under the same condition, is released on
    every path, and its stage is not filled again before; between roles, as many items are
    put in as are taken out. What is not shown is an error.
  }];
}

def LowerChannels : Pass<"lower-channels", "::mlir::func::FuncOp"> {
  let summary = "Make channels buffers, waits and barriers";
  let description = [{
    `simt.get` becomes a wait for the item's copies and a barrier, `simt.put` what its
    region does, in the buffers' stage, and the end of a group of copies.
  }];
  let dependentDialects = ["::tilewright::simt::SimtDialect", "::mlir::scf::SCFDialect",
                           "::mlir::memref::MemRefDialect"];
  let options = [Option<"target", "target", "std::string", "\"\"",
                        "What to name in errors about what it has no lowering for">];
}

def InsertBarriers : Pass<"insert-barriers", "::mlir::func::FuncOp"> {
  let summary = "Put barriers between accesses that must not meet";
  let description = [{
    Puts a `simt.barrier` in front of an operation that reads what other threads
    wrote since the last barrier, or writes what they read or wrote. Tiles are
    compared by the bytes that `plan-memory` gave them, so that a tile is not
    written while the one before it in the same place is still read. Elements whose
    indices are shown to be different need no barrier, as those of two iterations of
    a loop, nor does what one thread does alone; what meets only accesses from in
    front of a loop has its barrier there. Where only accesses to global memory meet,
    and a barrier for tiles lies between them, that one orders them too. Roles, and what is pending, are refused:
    which barriers they need is another question.
  }];
  let dependentDialects = ["::tilewright::simt::SimtDialect"];
  let options = [Option<"target", "target", "std::string", "\"\"",
                        "What to name in errors about what it has no lowering for">];
  let statistics = [Statistic<"numBarriers", "num-barriers", "Number of barriers">];
}

def Distribute : Pass<"distribute", "::mlir::func::FuncOp"> {
  let summary = "Divide the work of kernels among the threads of a block";
  let description = [{
    From group level to thread level. Neighbouring threads take neighbouring
    iterations of a `tile.parallel`, or those whose elements they hold; a `tile.gemm`
    whose atom was chosen becomes its warps' instructions; the first thread runs
    what is in `simt.once`. Barriers stay where they are. With `packed-floats`,
    arithmetic on f32 in registers is on vectors of two.
  }];
  let dependentDialects = ["::tilewright::simt::SimtDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::NVVM::NVVMDialect", "::mlir::ROCDL::ROCDLDialect"];
  let options = [Option<"lanes", "lanes", "int64_t", "32", "Threads of a warp or wave">,
                 Option<"target", "target", "std::string", "\"\"",
                        "What to name in errors about what it has no lowering for">,
                 Option<"packedFloats", "packed-floats", "bool", "false",
                        "Whether there are instructions for two f32 at once">];
}

def CheckSharedMemory : Pass<"check-shared-memory", "::mlir::func::FuncOp"> {
  let summary = "Refuse kernels whose tiles do not fit";
  let description = [{
    An error, with the table of tiles, where `plan-memory` gave a block's tiles more
    than `limit` bytes.
  }];
  let options = [Option<"limit", "limit", "int64_t", "0",
                        "Bytes of shared memory that a block may have">,
                 Option<"target", "target", "std::string", "\"\"",
                        "What has so many, for the message">];
}

#endif // TILEWRIGHT_COMPILER_SIMT_PASSES
