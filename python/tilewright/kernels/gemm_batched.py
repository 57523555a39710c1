# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A batch of matrix products, whose matrices may lie anywhere (BLAS's gemm with strides).

    C[z, i, j] = sum_k A[z, i, k] op(B)[z, k, j]

    A   [batch, m, k]                                    f32, bf16 or f16
    B   [batch, k, n], or [batch, n, k] with transpose_b   the dtype of A
    C   [batch, m, n]                                    the dtype of A

The last dimension of each is contiguous, and the other two have any strides. So the absorbed
products of MLA (DeepSeek-V2, arXiv 2405.04434, section 2.1) need no transposition: with heads
as the batch, `q.transpose(1, 0, 2)` for q [tokens, heads, 128] times W_uk [heads, 128, 512],
and the latent output [tokens, heads, 512] likewise times W_uv [heads, 128, 512] transposed.

Products are accumulated in f32 and rounded once. batch and m are dynamic, n and k static. The
result of a row depends on the row, its matrix and, in the order of sums, the number of rows.

Bound of C: gamma_(k+1) |A||B| + u(C) |C|.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import tilewright
import tilewright.language as T
from tilewright.kernels.arrays import dtype_of, empty, require, row_bounds, strides_of
from tilewright.kernels.gemm import Tile, equal_columns, tile_for
from tilewright.testing import (
    DOT_BOUND,
    Case,
    Expected,
    Layout,
    Peer,
    Spec,
    Tensors,
    dot_bound,
    exact_operands,
    numpy_dtype,
)
from tilewright.testing.peers import numpy_peer, torch_peer

FEW_ROWS = 16


def reference(a: np.ndarray, b: np.ndarray, *, transpose_b: bool = False) -> np.ndarray:
    """The products in float64 [batch, m, n], one at a time."""
    c = np.zeros((len(a), a.shape[1], b.shape[1 if transpose_b else 2]))
    for z in range(len(a)):
        matrix = b[z].astype(np.float64)
        with np.errstate(invalid="ignore"):
            c[z] = a[z].astype(np.float64) @ (matrix.T if transpose_b else matrix)
    return c


@functools.cache
def gemm_batched_kernel(
    n: int,
    k: int,
    dtype: str,
    transpose_b: bool,
    tile: Tile,
    target: str,
    rows: tuple[int, int | None] = (0, None),
) -> Any:
    """The compiled products for `n` columns and a contraction over `k`; `rows` bound m."""
    batch, m = T.dynamic("batch"), T.dynamic("m", min=rows[0], max=rows[1])
    BM, BN, BK = tile
    matrix, b_shape = ((n, k), (BN, BK)) if transpose_b else ((k, n), (BK, BN))
    anywhere = (None, None, 1)

    @T.prim_func
    def gemm_batched(
        A: T.StridedTensor((batch, m, k), anywhere, dtype),
        B: T.StridedTensor((batch, *matrix), anywhere, dtype),
        C: T.StridedTensor((batch, m, n), anywhere, dtype),
    ):
        with T.Kernel(T.ceildiv(n, BN), T.ceildiv(m, BM), batch) as (bx, by, bz):
            a_tile = T.alloc_shared((BM, BK), dtype)
            b_tile = T.alloc_shared(b_shape, dtype)
            acc = T.alloc_fragment((BM, BN), "f32")
            T.clear(acc)
            for step in T.Pipelined(T.ceildiv(k, BK), num_stages=3):
                T.copy(A[bz, by * BM, step * BK], a_tile)
                if transpose_b:
                    T.copy(B[bz, bx * BN, step * BK], b_tile)
                else:
                    T.copy(B[bz, step * BK, bx * BN], b_tile)
                T.gemm(a_tile, b_tile, acc, transpose_B=transpose_b)
            T.copy(acc, C[bz, by * BM, bx * BN])

    return tilewright.compile(gemm_batched, target=target)


