"""Wrong gathers and scatters.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

# The marks `# here` belong to their lines.
# fmt: off

import tilewright.language as T

from . import wrong

M, N = 64, 32


@wrong("T.gather: the indices are no one-dimensional integer tile", "alloc_shared")
def gather_indices():
    @T.prim_func
    def kernel(A: T.Tensor((M, N), "float32"), I: T.Tensor((M,), "int32")):
        with T.Kernel(1):
            tile = T.alloc_shared((16, N), "float32")
            T.gather(A, I, tile)  # here
    return kernel


@wrong("T.gather: axis 2 of a tensor with 2 dimensions")
def gather_axis():
    @T.prim_func
    def kernel(A: T.Tensor((M, N), "float32")):
        with T.Kernel(1):
            ids = T.alloc_shared((16,), "int32")
            tile = T.alloc_shared((16, N), "float32")
            T.gather(A, ids, tile, axis=2)  # here
    return kernel


@wrong("T.gather: src has 32 elements along dimension 1 and dst has 8", "slice src")
def gather_shape():
    @T.prim_func
    def kernel(A: T.Tensor((M, N), "float32")):
        with T.Kernel(1):
            ids = T.alloc_shared((16,), "int32")
            tile = T.alloc_shared((16, 8), "float32")
            T.gather(A, ids, tile)  # here
    return kernel


@wrong("T.scatter: x is src and dst", "a tile of its own")
def scatter_into_its_source():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M, N), "float32")
            ids = T.alloc_shared((M,), "int32")
            T.scatter(x, ids, x)  # here
    return kernel


@wrong("T.scatter on y, which is fragment memory", "update them in T.Parallel")
def scatter_into_a_fragment():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M, N), "float32")
            y = T.alloc_fragment((M, N), "float32")
            ids = T.alloc_shared((M,), "int32")
            T.scatter(x, ids, y)  # here
    return kernel


@wrong("T.scatter: 8 indices for", "an index for each row")
def scatter_with_too_few_indices():
    @T.prim_func
    def kernel(A: T.Tensor((M, N), "float32")):
        with T.Kernel(1):
            x = T.alloc_shared((M, N), "float32")
            ids = T.alloc_shared((8,), "int32")
            T.scatter(x, ids, A)  # here
    return kernel


@wrong("T.scatter: atomic on bool", "an integer tensor")
def atomic_scatter_of_truth_values():
    @T.prim_func
    def kernel(A: T.Tensor((M, N), "bool")):
        with T.Kernel(1):
            x = T.alloc_shared((M, N), "bool")
            ids = T.alloc_shared((M,), "int32")
            T.scatter(x, ids, A, atomic=True)  # here
    return kernel


@wrong("T.gather from bool to float32", "src[i] != 0")
def gather_of_truth_values():
    @T.prim_func
    def kernel(A: T.Tensor((M, N), "bool")):
        with T.Kernel(1):
            x = T.alloc_shared((8, N), "float32")
            ids = T.alloc_shared((8,), "int32")
            T.gather(A, ids, x)  # here
    return kernel
