"""Wrong views, aliases, sizes, and uses of T.grid_sync.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

# The marks `# here` belong to their lines.
# fmt: off

import tilewright.language as T

from . import wrong

M = 64


@wrong("T.reshape of tile, (64, 4) of float32, 1024 bytes, as (64, 5) of float32, 1280 bytes",
       "the product of the extents")
def reshape_size():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            tile = T.alloc_shared((M, 4), "float32")
            T.reshape(tile, (M, 5))  # here
    return kernel


@wrong("T.view of tile, (64,) of float32, 256 bytes, as (64,) of float16, 128 bytes",
       "the product of the extents")
def view_bytes():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            tile = T.alloc_shared((M,), "float32")
            T.view(tile, (M,), "float16")  # here
    return kernel


@wrong("its last dimension, of 3 float16, is not shown to be a whole number of float32",
       "T.view(x, shape, dtype)")
def view_scaled():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            tile = T.alloc_shared((M, 3), "float16")
            T.view(tile, dtype="float32")  # here
    return kernel


@wrong("T.reshape of A, (m, 4) of float32, as (n,) of float32", "(m * n,)")
def reshape_unknown():
    m, n = T.dynamic("m, n")

    @T.prim_func
    def kernel(A: T.Tensor((m, 4), "float32"), B: T.Tensor((n,), "float32")):
        with T.Kernel(1):
            T.reshape(A, (n,))  # here
    return kernel


@wrong("T.gemm: c is operand and result", "tile of its own")
def gemm_into_a_view_of_an_operand():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((16, 16), "float32")
            b = T.alloc_shared((16, 16), "float32")
            c = T.reshape(T.reshape(a, (256,)), (16, 16))
            T.gemm(a, b, c)  # here
    return kernel


@wrong("T.view of a part of A", "slice that")
def view_of_a_slice():
    @T.prim_func
    def kernel(A: T.Tensor((M, 4), "float32")):
        with T.Kernel(1):
            T.view(A[0:4], (16,))  # here
    return kernel


@wrong("T.view: its first argument is no tile or tensor", "T.reinterpret")
def view_of_a_variable():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_var("float32")
            T.view(x, (1,), "int32")  # here
    return kernel


@wrong("T.view of A, a T.StridedTensor", "T.alloc_global")
def view_of_strides():
    @T.prim_func
    def kernel(A: T.StridedTensor((M, 4), (8, 1), "float32")):
        with T.Kernel(1):
            T.view(A, (M * 4,))  # here
    return kernel


@wrong("T.view of A, which is bool, as uint8", "T.Parallel")
def view_of_bools():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "bool")):
        with T.Kernel(1):
            T.view(A, (M,), "uint8")  # here
    return kernel


@wrong("T.reshape of tile, which is float4_e2m1fn", "a tile of float8_e4m3fn")
def reshape_of_pairs():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            tile = T.alloc_shared((M, 4), "float4_e2m1fn")
            T.reshape(tile, (M * 2, 2))  # here
    return kernel


@wrong("T.view of A, which is uint8, as float4_e2m1fn", "declare the tensor in that shape")
def view_of_bytes_as_pairs():
    @T.prim_func
    def kernel(A: T.Tensor((M, 4), "uint8")):
        with T.Kernel(1):
            T.view(A, (M, 8), "float4_e2m1fn")  # here
    return kernel


@wrong("T.reshape inside T.Parallel", "in front of")
def view_in_parallel():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            tile = T.alloc_shared((M,), "float32")
            for i in T.Parallel(M):
                x = T.reshape(tile, (8, 8))  # here
                x[i // 8, i % 8] = 0
    return kernel


@wrong("the index 64 is outside flat, whose dimension 0 has 64 elements")
def outside_a_view():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            tile = T.alloc_shared((8, 8), "float32")
            flat = T.reshape(tile, (M,))
            flat[64] = 0  # here
    return kernel


@wrong("T.grid_sync inside a branch or `while`", "let every block reach it")
def sync_in_a_branch():
    @T.prim_func
    def kernel():
        with T.Kernel(4) as bx:
            if bx > 0:
                T.grid_sync()  # here
    return kernel


@wrong("T.grid_sync inside a branch or `while`", "let every block reach it")
def sync_in_while():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(4):
            while A[0] > 0:
                T.grid_sync()  # here
    return kernel


@wrong("T.grid_sync inside a branch or `while`", "let every block reach it")
def sync_in_a_loop_that_is_left():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(4):
            for i in T.serial(M):
                T.grid_sync()  # here
                if A[i] > 0:
                    break
    return kernel


@wrong("T.grid_sync inside T.Parallel", "in front of or after")
def sync_in_parallel():
    @T.prim_func
    def kernel():
        with T.Kernel(4):
            for _i in T.Parallel(M):
                T.grid_sync()  # here
    return kernel


@wrong("T.grid_sync outside a kernel", "kernels run in order")
def sync_outside():
    @T.prim_func
    def kernel():
        T.grid_sync()  # here
        with T.Kernel(1):
            pass
    return kernel


@wrong("the tensor C is replaced by the fragment tile c, and nothing is stored",
       "T.copy(c, C) or C[...] = c")
def replaced_by_a_tile():
    @T.prim_func
    def kernel(C: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            c = T.alloc_fragment((M,), "float32")
            T.clear(c)
            C = c  # noqa: F841  # here
    return kernel


@wrong("the tensor C is replaced by a run-time float32 value", "C[i] = ...")
def replaced_by_a_value():
    @T.prim_func
    def kernel(C: T.Tensor((M,), "float32"), x: T.float32):
        with T.Kernel(1):
            C = x * 2  # noqa: F841  # here
    return kernel


@wrong("T.choose: entries is known only at run time", "T.const")
def run_time_choice():
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((n,), "float32")):
        with T.Kernel(1):
            block = T.choose("BN", [n, 32])  # here
            A[block] = 0
    return kernel


@wrong("C is declared an alias of A and has another shape", "T.view and T.reshape")
def alias_of_another_shape():
    @T.prim_func
    def kernel(A: T.Tensor((M, 4), "float32"),
               C: T.Tensor((M * 4,), "float32", alias="A")):  # here
        with T.Kernel(1):
            C[0] = A[0, 0]
    return kernel


@wrong("C is declared an alias of A and has another dtype", "T.view and T.reshape")
def alias_of_another_dtype():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32"),
               C: T.Tensor((M,), "int32", alias="A")):  # here
        with T.Kernel(1):
            C[0] = 1
    return kernel


@wrong('C is declared with alias="B", which is no other tensor parameter')
def alias_of_nothing():
    @T.prim_func
    def kernel(C: T.Tensor((M,), "float32", alias="B")):  # here
        with T.Kernel(1):
            C[0] = 1
    return kernel


@wrong("an iteration of T.Parallel uses an element of C that another one writes",
       "second tile")
def carried_through_an_alias():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32"), C: T.Tensor((M,), "float32", alias="A")):
        with T.Kernel(1):
            for i in T.Parallel(M - 1):
                C[i] = A[i + 1]  # here
    return kernel
