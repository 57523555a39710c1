"""Sizes known at launch: expressions, what follows from them, facts.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright import LaunchError

pytestmark = pytest.mark.every_device


def test_sizes_that_are_expressions(device):
    """Every operator, checked against a plain size that another argument gives."""
    m, n = T.dynamic("m"), T.dynamic("n")

    @T.prim_func
    def kernel(
        A: T.Tensor((m * 2, n + 1), "float32"),
        B: T.Tensor((m, n), "float32"),
        C: T.Tensor((T.ceildiv(m, 4), n // 2, m % 3, T.min(m, n), T.max(m - 1, n)), "float32"),
    ):
        with T.Kernel(m) as i:
            for j in T.serial(n):
                B[i, j] = A[i * 2 + 1, j + 1]
            C[C.shape[0] - 1, 0, 0, 0, C.shape[4] - 1] = 1

    compiled = tilewright.compile(kernel, target=device)
    a = np.arange(10 * 8, dtype=np.float32).reshape(10, 8)
    b, c = np.zeros((5, 7), np.float32), np.zeros((2, 3, 2, 5, 7), np.float32)
    compiled(a, b, c)
    assert np.array_equal(b, a[1::2, 1:])
    assert c[1, 0, 0, 0, 6] == 1
    assert c.sum() == 1

    message = (
        r"argument 'A' has size 9 in dimension 0; expected m \* 2 = 10; m = 5 by argument 'B'"
    )
    with pytest.raises(LaunchError, match=message):
        compiled(a[:9], b, c)
    with pytest.raises(LaunchError, match=r"'C' has size 1 in dimension 0; expected T.ceildiv"):
        compiled(a, b, c[:1])


def test_sizes_that_follow_from_expressions(device):
    """Offsets have one element more than there are parts, blocks are of 4 rows."""

    @tilewright.jit(target=device)
    def parts(X, Offsets, Rows):
        n, m = T.dynamic("n"), T.dynamic("m", min=1, max=3)
        X: T.Tensor((T.dynamic("x"),), "float32")
        Offsets: T.Tensor((n + 1,), "int32")
        Rows: T.Tensor((4 * m, n + 1), "float32")
        Sums = T.empty((m, n), "float32")
        scale = T.alloc_global((m,), "float32")
        with T.Kernel(m) as block:
            scale[block] = block + 1
        with T.Kernel(n, m) as (part, block):
            total = T.alloc_var("float32", 0)
            for i in T.serial(Offsets[part], Offsets[part + 1]):
                total += X[i]
            Sums[block, part] = total * scale[block] + Rows[block * 4 + 3, part]
        return Sums

    x, offsets = np.arange(10, dtype=np.float32), np.array([0, 3, 3, 10], np.int32)
    rows = np.arange(8 * 4, dtype=np.float32).reshape(8, 4)
    sums = parts(x, offsets, rows)
    assert np.array_equal(sums, np.outer([1, 2], [3, 0, 42]) + rows[3::4, :3])
    assert parts(x, offsets[:1], rows[:, :1].copy()).shape == (2, 0)

    with pytest.raises(
        LaunchError, match="'Offsets' has size 0 in dimension 0; n \\+ 1 must be"
    ):
        parts(x, offsets[:0], rows)
    with pytest.raises(LaunchError, match="'Rows' has size 6 .* must be a multiple of 4"):
        parts(x, offsets, rows[:6])
    with pytest.raises(LaunchError, match="'Rows' has size 16 .* must be at most 12"):
        parts(x, offsets, np.zeros((16, 4), np.float32))


def test_constants_that_follow_from_expressions(device):
    @tilewright.jit(target=device)
    def lengths(Offsets, Scale):
        n, k = T.const("n, k")
        Offsets: T.Tensor((n + 1, k * 2 - 1), "int32")
        Scale: T.Tensor((n, k), "int32")
        Out = T.empty((n,), "int32")
        with T.Kernel(1):
            for i in T.Parallel(n):
                Out[i] = (Offsets[i + 1, k] - Offsets[i, k]) * Scale[i, 1]
        return Out

    for n, k in ((3, 2), (1, 2), (3, 4), (3, 2)):
        offsets = np.arange(n + 1, dtype=np.int32)[:, None].repeat(2 * k - 1, 1) ** 2
        assert np.array_equal(
            lengths(offsets, np.full((n, k), k, np.int32)), np.diff(offsets[:, 0]) * k
        )
    with pytest.raises(
        LaunchError, match=r"dimension 1 of Offsets is 4, which \(\(k \* 2\) - 1\)"
    ):
        lengths(np.zeros((4, 4), np.int32), np.zeros((3, 2), np.int32))
    with pytest.raises(LaunchError, match="dimension 0 of Scale is 4, and n is 3"):
        lengths(np.zeros((4, 3), np.int32), np.zeros((4, 2), np.int32))


def test_an_output_whose_size_is_an_expression(device):
    @tilewright.jit(target=device)
    def pairs(A):
        n = T.dynamic("n")
        A: T.Tensor((n,), "float32")
        B = T.empty((n * 2, T.ceildiv(A.shape[0], 4)), "float32")
        with T.Kernel(n * 2) as i:
            for j in T.serial(B.shape[1]):
                B[i, j] = A[i // 2] + j
        return B

    a = np.arange(5, dtype=np.float32)
    assert np.array_equal(pairs(a), np.repeat(a, 2)[:, None] + np.arange(2))


def test_a_size_that_no_argument_gives_is_refused():
    m = T.dynamic("m")

    @T.prim_func
    def kernel(A: T.Tensor((m // 2,), "float32")):
        with T.Kernel(1):
            A[0] = 1

    with pytest.raises(tilewright.CompileError) as caught:
        tilewright.compile(kernel)
    assert caught.value.message == "the size (m // 2) of A needs m, which no argument gives"
    assert "add a parameter" in caught.value.hint


@pytest.mark.parametrize(
    ("size", "rule"), [(0, "at least 4"), (6, "a multiple of 4"), (68, "at most 64")]
)
def test_facts_of_sizes_are_checked_at_launch(device, size, rule):
    n = T.dynamic("n", min=4, max=64, multiple_of=4)

    @T.prim_func
    def kernel(A: T.Tensor((2, n), "float32")):
        with T.Kernel(n) as i:
            A[1, i] = i

    compiled = tilewright.compile(kernel, target=device)
    a = np.zeros((2, 8), np.float32)
    compiled(a)
    assert np.array_equal(a[1], np.arange(8))
    message = f"argument 'A' has size {size} in dimension 1; n must be {rule}"
    with pytest.raises(LaunchError, match=message):
        compiled(np.zeros((2, size), np.float32))


def test_a_size_that_is_rounded_up_needs_no_guards(device):
    """The size comes as a scalar, and the tensor has room for the last block."""
    m = T.dynamic("m")

    @T.prim_func
    def kernel(A: T.Tensor((T.ceildiv(m, 4) * 4,), "float32"), m: m):
        with T.Kernel(T.ceildiv(m, 4)) as bx:
            for i in T.Parallel(4):
                A[bx * 4 + i] = m

    compiled = tilewright.compile(kernel, target=device)
    assert "is checked in the loop" not in "\n".join(compiled.remarks())
    a = np.zeros(8, np.float32)
    compiled(a, 5)
    assert (a == 5).all()
    with pytest.raises(
        LaunchError, match=r"T.ceildiv\(m, 4\) \* 4 = 12; m = 9 by argument 'm'"
    ):
        compiled(a, 9)


def test_facts_of_sizes_remove_guards():
    """With a size that is a multiple of the tile, no access of the loop is guarded."""

    def remarks(**facts: int) -> str:
        n = T.dynamic("n", **facts)

        @T.prim_func
        def kernel(A: T.Tensor((n,), "float32"), B: T.Tensor((n,), "float32")):
            with T.Kernel(T.ceildiv(n, 64)) as bx:
                for i in T.Parallel(64):
                    B[bx * 64 + i] = A[bx * 64 + i]

        return "\n".join(tilewright.compile(kernel).remarks())

    assert "is checked in the loop" in remarks()
    assert "is checked in the loop" not in remarks(multiple_of=64)
