"""Parts of tiles as operands and results: what holds of a tile holds of its slices.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import tilewright
import tilewright.language as T

pytestmark = pytest.mark.every_device


def launch(device: str, kernel: object, *arguments: object) -> None:
    tilewright.compile(kernel, target=device)(*arguments)


def integers(seed: int, *shape: int, dtype: object = np.float32) -> np.ndarray:
    """Small integers, whose products and sums are exact in every type used here."""
    return np.random.default_rng(seed).integers(-4, 5, shape).astype(dtype)


@pytest.mark.parametrize(
    ("shape", "dim"), [((4, 8), 0), ((4, 8), 1), ((3, 4, 8), 1), ((8,), 0)]
)
@pytest.mark.parametrize("name", ["sum", "argmax"])
def test_a_reduction_into_a_slice(device, shape, dim, name):
    out = shape[:dim] + shape[dim + 1 :] or (1,)
    dtype = "int32" if name == "argmax" else "float32"
    reduce = getattr(T, f"reduce_{name}")

    @T.prim_func
    def kernel(A: T.Tensor(shape, "float32"), C: T.Tensor((3, *out), dtype)):
        with T.Kernel(1):
            a = T.alloc_shared(shape, "float32")
            c = T.alloc_shared((3, *out), dtype)
            T.copy(A, a)
            T.fill(c, 77)
            if len(out) == 1:
                reduce(a, c[1, :], dim=dim)
            else:
                reduce(a, c[1, :, :], dim=dim)
            T.copy(c, C)

    a = np.random.default_rng(5).permutation(np.prod(shape)).reshape(shape)
    c = np.zeros((3, *out), dtype)
    launch(device, kernel, a.astype(np.float32), c)
    expected = a.argmax(dim) if name == "argmax" else a.sum(dim)
    assert np.array_equal(c[1], expected.reshape(out))
    assert (c[[0, 2]] == 77).all()


def test_a_gemm_into_a_slice(device):
    """A few rows and a long K, which the CPU computes transposed."""
    m, n, k = 16, 128, 64

    @T.prim_func
    def kernel(
        A: T.Tensor((m, k), "float32"), B: T.Tensor((n, k), "float32"),
        C: T.Tensor((m, 2 * n), "float32"),
    ):  # fmt: skip
        with T.Kernel(1):
            a = T.alloc_shared((m, k), "float32")
            b = T.alloc_shared((n, k), "float32")
            c = T.alloc_shared((m, 2 * n), "float32")
            T.copy(A, a)
            T.copy(B, b)
            T.fill(c, 1)
            T.gemm(a, b, c[:, n : 2 * n], transpose_B=True)
            T.copy(c, C)

    a, b = integers(1, m, k), integers(2, n, k)
    c = np.zeros((m, 2 * n), np.float32)
    launch(device, kernel, a, b, c)
    assert np.array_equal(c[:, n:], 1 + a @ b.T)
    assert (c[:, :n] == 1).all()


@pytest.mark.parametrize("at", [0, 1, 2, 3, 4, 6, 8, 11])
def test_a_gemm_of_slices_from_anywhere(device, at):
    """Parts of tiles begin at addresses that no wide access can take, and at some that it can,
    known when compiling or not."""

    @T.prim_func
    def kernel(
        A: T.Tensor((32, 48), "float16"), B: T.Tensor((32, 48), "float16"),
        C: T.Tensor((3, 32, 16), "float32"), first: T.int32,
    ):  # fmt: skip
        with T.Kernel(1):
            a = T.alloc_shared((32, 48), "float16")
            b = T.alloc_shared((32, 48), "float16")
            c = T.alloc_fragment((32, 16), "float32")
            T.copy(A, a)
            T.copy(B, b)
            T.gemm(a[:, at : at + 32], b[:, at : at + 16], c, clear_accum=True)
            T.copy(c, C[0, :, :])
            T.gemm(a[:, first : first + 32], b[:, first : first + 16], c, clear_accum=True)
            T.copy(c, C[1, :, :])
            T.gemm(
                a[:, first : first + 32], b[at : at + 16, at : at + 32], c,
                clear_accum=True, transpose_A=True, transpose_B=True,
            )  # fmt: skip
            T.copy(c, C[2, :, :])

    a, b = (integers(s, 32, 48, dtype=np.float16) for s in (1, 2))
    c = np.full((3, 32, 16), np.nan, np.float32)
    launch(device, kernel, a, b, c, at)
    a32, b32 = a.astype(np.float32)[:, at : at + 32], b.astype(np.float32)
    product = a32 @ b32[:, at : at + 16]
    assert np.array_equal(c[0], product)
    assert np.array_equal(c[1], product)
    assert np.array_equal(c[2], a32.T @ b32[at : at + 16, at : at + 32].T)


def test_a_slice_of_a_narrow_accumulator_is_read_anew(device):
    @T.prim_func
    def kernel(
        A: T.Tensor((16, 16), "bfloat16"), W: T.Tensor((16, 16), "bfloat16"),
        D: T.Tensor((2, 8, 16), "float32"),
    ):  # fmt: skip
        with T.Kernel(1):
            a = T.alloc_shared((16, 16), "bfloat16")
            w = T.alloc_shared((16, 16), "bfloat16")
            c = T.alloc_shared((16, 16), "bfloat16")
            d = T.alloc_fragment((8, 16), "float32")
            T.copy(A, a)
            T.copy(W, w)
            T.gemm(a, a, c, clear_accum=True)
            T.gemm(c[0:8, :], w, d, clear_accum=True)
            T.copy(d, D[0, :, :])
            T.gemm(a, a, c)
            T.gemm(c[0:8, :], w, d, clear_accum=True)
            T.copy(d, D[1, :, :])

    a, w = (integers(s, 16, 16, dtype=ml_dtypes.bfloat16) for s in (3, 4))
    d = np.full((2, 8, 16), np.nan, np.float32)
    launch(device, kernel, a, w, d)
    square = a.astype(np.float32) @ a.astype(np.float32)
    for i in range(2):
        rounded = ((i + 1) * square).astype(ml_dtypes.bfloat16).astype(np.float32)
        assert np.array_equal(d[i], (rounded @ w.astype(np.float32))[:8])


def test_a_slice_of_a_narrow_tile_accumulates(device):
    @T.prim_func
    def kernel(A: T.Tensor((16, 16), "float16"), C: T.Tensor((32, 16), "float16")):
        with T.Kernel(1):
            a = T.alloc_shared((16, 16), "float16")
            c = T.alloc_shared((32, 16), "float16")
            T.copy(A, a)
            T.fill(c, 3)
            T.gemm(a, a, c[16:32, :])
            T.copy(c, C)

    a = integers(6, 16, 16, dtype=np.float16)
    c = np.full((32, 16), np.nan, np.float16)
    launch(device, kernel, a, c)
    assert np.array_equal(c[16:], 3 + a @ a)
    assert (c[:16] == 3).all()


def test_a_copy_between_narrow_accumulators_rounds(device):
    """257 is no bf16: it becomes 256 on its way from one accumulator to another."""

    @T.prim_func
    def kernel(A: T.Tensor((16, 16), "bfloat16"), C: T.Tensor((16, 16), "float32")):
        with T.Kernel(1):
            a = T.alloc_shared((16, 16), "bfloat16")
            c = T.alloc_fragment((16, 16), "bfloat16")
            e = T.alloc_fragment((16, 16), "bfloat16")
            T.copy(A, a)
            T.gemm(a, a, c, clear_accum=True)
            T.copy(c, e)
            T.gemm(a, a, e)
            T.copy(e, C)

    a = np.zeros((16, 16), ml_dtypes.bfloat16)
    a[0, 0], a[0, 1], a[1, 0] = 16, 1, 1  # (a @ a)[0, 0] = 256 + 1
    c = np.full((16, 16), np.nan, np.float32)
    launch(device, kernel, a, c)
    assert c[0, 0] == np.float32(256 + 257).astype(ml_dtypes.bfloat16)
    product = a.astype(np.float32) @ a.astype(np.float32)
    assert np.array_equal(c.ravel()[1:], 2 * product.ravel()[1:])


def test_an_atomic_on_a_narrow_accumulator(device):
    @T.prim_func
    def kernel(A: T.Tensor((16, 16), "float16"), C: T.Tensor((16, 16), "float16")):
        with T.Kernel(1):
            a = T.alloc_shared((16, 16), "float16")
            c = T.alloc_shared((16, 16), "float16")
            T.copy(A, a)
            T.gemm(a, a, c, clear_accum=True)
            for i, j in T.Parallel(16, 16):
                T.atomic_add(c[i, j], a[i, j])
            T.copy(c, C)

    a = integers(7, 16, 16, dtype=np.float16)
    c = np.full((16, 16), np.nan, np.float16)
    launch(device, kernel, a, c)
    assert np.array_equal(c, a @ a + a)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_atomics_on_narrow_floats(device, dtype):
    made = getattr(ml_dtypes, dtype, None) or np.float16

    @T.prim_func
    def kernel(Sum: T.Tensor((3,), dtype), A: T.Tensor((12,), dtype)):
        with T.Kernel(12) as bx:
            T.atomic_add(Sum[0], A[bx])
            T.atomic_max(Sum[1], A[bx])
            T.atomic_min(Sum[2], A[bx])

    a = np.array([1, -2, 3, 1, 0, -1, 2, -3, 1, 1, 1, 2]).astype(made)
    results = np.zeros(3, made)
    launch(device, kernel, results, a)
    assert list(results.astype(np.float32)) == [6, 3, -3]


def test_a_fact_outside_parallel_loops(device):
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((n,), "float32")):
        with T.Kernel(1):
            T.assume(n >= 4)
            A[3] = 1

    a = np.zeros(5, np.float32)
    launch(device, kernel, a)
    assert list(a) == [0, 0, 0, 1, 0]


@pytest.mark.parametrize("columns", [1 << 40, 1 << 62])
def test_a_workspace_that_does_not_fit_is_an_error(device, columns):
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((n,), "float32")):
        W = T.alloc_global((n, columns), "float32")
        with T.Kernel(n) as i:
            W[i, 0] = A[i]
        with T.Kernel(n) as i:
            A[i] = W[i, 0] + 1

    a = np.zeros(64, np.float32)
    with pytest.raises(MemoryError, match="no memory for a workspace of"):
        launch(device, kernel, a)
    assert (a == 0).all()


def test_a_workspace_of_a_negative_size_is_an_error(device):
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((n,), "float32")):
        W = T.alloc_global((n - 2, 3), "float32")
        with T.Kernel(n - 2) as i:
            W[i, 0] = 1
            A[i] = W[i, 0]

    a = np.zeros(4, np.float32)
    launch(device, kernel, a)
    assert list(a) == [1, 1, 0, 0]
    launch(device, kernel, a[:2])
    with pytest.raises(ValueError, match="a size of a workspace .* is negative"):
        launch(device, kernel, a[:1])
    assert list(a) == [1, 1, 0, 0]


def test_a_gather_from_fewer_rows_than_it_names(device):
    @T.prim_func
    def kernel(A: T.Tensor((3, 8), "float32"), Ids: T.Tensor((5,), "int32"),
               C: T.Tensor((5, 8), "float32")):  # fmt: skip
        with T.Kernel(1):
            a = T.alloc_shared((3, 8), "float32")
            ids = T.alloc_shared((5,), "int32")
            c = T.alloc_shared((5, 8), "float32")
            T.copy(A, a)
            T.copy(Ids, ids)
            T.gather(a, ids, c, fill=9)
            T.copy(c, C)

    a = integers(8, 3, 8)
    c = np.full((5, 8), np.nan, np.float32)
    launch(device, kernel, a, np.array([2, 0, 3, -1, 2], np.int32), c)
    assert np.array_equal(c[[0, 1, 4]], a[[2, 0, 2]])
    assert (c[[2, 3]] == 9).all()


@pytest.mark.parametrize("rest", [-128, 127, 0])
def test_the_magnitude_of_the_most_negative_integer(device, rest):
    @T.prim_func
    def kernel(A: T.Tensor((4, 40), "int8"), C: T.Tensor((4,), "int8")):
        with T.Kernel(1):
            a = T.alloc_shared((4, 40), "int8")
            c = T.alloc_fragment((4,), "int8")
            T.copy(A, a)
            T.reduce_absmax(a, c, dim=1)
            T.copy(c, C)

    a = np.full((4, 40), rest, np.int8)
    a[:, 17] = -128
    c = np.zeros(4, np.int8)
    launch(device, kernel, a, c)
    assert (c == -128).all()
