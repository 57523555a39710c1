"""Wrong loops, branches, names and functions.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

# The marks `# here` belong to their lines.
# fmt: off

import math

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


@wrong("assertion failed at compile time: too many")
def assertion():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            assert M < 3, "too many"  # here
    return kernel


@wrong("the name totl is not defined", "did you mean total?")
def name_near_another():
    @T.prim_func
    def kernel(A: T.Tensor((M,), "float32")):
        with T.Kernel(1):
            total = A[0]
            A[1] = total + totl  # noqa: F821  # here
    return kernel
