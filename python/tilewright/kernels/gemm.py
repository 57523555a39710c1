# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Dense matrix product.

    C[i, j] = sum_k op(A)[i, k] op(B)[k, j]

    A   [m, k], or [k, m] with transpose_a     f32, bf16, f16 or i8
    B   [k, n], or [n, k] with transpose_b     the dtype of A
    C   [m, n]                                 f32, bf16, f16 (default: A's); i32 for i8

All row-major. Floats accumulate in f32 and are rounded once to C's dtype; i8 accumulates
in i32, wrapping. m is dynamic (one build serves every batch size), n and k are static. With
`split_k`, as many blocks share each tile of C, each over a part of k; a second grid adds what
they leave in global memory, in their order.

Bound of C: gamma_(k+1) |A||B| + u(C) |C|, exact for i8.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import tilewright
import tilewright.language as T
from tilewright.kernels.arrays import dtype_of, empty, require, row_bounds
from tilewright.testing.dtypes import numpy_dtype

Tile = tuple[int, int, int]

# Tiles for GPUs, the largest first of which there are enough for most multiprocessors.
_TILES = ((128, 128), (64, 128), (64, 64))
_ENOUGH_BLOCKS = 96

# Few rows: B is streamed once, so a block needs no more rows than there are.
_SKINNY_ROWS = (1, 2, 4, 8, 16)


def reference(
    a: np.ndarray, b: np.ndarray, *, transpose_a: bool = False, transpose_b: bool = False
) -> np.ndarray:
    """The product in float64 [m, n]; int64, wrapped to 32 bits, for integer operands.

    Integers are summed in float64 too, which is exact below 2^53.
    """
    a64 = a.astype(np.float64).T if transpose_a else a.astype(np.float64)
    b64 = b.astype(np.float64).T if transpose_b else b.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        c = a64 @ b64
    return c.astype(np.int64).astype(np.int32) if a.dtype.kind == "i" else c


@functools.cache
def gemm_kernel(
    n: int,
    k: int,
    dtype: str,
    out: str,
    transpose_a: bool,
    transpose_b: bool,
    tile: Tile,
    target: str,
    splits: int = 1,
    threads: int | None = None,
    rows: tuple[int, int | None] = (0, None),
) -> Any:
    """The compiled product for `n` columns and a contraction over `k`; `rows` bound m.

    Where `threads` is None the compiler chooses how many a block has.
    """
    m = T.dynamic("m", min=rows[0], max=rows[1])
    BM, BN, BK = tile
    steps = -(-k // BK)
    share = -(-steps // splits)  # steps of one split; the last ones may have fewer
    accum = "i32" if dtype == "i8" else "f32"
    shape_a, tile_a = ((k, m), (BK, BM)) if transpose_a else ((m, k), (BM, BK))
    shape_b, tile_b = ((n, k), (BN, BK)) if transpose_b else ((k, n), (BK, BN))

    @T.macro
    def multiply(A, B, acc, bx, by, first, count):
        """Adds `count` steps of k, from the `first` one on, to the tile's accumulator."""
        a_tile = T.alloc_shared(tile_a, dtype)
        b_tile = T.alloc_shared(tile_b, dtype)
        for number in T.Pipelined(count, num_stages=3):
            step = first + number
            if transpose_a:
                T.copy(A[step * BK, by * BM], a_tile)
            else:
                T.copy(A[by * BM, step * BK], a_tile)
            if transpose_b:
                T.copy(B[bx * BN, step * BK], b_tile)
            else:
                T.copy(B[step * BK, bx * BN], b_tile)
            T.gemm(a_tile, b_tile, acc, transpose_A=transpose_a, transpose_B=transpose_b)

    @T.prim_func
    def gemm(
        A: T.Tensor(shape_a, dtype), B: T.Tensor(shape_b, dtype), C: T.Tensor((m, n), out)
    ):
        with T.Kernel(T.ceildiv(n, BN), T.ceildiv(m, BM), threads=threads) as (bx, by):
            acc = T.alloc_fragment((BM, BN), accum)
            T.clear(acc)
            multiply(A, B, acc, bx, by, 0, steps)
            T.copy(acc, C[by * BM, bx * BN])

    @T.prim_func
    def gemm_split_k(
        A: T.Tensor(shape_a, dtype), B: T.Tensor(shape_b, dtype), C: T.Tensor((m, n), out)
    ):
        Parts = T.alloc_global((splits, m, n), accum)
        with T.Kernel(T.ceildiv(n, BN), T.ceildiv(m, BM), splits, threads=threads) as (
            bx,
            by,
            bz,
        ):
            acc = T.alloc_fragment((BM, BN), accum)
            T.clear(acc)
            first = bz * share
            multiply(A, B, acc, bx, by, first, T.max(T.min(steps - first, share), 0))
            T.copy(acc, Parts[bz, by * BM, bx * BN])

        with T.Kernel(T.ceildiv(n, BN), T.ceildiv(m, BM), threads=threads) as (bx, by):
            part = T.alloc_fragment((BM, BN), accum)
            total = T.alloc_fragment((BM, BN), accum)
            T.clear(total)
            for split in T.serial(splits):
                T.copy(Parts[split, by * BM, bx * BN], part)
                for i, j in T.Parallel(BM, BN):
                    total[i, j] += part[i, j]
            T.copy(total, C[by * BM, bx * BN])

    return tilewright.compile(gemm if splits == 1 else gemm_split_k, target=target)


def tile_for(m: int, n: int, k: int, dtype: str, transpose_b: bool, target: str) -> Tile:
    """The block's tile (BM, BN, BK): a function of the shape, dtype and target alone."""
    depth = 32 if dtype == "f32" else 64
    for rows in _SKINNY_ROWS:
        if m <= rows:
            if target.startswith("cpu"):
                itemsize = numpy_dtype(dtype).itemsize
                return _skinny_tile(rows, n, k, itemsize, depth, transpose_b)
            return rows, 64, 4 * depth
    if not target.startswith("cpu"):
        for rows, columns in _TILES[:-1]:
            if -(-m // rows) * -(-n // columns) >= _ENOUGH_BLOCKS:
                return rows, columns, depth
        return *_TILES[-1], depth
    return 128, equal_columns(n, 128), depth


def _skinny_tile(
    rows: int, n: int, k: int, itemsize: int, depth: int, transpose_b: bool
) -> Tile:
    """A tile of few rows on a CPU, where B is read as memory likes it."""
    if transpose_b:
        # Rows of B are read where they lie: of few rows long parts, one after the other; of
        # more, what leaves A in L1.
        columns, part = 16 if rows == 1 else 64, 8192 if rows <= 4 else 128 * rows
        longest = part // itemsize
        lengths = (longest >> i for i in range(longest.bit_length()))
        step = next((s for s in lengths if k % s == 0 and s > 2 * depth), 2 * depth)
        return rows, columns, step
    # Long parts of B's rows, of a page for one row of C, in at least four equal shares.
    longest = 4096 // itemsize if rows == 1 else 512
    shares = max(min(4, n // 64), -(-n // longest), 1)
    return rows, _whole_vectors(-(-n // shares)), depth


def equal_columns(n: int, most: int) -> int:
    """Columns of a tile on a CPU: equal shares of at most `most`, so that none is a rest."""
    return _whole_vectors(-(-n // max(1, -(-n // most))))


def _whole_vectors(columns: int) -> int:
    """So many columns or a few more."""
    return max(16, -(-columns // 16) * 16)


def gemm(
    a: Any,
    b: Any,
    *,
    transpose_a: bool = False,
    transpose_b: bool = False,
    out: Any = None,
    out_dtype: str | None = None,
    tile: Tile | None = None,
    split_k: int = 1,
    target: str = "cpu",
) -> Any:
    """op(a) @ op(b), written to `out` (made where not given) and returned.

    `a` and `b` are two-dimensional arrays of one dtype; op transposes where asked. The
    result is [m, n] of `out_dtype`: the operands' own by default, i32 for i8. `tile` is
    (BM, BN, BK) of a block, chosen from the shape where not given. `split_k` blocks share a
    tile's k, for products with few tiles and a long k. Raises ValueError where shapes or
    dtypes do not fit together, or `split_k` is no positive integer.
    """
    whole = isinstance(split_k, int | np.integer) and not isinstance(split_k, bool)
    require(whole, f"split_k is {split_k!r}: it is a number of blocks")
    require(split_k >= 1, f"split_k is {split_k}: at least one block has a tile")
    dtype = dtype_of(a)
    known = ("f32", "bf16", "f16", "i8")
    require(dtype in known, f"gemm takes {', '.join(known)}, not {dtype}")
    require(dtype_of(b) == dtype, f"a is {dtype} and b is {dtype_of(b)}: make them the same")
    require(len(a.shape) == len(b.shape) == 2, "gemm takes two matrices")
    k, m = a.shape if transpose_a else reversed(a.shape)
    n, k_b = b.shape if transpose_b else reversed(b.shape)
    require(k == k_b, f"a contracts over {k} and b over {k_b}: they must be equal")
    if out is None:
        out = empty(a, (m, n), out_dtype or ("i32" if dtype == "i8" else dtype))
    require(tuple(out.shape) == (m, n), f"out is {tuple(out.shape)} and must be {(m, n)}")
    tile = tile or tile_for(m, n, k, dtype, transpose_b, target)
    kernel = gemm_kernel(
        n, k, dtype, dtype_of(out), transpose_a, transpose_b, tile, target, int(split_k),
        rows=row_bounds(m, tile[0], target),
    )  # fmt: skip
    kernel(a, b, out)
    return out
