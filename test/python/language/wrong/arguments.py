"""Wrong values of arguments: scopes of allocations, flags, hints that are one of a few.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

# The marks `# here` belong to their lines.
# fmt: off

import tilewright.language as T

from . import wrong

M, N = 64, 32


@wrong("T.alloc_shared: scope=3", "leave scope out")
def scope_that_is_no_name():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            T.alloc_shared((M,), "float32", scope=3)  # here
    return kernel


@wrong("T.alloc_shared: scope='local.var'", "T.alloc_var makes a variable")
def scope_of_a_variable_for_a_tile():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            T.alloc_shared((M,), "float32", "local.var")  # here
    return kernel


@wrong("T.alloc_local: scope=None", "leave scope out")
def scope_of_a_local_array():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            T.alloc_local((4,), "float32", scope=None)  # here
    return kernel


@wrong("T.alloc_var: scope='global'", "leave scope out")
def scope_in_place_of_a_first_value():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            T.alloc_var("float32", "global")  # here
    return kernel


@wrong("T.alloc_var: scope='local'", "use T.alloc_local")
def scope_of_a_variable():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            T.alloc_var("float32", 0, scope="local")  # here
    return kernel


@wrong("T.alloc_global: the size True is no integer")
def size_of_a_workspace_that_is_a_condition():
    @T.prim_func
    def kernel():
        T.alloc_global((M, True), "float32")  # here
        with T.Kernel(1):
            pass
    return kernel


@wrong("T.cumsum: reverse='no'", "its form is T.cumsum(")
def flag_that_is_a_string():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "float32")
            T.cumsum(x, dim=0, reverse="no")  # here
    return kernel


@wrong("T.reduce_sum: clear=2", "its form is T.reduce_sum(")
def flag_by_position_that_is_a_number():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_fragment((M, N), "float32")
            y = T.alloc_fragment((M,), "float32")
            T.reduce_sum(x, y, 1, 2)  # here
    return kernel


@wrong("T.sort: descending=None", "its form is T.sort(")
def flag_that_is_nothing():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "float32")
            T.sort(x, descending=None)  # here
    return kernel


@wrong("T.gemm: transpose_B is known only at run time", "Python number")
def flag_known_at_run_time():
    @T.prim_func
    def kernel(n: T.int32):
        with T.Kernel(1):
            a = T.alloc_shared((M, M), "float16")
            c = T.alloc_fragment((M, M), "float32")
            T.gemm(a, a, c, transpose_B=n > 0)  # here
    return kernel


@wrong("T.gemm: clear_accum='yes'", "leave it out")
def condition_that_is_a_string():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, M), "float16")
            c = T.alloc_fragment((M, M), "float32")
            T.gemm(a, a, c, clear_accum="yes")  # here
    return kernel


@wrong("T.gemm: policy='rows'", "leave it out")
def policy_that_is_none():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            a = T.alloc_shared((M, M), "float16")
            c = T.alloc_fragment((M, M), "float32")
            T.gemm(a, a, c, policy="rows")  # here
    return kernel
