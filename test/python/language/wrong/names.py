"""Wrong names, and Python's values under a run-time loop or index.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

# The marks `# here` belong to their lines.
# fmt: off

import math

import tilewright.language as T

from . import wrong

M = 64


@wrong("total is a let bound in the kernel and is assigned again inside the loop",
       "total = T.alloc_var(dtype)")
def rebound_in_loop():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            total = A[0]
            for i in T.serial(M):
                total = total + A[i]  # here
            A[0] = total
    return kernel


@wrong("count is a compile-time value bound in the kernel", "T.alloc_var")
def counted_in_loop():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            count = 0
            for i in T.serial(M):
                if A[i] > 0:
                    count += 1  # here
            A[0] = count
    return kernel


@wrong("x is not visible here: it was bound inside the branch", "x = T.alloc_var(dtype)")
def bound_in_branch():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            if A[0] > 0:
                x = A[1]
            else:
                x = A[2]
            A[3] = x  # here
    return kernel


@wrong("the name undefined is not defined")
def undefined_name():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            A[0] = undefined  # noqa: F821  # here
    return kernel


@wrong("T.kopy is not part of the language", "did you mean T.copy?")
def misspelt_name():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            T.kopy(A, A)  # here
    return kernel


@wrong("exp is called with a run-time value", "use T.exp")
def python_maths():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            A[0] = math.exp(A[0])  # here
    return kernel


@wrong("1 // zero raised ZeroDivisionError at compile time")
def compile_time_error():
    zero = 0

    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            A[0] = 1 // zero  # here
    return kernel


@wrong("[0, 0], a Python container, is changed in a run-time loop",
       "keep the numbers in a tile")
def container_in_loop():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            table = [0, 0]
            for i in T.serial(2):
                table[0] = 1  # here
                A[i] = table[0]
    return kernel


@wrong("[1, 2, 3] is indexed by a run-time value", "tensor or a tile")
def container_index():
    numbers = [1, 2, 3]

    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(3) as bx:
            A[bx] = numbers[bx]  # here
    return kernel


@wrong("the name totl is not defined", "did you mean total?")
def name_near_another():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            total = A[0]
            A[1] = total + totl  # noqa: F821  # here
    return kernel


@wrong("the name later has no value yet", "assign later in the enclosing function")
def name_without_a_value_yet():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            A[0] = later  # here
    if kernel is None:
        later = 1
    return kernel
