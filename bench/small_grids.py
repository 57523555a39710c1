"""What dividing the blocks of small grids gains (docs/cpu.md, "Small grids").

    .venv/bin/python bench/small_grids.py [--seconds 1]

Products of f32 with fewer blocks than a machine has cores, as the compiler makes them, and
with `batch_invariant=True`, which leaves grids as they are written. Both take turns; times are
medians, on one thread and on two. Results are compared with float64 first.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

import numpy as np

import tilewright
import tilewright.language as T
from tilewright import runtime
from tilewright.cli.console import stdout, table
from tilewright.cli.units import seconds

# m, n, k; rows, columns and K of a tile
SHAPES = [
    (128, 128, 4096, (128, 128, 32)),
    (128, 384, 4096, (128, 128, 32)),
    (64, 64, 16384, (64, 64, 32)),
    (16, 64, 65536, (16, 64, 32)),
    (32, 32, 65536, (32, 32, 32)),
]


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
    generator = np.random.default_rng(0)
    shown = table("m, n, k", ">threads", ">as written", ">divided", ">ratio")
    for m, n, k, tile in SHAPES:
        a, b = (generator.standard_normal(s).astype(np.float32) for s in ((m, k), (k, n)))
        c = np.empty((m, n), np.float32)
        kernels = [product(m, n, k, tile, batch_invariant=True), product(m, n, k, tile)]
        exact = a.astype(np.float64) @ b
        bound = k * 2.0**-24 * (np.abs(a).astype(np.float64) @ np.abs(b))
        for kernel in kernels:
            c.fill(np.nan)
            kernel(a, b, c)
            if not (np.abs(c - exact) <= bound).all():
                print(f"{m} x {n} x {k} is wrong", file=sys.stderr)
                return 1
        time.sleep(0.2)  # until NumPy's threads sleep
        for threads in (1, 2):
            runtime.set_num_threads(threads)
            whole, divided = compare(kernels, [a, b, c], options.seconds)
            shape = f"{m}, {n}, {k}"
            times = seconds(whole), seconds(divided)
            shown.add_row(shape, str(threads), *times, f"{whole / divided:.2f}")
    runtime.set_num_threads(0)
    stdout().print(shown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
