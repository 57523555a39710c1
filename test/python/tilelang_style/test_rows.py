"""Elementwise kernels, softmax, RMSNorm and top-k in TileLang's forms.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np

import tilewright
import tilewright.language as T
from tilelang_style.checks import within
from tilewright.testing import EXP_ULPS, U32, gamma

LOG2E = 1.44269504


@tilewright.jit(out_idx=[-1])
def elementwise_add(M, N, block_M, block_N, in_dtype, out_dtype, threads=128):
    @T.prim_func
    def elem_add(
        A: T.Tensor((M, N), in_dtype),
        B: T.Tensor((M, N), in_dtype),
        C: T.Tensor((M, N), out_dtype),
    ):
        with T.Kernel(T.ceildiv(N, block_N), T.ceildiv(M, block_M), threads=threads) as (
            bx,
            by,
        ):
            A_shared = T.alloc_shared((block_M, block_N), in_dtype)
            B_shared = T.alloc_shared((block_M, block_N), in_dtype)
            C_local = T.alloc_fragment((block_M, block_N), out_dtype)
            C_shared = T.alloc_shared((block_M, block_N), out_dtype)

            T.copy(A[by * block_M, bx * block_N], A_shared)
            T.copy(B[by * block_M, bx * block_N], B_shared)
            for local_y, local_x in T.Parallel(block_M, block_N):
                C_local[local_y, local_x] = (
                    A_shared[local_y, local_x] + B_shared[local_y, local_x]
                )
            T.copy(C_local, C_shared)
            T.copy(C_shared, C[by * block_M, bx * block_N])

    return elem_add


def test_elementwise():
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((2, 77, 130)).astype(np.float32)
    assert np.array_equal(elementwise_add(77, 130, 32, 64, "float32", "float32")(a, b), a + b)


@tilewright.jit
def vector_add(N: int, block: int = 256, dtype: str = "float32"):
    @T.prim_func
    def add_kernel(
        A: T.Tensor((N,), dtype),
        B: T.Tensor((N,), dtype),
        C: T.Tensor((N,), dtype),
    ):
        with T.Kernel(T.ceildiv(N, block), threads=block) as bx:
            for i in T.Parallel(block):
                gi = bx * block + i
                C[gi] = A[gi] + B[gi]

    return add_kernel


def test_vector_add():
    a = np.arange(1000, dtype=np.float32)
    b, c = a[::-1].copy(), np.full(1000, np.nan, np.float32)
    vector_add(1000)(a, b, c)
    assert np.all(c == 999)


@tilewright.jit(out_idx=[1])
def softmax_kernel(M, N, dtype="float32"):
    BN = min(1024, N)
    NN = T.ceildiv(N, BN)

    @T.prim_func
    def main(X: T.Tensor([M, N], dtype), Y: T.Tensor([M, N], dtype)):
        with T.Kernel(M, threads=128) as i_m:
            x = T.alloc_fragment([BN], dtype)
            y = T.alloc_fragment([BN], dtype)
            lse = T.alloc_fragment([1], "float32")
            max_x = T.alloc_fragment([1], dtype)
            exp_x = T.alloc_fragment([BN], "float32")
            sum_exp_x = T.alloc_fragment([1], "float32")
            T.fill(lse, -T.infinity("float32"))

            for i_n in T.Pipelined(0, NN):
                T.copy(X[i_m, i_n * BN : (i_n + 1) * BN], x)
                for j in T.Parallel(BN):
                    if i_n * BN + j >= N:
                        x[j] = -T.infinity(dtype)
                T.reduce_max(x, max_x, dim=0, clear=True)
                for j in T.Parallel(BN):
                    exp_x[j] = T.exp2(x[j] * LOG2E - max_x[0] * LOG2E)
                T.reduce_sum(exp_x, sum_exp_x, dim=0, clear=True)
                lse[0] = max_x[0] * LOG2E + T.log2(
                    T.exp2(lse[0] - max_x[0] * LOG2E) + sum_exp_x[0]
                )

            for i_n in T.Pipelined(0, NN):
                T.copy(X[i_m, i_n * BN : (i_n + 1) * BN], x)
                for j in T.Parallel(BN):
                    y[j] = T.exp2(x[j] * LOG2E - lse[0])
                T.copy(y, Y[i_m, i_n * BN : (i_n + 1) * BN])

    return main


def test_softmax():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((5, 2500)).astype(np.float32)
    exact = np.exp(x.astype(np.float64))
    exact /= exact.sum(1, keepdims=True)
    # Exponents are formed as differences of numbers of up to 16, LOG2E is rounded to 1e-9,
    # and there is one exp2 per term of the sum, one for the result and one log2.
    relative = gamma(2500) + 8 * EXP_ULPS * U32 + 4 * 16 * U32 + 1e-8
    within(softmax_kernel(5, 2500)(x), exact, relative * exact)


@tilewright.jit(out_idx=[-1], pass_configs={"tl.disable_tma_lower": True})
def rms_norm(M, N, blk_m):
    dtype = "float"

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), B: T.Tensor((M, N), dtype)):
        with T.Kernel(T.ceildiv(M, blk_m), threads=128) as bx:
            A_shared = T.alloc_shared((blk_m, N), dtype)
            A_pow_local = T.alloc_fragment((blk_m, N), dtype)
            A_local = T.alloc_fragment((blk_m, N), dtype)
            A_powsum = T.alloc_fragment((blk_m,), dtype)

            T.copy(A[bx * blk_m : (bx + 1) * blk_m, :], A_shared)
            T.copy(A_shared, A_local)
            for i, j in T.Parallel(blk_m, N):
                A_pow_local[i, j] = A_local[i, j] * A_local[i, j]
            T.reduce_sum(A_pow_local, A_powsum, dim=1)
            for i in T.Parallel(blk_m):
                A_powsum[i] = T.rsqrt(A_powsum[i] / N + 1e-12)
            for i, j in T.Parallel(blk_m, N):
                A_local[i, j] *= A_powsum[i]
            T.copy(A_local, B[bx * blk_m : (bx + 1) * blk_m, :])

    return main


@tilewright.jit(out_idx=[-1])
def rms_norm_by_parts(M, N, blk_m, blk_k):
    dtype = "float"

    @T.prim_func
    def main(A: T.Tensor((M, N), dtype), B: T.Tensor((M, N), dtype)):
        with T.Kernel(T.ceildiv(M, blk_m), threads=128) as bx:
            A_shared = T.alloc_shared((blk_m, blk_k), dtype)
            A_local = T.alloc_fragment((blk_m, blk_k), dtype)
            A_powsum = T.alloc_fragment((blk_m,), dtype)

            num_k_step = T.ceildiv(N, blk_k)
            T.clear(A_local)
            for k in range(num_k_step):
                T.copy(A[bx * blk_m, k * blk_k], A_shared)
                for i, j in T.Parallel(blk_m, blk_k):
                    A_local[i, j] += A_shared[i, j] * A_shared[i, j]
            T.reduce_sum(A_local, A_powsum, dim=1)
            for i in T.Parallel(blk_m):
                A_powsum[i] = T.rsqrt(A_powsum[i] / N + 1e-12)
            for k in range(num_k_step):
                T.copy(A[bx * blk_m, (num_k_step - 1 - k) * blk_k], A_shared)
                for i, j in T.Parallel(blk_m, blk_k):
                    A_shared[i, j] *= A_powsum[i]
                T.copy(A_shared, B[bx * blk_m, (num_k_step - 1 - k) * blk_k])

    return main


def test_rms_norm():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((37, 300)).astype(np.float32)
    exact = x / np.sqrt((x.astype(np.float64) ** 2).mean(1, keepdims=True) + 1e-12)
    bound = np.abs(exact) * (gamma(304) / 2 + 8 * U32)
    within(rms_norm(37, 300, 4)(x), exact, bound)
    within(rms_norm_by_parts(37, 300, 8, 128)(x), exact, bound)


@tilewright.jit(out_idx=[1, 2])
def topk_by_rounds(M, N, topk, blk_m, threads=128):
    dtype = "float32"

    @T.prim_func
    def topk_kernel(
        logits: T.Tensor([M, N], dtype),
        topk_gates: T.Tensor([M, topk], dtype),
        topk_indices: T.Tensor([M, topk], "int32"),
    ):
        with T.Kernel(T.ceildiv(M, blk_m), threads=threads) as bx:
            logits_frag = T.alloc_fragment([blk_m, N], dtype=dtype)
            max_val = T.alloc_fragment([blk_m], dtype=dtype)
            expand_max_idx = T.alloc_fragment([blk_m, N], "int32")
            max_idx = T.alloc_fragment([blk_m], "int32")

            T.copy(logits[bx * blk_m, 0], logits_frag)
            for k in T.serial(topk):
                T.fill(expand_max_idx, -1)
                T.reduce_max(logits_frag, max_val, dim=1, clear=True)
                for i, j in T.Parallel(blk_m, N):
                    expand_max_idx[i, j] = T.if_then_else(
                        max_val[i] == logits_frag[i, j], j, expand_max_idx[i, j]
                    )
                T.reduce_max(expand_max_idx, max_idx, dim=1, clear=True)
                for i, j in T.Parallel(blk_m, N):
                    logits_frag[i, j] = T.if_then_else(
                        max_val[i] == logits_frag[i, j], -10000.0, logits_frag[i, j]
                    )
                for i in T.Parallel(blk_m):
                    topk_gates[bx * blk_m + i, k] = max_val[i]
                    topk_indices[bx * blk_m + i, k] = max_idx[i]

    return topk_kernel


@tilewright.jit
def topk_by_operation(logits, k: int = 6, blk_m: int = 8):
    M, N = T.const("M, N")
    logits: T.Tensor((M, N), "float32")
    gates = T.empty((M, k), "float32")
    indices = T.empty((M, k), "int32")
    with T.Kernel(T.ceildiv(M, blk_m), threads=128) as bx:
        x = T.alloc_fragment((blk_m, N), "float32")
        T.copy(logits[bx * blk_m, 0], x)
        best, places = T.topk(x, k, dim=1)
        T.copy(best, gates[bx * blk_m, 0])
        T.copy(places, indices[bx * blk_m, 0])
    return gates, indices


def test_topk():
    rng = np.random.default_rng(4)
    x = rng.permutation(50 * 64).reshape(50, 64).astype(np.float32)
    order = np.argsort(-x, axis=1)[:, :6]
    for gates, indices in (topk_by_rounds(50, 64, 6, 16)(x), topk_by_operation(x)):
        assert np.array_equal(indices, order)
        assert np.array_equal(gates, np.take_along_axis(x, order, 1))
