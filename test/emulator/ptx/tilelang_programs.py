"""TileLang kernels of the corpus, and how to lower them to CUDA C++ without a GPU.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import tilelang
import tilelang.language as T
import tilelang_training as training
from tvm.target import Target

SWIZZLES = ("none", "32B", "64B", "128B")
# CUtensorMapDataType.
DTYPES = {0: "u8", 1: "u16", 2: "u32", 3: "s32", 6: "f16", 7: "f32", 9: "bf16", 11: "tf32"}


def matmul(m: int, n: int, k: int, block: tuple[int, int, int], dtype: str, stages: int) -> Any:
    """C = A @ B, with a ragged m."""
    bm, bn, bk = block

    @T.prim_func
    def matmul(
        A: T.Tensor((m, k), dtype), B: T.Tensor((k, n), dtype), C: T.Tensor((m, n), "float32")
    ):
        with T.Kernel(T.ceildiv(n, bn), T.ceildiv(m, bm), threads=128) as (bx, by):
            a = T.alloc_shared((bm, bk), dtype)
            b = T.alloc_shared((bk, bn), dtype)
            c = T.alloc_fragment((bm, bn), "float32")
            T.clear(c)
            for i in T.Pipelined(T.ceildiv(k, bk), num_stages=stages):
                T.copy(A[by * bm, i * bk], a)
                T.copy(B[i * bk, bx * bn], b)
                T.gemm(a, b, c)
            T.copy(c, C[by * bm, bx * bn])

    return matmul


def matmul_transposed(m: int, n: int, k: int, block: tuple[int, int, int], dtype: str) -> Any:
    """C = A @ B.T, stored through shared memory."""
    bm, bn, bk = block

    @T.prim_func
    def matmul_transposed(
        A: T.Tensor((m, k), dtype), B: T.Tensor((n, k), dtype), C: T.Tensor((m, n), "bfloat16")
    ):
        with T.Kernel(T.ceildiv(n, bn), T.ceildiv(m, bm), threads=256) as (bx, by):
            a = T.alloc_shared((bm, bk), dtype)
            b = T.alloc_shared((bn, bk), dtype)
            c = T.alloc_fragment((bm, bn), "float32")
            out = T.alloc_shared((bm, bn), "bfloat16")
            T.use_swizzle(4)
            T.clear(c)
            for i in T.Pipelined(T.ceildiv(k, bk), num_stages=2):
                T.copy(A[by * bm, i * bk], a)
                T.copy(B[bx * bn, i * bk], b)
                T.gemm(a, b, c, transpose_B=True)
            T.copy(c, out)
            T.copy(out, C[by * bm, bx * bn])

    return matmul_transposed


def attend(heads: int, length: int, d: int, causal: bool, stages: int) -> Any:
    """FlashAttention of [heads, length, d]; a multiple of 64 queries."""
    bm, bn = 64, 64
    scale = d**-0.5 * 1.4426950408889634

    @T.prim_func
    def attend(
        Q: T.Tensor((heads, length, d), "float16"),
        K: T.Tensor((heads, length, d), "float16"),
        V: T.Tensor((heads, length, d), "float16"),
        O: T.Tensor((heads, length, d), "float16"),
    ):
        with T.Kernel(T.ceildiv(length, bm), heads, threads=128) as (bx, h):
            q = T.alloc_shared((bm, d), "float16")
            k = T.alloc_shared((bn, d), "float16")
            v = T.alloc_shared((bn, d), "float16")
            s = T.alloc_fragment((bm, bn), "float32")
            p = T.alloc_fragment((bm, bn), "float16")
            o = T.alloc_fragment((bm, d), "float32")
            top = T.alloc_fragment((bm,), "float32")
            before = T.alloc_fragment((bm,), "float32")
            fade = T.alloc_fragment((bm,), "float32")
            part = T.alloc_fragment((bm,), "float32")
            weight = T.alloc_fragment((bm,), "float32")
            T.copy(Q[h, bx * bm : (bx + 1) * bm, :], q)
            T.fill(o, 0)
            T.fill(weight, 0)
            T.fill(top, -T.infinity("float32"))
            blocks = bx + 1 if causal else T.ceildiv(length, bn)
            for n in T.Pipelined(blocks, num_stages=stages):
                T.copy(K[h, n * bn : (n + 1) * bn, :], k)
                if causal:
                    for i, j in T.Parallel(bm, bn):
                        s[i, j] = T.if_then_else(
                            bx * bm + i >= n * bn + j, 0, -T.infinity("float32")
                        )
                else:
                    T.clear(s)
                T.gemm(q, k, s, transpose_B=True, policy=T.GemmWarpPolicy.FullRow)
                T.copy(top, before)
                T.reduce_max(s, top, dim=1, clear=False)
                for i in T.Parallel(bm):
                    fade[i] = T.exp2(before[i] * scale - top[i] * scale)
                for i, j in T.Parallel(bm, bn):
                    s[i, j] = T.exp2(s[i, j] * scale - top[i] * scale)
                T.reduce_sum(s, part, dim=1)
                for i in T.Parallel(bm):
                    weight[i] = weight[i] * fade[i] + part[i]
                T.copy(s, p)
                for i, j in T.Parallel(bm, d):
                    o[i, j] *= fade[i]
                T.copy(V[h, n * bn : (n + 1) * bn, :], v)
                T.gemm(p, v, o, policy=T.GemmWarpPolicy.FullRow)
            for i, j in T.Parallel(bm, d):
                o[i, j] /= weight[i]
            T.copy(o, O[h, bx * bm : (bx + 1) * bm, :])

    return attend


def split_sum(rows: int, columns: int, parts: int) -> Any:
    """Column sums of the parts of a matrix, added up by atomics, and a histogram of signs."""

    @T.prim_func
    def split_sum(
        X: T.Tensor((rows, columns), "float32"),
        S: T.Tensor((columns,), "float32"),
        H: T.Tensor((2,), "int32"),
    ):
        with T.Kernel(T.ceildiv(columns, 128), parts, threads=128) as (bx, by):
            x = T.alloc_fragment((rows // parts, 128), "float32")
            total = T.alloc_fragment((128,), "float32")
            T.copy(X[by * (rows // parts), bx * 128], x)
            T.reduce_sum(x, total, dim=0)
            for j in T.Parallel(128):
                if bx * 128 + j < columns:
                    T.atomic_add(S[bx * 128 + j], total[j])
                    T.atomic_add(H[T.if_then_else(total[j] < 0, 0, 1)], 1)

    return split_sum


def matmul_fp8(m: int, n: int, k: int, block: tuple[int, int, int]) -> Any:
    """C = A @ B.T of 8-bit floats, added up in f32 from tile to tile."""
    bm, bn, bk = block

    @T.prim_func
    def matmul_fp8(
        A: T.Tensor((m, k), "float8_e4m3fn"),
        B: T.Tensor((n, k), "float8_e4m3fn"),
        C: T.Tensor((m, n), "float32"),
    ):
        with T.Kernel(T.ceildiv(n, bn), T.ceildiv(m, bm), threads=128) as (bx, by):
            a = T.alloc_shared((bm, bk), "float8_e4m3fn")
            b = T.alloc_shared((bn, bk), "float8_e4m3fn")
            c = T.alloc_fragment((bm, bn), "float32")
            total = T.alloc_fragment((bm, bn), "float32")
            T.clear(total)
            for i in T.Pipelined(T.ceildiv(k, bk), num_stages=3):
                T.copy(A[by * bm, i * bk], a)
                T.copy(B[bx * bn, i * bk], b)
                T.gemm(a, b, c, transpose_B=True, clear_accum=True)
                for x, y in T.Parallel(bm, bn):
                    total[x, y] += c[x, y]
            T.copy(total, C[by * bm, bx * bn])

    return matmul_fp8


PROGRAMS: dict[str, Callable[[], Any]] = {
    "tilelang_matmul": lambda: matmul(100, 192, 224, (64, 64, 32), "float16", 3),
    "tilelang_matmul_transposed": lambda: matmul_transposed(
        192, 136, 160, (128, 64, 32), "bfloat16"
    ),
    "tilelang_matmul_fp8": lambda: matmul_fp8(128, 128, 256, (64, 64, 64)),
    "tilelang_attend": lambda: attend(2, 192, 64, causal=False, stages=2),
    "tilelang_attend_causal": lambda: attend(2, 192, 128, causal=True, stages=1),
    "tilelang_split_sum": lambda: split_sum(96, 200, 3),
    "tilelang_conv": lambda: training.conv(16, 32, 64),
    "tilelang_matmul_int4": lambda: training.matmul_int4(128, 64, 128),
    "tilelang_attend_backward": lambda: training.attend_backward(1, 128, 64),
    "tilelang_cumsum": lambda: training.cumsum(64, 96),
}


def lower(program: str, arch: str) -> tuple[str, dict[str, Any]]:
    """The CUDA source, and the launch facts that stand in TileLang's host code."""
    target = Target({"kind": "cuda", "arch": arch})
    with target:
        made = tilelang.lower(PROGRAMS[program](), target=target, enable_device_compile=True)
    host = str(made.host_mod)
    maps = {}
    for name, words in re.findall(
        r'call_packed\("__tvm_tensormap_create_tiled", (\w+), (.*)\)', host
    ):
        maps[name] = tensor_map([word.strip() for word in words.split(",")])
    for name, words in re.findall(
        r'call_packed\("__tvm_tensormap_create_im2col", (\w+), (.*)\)', host
    ):
        maps[name] = im2col_map([word.strip() for word in words.split(",")])
    [call] = re.findall(r'call_packed\("(\w+_kernel)", (.*)\)', host)
    kernel, words = call[0], [word.strip() for word in call[1].split(",")]
    names = [word for word in words if not word.isdigit()]
    numbers = [int(word) for word in words if word.isdigit()]
    # Grid, block, and the dynamic shared memory if there is any.
    dynamic = "extern __shared__" in made.kernel_source
    shared = numbers.pop() if dynamic else 0
    grid = (numbers[:-3] + [1, 1])[:3]
    facts = {
        "grid": grid,
        "block": numbers[-3:],
        "cluster": [1, 1, 1],
        "shared": shared,
        "arguments": [maps.get(name, name) for name in names],
    }
    return made.kernel_source, {kernel: facts}


