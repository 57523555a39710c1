"""Kernels of the libraries that tests build.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import tilewright
import tilewright.language as T


@tilewright.jit
def scale(X, by: T.float32, Y):
    """Y = by * X."""
    n = T.dynamic("n", multiple_of=4)
    X: T.Tensor((n,), "float32")
    Y: T.Tensor((n,), "float32")
    with T.Kernel(T.ceildiv(n, 256)) as block:
        for i in T.Parallel(256):
            Y[block * 256 + i] = X[block * 256 + i] * by


@tilewright.jit
def transpose(X, Y):
    """Y is X with its dimensions swapped."""
    M, N = T.const("M, N")
    X: T.Tensor((M, N), "float32")
    Y: T.Tensor((N, M), "float32")
    with T.Kernel(T.ceildiv(N, 32), T.ceildiv(M, 32)) as (bx, by):
        for i, j in T.Parallel(32, 32):
            Y[bx * 32 + j, by * 32 + i] = X[by * 32 + i, bx * 32 + j]


def row_sums(columns: int, dtype: str = "float32"):
    """Sums over rows of a fixed length, through global memory of the kernel's own."""
    rows = T.dynamic("rows")

    @T.prim_func
    def row_sums(X: T.Tensor((rows, columns), dtype), Sums: T.Tensor((rows,), "float32")):
        Doubled = T.alloc_global((rows, columns), "float32")
        with T.Kernel(rows) as row:
            for j in T.Parallel(columns):
                Doubled[row, j] = T.cast(X[row, j], "float32") * 2
        with T.Kernel(rows) as row:
            line = T.alloc_fragment((columns,), "float32")
            total = T.alloc_fragment((1,), "float32")
            T.copy(Doubled[row, 0], line)
            T.reduce_sum(line, total)
            Sums[row] = total[0] / 2

    return row_sums


def add_integers(dtype: str):
    """Z = X + n."""
    size = T.dynamic("size")

    @T.prim_func
    def add_integers(X: T.Tensor((size,), dtype), n: T.int64, Z: T.Tensor((size,), dtype)):
        with T.Kernel(T.ceildiv(size, 64)) as block:
            for i in T.Parallel(64):
                Z[block * 64 + i] = X[block * 64 + i] + T.cast(n, dtype)

    return add_integers


@T.prim_func
def broken(X: T.Tensor((16,), "float32")):
    with T.Kernel(1):
        X[0] = undefined_name  # noqa: F821
