"""Forms that kernels written for TileLang use, beside those of the language's own kernels.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright import CompileError


@tilewright.jit
def rows_of_groups(X, Sizes, block: int = 8):
    """Row r of group g of X goes to Y[g, r]; the groups follow each other in X."""
    rows, most = T.dynamic("rows, most")
    groups, width = T.const("groups, width")
    X: T.Tensor((rows, width), "float32")
    Sizes: T.Tensor((groups,), "int32")
    Y = T.empty((groups, 16, width), "float32")
    with T.Kernel(16 // block, groups) as (bx, by):
        tile = T.alloc_fragment((block, width), "float32")
        start = T.alloc_var("int32")
        start = 0
        for i in T.serial(by):
            start += Sizes[i]
        T.copy(X[start + bx * block : start + (bx + 1) * block, :], tile)
        for i, j in T.Parallel(block, width):
            tile[i, j] = T.if_then_else(bx * block + i < Sizes[by], tile[i, j], 0)
        T.copy(tile, Y[by, bx * block, 0])
    return Y


def test_a_variable_in_both_bounds_of_a_slice():
    sizes = np.array([5, 0, 16, 9], np.int32)
    x = np.arange(30 * 8, dtype=np.float32).reshape(30, 8)
    expected = np.zeros((4, 16, 8), np.float32)
    for g, (size, end) in enumerate(zip(sizes, np.cumsum(sizes))):
        expected[g, :size] = x[end - size : end]
    assert np.array_equal(rows_of_groups(x, sizes), expected)


@tilewright.jit
def slices_at(X, At):
    n = T.dynamic("n")
    X: T.Tensor((n,), "float32")
    At: T.Tensor((2,), "int32")
    Y = T.empty((2, 4), "float32")
    with T.Kernel(1):
        tile = T.alloc_shared((4,), "float32")
        T.copy(X[At[0] : At[0] + 4], tile)
        T.copy(tile, Y[0, 0])
        first = T.alloc_var("int32", init=1)
        T.copy(X[(At[1] if first > 0 else At[0]) : At[1] + 4], Y[1, 0:4])
    return Y


def test_an_element_in_both_bounds_of_a_slice():
    with pytest.raises(CompileError, match="the extent of a slice of X"):
        slices_at(np.zeros(8, np.float32), np.zeros(2, np.int32))


@tilewright.jit
def sum_of_groups(X, sizes: tuple):
    n = T.const("n")
    X: T.Tensor((n,), "float32")
    Y = T.empty((len(sizes),), "float32")
    padded = sum((size + 3) // 4 * 4 for size in sizes)
    largest = max(size for size in sizes if size)
    with T.Kernel(1):
        tile = T.alloc_fragment((padded,), "float32", "local")
        more = T.alloc_local((1,), "float32", scope="local.fragment")
        T.sync_threads()
        for g in T.unroll(len(sizes)):
            for i in T.Parallel(padded):
                inside = (i >= sum(sizes[:g])) & (i < sum(sizes[: g + 1]))
                tile[i] = T.if_then_else(inside, X[i], 0)
            T.reduce_sum(tile, more)
            T.syncthreads()
            T.sync_warp()
            T.tvm_storage_sync("shared")
            Y[g] = more[0] + largest
    return Y


def test_generators_scopes_and_barriers():
    x = np.arange(9, dtype=np.float32)
    assert list(sum_of_groups(x, (4, 0, 5))) == [6 + 5, 5, 30 + 5]


@pytest.mark.parametrize("count", [2, 4])
def test_neighbours_are_added(count):
    add = {2: T.atomic_addx2, 4: T.atomic_addx4}[count]

    @tilewright.jit
    def histogram(X, At):
        rows, width, bins = T.const("rows, width, bins")
        X: T.Tensor((rows, width), "float32")
        At: T.Tensor((rows,), "int32")
        Y = T.empty((4, width), "float32")
        with T.Kernel(1):
            for i, j in T.parallel(4, width):
                Y[i, j] = 0
        with T.Kernel(1):
            tile = T.alloc_shared((rows, width), "float32")
            T.copy(X, tile)
            for i, j in T.parallel(rows, width // count):
                add(Y[At[i], j * count], tile[i, j * count])
        return Y

    x = np.arange(10 * 8, dtype=np.float32).reshape(10, 8)
    at = np.array([0, 1, 0, 3, 3, 3, 1, 0, 9, -1], np.int32)
    expected = np.zeros((4, 8), np.float32)
    np.add.at(expected, at[:8], x[:8])
    assert np.array_equal(histogram(x, at), expected)


@tilewright.jit
def seen_flat(X, W):
    """The sum over taps of X[r] * W[tap, r], W seen as a matrix of taps."""
    a, b, width = T.const("a, b, width")
    X: T.Tensor((width,), "float32")
    W: T.Tensor((a, b, width), "float32")
    Y = T.empty((a * b, width), "float32")
    with T.Kernel(1):
        taps = T.Tensor((a * b, width), "float32", W.data)
        for i, j in T.Parallel(a * b, width):
            Y[i, j] = X[j] * taps[i, j]
    return Y


def test_a_tensor_over_the_data_of_another():
    rng = np.random.default_rng(2)
    x, w = rng.standard_normal(5, np.float32), rng.standard_normal((2, 3, 5), np.float32)
    assert np.array_equal(seen_flat(x, w), (x * w).reshape(6, 5))


@tilewright.jit(out_idx=[-1])
def fast_maths(n):
    @T.prim_func
    def main(X: T.Tensor((n,), T.tfloat32), Y: T.Tensor((n,), "float32")):
        with T.Kernel(1):
            for i in T.Parallel(n):
                Y[i] = T.__exp2(T.__log2(X[i])) + T.__sin(X[i] * 0)

    return main


def test_names_of_fast_maths():
    x = np.array([1, 2, 4096], np.float32)
    assert np.array_equal(fast_maths(3)(x), x)
    assert (T.tfloat32, T.tf32) == ("float32", T.float32)


def test_names_of_integers():
    assert (T.short, T.int, T.long) == ("int16", "int32", "int64")
    assert (T.ushort, T.uint, T.ulong) == ("uint16", "uint32", "uint64")


@tilewright.jit(out_idx=[-1])
def convolution(N, C, H, W, F, K, S, D, P, block_M=32, block_N=16, block_K=16):
    points_h = (H + 2 * P - D * (K - 1) - 1) // S + 1
    points_w = (W + 2 * P - D * (K - 1) - 1) // S + 1
    depth = K * K * C

    @T.prim_func
    def main(
        X: T.Tensor((N, H, W, C), "float32"),
        Filter: T.Tensor((K, K, C, F), "float32"),
        Y: T.Tensor((N, points_h, points_w, F), "float32"),
    ):
        with T.Kernel(
            T.ceildiv(F, block_N), T.ceildiv(N * points_h * points_w, block_M), threads=128
        ) as (bx, by):
            x_tile = T.alloc_shared((block_M, block_K), "float32")
            f_tile = T.alloc_shared((block_K, block_N), "float32")
            acc = T.alloc_fragment((block_M, block_N), "float32")
            flat = T.Tensor((depth, F), "float32", Filter.data)
            out = T.Tensor((N * points_h * points_w, F), "float32", Y.data)
            T.clear(acc)
            for k in T.Pipelined(T.ceildiv(depth, block_K), num_stages=2):
                T.im2col(X, x_tile, by, k, K, S, D, P)
                T.copy(flat[k * block_K, bx * block_N], f_tile)
                T.gemm(x_tile, f_tile, acc)
            T.copy(acc, out[by * block_M, bx * block_N])

    return main


@pytest.mark.parametrize(
    "sizes",
    [(2, 5, 7, 6, 9, 3, 1, 1, 1), (1, 3, 9, 10, 4, 2, 2, 3, 0), (1, 16, 4, 4, 16, 1, 1, 1, 2)],
)
def test_convolution_by_im2col(sizes):
    assert T.c2d_im2col is T.im2col
    N, C, H, W, F, K, S, D, P = sizes
    rng = np.random.default_rng(3)
    x = rng.integers(-4, 5, (N, H, W, C)).astype(np.float32)
    f = rng.integers(-4, 5, (K, K, C, F)).astype(np.float32)
    padded = np.pad(x, ((0, 0), (P, P), (P, P), (0, 0)))
    high, wide = ((size + 2 * P - D * (K - 1) - 1) // S + 1 for size in (H, W))
    expected = np.zeros((N, high, wide, F), np.float32)
    for y in range(K):
        for z in range(K):
            tap = padded[:, y * D :: S, z * D :: S][:, :high, :wide]
            expected += tap @ f[y, z]
    assert np.array_equal(convolution(*sizes)(x, f), expected)


@tilewright.jit(out_idx=[-1])
def one_block(n):
    @T.prim_func
    def main(X: T.Tensor[(n,)], Y: T.Tensor[(n,), T.int32]):
        with T.Kernel(threads=32):
            for i in T.Parallel(n):
                Y[i] = T.if_then_else(T.Not(X[i] > 0), T.int32(1), T.int32(0)) + T.Not(X[i])

    return main


def test_a_kernel_without_extents_is_one_block():
    x = np.array([1, 0, -2], np.float32)
    assert list(one_block(3)(x)) == [0, 2, 1]
    assert T.Not(0) is True


def test_a_refused_dtype_is_refused_where_it_is_used():
    widths = {T.int8: 8, T.int4: 4, T.uint4: 4}
    assert widths["int4"] == 4
    with pytest.raises(CompileError, match="dtype int4 is not available"):
        T.dtype(T.int4)


@tilewright.jit(out_idx=[-1])
def masks(n):
    @T.prim_func
    def main(Mask: T.Tensor((n, 4, 6), "bool"), Y: T.Tensor((n, 6), "int32")):
        with T.Kernel(n) as b:
            tile = T.alloc_shared((4, 6), "bool")
            T.copy(Mask[b, 0, 0], tile)
            for i in T.Parallel(6):
                Y[b, i] = 0
            if T.any_of(Mask[b, 1, :]):
                Y[b, 0] = 1
            if T.all_of(Mask[b, :, 2]):
                Y[b, 1] = 1
            if T.any_of(tile):
                Y[b, 2] = 1
            if T.all_of(tile[1:3, :]):
                Y[b, 3] = 1
            if T.all_of(tile[0, 0], tile[3, 5]) and not T.any_of(tile[2, 1]):
                Y[b, 4] = 1
            for i in T.Parallel(6):
                if T.any_of(tile[0:2, i]):
                    T.atomic_max(Y[b, 5], 1)

    return main


def test_conditions_over_regions():
    mask = np.random.default_rng(4).random((40, 4, 6)) < 0.5
    mask[:8] = False
    mask[4:8, 1:3] = mask[4:8, :, 2] = True
    mask[8:12, 0, 0] = mask[8:12, 3, 5] = True
    expected = np.stack(
        [
            mask[:, 1].any(1),
            mask[:, :, 2].all(1),
            mask.any((1, 2)),
            mask[:, 1:3].all((1, 2)),
            mask[:, 0, 0] & mask[:, 3, 5] & ~mask[:, 2, 1],
            mask[:, 0:2].any((1, 2)),
        ],
        axis=1,
    )
    assert expected.any(0).all()
    assert np.array_equal(masks(40)(mask), expected)


@tilewright.jit
def turned(X, rows: int):
    m, n = T.dynamic("m, n")
    s = T.dynamic("s")
    X: T.StridedTensor[(m, n), (s, 1), T.float32]
    Y = T.empty((n, m), "float32")
    with T.Kernel(T.ceildiv(n, 16), T.ceildiv(m, rows)) as (bx, by):
        tile = T.alloc_shared((rows, 16), "float32")
        over = T.alloc_shared((1, 16, rows), "float32")
        T.copy(X[by * rows, bx * 16], tile)
        T.transpose(tile, over)
        T.copy(over, Y[bx * 16, by * rows])
    return Y


def test_a_matrix_is_turned_over():
    x = np.random.default_rng(8).standard_normal((50, 40), np.float32)[:, :37]
    assert np.array_equal(turned(x, 24), x.T)


@tilewright.jit(out_idx=[-1])
def by_their_names(n):
    @T.prim_func
    def main(X: T.Tensor((n, 8), "float32"), Y: T.Tensor((n,), "float32")):
        with T.Kernel(T.align_up(n, 16) // 16) as b:
            tile = T.alloc_fragment((16, 8), "float32")
            most = T.alloc_fragment((16,), "float32")
            T.annotate_layout(layout_map={})
            T.clear(buffer=tile)
            T.fill(buffer=most, value=-1.0, annotations=None)
            T.copy(X[b * 16, 0], tile)
            T.reduce_max(buffer=tile, out=most, dim=1, clear=False)
            for i in T.Parallel(16):
                most[i] = T.clamp(most[i], min_val=0.0, max_val=T.pow(x=2.0, y=1.0))
            T.copy(most, Y[b * 16])

    return main


def test_names_of_parameters():
    x = np.random.default_rng(9).standard_normal((20, 8), np.float32) * 2
    assert np.array_equal(by_their_names(20)(x), x.max(1).clip(0, 2))
    assert T.align_up(17, 16) == 32
