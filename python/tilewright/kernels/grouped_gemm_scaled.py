# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Grouped GEMM in DeepGEMM's layouts, and with its scaled fp8 and fp4 operands.

    c[r, :] = a'[r, :] @ b'[g(r)]^T      for the rows r that belong to a group g(r)

Layouts of a [rows, k] and c [rows, n]:

    contiguous  layout [rows] i32 is the group of each row, or -1 for none; the rows from
                128 i to 128 i + 127 are of one group and of none, those of the group first
    masked      a is [groups, most, k] and c [groups, most, n]; the first counts[g] (i32) rows
                of a[g] belong to group g

Rows of no group are not written and may hold anything. Operands, with c of bf16 where they are
scaled:

    plain   a' = a, b' = b               bf16, f16 or f32; b [groups, n, k]; c of their dtype
    fp8     a'[r, j] = a[r, j] a_scale[r, j // 128]                          a, b f8e4m3fn
            b'[g, i, j] = b[g, i, j] b_scale[g, i // 128, j // 128]
    fp4     a' as in fp8, b'[g, i, j] = b[g, i, j] b_scale[g, i, j // 32]    b f4e2m1fn, two in
            a byte ([groups, n, k / 2] of bytes); k a multiple of 32, b' numbers of bf16

Scales are f32 or f8e8m0fnu, with any strides. The products of 128 columns are accumulated in
f32, and their sums, scaled, in f32 again (DeepSeek-V3, arXiv 2412.19437, section 3.3.2). rows,
most and strides are dynamic, n, k and groups static.

Bound of c, with t = min(k, 128) + ceil(k / 128) + 3: gamma_t |a'||b'| + u(c) |c|.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import tilewright
import tilewright.language as T
from tilewright.kernels.arrays import dtype_of, empty, full, require, reshaped, row_bounds
from tilewright.pairs import unpack_pairs

DEPTH = 128  # columns of k that share a scale of a
RUN = 128  # rows of one group in the contiguous layout
FP4_DEPTH = 32  # columns of k that share a scale of fp4 weights

PLAIN, FP8, FP4 = "plain", "fp8", "fp4"


def dequantised(
    a: np.ndarray, b: np.ndarray, a_scale: np.ndarray | None, b_scale: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """a' [..., k] and b' [groups, n, k] of the definition in float64."""
    b = unpack_pairs(b) if b.dtype == np.uint8 else b
    a64, b64 = a.astype(np.float64), b.astype(np.float64)
    if a_scale is None or b_scale is None:
        return a64, b64
    k, n = a.shape[-1], b.shape[1]
    a64 *= np.repeat(a_scale.astype(np.float64), DEPTH, -1)[..., :k]
    if b_scale.shape[1] == n and b_scale.shape[2] * FP4_DEPTH == k:
        return a64, b64 * np.repeat(b_scale.astype(np.float64), FP4_DEPTH, -1)
    blocks = np.repeat(np.repeat(b_scale.astype(np.float64), DEPTH, 1), DEPTH, 2)
    return a64, b64 * blocks[:, :n, :k]


def reference(a: np.ndarray, b: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """c of a' [rows, k], b' and the group of each row, in float64; unwritten rows are 0."""
    c = np.zeros((len(a), b.shape[1]))
    for g in range(len(b)):
        c[groups == g] = a[groups == g] @ b[g].T
    return c


@functools.cache
def grouped_gemm_scaled_kernel(
    n: int,
    k: int,
    groups: int,
    kind: str,
    dtype: str,
    out: str,
    scales: tuple[str, str],
    masked: bool,
    row_tile: int,
    target: str,
    least: int = 0,
) -> Any:
    """The compiled kernel of one weight shape; `row_tile` is the most rows of a tile.

    a has `least` rows or more.

    In the masked layout a, its scales and c are given as [groups * most, ...].
    """
    rows, listed = T.dynamic("rows", min=least), T.dynamic("listed")
    weight = {PLAIN: dtype, FP8: "f8e4m3fn", FP4: "f4e2m1fn"}[kind]
    b_blocks = (n, -(-k // FP4_DEPTH)) if kind == FP4 else (-(-n // DEPTH), -(-k // DEPTH))
    per_step = DEPTH // FP4_DEPTH
    on_cpu = target.startswith("cpu")
    few = row_tile <= 4 and on_cpu  # B streams, in few rows at once
    columns = [8] if few else [128, 64, 32]
    # Either holds fp4. On a CPU it passes through memory.
    widened = "bf16" if on_cpu else "f32"

    @T.prim_func
    def grouped_gemm_scaled(
        A: T.Tensor([rows, k], dtype),
        B: T.Tensor([groups, n, k], weight),
        Listed: T.Tensor([listed], T.int32),
        AScale: T.StridedTensor([rows, T.ceildiv(k, DEPTH)], [None, None], scales[0]),
        BScale: T.StridedTensor([groups, *b_blocks], [None, None, None], scales[1]),
        C: T.Tensor([rows, n], out),
    ):
        BM = T.choose("BM", [m for m in (64, 32, 16, 4, 2, 1) if m <= row_tile])
        BN = T.choose("BN", columns)
        most = rows // groups if masked else rows
        tiles = T.ceildiv(most, BM)
        with T.Kernel(T.ceildiv(n, BN), tiles, groups if masked else 1) as (bx, by, bz):
            a_tile = T.alloc_shared([BM, DEPTH], dtype)
            b_tile = T.alloc_shared([BN, DEPTH], T.bfloat16 if kind == FP4 else weight)
            acc = T.alloc_fragment([BM, BN], T.float32)
            row = bz * most + by * BM
            if masked:
                group = bz
                live = by * BM < Listed[bz]
            else:
                group = Listed[row]
                live = group >= 0
            if live:
                # Those of the tile's rows that belong to the group come first.
                if masked:
                    count = Listed[bz] - by * BM
                else:
                    found = T.alloc_fragment([1], T.int32)
                    belongs = T.alloc_fragment([BM], T.int32)
                    for i in T.Parallel(BM):
                        inside = row + i < rows and Listed[row + i] >= 0
                        belongs[i] = T.if_then_else(inside, 1, 0)
                    T.reduce_sum(belongs, found, dim=0)
                    count = found[0]
                T.clear(acc)
                for step in T.Pipelined(T.ceildiv(k, DEPTH), num_stages=2):
                    T.copy(A[row, step * DEPTH], a_tile)
                    if kind == FP4:
                        wide = T.alloc_fragment([BN, DEPTH], widened)
                        factor = T.alloc_fragment([BN, per_step], T.float32)
                        T.copy(B[group, bx * BN, step * DEPTH], wide)
                        T.copy(BScale[group, bx * BN, step * per_step], factor)
                        for i, s, j in T.Parallel(BN, per_step, FP4_DEPTH):
                            column = s * FP4_DEPTH + j
                            b_tile[i, column] = wide[i, column] * factor[i, s]
                    else:
                        T.copy(B[group, bx * BN, step * DEPTH], b_tile)
                    if kind == PLAIN:
                        T.gemm(a_tile, b_tile, acc, transpose_B=True)
                    else:
                        part = T.alloc_fragment([BM, BN], T.float32)
                        scale = T.alloc_fragment([BM], T.float32)
                        T.copy(AScale[row : row + BM, step], scale)
                        if kind == FP8:
                            b_scale = T.cast(BScale[group, bx * BN // DEPTH, step], "f32")
                            for i in T.Parallel(BM):
                                scale[i] *= b_scale
                        T.gemm(a_tile, b_tile, part, transpose_B=True, clear_accum=True)
                        for i, j in T.Parallel(BM, BN):
                            if i < count:
                                acc[i, j] += part[i, j] * scale[i]
                for i, j in T.Parallel(BM, BN):
                    if i < count:
                        C[row + i, bx * BN + j] = acc[i, j]

    return tilewright.compile(grouped_gemm_scaled, target=target)


def _kind(a: Any, b: Any, a_scale: Any, b_scale: Any) -> str:
    """Which operands these are. Raises ValueError where they fit no form."""
    dtype, weight = dtype_of(a), dtype_of(b)
    require((a_scale is None) == (b_scale is None), "a_scale and b_scale come together")
    if a_scale is None:
        require(dtype in ("bf16", "f16", "f32"), f"a is {dtype}, which needs scales")
        require(weight == dtype, f"a is {dtype} and b is {weight}: make them the same")
        return PLAIN
    require(dtype == "f8e4m3fn", f"a is {dtype} and must be f8e4m3fn where it has scales")
    known = weight in ("f8e4m3fn", "u8", "f4e2m1fn")
    require(known, f"b is {weight} and must be f8e4m3fn, or bytes of two f4e2m1fn each")
    return FP8 if weight == "f8e4m3fn" else FP4


def _multiply(
    a: Any, b: Any, listed: Any, a_scale: Any, b_scale: Any, out: Any, rows: int, target: str
) -> Any:
    """Either layout, which the rank of `a` tells; about `rows` rows are of a group."""
    kind = _kind(a, b, a_scale, b_scale)
    masked = len(a.shape) == 3
    k = a.shape[-1]
    groups, n = b.shape[:2]
    k_b = 2 * b.shape[2] if kind == FP4 else b.shape[2]
    require(k == k_b, f"a contracts over {k} and b over {k_b}: they must be equal")
    require(not masked or a.shape[0] == groups, f"a has {a.shape[0]} groups and b {groups}")
    if kind == FP4:
        require(k % FP4_DEPTH == 0, f"k is {k} and must be a multiple of {FP4_DEPTH}")
    dtype = dtype_of(a)
    out = (
        empty(a, (*a.shape[:-1], n), dtype if kind == PLAIN else "bf16") if out is None else out
    )
    expected = (*a.shape[:-1], n)
    require(tuple(out.shape) == expected, f"out is {tuple(out.shape)} and must be {expected}")
    if 0 in out.shape:
        return out
    blocks = -(-k // DEPTH)
    if kind == PLAIN:
        a_scale = full(listed, (1, 1), 1.0, "f32")
        a_scale = _stretched(a_scale, (*a.shape[:-1], blocks))
        b_scale = _stretched(a_scale, (groups, -(-n // DEPTH), blocks))
    shape = (groups, n, k // FP4_DEPTH) if kind == FP4 else (groups, -(-n // DEPTH), blocks)
    for name, scale, wanted in (
        ("a_scale", a_scale, (*a.shape[:-1], blocks)),
        ("b_scale", b_scale, shape),
    ):
        require(
            tuple(scale.shape) == wanted, f"{name} is {tuple(scale.shape)} and must be {wanted}"
        )
    flat = [out]
    if masked:
        many = groups * a.shape[1]
        a, a_scale, flat = (
            reshaped(a, (many, k)),
            reshaped(a_scale, (many, blocks)),
            [reshaped(out, (many, n))],
        )
    # On a CPU a second row costs less than to read the weights again for it.
    fewest = 2 if target.startswith("cpu") else 1
    tile = next((m for m in (1, 2, 4, 16, 32) if m >= fewest and rows <= 1.5 * m), 64)
    kernel = grouped_gemm_scaled_kernel(
        n, k, groups, kind, dtype, dtype_of(out), (dtype_of(a_scale), dtype_of(b_scale)),
        masked, tile, target, row_bounds(a.shape[0], RUN, target)[0],
    )  # fmt: skip
    kernel(a, b, listed, a_scale, b_scale, flat[0])
    return out


def _stretched(one: Any, shape: tuple[int, ...]) -> Any:
    """Scales that no plain product reads, in the shape that the kernel wants."""
    return empty(one, shape, "f32")


def grouped_gemm_contiguous(
    a: Any,
    b: Any,
    layout: Any,
    *,
    a_scale: Any = None,
    b_scale: Any = None,
    expected_rows: int = 64,
    out: Any = None,
    target: str = "cpu",
) -> Any:
    """The contiguous layout: `out` [rows, n], made where not given and returned.

    Shapes and dtypes are those of the module's docstring. `expected_rows`, about how many rows
    a group has, decides the tile and nothing else. Raises ValueError where shapes or dtypes do
    not fit together.
    """
    require(len(a.shape) == 2, f"a is {tuple(a.shape)} and must be [rows, k]")
    require(
        tuple(layout.shape) == (a.shape[0],),
        f"layout is {tuple(layout.shape)} and must be {(a.shape[0],)}",
    )
    return _multiply(a, b, layout, a_scale, b_scale, out, expected_rows, target)


def grouped_gemm_masked(
    a: Any,
    b: Any,
    counts: Any,
    *,
    a_scale: Any = None,
    b_scale: Any = None,
    expected_rows: int = 64,
    out: Any = None,
    target: str = "cpu",
) -> Any:
    """The masked layout: `out` [groups, most, n], made where not given and returned.

    As grouped_gemm_contiguous otherwise.
    """
    require(len(a.shape) == 3, f"a is {tuple(a.shape)} and must be [groups, most, k]")
    require(
        tuple(counts.shape) == (a.shape[0],),
        f"counts are {tuple(counts.shape)} and must be {(a.shape[0],)}",
    )
    return _multiply(a, b, counts, a_scale, b_scale, out, expected_rows, target)
