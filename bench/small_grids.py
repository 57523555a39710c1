"""What dividing the blocks of small grids gains (docs/cpu.md, "Small grids").

    .venv/bin/python bench/small_grids.py [--seconds 1]

Products of f32, and MLA decoding in bf16 by a kernel that has no splits, with fewer blocks
than a machine has cores: as the compiler makes them, and with `batch_invariant=True`, which
leaves grids as they are written. Both take turns; times are medians, on one thread and on
two. Results are compared with float64 first.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import functools
import statistics
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import ml_dtypes
import numpy as np

import tilewright
import tilewright.language as T
from tilewright import runtime
from tilewright.cli.console import stdout, table
from tilewright.cli.units import seconds
from tilewright.kernels.online_softmax import FLOOR, absorb, normalise, scale_in_log2
from tilewright.testing import attend

# m, n, k; rows, columns and K of a tile
SHAPES = [
    (128, 128, 4096, (128, 128, 32)),
    (128, 384, 4096, (128, 128, 32)),
    (64, 64, 16384, (64, 64, 32)),
    (16, 64, 65536, (16, 64, 32)),
    (32, 32, 65536, (32, 32, 32)),
]
KEYS = (64, 512, 4096)
HEADS, D_V, D_ROPE, BN = 16, 512, 64, 64


class Case(NamedTuple):
    """A kernel, what it is called with, and the result with the error it may have."""

    name: str
    compile: Callable
    inputs: list[np.ndarray]
    exact: np.ndarray
    bound: np.ndarray


def product(m: int, n: int, k: int, tile: tuple[int, int, int], **options: bool):
    """The compiled product of [m, k] and [k, n] in f32."""
    rows, columns, step = tile

    @T.prim_func
    def product(
        A: T.Tensor((m, k), "f32"), B: T.Tensor((k, n), "f32"), C: T.Tensor((m, n), "f32")
    ):
        with T.Kernel(T.ceildiv(n, columns), T.ceildiv(m, rows)) as (bx, by):
            a = T.alloc_shared((rows, step), "f32")
            b = T.alloc_shared((step, columns), "f32")
            c = T.alloc_fragment((rows, columns), "f32")
            T.clear(c)
            for at in T.Pipelined(T.ceildiv(k, step), num_stages=3):
                T.copy(A[by * rows, at * step], a)
                T.copy(B[at * step, bx * columns], b)
                T.gemm(a, b, c)
            T.copy(c, C[by * rows, bx * columns])

    return tilewright.compile(product, target="cpu", **options)


def decode(**options: bool):
    """One block that attends any number of cached rows, in bf16, with results in f32."""
    n, d, scale = T.dynamic("n"), D_V + D_ROPE, scale_in_log2(None, D_V + D_ROPE)

    @T.prim_func
    def decode(
        Q: T.Tensor((HEADS, d), "bf16"),
        Cache: T.Tensor((n, d), "bf16"),
        Out: T.Tensor((HEADS, D_V), "f32"),
    ):
        with T.Kernel(1):
            q_latent = T.alloc_shared((HEADS, D_V), "bf16")
            q_rope = T.alloc_shared((HEADS, D_ROPE), "bf16")
            latent = T.alloc_shared((BN, D_V), "bf16")
            rope = T.alloc_shared((BN, D_ROPE), "bf16")
            score = T.alloc_fragment((HEADS, BN), "f32")
            prob = T.alloc_fragment((HEADS, BN), "bf16")
            acc = T.alloc_fragment((HEADS, D_V), "f32")
            peak = T.alloc_fragment((HEADS,), "f32")
            before = T.alloc_fragment((HEADS,), "f32")
            total = T.alloc_fragment((HEADS,), "f32")
            step_total = T.alloc_fragment((HEADS,), "f32")
            T.copy(Q[0, 0], q_latent)
            T.copy(Q[0, D_V], q_rope)
            T.clear(acc)
            T.clear(total)
            T.fill(peak, FLOOR)
            for step in T.Pipelined(T.ceildiv(n, BN), num_stages=2):
                T.copy(Cache[step * BN, 0], latent)
                T.copy(Cache[step * BN, D_V], rope)
                T.gemm(q_latent, latent, score, transpose_B=True, clear_accum=True)
                T.gemm(q_rope, rope, score, transpose_B=True)
                for i, j in T.Parallel(HEADS, BN):
                    score[i, j] = T.if_then_else(
                        step * BN + j < n, score[i, j], -T.infinity("f32")
                    )
                absorb(score, prob, acc, peak, before, total, step_total, scale, HEADS, BN, D_V)
                T.gemm(prob, latent, acc)
            normalise(acc, total, HEADS, D_V)
            T.copy(acc, Out)

    return tilewright.compile(decode, target="cpu", **options)


def cases():
    """The cases, each made when it is asked for."""
    generator = np.random.default_rng(0)
    for m, n, k, tile in SHAPES:
        a, b = (generator.standard_normal(s).astype(np.float32) for s in ((m, k), (k, n)))
        exact = a.astype(np.float64) @ b
        bound = k * 2.0**-24 * (np.abs(a).astype(np.float64) @ np.abs(b))
        compiled = functools.partial(product, m, n, k, tile)
        yield Case(f"f32 {m} x {n} x {k}", compiled, [a, b], exact, bound)
    d = D_V + D_ROPE
    for keys in KEYS:
        q, cache = (
            generator.standard_normal((rows, d)).astype(ml_dtypes.bfloat16)
            for rows in (HEADS, keys)
        )
        valid = np.ones((HEADS, keys), bool)
        exact = attend(q, cache, cache[:, :D_V], valid, d**-0.5, "bf16").out
        yield Case(f"decoding {keys} keys", decode, [q, cache], exact.value, exact.bound)


def compare(kernels: list, arrays: list[np.ndarray], budget: float) -> list[float]:
    """The median time of each kernel, in turns for `budget` seconds."""
    times: list[list[float]] = [[] for _ in kernels]
    end = time.perf_counter() + budget
    while time.perf_counter() < end or not times[0]:
        for kernel, own in zip(kernels, times):
            kernel(*arrays)
            start = time.perf_counter()
            kernel(*arrays)
            own.append(time.perf_counter() - start)
    return [statistics.median(own) for own in times]


def main(arguments: list[str] | None = None) -> int:
    """Measures and shows a table; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="of each comparison")
    options = parser.parse_args(arguments)
    shown = table("case", ">threads", ">as written", ">divided", ">ratio")
    for case in cases():
        out = np.empty(case.exact.shape, np.float32)
        kernels = [case.compile(batch_invariant=True), case.compile()]
        for kernel in kernels:
            out.fill(np.nan)
            kernel(*case.inputs, out)
            if not (np.abs(out - case.exact) <= case.bound).all():
                print(f"{case.name} is wrong", file=sys.stderr)
                return 1
        time.sleep(0.2)  # until NumPy's threads sleep
        for threads in (1, 2):
            runtime.set_num_threads(threads)
            whole, divided = compare(kernels, [*case.inputs, out], options.seconds)
            times = seconds(whole), seconds(divided)
            shown.add_row(case.name, str(threads), *times, f"{whole / divided:.2f}")
    runtime.set_num_threads(0)
    stdout().print(shown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
