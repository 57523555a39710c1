"""Iterations of T.Parallel, and blocks, that touch each other's elements.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np

import tilewright
import tilewright.language as T

from .programs import numbers, over, program

RULE = "race"


def permutation(wrong: bool, at: int, value: int, count: int = 32) -> np.ndarray:
    """Each position once, from the last to the first; with the fault one of them twice."""
    found = np.arange(count - 1, -1, -1, dtype=np.int32)
    if wrong:
        found[at] = value
    return found


@program(
    RULE, memory="s", index=(31,), iteration={"i": 9},
    other={"access": "write", "iteration": {"i": 0}, "line": "here"},
)  # fmt: skip
def two_iterations_write_a_shared_element(wrong):
    @T.macro
    def body(A, P, B):
        s = T.alloc_shared((32,), "float32")
        T.clear(s)
        for i in T.Parallel(32):
            s[P[i]] = A[i]  # here
        T.copy(s, B)

    a = numbers(32)
    return over(body, (a, permutation(wrong, 9, 31)), a[::-1])


@program(
    RULE, memory="B", index=(2, 7), iteration={"i": 3, "j": 0},
    other={"access": "write", "iteration": {"i": 2, "j": 0}, "line": "here"},
)  # fmt: skip
def two_iterations_write_a_tensor(wrong):
    @tilewright.jit(debug=True)
    def kernel(A, R, B):
        A: T.Tensor((4, 8), "float32")
        R: T.Tensor((4,), "int32")
        B: T.Tensor((4, 8), "float32")
        with T.Kernel(1):
            for i, j in T.Parallel(4, 8):
                B[R[i], 7 - j] = A[i, j]  # here

    a = numbers(4, 8)
    b = np.zeros_like(a)
    rows = np.array([0, 1, 2, 2 if wrong else 3], np.int32)
    return kernel, (a, rows, b), (b, a[:, ::-1])


@program(
    RULE, memory="s", index=(4,), iteration={"i": 5},
    other={"access": "write", "iteration": {"i": 4}, "line": "here"},
)  # fmt: skip
def one_iteration_reads_what_another_wrote(wrong):
    @T.macro
    def body(A, P, B):
        s = T.alloc_shared((32,), "float32")
        T.copy(A, s)
        for i in T.Parallel(32):
            s[i] = s[P[i]] * 2.0  # here
        T.copy(s, B)

    p = np.arange(32, dtype=np.int32)
    if wrong:
        p[5] = 4
    a = numbers(32)
    return over(body, (a, p), a * 2)


@program(
    RULE, memory="s", index=(6,), iteration={"i": 6},
    other={"access": "read", "iteration": {"i": 5}, "line": "here"},
)  # fmt: skip
def one_iteration_writes_what_another_read(wrong):
    @T.macro
    def body(A, P, B):
        s = T.alloc_shared((32,), "float32")
        T.copy(A, s)
        for i in T.Parallel(32):
            s[i] = s[P[i]] * 2.0  # here
        T.copy(s, B)

    p = np.arange(32, dtype=np.int32)
    if wrong:
        p[5] = 6
    a = numbers(32)
    return over(body, (a, p), a * 2)


@program(
    RULE, memory="A", index=(3,), iteration={"i": 3},
    other={"access": "read", "iteration": {"i": 0}, "line": "here"},
)  # fmt: skip
def tensor_read_before_another_iteration_writes_it(wrong):
    @tilewright.jit(debug=True)
    def kernel(A, P):
        A: T.Tensor((16,), "float32")
        P: T.Tensor((16,), "int32")
        with T.Kernel(1):
            for i in T.Parallel(16):
                A[i] = A[P[i]] + 1.0  # here

    a = numbers(16)
    p = np.arange(16, dtype=np.int32)
    if wrong:
        p[0] = 3
    return kernel, (a, p), (a, a + 1)


@program(
    RULE, memory="n", index=(0,), iteration={"i": 1},
    other={"access": "update", "iteration": {"i": 0}, "line": "there"},
)  # fmt: skip
def count_read_while_others_count(wrong):
    slots = 1 if wrong else 2

    @T.macro
    def body(A, B):
        n = T.alloc_shared((2,), "int32")
        T.clear(n)
        for i in T.Parallel(8):
            if A[i] > 0:
                T.atomic_add(n[slots - 1], 1)  # there
            B[i] = n[0]  # here

    return over(body, (np.array([1, 0] * 4, np.int32),), np.zeros(8, np.int32))


@program(
    RULE, memory="f", index=(0,), iteration={"i": 1, "j": 0},
    other={"access": "write", "iteration": {"i": 0, "j": 7}, "line": "here"},
)  # fmt: skip
def row_index_left_out(wrong):
    stride = 0 if wrong else 1

    @T.macro
    def body(A, P, B):
        f = T.alloc_fragment((4,), "float32")
        T.clear(f)
        for i, j in T.Parallel(4, 8):
            if j == (7 if stride or i == 0 else 0):
                f[P[i] * stride] = A[i, j]  # here
        T.copy(f, B)

    a = numbers(4, 8)
    return over(body, (a, np.arange(4, dtype=np.int32)), a[:, 7])


@program(
    RULE, memory="B", index=(0,), block=(1, 0, 0),
    other={"access": "write", "block": (0, 0, 0), "line": "here"},
)  # fmt: skip
def two_blocks_write_one_element(wrong):
    @T.macro
    def body(A, P, B, bx):
        s = T.alloc_fragment((8,), "float32")
        total = T.alloc_fragment((1,), "float32")
        T.copy(A[bx, :], s)
        T.reduce_sum(s, total)
        B[P[bx]] = total[0]  # here

    a = numbers(4, 8)
    p = np.array([0, 0 if wrong else 1, 2, 3], np.int32)
    return over(body, (a, p), a.sum(1), blocks=4)


@program(
    RULE, memory="B", index=(8, 0), block=(0, 1, 0), instruction="T.copy",
    other={"access": "write", "block": (0, 0, 0), "line": "here"},
)  # fmt: skip
def rows_of_two_blocks_overlap(wrong):
    step = 8 if wrong else 16

    @tilewright.jit(debug=True)
    def kernel(A):
        A: T.Tensor((32, 32), "float32")
        B = T.empty((32, 32), "float32")
        with T.Kernel(2, 2) as (bx, by):
            s = T.alloc_shared((16, 16), "float32")
            T.copy(A[by * step, bx * 16], s)
            T.copy(s, B[by * step, bx * 16])  # here
        return B

    a = numbers(32, 32)
    return kernel, (a,), a


@program(
    RULE, memory="A", index=(16,), block=(1, 0, 0), instruction="T.copy",
    other={"access": "read", "block": (0, 0, 0), "line": "there"},
)  # fmt: skip
def neighbours_of_a_block_in_place(wrong):
    halo = 1 if wrong else 0

    @tilewright.jit(debug=True)
    def kernel(A):
        A: T.Tensor((64,), "float32")
        with T.Kernel(4) as bx:
            s = T.alloc_shared((17,), "float32")
            T.clear(s)
            for i in T.Parallel(16 + halo):
                s[i] = A[bx * 16 + i]  # there
            T.copy(s[0:16], A[bx * 16 : bx * 16 + 16])  # here

    a = numbers(64)
    return kernel, (a,), (a, a.copy())


@program(
    RULE, memory="A", index=(15,), block=(1, 0, 0), iteration={"i": 0},
    other={"access": "write", "block": (0, 0, 0), "line": "there"},
)  # fmt: skip
def what_an_earlier_block_wrote(wrong):
    back = 1 if wrong else 0

    @tilewright.jit(debug=True)
    def kernel(A):
        A: T.Tensor((64,), "float32")
        with T.Kernel(4) as bx:
            s = T.alloc_shared((16,), "float32")
            for i in T.Parallel(16):
                s[i] = A[bx * 16 + i - back]  # here
            T.copy(s, A[bx * 16])  # there

    a = numbers(64)
    return kernel, (a,), (a, a.copy())


@program(
    RULE, memory="n", index=(0,), block=(1, 0, 0),
    other={"access": "update", "block": (0, 0, 0), "line": "there"},
)  # fmt: skip
def plain_store_beside_atomics(wrong):
    @tilewright.jit(debug=True)
    def kernel(A, n):
        A: T.Tensor((4,), "int32")
        n: T.Tensor((1,), "int32")
        with T.Kernel(4) as bx:
            if A[bx] > 0:
                T.atomic_add(n[0], A[bx])  # there
            else:
                n[0] = 0  # here

    n = np.zeros(1, np.int32)
    return kernel, (np.array([1, 0 if wrong else 2, 3, 4], np.int32), n), (n, np.array([10]))


@program(
    RULE, memory="w", index=(0,), block=(1, 0, 0),
    other={"access": "write", "block": (0, 0, 0), "line": "here"},
)  # fmt: skip
def partial_sums_in_one_place(wrong):
    step = 0 if wrong else 1

    @tilewright.jit(debug=True)
    def kernel(A):
        A: T.Tensor((4,), "float32")
        B = T.empty((1,), "float32")
        w = T.alloc_global((4,), "float32")
        with T.Kernel(4) as bx:
            w[bx * step] = A[bx] * 2.0  # here
        with T.Kernel(1):
            total = T.alloc_var("float32", init=0.0)
            for i in T.serial(4):
                total += w[i]
            B[0] = total
        return B

    a = numbers(4)
    return kernel, (a,), a.sum(keepdims=True) * 2


@program(
    RULE, memory="B", index=(3, 0), block=(1, 0, 0), instruction="T.scatter",
    other={"access": "write", "block": (0, 0, 0), "line": "here"},
)  # fmt: skip
def blocks_scatter_to_one_row(wrong):
    @T.macro
    def body(A, I, B, bx):
        ids = T.alloc_shared((8,), "int32")
        s = T.alloc_shared((8, 4), "float32")
        T.copy(I[bx * 8], ids)
        T.copy(A[bx * 8, 0], s)
        T.scatter(s, ids, B)  # here

    a = numbers(16, 4)
    ids = np.arange(16, dtype=np.int32)
    if wrong:
        ids[12] = 3
    return over(body, (a, ids), a, blocks=2)
