"""Accesses outside of tiles, by indices that are known at run time only.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np

import tilewright
import tilewright.language as T

from .programs import numbers, program

RULE = "out-of-bounds"


def positions(wrong: bool, at: int, value: int, count: int = 32) -> np.ndarray:
    """0, 1, .. with a wrong one planted."""
    found = np.arange(count, dtype=np.int32)
    if wrong:
        found[at] = value
    return found


@program(RULE, memory="s", index=(32,), iteration={"i": 5})
def element_of_a_shared_tile(wrong):
    @tilewright.jit(debug=True)
    def kernel(A, P):
        A: T.Tensor((32,), "float32")
        P: T.Tensor((32,), "int32")
        B = T.empty((32,), "float32")
        with T.Kernel(1):
            s = T.alloc_shared((32,), "float32")
            T.copy(A, s)
            for i in T.Parallel(32):
                B[i] = s[P[i]]  # here
        return B

    a = numbers(32)
    return kernel, (a, positions(wrong, 5, 32)), a


@program(RULE, memory="s", index=(-1,), iteration={"i": 7}, block=(1, 0, 0))
def negative_index_of_a_store(wrong):
    @tilewright.jit(debug=True)
    def kernel(A, P):
        A: T.Tensor((2, 32), "float32")
        P: T.Tensor((2, 32), "int32")
        B = T.empty((2, 32), "float32")
        with T.Kernel(2) as bx:
            s = T.alloc_shared((32,), "float32")
            for i in T.Parallel(32):
                s[P[bx, i]] = A[bx, i]  # here
            T.copy(s, B[bx, :])
        return B

    a = numbers(2, 32)
    p = np.stack([positions(False, 0, 0), positions(wrong, 7, -1)])
    return kernel, (a, p), a


@program(RULE, memory="f", index=(3, 8), iteration={"i": 3, "j": 2})
def second_dimension_of_a_fragment(wrong):
    @tilewright.jit(debug=True)
    def kernel(A, P):
        A: T.Tensor((4, 8), "float32")
        P: T.Tensor((4, 8), "int32")
        B = T.empty((4, 8), "float32")
        with T.Kernel(1):
            f = T.alloc_fragment((4, 8), "float32")
            T.copy(A, f)
            for i, j in T.Parallel(4, 8):
                B[i, j] = f[i, P[i, j]]  # here
        return B

    a = numbers(4, 8)
    p = np.tile(np.arange(8, dtype=np.int32), (4, 1))
    if wrong:
        p[3, 2] = 8
    return kernel, (a, p), a


@program(RULE, memory="s", index=(17, 0), iteration={"k": 1}, instruction="T.copy")
def copy_from_rows_of_a_tile(wrong):
    @tilewright.jit(debug=True)
    def kernel(A, P):
        A: T.Tensor((32, 8), "float32")
        P: T.Tensor((2,), "int32")
        B = T.empty((32, 8), "float32")
        with T.Kernel(1):
            s = T.alloc_shared((32, 8), "float32")
            T.copy(A, s)
            for k in T.serial(2):
                T.copy(s[P[k], 0], B[k * 16 : k * 16 + 16, :])  # here
        return B

    a = numbers(32, 8)
    return kernel, (a, np.array([0, 17 if wrong else 16], np.int32)), a


@program(RULE, memory="s", index=(-1, 0), iteration={"k": 0}, instruction="T.copy")
def copy_to_rows_of_a_tile(wrong):
    @tilewright.jit(debug=True)
    def kernel(A, P):
        A: T.Tensor((32, 8), "float32")
        P: T.Tensor((2,), "int32")
        B = T.empty((32, 8), "float32")
        with T.Kernel(1):
            s = T.alloc_shared((32, 8), "float32")
            for k in T.Pipelined(2, num_stages=2):
                T.copy(A[k * 16 : k * 16 + 16, :], s[P[k], 0])  # here
            T.copy(s, B)
        return B

    a = numbers(32, 8)
    return kernel, (a, np.array([-1 if wrong else 0, 16], np.int32)), a


@program(RULE, memory="a", index=(24, 0), iteration={"k": 1}, instruction="T.gemm")
def operand_of_a_gemm(wrong):
    @tilewright.jit(debug=True)
    def kernel(A, B, P):
        A: T.Tensor((32, 16), "float32")
        B: T.Tensor((16, 16), "float32")
        P: T.Tensor((2,), "int32")
        C = T.empty((32, 16), "float32")
        with T.Kernel(1):
            a = T.alloc_shared((32, 16), "float32")
            b = T.alloc_shared((16, 16), "float32")
            c = T.alloc_fragment((16, 16), "float32")
            T.copy(A, a)
            T.copy(B, b)
            for k in T.serial(2):
                first = P[k]
                T.gemm(a[first : first + 16, :], b, c, clear_accum=True)  # here
                T.copy(c, C[k * 16, 0])
        return C

    a, b = numbers(32, 16), numbers(16, 16)
    return kernel, (a, b, np.array([0, 24 if wrong else 16], np.int32)), a @ b


@program(RULE, memory="s", index=(30, 0), instruction="T.reduce", block=(1, 0, 0))
def source_of_a_reduction(wrong):
    @tilewright.jit(debug=True)
    def kernel(A, P):
        A: T.Tensor((32, 8), "float32")
        P: T.Tensor((2,), "int32")
        B = T.empty((2, 4), "float32")
        with T.Kernel(2) as bx:
            s = T.alloc_shared((32, 8), "float32")
            r = T.alloc_fragment((4,), "float32")
            T.copy(A, s)
            first = P[bx]
            T.reduce_sum(s[first : first + 4, :], r, dim=1)  # here
            T.copy(r, B[bx, :])
        return B

    a = numbers(32, 8)
    right = np.stack([a[3:7].sum(1), a[28:32].sum(1)])
    return kernel, (a, np.array([3, 30 if wrong else 28], np.int32)), right


@program(RULE, memory="bins", index=(16,), iteration={"i": 31}, instruction="T.atomic")
def bin_of_a_histogram(wrong):
    @tilewright.jit(debug=True)
    def kernel(P):
        P: T.Tensor((32,), "int32")
        B = T.empty((16,), "int32")
        with T.Kernel(1):
            bins = T.alloc_shared((16,), "int32")
            T.clear(bins)
            for i in T.Parallel(32):
                T.atomic_add(bins[P[i]], 1)  # here
            T.copy(bins, B)
        return B

    p = np.arange(32, dtype=np.int32) // 2
    if wrong:
        p[31] = 16
    return kernel, (p,), np.full(16, 2, np.int32)


@program(RULE, memory="ids", index=(12,), iteration={"k": 1}, instruction="T.gather")
def indices_of_a_gather(wrong):
    @tilewright.jit(debug=True)
    def kernel(A, I, P):
        A: T.Tensor((32, 8), "float32")
        I: T.Tensor((16,), "int32")
        P: T.Tensor((2,), "int32")
        B = T.empty((16, 8), "float32")
        with T.Kernel(1):
            ids = T.alloc_shared((16,), "int32")
            s = T.alloc_shared((8, 8), "float32")
            T.copy(I, ids)
            for k in T.serial(2):
                first = P[k]
                T.gather(A, ids[first : first + 8], s)  # here
                T.copy(s, B[k * 8, 0])
        return B

    a = numbers(32, 8)
    ids = np.arange(31, -1, -2, dtype=np.int32)
    return kernel, (a, ids, np.array([0, 12 if wrong else 8], np.int32)), a[ids]


@program(RULE, memory="ids", index=(12,), iteration={"k": 1}, instruction="T.scatter")
def indices_of_a_scatter(wrong):
    @tilewright.jit(debug=True)
    def kernel(A, I, P):
        A: T.Tensor((16, 8), "float32")
        I: T.Tensor((16,), "int32")
        P: T.Tensor((2,), "int32")
        B = T.empty((16, 8), "float32")
        with T.Kernel(1):
            ids = T.alloc_shared((16,), "int32")
            s = T.alloc_shared((8, 8), "float32")
            T.copy(I, ids)
            for k in T.serial(2):
                first = P[k]
                T.copy(A[first, 0], s)
                T.scatter(s, ids[first : first + 8], B)  # here
        return B

    a = numbers(16, 8)
    ids = np.arange(15, -1, -1, dtype=np.int32)
    return kernel, (a, ids, np.array([0, 12 if wrong else 8], np.int32)), a[::-1]


@program(RULE, memory="v", index=(4,), iteration={"i": 3})
def private_array(wrong):
    @tilewright.jit(debug=True)
    def kernel(P):
        P: T.Tensor((8,), "int32")
        B = T.empty((8,), "int32")
        with T.Kernel(1):
            for i in T.serial(8):
                v = T.alloc_local((4,), "int32")
                T.clear(v)
                v[P[i]] = 7  # here
                B[i] = v[P[i]]
        return B

    p = np.arange(8, dtype=np.int32) % 4
    if wrong:
        p[3] = 4
    return kernel, (p,), np.full(8, 7, np.int32)


@program(RULE, memory="s", index=(32,), iteration={"k": 2})
def store_in_a_macro(wrong):
    @T.macro
    def put(tile, at, value):
        tile[at] = value  # here

    @tilewright.jit(debug=True)
    def kernel(P):
        P: T.Tensor((4,), "int32")
        B = T.empty((32,), "int32")
        with T.Kernel(1):
            s = T.alloc_shared((32,), "int32")
            T.clear(s)
            for k in T.serial(4):
                put(s, P[k], 1)  # caller
            T.copy(s, B)
        return B

    p = np.array([0, 5, 32 if wrong else 9, 31], np.int32)
    right = np.zeros(32, np.int32)
    right[[0, 5, 9, 31]] = 1
    return kernel, (p,), right
