"""Wrong uses of Python's own functions, operators and containers on run-time values.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

# The marks `# here` belong to their lines.
# fmt: off

import tilewright.language as T

from . import wrong

M = 64


@wrong("the operator @ in a kernel", "T.gemm")
def matmul_assignment():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            x = A[0]
            x @= A[1]  # here
    return kernel


@wrong("`is` on a run-time value", "==")
def identity():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(2) as bx:
            A[bx] = 1 if (A[bx] > 0) is True else 0  # here
    return kernel


@wrong("`in` on a run-time value and the global tensor A", "== and `or`")
def member_of_a_tensor():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "int32")):
        with T.Kernel(2) as bx:
            A[bx] = 1 if bx in A else 0  # here
    return kernel


@wrong("containers that hold run-time values are compared", "items")
def order_of_tuples():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "int32")):
        with T.Kernel(2, 2) as (bx, by):
            A[bx] = 1 if (bx, by) < (1, 1) else 0  # here
    return kernel


@wrong("max of run-time values: got an unexpected keyword argument 'key'", "T.macro")
def maximum_by_key():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            A[0] = max(A[0], A[1], key=lambda x: -x)  # here
    return kernel


@wrong("pow of run-time values: too many positional arguments")
def power_with_modulus():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "int32")):
        with T.Kernel(1):
            A[0] = pow(A[0], 2, 7)  # here
    return kernel


@wrong("sum of the global tensor A", "T.reduce_sum")
def sum_of_a_tensor():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            A[0] = sum(A)  # here
    return kernel


@wrong("enumerate of the global tensor A", "T.serial")
def items_of_a_tensor():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            for i, x in enumerate(A):  # here
                A[i] = x
    return kernel


@wrong("[1], a Python container, is changed in a run-time loop or branch",
       "keep the numbers in a tile")
def list_grown_in_a_branch():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "int32")):
        with T.Kernel(4) as bx:
            steps = [1]
            if bx > 2:
                steps.append(2)  # here
            A[bx] = len(steps)
    return kernel
