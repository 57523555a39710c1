"""What loops compute: each row of docs/semantics.md about loops and branches.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
import pytest

import tilewright
import tilewright.language as T

pytestmark = pytest.mark.every_device


def run(device: str, kernel: object, *arguments: object) -> None:
    tilewright.compile(kernel, target=device)(*arguments)


@pytest.mark.parametrize("stages", [1, 2, 3])
def test_a_pipelined_loop_is_a_serial_loop(device, stages):
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((n, 8), "float32"), B: T.Tensor((8,), "float32")):
        with T.Kernel(1):
            step_tile = T.alloc_shared((1, 8), "float32")
            acc = T.alloc_fragment((8,), "float32")
            T.clear(acc)
            for step in T.Pipelined(n, num_stages=stages):
                T.copy(A[step, 0], step_tile)
                for i in T.Parallel(8):
                    acc[i] = acc[i] * 0.5 + step_tile[0, i]
                T.clear(step_tile)
            T.copy(acc, B)

    compiled = tilewright.compile(kernel, target=device)
    for count in (0, 1, 2, 3, 7):
        a = np.random.default_rng(count).integers(0, 64, (count, 8)).astype(np.float32)
        expected = np.zeros(8, np.float32)
        for row in a:
            expected = expected * np.float32(0.5) + row
        b = np.full(8, np.nan, np.float32)
        compiled(a, b)
        assert np.array_equal(b, expected)


@pytest.mark.parametrize("stages", [2, 3])
def test_a_pipelined_loop_runs_again(device, stages):
    """The stages that it left are filled anew when all have read them."""
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((3, n, 16, 64), "float32"), B: T.Tensor((3, 16, 64), "float32")):
        with T.Kernel(1, threads=128):
            tile = T.alloc_shared((16, 64), "float32")
            acc = T.alloc_fragment((16, 64), "float32")
            for row in T.serial(3):
                T.clear(acc)
                for step in T.Pipelined(n, num_stages=stages):
                    T.copy(A[row, step, 0, 0], tile)
                    for i, j in T.Parallel(16, 64):
                        acc[i, j] = acc[i, j] * 0.5 + tile[15 - i, 63 - j]
                T.copy(acc, B[row, 0, 0])

    compiled = tilewright.compile(kernel, target=device)
    for count in (1, 2, 3, 5):
        a = np.random.default_rng(count).integers(0, 64, (3, count, 16, 64)).astype(np.float32)
        expected = np.zeros((3, 16, 64), np.float32)
        for step in range(count):
            expected = expected * np.float32(0.5) + a[:, step, ::-1, ::-1]
        b = np.full((3, 16, 64), np.nan, np.float32)
        compiled(a, b)
        assert np.array_equal(b, expected)


@pytest.mark.parametrize("stages", [2, 3])
def test_an_iteration_changes_its_tile(device, stages):
    @T.prim_func
    def kernel(A: T.Tensor((5, 16, 64), "float32"), B: T.Tensor((16, 64), "float32")):
        with T.Kernel(1, threads=128):
            tile = T.alloc_shared((16, 64), "float32")
            acc = T.alloc_fragment((16, 64), "float32")
            T.clear(acc)
            for step in T.Pipelined(5, num_stages=stages):
                T.copy(A[step, 0, 0], tile)
                if step > 2:
                    for i, j in T.Parallel(7, 64):
                        tile[i * 2, j] = 1
                for i, j in T.Parallel(16, 64):
                    acc[i, j] = acc[i, j] * 0.5 + tile[15 - i, 63 - j]
            T.copy(acc, B)

    a = np.random.default_rng(7).integers(0, 64, (5, 16, 64)).astype(np.float32)
    b = np.full((16, 64), np.nan, np.float32)
    run(device, kernel, a, b)
    changed = a.copy()
    changed[3:, :14:2] = 1
    expected = np.zeros((16, 64), np.float32)
    for item in changed:
        expected = expected * np.float32(0.5) + item[::-1, ::-1]
    assert np.array_equal(b, expected)


def test_parallel_extents_known_at_run_time(device):
    m, n = T.dynamic("m"), T.dynamic("n")

    @T.prim_func
    def kernel(
        A: T.Tensor((m, n), "float32"), B: T.Tensor((n, m), "float32"),
        C: T.Tensor((n, 3), "int32"), most: T.int32,
    ):  # fmt: skip
        with T.Kernel(1):
            for i, j in T.Parallel(m, n):
                B[j, i] = A[i, j] * 2 + i
            for i, j in T.Parallel(T.min(n, most), 3):
                C[i, j] = i * 3 + j

    compiled = tilewright.compile(kernel, target=device)
    for shape in ((0, 5), (1, 1), (3, 63), (2, 64), (2, 65), (1, 200)):
        a = np.random.default_rng(shape[1]).standard_normal(shape).astype(np.float32)
        b, c = np.full(shape[::-1], np.nan, np.float32), np.full((shape[1], 3), -1, np.int32)
        compiled(a, b, c, 70)
        assert np.array_equal(b, (a * 2 + np.arange(shape[0], dtype=np.float32)[:, None]).T)
        inside = min(shape[1], 70) * 3
        assert np.array_equal(c.ravel()[:inside], np.arange(inside))
        assert (c.ravel()[inside:] == -1).all()


@pytest.mark.parametrize("num_stages", [0, 3])
def test_persistent_blocks_share_a_domain(device, num_stages):
    n = T.dynamic("n")

    @T.prim_func
    def kernel(
        O: T.Tensor((3, n, 5), "int32"), By: T.Tensor((3, n, 5), "int32"), blocks: T.int32
    ):
        with T.Kernel(blocks) as block:
            for i, j, k in T.Persistent([3, n, 5], blocks, block, num_stages=num_stages):
                T.atomic_add(O[i, j, k], 1)
                By[i, j, k] = block

    compiled = tilewright.compile(kernel, target=device)
    for size, blocks in ((7, 4), (7, 1), (0, 3), (1, 40)):
        visits, by = np.zeros((2, 3, size, 5), np.int32)
        compiled(visits, by, blocks)
        assert (visits == 1).all()
        share = np.bincount(by.ravel(), minlength=blocks)
        assert share.max() - share.min() <= 1


def test_loops_and_branches(device):
    @T.prim_func
    def kernel(A: T.Tensor((6, 4), "int32"), n: T.int32):
        with T.Kernel(6) as bx:
            steps = T.alloc_var("int32", 0)
            x = T.alloc_var("int32")
            x = bx + 1
            while x != 1 and steps < 100:
                x = x // 2 if x % 2 == 0 else 3 * x + 1
                steps += 1
            A[bx, 0] = steps
            total = T.alloc_var("int32", 0)
            for i in T.serial(n, 20, 3):
                if i % 2 == 0:
                    total += i
                elif i > bx:
                    total -= 1
                else:
                    total = total * 2
            A[bx, 1] = total
            for x in (5, 7):
                A[bx, 2] += x
            for i, j in T.grid(2, 3):
                A[bx, 3] += i * 10 + j

    a = np.zeros((6, 4), np.int32)
    run(device, kernel, a, 2)
    collatz = [0, 1, 7, 2, 5, 8]
    for bx in range(6):
        total = 0
        for i in range(2, 20, 3):
            total = total + i if i % 2 == 0 else total - 1 if i > bx else total * 2
        assert list(a[bx]) == [collatz[bx], total, 12, 36]


def test_a_side_that_is_not_chosen_is_not_read(device):
    @T.prim_func
    def kernel(Ids: T.Tensor((8,), "int32"), Out: T.Tensor((8,), "float32")):
        with T.Kernel(1):
            table = T.alloc_shared((4,), "float32")
            for i in T.Parallel(4):
                table[i] = i + 1
            for i in T.serial(8):
                at = Ids[i]
                Out[i] = table[at] if 0 <= at < 4 else -1

    ids = np.array([0, 3, -1, 2**31 - 1, -(2**31), 2, 4, 1], np.int32)
    out = np.zeros(8, np.float32)
    run(device, kernel, ids, out)
    assert list(out) == [1, 4, -1, -1, -1, 3, -1, 2]
