"""What `T.grid_sync` does: its row of docs/semantics.md.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright import CompileError

pytestmark = pytest.mark.every_device


def launch(device: str, kernel: object, *arguments: object) -> None:
    tilewright.compile(kernel, target=device)(*arguments)


def test_blocks_see_what_others_wrote_before_a_grid_sync(device):
    """Each block reads what the last one in the order of blocks wrote, twice."""
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((n,), "float32"), B: T.Tensor((n,), "float32")):
        W = T.alloc_global((n,), "float32")
        with T.Kernel(n) as bx:
            mirror = n - 1 - bx
            W[bx] = A[bx] + 1
            T.grid_sync()
            B[bx] = W[mirror] * 2
            T.sync_grid()
            W[bx] = B[mirror]
        with T.Kernel(n) as bx:
            B[bx] = W[bx]

    for size in (1, 300, 0):
        a = np.random.default_rng(1).standard_normal(size).astype(np.float32)
        b = np.full(size, np.nan, np.float32)
        launch(device, kernel, a, b)
        assert np.array_equal(b, (a + 1) * 2)


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_a_loop_over_grid_sync(device, steps):
    """Jacobi's iteration: every step reads its neighbours' values of the step before."""
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((2, n), "float32"), steps: T.int32):
        with T.Kernel(T.ceildiv(n, 8)) as bx:
            tile = T.alloc_shared((10,), "float32")
            start = bx * 8
            for step in T.serial(steps):
                source = step % 2
                T.copy(A[source, start - 1], tile)
                for i in T.Parallel(8):
                    A[1 - source, start + i] = (tile[i] + tile[i + 2]) / 2
                T.grid_sync()

    a = np.zeros((2, 37), np.float32)
    a[0] = np.random.default_rng(2).integers(-1000, 1000, 37)
    expected = a[0].copy()
    launch(device, kernel, a, steps)
    for _ in range(steps):
        padded = np.pad(expected, 1)
        expected = (padded[:-2] + padded[2:]) / 2
    assert np.array_equal(a[steps % 2], expected)


def test_nested_loops_and_tiles_of_each_part(device):
    """Tiles that each part fills first, one of them in a loop of its own."""

    @T.prim_func
    def kernel(A: T.Tensor((4, 32), "float32"), Sum: T.Tensor((4, 32), "float32")):
        with T.Kernel(4) as bx:
            tile = T.alloc_shared((32,), "float32")
            total = T.alloc_fragment((32,), "float32")
            count = T.alloc_var("int32")
            for _outer in T.serial(2):
                for shift in T.Pipelined(2, num_stages=2):
                    T.copy(A[(bx + shift + 1) % 4, 0], tile)
                    T.copy(tile, Sum[bx, 0])
                    T.grid_sync()
                    T.clear(total)
                    count = 0
                    for row in T.serial(4):
                        T.copy(Sum[row, 0], tile)
                        count += 1
                        for i in T.Parallel(32):
                            total[i] += tile[i]
                    T.device_assert(count == 4)
                    T.grid_sync()
                    for i in T.Parallel(32):
                        A[bx, i] = A[bx, i] + 1

    a = np.random.default_rng(3).integers(0, 50, (4, 32)).astype(np.float32)
    first = a.copy()
    sums = np.full((4, 32), np.nan, np.float32)
    launch(device, kernel, a, sums)
    assert np.array_equal(a, first + 4)
    # The last step copied rows two further on, to which three had been added.
    assert np.array_equal(sums, np.roll(first, -2, 0) + 3)


def error_of(kernel: object) -> CompileError:
    with pytest.raises(CompileError) as caught:
        tilewright.compile(kernel)
    return caught.value


def test_what_lives_across_a_grid_sync_is_refused_with_both_places():
    @T.prim_func
    def kernel(A: T.Tensor((64,), "float32")):
        with T.Kernel(1):
            kept = T.alloc_shared((64,), "float32")  # made
            T.copy(A, kept)
            T.grid_sync()  # synchronised
            T.copy(kept, A)  # used

    error = error_of(kernel)
    assert error.message.startswith("kept lives across T.grid_sync")
    assert "T.alloc_global" in error.message
    assert error.place.source().endswith("# used")
    with open(__file__) as file:
        lines = [line.rstrip() for line in file]
    for note, mark in zip(error.notes, ("# synchronised", "# made"), strict=True):
        number = next(i for i, line in enumerate(lines, 1) if line.endswith(mark))
        assert f"{__file__}:{number}:" in note


def test_a_value_read_before_a_grid_sync_is_refused():
    @T.prim_func
    def kernel(A: T.Tensor((64,), "float32")):
        with T.Kernel(64) as bx:
            x = A[bx]
            T.grid_sync()
            A[63 - bx] = x

    assert "a value that is read from memory lives across" in error_of(kernel).message


def test_bounds_that_differ_between_blocks_are_refused():
    @T.prim_func
    def kernel(A: T.Tensor((64,), "float32")):
        with T.Kernel(64) as bx:
            for i in T.serial(bx):
                A[i] = 1
                T.grid_sync()

    assert "bounds are not the same for all blocks" in error_of(kernel).message