def tensor_map(words: list[str]) -> dict[str, Any]:
    """The arguments of TileLang's call that makes a tensor map."""
    dtype, rank, array = DTYPES[int(words[0])], int(words[1]), words[2]
    numbers = [int(word) for word in words[3:]]
    sizes, strides, box, steps = (numbers[i * rank : (i + 1) * rank] for i in range(4))
    _, swizzle, _, fill = numbers[4 * rank :]
    return {
        "array": array,
        "dtype": dtype,
        "sizes": sizes,
        "strides": strides[1:],
        "box": box,
        "element_strides": steps,
        "swizzle": SWIZZLES[swizzle],
        "fill": "nan" if fill else "zero",
    }


def im2col_map(words: list[str]) -> dict[str, Any]:
    """The arguments of TileLang's call that makes an im2col map."""
    dtype, rank, array = DTYPES[int(words[0])], int(words[1]), words[2]
    numbers = [int(word) for word in words[3:]]
    sizes, strides, steps = (numbers[i * rank : (i + 1) * rank] for i in range(3))
    lower, upper = numbers[3 * rank : 4 * rank - 2], numbers[4 * rank - 2 : 5 * rank - 4]
    count, channels, _, swizzle, _, fill = numbers[5 * rank - 4 :]
    return {
        "array": array,
        "dtype": dtype,
        "sizes": sizes,
        "strides": strides[1:],
        "box": [],
        "pixels": [lower, upper, channels, count],
        "element_strides": steps,
        "swizzle": SWIZZLES[swizzle],
        "fill": "nan" if fill else "zero",
    }
