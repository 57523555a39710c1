//===- Passes.td --------------------------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_PASSES
#define TILEWRIGHT_BACKENDS_CPU_PASSES

include "mlir/Pass/PassBase.td"

def FuseLoops : Pass<"cpu-fuse-loops"> {
  let summary = "Make elementwise loops and copies on the same elements one loop";
  let description = [{
    Loops of the same extents that use a memory together become one, and copies join
    them, where what one writes the other uses in the same iteration alone. Values that
    one part stores and a later one loads are passed on, and stores to tiles that
    nothing reads later are removed. Reductions of rows join the loop that makes their
    elements, and what a tile only holds for a tensor is read there again. A copy that brings an operand of a product from a
    tensor stays one. Loops with control flow, gathers or other effects stay alone.
  }];
  let dependentDialects = ["::tilewright::tile::TileDialect", "::tilewright::cpu::CpuDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect"];
}

def SpecializeSizes : Pass<"cpu-specialize-sizes"> {
  let summary = "Give products of few rows a kernel of their own";
  let description = [{
    A kernel whose products have a number of rows, or else of columns, that a call brings gets
    forms for 1 to 8 and for 9 to 16 of them, where its tiles have more, and a launch takes the one that the size
    asks for. Passes that
    follow read the condition as they do constant extents: `cpu-fit-tiles` makes tiles
    smaller, and where the rows are one block the grid is constant. That is done with
    dimensions as in `cpu-fit-tiles`, and with the same effect on sums; functions with
    `tile.batch_invariant`, and kernels whose sizes are known to be few or more, are left
    alone.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
}

def FitTiles : Pass<"cpu-fit-tiles"> {
  let summary = "Make tiles no larger than the tensors they go to";
  let description = [{
    Where the extents of the tensors that a kernel writes are known, or bounds of them, and tiles
    have more rows or columns than these, the tiles, and the loops and copies over them, are made as small: a
    power of two below 16, else a multiple of 16. That is done with dimensions that can be
    computed in parts that need nothing of each other, as in `cpu-split-blocks`. Elements that are
    left are made by the same operations on tiles, but the instructions that are chosen for a
    smaller tile may be others, and with them the order of a sum. Functions with
    `tile.batch_invariant`, where no element may depend on sizes, are left alone.
  }];
}

def FuseBlocks : Pass<"cpu-fuse-blocks"> {
  let summary = "Make one block of several with small tiles";
  let description = [{
    Where a product has fewer than 64 rows or columns in a tile, blocks that differ in these alone
    become one, as many as make 64. That is done with dimensions that can be computed in parts, as
    `cpu-split-blocks` divides, where a block's number is used for nothing but the number of a row
    among all blocks' rows, and what is written ends where its tensors do. The tiles of such a block have to fit
    `budget`, and there have to be blocks enough for all cores. The instructions that are chosen for a
    larger tile may be others, and with them the order of a sum; functions with
    `tile.batch_invariant` are left alone.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let options = [Option<"budget", "budget", "int64_t", "786432",
                        "Bytes that the tiles of a block may have">,
                 Option<"cores", "cores", "int64_t", "8",
                        "Cores that a grid should keep busy">];
}

def SplitBlocks : Pass<"cpu-split-blocks"> {
  let summary = "Divide the blocks of small grids among more cores";
  let description = [{
    Where a grid is known to have at most three blocks, and a dimension of their tiles can be
    computed in parts that need nothing of each other, each part becomes a block. What
    does not depend on that dimension is repeated by each part, so there must be little of
    it. Results are made by the same operations in the same order. No tensor may be written
    twice, or read and written. Functions with `tile.batch_invariant` are left alone.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let options = [Option<"cores", "cores", "int64_t", "8",
                        "Cores that a grid should keep busy">];
}

def SplitSums : Pass<"cpu-split-sums"> {
  let summary = "Divide long sums and softmaxes of small grids among more cores";
  let description = [{
    Where a grid is known to have at most three blocks, and each has a loop of which it is
    known how what two parts of it leave is joined, several blocks do a part of its
    iterations each, and write what they have to a workspace. A second kernel joins
    that in the order of the parts, and does what stands behind the loop. Such loops change
    tiles that are sums, maxima or minima, or sums that are scaled whenever a
    maximum moves: an online softmax, in whatever order its operations stand. What does not
    depend on the changed tiles may be anything. How many parts
    there are does not depend on sizes that a call brings, nor on threads, but on constant
    ones; how long they are may. Functions with `tile.batch_invariant` are left alone.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
  let options = [Option<"cores", "cores", "int64_t", "8",
                        "Cores that a grid should keep busy">];
}

def MergeSteps : Pass<"cpu-merge-steps"> {
  let summary = "Make the steps of products longer";
  let description = [{
    A pipelined loop that only copies tiles from global tensors and adds their
    products, each copy moving along K with the loop, runs several steps as one:
    its tiles get longer along K. Sums keep their order. Iterations that fill no
    long step are a second loop. Not where sums are rounded after every step. Products of
    at most 16 rows wait for rows of B: their steps are short enough for the next one's to be
    on their way.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let options = [Option<"budget", "budget", "int64_t", "262144",
                        "Bytes that the loop's tiles may take">,
                 Option<"streamed", "streamed", "int64_t", "131072",
                        "Bytes of tiles that are read for few rows">];
}

def PackOperands : Pass<"cpu-pack-operands"> {
  let summary = "Put gemm operands in the form the selected atom reads";
  let description = [{
    Replaces each `tile.gemm` by a `cpu.gemm` on operands that were packed,
    transposed or converted where needed. A panel is made before the outermost
    loop that does not write its tile, and serves later gemms until the tile is
    written. A
    swapped gemm computes the transpose of C, turned back into C afterwards.
  }];
  let dependentDialects = ["::tilewright::tile::TileDialect", "::tilewright::cpu::CpuDialect"];
}

def ForwardCopies : Pass<"cpu-forward-copies"> {
  let summary = "Read panels straight from global memory";
  let description = [{
    Removes a tile that one copy fills from a tensor the kernel does not write,
    and that only packs and copies in the same block read: they read the tensor.
    A product of few rows by an inner atom reads the tensor where the rows exist.
    A gather into a tile that is only copied to a tensor writes there itself.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
}

def FinishProducts : Pass<"cpu-finish-products"> {
  let summary = "Begin products with zeros and end them in memory";
  let description = [{
    A loop whose steps sum into a tile that is zero before it, and that is copied to a
    tensor after it, is left with the steps: the first one reads no accumulators, and the
    last one writes them to the tensor from its registers, as what the tensor holds. Where
    a part of the tile lies outside of the tensor, it is copied as before.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
}

def SharePanels : Pass<"cpu-share-panels"> {
  let summary = "Make operands once that many blocks copy";
  let description = [{
    A tile of a tensor that nothing writes, which a kernel copies or packs for a
    product, is made once by a kernel in front, in a workspace of all tiles of the
    tensor, with the columns of a register block in one run of memory. Tiles lie in the
    order in which a block reads them, and products ask for what lies behind. Where it lies
    must follow from the variables of blocks and loops. It is done where all blocks
    together copy each tile three times or more; where that is known at launch only,
    all forms stand in the loop.
  }];
  let dependentDialects = ["::tilewright::tile::TileDialect", "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
  let options = [Option<"budget", "budget", "int64_t", "67108864",
                        "Bytes that a workspace may take">];
}

def TrimRows : Pass<"cpu-trim-rows"> {
  let summary = "Leave out rows of products that nothing reads";
  let description = [{
    Where all that reads an accumulator is limited to rows below some number (by a
    condition, by the tensor that a copy or store goes to), the products that sum into it
    compute no more rows, rounded up to their blocks of registers.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

def PrefetchBlocks : Pass<"cpu-prefetch-blocks"> {
  let summary = "Ask for what the next block reads while this one works";
  let description = [{
    A region of a parameter that a block reads at once, and that neighbouring blocks read
    elsewhere, is asked for one block ahead, by the longest of the block's loops over as
    many elements.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
  let options = [Option<"budget", "budget", "int64_t", "262144",
                        "The most bytes that are asked for ahead">];
}

def ReadInPlace : Pass<"cpu-read-in-place"> {
  let summary = "Let products broadcast rows from a tensor, not from a copy of them";
  let description = [{
    A product that reads rows of A by broadcasts, in a tile that one copy fills from a
    tensor, reads them in the tensor where all of them exist and no branch has changed
    the tile. Packs and copies of that tile read the tensor as well. Rows that would share
    few sets of L1 are copied as before, and so is what the kernel writes. Vectors of B are
    read in the tensor as well, by products of so few rows that each is loaded once.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
}
def SplitPanels : Pass<"cpu-split-panels"> {
  let summary = "Pack and multiply a part of the columns at a time";
  let description = [{
    A panel that is larger than the budget, and made right before the one product that
    reads its columns, becomes several, each multiplied before the next is packed. Where
    the budget is less than one register block of columns, one may take half as much again.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
  let options = [Option<"budget", "budget", "int64_t", "24576",
                        "The most bytes of a panel">];
}

def PrefetchSteps : Pass<"cpu-prefetch-steps"> {
  let summary = "Ask for what the next step of a loop reads while this one multiplies";
  let description = [{
    A region of a parameter that each step of a loop copies or packs from another place
    is asked for one step ahead by the products of that step, each for a part, in turns of
    their innermost loops. Where the next region lies may be read from memory that the
    kernel does not write, as a table of pages is. For rows that are gathered the list of
    the next step is made too, where one loop makes it.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
  let options = [Option<"budget", "budget", "int64_t", "262144",
                        "The most bytes that are asked for ahead">];
}

def LowerGemm : Pass<"cpu-lower-gemm"> {
  let summary = "Lower gemms to register-blocked micro-kernels";
  let description = [{
    Walks C in register blocks of the atom's rows and columns. A block's
    accumulators are loaded into vector registers once, updated for all of K by
    broadcasts of one operand times vectors of the other, and stored once. With
    an inner atom, whose vectors run along K, each accumulator is a sum's parts,
    which are added up before they are stored. With an atom of AMX the registers are
    tiles, which have shapes for one kind of block at a time.
  }];
  let dependentDialects = ["::mlir::vector::VectorDialect", "::mlir::scf::SCFDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

def LowerCopy : Pass<"cpu-lower-copy"> {
  let summary = "Lower copies, packs, gathers, scatters and fills to vector loops";
  let description = [{
    A region that lies inside its tensor is copied by loops without masks; the
    general form, with the tensor's edge found once per copy, runs otherwise. Rows
    that lie apart in global memory are asked for some rows ahead; long ones that
    go from tensor to tensor are moved by a `memref.copy`. A scatter stores its rows
    in order.
  }];
  let dependentDialects = ["::mlir::vector::VectorDialect", "::mlir::scf::SCFDialect"];
  let options = [Option<"vectorBits", "vector-bits", "int64_t", "512",
                        "Width of a vector register">];
}

def LowerParallel : Pass<"cpu-lower-parallel"> {
  let summary = "Lower parallel loops to loops over vectors";
  let description = [{
    One dimension of each `tile.parallel`, the one along which most accesses are
    contiguous, becomes the innermost loop, over vectors; conditions that vary
    along it become masks. A loop whose accesses may leave a global tensor gets
    two forms: one without guards, for when the whole loop lies inside, and one
    with masks. What cannot be vectorised becomes a scalar loop, with a remark.
  }];
  let dependentDialects = ["::mlir::vector::VectorDialect", "::mlir::scf::SCFDialect"];
  let options = [Option<"vectorBits", "vector-bits", "int64_t", "512",
                        "Width of a vector register">];
}

def LowerReduce : Pass<"cpu-lower-reduce"> {
  let summary = "Lower reductions, scans and top-k to vector loops";
  let description = [{
    Rows are reduced together, as many as a vector has lanes, columns side by
    side. A combiner that is a region is copied to where two vectors meet. Floats
    narrower than f32 accumulate in f32. The order of a reduction
    depends on the tile's shape and type and the width of a vector, on nothing else.
  }];
  let dependentDialects = ["::tilewright::tile::TileDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
  let options = [Option<"vectorBits", "vector-bits", "int64_t", "512",
                        "Width of a vector register">];
}

def SkipUnitScales : Pass<"cpu-skip-unit-scales"> {
  let summary = "Do not multiply rows by one";
  let description = [{
    A loop over vectors that multiplies them in their places by one number runs where that
    number is not one, which changes nothing. It is one for most rows of an online
    softmax, whose maximum has not moved.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def StreamStores : Pass<"cpu-stream-stores"> {
  let summary = "Store past the caches what they do not hold";
  let description = [{
    A loop over vectors that writes whole lines of a parameter, which nothing in the
    function reads, gets a second form with nontemporal stores. It is taken where the
    tensor has 32 MiB or more and the row begins a line; a fence ends the
    blocks that a thread takes at a time.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::LLVM::LLVMDialect"];
}
def OverlapBlocks : Pass<"cpu-overlap-blocks", "::mlir::ModuleOp"> {
  let summary = "Write a block's rows while the next one is computed";
  let description = [{
    In a loop over blocks that ends by streaming a row to memory, the end of a block runs
    beside the longest loop of the next block that counts as many elements. Needs kernels
    that are functions, and tiles that have a place.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def NativeCasts : Pass<"cpu-native-casts"> {
  let summary = "Convert registers of floats by the instructions that AVX-512 has";
  let description = [{
    With AVX-512 BF16, registers of f32 that hold no denormal and no NaN are rounded to
    bf16 by one instruction, others as by `expand-casts`.

    Floats of few bits are looked up in tables that registers hold: e4m3fn to bf16 and
    f16, and e5m2 to bf16, with AVX-512 VBMI, 32 lanes or more; e2m1fn to bf16, f16 and
    f32 with AVX-512 BW, a whole register or more.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect", "::mlir::LLVM::LLVMDialect"];
  let options = [Option<"avx512bf16", "avx512bf16", "bool", "false",
                        "Whether the CPU has AVX-512 BF16, DQ and VL">,
                 Option<"avx512bw", "avx512bw", "bool", "false",
                        "Whether the CPU has AVX-512 BW">,
                 Option<"avx512vbmi", "avx512vbmi", "bool", "false",
                        "Whether the CPU has AVX-512 VBMI, and so BW">];
}

def NativeMath : Pass<"cpu-native-math"> {
  let summary = "Compute functions by the instructions that a CPU has for them";
  let description = [{
    With AVX-512 DQ, exp and exp2 of vectors of f32 take a fraction and scale by a power
    of two in one instruction each. The maximum and minimum of floats become comparisons
    and selections, which give the second of two zeros, or LLVM's where NaN is left out or
    the target has instructions that order zeros. Other functions are left to `expand-math`.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::LLVM::LLVMDialect"];
  let options = [Option<"avx512dq", "avx512dq", "bool", "false",
                        "Whether the CPU has AVX-512 DQ and VL">,
                 Option<"ordersZeros", "orders-zeros", "bool", "false",
                        "Whether the maximum of zeros is the positive one, as on Arm">];
}

def ConvertToLLVM : Pass<"cpu-convert-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Convert outlined kernels and launch functions to the LLVM dialect";
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // TILEWRIGHT_BACKENDS_CPU_PASSES
