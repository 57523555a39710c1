"""What views do: the rows of docs/semantics.md about `T.view` and `T.reshape`.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright.testing.bounds import gamma

pytestmark = pytest.mark.every_device


def launch(device: str, kernel: object, *arguments: object) -> None:
    tilewright.compile(kernel, target=device)(*arguments)


@pytest.mark.parametrize("alloc", [T.alloc_shared, T.alloc_fragment, T.alloc_local])
def test_a_view_is_the_same_memory(device, alloc):
    """What is written through a tile is read through its view, and the other way round."""

    @T.prim_func
    def kernel(A: T.Tensor((6, 10), "float32"), B: T.Tensor((4, 15), "float32")):
        with T.Kernel(1):
            tile = alloc((6, 10), "float32")
            other = T.reshape(tile, (4, 15))
            for i, j in T.Parallel(6, 10):
                tile[i, j] = A[i, j]
            for i, j in T.Parallel(4, 15):
                other[i, j] = other[i, j] * 2 + i
            for i, j in T.Parallel(6, 10):
                tile[i, j] += 100 * j
            for i, j in T.Parallel(4, 15):
                B[i, j] = other[i, j]

    rng = np.random.default_rng(1)
    a = rng.integers(-50, 50, (6, 10)).astype(np.float32)
    b = np.full((4, 15), np.nan, np.float32)
    launch(device, kernel, a, b)
    expected = (a.reshape(4, 15) * 2 + np.arange(4)[:, None]).reshape(6, 10)
    expected = (expected + 100 * np.arange(10)).reshape(4, 15)
    assert np.array_equal(b, expected)


def test_a_view_sees_bits_as_another_type(device):
    """Wider and narrower types, in two steps, the last dimension scaled where none is given."""

    @T.prim_func
    def kernel(
        A: T.Tensor((3, 8), "float32"),
        Halves: T.Tensor((3, 16), "uint16"),
        Bytes: T.Tensor((96,), "uint8"),
        Doubles: T.Tensor((3, 4), "float64"),
    ):
        with T.Kernel(1):
            tile = T.alloc_shared((3, 8), "float32")
            halves = T.view(tile, dtype="uint16")
            bytes_ = T.view(halves, (96,), "uint8")
            doubles = T.view(bytes_, (3, 4), "float64")
            T.copy(A, tile)
            bytes_[5] = 7
            T.copy(halves, Halves)
            T.copy(bytes_, Bytes)
            T.copy(doubles, Doubles)

    a = np.random.default_rng(2).standard_normal((3, 8)).astype(np.float32)
    halves, bytes_ = np.zeros((3, 16), np.uint16), np.zeros(96, np.uint8)
    doubles = np.zeros((3, 4), np.float64)
    launch(device, kernel, a, halves, bytes_, doubles)
    a.view(np.uint8)[0, 5] = 7
    assert np.array_equal(halves, a.view(np.uint16))
    assert np.array_equal(bytes_, a.view(np.uint8).ravel())
    assert np.array_equal(doubles.view(np.uint8), a.view(np.float64).view(np.uint8))


def test_views_of_tensors(device):
    """Of a parameter, read and written, and of a workspace; sizes known at launch."""
    m, n = T.dynamic("m"), T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((m, n, 4), "float32"), B: T.Tensor((n, m * 2), "float32")):
        W = T.alloc_global((m * n, 4), "float32")
        flat = T.reshape(A, (m * n * 4,))
        with T.Kernel(T.ceildiv(m * n * 4, 16)) as bx:
            whole = T.reshape(W, (m * n * 4,))
            tile = T.alloc_shared((16,), "float32")
            T.copy(flat[bx * 16], tile)
            T.copy(tile, whole[bx * 16])
        with T.Kernel(n) as row:
            pairs = T.view(B, (n, m * 4), "bfloat16")
            for j in T.serial(m * 4):
                at = row * m * 4 + j
                pairs[row, j] = W[at // 4, at % 4]

    rng = np.random.default_rng(3)
    for shape in ((5, 3), (1, 7), (0, 2)):
        a = rng.standard_normal((*shape, 4)).astype(np.float32)
        b = np.full((shape[1], shape[0] * 2), np.nan, np.float32)
        launch(device, kernel, a, b)
        expected = a.astype(ml_dtypes.bfloat16).reshape(shape[1], shape[0] * 4)
        assert np.array_equal(b.view(np.uint16), expected.view(np.uint16))


def test_views_as_operands(device):
    """Of gemm, reductions and copies, in a loop that fills the tile anew each time."""

    @T.prim_func
    def kernel(
        A: T.Tensor((3, 24 * 16), "float32"),
        B: T.Tensor((16, 20), "float32"),
        C: T.Tensor((3, 4, 120), "float32"),
        Sums: T.Tensor((3, 12), "float32"),
    ):
        with T.Kernel(1):
            line = T.alloc_shared((24 * 16,), "float32")
            a = T.reshape(line, (24, 16))
            b = T.alloc_shared((16, 20), "float32")
            c = T.alloc_fragment((24, 20), "float32")
            sums = T.alloc_fragment((12,), "float32")
            T.copy(B, b)
            for step in T.Pipelined(3, num_stages=2):
                T.copy(A[step, 0], line)
                T.gemm(a, b, c, clear_accum=True)
                T.copy(T.reshape(c, (4, 120)), C[step, :, :])
                T.reduce_sum(T.reshape(c, (12, 40)), sums, dim=1)
                T.copy(sums, Sums[step, :])

    rng = np.random.default_rng(4)
    a = rng.standard_normal((3, 384)).astype(np.float32)
    b = rng.standard_normal((16, 20)).astype(np.float32)
    c, sums = np.full((3, 4, 120), np.nan, np.float32), np.full((3, 12), np.nan, np.float32)
    launch(device, kernel, a, b, c, sums)
    x, y = a.reshape(3, 24, 16).astype(np.float64), b.astype(np.float64)
    exact, size = x @ y, np.abs(x) @ np.abs(y)
    assert (np.abs(c.reshape(3, 24, 20) - exact) <= gamma(17) * size).all()
    exact = c.reshape(3, 12, 40).astype(np.float64)
    assert (np.abs(sums - exact.sum(2)) <= gamma(40) * np.abs(exact).sum(2)).all()


def test_a_view_of_a_narrow_accumulator_reads_it_rounded(device):
    @T.prim_func
    def kernel(
        A: T.Tensor((16, 64), "float16"),
        B: T.Tensor((64, 16), "float16"),
        C: T.Tensor((256,), "float16"),
    ):
        with T.Kernel(1):
            a = T.alloc_shared((16, 32), "float16")
            b = T.alloc_shared((32, 16), "float16")
            c = T.alloc_fragment((16, 16), "float16")
            T.clear(T.reshape(c, (256,)))
            for k in T.serial(2):
                T.copy(A[0, k * 32], a)
                T.copy(B[k * 32, 0], b)
                T.gemm(a, b, c)
            T.copy(T.reshape(c, (256,)), C)

    rng = np.random.default_rng(5)
    a, b = (rng.integers(-40, 41, s).astype(np.float16) for s in ((16, 64), (64, 16)))
    c = np.full(256, np.nan, np.float16)
    launch(device, kernel, a, b, c)
    expected = (a.astype(np.float64) @ b.astype(np.float64)).astype(np.float16)
    assert np.array_equal(c, expected.ravel())


def test_memory_of_a_viewed_tile_is_kept(device):
    """Tiles whose lifetimes the plan could otherwise take to be over, at one place."""

    @T.prim_func
    def kernel(A: T.Tensor((64,), "float32"), B: T.Tensor((64,), "float32")):
        with T.Kernel(1):
            first = T.alloc_shared((64,), "float32")
            T.copy(A, first)
            view = T.reshape(T.reshape(first, (4, 16)), (64,))
            second = T.alloc_shared((64,), "float32")
            T.fill(second, 5)
            for i in T.Parallel(64):
                B[i] = view[i] + second[i]

    a = np.random.default_rng(6).standard_normal(64).astype(np.float32)
    b = np.full(64, np.nan, np.float32)
    launch(device, kernel, a, b)
    assert np.array_equal(b, a + 5)


def test_a_wider_view_asks_for_aligned_memory(device):
    @T.prim_func
    def kernel(A: T.Tensor((8,), "float16"), B: T.Tensor((4,), "float32")):
        with T.Kernel(4) as i:
            B[i] = T.view(A, dtype="float32")[i]

    compiled = tilewright.compile(kernel, target=device)
    memory = np.arange(17, dtype=np.float16)
    b = np.zeros(4, np.float32)
    compiled(memory[2:10], b)
    assert np.array_equal(b.view(np.uint32), memory[2:10].view(np.uint32))
    # A host array that goes to a GPU is copied, and the copy is aligned.
    if device != "cpu":
        b[:] = np.nan
        compiled(memory[1:9], b)
        assert np.array_equal(b.view(np.uint16), memory[1:9].view(np.uint16))
        return
    with pytest.raises(tilewright.LaunchError, match="'A' .* aligned to 4 bytes"):
        compiled(memory[1:9], b)
