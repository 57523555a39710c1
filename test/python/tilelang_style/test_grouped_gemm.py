"""Grouped matrix product in TileLang's form: ragged groups, found by a search.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilelang_style.checks import product


@tilewright.jit(
    out_idx=[2],
    pass_configs={"tl.disable_tma_lower": True, "tl.disable_warp_specialized": True},
)
def grouped_gemm(
    batch_sizes_list,
    K,
    N,
    block_M,
    block_N,
    block_K,
    num_stages=2,
    threads=128,
    dtype="float16",
):
    batch_sum = sum(batch_sizes_list)
    batch_count = len(batch_sizes_list)
    accum_dtype = "float32"

    @T.prim_func
    def kernel(
        A: T.Tensor([batch_sum, K], dtype),
        B: T.Tensor([batch_count, K, N], dtype),
        C: T.Tensor([batch_sum, N], dtype),
        batch_sizes: T.Tensor([batch_count], "int32"),
        batch_offsets: T.Tensor([batch_count], "int32"),
        batch_padded_offsets: T.Tensor([batch_count], "int32"),
    ):
        with T.Kernel(
            T.ceildiv(batch_sum, block_M) + batch_count, T.ceildiv(N, block_N), threads=threads
        ) as (bx, by):
            A_shared = T.alloc_shared([block_M, block_K], dtype)
            B_shared = T.alloc_shared([block_K, block_N], dtype)
            C_local = T.alloc_fragment([block_M, block_N], accum_dtype)
            cur_batch_idx = T.alloc_local([1], "int32")
            cur_batch_size = T.alloc_local([1], "int32")

            m_start_padded = bx * block_M
            cur_batch_idx[0] = 0
            for i in range(batch_count):
                in_cur_batch_idx = m_start_padded >= batch_padded_offsets[i]
                cur_batch_idx[0] = T.if_then_else(in_cur_batch_idx, i, cur_batch_idx[0])

            cur_batch_size[0] = batch_sizes[cur_batch_idx[0]]
            m_start = (
                m_start_padded
                - batch_padded_offsets[cur_batch_idx[0]]
                + batch_offsets[cur_batch_idx[0]]
            )
            actual_rows = T.max(
                0,
                T.min(
                    block_M,
                    cur_batch_size[0] + batch_padded_offsets[cur_batch_idx[0]] - m_start_padded,
                ),
            )

            T.clear(C_local)
            for k in T.Pipelined(T.ceildiv(K, block_K), num_stages=num_stages):
                T.copy(
                    A[m_start : m_start + block_M, k * block_K : (k + 1) * block_K], A_shared
                )
                T.copy(
                    B[
                        cur_batch_idx[0],
                        k * block_K : (k + 1) * block_K,
                        by * block_N : (by + 1) * block_N,
                    ],
                    B_shared,
                )
                T.gemm(A_shared, B_shared, C_local)

            for i, j in T.Parallel(block_M, block_N):
                if i < actual_rows:
                    C[m_start + i, by * block_N + j] = C_local[i, j]

    return kernel


@pytest.mark.parametrize("sizes", [[64], [63, 77, 111], [5, 0, 40, 1]])
def test_grouped_gemm(sizes):
    K, N, block_M = 96, 80, 32
    rng = np.random.default_rng(1)
    a = rng.standard_normal((sum(sizes), K)).astype(np.float16)
    b = rng.standard_normal((len(sizes), K, N)).astype(np.float16)
    offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
    padded = -(-(np.array(sizes) + 1) // block_M) * block_M
    padded = np.concatenate([[0], np.cumsum(padded)[:-1]]).astype(np.int32)
    kernel = grouped_gemm(sizes, K, N, block_M, 32, 32)
    c = kernel(a, b, np.array(sizes, np.int32), offsets, padded)
    for group, (start, size) in enumerate(zip(offsets, sizes)):
        product(c[start : start + size], a[start : start + size], b[group], "f16")
