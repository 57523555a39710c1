"""Wrong reductions, scans and selections.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

# The marks `# here` belong to their lines.
# fmt: off

import tilewright.language as T

from . import wrong

M, N = 64, 32


@wrong("src is (64, 32), so along dim 1 dst is (64,), not (32,)", "allocate dst as (64,)")
def reduce_shape():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_fragment((M, N), "float32")
            y = T.alloc_fragment((N,), "float32")
            T.reduce_sum(x, y, dim=1)  # here
    return kernel


@wrong("T.reduce_max: src holds float32 and dst float16", "allocate dst as float32")
def reduce_types():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_fragment((M, N), "float32")
            y = T.alloc_fragment((M,), "float16")
            T.reduce_max(x, y, dim=1)  # here
    return kernel


@wrong("T.reduce_sum: dim=2 of a tile with 2 dimensions")
def reduce_dim():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_fragment((M, N), "float32")
            y = T.alloc_fragment((M,), "float32")
            T.reduce_sum(x, y, dim=2)  # here
    return kernel


@wrong("T.reduce_argmax: dst holds float32", "int32")
def reduce_positions():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_fragment((M, N), "float32")
            y = T.alloc_fragment((M,), "float32")
            T.reduce_argmax(x, y, dim=1)  # here
    return kernel


@wrong("T.reduce_bitor of float32")
def reduce_bits():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_fragment((M, N), "float32")
            y = T.alloc_fragment((M,), "float32")
            T.reduce_bitor(x, y, dim=1)  # here
    return kernel


@wrong("T.cumsum: src is float32 (64,) and dst is float32 (32,)", "allocate dst as src")
def cumsum_shape():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "float32")
            y = T.alloc_shared((N,), "float32")
            T.cumsum(x, y)  # here
    return kernel


@wrong("T.topk: 40 of 32 elements")
def topk_count():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_fragment((M, N), "float32")
            values, places = T.topk(x, 40, dim=1)  # here
    return kernel


@wrong("T.sort: dim=2 of a tile with 1 dimension", "counts from the end")
def sort_dimension():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "float32")
            T.sort(x, 2)  # here
    return kernel


@wrong("T.reduce: the combiner is 'sum'", "lambda a, b: a + b")
def reduce_by_name():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M, N), "float32")
            y = T.alloc_fragment((M,), "float32")
            T.reduce(x, y, 1, "sum", 0)  # here
    return kernel


@wrong("T.reduce: the combiner does more than compute a scalar", "bind what it reads")
def combiner_that_reads():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M, N), "float32")
            y = T.alloc_fragment((M,), "float32")
            T.reduce(x, y, 1, lambda a, b: a + b * x[0, 0], 0)  # here
    return kernel


@wrong("T.scan: the combiner makes float32 of two int32", "T.cast")
def combiner_of_another_type():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "int32")
            T.scan(x, combiner=lambda a, b: a / b)  # here
    return kernel


@wrong("T.scan: exclusive without an identity", "identity=0")
def exclusive_scan():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "int32")
            T.scan(x, combiner=T.max, exclusive=True)  # here
    return kernel


@wrong("T.cumsum: src and dst are parts of x that may overlap", "a tile of its own")
def scan_into_its_own_source():
    @T.prim_func
    def kernel():
        with T.Kernel(1):
            x = T.alloc_shared((M,), "int32")
            T.cumsum(x[0:9], x[1:10])  # here
    return kernel