def _tile(m: int, n: int, k: int, dtype: str, transpose_b: bool, target: str) -> Tile:
    """The block's tile: a function of the shape, dtype and target alone."""
    tile = tile_for(m, n, k, dtype, transpose_b, target)
    if not target.startswith("cpu"):
        return tile
    if m > FEW_ROWS:
        # Equal shares of the columns, wide ones: what packs a matrix of A packs it for all.
        return 64 if m <= 64 else 128, equal_columns(n, 512), tile[2]
    # B is read once, so its rows are read from end to end, as far as they go.
    return (tile[0], 16, 512) if transpose_b else (tile[0], min(512, -(-n // 64) * 64), 64)


def gemm_batched(
    a: Any,
    b: Any,
    *,
    transpose_b: bool = False,
    out: Any = None,
    tile: Tile | None = None,
    target: str = "cpu",
) -> Any:
    """a[z] @ op(b[z]) for each z, written to `out` (made where not given) and returned.

    Shapes, dtypes and strides are those of the module's docstring. `tile` is (BM, BN, BK) of a
    block, chosen from the shape where not given. Raises ValueError where they do not fit
    together.
    """
    dtype = dtype_of(a)
    require(dtype in ("f32", "bf16", "f16"), f"a is {dtype} and must be f32, bf16 or f16")
    require(dtype_of(b) == dtype, f"a is {dtype} and b is {dtype_of(b)}: make them the same")
    require(len(a.shape) == len(b.shape) == 3, "gemm_batched takes two batches of matrices")
    batch, m, k = a.shape
    n, k_b = b.shape[1:] if transpose_b else reversed(b.shape[1:])
    require(b.shape[0] == batch, f"a has {batch} matrices and b {b.shape[0]}")
    require(k == k_b, f"a contracts over {k} and b over {k_b}: they must be equal")
    if out is None:
        out = empty(a, (batch, m, n))
    require(
        tuple(out.shape) == (batch, m, n),
        f"out is {tuple(out.shape)} and must be {(batch, m, n)}",
    )
    for name, array in (("a", a), ("b", b), ("out", out)):
        require(
            array.shape[2] <= 1 or strides_of(array)[2] == 1,
            f"the last dimension of {name} has stride {strides_of(array)[2]} and must have 1",
        )
    if 0 not in out.shape:
        tile = tile or _tile(m, n, k, dtype, transpose_b, target)
        rows = row_bounds(m, tile[0], target)
        gemm_batched_kernel(n, k, dtype, transpose_b, tile, target, rows)(a, b, out)
    return out


def _peers(transpose_b: bool) -> tuple[Peer, ...]:
    """The inputs are [m, batch, k] for a, as the model has them, and a batch of matrices."""

    def operand(b: Any) -> Any:
        return b.swapaxes(1, 2) if transpose_b else b

    def numpy_matmul(a: np.ndarray, b: np.ndarray) -> Callable[[], Any]:
        return lambda: np.matmul(a.swapaxes(0, 1), operand(b))

    def torch_bmm(a: Any, b: Any) -> Callable[[], Any]:
        import torch

        return lambda: torch.bmm(a.transpose(0, 1), operand(b))

    def torch_einsum(a: Any, b: Any) -> Callable[[], Any]:
        import torch

        equation = "mzk,znk->mzn" if transpose_b else "mzk,zkn->mzn"
        return lambda: torch.einsum(equation, a, b)

    def torch_bmm_transposed(a: Any, b: Any) -> Callable[[], Any]:
        import torch

        a, b = a.transpose(0, 1).contiguous(), operand(b).mT.contiguous().mT
        return lambda: torch.bmm(a, b)

    return (
        numpy_peer("matmul in f32", numpy_matmul, "f32"),
        torch_peer("bmm", torch_bmm),
        torch_peer("bmm, b column-major", torch_bmm_transposed),
        torch_peer("bmm in f32", torch_bmm, "f32"),
        torch_peer("einsum", torch_einsum),
    )


def _case(
    name: str,
    batch: int,
    m: int,
    n: int,
    k: int,
    dtype: str = "bf16",
    *,
    transpose_b: bool = False,
    by_rows: bool = False,
    spoil: Callable[[Tensors], None] | None = None,
    layouts: dict[str, Layout] | None = None,
    peers: bool = False,
    rotate: int = 1,
) -> Case:
    """One batch. With `by_rows`, a is [m, batch, k] and out [m, batch, n], seen transposed."""
    matrix = (n, k) if transpose_b else (k, n)
    made = numpy_dtype(dtype)

    def turned(array: np.ndarray) -> np.ndarray:
        return array.swapaxes(0, 1) if by_rows else array

    def integers(rng: np.random.Generator, swapped: bool) -> Tensors:
        a, b = exact_operands(rng, (batch, m, k), (batch, *matrix), k, dtype, swapped=swapped)
        return {"a": np.ascontiguousarray(turned(a)), "b": b}

    def make_inputs(rng: np.random.Generator) -> Tensors:
        a_shape = (m, batch, k) if by_rows else (batch, m, k)
        inputs = {
            "a": rng.standard_normal(a_shape, np.float32).astype(made),
            "b": rng.standard_normal((batch, *matrix), np.float32).astype(made),
        }
        if spoil:
            spoil(inputs)
        return inputs

    def drop_term(inputs: Tensors) -> Tensors:
        a = inputs["a"].copy()
        a[..., k // 2] = 0
        return {**inputs, "a": a}

    def expect(inputs: Tensors) -> dict[str, Expected]:
        a, b = turned(inputs["a"]), inputs["b"]
        c = reference(a, b, transpose_b=transpose_b)
        b64 = b.swapaxes(1, 2).astype(np.float64) if transpose_b else b.astype(np.float64)
        bound = dot_bound(a.astype(np.float64), b64, c, dtype)
        return {"out": Expected(turned(c), turned(bound))}

    def run(target: str, inputs: Tensors, outputs: Tensors) -> None:
        a, out = turned(inputs["a"]), turned(outputs["out"])
        gemm_batched(a, inputs["b"], transpose_b=transpose_b, out=out, target=target)

    macs = batch * m * n * k
    exact = (
        functools.partial(integers, swapped=False),
        functools.partial(integers, swapped=True),
    )
    return Case(
        kernel="gemm_batched",
        name=name,
        dtype=dtype,
        make_inputs=make_inputs,
        outputs=lambda inputs: {"out": Spec((m, batch, n) if by_rows else (batch, m, n), made)},
        expect=expect,
        run=run,
        bound=DOT_BOUND,
        flops=2 * macs,
        bytes=batch * (m * k + k * n + m * n) * made.itemsize,
        macs=macs,
        integers=exact if macs and not spoil else (),
        drop_term=drop_term if macs else None,
        layouts=layouts or {},
        peers=_peers(transpose_b) if peers else (),
        rotate=rotate,
    )


def _not_a_number(inputs: Tensors) -> None:
    """NaN and infinity in a matrix: only its own products may show them."""
    inputs["a"][1, 2, 3], inputs["a"][1, 0, 0] = np.nan, np.inf
    inputs["b"][3, 4, 5] = np.nan


def verify_cases() -> list[Case]:
    """Small, odd and hostile batches, dense and with strides."""
    skewed = {"a": Layout(1, 3), "b": Layout(2, 5), "out": Layout(3, 1)}
    return [
        *(
            _case(f"odd_n{'t' if t else 'n'}", 3, 19, 45, 83, d, transpose_b=t)
            for d in ("f32", "bf16", "f16")
            for t in (False, True)
        ),
        _case("absorb_q", 4, 5, 136, 32, by_rows=True),
        _case("absorb_out", 4, 5, 32, 136, transpose_b=True, by_rows=True),
        _case("one_row", 7, 1, 40, 72, transpose_b=True, by_rows=True),
        _case("row_padding", 2, 9, 33, 50, layouts=skewed),
        _case("row_padding_nt", 2, 9, 33, 50, "f32", transpose_b=True, layouts=skewed),
        _case("few_rows_wide", 2, 3, 700, 70, "f32"),
        _case("more_rows_than_a_tile", 2, 150, 24, 40, "f32"),
        _case("not_a_number", 4, 6, 12, 20, spoil=_not_a_number),
        _case("one_batch", 1, 3, 7, 25),
        _case("no_batch", 0, 3, 8, 8),
        _case("no_rows", 3, 0, 8, 8),
        _case("no_columns", 3, 4, 0, 8),
        _case("no_terms", 2, 3, 4, 0),
    ]


def bench_cases() -> list[Case]:
    """MLA's absorbed products: a few tokens with 128 heads, and many with V2-Lite's 16."""
    made = functools.partial(_case, by_rows=True, peers=True)
    return [
        made("absorb_q_t4_h128", 128, 4, 512, 128, rotate=4),
        made("absorb_out_t4_h128", 128, 4, 128, 512, transpose_b=True, rotate=4),
        made("absorb_q_t512_h16", 16, 512, 512, 128),
    ]
