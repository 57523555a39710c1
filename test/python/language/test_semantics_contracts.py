"""What kernels and callers promise each other: aliases, index width, invariance.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright import LaunchError
from tilewright.testing.memory import bits

pytestmark = pytest.mark.every_device

# -- aliases ----------------------------------------------------------------------------------


def scaled(device: str, alias: str = ""):
    """C = A + 2 B in tiles, and the kernel's reads of A are after some of its writes of C."""
    n = T.dynamic("n")

    @T.prim_func
    def kernel(
        A: T.Tensor((n, 8), "float32"),
        B: T.Tensor((n, 8), "float32"),
        C: T.Tensor((n, 8), "float32", alias=alias),
    ):
        with T.Kernel(T.ceildiv(n, 4)) as bx:
            for i, j in T.Parallel(4, 8):
                C[bx * 4 + i, j] = A[bx * 4 + i, j] + B[bx * 4 + i, j]
            for i, j in T.Parallel(4, 8):
                C[bx * 4 + i, j] = C[bx * 4 + i, j] + B[bx * 4 + i, j]

    return tilewright.compile(kernel, target=device)


def test_a_declared_alias_may_be_the_same_memory(device):
    kernel = scaled(device, alias="A")
    rng = np.random.default_rng(1)
    a, b, c = (rng.integers(-99, 99, (10, 8)).astype(np.float32) for _ in range(3))
    expected = a + 2 * b
    kernel(a, b, c)
    assert np.array_equal(c, expected)
    kernel(a, b, a)
    assert np.array_equal(a, expected)


def test_a_declared_alias_is_the_same_memory_or_shares_none(device):
    kernel = scaled(device, alias="A")
    memory = np.zeros((11, 8), np.float32)
    b = np.zeros((10, 8), np.float32)
    with pytest.raises(LaunchError, match="'C' shares a part of its memory with argument 'A'"):
        kernel(memory[:10], b, memory[1:])
    with pytest.raises(LaunchError, match="'C' shares memory with argument 'B'"):
        kernel(memory[:10], b, b)
    with pytest.raises(LaunchError, match="'C' shares memory with argument 'A'"):
        scaled(device)(b, memory[:10], b)


def test_reads_follow_writes_through_an_alias(device):
    """A tile that is read again after the other name was written holds the new values."""

    @T.prim_func
    def kernel(
        C: T.Tensor((16, 16), "float32", alias="A"),
        A: T.Tensor((16, 16), "float32"),
        Out: T.Tensor((16, 16), "float32"),
    ):
        with T.Kernel(1):
            a = T.alloc_shared((16, 16), "float32")
            b = T.alloc_shared((16, 16), "float32")
            c = T.alloc_fragment((16, 16), "float32")
            T.clear(c)
            for step in T.serial(3):
                T.copy(A, a)
                T.copy(A, b)
                T.gemm(a, b, c, transpose_B=True)
                T.fill(C, step + 2)
            T.copy(c, Out)

    a = np.ones((16, 16), np.float32)
    out = np.full((16, 16), np.nan, np.float32)
    tilewright.compile(kernel, target=device)(a, a, out)
    assert (out == 16 * (1 + 4 + 9)).all()


def test_a_product_into_its_own_operand(device):
    """What the last step of a product writes, later rows of that step do not read."""

    @T.prim_func
    def kernel(
        A: T.Tensor((16, 320), "float32"),
        B: T.Tensor((320, 320), "float32"),
        C: T.Tensor((16, 320), "float32", alias="A"),
    ):
        with T.Kernel(1):
            a = T.alloc_shared((16, 32), "float32")
            b = T.alloc_shared((32, 320), "float32")
            c = T.alloc_fragment((16, 320), "float32")
            T.clear(c)
            for step in T.Pipelined(10):
                T.copy(A[0, step * 32], a)
                T.copy(B[step * 32, 0], b)
                T.gemm(a, b, c)
            T.copy(c, C)

    rng = np.random.default_rng(7)
    a, b = (rng.integers(-4, 5, s).astype(np.float32) for s in ((16, 320), (320, 320)))
    expected = a @ b
    tilewright.compile(kernel, target=device)(a, b, a)
    assert np.array_equal(a, expected)


# -- index width ------------------------------------------------------------------------------


@pytest.mark.parametrize("named", [False, True])
def test_indices_are_computed_in_64_bits(device, named):
    """Products of i32 scalars past 2^31 lie outside, and do not wrap round to an element."""

    @T.prim_func
    def kernel(A: T.Tensor((8,), "float32"), n: T.int32):
        with T.Kernel(1):
            if named:
                at = n * n + 3
                A[at] = 1
                A[at - n * n] = 2
            else:
                A[n * n + 3] = 1
                A[(n * n + n * n) % (n * n - 1) - 1] = 2

    a = np.zeros(8, np.float32)
    tilewright.compile(kernel, target=device)(a, 65536)  # its square is 0 in 32 bits
    expected = np.zeros(8)
    expected[3 if named else 1] = 2
    assert np.array_equal(a, expected)


