"""Wrong uses of tensors and tiles.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

# The marks `# here` belong to their lines.
# fmt: off

import tilewright.language as T

from . import wrong

M, N = 64, 32


@wrong("src is (64, 32) and dst is (32, 64)", "start index")
def copy_shapes():
    @T.prim_func
    def kernel(A: T.Tensor((M, N), "float32")):
        with T.Kernel(1):
            tile = T.alloc_shared((N, M), "float32")
            T.copy(A[0:64, 0:32], tile)  # here
    return kernel


@wrong("T.copy: src and dst are parts of tile that share elements", "a tile of its own")
def copy_within_a_tile():
    @T.prim_func
    def kernel(n: T.int32):
        with T.Kernel(1):
            tile = T.alloc_shared((2 * M,), "float32")
            T.clear(tile)
            T.copy(tile[n : n + 8], tile[n + 8 : n + 16])
            T.copy(tile[n : n + 8], tile[n + 1 : n + 9])  # here
    return kernel


@wrong("T.gather: src and dst are parts of tile that share elements", "a tile of its own")
def gather_in_place():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            tile = T.alloc_shared((M, N), "float32")
            rows = T.alloc_shared((M,), "int32")
            T.clear(tile)
            T.clear(rows)
            T.gather(tile, rows, tile)  # here
    return kernel


@wrong("cannot take the shape (4, 8, 8)", "rank")
def copy_rank():
    @T.prim_func
    def kernel(A: T.Tensor((M, N), "float32")):
        with T.Kernel(1):
            tile = T.alloc_shared((4, 8, 8), "float32")
            T.copy(A[0, 0], tile)  # here
    return kernel


@wrong("T.copy: src is no tile or tensor", "T.fill")
def copy_scalar():
    @T.prim_func
    def kernel(A: T.Tensor((M, N), "float32")):
        with T.Kernel(1):
            T.copy(3.0, A)  # here
    return kernel


@wrong("T.copy from bool to float32", "T.Parallel")
def copy_bool():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "bool")):
        with T.Kernel(1):
            tile = T.alloc_shared((M,), "float32")
            T.copy(A[0], tile)  # here
    return kernel


@wrong("T.copy inside T.Parallel", "in front of or after the loop")
def copy_in_parallel():
    @T.prim_func
    def kernel(A: T.Tensor((M, N), "float32")):
        with T.Kernel(1):
            tile = T.alloc_shared((N,), "float32")
            for i in T.Parallel(M):
                T.copy(A[i, 0], tile)  # here
    return kernel


@wrong("T.copy outside a kernel", "T.Kernel")
def copy_outside_kernel():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32"), B: T.Tensor((M,), "float32")):
        T.copy(A, B)  # here
        with T.Kernel(1):
            pass
    return kernel


@wrong("the extent of a slice of A is not a compile-time constant", "start + 64")
def slice_extent():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32"), n: T.int32):
        with T.Kernel(1):
            tile = T.alloc_shared((M,), "float32")
            T.copy(A[0:n], tile)  # here
    return kernel


@wrong("src is (4, 4) and dst is (4, 8)", "slice the larger side")
def slice_beside_an_open_one():
    m = T.dynamic("m")

    @T.prim_func
    def kernel(A: T.Tensor((m, 16), "float32")):
        with T.Kernel(1):
            x = T.alloc_shared((4, 8), "float32")
            T.copy(A[:, 0:4], x)  # here
    return kernel


@wrong("a slice of A with a step", "T.serial")
def slice_step():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            tile = T.alloc_shared((M // 2,), "float32")
            T.copy(A[0:64:2], tile)  # here
    return kernel


@wrong("a slice of A has 0 elements", "larger than the start")
def slice_empty():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            T.fill(A[4:4], 0)  # here
    return kernel


@wrong("the index 32 is outside tile, whose dimension 1 has 32 elements")
def tile_index():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            tile = T.alloc_shared((M, N), "float32")
            tile[0, 32] = 1  # here
    return kernel


@wrong("an index of tile reaches 64, and its dimension 0 has 64 elements", "guard")
def tile_index_of_loop():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            tile = T.alloc_shared((M,), "float32")
            other = T.alloc_shared((M,), "float32")
            for i in T.Parallel(M):
                other[i] = tile[i + 1]  # here
    return kernel


@wrong("the index -1 of A is negative", "A.shape[0] - 1")
def negative_index():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            A[-1] = 0  # here
    return kernel


@wrong("3 indices for A, which has 2 dimensions", "per dimension")
def too_many_indices():
    @T.prim_func
    def kernel(A: T.Tensor((M, N), "float32")):
        with T.Kernel(1):
            A[0, 0, 0] = 1  # here
    return kernel


@wrong("an index of A is a float32, not an integer", "T.cast")
def float_index():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32"), x: T.float32):
        with T.Kernel(1):
            A[x] = 1  # here
    return kernel


@wrong("an index of A is 1.5, which is no integer", "//")
def fractional_index():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            A[3 / 2] = 1  # here
    return kernel


@wrong("T.alloc_shared: an extent is known only at run time", "T.alloc_global")
def dynamic_tile():
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((n,), "float32")):
        with T.Kernel(1):
            tile = T.alloc_shared((n,), "float32")  # here
            T.copy(A[0], tile)
    return kernel


@wrong("T.alloc_fragment: the extent 0 is not a positive integer")
def empty_tile():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            T.alloc_fragment((0, 4), "float32")  # here
    return kernel


@wrong("T.alloc_shared outside a kernel", "T.alloc_global")
def tile_outside_kernel():
    @T.prim_func
    def kernel():
        T.alloc_shared((4,), "float32")  # here
        with T.Kernel(1):
            pass
    return kernel


@wrong("T.alloc_global inside a kernel", "in front of")
def workspace_in_kernel():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            T.alloc_global((4,), "float32")  # here
    return kernel


@wrong("T.alloc_fragment inside T.Parallel", "in front of the loop")
def tile_in_parallel():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            for _i in T.Parallel(M):
                T.alloc_fragment((4,), "float32")  # here
    return kernel


@wrong("T.gemm: A is a slice of the fragment a",
       "T.copy the slice")
def fragment_view():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_fragment((M, M), "float32")
            b = T.alloc_shared((N, M), "float32")
            c = T.alloc_fragment((M, M), "float32")
            T.gemm(a[:, 0:32], b, c)  # here
    return kernel


@wrong("T.atomic_add on acc, which is fragment memory", "T.Parallel")
def atomic_on_fragment():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            acc = T.alloc_fragment((4,), "float32")
            T.atomic_add(acc[0], 1)  # here
    return kernel


@wrong("T.atomic_or on float32", "integer tensor")
def atomic_or_on_float():
    @T.prim_func
    def kernel(A: T.Tensor((4,), "float32")):
        with T.Kernel(1):
            T.atomic_or(A[0], 1)  # here
    return kernel


@wrong("A is written outside a kernel", "T.Kernel")
def write_outside_kernel():
    @T.prim_func
    def kernel(A: T.Tensor((4,), "float32")):
        A[0] = 1  # here
        with T.Kernel(1):
            pass
    return kernel


@wrong("an index of x is 1.5, which is no integer", "//")
def fraction_as_an_index_of_an_update():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "float32")
            for i in T.Parallel(M):
                x[1.5] *= i  # here
    return kernel


@wrong("several elements of x are set at once inside T.Parallel", "each of the 2 dimensions")
def row_in_parallel():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M, 4), "float32")
            for i in T.Parallel(M):
                x[i] = 0  # here
    return kernel


@wrong("T.transpose: src is (8, 4) and dst is (8, 4)", "slice the larger side")
def transpose_of_shapes():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((8, 4), "float32")
            b = T.alloc_shared((8, 4), "float32")
            T.transpose(a, b)  # here
    return kernel
