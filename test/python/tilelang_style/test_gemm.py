"""Matrix products in the forms that TileLang's documentation teaches.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilelang_style.checks import product, within
from tilewright.testing import dot_bound


@tilewright.jit(out_idx=[-1])
def lazy_matmul(M, N, K, block_M, block_N, block_K, dtype="float16", accum_dtype="float"):
    @T.prim_func
    def main(
        A: T.Tensor((M, K), dtype),
        B: T.Tensor((K, N), dtype),
        C: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block_M, block_K), dtype)
            B_shared = T.alloc_shared((block_K, block_N), dtype)
            C_local = T.alloc_fragment((block_M, block_N), accum_dtype)

            T.use_swizzle(panel_size=10, enable=True)
            T.clear(C_local)
            for ko in T.Pipelined(T.ceildiv(K, block_K), num_stages=3):
                T.copy(A[by * block_M, ko * block_K], A_shared)
                T.copy(B[ko * block_K, bx * block_N], B_shared)
                T.gemm(A_shared, B_shared, C_local)
            T.copy(C_local, C[by * block_M, bx * block_N])

    return main


@pytest.mark.parametrize("shape", [(128, 128, 96), (130, 70, 50), (5, 3, 2)])
def test_lazy(shape):
    M, N, K = shape
    rng = np.random.default_rng(1)
    a = rng.standard_normal((M, K)).astype(np.float16)
    b = rng.standard_normal((K, N)).astype(np.float16)
    kernel = lazy_matmul(M, N, K, 64, 32, 32)
    product(kernel(a, b), a, b, "f16")
    assert lazy_matmul(M, N, K, 64, 32, 32) is kernel


@tilewright.jit
def matmul_relu(A, B, block_M: int = 64, block_N: int = 64, block_K: int = 32):
    M, N, K = T.const("M, N, K")
    A: T.Tensor((M, K), T.float32)
    B: T.Tensor((K, N), T.float32)
    C = T.empty((M, N), T.float32)

    with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
        A_shared = T.alloc_shared((block_M, block_K), T.float32)
        B_shared = T.alloc_shared((block_K, block_N), T.float32)
        C_local = T.alloc_fragment((block_M, block_N), T.float32)

        T.clear(C_local)
        for k in T.Pipelined(T.ceildiv(K, block_K), num_stages=3):
            T.copy(A[by * block_M, k * block_K], A_shared)
            T.copy(B[k * block_K, bx * block_N], B_shared)
            T.gemm(A_shared, B_shared, C_local)

        for i, j in T.Parallel(block_M, block_N):
            C_local[i, j] = T.max(C_local[i, j], 0)

        T.copy(C_local, C[by * block_M, bx * block_N])

    return C


def test_eager_with_fused_epilogue():
    rng = np.random.default_rng(2)
    for M, N, K in ((64, 64, 64), (100, 33, 47)):
        a = rng.standard_normal((M, K)).astype(np.float32)
        b = rng.standard_normal((K, N)).astype(np.float32)
        exact = a.astype(np.float64) @ b
        bound = dot_bound(a.astype(np.float64), b.astype(np.float64), exact, "f32")
        within(matmul_relu(a, b), np.maximum(exact, 0), bound)
        within(matmul_relu(a, b, block_M=32), np.maximum(exact, 0), bound)


def test_eager_specialises_by_size():
    small, large = (np.ones((n, n), np.float32) for n in (8, 16))
    matmul_relu(small, small)
    assert matmul_relu.compile(M=8, N=8, K=8).parameters == ["A", "B", "C"]
    assert np.all(matmul_relu(large, large) == 16)
    with pytest.raises(ValueError, match="K is 8"):
        matmul_relu(small, large)


@tilewright.jit(out_idx=[2])
def transposed_matmul(M, N, K, transpose_A, transpose_B, dtype, block=32):
    A_shape = (K, M) if transpose_A else (M, K)
    B_shape = (N, K) if transpose_B else (K, N)
    A_tile = (block * 2, block) if transpose_A else (block, block * 2)
    B_tile = (block, block * 2) if transpose_B else (block * 2, block)

    @T.prim_func
    def main(
        A: T.Tensor(A_shape, dtype),
        B: T.Tensor(B_shape, dtype),
        C: T.Tensor((M, N), "float32"),
    ):
        with T.Kernel(T.ceildiv(N, block), T.ceildiv(M, block), threads=128) as (bx, by):
            A_shared = T.alloc_shared(A_tile, dtype)
            B_shared = T.alloc_shared(B_tile, dtype)
            C_local = T.alloc_fragment((block, block), "float32")
            T.clear(C_local)
            for k in T.Pipelined(T.ceildiv(K, block * 2), num_stages=2):
                if transpose_A:
                    T.copy(A[k * block * 2, by * block], A_shared)
                else:
                    T.copy(A[by * block, k * block * 2], A_shared)
                if transpose_B:
                    T.copy(B[bx * block, k * block * 2], B_shared)
                else:
                    T.copy(B[k * block * 2, bx * block], B_shared)
                T.gemm(A_shared, B_shared, C_local, transpose_A, transpose_B)
            T.copy(C_local, C[by * block, bx * block])

    return main


@pytest.mark.parametrize("transpose_A", [False, True])
@pytest.mark.parametrize("transpose_B", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_transposes(transpose_A, transpose_B, dtype):
    from tilewright.testing import numpy_dtype

    M, N, K = 70, 45, 99
    rng = np.random.default_rng(3)
    made = numpy_dtype({"float32": "f32", "bfloat16": "bf16"}[dtype])
    a = rng.standard_normal((K, M) if transpose_A else (M, K)).astype(made)
    b = rng.standard_normal((N, K) if transpose_B else (K, N)).astype(made)
    c = transposed_matmul(M, N, K, transpose_A, transpose_B, dtype)(a, b)
    product(c, a.T if transpose_A else a, b.T if transpose_B else b, "f32")


@tilewright.jit
def split_k_matmul(M, N, K, block_M, block_N, block_K, split_k, dtype="float32"):
    splitK = K // split_k

    @T.prim_func
    def main(
        A: T.Tensor((M, K), dtype),
        B: T.Tensor((K, N), dtype),
        C: T.Tensor((M, N), "float32"),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), split_k, threads=128) as (
            bx,
            by,
            bz,
        ):
            A_shared = T.alloc_shared((block_M, block_K), dtype)
            B_shared = T.alloc_shared((block_K, block_N), dtype)
            C_shared = T.alloc_shared((block_M, block_N), "float32")
            C_local = T.alloc_fragment((block_M, block_N), "float32")

            T.clear(C_local)
            for ko in T.Pipelined(T.ceildiv(splitK, block_K), num_stages=0):
                T.copy(A[by * block_M, bz * splitK + ko * block_K], A_shared)
                T.copy(B[bz * splitK + ko * block_K, bx * block_N], B_shared)
                T.gemm(A_shared, B_shared, C_local)

            T.copy(C_local, C_shared)
            for i, j in T.Parallel(block_M, block_N):
                T.atomic_add(C[by * block_M + i, bx * block_N + j], C_shared[i, j])

    return main


def test_split_k_with_atomics():
    # Integers, so that the order of the atomic additions does not show.
    rng = np.random.default_rng(4)
    M, N, K = 70, 40, 256
    a = rng.integers(-8, 9, (M, K)).astype(np.float32)
    b = rng.integers(-8, 9, (K, N)).astype(np.float32)
    c = np.zeros((M, N), np.float32)
    split_k_matmul(M, N, K, 32, 32, 32, 4)(a, b, c)
    assert np.array_equal(c, a @ b)


@tilewright.jit(out_idx=[2])
def dynamic_matmul(N, K, block_M=64, block_N=32, block_K=32, dtype="float32"):
    M = T.dynamic("m")

    @T.prim_func
    def main(
        A: T.Tensor((M, K), dtype),
        B: T.Tensor((N, K), dtype),
        C: T.Tensor((M, N), dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block_M, block_K), dtype)
            B_shared = T.alloc_shared((block_N, block_K), dtype)
            C_local = T.alloc_fragment((block_M, block_N), "float32")
            T.clear(C_local)
            for k in T.Pipelined(T.ceildiv(K, block_K), num_stages=2):
                T.copy(A[by * block_M, k * block_K], A_shared)
                T.copy(B[bx * block_N, k * block_K], B_shared)
                T.gemm(A_shared, B_shared, C_local, transpose_B=True)
            T.copy(C_local, C[by * block_M, bx * block_N])

    return main


def test_dynamic_shapes():
    rng = np.random.default_rng(5)
    kernel = dynamic_matmul(48, 80)
    b = rng.standard_normal((48, 80)).astype(np.float32)
    for rows in (0, 1, 63, 64, 200):
        a = rng.standard_normal((rows, 80)).astype(np.float32)
        product(kernel(a, b), a, b.T, "f32")


def int4_to_int8(val, pos):
    """A signed nibble of a packed byte, by shifts alone."""
    nibble = (val >> (pos.astype("uint8") * 4)) & 0x0F
    return T.reinterpret("int8", nibble << 4) >> 4


@tilewright.jit(out_idx=[2])
def dequantised_matmul(M, N, K, block_M=32, block_N=32, block_K=64, num_stages=1):
    per_byte = 2

    @T.prim_func
    def main(
        A: T.Tensor((M, K), "int8"),
        B: T.Tensor((N, K // per_byte), "uint8"),
        Ct: T.Tensor((N, M), "int32"),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=128) as (bx, by):
            A_shared = T.alloc_shared((block_M, block_K), "int8")
            B_shared = T.alloc_shared((block_N, block_K // per_byte), "uint8")
            B_local = T.alloc_fragment((block_N, block_K // per_byte), "uint8")
            B_dequantised = T.alloc_fragment((block_N, block_K), "int8")
            Ct_local = T.alloc_fragment((block_N, block_M), "int32")
            Ct_shared = T.alloc_shared((block_N, block_M), "int32")

            T.annotate_layout({B_shared: tilewright.layout.make_swizzled_layout(B_shared)})
            T.clear(Ct_local)
            for k in T.Pipelined(K // block_K, num_stages=num_stages):
                T.copy(A[by * block_M, k * block_K], A_shared)
                T.copy(B[bx * block_N, k * block_K // per_byte], B_shared)
                T.copy(B_shared, B_local)
                for i, j in T.Parallel(block_N, block_K):
                    B_dequantised[i, j] = int4_to_int8(B_local[i, j // per_byte], j % per_byte)
                T.gemm(B_dequantised, A_shared, Ct_local, transpose_B=True)
            T.copy(Ct_local, Ct_shared)
            T.copy(
                Ct_shared,
                Ct[bx * block_N : (bx + 1) * block_N, by * block_M : (by + 1) * block_M],
            )

    return main


def test_dequantised():
    M, N, K = 40, 50, 192
    rng = np.random.default_rng(6)
    a = rng.integers(-128, 128, (M, K)).astype(np.int8)
    nibbles = rng.integers(-8, 8, (N, K)).astype(np.int8)
    low, high = nibbles[:, ::2] & 0xF, nibbles[:, 1::2] & 0xF
    packed = (low | (high << 4)).astype(np.uint8)
    ct = dequantised_matmul(M, N, K)(a, packed)
    assert np.array_equal(ct, nibbles.astype(np.int32) @ a.astype(np.int32).T)
