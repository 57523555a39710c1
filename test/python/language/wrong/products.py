"""Wrong products.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

# The marks `# here` belong to their lines.
# fmt: off

import tilewright.language as T

from . import wrong

M, N, K = 64, 32, 16


@wrong("T.gemm: A has K = 16 and B has K = 32", "transpose_B=True")
def gemm_inner():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, K), "float16")
            b = T.alloc_shared((N, K), "float16")
            c = T.alloc_fragment((M, N), "float32")
            T.gemm(a, b, c)  # here
    return kernel


@wrong("T.gemm: C is (64, 16) and the product is (64, 32)", "shapes agree")
def gemm_result():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, K), "float16")
            b = T.alloc_shared((K, N), "float16")
            c = T.alloc_fragment((M, K), "float32")
            T.gemm(a, b, c)  # here
    return kernel


@wrong("T.gemm of float16 into int32", "float32")
def gemm_types():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, K), "float16")
            b = T.alloc_shared((K, N), "float16")
            c = T.alloc_fragment((M, N), "int32")
            T.gemm(a, b, c)  # here
    return kernel


@wrong("T.gemm of int8 and uint8", "copying it into its tile")
def gemm_mixed():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, K), "int8")
            b = T.alloc_shared((K, N), "uint8")
            c = T.alloc_fragment((M, N), "int32")
            T.gemm(a, b, c)  # here
    return kernel


@wrong("T.gemm: A is the global tensor A", "T.copy")
def gemm_global():
    @T.prim_func
    def kernel(A: T.Tensor((M, K), "float16")):
        with T.Kernel(1):
            b = T.alloc_shared((K, N), "float16")
            c = T.alloc_fragment((M, N), "float32")
            T.gemm(A, b, c)  # here
    return kernel


@wrong("T.gemm: B has 3 dimensions (2, 16, 32)", "X[i, :, :]")
def gemm_rank():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, K), "float16")
            b = T.alloc_shared((2, K, N), "float16")
            c = T.alloc_fragment((M, N), "float32")
            T.gemm(a, b, c)  # here
    return kernel


@wrong("T.gemm: c is operand and result")
def gemm_in_place():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, M), "float32")
            c = T.alloc_shared((M, M), "float32")
            T.gemm(a, c, c)  # here
    return kernel


@wrong('T.gemm: precision="tf32" on float16 and float16', "leave precision out")
def gemm_tf32():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, K), "float16")
            b = T.alloc_shared((K, N), "float16")
            c = T.alloc_fragment((M, N), "float32")
            T.gemm(a, b, c, precision="tf32")  # here
    return kernel


@wrong("T.gemm: transpose_B='yes'", "its form is T.gemm(")
def gemm_flag():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, K), "float16")
            b = T.alloc_shared((K, N), "float16")
            c = T.alloc_fragment((M, N), "float32")
            T.gemm(a, b, c, transpose_B="yes")  # here
    return kernel


@wrong("T.gemm of float8_e8m0fnu", "T.cast(scale")
def gemm_of_scales():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, M), "float8_e8m0fnu")
            c = T.alloc_fragment((M, M), "float32")
            T.gemm(a, a, c)  # here
    return kernel
