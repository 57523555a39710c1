"""Wrong loops.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

# The marks `# here` belong to their lines.
# fmt: off

import tilewright.language as T

from . import wrong

M = 64


@wrong("every iteration over j writes the same element of out", "T.reduce_sum")
def race():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M, 4), "float32")
            out = T.alloc_shared((M,), "float32")
            for i, j in T.Parallel(M, 4):
                out[i] = x[i, j]  # here
    return kernel


@wrong("total is assigned by every iteration of T.Parallel", "T.reduce_sum")
def race_on_variable():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "float32")
            total = T.alloc_var("float32", 0)
            for i in T.Parallel(M):
                total += x[i]  # here
    return kernel


@wrong("T.Parallel of 1099511627776 iterations in one block", "blocks of T.Kernel")
def more_iterations_than_a_block_has():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            for i, j in T.Parallel(2**20, 2**20):  # here
                A[i + j] = 0
    return kernel


@wrong("an iteration of T.Parallel uses an element of x that another one writes", "T.serial")
def carried():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M + 1,), "float32")
            for i in T.Parallel(M):
                x[i + 1] = x[i] + 1  # here
    return kernel


@wrong("every iteration over _j writes the same element of A", "T.reduce_sum")
def dynamic_parallel_race():
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((n,), "float32")):
        with T.Kernel(1):
            for i, _j in T.Parallel(8, n):
                A[i] = 0  # here
    return kernel


@wrong("T.unroll: a bound or the step is known only at run time", "use T.serial")
def dynamic_unroll():
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((n,), "float32")):
        with T.Kernel(1):
            for i in T.unroll(n):  # here
                A[i] = 0
    return kernel


@wrong("T.Persistent: the domain is no list", "[m, n]")
def persistent_number():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(4) as bx:
            for i in T.Persistent(M, 4, bx):  # here
                A[i] = 0
    return kernel


@wrong("1 names for 2 loop variables", "for i, j in")
def loop_names():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            for i in T.Parallel(M, 2):  # here
                A[i] = 0
    return kernel


@wrong("T.serial: the step is 0", "down by -1")
def loop_step():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            for i in T.serial(0, M, 0):  # here
                A[i] = 0
    return kernel


@wrong("a loop over a tile or scalar", "T.serial(x.shape[0])")
def loop_over_tile():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            for x in A:  # here
                A[0] = x
    return kernel


@wrong("2 names for the 1 extents of T.Kernel", "as (bx, by)")
def kernel_names():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1) as (bx, by):  # here
            A[0] = bx
    return kernel


@wrong("break in T.Parallel", "T.serial")
def break_():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            for i in T.Parallel(M):
                if A[i] > 0:
                    break  # here
    return kernel


@wrong("T.loop_break in T.Parallel", "T.serial")
def break_of_a_dynamic_extent():
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((n, 32), "float32")):
        with T.Kernel(1):
            for i, j in T.Parallel(n, 32):
                if A[i, j] > 0:
                    T.loop_break()  # here
    return kernel


@wrong("break in T.Parallel", "guard the body")
def break_of_the_inner_of_two():
    @T.prim_func
    def kernel(A: T.Tensor((4, 32), "float32")):
        with T.Kernel(1):
            for i in T.Parallel(4):
                for j in T.Parallel(32):
                    A[i, j] = 1
                    break  # here
    return kernel


@wrong("break under a run-time condition in a loop that is written out", "T.serial")
def break_unrolled():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            for i in T.unroll(4):
                if A[i] > 0:
                    break  # here
    return kernel


@wrong("T.loop_break outside a loop of this function", "return a condition")
def break_of_a_macro():
    @T.macro
    def stop(x):
        if x > 0:
            T.loop_break()  # here

    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            for i in T.serial(M):
                stop(A[i])
    return kernel


@wrong("else on a loop", "after the loop")
def loop_else():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            for i in T.serial(M):  # here
                A[i] = 0
            else:
                A[0] = 1
    return kernel


@wrong("this while loop does not end", "T.alloc_var")
def endless():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            while True:  # here
                A[0] = 1
    return kernel


@wrong("T.unroll writes the body out 4096 times", "T.serial")
def long_unroll():
    @T.prim_func
    def kernel(A: T.Tensor((4096,), "float32")):
        with T.Kernel(1):
            for i in T.unroll(4096):  # here
                A[i] = 0
    return kernel
