"""A small matrix product, to find out what compiling and running do on this machine.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import tilewright.language as T

SIZE = 64

# The dtype of the operands, and of the accumulator.
PRODUCTS = {"f32": "float32", "bf16": "float32", "f16": "float32", "i8": "int32"}


def product(dtype: str) -> T.prim_func:
    """C = A B, 64 x 64, one block."""
    accumulator = PRODUCTS[dtype]

    @T.prim_func
    def probe(
        A: T.Tensor((SIZE, SIZE), dtype),
        B: T.Tensor((SIZE, SIZE), dtype),
        C: T.Tensor((SIZE, SIZE), accumulator),
    ):
        with T.Kernel(1, threads=128):
            a_tile = T.alloc_shared((SIZE, SIZE), dtype)
            b_tile = T.alloc_shared((SIZE, SIZE), dtype)
            c_tile = T.alloc_fragment((SIZE, SIZE), accumulator)
            T.copy(A, a_tile)
            T.copy(B, b_tile)
            T.gemm(a_tile, b_tile, c_tile, clear_accum=True)
            T.copy(c_tile, C)

    return probe
