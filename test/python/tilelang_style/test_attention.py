"""Attention in TileLang's forms: flash attention, flash decoding, MLA decoding.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilelang_style.checks import within
from tilewright.testing import attend, numpy_dtype

LOG2E = 1.44269504


@tilewright.jit(out_idx=[3])
def flash_attention(
    batch, heads, seq_len, dim, is_causal, block_M=64, block_N=64, num_stages=1, dtype="float16"
):
    scale = (1.0 / dim) ** 0.5 * LOG2E
    shape = [batch, seq_len, heads, dim]
    accum_dtype = "float"

    @T.macro
    def MMA0(
        K: T.Tensor(shape, dtype),
        Q_shared: T.SharedBuffer([block_M, dim], dtype),
        K_shared: T.SharedBuffer([block_N, dim], dtype),
        acc_s: T.FragmentBuffer([block_M, block_N], accum_dtype),
        k: T.int32,
        bx: T.int32,
        by: T.int32,
        bz: T.int32,
    ):
        T.copy(K[bz, k * block_N : (k + 1) * block_N, by, :], K_shared)
        for i, j in T.Parallel(block_M, block_N):
            if is_causal:
                acc_s[i, j] = T.if_then_else(
                    bx * block_M + i >= k * block_N + j, 0, -T.infinity(acc_s.dtype)
                )
            else:
                acc_s[i, j] = T.if_then_else(
                    k * block_N + j >= seq_len, -T.infinity(acc_s.dtype), 0
                )
        T.gemm(Q_shared, K_shared, acc_s, transpose_B=True, policy=T.GemmWarpPolicy.FullRow)

    @T.macro
    def Softmax(
        acc_s, acc_s_cast, scores_max, scores_max_prev, scores_scale, scores_sum, logsum
    ):
        T.copy(scores_max, scores_max_prev)
        T.fill(scores_max, -T.infinity(accum_dtype))
        T.reduce_max(acc_s, scores_max, dim=1, clear=False)
        for i in T.Parallel(block_M):
            scores_scale[i] = T.exp2(scores_max_prev[i] * scale - scores_max[i] * scale)
        for i, j in T.Parallel(block_M, block_N):
            acc_s[i, j] = T.exp2(acc_s[i, j] * scale - scores_max[i] * scale)
        T.reduce_sum(acc_s, scores_sum, dim=1)
        for i in T.Parallel(block_M):
            logsum[i] = logsum[i] * scores_scale[i] + scores_sum[i]
        T.copy(acc_s, acc_s_cast)

    @T.prim_func
    def main(
        Q: T.Tensor(shape, dtype),
        K: T.Tensor(shape, dtype),
        V: T.Tensor(shape, dtype),
        Output: T.Tensor(shape, dtype),
    ):
        with T.Kernel(T.ceildiv(seq_len, block_M), heads, batch, threads=128) as (bx, by, bz):
            Q_shared = T.alloc_shared([block_M, dim], dtype)
            K_shared = T.alloc_shared([block_N, dim], dtype)
            V_shared = T.alloc_shared([block_N, dim], dtype)
            O_shared = T.alloc_shared([block_M, dim], dtype)
            acc_s = T.alloc_fragment([block_M, block_N], accum_dtype)
            acc_s_cast = T.alloc_fragment([block_M, block_N], dtype)
            acc_o = T.alloc_fragment([block_M, dim], accum_dtype)
            scores_max = T.alloc_fragment([block_M], accum_dtype)
            scores_max_prev = T.alloc_fragment([block_M], accum_dtype)
            scores_scale = T.alloc_fragment([block_M], accum_dtype)
            scores_sum = T.alloc_fragment([block_M], accum_dtype)
            logsum = T.alloc_fragment([block_M], accum_dtype)

            T.copy(Q[bz, bx * block_M : (bx + 1) * block_M, by, :], Q_shared)
            T.fill(acc_o, 0)
            T.fill(logsum, 0)
            # Finite, so that rows outside the tensor stay free of inf - inf.
            T.fill(scores_max, -1e30)
            loop_range = (
                T.min(T.ceildiv(seq_len, block_N), T.ceildiv((bx + 1) * block_M, block_N))
                if is_causal
                else T.ceildiv(seq_len, block_N)
            )
            for k in T.Pipelined(loop_range, num_stages=num_stages):
                MMA0(K, Q_shared, K_shared, acc_s, k, bx, by, bz)
                Softmax(
                    acc_s, acc_s_cast, scores_max, scores_max_prev, scores_scale, scores_sum,
                    logsum,
                )  # fmt: skip
                for i, j in T.Parallel(block_M, dim):
                    acc_o[i, j] *= scores_scale[i]
                T.copy(V[bz, k * block_N : (k + 1) * block_N, by, :], V_shared)
                T.gemm(acc_s_cast, V_shared, acc_o, policy=T.GemmWarpPolicy.FullRow)
            for i, j in T.Parallel(block_M, dim):
                acc_o[i, j] /= logsum[i]
            T.copy(acc_o, O_shared)
            T.copy(O_shared, Output[bz, bx * block_M : (bx + 1) * block_M, by, :])

    return main


@pytest.mark.parametrize("is_causal", [False, True])
@pytest.mark.parametrize("seq_len", [128, 100])
def test_flash_attention(is_causal, seq_len):
    batch, heads, dim = 2, 2, 64
    rng = np.random.default_rng(1)
    q, k, v = rng.standard_normal((3, batch, seq_len, heads, dim)).astype(np.float16)
    out = flash_attention(batch, heads, seq_len, dim, is_causal)(q, k, v)
    rows = np.arange(seq_len)
    valid = rows[None, :] <= rows[:, None] if is_causal else np.ones((seq_len,) * 2, bool)
    for b in range(batch):
        for h in range(heads):
            exact = attend(q[b, :, h], k[b, :, h], v[b, :, h], valid, dim**-0.5, "f16").out
            within(out[b, :, h], exact.value, exact.bound)


@tilewright.jit(out_idx=[5])
def flash_decoding(
    batch, heads, groups, seqlen_kv, dim, num_split, block_N=32, dtype="float16"
):
    scale = (1.0 / dim) ** 0.5 * LOG2E
    accum_dtype = "float"
    kv_group_num = heads // groups
    part_shape = [batch, heads, num_split, dim]
    split_len = seqlen_kv // num_split

    @T.macro
    def flash_attn_split(Q, K, V, glse, Output_partial):
        with T.Kernel(batch, groups, num_split, threads=128) as (bx, by, bz):
            Q_shared = T.alloc_shared([kv_group_num, dim], dtype)
            K_shared = T.alloc_shared([block_N, dim], dtype)
            V_shared = T.alloc_shared([block_N, dim], dtype)
            acc_s = T.alloc_fragment([kv_group_num, block_N], accum_dtype)
            acc_s_cast = T.alloc_fragment([kv_group_num, block_N], dtype)
            acc_o = T.alloc_fragment([kv_group_num, dim], accum_dtype)
            scores_max = T.alloc_fragment([kv_group_num], accum_dtype)
            scores_max_prev = T.alloc_fragment([kv_group_num], accum_dtype)
            scores_scale = T.alloc_fragment([kv_group_num], accum_dtype)
            scores_sum = T.alloc_fragment([kv_group_num], accum_dtype)
            logsum = T.alloc_fragment([kv_group_num], accum_dtype)

            bid = bx
            sid = bz
            T.copy(Q[bid, by * kv_group_num : (by + 1) * kv_group_num, :], Q_shared)
            T.fill(acc_o, 0)
            T.fill(logsum, 0)
            T.fill(scores_max, -T.infinity(accum_dtype))
            for k in T.Pipelined(T.ceildiv(split_len, block_N), num_stages=2):
                start = split_len * sid + k * block_N
                T.copy(K[bid, start : start + block_N, by, :], K_shared)
                T.clear(acc_s)
                T.gemm(Q_shared, K_shared, acc_s, transpose_B=True)
                for i, j in T.Parallel(kv_group_num, block_N):
                    acc_s[i, j] = T.if_then_else(
                        k * block_N + j < split_len, acc_s[i, j], -T.infinity(accum_dtype)
                    )
                T.copy(scores_max, scores_max_prev)
                T.reduce_max(acc_s, scores_max, dim=1, clear=False)
                for i in T.Parallel(kv_group_num):
                    scores_scale[i] = T.exp2(scores_max_prev[i] * scale - scores_max[i] * scale)
                for i, j in T.Parallel(kv_group_num, block_N):
                    acc_s[i, j] = T.exp2(acc_s[i, j] * scale - scores_max[i] * scale)
                T.reduce_sum(acc_s, scores_sum, dim=1)
                for i in T.Parallel(kv_group_num):
                    logsum[i] = logsum[i] * scores_scale[i] + scores_sum[i]
                T.copy(acc_s, acc_s_cast)
                for i, j in T.Parallel(kv_group_num, dim):
                    acc_o[i, j] *= scores_scale[i]
                T.copy(V[bid, start : start + block_N, by, :], V_shared)
                T.gemm(acc_s_cast, V_shared, acc_o)
            for i, j in T.Parallel(kv_group_num, dim):
                acc_o[i, j] /= logsum[i]
            for i in T.Parallel(kv_group_num):
                glse[bid, by * kv_group_num + i, sid] = (
                    T.log2(logsum[i]) + scores_max[i] * scale
                )
            T.copy(
                acc_o,
                Output_partial[bid, by * kv_group_num : (by + 1) * kv_group_num, sid, :],
            )

    @T.macro
    def combine(glse, Output_partial, Output):
        with T.Kernel(heads, batch, threads=128) as (by, bz):
            po_local = T.alloc_fragment([dim], accum_dtype)
            o_accum_local = T.alloc_fragment([dim], accum_dtype)
            lse_local_split = T.alloc_local([1], accum_dtype)
            lse_logsum_local = T.alloc_local([1], accum_dtype)
            lse_max_local = T.alloc_local([1], accum_dtype)
            scale_local = T.alloc_local([1], accum_dtype)

            T.clear(lse_logsum_local)
            T.clear(o_accum_local)
            lse_max_local[0] = -T.infinity(accum_dtype)
            for k in T.serial(num_split):
                lse_max_local[0] = T.max(lse_max_local[0], glse[bz, by, k])
            for k in T.Pipelined(num_split, num_stages=1):
                lse_local_split[0] = glse[bz, by, k]
                lse_logsum_local[0] += T.exp2(lse_local_split[0] - lse_max_local[0])
            lse_logsum_local[0] = T.log2(lse_logsum_local[0]) + lse_max_local[0]
            for k in T.serial(num_split):
                for i in T.Parallel(dim):
                    po_local[i] = Output_partial[bz, by, k, i]
                lse_local_split[0] = glse[bz, by, k]
                scale_local[0] = T.exp2(lse_local_split[0] - lse_logsum_local[0])
                for i in T.Parallel(dim):
                    o_accum_local[i] += po_local[i] * scale_local[0]
            for i in T.Parallel(dim):
                Output[bz, by, i] = o_accum_local[i]

    @T.prim_func
    def flashattn_gqa_decode_split(
        Q: T.Tensor([batch, heads, dim], dtype),
        K: T.Tensor([batch, seqlen_kv, groups, dim], dtype),
        V: T.Tensor([batch, seqlen_kv, groups, dim], dtype),
        glse: T.Tensor([batch, heads, num_split], accum_dtype),
        Output_partial: T.Tensor(part_shape, accum_dtype),
        Output: T.Tensor([batch, heads, dim], dtype),
    ):
        flash_attn_split(Q, K, V, glse, Output_partial)
        combine(glse, Output_partial, Output)

    return flashattn_gqa_decode_split


def test_flash_decoding():
    batch, heads, groups, seqlen, dim, splits = 2, 8, 2, 180, 64, 3
    rng = np.random.default_rng(2)
    q = rng.standard_normal((batch, heads, dim)).astype(np.float16)
    k, v = rng.standard_normal((2, batch, seqlen, groups, dim)).astype(np.float16)
    glse = np.full((batch, heads, splits), np.nan, np.float32)
    partial = np.full((batch, heads, splits, dim), np.nan, np.float32)
    out = flash_decoding(batch, heads, groups, seqlen, dim, splits)(q, k, v, glse, partial)
    for b in range(batch):
        for h in range(heads):
            g = h // (heads // groups)
            exact = attend(
                q[b, h : h + 1], k[b, :, g], v[b, :, g], np.ones((1, seqlen), bool),
                dim**-0.5, "f16",
            ).out  # fmt: skip
            within(out[b, h : h + 1], exact.value, exact.bound)


@tilewright.jit(out_idx=[6])
def mla_decode(batch, heads, seqlen_kv, dim, pe_dim, block_N, block_H, num_split, dtype):
    scale = (1.0 / (dim + pe_dim)) ** 0.5 * LOG2E
    accum_dtype = "float"
    kv_head_num = 1
    kv_group_num = heads // kv_head_num
    VALID_BLOCK_H = min(block_H, kv_group_num)

    @T.macro
    def flash_attn_split(
        Q: T.Tensor([batch, heads, dim], dtype),
        Q_pe: T.Tensor([batch, heads, pe_dim], dtype),
        KV: T.Tensor([batch, seqlen_kv, kv_head_num, dim], dtype),
        K_pe: T.Tensor([batch, seqlen_kv, kv_head_num, pe_dim], dtype),
        glse: T.Tensor([batch, heads, num_split], accum_dtype),
        Output_partial: T.Tensor([batch, heads, num_split, dim], accum_dtype),
    ):
        with T.Kernel(batch, heads // min(block_H, kv_group_num), num_split, threads=256) as (
            bid,
            hid,
            bz,
        ):
            Q_shared = T.alloc_shared([block_H, dim], dtype)
            S_shared = T.alloc_shared([block_H, block_N], dtype)
            Q_pe_shared = T.alloc_shared([block_H, pe_dim], dtype)
            KV_shared = T.alloc_shared([block_N, dim], dtype)
            K_pe_shared = T.alloc_shared([block_N, pe_dim], dtype)
            acc_s = T.alloc_fragment([block_H, block_N], accum_dtype)
            acc_s_cast = T.alloc_fragment([block_H, block_N], dtype)
            acc_o = T.alloc_fragment([block_H, dim], accum_dtype)
            scores_max = T.alloc_fragment([block_H], accum_dtype)
            scores_max_prev = T.alloc_fragment([block_H], accum_dtype)
            scores_scale = T.alloc_fragment([block_H], accum_dtype)
            scores_sum = T.alloc_fragment([block_H], accum_dtype)
            logsum = T.alloc_fragment([block_H], accum_dtype)

            cur_kv_head = hid // (kv_group_num // block_H)
            T.use_swizzle(10)
            T.annotate_layout({S_shared: tilewright.layout.make_swizzled_layout(S_shared)})

            T.copy(Q[bid, hid * VALID_BLOCK_H : (hid + 1) * VALID_BLOCK_H, :], Q_shared)
            T.copy(Q_pe[bid, hid * VALID_BLOCK_H : (hid + 1) * VALID_BLOCK_H, :], Q_pe_shared)
            T.fill(acc_o, 0)
            T.fill(logsum, 0)
            T.fill(scores_max, -T.infinity(accum_dtype))

            loop_range = T.ceildiv((seqlen_kv // num_split), block_N)
            for k in T.Pipelined(loop_range, num_stages=2):
                kv_start = (seqlen_kv // num_split) * bz + k * block_N
                kv_end = (seqlen_kv // num_split) * bz + (k + 1) * block_N
                T.copy(KV[bid, kv_start:kv_end, cur_kv_head, :], KV_shared)
                T.copy(K_pe[bid, kv_start:kv_end, cur_kv_head, :], K_pe_shared)
                T.clear(acc_s)
                T.gemm(
                    Q_shared,
                    KV_shared,
                    acc_s,
                    transpose_B=True,
                    policy=T.GemmWarpPolicy.FullCol,
                )
                T.gemm(
                    Q_pe_shared,
                    K_pe_shared,
                    acc_s,
                    transpose_B=True,
                    policy=T.GemmWarpPolicy.FullCol,
                )
                T.copy(scores_max, scores_max_prev)
                T.fill(scores_max, -T.infinity(accum_dtype))
                T.reduce_max(acc_s, scores_max, dim=1, clear=False)
                for i in T.Parallel(block_H):
                    scores_max[i] = T.max(scores_max[i], scores_max_prev[i])
                    scores_scale[i] = T.exp2(scores_max_prev[i] * scale - scores_max[i] * scale)
                for i, j in T.Parallel(block_H, block_N):
                    acc_s[i, j] = T.exp2(acc_s[i, j] * scale - scores_max[i] * scale)
                T.reduce_sum(acc_s, scores_sum, dim=1)
                T.copy(acc_s, S_shared)
                T.copy(S_shared, acc_s_cast)
                for i in T.Parallel(block_H):
                    logsum[i] = logsum[i] * scores_scale[i] + scores_sum[i]
                for i, j in T.Parallel(block_H, dim):
                    acc_o[i, j] *= scores_scale[i]
                T.gemm(acc_s_cast, KV_shared, acc_o, policy=T.GemmWarpPolicy.FullCol)
            for i, j in T.Parallel(block_H, dim):
                acc_o[i, j] /= logsum[i]
            for i in T.Parallel(block_H):
                logsum[i] = T.log2(logsum[i]) + scores_max[i] * scale
            T.copy(logsum, glse[bid, hid * VALID_BLOCK_H : (hid + 1) * VALID_BLOCK_H, bz])
            T.copy(
                acc_o,
                Output_partial[bid, hid * VALID_BLOCK_H : (hid + 1) * VALID_BLOCK_H, bz, :],
            )

    @T.macro
    def combine(
        glse: T.Tensor([batch, heads, num_split], accum_dtype),
        Output_partial: T.Tensor([batch, heads, num_split, dim], accum_dtype),
        Output: T.Tensor([batch, heads, dim], dtype),
    ):
        with T.Kernel(heads, batch, threads=128) as (hid, bz):
            po_local = T.alloc_fragment([dim], accum_dtype)
            o_accum_local = T.alloc_fragment([dim], accum_dtype)
            lse_local_split = T.alloc_var(accum_dtype)
            lse_logsum_local = T.alloc_var(accum_dtype)
            lse_max_local = T.alloc_var(accum_dtype)
            scale_local = T.alloc_var(accum_dtype)

            lse_logsum_local = 0
            T.clear(o_accum_local)
            lse_max_local = -T.infinity(accum_dtype)
            for k in T.serial(num_split):
                lse_max_local = T.max(lse_max_local, glse[bz, hid, k])
            for k in T.Pipelined(num_split, num_stages=1):
                lse_local_split = glse[bz, hid, k]
                lse_logsum_local += T.exp2(lse_local_split - lse_max_local)
            lse_logsum_local = T.log2(lse_logsum_local) + lse_max_local
            for k in T.serial(num_split):
                for i in T.Parallel(dim):
                    po_local[i] = Output_partial[bz, hid, k, i]
                lse_local_split = glse[bz, hid, k]
                scale_local = T.exp2(lse_local_split - lse_logsum_local)
                for i in T.Parallel(dim):
                    o_accum_local[i] += po_local[i] * scale_local
            for i in T.Parallel(dim):
                Output[bz, hid, i] = o_accum_local[i]

    @T.prim_func
    def main_split(
        Q: T.Tensor([batch, heads, dim], dtype),
        Q_pe: T.Tensor([batch, heads, pe_dim], dtype),
        KV: T.Tensor([batch, seqlen_kv, kv_head_num, dim], dtype),
        K_pe: T.Tensor([batch, seqlen_kv, kv_head_num, pe_dim], dtype),
        glse: T.Tensor([batch, heads, num_split], accum_dtype),
        Output_partial: T.Tensor([batch, heads, num_split, dim], accum_dtype),
        Output: T.Tensor([batch, heads, dim], dtype),
    ):
        flash_attn_split(Q, Q_pe, KV, K_pe, glse, Output_partial)
        combine(glse, Output_partial, Output)

    return main_split


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_mla_decode(dtype):
    batch, heads, seqlen, dim, pe_dim, splits = 2, 16, 128, 512, 64, 2
    short = {"float16": "f16", "bfloat16": "bf16"}[dtype]
    made = numpy_dtype(short)
    rng = np.random.default_rng(3)
    q = rng.standard_normal((batch, heads, dim)).astype(made)
    q_pe = rng.standard_normal((batch, heads, pe_dim)).astype(made)
    kv = rng.standard_normal((batch, seqlen, 1, dim)).astype(made)
    k_pe = rng.standard_normal((batch, seqlen, 1, pe_dim)).astype(made)
    glse = np.full((batch, heads, splits), np.nan, np.float32)
    partial = np.full((batch, heads, splits, dim), np.nan, np.float32)
    kernel = mla_decode(batch, heads, seqlen, dim, pe_dim, 32, 16, splits, dtype)
    out = kernel(q, q_pe, kv, k_pe, glse, partial)
    for b in range(batch):
        exact = attend(
            np.concatenate([q[b], q_pe[b]], 1),
            np.concatenate([kv[b, :, 0], k_pe[b, :, 0]], 1),
            kv[b, :, 0],
            np.ones((heads, seqlen), bool),
            (dim + pe_dim) ** -0.5,
            short,
        ).out
        within(out[b], exact.value, exact.bound)
