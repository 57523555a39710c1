"""TileLang kernels of training and of quantised inference.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from typing import Any

import tilelang.language as T


def conv(size: int, inner: int, outer: int) -> Any:
    """A convolution of 3 x 3 of one image, padded: a product with gathered pixels."""

    @T.prim_func
    def conv(
        X: T.Tensor((1, size, size, inner), "float16"),
        W: T.Tensor((9 * inner, outer), "float16"),
        C: T.Tensor((size * size, outer), "float16"),
    ):
        with T.Kernel(T.ceildiv(outer, 64), T.ceildiv(size * size, 64), threads=128) as (
            bx,
            by,
        ):
            a = T.alloc_shared((64, 32), "float16")
            b = T.alloc_shared((32, 64), "float16")
            out = T.alloc_shared((64, 64), "float16")
            c = T.alloc_fragment((64, 64), "float32")
            T.clear(c)
            for k in T.Pipelined(9 * inner // 32, num_stages=2):
                T.c2d_im2col(X, a, by, k, 3, 1, 1, 1)
                T.copy(W[k * 32, bx * 64], b)
                T.gemm(a, b, c)
            T.copy(c, out)
            T.copy(out, C[by * 64, bx * 64])

    return conv


def matmul_int4(m: int, n: int, k: int) -> Any:
    """C = A @ B.T with two weights of B in a byte."""

    @T.prim_func
    def matmul_int4(
        A: T.Tensor((m, k), "float16"),
        B: T.Tensor((n, k // 2), "uint8"),
        C: T.Tensor((m, n), "float32"),
    ):
        with T.Kernel(T.ceildiv(n, 64), T.ceildiv(m, 64), threads=128) as (bx, by):
            a = T.alloc_shared((64, 32), "float16")
            packed = T.alloc_shared((64, 16), "uint8")
            words = T.alloc_fragment((64, 16), "uint8")
            weights = T.alloc_fragment((64, 32), "float16")
            b = T.alloc_shared((64, 32), "float16")
            c = T.alloc_fragment((64, 64), "float32")
            T.clear(c)
            for i in T.Pipelined(k // 32, num_stages=2):
                T.copy(A[by * 64, i * 32], a)
                T.copy(B[bx * 64, i * 16], packed)
                T.copy(packed, words)
                for x, y in T.Parallel(64, 32):
                    word = words[x, y // 2] >> T.cast((y % 2) * 4, "uint8")
                    weights[x, y] = T.cast(word & T.uint8(15), "float16") - T.float16(8)
                T.copy(weights, b)
                T.gemm(a, b, c, transpose_B=True)
            T.copy(c, C[by * 64, bx * 64])

    return matmul_int4


def attend_backward(heads: int, length: int, d: int) -> Any:
    """The gradients of attention: five products, dQ added up by atomics."""
    scale = d**-0.5
    rows = T.GemmWarpPolicy.FullRow

    @T.prim_func
    def attend_backward(
        Q: T.Tensor((heads, length, d), "float16"),
        K: T.Tensor((heads, length, d), "float16"),
        V: T.Tensor((heads, length, d), "float16"),
        G: T.Tensor((heads, length, d), "float16"),
        L: T.Tensor((heads, length), "float32"),
        Delta: T.Tensor((heads, length), "float32"),
        DQ: T.Tensor((heads, length, d), "float32"),
        DK: T.Tensor((heads, length, d), "float32"),
        DV: T.Tensor((heads, length, d), "float32"),
    ):
        with T.Kernel(T.ceildiv(length, 64), heads, threads=128) as (bx, h):
            k, v = T.alloc_shared((64, d), "float16"), T.alloc_shared((64, d), "float16")
            q, g = T.alloc_shared((64, d), "float16"), T.alloc_shared((64, d), "float16")
            lse, delta = T.alloc_shared((64,), "float32"), T.alloc_shared((64,), "float32")
            ds_shared = T.alloc_shared((64, 64), "float16")
            p = T.alloc_fragment((64, 64), "float32")
            dp = T.alloc_fragment((64, 64), "float32")
            p_half = T.alloc_fragment((64, 64), "float16")
            ds = T.alloc_fragment((64, 64), "float16")
            dk = T.alloc_fragment((64, d), "float32")
            dv = T.alloc_fragment((64, d), "float32")
            dq = T.alloc_fragment((64, d), "float32")
            T.copy(K[h, bx * 64 : (bx + 1) * 64, :], k)
            T.copy(V[h, bx * 64 : (bx + 1) * 64, :], v)
            T.clear(dk)
            T.clear(dv)
            for i in T.Pipelined(length // 64, num_stages=1):
                T.copy(Q[h, i * 64 : (i + 1) * 64, :], q)
                T.clear(p)
                T.gemm(k, q, p, transpose_B=True, policy=rows)
                T.copy(L[h, i * 64 : (i + 1) * 64], lse)
                for x, y in T.Parallel(64, 64):
                    p[x, y] = T.exp2(p[x, y] * (scale * 1.44269504) - lse[y])
                T.copy(G[h, i * 64 : (i + 1) * 64, :], g)
                T.clear(dp)
                T.gemm(v, g, dp, transpose_B=True, policy=rows)
                T.copy(p, p_half)
                T.gemm(p_half, g, dv, policy=rows)
                T.copy(Delta[h, i * 64 : (i + 1) * 64], delta)
                for x, y in T.Parallel(64, 64):
                    ds[x, y] = p[x, y] * (dp[x, y] - delta[y]) * scale
                T.gemm(ds, q, dk, policy=rows)
                T.copy(ds, ds_shared)
                T.clear(dq)
                T.gemm(ds_shared, k, dq, transpose_A=True)
                for x, y in T.Parallel(64, d):
                    T.atomic_add(DQ[h, i * 64 + x, y], dq[x, y])
            T.copy(dv, DV[h, bx * 64 : (bx + 1) * 64, :])
            T.copy(dk, DK[h, bx * 64 : (bx + 1) * 64, :])

    return attend_backward


def cumsum(rows: int, columns: int) -> Any:
    """Sums along rows, in shared memory."""

    @T.prim_func
    def cumsum(
        X: T.Tensor((rows, columns), "float32"), S: T.Tensor((rows, columns), "float32")
    ):
        with T.Kernel(T.ceildiv(rows, 32), threads=128) as bx:
            tile = T.alloc_shared((32, columns), "float32")
            T.copy(X[bx * 32, 0], tile)
            T.cumsum(src=tile, dim=1)
            T.copy(tile, S[bx * 32, 0])

    return cumsum
