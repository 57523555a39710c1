"""Reads of elements that were not written.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np

import tilewright
import tilewright.language as T

from .programs import numbers, over, program

RULE = "uninitialised"


@program(RULE, memory="s", index=(0,), iteration={"i": 0})
def shared_tile_that_nobody_wrote(wrong):
    @T.macro
    def body(A, B):
        s = T.alloc_shared((32,), "float32")
        if not wrong:
            T.copy(A, s)
        for i in T.Parallel(32):
            B[i] = s[i] + 1.0  # here

    a = numbers(32)
    return over(body, (a,), a + 1)


@program(RULE, memory="f", index=(7, 0), instruction="T.copy")
def last_row_of_a_fragment(wrong):
    rows = 7 if wrong else 8

    @T.macro
    def body(A, B):
        f = T.alloc_fragment((8, 16), "float32")
        for i, j in T.Parallel(rows, 16):
            f[i, j] = A[i, j] * 2.0
        T.copy(f, B)  # here

    a = numbers(8, 16)
    return over(body, (a,), a * 2)


@program(RULE, memory="c", index=(0, 0), iteration={"k": 0}, instruction="T.gemm")
def accumulator_that_was_not_cleared(wrong):
    @T.macro
    def body(A, B, C):
        a = T.alloc_shared((16, 16), "float32")
        b = T.alloc_shared((16, 16), "float32")
        c = T.alloc_fragment((16, 16), "float32")
        if not wrong:
            T.clear(c)
        for k in T.Pipelined(2, num_stages=2):
            T.copy(A[0, k * 16], a)
            T.copy(B[k * 16, 0], b)
            T.gemm(a, b, c)  # here
        T.copy(c, C)

    a, b = numbers(16, 32), numbers(32, 16)
    return over(body, (a, b), a @ b)


@program(RULE, memory="b", index=(16, 0), instruction="T.gemm")
def half_of_an_operand(wrong):
    rows = 16 if wrong else 32

    @T.macro
    def body(A, B, C):
        a = T.alloc_shared((16, 32), "bfloat16")
        b = T.alloc_shared((32, 16), "bfloat16")
        c = T.alloc_fragment((16, 16), "float32")
        T.copy(A, a)
        T.copy(B[0:rows, :], b[0:rows, :])
        T.gemm(a, b, c, clear_accum=True)  # here
        T.copy(c, C)

    import ml_dtypes

    a, b = numbers(16, 32), numbers(32, 16)
    return over(body, (a.astype(ml_dtypes.bfloat16), b.astype(ml_dtypes.bfloat16)), a @ b)


@program(RULE, memory="most", index=(0,), iteration={"k": 0}, instruction="T.reduce_max")
def running_maximum_without_a_start(wrong):
    @T.macro
    def body(A, B):
        a = T.alloc_shared((8, 16), "float32")
        most = T.alloc_fragment((8,), "float32")
        if not wrong:
            T.fill(most, -T.infinity("float32"))
        for k in T.serial(2):
            T.copy(A[0, k * 16], a)
            T.reduce_max(a, most, dim=1, clear=False)  # here
        T.copy(most, B)

    a = numbers(8, 32)
    return over(body, (a,), a.max(1))


@program(RULE, memory="a", index=(0, 15), instruction="T.reduce_sum", block=(1, 0, 0))
def last_column_of_a_reduced_tile(wrong):
    columns = 15 if wrong else 16

    @T.macro
    def body(A, B, bx):
        a = T.alloc_shared((8, 16), "float32")
        sums = T.alloc_fragment((8,), "float32")
        if bx == 0:
            T.copy(A[0, 0], a)
        else:
            T.copy(A[0:8, 16 : 16 + columns], a[0:8, 0:columns])
        T.reduce_sum(a, sums, dim=1)  # here
        T.copy(sums, B[:, bx])

    a = numbers(8, 32)
    return over(body, (a,), a.reshape(8, 2, 16).sum(2), blocks=2)


@program(RULE, memory="last", index=(0,), iteration={"k": 0, "i": 0})
def value_of_the_step_before(wrong):
    @T.macro
    def body(A, B):
        last = T.alloc_shared((16,), "float32")
        if not wrong:
            T.clear(last)
        for k in T.serial(4):
            for i in T.Parallel(16):
                B[k, i] = A[k, i] - last[i]  # here
            T.copy(A[k, :], last)

    a = numbers(4, 16)
    return over(body, (a,), np.diff(a, axis=0, prepend=np.zeros((1, 16), a.dtype)))


@program(RULE, memory="s", index=(0,), iteration={"k": 1, "i": 0})
def tile_allocated_in_a_loop(wrong):
    @T.macro
    def body(A, B):
        for k in T.serial(4):
            s = T.alloc_shared((16,), "float32")
            if (k == 0) if wrong else (k >= 0):
                T.copy(A[k, :], s)
            for i in T.Parallel(16):
                B[k, i] = s[i]  # here

    a = numbers(4, 16)
    return over(body, (a,), a)


@program(RULE, memory="best", index=(0,), iteration={"k": 0})
def variable_without_a_value(wrong):
    first = None if wrong else 0

    @T.macro
    def body(A, B):
        best = T.alloc_var("int32", init=first)
        for k in T.serial(16):
            best = T.max(best, A[k])  # here
        B[0] = best

    a = numbers(16, dtype="int32") ** 2
    return over(body, (a,), a.max(keepdims=True))


@program(RULE, memory="w", index=(1, 0), instruction="T.copy", block=(1, 0, 0))
def half_of_a_workspace(wrong):
    blocks = 1 if wrong else 2

    @tilewright.jit(debug=True)
    def kernel(A):
        A: T.Tensor((2, 16), "float32")
        B = T.empty((2, 16), "float32")
        w = T.alloc_global((2, 16), "float32")
        with T.Kernel(blocks) as bx:
            s = T.alloc_shared((16,), "float32")
            T.copy(A[bx, :], s)
            T.copy(s, w[bx, :])
        with T.Kernel(2) as bx:
            s = T.alloc_shared((16,), "float32")
            T.copy(w[bx, :], s)  # here
            T.copy(s, B[bx, :])
        return B

    a = numbers(2, 16)
    return kernel, (a,), a


@program(RULE, memory="ids", index=(0,), instruction="T.gather")
def indices_that_nobody_wrote(wrong):
    @T.macro
    def body(A, I, B):
        ids = T.alloc_shared((8,), "int32")
        s = T.alloc_shared((8, 8), "float32")
        if not wrong:
            T.copy(I, ids)
        T.gather(A, ids, s)  # here
        T.copy(s, B)

    a = numbers(32, 8)
    ids = np.arange(31, 23, -1, dtype=np.int32)
    return over(body, (a, ids), a[ids])


@program(RULE, memory="bins", index=(3,), iteration={"i": 0}, instruction="T.atomic_add")
def histogram_that_was_not_cleared(wrong):
    @T.macro
    def body(P, B):
        bins = T.alloc_shared((8,), "int32")
        if not wrong:
            T.clear(bins)
        for i in T.Parallel(32):
            T.atomic_add(bins[P[i]], 1)  # here
        T.copy(bins, B)

    p = (np.arange(32, dtype=np.int32) + 3) % 8
    return over(body, (p,), np.full(8, 4, np.int32))


@program(RULE, memory="s", index=(16,), instruction="T.scan")
def end_of_a_running_sum(wrong):
    count = 16 if wrong else 32

    @T.macro
    def body(A, B):
        s = T.alloc_shared((32,), "float32")
        T.copy(A[0:count], s[0:count])
        T.cumsum(s)  # here
        T.copy(s, B)

    a = numbers(32)
    return over(body, (a,), a.cumsum())


@program(RULE, memory="s", index=(0, 31), instruction="T.topk")
def last_candidate_of_a_selection(wrong):
    count = 31 if wrong else 32

    @T.macro
    def body(A, B):
        s = T.alloc_fragment((2, 32), "float32")
        for i, j in T.Parallel(2, count):
            s[i, j] = A[i, j]
        values, places = T.topk(s, 4, dim=1)  # here
        T.copy(values, B)

    a = numbers(2, 32)
    return over(body, (a,), -np.sort(-a, axis=1)[:, :4])


@program(RULE, memory="s", index=(0,), iteration={"k": 0, "i": 0})
def side_that_is_chosen_too_early(wrong):
    start = 0 if wrong else 1

    @T.macro
    def body(A, B):
        s = T.alloc_shared((16,), "float32")
        for k in T.serial(4):
            for i in T.Parallel(16):
                B[k, i] = T.if_then_else(k >= start, s[i], 0.0)  # here
            T.copy(A[k, :], s)

    a = numbers(4, 16)
    return over(body, (a,), np.concatenate([np.zeros((1, 16), np.float32), a[:-1]]))