def test_loops_and_grids_are_counted_in_64_bits(device):
    @T.prim_func
    def kernel(A: T.Tensor((4,), "int64"), n: T.int32):
        with T.Kernel(1):
            for i in T.serial(n * n, n * n + 3):
                A[i - n * n] = i

    a = np.zeros(4, np.int64)
    tilewright.compile(kernel, target=device)(a, 1 << 20)
    assert list(a) == [1 << 40, (1 << 40) + 1, (1 << 40) + 2, 0]


# -- batch invariance -------------------------------------------------------------------------


def product(device: str, dtype: str, rows: int, batch_invariant: bool = True):
    """A B^T for a batch of `rows` rows, in one block whose loop runs over them."""
    n, k, step = 40, 128, 24

    @T.prim_func
    def kernel(
        A: T.Tensor((rows, k), dtype), B: T.Tensor((n, k), dtype), C: T.Tensor((rows, n), "f32")
    ):
        with T.Kernel(1):
            a = T.alloc_shared((step, k), dtype)
            b = T.alloc_shared((n, k), dtype)
            c = T.alloc_fragment((step, n), "float32")
            T.copy(B, b)
            for i in T.serial(T.ceildiv(rows, step)):
                T.copy(A[i * step, 0], a)
                T.gemm(a, b, c, transpose_B=True, clear_accum=True)
                T.copy(c, C[i * step, 0])

    return tilewright.compile(kernel, target=device, batch_invariant=batch_invariant)


@pytest.mark.parametrize("dtype", ["f32", "bf16", "f16"])
def test_rows_do_not_depend_on_the_batch(device, dtype):
    """One row at every place of batches of several sizes gives the same bits."""
    from tilewright.testing import numpy_dtype

    rng = np.random.default_rng(5)
    row = rng.standard_normal(128).astype(numpy_dtype(dtype))
    b = rng.standard_normal((40, 128)).astype(numpy_dtype(dtype))
    results = []
    for rows in (1, 24, 100, 2000):
        a, c = np.tile(row, (rows, 1)), np.full((rows, 40), np.nan, np.float32)
        product(device, dtype, rows)(a, b, c)
        results.append(bits(c))
    assert all((result == results[0]).all() for result in results)


@pytest.mark.parametrize("along", [0, 1])
def test_sums_and_maths_do_not_depend_on_the_place(device, along):
    """A softmax of equal rows, 29 of them side by side or below each other in a tile."""
    rows, n = 29, 75
    shape = (n, rows) if along == 0 else (rows, n)
    m = T.dynamic("m")

    @T.prim_func
    def kernel(X: T.Tensor((m, n), "f32"), Y: T.Tensor((m, n), "f32")):
        with T.Kernel(T.ceildiv(m, rows)) as bx:
            tile = T.alloc_fragment(shape, "float32")
            total = T.alloc_fragment((rows,), "float32")
            for i, j in T.Parallel(*shape):
                row, column = (j, i) if along == 0 else (i, j)
                tile[i, j] = T.exp(X[bx * rows + row, column])
            T.reduce_sum(tile, total, dim=along)
            for i, j in T.Parallel(*shape):
                row, column = (j, i) if along == 0 else (i, j)
                Y[bx * rows + row, column] = tile[i, j] / total[row]

    compiled = tilewright.compile(kernel, target=device, batch_invariant=True)
    row = np.random.default_rng(6).standard_normal(n).astype(np.float32)
    results = []
    for count in (1, 28, 29, 100):
        x, y = np.tile(row, (count, 1)), np.full((count, n), np.nan, np.float32)
        compiled(x, y)
        results.append(bits(y))
    assert all((result == results[0]).all() for result in results)


def test_the_option_reaches_every_kind_of_kernel():
    @T.prim_func
    def plain(A: T.Tensor((4,), "float32")):
        with T.Kernel(4) as i:
            A[i] = i

    @tilewright.jit(batch_invariant=True)
    def lazy():
        return plain

    @tilewright.jit(batch_invariant=True)
    def eager(A):
        A: T.Tensor((4,), "float32")
        with T.Kernel(4) as i:
            A[i] = i

    a = np.zeros(4, np.float32)
    asked = [
        tilewright.compile(plain, batch_invariant=True),
        tilewright.jit(batch_invariant=True)(plain),
        lazy(),
        eager.compile(a),
    ]
    assert all("tile.batch_invariant" in kernel.ir() for kernel in asked)
    assert "tile.batch_invariant" not in tilewright.compile(plain).ir()
