"""`break`, `continue`, loops that count down, and names around loops.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
import pytest

import tilewright
import tilewright.language as T

pytestmark = pytest.mark.every_device

N = 50


def values(*marks: tuple[int, int]) -> np.ndarray:
    """Numbers below 100 without order, with some of them set."""
    a = np.random.default_rng(7).integers(0, 85, N).astype(np.int32)
    for at, value in marks:
        a[at] = value
    return a


def run(device: str, kernel: object, a: np.ndarray, shape: tuple = (N,)) -> np.ndarray:
    out = np.zeros(shape, np.int32)
    tilewright.compile(kernel, target=device)(a, out)
    return out


def test_leaving_loops(device):
    @T.prim_func
    def kernel(A: T.Tensor((N,), "int32"), O: T.Tensor((N,), "int32")):
        with T.Kernel(1):
            for i in T.serial(N):
                if A[i] < 20:
                    continue
                if A[i] > 90:
                    O[i] = -1
                    break
                x = A[i] * 2
                if x % 3 == 0:
                    if x % 4 == 0:
                        continue
                    O[i] = 1
                O[i] += x

    a = values((40, 95))
    expected = np.zeros(N, np.int32)
    for i in range(N):
        if a[i] < 20 or (a[i] * 2 % 12 == 0 and a[i] <= 90):
            continue
        if a[i] > 90:
            expected[i] = -1
            break
        expected[i] = a[i] * 2 + (a[i] % 3 == 0)
    assert np.array_equal(run(device, kernel, a), expected)


def test_leaving_while_loops(device):
    @T.prim_func
    def kernel(A: T.Tensor((N,), "int32"), O: T.Tensor((2,), "int32")):
        with T.Kernel(1):
            i = T.alloc_var("int32", init=0)
            while i < N:
                if A[i] > 90:
                    T.loop_break()
                i += 1
            O[0] = i
            i = -1
            while True:
                i += 1
                if i % 2 == 0:
                    continue
                if A[i] == 90:
                    break
                O[1] += A[i]

    a = values((33, 91), (36, 90), (41, 90))
    assert np.array_equal(run(device, kernel, a, (2,)), [33, a[1:41:2].sum()])


def test_break_leaves_all_of_a_grid_and_one_of_two_loops(device):
    @T.prim_func
    def kernel(A: T.Tensor((N,), "int32"), O: T.Tensor((2, N), "int32")):
        with T.Kernel(1):
            for i, j in T.grid(5, 10):
                if A[i * 10 + j] > 90:
                    break
                O[0, i * 10 + j] = 1
            for i in T.serial(5):
                for j in T.serial(10):
                    if j > i:
                        break
                    O[1, i * 10 + j] = 1
                if i == 3:
                    break

    out = run(device, kernel, values((23, 91)), (2, N))
    assert np.array_equal(out[0], np.arange(N) < 23)
    assert np.array_equal(out[1].reshape(5, 10), np.tri(5, 10) * (np.arange(5) < 4)[:, None])


def test_break_ends_a_loop_at_once(device):
    """Loops of 2**50 and more iterations, left after a few."""
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((n,), "int32"), O: T.Tensor((6,), "int32"), far: T.int64):
        with T.Kernel(1):
            x = T.alloc_shared((1,), "int32")
            for i in T.serial(far):
                if A[i] > 90:
                    O[0] = i
                    break
            for i in range(far, 0, -1):
                if i < far - 5:
                    break
                O[1] += 1
            for i in T.Pipelined(far, num_stages=3):
                T.copy(A[i], x)
                if x[0] > 90:
                    break
                O[2] += x[0]
            for _i, j in T.grid(far, far):
                O[3] += 1
                if j == 2:
                    continue
                if j == 6:
                    break
            for i in T.Parallel(2):
                for j in T.serial(far):
                    if A[j] > 60 + 30 * i:
                        O[4 + i] = j
                        break

    a = values((23, 91), (7, 65))
    out = np.zeros(6, np.int32)
    tilewright.compile(kernel, target=device)(a, out, 2**50)
    first = np.flatnonzero(a > 60)[0]
    assert list(out) == [23, 6, a[:23].sum(), 7, first, 23]


def test_continue_in_parallel_and_pipelined_loops(device):
    @T.prim_func
    def kernel(A: T.Tensor((N,), "int32"), O: T.Tensor((2, N), "int32")):
        with T.Kernel(1):
            x = T.alloc_shared((10,), "int32")
            for i in T.Parallel(N):
                if A[i] < 30:
                    continue
                O[0, i] = A[i]
            for k in T.Pipelined(5, num_stages=2):
                if A[k] < 30:
                    continue
                T.copy(A[k * 10], x)
                T.copy(x, O[1, k * 10])

    a = values((0, 10), (1, 50), (3, 5))
    out = run(device, kernel, a, (2, N))
    assert np.array_equal(out[0], np.where(a < 30, 0, a))
    assert np.array_equal(out[1], np.where(np.repeat(a[:5], 10) < 30, 0, a))


def test_loops_that_count_down(device):
    @T.prim_func
    def kernel(A: T.Tensor((N,), "int32"), O: T.Tensor((3, N), "int32"), n: T.int32):
        with T.Kernel(1):
            tile = T.alloc_shared((N,), "int32")
            T.copy(A, tile)
            total = T.alloc_var("int32", init=0)
            for i in range(N - 1, -1, -1):
                total += tile[i]
                O[0, i] = total
            total = 0
            for i in T.serial(n, 1, -3):
                total += 2
                O[1, i] = total
            for i in T.unroll(7, 0, -2):
                O[2, i] = 1
            for i in range(2, 5, -1):
                O[2, i] = 9
            for i in T.serial(n, n + 3, -1):
                O[2, i] = 9

    a, out = values(), np.zeros((3, N), np.int32)
    tilewright.compile(kernel, target=device)(a, out, 17)
    assert np.array_equal(out[0], np.cumsum(a[::-1])[::-1])
    expected = np.zeros((2, N), np.int32)
    for count, i in enumerate(range(17, 1, -3)):
        expected[0, i] = 2 * count + 2
    expected[1, 7:0:-2] = 1
    assert np.array_equal(out[1:], expected)


def test_a_step_known_at_run_time_goes_either_way(device):
    @T.prim_func
    def kernel(O: T.Tensor((3, N), "int32"), start: T.int32, stop: T.int32, step: T.int32):
        with T.Kernel(1):
            count = T.alloc_var("int32", init=0)
            for i in T.serial(start, stop, step):
                count += 1
                O[0, i] = count
            for i in range(start, stop, step):
                if i == 30:
                    break
                O[1, i] = 1

    compiled = tilewright.compile(kernel, target=device)
    for bounds in ((3, 40, 4), (40, 3, -4), (40, 2, -1), (3, 40, -4), (40, 3, 7), (5, 5, 1),
                   (5, 9, 0), (-8, 50, 13), (49, -100, -49)):  # fmt: skip
        out = np.zeros((3, N), np.int32)
        compiled(out, *bounds)
        expected = np.zeros((3, N), np.int32)
        taken = list(range(*bounds)) if bounds[2] else []
        for count, i in enumerate(taken):
            if 0 <= i < N:
                expected[0, i] = count + 1
        for i in taken[: taken.index(30) if 30 in taken else None]:
            if 0 <= i < N:
                expected[1, i] = 1
        assert np.array_equal(out, expected), bounds


def test_a_variable_of_an_unrolled_loop_may_be_used_again(device):
    @T.prim_func
    def kernel(A: T.Tensor((N,), "int32"), O: T.Tensor((N,), "int32")):
        with T.Kernel(1):
            for i in T.unroll(4):
                O[i] = A[i]
            for block in T.serial(2):
                for i, step in ((0, 1), (1, 2)):
                    O[4 + block * 2 + i] = A[i] * step

    a = values()
    expected = np.concatenate([a[:4], [a[0], 2 * a[1]] * 2])
    assert np.array_equal(run(device, kernel, a)[:8], expected)


def test_a_compile_time_value_assigned_in_a_kernel_is_seen_by_the_next(device):
    @T.prim_func
    def kernel(A: T.Tensor((N,), "int32"), O: T.Tensor((N,), "int32")):
        x = 1
        with T.Kernel(1):
            x = x + 1
            O[0] = x
        with T.Kernel(1):
            O[1] = x

    assert np.array_equal(run(device, kernel, values())[:2], [2, 2])
