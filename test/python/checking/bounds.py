"""Accesses outside of tiles, by indices that are known at run time only.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np

import tilewright.language as T

from .programs import numbers, over, program

RULE = "out-of-bounds"


def positions(wrong: bool, at: int, value: int, count: int = 32) -> np.ndarray:
    """0, 1, .. with a wrong one planted."""
    found = np.arange(count, dtype=np.int32)
    if wrong:
        found[at] = value
    return found


@program(RULE, memory="s", index=(32,), iteration={"i": 5})
def element_of_a_shared_tile(wrong):
    @T.macro
    def body(A, P, B):
        s = T.alloc_shared((32,), "float32")
        T.copy(A, s)
        for i in T.Parallel(32):
            B[i] = s[P[i]]  # here

    a = numbers(32)
    return over(body, (a, positions(wrong, 5, 32)), a)


@program(RULE, memory="s", index=(0, 32), iteration={"i": 5})
def element_of_a_view_that_its_row_has_not(wrong):
    """The memory has it, in the next row."""

    @T.macro
    def body(A, P, B):
        s = T.alloc_shared((1, 32), "float32")
        T.copy(A, s)
        rows = T.view(s, (2, 16))
        for i in T.Parallel(16):
            B[i] = rows[0, P[i]]  # here

    a = numbers(32)
    return over(body, (a, positions(wrong, 5, 16, 16)), a[:16])


@program(RULE, memory="s", index=(6, 3), instruction="T.copy", block=(1, 0, 0))
def rows_of_a_view_that_are_no_box_of_its_memory(wrong):
    @T.macro
    def body(A, P, B, bx):
        s = T.alloc_shared((6, 10), "float32")
        T.copy(A, s)
        first = P[bx]
        T.copy(T.view(s, (4, 15))[first : first + 2, 3:9], B[bx, :, :])  # here

    a = numbers(6, 10)
    right = np.stack([a.reshape(4, 15)[n : n + 2, 3:9] for n in (1, 2)])
    return over(body, (a, np.array([1, 3 if wrong else 2], np.int32)), right, blocks=2)


@program(RULE, memory="s", index=(-1,), iteration={"i": 7}, block=(1, 0, 0))
def negative_index_of_a_store(wrong):
    @T.macro
    def body(A, P, B, bx):
        s = T.alloc_shared((32,), "float32")
        for i in T.Parallel(32):
            s[P[bx, i]] = A[bx, i]  # here
        T.copy(s, B[bx, :])

    a = numbers(2, 32)
    p = np.stack([positions(False, 0, 0), positions(wrong, 7, -1)])
    return over(body, (a, p), a, blocks=2)


@program(RULE, memory="f", index=(3, 8), iteration={"i": 3, "j": 2})
def second_dimension_of_a_fragment(wrong):
    @T.macro
    def body(A, P, B):
        f = T.alloc_fragment((4, 8), "float32")
        T.copy(A, f)
        for i, j in T.Parallel(4, 8):
            B[i, j] = f[i, P[i, j]]  # here

    a = numbers(4, 8)
    p = np.tile(np.arange(8, dtype=np.int32), (4, 1))
    if wrong:
        p[3, 2] = 8
    return over(body, (a, p), a)


@program(RULE, memory="s", index=(17, 0), iteration={"k": 1}, instruction="T.copy")
def copy_from_rows_of_a_tile(wrong):
    @T.macro
    def body(A, P, B):
        s = T.alloc_shared((32, 8), "float32")
        T.copy(A, s)
        for k in T.serial(2):
            T.copy(s[P[k], 0], B[k * 16 : k * 16 + 16, :])  # here

    a = numbers(32, 8)
    return over(body, (a, np.array([0, 17 if wrong else 16], np.int32)), a)


@program(RULE, memory="s", index=(-1, 0), iteration={"k": 0}, instruction="T.copy")
def copy_to_rows_of_a_tile(wrong):
    @T.macro
    def body(A, P, B):
        s = T.alloc_shared((32, 8), "float32")
        for k in T.Pipelined(2, num_stages=2):
            T.copy(A[k * 16 : k * 16 + 16, :], s[P[k], 0])  # here
        T.copy(s, B)

    a = numbers(32, 8)
    return over(body, (a, np.array([-1 if wrong else 0, 16], np.int32)), a)


@program(RULE, memory="a", index=(24, 0), iteration={"k": 1}, instruction="T.gemm")
def operand_of_a_gemm(wrong):
    @T.macro
    def body(A, B, P, C):
        a = T.alloc_shared((32, 16), "float32")
        b = T.alloc_shared((16, 16), "float32")
        c = T.alloc_fragment((16, 16), "float32")
        T.copy(A, a)
        T.copy(B, b)
        for k in T.serial(2):
            first = P[k]
            T.gemm(a[first : first + 16, :], b, c, clear_accum=True)  # here
            T.copy(c, C[k * 16, 0])

    a, b = numbers(32, 16), numbers(16, 16)
    return over(body, (a, b, np.array([0, 24 if wrong else 16], np.int32)), a @ b)


@program(RULE, memory="s", index=(30, 0), instruction="T.reduce_sum", block=(1, 0, 0))
def source_of_a_reduction(wrong):
    @T.macro
    def body(A, P, B, bx):
        s = T.alloc_shared((32, 8), "float32")
        r = T.alloc_fragment((4,), "float32")
        T.copy(A, s)
        first = P[bx]
        T.reduce_sum(s[first : first + 4, :], r, dim=1)  # here
        T.copy(r, B[bx, :])

    a = numbers(32, 8)
    right = np.stack([a[3:7].sum(1), a[28:32].sum(1)])
    return over(body, (a, np.array([3, 30 if wrong else 28], np.int32)), right, blocks=2)


@program(RULE, memory="bins", index=(16,), iteration={"i": 31}, instruction="T.atomic_add")
def bin_of_a_histogram(wrong):
    @T.macro
    def body(P, B):
        bins = T.alloc_shared((16,), "int32")
        T.clear(bins)
        for i in T.Parallel(32):
            T.atomic_add(bins[P[i]], 1)  # here
        T.copy(bins, B)

    p = np.arange(32, dtype=np.int32) // 2
    if wrong:
        p[31] = 16
    return over(body, (p,), np.full(16, 2, np.int32))


@program(RULE, memory="ids", index=(12,), iteration={"k": 1}, instruction="T.gather")
def indices_of_a_gather(wrong):
    @T.macro
    def body(A, I, P, B):
        ids = T.alloc_shared((16,), "int32")
        s = T.alloc_shared((8, 8), "float32")
        T.copy(I, ids)
        for k in T.serial(2):
            first = P[k]
            T.gather(A, ids[first : first + 8], s)  # here
            T.copy(s, B[k * 8, 0])

    a = numbers(32, 8)
    ids = np.arange(31, -1, -2, dtype=np.int32)
    return over(body, (a, ids, np.array([0, 12 if wrong else 8], np.int32)), a[ids])


@program(RULE, memory="ids", index=(12,), iteration={"k": 1}, instruction="T.scatter")
def indices_of_a_scatter(wrong):
    @T.macro
    def body(A, I, P, B):
        ids = T.alloc_shared((16,), "int32")
        s = T.alloc_shared((8, 8), "float32")
        T.copy(I, ids)
        for k in T.serial(2):
            first = P[k]
            T.copy(A[first, 0], s)
            T.scatter(s, ids[first : first + 8], B)  # here

    a = numbers(16, 8)
    ids = np.arange(15, -1, -1, dtype=np.int32)
    return over(body, (a, ids, np.array([0, 12 if wrong else 8], np.int32)), a[::-1])


@program(RULE, memory="v", index=(4,), iteration={"i": 3})
def private_array(wrong):
    @T.macro
    def body(P, B):
        for i in T.serial(8):
            v = T.alloc_local((4,), "int32")
            T.clear(v)
            v[P[i]] = 7  # here
            B[i] = v[P[i]]

    p = np.arange(8, dtype=np.int32) % 4
    if wrong:
        p[3] = 4
    return over(body, (p,), np.full(8, 7, np.int32))


@program(RULE, memory="s", index=(32,), iteration={"k": 2})
def store_in_a_macro(wrong):
    @T.macro
    def put(tile, at, value):
        tile[at] = value  # here

    @T.macro
    def body(P, B):
        s = T.alloc_shared((32,), "int32")
        T.clear(s)
        for k in T.serial(4):
            put(s, P[k], 1)  # caller
        T.copy(s, B)

    p = np.array([0, 5, 32 if wrong else 9, 31], np.int32)
    right = np.zeros(32, np.int32)
    right[[0, 5, 9, 31]] = 1
    return over(body, (p,), right)
