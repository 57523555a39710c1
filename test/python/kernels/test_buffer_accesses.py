"""Guarded accesses on AMD's GPUs, by buffers: far into large tensors, and at their edges.

Of a tensor of gigabytes the emulator has a few rows, at the addresses where they would be.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright.emulator import Device
from tilewright.testing.gpu_code import device_code

TARGET = "hip-emulator:gfx942"

m, n = T.dynamic("m"), T.dynamic("n")
WIDTH = 4096  # of a row, which has 16 KiB
STEP = 81920  # rows, which have 1.25 GiB
LAST = 4 * STEP  # the first row behind 5 GiB
ROWS, COLUMNS = 16, 64  # of a tile, half of which is behind the last column
FAR = 43691  # rows, of which three times as many have more than 2^31 bytes


@T.prim_func
def of_block(A: T.Tensor((m, WIDTH), "float32"), C: T.Tensor((m, WIDTH), "float32")):
    with T.Kernel(T.ceildiv(m, STEP), threads=64) as by:
        if by == 4:
            for r, c in T.Parallel(ROWS, COLUMNS):
                C[by * STEP + r, WIDTH - 32 + c] = A[by * STEP + r, WIDTH - 32 + c]


@T.prim_func
def of_loop(A: T.Tensor((m, WIDTH), "float32"), C: T.Tensor((m, WIDTH), "float32")):
    with T.Kernel(1, threads=64):
        for step in T.serial(T.ceildiv(m, STEP)):
            if step == 4:
                for r, c in T.Parallel(ROWS, COLUMNS):
                    C[step * STEP + r, WIDTH - 32 + c] = A[step * STEP + r, WIDTH - 32 + c]


@T.prim_func
def of_threads(A: T.Tensor((m, WIDTH), "float32"), C: T.Tensor((m, WIDTH), "float32")):
    with T.Kernel(1, threads=64):
        for r, c in T.Parallel(ROWS, COLUMNS):
            if r == ROWS - 1:
                C[r * FAR, WIDTH - 32 + c] = A[r * FAR, WIDTH - 32 + c]


def launch(function: Any, arch: str, first: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """What is read and written of tensors with so many rows, from row `first` on."""
    kernel = tilewright.compile(function, target=f"hip:{arch}")
    [code] = device_code(Path(kernel.path).read_bytes())
    device = Device(arch)
    module = device.load(code)
    [name] = module.kernels
    values = np.arange((rows - first) * WIDTH, dtype=np.float32).reshape(-1, WIDTH)
    a, c = device.array(values), device.array(np.full_like(values, -1))
    # A tensor is its address and its open extent.
    args = [word for x in (a, c) for word in (np.uint64(x.address - first * 4 * WIDTH), rows)]
    grid = -(-rows // STEP) if function is of_block else 1
    module.launch(name, grid, 64, args=args)
    return values, c.numpy()


@pytest.mark.parametrize("arch", ["gfx90a", "gfx942", "gfx950"])
@pytest.mark.parametrize("there", [5, ROWS + 3])
@pytest.mark.parametrize("function", [of_block, of_loop])
def test_rows_behind_5_gigabytes(function: Any, there: int, arch: str) -> None:
    isa = tilewright.compile(function, target=f"hip:{arch}").asm()
    assert "buffer_load" in isa
    assert "buffer_store" in isa
    assert "global_load" not in isa
    assert "global_store" not in isa
    a, c = launch(function, arch, LAST, LAST + there)
    expected = np.full_like(a, -1)
    expected[:ROWS, WIDTH - 32 :] = a[:ROWS, WIDTH - 32 :]
    np.testing.assert_array_equal(c, expected)


def test_threads_too_far_apart() -> None:
    """Four rows are those of a step of all threads. What 32 bits do not reach keeps its guard,
    and a remark says so."""
    kernel = tilewright.compile(of_threads, target="hip:gfx942")
    assert "buffer_load" not in kernel.asm()
    assert "guards what it reads of A by itself" in "\n".join(kernel.remarks())
    first = (ROWS - 1) * FAR
    a, c = launch(of_threads, "gfx942", first, first + 1)
    np.testing.assert_array_equal(c[0, WIDTH - 32 :], a[0, WIDTH - 32 :])
    assert (c[0, : WIDTH - 32] == -1).all()


# ---- edges ---------------------------------------------------------------------------------


@T.prim_func
def shifted(
    A: T.Tensor((m, 24), "float32"),
    C: T.Tensor((m, 24), "float32"),
    up: T.int32,
    left: T.int32,
):
    with T.Kernel(T.ceildiv(m, 16), threads=64) as by:
        for r, c in T.Parallel(16, 32):
            C[by * 16 + r, c] = A[by * 16 + r - up, c - left]


@pytest.mark.parametrize(("up", "left"), [(1, 0), (0, 1), (3, 2), (-2, -3), (40, 0), (0, 99)])
def test_in_front_of_a_tensor(up: int, left: int) -> None:
    a = np.arange(1, 37 * 24 + 1, dtype=np.float32).reshape(37, 24)
    c = np.full_like(a, -1)
    tilewright.compile(shifted, target=TARGET)(a, c, up, left)
    expected = np.zeros_like(a)
    for row in range(37):
        for column in range(24):
            if 0 <= row - up < 37 and 0 <= column - left < 24:
                expected[row, column] = a[row - up, column - left]
    np.testing.assert_array_equal(c, expected)


@T.prim_func
def gathered(
    A: T.Tensor((50, 24), "float32"),
    At: T.Tensor((n,), "int32"),
    C: T.Tensor((n, 24), "float32"),
):
    with T.Kernel(T.ceildiv(n, 16), threads=64) as bx:
        for r, c in T.Parallel(16, 24):
            C[bx * 16 + r, c] = A[At[bx * 16 + r] + 1, c]


def test_rows_that_memory_names() -> None:
    """They may be anywhere: in front of the tensor, and further than 32 bits say."""
    at = np.array([0, 48, 49, -1, -2, 2**31 - 1, -(2**31), 44739242, 7, 89478485], np.int32)
    a = np.arange(1, 50 * 24 + 1, dtype=np.float32).reshape(50, 24)
    c = np.full((at.size, 24), -1, np.float32)
    tilewright.compile(gathered, target=TARGET)(a, at, c)
    # An index of the kernel is a 32-bit sum.
    rows = (at.astype(np.int64) + 1 + 2**31) % 2**32 - 2**31
    for index, row in enumerate(rows):
        np.testing.assert_array_equal(c[index], a[row] if 0 <= row < 50 else np.zeros(24))


@pytest.mark.parametrize("dtype", ["int8", "float16", "float32", "float64", "int64"])
@pytest.mark.parametrize("length", [1, 63, 64, 1000, 1001])
def test_ends_of_lines(dtype: str, length: int) -> None:
    @T.prim_func
    def double(A: T.Tensor((n,), dtype), C: T.Tensor((n,), dtype)):
        with T.Kernel(T.ceildiv(n, 256), threads=64) as bx:
            tile = T.alloc_shared((256,), dtype)
            T.copy(A[bx * 256], tile)
            for i in T.Parallel(256):
                C[bx * 256 + i] = tile[i] + tile[i]

    kernel = tilewright.compile(double, target=TARGET)
    assert "buffer_load" in kernel.asm()
    assert "buffer_store" in kernel.asm()
    a = (np.arange(length) % 50).astype(dtype)
    c = np.zeros_like(a)
    kernel(a, c)
    np.testing.assert_array_equal(c, a + a)


@pytest.mark.parametrize("rows", [1, 16, 17, 100])
def test_tiles_in_batches(rows: int) -> None:
    """A row behind the last one of a batch is one of the next."""

    @T.prim_func
    def double(A: T.Tensor((n, m, 40), "float16"), C: T.Tensor((n, m, 40), "float16")):
        with T.Kernel(T.ceildiv(m, 16), n, threads=64) as (bx, by):
            tile = T.alloc_shared((16, 64), "float16")
            T.copy(A[by, bx * 16, 0], tile)
            for r, c in T.Parallel(16, 64):
                C[by, bx * 16 + r, c] = tile[r, c] + tile[r, c]

    a = np.arange(3 * rows * 40).astype(np.float16).reshape(3, rows, 40)
    c = np.zeros_like(a)
    kernel = tilewright.compile(double, target=TARGET)
    assert "buffer_load_dwordx4" in kernel.asm()
    kernel(a, c)
    np.testing.assert_array_equal(c, a + a)
