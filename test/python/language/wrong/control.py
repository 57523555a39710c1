"""Wrong places of kernels and branches, wrong statements and assertions.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

# The marks `# here` belong to their lines.
# fmt: off

import tilewright.language as T

from . import wrong

M = 64


@wrong("a run-time loop outside a kernel", "into the kernel")
def loop_around_kernel():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        for i in T.serial(3):  # here
            with T.Kernel(1):
                A[i] = 0
    return kernel


@wrong("a branch on a run-time value outside a kernel", "into the kernel")
def branch_around_kernel():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32"), n: T.int32):
        if n > 0:  # here
            with T.Kernel(1):
                A[0] = 0
    return kernel


@wrong("T.Kernel inside a T.Kernel", "end the first kernel")
def nested_kernel():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            A[1] = 0
            with T.Kernel(2):  # here
                A[0] = 0
    return kernel


@wrong("several items in one `with`", "one T.Kernel")
def two_kernels_in_one_with():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1), T.Kernel(2):  # here
            A[0] = 0
    return kernel


@wrong("T.Kernel with 4 grid extents", "//")
def grid_of_four():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1, 2, 3, 4):  # here
            A[0] = 0
    return kernel


@wrong("kernel has no T.Kernel", "with T.Kernel")
def no_kernel():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):  # here
        pass
    return kernel


@wrong("try inside a kernel", "no exceptions")
def try_():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            try:  # here
                A[0] = 1
            finally:
                pass
    return kernel


@wrong("return in a run-time loop or branch", "guard the rest")
def early_return():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            if A[0] > 0:
                return  # here
            A[0] = 1
    return kernel


@wrong("assert on a run-time value", "T.device_assert")
def assert_():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            assert A[0] > 0  # here
    return kernel


@wrong("T.static_assert: K must be even")
def static_assert():
    K = 3

    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            T.static_assert(K % 2 == 0, "K must be even")  # here
            A[0] = 1
    return kernel


@wrong("assertion failed at compile time: too many")
def assertion():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            assert M < 3, "too many"  # here
    return kernel
