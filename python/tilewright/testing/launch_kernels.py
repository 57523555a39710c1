"""Kernels that do nothing, to measure what launching one costs.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import tilewright
import tilewright.language as T


@tilewright.jit
def without_arguments():
    """An empty kernel without arguments."""
    with T.Kernel(1):
        pass


@tilewright.jit
def with_arguments(A, B, C):
    """An empty kernel of three matrices, as a product's: A (M, K), B (K, N), C (M, N)."""
    M, N, K = T.const("M, N, K")
    A: T.Tensor((M, K), "float32")
    B: T.Tensor((K, N), "float32")
    C: T.Tensor((M, N), "float32")
    with T.Kernel(1):
        pass
