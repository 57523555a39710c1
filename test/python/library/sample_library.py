"""The library that the tests build: every kind of parameter, small kernels.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import tilewright.language as T
from tilewright.library import Library


def affine_kernel(dtype="float32"):
    """Y = X * scale + shift where `on`, else X."""
    M, N = T.dynamic("m, n")

    @T.prim_func
    def affine(
        X: T.StridedTensor((M, N), (None, None), dtype),
        Y: T.Tensor((M, N), dtype),
        scale: T.float32,
        shift: T.int32,
        on: T.bool,
    ):
        with T.Kernel(T.ceildiv(M, 4)) as block:
            for i, j in T.Parallel(4, N):
                if block * 4 + i < M:
                    x = T.cast(X[block * 4 + i, j], "float32")
                    Y[block * 4 + i, j] = T.if_then_else(
                        on, x * scale + T.cast(shift, "float32"), x
                    )

    return affine


def accumulate_kernel():
    """Y += X."""
    N = T.dynamic("n")

    @T.prim_func
    def accumulate(X: T.Tensor((N,), "int32"), Y: T.Tensor((N,), "int32")):
        with T.Kernel(1):
            for i in T.serial(N):
                Y[i] = Y[i] + X[i]

    return accumulate


library = Library(
    "sample",
    ["cpu:x86-64-v3", "cuda:sm_80", "hip:gfx942"],
    release="1.2.0",
    description='Kernels of the "tests"',
    licence="Apache-2.0 WITH LLVM-exception",
)
library.add("affine", affine_kernel, {"f32": {}, "bf16": {"dtype": "bfloat16"}})
library.add("accumulate", accumulate_kernel)
