"""Tensors of float4_e2m1fn, two elements to a byte, and the block-scaled products of MXFP4.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
import torch

import tilewright
import tilewright.language as T
from language.casts import exact, to_narrow
from tilewright import LaunchError, pack_pairs, unpack_pairs
from tilewright.testing.bounds import dot_bound

pytestmark = pytest.mark.every_device

F4 = ml_dtypes.float4_e2m1fn


def random_elements(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Every code, -0 among them, one in each byte."""
    return np.random.default_rng(seed).integers(0, 16, shape, np.uint8).view(F4)


def codes(x: np.ndarray) -> np.ndarray:
    return x.view(np.uint8)


def test_pack_and_unpack():
    x = np.arange(16, dtype=np.uint8).view(F4).reshape(2, 8)
    packed = pack_pairs(x)
    assert packed.tolist() == [[0x10, 0x32, 0x54, 0x76], [0x98, 0xBA, 0xDC, 0xFE]]
    assert np.array_equal(codes(unpack_pairs(packed)), codes(x))
    for shape in ((0, 8), (2, 0)):
        empty = np.zeros(shape, np.uint8).view(F4)
        assert unpack_pairs(pack_pairs(empty)).shape == shape
    rounded = pack_pairs(np.array([0.25, 0.26, 7, np.nan, -np.inf, -5], np.float32))
    assert rounded.tolist() == [0x10, 0x77, 0xEF]
    with pytest.raises(ValueError, match="pad it to an even size"):
        pack_pairs(np.zeros((2, 3), np.float32))


def test_a_size_that_is_an_expression_counts_elements():
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((2, n * 2), "float4_e2m1fn"), B: T.Tensor((n,), "float32")):
        with T.Kernel(1):
            for i in T.Parallel(16):
                B[i] = T.cast(A[1, 2 * i], "float32")

    a, b = random_elements((2, 24), 1), np.zeros(12, np.float32)
    compiled = tilewright.compile(kernel)
    compiled(pack_pairs(a), b)
    assert np.array_equal(b, a[1, ::2].astype(np.float32))
    with pytest.raises(LaunchError, match=r"size 20 in dimension 1; expected n \* 2 = 24"):
        compiled(pack_pairs(a[:, :20]), b)


@pytest.mark.parametrize("offset", [0, 1, 2, 7, -1, -6])
@pytest.mark.parametrize("width", [1, 2, 3, 16, 37, 128])
def test_copies_at_any_place(device, offset, width):
    """Regions that start within a byte, end within one, or leave the tensor on both sides."""
    rows, columns = 5, 60

    @T.prim_func
    def kernel(
        A: T.Tensor((rows, columns), "float4_e2m1fn"),
        B: T.Tensor((rows, columns), "float4_e2m1fn"),
        F: T.Tensor((4, width), "float32"),
        start: T.int32,
    ):
        with T.Kernel(1):
            tile = T.alloc_shared((4, width), "float4_e2m1fn")
            wide = T.alloc_fragment((4, width), "float32")
            T.copy(A[2 : 2 + 4, start : start + width], tile)
            T.copy(tile, B[2 : 2 + 4, start : start + width])
            T.copy(A[2 : 2 + 4, start : start + width], wide)
            T.copy(wide, F)

    a, before = random_elements((rows, columns), 1), random_elements((rows, columns), 2)
    packed, f = pack_pairs(before), np.full((4, width), np.nan, np.float32)
    tilewright.compile(kernel, target=device)(pack_pairs(a), packed, f, offset)

    expected, seen = codes(before).copy(), np.zeros((4, width))
    for i in range(4):
        for j in range(width):
            if 2 + i < rows and 0 <= offset + j < columns:
                expected[2 + i, offset + j] = codes(a)[2 + i, offset + j]
                seen[i, j] = float(a[2 + i, offset + j])
    assert np.array_equal(codes(unpack_pairs(packed)), expected)
    assert np.array_equal(f, seen)


