"""Wrong dtypes, literals and operators.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

# The marks `# here` belong to their lines.
# fmt: off

import tilewright.language as T

from . import wrong

M = 64


@wrong("dtype int4 is not available", "pairs in a uint8 tensor")
def int4():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            T.alloc_shared((M,), "int4")  # here
    return kernel


@wrong("the last size of A, 33, is odd", "even size")
def odd_pairs():
    @T.prim_func
    def kernel(A: T.Tensor((M, 33), "float4_e2m1fn")):  # here
        with T.Kernel(1):
            A[0, 0] = A[0, 1]
    return kernel


@wrong("A is a tensor of float4_e2m1fn with strides", "contiguous")
def strided_pairs():
    @T.prim_func
    def kernel(A: T.StridedTensor((M, 32), (64, 1), "float4_e2m1fn")):  # here
        with T.Kernel(1):
            A[0, 0] = A[0, 1]
    return kernel


@wrong("T.alloc_global of float4_e2m1fn", "float8_e4m3fn")
def workspace_of_pairs():
    @T.prim_func
    def kernel():
        T.alloc_global((M,), "float4_e2m1fn")  # here
    return kernel


@wrong("T.atomic_add on A, a tensor of float4_e2m1fn", "wider type")
def atomic_on_pairs():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float4_e2m1fn")):
        with T.Kernel(1):
            T.atomic_add(A[0], 1)  # here
    return kernel


@wrong("the literal 0.0 has no value in float8_e8m0fnu")
def scale_of_zero():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "float8_e8m0fnu")
            T.fill(x, 0.0)  # here
    return kernel


@wrong("the literal nan has no value in float4_e2m1fn", "6.0")
def nan_in_pairs():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "float4_e2m1fn")
            T.fill(x, float("nan"))  # here
    return kernel


@wrong("'float17' is not a dtype", "use one of")
def no_dtype():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            T.alloc_shared((M,), "float17")  # here
    return kernel


@wrong("the literal 300 has no value in int8", "-128 to 127")
def literal_range():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "int8")
            T.fill(x, 300)  # here
    return kernel


@wrong("the literal inf has no value in float8_e4m3fn", "T.max_value")
def literal_infinity():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "float8_e4m3fn")
            T.fill(x, float("inf"))  # here
    return kernel


@wrong("T.infinity: float8_e4m3fn has no infinity", "T.max_value")
def no_infinity():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "float8_e4m3fn")
            T.fill(x, -T.infinity("float8_e4m3fn"))  # here
    return kernel


@wrong("// by zero")
def division_by_zero():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "int32")):
        with T.Kernel(1):
            A[0] = A[1] // 0  # here
    return kernel


@wrong("<< on float32", "T.reinterpret")
def shift_of_float():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            A[0] = A[1] << 1  # here
    return kernel


@wrong("a shift by -1", "the other way")
def negative_shift():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "int32")):
        with T.Kernel(1):
            A[0] = A[1] >> -1  # here
    return kernel


@wrong("T.reinterpret: float32 has 32 bits and int16 has 16")
def reinterpret_width():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            x = T.reinterpret(A[0], "int16")  # here
            A[1] = x
    return kernel


@wrong("A is a whole tensor where a scalar is needed", "T.Parallel")
def whole_tensor():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            A[0] = A + 1  # here
    return kernel


@wrong("'a' meets a run-time value in an operator")
def string_operand():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            A[0] = A[1] + "a"  # here
    return kernel


@wrong("a run-time scalar has no attribute item", ".astype")
def unknown_attribute():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            x = A[0] + 1
            A[1] = x.item()  # here
    return kernel


@wrong("the operator @ in a kernel", "T.gemm")
def matmul_operator():
    @T.prim_func
    def kernel(A: T.Tensor((M, M), "float32")):
        with T.Kernel(1):
            A[0, 0] = A @ A  # here
    return kernel
