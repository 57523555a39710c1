"""Wrong lambdas, functions and macros.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

# The marks `# here` belong to their lines.
# fmt: off

import tilewright.language as T

from . import wrong

M = 64


@wrong("a lambda with defaults, keywords or *", "T.macro")
def lambda_with_defaults():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            A[0] = (lambda x, y=1: x)(1)  # here
    return kernel


@wrong("a lambda takes 2 arguments, not 1", "its parameters are x, y")
def lambda_arguments():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            A[0] = (lambda x, y: x)(1)  # here
    return kernel


@wrong("a lambda of a kernel is called by a Python function", "outside the kernel")
def lambda_for_python():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            A[0] = max((1, 2), key=lambda x: -x)  # here
    return kernel


@wrong("a function inside a kernel", "T.macro")
def inner_function():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            def helper():  # here
                pass
            A[0] = 1
    return kernel


@wrong("T.copy in the ordinary function helper", "@T.macro")
def operation_in_function():
    def helper(x, y):
        T.copy(x, y)  # here

    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            tile = T.alloc_shared((M,), "float32")
            helper(A, tile)
    return kernel


@wrong("T.clear was called outside a kernel", "@T.macro")
def operation_at_compile_time():
    def helper():
        T.clear(None)  # here

    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            helper()
            A[0] = 1
    return kernel


@T.macro
def scale(tile, factor):
    for i in T.Parallel(M):
        tile[i] = tile[i] * factor & 1  # here


@wrong("& on float32", "T.reinterpret")
def inside_macro():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            tile = T.alloc_shared((M,), "float32")
            scale(tile, 2)
    return kernel


@wrong("scale lacks factor")
def macro_arguments():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            tile = T.alloc_shared((M,), "float32")
            scale(tile)  # here
    return kernel
