"""NaN and infinities that arise from finite numbers, and assertions.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np

import tilewright.language as T

from .programs import numbers, over, program

RULE = "non-finite"


@program(RULE, iteration={"i": 6}, instruction="/")
def division_by_zero(wrong):
    @T.macro
    def body(A, D, B):
        for i in T.Parallel(16):
            q = A[i] / D[i]  # here
            B[i] = q * 2.0 + 1.0

    a, d = numbers(16), np.full(16, 2, np.float32)
    if wrong:
        d[6] = 0
    return over(body, (a, d), a + 1, debug="nan")


@program(RULE, iteration={"i": 2}, instruction="log")
def logarithm_of_zero(wrong):
    @T.macro
    def body(A, B):
        for i in T.Parallel(16):
            B[i] = T.log(A[i])  # here

    a = np.ones(16, np.float32)
    if wrong:
        a[2] = 0
    return over(body, (a,), np.zeros(16, np.float32), debug="nan")


@program(RULE, iteration={"i": 1, "j": 0}, instruction="-")
def softmax_of_a_row_that_is_all_masked(wrong):
    @T.macro
    def body(S, L, B):
        s = T.alloc_fragment((4, 8), "float32")
        most = T.alloc_fragment((4,), "float32")
        for i, j in T.Parallel(4, 8):
            s[i, j] = T.if_then_else(j < L[i], S[i, j], -T.infinity("float32"))
        T.reduce_max(s, most, dim=1)
        for i, j in T.Parallel(4, 8):
            d = s[i, j] - most[i]  # here
            B[i, j] = T.exp(d)

    length = np.array([1, 0 if wrong else 1, 1, 1], np.int32)
    right = np.zeros((4, 8), np.float32)
    right[:, 0] = 1
    return over(body, (numbers(4, 8), length), right, debug="nan")


@program(RULE, memory="h", index=(2, 3), instruction="T.copy", block=(1, 0, 0))
def overflow_of_a_conversion(wrong):
    @T.macro
    def body(A, B, bx):
        h = T.alloc_fragment((4, 8), "float16")
        T.copy(A[bx, :, :], h)  # here
        T.copy(h, B[bx, :, :])

    a = numbers(2, 4, 8)
    if wrong:
        a[1, 2, 3] = 1e6
    return over(body, (a,), a, blocks=2, debug="nan")


@program(RULE, memory="c", index=(3, 0), instruction="T.gemm", iteration={"k": 1})
def overflow_of_a_product(wrong):
    @T.macro
    def body(A, B, C):
        a = T.alloc_shared((16, 16), "float32")
        b = T.alloc_shared((16, 16), "float32")
        c = T.alloc_fragment((16, 16), "float32")
        T.clear(c)
        for k in T.serial(2):
            T.copy(A[0, k * 16], a)
            T.copy(B[k * 16, 0], b)
            T.gemm(a, b, c)  # here
        T.copy(c, C)

    a, b = numbers(16, 32), np.ones((32, 16), np.float32)
    right = a @ b
    if wrong:
        a[3, 20] = a[3, 21] = 3e38
    return over(body, (a, b), right, debug="nan")


@program(RULE, iteration={"i": 0}, instruction="-")
def infinity_that_an_exclusive_scan_begins_with(wrong):
    """It is asked for; what is computed from it is looked at again."""

    @T.macro
    def body(A, B):
        a = T.alloc_fragment((8,), "float32")
        most = T.alloc_fragment((8,), "float32")
        T.copy(A, a)
        T.cummax(a, most, exclusive=True)
        for i in T.Parallel(8):
            B[i] = (most[i] - most[i] if wrong else T.max(most[i], -1.0)) + 1  # here

    a = np.arange(8, dtype=np.float32)
    return over(body, (a,), np.arange(8, dtype=np.float32), debug="nan")


@program(RULE, memory="total", index=(5,), instruction="T.reduce_sum")
def overflow_of_a_sum_of_a_view(wrong):
    """An infinity of the input is seen, whichever element of the view holds it."""

    @T.macro
    def body(A, B):
        a = T.alloc_shared((10, 12), "float32")
        total = T.alloc_fragment((8,), "float32")
        T.copy(A, a)
        T.reduce_sum(T.view(a, (8, 15))[:, 1:14], total, dim=1)  # here
        T.copy(total, B)

    a = numbers(10, 12)
    a.reshape(8, 15)[2, 0] = np.inf
    if wrong:
        a.reshape(8, 15)[5, 6:8] = 3e38
    return over(body, (a,), a.reshape(8, 15)[:, 1:14].sum(1), debug="nan")


@program(RULE, memory="total", index=(5,), instruction="T.reduce_sum")
def overflow_of_a_sum(wrong):
    @T.macro
    def body(A, B):
        a = T.alloc_shared((8, 16), "float32")
        total = T.alloc_fragment((8,), "float32")
        T.copy(A, a)
        T.reduce_sum(a, total, dim=1)  # here
        T.copy(total, B)

    a = numbers(8, 16)
    right = a.sum(1)
    if wrong:
        a[5, :2] = 3e38
    return over(body, (a,), right, debug="nan")


@program("trap", block=(2, 0, 0), instruction="T.device_assert")
def assertion(wrong):
    @T.macro
    def body(P, B, bx):
        T.device_assert(P[bx] >= 0, "a page is missing")  # here
        B[bx] = P[bx]

    p = np.array([3, 1, -1 if wrong else 2, 0], np.int32)
    return over(body, (p,), p, blocks=4)