@pytest.mark.parametrize("threads", [1, 4])
def test_blocks_that_write_the_halves_of_a_byte(device, threads):
    """Element writes are right whichever blocks, threads and lanes share a byte."""
    n = 4096

    @T.prim_func
    def kernel(A: T.Tensor((n,), "float4_e2m1fn"), B: T.Tensor((n,), "float4_e2m1fn")):
        with T.Kernel(n // 2) as block:
            # Elements block and block + n/2: neighbours belong to different blocks.
            for i in T.Parallel(2):
                at = block + i * (n // 2)
                B[n - 1 - at] = -A[at]

    a = random_elements((n,), 3)
    b = np.full(n // 2, 0xA5, np.uint8)
    before = tilewright.num_threads()
    tilewright.set_num_threads(threads)
    try:
        tilewright.compile(kernel, target=device)(pack_pairs(a), b)
    finally:
        tilewright.set_num_threads(before)
    assert np.array_equal(codes(unpack_pairs(b)), codes(a)[::-1] ^ 8)


def test_elements_outside_gathers_and_fills(device):
    rows, columns = 6, 34

    @T.prim_func
    def kernel(
        A: T.Tensor((rows, columns), "float4_e2m1fn"),
        I: T.Tensor((4,), "int32"),
        G: T.Tensor((4, columns), "float4_e2m1fn"),
        E: T.Tensor((columns + 2,), "float32"),
        Z: T.Tensor((rows, columns), "float4_e2m1fn"),
    ):
        with T.Kernel(1):
            ids = T.alloc_shared((4,), "int32")
            tile = T.alloc_shared((4, columns), "float4_e2m1fn")
            T.copy(I, ids)
            T.gather(A, ids, tile, fill=1.5)
            T.copy(tile, G)
            for j in T.Parallel(columns + 2):
                E[j] = T.cast(A[3, j], "float32") + 1
            T.fill(Z, -3)

    a = random_elements((rows, columns), 4)
    g, z = np.zeros((4, columns // 2), np.uint8), np.zeros((rows, columns // 2), np.uint8)
    e = np.full(columns + 2, np.nan, np.float32)
    ids = np.array([5, -1, 0, 6], np.int32)
    tilewright.compile(kernel, target=device)(pack_pairs(a), ids, g, e, z)
    filled = np.full(columns, 1.5, F4)
    expected = np.stack([a[5], filled, a[0], filled])
    assert np.array_equal(codes(unpack_pairs(g)), codes(expected))
    assert np.array_equal(e, np.concatenate([exact(a[3]), [0, 0]]) + 1)
    assert (exact(unpack_pairs(z)) == -3).all()


def test_arithmetic_rounds_to_the_type(device):
    """Each operation is rounded once, from f32, and saturates."""

    @T.prim_func
    def kernel(
        A: T.Tensor((256,), "float4_e2m1fn"),
        B: T.Tensor((256,), "float4_e2m1fn"),
        C: T.Tensor((3, 256), "float4_e2m1fn"),
    ):
        with T.Kernel(1):
            a = T.alloc_shared((256,), "float4_e2m1fn")
            b = T.alloc_shared((256,), "float4_e2m1fn")
            c = T.alloc_shared((3, 256), "float4_e2m1fn")
            T.copy(A, a)
            T.copy(B, b)
            for i in T.Parallel(256):
                c[0, i] = a[i] + b[i]
                c[1, i] = a[i] * b[i]
                c[2, i] = T.max(a[i], b[i]) if a[i] != b[i] else T.abs(a[i])
            T.copy(c, C)

    a, b = (v.ravel().astype(np.uint8).view(F4) for v in np.meshgrid(range(16), range(16)))
    c = np.zeros((3, 128), np.uint8)
    tilewright.compile(kernel, target=device)(pack_pairs(a), pack_pairs(b), c)
    x, y = exact(a), exact(b)
    expected = [to_narrow(x + y, "f4e2m1fn"), to_narrow(x * y, "f4e2m1fn")]
    expected.append(np.where(x != y, np.maximum(x, y), np.abs(x)))
    assert np.array_equal(exact(unpack_pairs(c)), np.stack(expected))


SMALL_GEMMS = [
    ("float4_e2m1fn", "bfloat16"), ("float4_e2m1fn", "float4_e2m1fn"),
    ("float16", "float4_e2m1fn"), ("float8_e4m3fnuz", "float8_e4m3fnuz"),
    ("float8_e5m2fnuz", "float8_e4m3fnuz"), ("float8_e4m3b11fnuz", "float8_e4m3fn"),
]  # fmt: skip


@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize(("left", "right"), SMALL_GEMMS)
def test_gemm(device, left, right, transpose):
    """Operands of every small type, sizes that tiles do not divide, both orientations of B."""
    M, N, K, block = 37, 46, 70, 32
    b_shape, b_tile = ((N, K), (block, block)) if transpose else ((K, N), (block, block))

    @T.prim_func
    def kernel(
        A: T.Tensor((M, K), left), B: T.Tensor(b_shape, right), C: T.Tensor((M, N), "float32")
    ):
        with T.Kernel(T.ceildiv(N, block), T.ceildiv(M, block)) as (bx, by):
            a = T.alloc_shared((block, block), left)
            b = T.alloc_shared(b_tile, right)
            c = T.alloc_fragment((block, block), "float32")
            T.clear(c)
            for k in T.Pipelined(T.ceildiv(K, block), num_stages=2):
                T.copy(A[by * block, k * block], a)
                if transpose:
                    T.copy(B[bx * block, k * block], b)
                else:
                    T.copy(B[k * block, bx * block], b)
                T.gemm(a, b, c, transpose_B=transpose)
            T.copy(c, C[by * block, bx * block])

    rng = np.random.default_rng(8)

    def operand(shape, dtype):
        made = F4 if dtype == "float4_e2m1fn" else np.dtype(T.dtype(dtype).name)
        x = np.clip(rng.standard_normal(shape) * 2, -6, 6).astype(made)
        return x, pack_pairs(x) if made is F4 else x

    a, a_given = operand((M, K), left)
    b, b_given = operand(b_shape, right)
    c = np.full((M, N), np.nan, np.float32)
    tilewright.compile(kernel, target=device)(a_given, b_given, c)
    x, y = exact(a), exact(b).T if transpose else exact(b)
    assert (np.abs(c - x @ y) <= dot_bound(x, y, x @ y, "f32")).all()


# -- MXFP4 ------------------------------------------------------------------------------------


@tilewright.jit
def mxfp4_matmul(A, W, S, block_m: int = 32, block_n: int = 32, block_k: int = 64):
    """C = A (W S)^T: weights in f4, with one power of two for 32 of them along K.

    A [M, K] bf16, W [N, K] f4 in pairs, S [N, ceil(K / 32)] e8m0; C [M, N] f32.
    """
    M, N, K, G = T.const("M, N, K, G")
    A: T.Tensor((M, K), "bfloat16")
    W: T.Tensor((N, K), "float4_e2m1fn")
    S: T.Tensor((N, G), "float8_e8m0fnu")
    C = T.empty((M, N), "float32")

    with T.Kernel(T.ceildiv(N, block_n), T.ceildiv(M, block_m)) as (bx, by):
        a = T.alloc_shared((block_m, block_k), "bfloat16")
        w = T.alloc_shared((block_n, block_k), "float4_e2m1fn")
        s = T.alloc_shared((block_n, block_k // 32), "float8_e8m0fnu")
        scaled = T.alloc_shared((block_n, block_k), "bfloat16")
        c = T.alloc_fragment((block_m, block_n), "float32")
        T.clear(c)
        for k in T.Pipelined(T.ceildiv(K, block_k), num_stages=2):
            T.copy(A[by * block_m, k * block_k], a)
            T.copy(W[bx * block_n, k * block_k], w)
            T.copy(S[bx * block_n, k * (block_k // 32)], s)
            for i, j in T.Parallel(block_n, block_k):
                # A power of two times two bits: exact in bf16.
                scaled[i, j] = T.cast(w[i, j], "bfloat16") * T.cast(s[i, j // 32], "bfloat16")
            T.gemm(a, scaled, c, transpose_B=True)
        T.copy(c, C[by * block_m, bx * block_n])

    return C


@pytest.mark.parametrize(
    ("m", "n", "k"), [(64, 64, 128), (1, 32, 64), (37, 50, 200), (5, 7, 34)]
)
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_mxfp4_matmul(device, m, n, k, library):
    rng = np.random.default_rng(m)
    a = rng.standard_normal((m, k)).astype(ml_dtypes.bfloat16)
    w = random_elements((n, k), n)
    groups = -(-k // 32)
    s = rng.integers(110, 140, (n, groups), np.uint8).view(ml_dtypes.float8_e8m0fnu)
    if library == "numpy":
        c = mxfp4_matmul(a, pack_pairs(w), s)
    else:
        c = mxfp4_matmul(
            torch.from_numpy(a.view(np.uint16)).view(torch.bfloat16),
            torch.from_numpy(pack_pairs(w)).view(torch.float4_e2m1fn_x2),
            torch.from_numpy(s.view(np.uint8)).view(torch.float8_e8m0fnu),
        ).numpy()
    x = exact(a)
    y = (exact(w) * np.repeat(exact(s), 32, axis=1)[:, :k]).T
    assert c.shape == (m, n)
    assert (np.abs(c - x @ y) <= dot_bound(x, y, x @ y, "f32")).all()


@tilewright.jit
def quantize(X, scale_groups: int = 32):
    """MXFP4 of X [M, G, 32]: elements in f4, and in e8m0 the scale of each 32."""
    M, G = T.const("M, G")
    X: T.Tensor((M, G, scale_groups), "float32")
    W = T.empty((M, G, scale_groups), "float4_e2m1fn")
    S = T.empty((M, G), "float8_e8m0fnu")
    with T.Kernel(M) as row:
        x = T.alloc_shared((G, scale_groups), "float32")
        w = T.alloc_shared((G, scale_groups), "float4_e2m1fn")
        largest = T.alloc_shared((G,), "float32")
        s = T.alloc_shared((G,), "float8_e8m0fnu")
        T.copy(X[row, 0, 0], x)
        T.reduce_absmax(x, largest, dim=1)
        for g in T.Parallel(G):
            s[g] = T.cast(largest[g] / 6, "float8_e8m0fnu")
        for g, i in T.Parallel(G, scale_groups):
            w[g, i] = T.cast(x[g, i] / T.cast(s[g], "float32"), "float4_e2m1fn")
        T.copy(w, W[row, 0, 0])
        T.copy(s, S[row, 0])
    return W, S


def test_quantize_returns_pairs(device):
    x = np.random.default_rng(5).standard_normal((7, 3, 32)).astype(np.float32)
    w, s = quantize(x)
    assert w.dtype == np.uint8
    assert w.shape == (7, 3, 16)
    largest = np.abs(x).max(-1) / np.float32(6)
    scale = to_narrow(exact(largest), "f8e8m0fnu")
    assert np.array_equal(exact(s), scale)
    quotient = (x / scale[..., None].astype(np.float32)).astype(np.float64)
    assert np.array_equal(exact(unpack_pairs(w)), to_narrow(quotient, "f4e2m1fn"))
    w, s = quantize(torch.from_numpy(x))
    assert w.dtype == torch.float4_e2m1fn_x2
    assert w.shape == (7, 3, 16)


def test_scales_outside_a_tensor(device):
    """e8m0 has no zero: what is read outside is the least number, in every form."""

    @T.prim_func
    def kernel(S: T.Tensor((37,), "float8_e8m0fnu"), Y: T.Tensor((3, 64), "float32")):
        with T.Kernel(1):
            s = T.alloc_shared((64,), "float8_e8m0fnu")
            wide = T.alloc_shared((64,), "float32")
            T.copy(S[0:64], s)
            T.copy(S[0:64], wide)
            for i in T.Parallel(64):
                Y[0, i] = s[i]
                Y[1, i] = wide[i]
                Y[2, i] = S[i]

    s = np.arange(100, 137, dtype=np.uint8).view(ml_dtypes.float8_e8m0fnu)
    y = np.full((3, 64), np.nan, np.float32)
    tilewright.compile(kernel, target=device)(s, y)
    expected = np.concatenate([exact(s), np.full(27, 2.0**-127)])
    assert (y == expected).all()


# -- arguments --------------------------------------------------------------------------------


def copy_kernel(device):
    n = T.dynamic("n")

    @T.prim_func
    def kernel(A: T.Tensor((4, n), "float4_e2m1fn"), B: T.Tensor((4, n), "float4_e2m1fn")):
        with T.Kernel(T.ceildiv(n, 32)) as block:
            tile = T.alloc_shared((4, 32), "float4_e2m1fn")
            T.copy(A[0, block * 32], tile)
            T.copy(tile, B[0, block * 32])

    return tilewright.compile(kernel, target=device)


def test_arrays_of_pairs(device):
    copy = copy_kernel(device)
    a = random_elements((4, 74), 6)
    b = np.zeros((4, 37), np.uint8)
    copy(pack_pairs(a), b)
    assert np.array_equal(codes(unpack_pairs(b)), codes(a))
    t = torch.zeros(4, 37, dtype=torch.uint8)
    copy(torch.from_numpy(pack_pairs(a)).view(torch.float4_e2m1fn_x2), t)
    assert np.array_equal(t.numpy(), b)
    copy(np.zeros((4, 0), np.uint8), np.zeros((4, 0), np.uint8))


def test_arrays_that_are_no_pairs(device):
    copy = copy_kernel(device)
    a, b = np.zeros((4, 37), np.uint8), np.zeros((4, 37), np.uint8)
    with pytest.raises(LaunchError, match="has dtype float4_e2m1fn; .*tilewright.pack_pairs"):
        copy(np.zeros((4, 74), F4), b)
    with pytest.raises(LaunchError, match="'B' has dtype int8; .* in pairs: bytes"):
        copy(a, b.view(np.int8))
    with pytest.raises(LaunchError, match="'B' has size 72 in dimension 1.*74"):
        copy(a, b[:, :36].copy())
    with pytest.raises(LaunchError, match="'A' has stride 148 in dimension 0; expected 74"):
        copy(np.zeros((8, 37), np.uint8)[::2], b)
    with pytest.raises(LaunchError, match="'B' shares memory with argument 'A'"):
        copy(a, a)
    with pytest.raises(LaunchError, match=r"shape \(37\); expected 2: \(4, n / 2\)"):
        copy(a[0], b)
    # The two halves of one array meet without sharing a byte.
    both = np.zeros((8, 37), np.uint8)
    copy(both[:4], both[4:])
